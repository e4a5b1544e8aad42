"""Every wrong formula of tests/cases: where the carets stand, what the error says, and what it advises."""

from pathlib import Path

import pytest

from formulajoint.errors import FormulaError
from formulajoint.spec.read import parse, parse_clause, parse_hypotheses

CASES = Path(__file__).parents[1] / "cases" / "bad_formulas.txt"
READERS = {"[formula]": parse, "[clause]": parse_clause, "[hypotheses]": parse_hypotheses}


def bad_formulas():
    cases, reader = [], parse
    for block in CASES.read_text(encoding="utf-8").rstrip("\n").split("\n\n"):
        if block in READERS:
            reader = READERS[block]
        elif not block.startswith("#"):
            text, carets, message, *hint = block.split("\n")
            cases.append(pytest.param(reader, text, carets, message, "".join(hint), id=text))
    return cases


BAD = bad_formulas()


def test_there_are_many():
    assert len(BAD) >= 120


@pytest.mark.parametrize(("reader", "text", "carets", "message", "hint"), BAD)
def test_error(reader, text, carets, message, hint):
    with pytest.raises(FormulaError) as caught:
        reader(text)
    error = caught.value
    assert error.text == text
    assert " " * error.span.start + "^" * (error.span.end - error.span.start) == carets
    assert error.message == message
    assert error.hint == hint


@pytest.mark.parametrize(("reader", "text", "carets", "message", "hint"), BAD)
def test_the_whole_error_shows_the_place(reader, text, carets, message, hint):
    with pytest.raises(FormulaError) as caught:
        reader(text)
    lines = str(caught.value).splitlines()
    assert lines[0] == message
    assert lines[2] == f"    {text}"
    assert lines[3] == f"    {carets}"
    assert lines[4:] == (["", hint] if hint else [])
