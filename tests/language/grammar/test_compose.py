"""The grammar files: strict and free of conflicts, the core alone and with the contrasts' syntax."""

import subprocess
import sys
from pathlib import Path

import pytest
from lark import Lark, Token

import formulajoint.language as room
from formulajoint.language.grammar.compose import CONTRASTS, FORMULA, Stopped, parse_tree, parser

SCORE = "score ~ treatment | school, sigma ~ 1 | school, prior(x.mean ~ normal(0, 5)), joint(weights=n)"


def strict(*fragments, starts=("formula", "clause")):
    text = "\n".join(fragment.text for fragment in fragments)
    return Lark(text, start=list(starts), parser="lalr", strict=True, propagate_positions=True)


def test_the_core_alone_is_strict():
    tree = strict(FORMULA).parse(SCORE, start="formula")
    names = {str(name.children[0]) for name in tree.find_data("name")}
    assert {"score", "treatment", "school", "x.mean", "n"} == names


def test_the_core_with_contrasts_is_strict():
    starts = ("formula", "clause", "hypotheses")
    tree = strict(FORMULA, CONTRASTS, starts=starts).parse("x[A] = 0, y > 1", start="hypotheses")
    assert [hypothesis.data for hypothesis in tree.children] == ["hypothesis", "hypothesis"]


def test_strictness_would_see_a_conflict():
    ambiguous = FORMULA.text + '\n%extend value: name "(" ")"'
    with pytest.raises(Exception, match=r"(?i)conflict|collision"):
        Lark(ambiguous, start="formula", parser="lalr", strict=True)


@pytest.mark.parametrize("text", ["y ~ x[A]", "y ~ x, joint(weights={A: 1})", "y ~ x, joint(weights=[1])"])
def test_contrast_syntax_enters_by_extension(text):
    with pytest.raises(Stopped):
        parse_tree(text, "formula", (FORMULA,))
    assert parse_tree(text.replace("y ~ x[A]", "y ~ x, contrast(x[A])"), "formula", (FORMULA, CONTRASTS))


def test_the_core_alone_parses_formulas():
    alone = parse_tree(SCORE, "formula", (FORMULA,))
    assert alone == parse_tree(SCORE, "formula", (FORMULA, CONTRASTS))


def test_contrasts_only_extend():
    extended = [
        line.split()[1].rstrip(":") for line in CONTRASTS.text.splitlines() if line.startswith("%extend")
    ]
    assert extended == ["trailer", "value"]
    assert not [
        line for line in CONTRASTS.text.splitlines() if line.startswith(("%ignore", "%override", "%import"))
    ]


def test_a_parser_is_built_once():
    assert parser((FORMULA, CONTRASTS)) is parser((FORMULA, CONTRASTS))


def test_stopped_says_where_and_what_was_expected():
    with pytest.raises(Stopped) as caught:
        parse_tree("y ~ x z", "formula", (FORMULA,))
    assert caught.value.position == 6
    assert {"PLUS", "BAR", "$END"} <= caught.value.expected
    assert "NAME" not in caught.value.expected


def test_stopped_at_the_end():
    with pytest.raises(Stopped) as caught:
        parse_tree("y ~ ", "formula", (FORMULA,))
    assert caught.value.position == 4


def test_no_word_is_reserved():
    tree = parse_tree("n ~ equal + true + s + e", "formula", (FORMULA, CONTRASTS))
    names = [
        str(token)
        for token in tree.scan_values(lambda value: isinstance(value, Token) and value.type == "NAME")
    ]
    assert names == ["n", "equal", "true", "s", "e"]


def test_only_the_grammar_knows_lark():
    modules = Path(room.__file__).parent.rglob("*.py")
    knowing = {path.name for path in modules if "lark" in path.read_text(encoding="utf-8").split()}
    assert knowing == {"compose.py", "prebuilt.py"}


def test_parsing_loads_nothing_heavy():
    heavy = "{'numpy', 'pandas', 'pymc', 'pytensor', 'narwhals', 'arviz', 'matplotlib'}"
    code = f"import sys, formulajoint.spec.read as p; p.parse('y ~ x | g'); print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(room.__file__).parents[2],
    )
    assert done.stdout.strip() == "set()"
