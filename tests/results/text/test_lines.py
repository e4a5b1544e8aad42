"""Lines that fit the page."""

from __future__ import annotations

import pytest

from formulajoint.results.text.lines import LEAST, MOST, WIDTH, note_lines, page_width, paragraph, table_lines

HEAD, ROWS = (
    ("name", "what it is"),
    [
        ("treatment", "one slope per school, not pooled"),
        ("x", "-1"),
    ],
)


@pytest.mark.parametrize(("columns", "expected"), [("80", 80), ("10", LEAST), ("500", MOST)])
def test_the_environment_says_how_wide_a_page_is(
    monkeypatch: pytest.MonkeyPatch, columns: str, expected: int
) -> None:
    assert page_width() == WIDTH
    monkeypatch.setenv("COLUMNS", columns)
    assert page_width() == expected


def test_text_is_wrapped_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert paragraph("a" * 30 + " control - app", "    ") == ["a" * 30, "    control - app"]
    assert paragraph("b" * 50) == ["b" * 50], "a word longer than the page is not cut"
    assert note_lines(["one two " * 5]) == ["note: one two one two one two one two", "      one two"]


def test_a_table_that_fits_is_not_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = [("n" * 90, "what " * 8)]
    assert len(table_lines(HEAD, wide)) == 3, "outside a terminal a line has no end"
    monkeypatch.setenv("COLUMNS", "80")
    assert table_lines(HEAD, ROWS) == [
        "name       what it is",
        "---------  --------------------------------",
        "treatment  one slope per school, not pooled",
        "x          -1",
    ]


def test_the_widest_column_of_a_table_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert table_lines(HEAD, ROWS) == [
        "name       what it is",
        "---------  -----------------------------",
        "treatment  one slope per school, not",
        "           pooled",
        "x          -1",
    ]
    long = "w" * 50
    assert table_lines((long, "b"), [("x", "y z")])[0] == f"{long}  b", "no word is cut"
