"""Languages are values: closed tables, and extensions that never change the language they start from."""

from dataclasses import replace

import pytest

from formulajoint.errors import FormulaError, FormulaJointError
from formulajoint.language import ir
from formulajoint.language.grammar import Fragment
from formulajoint.language.json import from_json, to_json
from formulajoint.language.parse import parse
from formulajoint.language.signatures import Kind, Signature, Slot
from formulajoint.language.tables import CLAUSES, CORE, ELSEWHERE, FUNCTIONS

CUT = Slot("cut", Kind.NUMBER)
TRIMMED = replace(CLAUSES["joint"], keywords=(*CLAUSES["joint"].keywords, CUT))
WIDER = CORE.extend(
    "trimming",
    {
        "clause": {"trimmed": TRIMMED},
        "function": {"square": FUNCTIONS["log"]},
        "family": {"skew_normal": Signature()},
        "distribution": {"kumaraswamy": Signature((Slot("a", Kind.POSITIVE),), least=1)},
        "coding": {"difference": Signature()},
        "weight scheme": {"inverse": Signature((Slot("column", Kind.COLUMN),), least=1)},
        "operator": {"%plus%": Signature()},
    },
)


@pytest.mark.parametrize(
    "text",
    [
        "y ~ x | g, trimmed(x, cut=0.2, weights=n)",
        "y ~ square(x)",
        "y ~ C(x, coding=difference)",
        "y ~ x, family(skew_normal)",
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


def test_a_known_name_is_refused():
    with pytest.raises(FormulaJointError, match="knows `joint` as a clause already"):
        CORE.extend("again", {"clause": {"joint": TRIMMED}})
    with pytest.raises(FormulaJointError, match="knows `sum` as a rule of the grammar already"):
        CORE.extend("again", rules={"sum": lambda node: None})


VERSUS = Fragment(
    "versus",
    """
%extend clause: versus
versus: NAME VS NAME
VS: /vs(?![\\w.])/
""",
)


def _versus(node):
    first, _, second = node.children
    terms = [ir.Subscript(ir.Name("x"), (ir.Index(ir.Level(str(level))),)) for level in (first, second)]
    return ir.Clause(ir.Call("contrast", (ir.Chain(("-",), tuple(terms)),)), node.span)


def test_new_syntax_is_a_fragment_and_a_function():
    language = CORE.extend(
        "versus", fragments=[VERSUS], rules={"versus": _versus, "clause": lambda node: node.children[0]}
    )
    formula = parse("y ~ x | g, A vs B", language)
    assert str(formula) == "y ~ x | g, contrast(x[A] - x[B])"
    assert parse(str(formula)) == formula  # what syntax makes is of the plain language
    with pytest.raises(FormulaError):
        parse("y ~ x | g, A vs B")


def test_hints_from_other_packages_lead_somewhere():
    known = {name for table in CORE.names.values() for name in table}
    assert set(ELSEWHERE.values()) <= known
    assert not {name for name in ELSEWHERE if all(name in table for table in CORE.names.values())}


def test_usage_is_shown_as_it_is_written():
    assert CLAUSES["joint"].usage("joint") == "joint(term, ..., weights=, scale=, name=)"
    assert FUNCTIONS["poly"].usage("poly") == "poly(x, degree)"
