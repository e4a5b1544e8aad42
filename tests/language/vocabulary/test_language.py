"""Languages are values: an extension makes a new one, and is refused where it would change what is there."""

import re
from dataclasses import dataclass, field, replace

import pytest

from formulajoint.errors import ExtensionError, FormulaError
from formulajoint.language.grammar.compose import Fragment
from formulajoint.language.syntax import nodes
from formulajoint.language.vocabulary.core import CLAUSES, CORE, FUNCTIONS
from formulajoint.language.vocabulary.language import Extension
from formulajoint.language.vocabulary.signatures import Kind, Signature, Slot
from formulajoint.spans import Span
from formulajoint.spec.json import from_json, to_json
from formulajoint.spec.read import parse, parse_clause


@dataclass(frozen=True)
class Word:
    """A name without any meaning."""

    position: str
    name: str
    signature: Signature = field(default_factory=Signature)
    extension: str = ""


CUT = Slot("cut", Kind.NUMBER)
TRIMMED = replace(CLAUSES["joint"], keywords=(*CLAUSES["joint"].keywords, CUT))
WORDS = (
    Word("clause", "trimmed", TRIMMED),
    Word("function", "square", FUNCTIONS["log"]),
    Word("family", "skew_cauchy"),
    Word("distribution", "kumaraswamy", Signature((Slot("a", Kind.POSITIVE),), least=1)),
    Word("coding", "difference"),
    Word("weight scheme", "inverse", Signature((Slot("column", Kind.COLUMN),), least=1)),
    Word("operator", "%plus%"),
)
WIDER = CORE.extend(Extension("trimming", WORDS))


@pytest.mark.parametrize(
    "text",
    [
        "y ~ x | g, trimmed(x, cut=0.2, weights=n)",
        "y ~ square(x)",
        "y ~ C(x, coding=difference)",
        "y ~ x, family(skew_cauchy)",
        "y ~ x, prior(x ~ kumaraswamy(2))",
        "y ~ x | g, joint(x, weights=inverse(v))",
        "y ~ I(a %plus% b)",
        "y ~ a %plus% b",
    ],
)
def test_an_extension_adds_names(text):
    formula = parse(text, WIDER)
    assert formula.extensions == ("trimming",)
    assert parse(str(formula), WIDER) == formula
    assert from_json(to_json(formula), WIDER) == formula
    with pytest.raises(FormulaError):
        parse(text)


def test_a_formula_names_only_the_extensions_it_uses():
    formula = parse("y ~ x | g, joint(x)", WIDER)
    assert formula.extensions == ()
    assert formula == parse("y ~ x | g, joint(x)")


def test_new_names_are_checked_like_old_ones():
    with pytest.raises(FormulaError) as caught:
        parse("y ~ x | g, trimmed(x, cutt=0.2)", WIDER)
    assert caught.value.hint == "did you mean `cut`?"
    with pytest.raises(FormulaError) as caught:
        parse("y ~ x | g, trimed(x)", WIDER)
    assert caught.value.hint == "did you mean `trimmed`?"


def test_the_language_extended_is_a_new_one():
    assert "trimmed" not in CORE.names["clause"]
    assert WIDER.extensions == {"trimming"}
    assert CORE.extensions == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        lambda: CORE.names["clause"].update(x=1),
        lambda: CORE.names.update(clause={}),
        lambda: CORE.rules.clear(),
    ],
)
def test_a_language_cannot_be_changed(change):
    with pytest.raises(AttributeError):
        change()


def trimming(*words, name="mine", **more):
    return Extension(name, words, **more)


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        (
            trimming(Word("clause", "joint")),
            "`joint` of extension `mine` is a clause of the language itself already",
        ),
        (
            trimming(Word("clause", "trimmed")),
            "`trimmed` of extension `mine` is a clause of extension `trimming` already",
        ),
        (
            trimming(Word("operator", "%plus%")),
            "`%plus%` of extension `mine` is an operator of extension `trimming` already",
        ),
        (
            trimming(Word("function", "twice"), Word("function", "twice")),
            "`twice` of extension `mine` is a function of extension `mine` already",
        ),
        (trimming(Word("operator", "plus")), "cannot be the name of an operator: write it as `%name%`"),
        (trimming(Word("function", "%plus%")), "cannot be the name of a function: it needs letters"),
        (trimming(name="trimming"), "The language has an extension `trimming` already"),
        (trimming(rules={"versus": str}), "there is a lowering of `versus`, but no fragment"),
        ("trimmed", "extended by an Extension, not by 'trimmed'"),
    ],
)
def test_a_clash_names_both_sides(extension, message):
    with pytest.raises(ExtensionError, match=re.escape(message)):
        WIDER.extend(extension)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Extension(""), "known by its name, a text, not by ''"),
        (lambda: Extension("mine", [len]), "not a value of Contrast, WeightScheme"),
        (lambda: Extension("mine", fragments=["vs.lark"]), "not a Fragment; read a file with"),
    ],
)
def test_an_extension_is_made_of_what_it_should_be(make, message):
    with pytest.raises(ExtensionError, match=message):
        make()


def test_the_meaning_of_a_name_is_what_was_brought():
    assert WIDER.meaning("clause", "trimmed") == replace(WORDS[0], extension="trimming")
    assert WIDER.meaning("function", "trimmed") is None
    assert WIDER.meaning("clause", "joint") is None


VERSUS = Fragment(
    "versus.lark",
    """
%extend clause: level _VS level -> versus
_VS: /vs(?![\\w.])/
""",
)


def versus(node):
    left, right = node.written
    return node.clause(f"contrast(.[{left}] - .[{right}])")


SPOKEN = CORE.extend(Extension("versus", fragments=[VERSUS], rules={"versus": versus}))


def test_new_syntax_is_a_fragment_and_a_function():
    formula = parse('y ~ x | g, A vs "School B"', SPOKEN)
    assert str(formula) == 'y ~ x | g, contrast(.[A] - .["School B"])'
    assert parse(str(formula), CORE) == formula  # what syntax makes is of the plain language
    assert formula.extensions == ()
    assert formula.clauses[0].call.args[0].span == formula.clauses[0].span == Span(11, 26)
    assert parse_clause("A vs B", SPOKEN) == parse_clause("contrast(.[A] - .[B])", CORE)
    with pytest.raises(FormulaError):
        parse("y ~ x | g, A vs B", CORE)


def test_a_word_of_new_syntax_stays_a_name():
    assert parse("vs ~ vs | vs, vs ~ 1 | vs, joint(vs), vs vs vs", SPOKEN).group.names == (nodes.Name("vs"),)


def test_an_error_in_what_syntax_is_short_for_points_at_the_syntax():
    rules = {"versus": lambda node: node.clause("contrast(")}
    language = CORE.extend(Extension("versus", fragments=[VERSUS], rules=rules))
    with pytest.raises(FormulaError) as caught:
        parse("y ~ x | g, A vs B", language)
    assert caught.value.message == "`A vs B` is short for `contrast(`, which is not a clause"
    assert caught.value.span == Span(11, 17)


def test_a_lowering_that_makes_no_clause_is_told():
    language = CORE.extend(Extension("versus", fragments=[VERSUS], rules={"versus": str}))
    with pytest.raises(ExtensionError, match="lowers what should be a clause to"):
        parse("y ~ x | g, A vs B", language)


def test_a_trailer_makes_of_what_it_trails_what_it_will():
    fragment = Fragment("prime.lark", '%extend trailer: "->" NAME -> arrow')
    rules = {"arrow": lambda node: lambda target: nodes.Call("center", (target,), (), node.span)}
    language = CORE.extend(Extension("arrow", fragments=[fragment], rules=rules))
    assert str(parse("y ~ x->z", language)) == "y ~ center(x)"


def test_extensions_of_several_kinds_live_together():
    both = WIDER.extend(Extension("versus", fragments=[VERSUS], rules={"versus": versus}))
    assert both.extensions == {"trimming", "versus"}
    formula = parse("y ~ square(x) | g, A vs B", both)
    assert formula.extensions == ("trimming",)
    assert from_json(to_json(formula), both) == formula
