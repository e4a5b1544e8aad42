"""Columns and functions of columns in words."""

from __future__ import annotations

import pytest

from formulajoint.spec.read import parse
from formulajoint.spec.words import factors_written, in_words, unit_in_words


@pytest.mark.parametrize(
    ("written", "words", "unit"),
    [
        ("score", "score", "unit of score"),
        ("`reading score`", "reading score", "unit of reading score"),
        ("log(score)", "log(score)", "unit of log(score)"),
        ("standardize(score)", "score (standardised)", "sd of score"),
        ("standardize(log(score))", "log(score) (standardised)", "sd of log(score)"),
        ("center(score)", "score (centred)", "unit of score"),
        ("standardize(score, by=test)", "score (standardised within test)", "sd of score within test"),
        ("I(score / 2)", "score / 2", "unit of score / 2"),
    ],
)
def test_a_factor_in_words(written: str, words: str, unit: str) -> None:
    response = parse(f"{written} ~ x").response
    assert in_words(response) == words
    assert unit_in_words(response) == unit


def test_the_calls_of_a_predictor_are_found_by_their_text() -> None:
    found = factors_written(parse("y ~ C(arm, ref=b):x + standardize( z ) + w").predictors)
    assert {key: in_words(call) for key, call in found.items()} == {
        "C(arm, ref=b)": "arm",
        "standardize(z)": "z (standardised)",
    }
