"""Every good formula of tests/cases: its canonical text, and the ways in which a formula is a value."""

import pickle
from pathlib import Path

import pytest

from formulajoint.language.syntax import nodes
from formulajoint.spec.json import from_json, to_json
from formulajoint.spec.read import parse

CASES = Path(__file__).parents[1] / "cases" / "good_formulas.txt"


def good_formulas():
    lines = [line for line in CASES.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return [tuple(line.split("  =>  ")) if "  =>  " in line else (line, line) for line in lines]


GOOD = good_formulas()


def test_there_are_many():
    assert len(GOOD) >= 120


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_canonical_text(text, expected):
    assert str(parse(text)) == expected


@pytest.mark.parametrize("text", [text for text, _ in GOOD])
def test_a_formula_is_a_value(text):
    formula = parse(text)
    again = parse(str(formula))
    assert again == formula
    assert hash(again) == hash(formula)
    assert pickle.loads(pickle.dumps(formula)) == formula
    assert from_json(to_json(formula)) == formula


@pytest.mark.parametrize("text", [text for text, _ in GOOD])
def test_spans_point_at_names(text):
    for node in nodes.walk(parse(text)):
        if isinstance(node, nodes.Name):
            written = text[node.span.start : node.span.end]
            assert written.strip("`").replace("``", "`") == node.id
        if isinstance(node, nodes.Call) and node.name != "I":
            assert text[node.span.start :].startswith(node.name)
            assert text[: node.span.end].endswith(")")


def test_different_formulas_differ():
    formulas = {parse(text) for text, _ in GOOD}
    assert len(formulas) == len({expected for _, expected in GOOD})
