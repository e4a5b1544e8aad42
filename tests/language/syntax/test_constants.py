"""Numbers written as arithmetic."""

import pytest

from formulajoint.errors import FormulaError
from formulajoint.language.syntax.constants import constant
from formulajoint.spec.read import parse


def value(text):
    return constant(parse(f"y ~ I({text})").predictors.args[0])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10", 10.0),
        ("-2.5", -2.5),
        ("+3", 3.0),
        ("1e-3", 0.001),
        ("1 + 2 - 5", -2.0),
        ("8 / 4 / 2", 1.0),
        ("8 / (4 / 2)", 4.0),
        ("2 * 3 + 4", 10.0),
        ("-2^2", -4.0),
        ("(-2)^2", 4.0),
        ("2^3^2", 512.0),
        ("(2^3)^2", 64.0),
        ("2^-1", 0.5),
        ("1/3", 1 / 3),
    ],
)
def test_arithmetic(text, number):
    assert value(text) == number


@pytest.mark.parametrize("text", ["1/0", "10^400", "1e300 * 1e300", "(-1)^0.5", "9^9^9^9", "1/0 - 1/0"])
def test_what_is_not_finite(text):
    with pytest.raises(FormulaError, match="not a finite number"):
        value(text)


@pytest.mark.parametrize(
    ("text", "culprit"), [("x", "x"), ("2 * x", "x"), ("log(2)", "log(2)"), ("2 > 1", "2 > 1")]
)
def test_what_is_no_number(text, culprit):
    with pytest.raises(FormulaError) as caught:
        value(text)
    error = caught.value
    assert error.message == "a number is expected here"
    assert error.text[error.span.start : error.span.end] == culprit
