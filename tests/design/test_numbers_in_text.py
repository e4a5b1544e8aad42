"""Numbers in texts of every make; what is no number."""

from __future__ import annotations

import pytest

from formulajoint.design.numbers_in_text import is_marked, number_in, numbers_in

NUMBERS = {
    "0.53": 0.53,
    "-2": -2.0,
    " 7 ": 7.0,
    "1e3": 1000.0,
    ".5": 0.5,
    "0,53": 0.53,
    "-1,5": -1.5,
    "\u22121,5": -1.5,
    ",5": 0.5,
    "12,3456": 12.3456,
    "1,000": 1000.0,
    "12,345,678.9": 12345678.9,
    "1.234.567": 1234567.0,
    "1.000,5": 1000.5,
    "1 000": 1000.0,
    "1\u202f000,5": 1000.5,
    "1'000.5": 1000.5,
    "12 %": 12.0,
    "$1,200": 1200.0,
    "5,20 \u20ac": 5.2,
    "a": None,
    "": None,
    ".": None,
    ",": None,
    "nan": None,
    "inf": None,
    "1_000": None,
    "1,2,3": None,
    "10 to 20": None,
    "2020-01-01": None,
    "1:2": None,
}


@pytest.mark.parametrize("text", NUMBERS)
def test_number(text: str) -> None:
    assert number_in(text) == NUMBERS[text]


def test_all_or_none() -> None:
    assert numbers_in(["1", "2,5"]) == [1.0, 2.5]
    assert numbers_in(["1", "b"]) is None


def test_marks_of_measured_numbers() -> None:
    assert [is_marked(text) for text in ("10", " 0.5 ", "007", "0,5", "1,000", "3 %")] == [False] * 3 + [
        True
    ] * 3
