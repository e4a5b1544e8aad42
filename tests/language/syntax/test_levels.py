"""Levels read from what the grammar reads as arithmetic."""

import pytest

from formulajoint.language.syntax.levels import level_of
from formulajoint.language.syntax.nodes import Level
from formulajoint.spec.read import parse


def ref(text):
    (clause,) = parse(f"y ~ x | g, reference(x, ref={text})").clauses
    return clause.call.keyword("ref")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("A", Level("A")),
        ("true", Level("true")),
        ("308", Level("308")),
        ("007", Level("007")),
        ("-1.5", Level("-1.5")),
        ('"School A"', Level("School A", True)),
        ("`School A`", Level("School A", True)),
        ("a1/b1", Level("a1/b1")),
        ("a1:b1", Level("a1:b1")),
        ("a1/b1:c1", Level("a1/b1:c1")),
        ("2020/-1", Level("2020/-1")),
        ('a/"b c"', Level("a/b c", True)),
    ],
)
def test_levels(text, level):
    assert level_of(ref(text)) == level


@pytest.mark.parametrize("text", ["log(x)", "a + b", "a * b", "a^2", "a / (b + c)", "a / (b / c)"])
def test_no_levels(text):
    value = parse(f"y ~ I({text})").predictors.args[0]
    assert level_of(value) is None
