"""A fragment may only add, and is refused with both places where it would change what is there."""

import re

import pytest

from formulajoint.errors import ExtensionError
from formulajoint.language.grammar.compose import CONTRASTS, FORMULA, Fragment, Stopped, compose, parse_tree
from formulajoint.language.grammar.fragment_statements import statements
from formulajoint.language.grammar.fragments import CHECKS, check_fragments
from formulajoint.language.grammar.guarded_formulas import SPECIMENS
from formulajoint.language.grammar.tree import lower
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Extension
from formulajoint.spec.read import parse, parse_clause, parse_hypotheses

BASE = (FORMULA, CONTRASTS)
WORD = r"(?![\w.])"
VS = f"VS: /vs{WORD}/\n"


def refusal(text, lowered=("mine",), base=BASE):
    with pytest.raises(ExtensionError) as caught:
        check_fragments(base, (Fragment("mine.lark", text),), lowered)
    return str(caught.value)


def line_of(fragment, name):
    return next(s.line for s in statements(fragment) if s.name == name and not s.extends)


NAME_HERE = f"NAME of formula.lark, line {line_of(FORMULA, 'NAME')}"


@pytest.mark.parametrize(
    "text",
    [
        f"%extend clause: NAME VS NAME -> mine\n{VS}",
        f"%extend clause: level VS level -> mine\n// a comment: 100%\n{VS}",
        f"%extend clause: mine\nmine: name VS name\n    | name /beats{WORD}/ name\n{VS}",
        '%extend clause: NAME [mine] "->" NAME -> mine\nmine: "<" NUMBER ">"',
        '%extend trailer: "->" NAME -> mine',
        '%extend value: "<" sum ">" -> mine',
    ],
)
def test_what_only_adds_is_taken(text):
    check_fragments(BASE, (Fragment("mine.lark", text),), ("mine",))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('\n%ignore "x"', 2, "`%ignore` would change the whole language"),
        ("%import common.WORD\n", 1, "`%import` would change the whole language"),
        ("%declare X\n", 1, "`%declare` would change the whole language"),
        ('%override sum: "x"\n', 1, "`%override` would change the whole language"),
        (
            "%extend sum: NAME -> mine",
            1,
            f"`sum` of formula.lark, line {line_of(FORMULA, 'sum')} cannot be extended",
        ),
        ('\n\n%extend NAME: "x"', 3, "`NAME` of formula.lark"),
        ("%extend nothing: NAME -> mine", 1, "`nothing` cannot be extended"),
        (f"%extend clause: NAME VS NAME -> mine\nVS.2: /vs{WORD}/", 2, "`VS` has a priority"),
        (f"%extend clause: mine\nmine.1: NAME VS NAME\n{VS}", 2, "`mine` has a priority"),
        (
            '%extend clause: NAME -> mine\nNAME: "x"',
            2,
            f"`NAME` is taken, by formula.lark, line {line_of(FORMULA, 'NAME')}",
        ),
        (f"%extend clause: sum\nsum: NAME VS NAME\n{VS}", 2, "`sum` is taken, by formula.lark"),
        (
            f"%extend clause: NAME VS NAME -> subscript\n{VS}",
            1,
            "`subscript` is taken, by contrasts.lark, line 4",
        ),
    ],
)
def test_a_fragment_holds_only_what_is_new(text, line, words):
    said = refusal(text)
    assert said.startswith(f"mine.lark, line {line}: ")
    assert words in said


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            f"%extend clause: NAME VS NAME -> mine\nVS: /vs{WORD}",
            2,
            f"this is not a Lark grammar: VS: /vs{WORD}",
        ),
        (
            f"%extend clause: NAME VS NAME -> Mine\n{VS}",
            1,
            "not a Lark grammar: %extend clause: NAME VS NAME -> Mine",
        ),
        (f"%extend clause: NAME VS (NAME -> mine\n{VS}", 1, "not a Lark grammar"),
        (f"%extend clause: NAME VS nme -> mine\n{VS}", 1, "Rule 'nme' used but not defined"),
        ("%extend value: /x*/ -> mine", 1, "does not fit the language"),
        (f"%extend clause: NAME VS NAME\n{VS}", 1, "a new alternative of `clause` needs a name of its own"),
        (f"%extend clause: NAME VS other -> mine\nother: NAME\n{VS}", 2, "nothing lowers the node `other`"),
        (f"%extend clause: NAME VS NAME -> mine\nVS: /(?<=a)vs{WORD}/", 2, "cannot be compared"),
        ('%extend value: name "(" ")" -> mine', 1, "ambiguous"),
        (
            '%extend value: name "(" ")" -> mine',
            1,
            f"`name` is of formula.lark, line {line_of(FORMULA, 'name')}",
        ),
    ],
)
def test_a_fragment_makes_one_language_with_the_rest(text, line, words):
    said = refusal(text)
    assert said.startswith(f"mine.lark, line {line}: ")
    assert words in said


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('%extend clause: NAME "vs" NAME -> mine', 1, f"write it as `/vs{WORD}/`"),
        ('%extend clause: NAME VS NAME -> mine\n\nVS: "vs"i', 3, "beginning of a longer name"),
        ('%extend value: "é" -> mine', 1, "beginning of a longer name"),
        (f"%extend value: /s{WORD}/ -> mine", 1, NAME_HERE),
        (f"%extend value: /é{WORD}/ -> mine", 1, f"takes `é`, which {NAME_HERE} takes in the same place"),
        ('%extend value: SAME -> mine\nSAME: /[+]/ "%"', 2, ""),
        ('%extend clause: NAME AT NAME -> mine\nAT: "@"', 2, "`@` means nothing in a formula"),
        ('%extend value: "+-" NAME -> mine', 1, "would no longer mean the same"),
        ('%extend trailer: "--" -> mine', 1, "would no longer mean the same"),
    ],
)
def test_a_fragment_takes_nothing_from_others(text, line, words):
    said = refusal(text)
    assert said.startswith(f"mine.lark, line {line}: ")
    assert words in said


def test_fragments_cannot_steal_from_each_other():
    first = Fragment("first.lark", '%extend trailer: "->" NAME -> first')
    second = Fragment("second.lark", "%extend trailer: ARROW NAME -> second\nARROW: /-[>]/")
    language = CORE.extend(Extension("first", fragments=[first], rules={"first": str}))
    with pytest.raises(
        ExtensionError, match=r"second\.lark, line 2: .*takes `->`, which `->` of first\.lark, line 1"
    ):
        language.extend(Extension("second", fragments=[second], rules={"second": str}))


def test_a_lowering_needs_a_node():
    assert "no tree has such a node" in refusal(
        f"%extend clause: NAME VS NAME -> mine\n{VS}", ("mine", "other")
    )


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ExtensionError, match=r"vs\.lark cannot be read"):
        Fragment.read(tmp_path / "vs.lark")


def test_checks_are_all_needed():
    """Each check but the last refuses something that those after it would let through, or say less of."""
    assert len(CHECKS) == len(set(CHECKS)) == 10


# --- the formulas that must stay what they are


def test_specimens_are_formulas_of_the_plain_language():
    doors = {"formula": parse, "clause": parse_clause, "hypotheses": parse_hypotheses}
    for start, text in SPECIMENS:
        assert lower(parse_tree(text, start, BASE), text, CORE.grammar) is not None
        assert start in doors


def test_specimens_use_every_node_and_terminal():
    trees = [parse_tree(text, start, BASE) for start, text in SPECIMENS]
    nodes = {str(part.data) for tree in trees for part in tree.iter_subtrees()}
    assert nodes == compose(BASE).nodes
    written = " ".join(text for _, text in SPECIMENS)
    unused = [
        name
        for name, regex in compose(BASE).terminals.items()
        if not re.search(regex, written) and name not in ("COMMENT",)
    ]
    assert unused == []


def test_a_specimen_is_parsed_as_before_or_refused():
    with pytest.raises(Stopped):
        parse_tree(SPECIMENS[-1][1], "formula", BASE)
