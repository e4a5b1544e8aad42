"""Functions of columns and operators that extensions bring."""

import numpy as np
import pytest

import formulajoint as fj

DATA = {
    "y": [1.0, 2, 4, 3, 5, 4],
    "a": [1.0, 2, 3, 4, 6, 8],
    "b": [2.0, 2, 1, 4, 4, 1],
    "w": [1, 2, 1, 1, 2, 1],
    "g": list("AAABBB"),
}


def above(x, learned, *, times=1.0):
    return (x - learned) * times


LANGUAGE = fj.CORE.extend(
    fj.Extension(
        "mine",
        [
            fj.ColumnFunction(lambda a, b: a / b, name="ratio", domain="Look at the second."),
            fj.ColumnFunction(above, learn=lambda x, weights: np.average(x, weights=weights)),
            fj.ColumnFunction(lambda a: a[:2], name="short"),
            fj.ColumnFunction(lambda a: a.astype(str), name="words"),
            fj.ColumnFunction(lambda a: 2.0, name="two"),
            fj.ColumnFunction(lambda a: a.sort(), name="spoil"),
            fj.Operator("%minus%", lambda a, b: a - b),
            fj.Operator("%first%", lambda a, b: a),
        ],
    )
)
A, B = np.array(DATA["a"]), np.array(DATA["b"])


def term(written, more=""):
    design = fj.model(f"y ~ {written}{more}", DATA, language=LANGUAGE).design
    return design.predictor.terms[1]


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("ratio(a, b)", A / B),
        ("ratio(a + 1, log(b) + 1)", (A + 1) / (np.log(B) + 1)),
        ("above(a)", A - 4),
        ("above(a, times=3)", 3 * (A - 4)),
        ("log(ratio(a, b)) + 0", np.log(A / B)),
        ("a %minus% b", A - B),
        ("I(2 * a %minus% b)", 2 * (A - B)),
        ("a %minus% b %minus% 1", A - B - 1),
        ("a %minus% b %first% b", A - B),
        ("(a + b) %minus% 2", A + B - 2),
    ],
)
def test_values(written, values):
    design = fj.model(f"y ~ {written}", DATA, language=LANGUAGE).design
    assert design.predictor.terms[-1].columns[:, 0] == pytest.approx(values)


def test_what_is_learned_counts_rows_by_their_weights():
    expected = A - np.average(A, weights=DATA["w"])
    assert term("above(a)", ", weights(w)").columns[:, 0] == pytest.approx(expected)


def test_a_response_may_be_a_function():
    design = fj.model("ratio(y, 2) ~ a", DATA, language=LANGUAGE).design
    assert design.response.values == pytest.approx(np.array(DATA["y"]) / 2)


def test_terms_are_named_and_referred_to():
    model = fj.model(
        "y ~ ratio(a, b) + a %minus% b | g, joint(I(a %minus% b)), joint(ratio(a, b))",
        DATA,
        language=LANGUAGE,
    )
    assert [c.name for c in model.plan.contrasts] == ["joint_I(a %minus% b)", "joint_ratio(a, b)"]
    assert str(model.formula).startswith("y ~ ratio(a, b) + a %minus% b | g")


@pytest.mark.parametrize(
    ("written", "error", "message"),
    [
        (
            "ratio(a, b - 2)",
            fj.DataError,
            r"is not a finite number in 2 of the 6 rows used. Look at the second.",
        ),
        (
            "short(a)",
            fj.ExtensionError,
            r"`short` of extension `\w+` must return one number for each of the 6 rows, not shape \(2,\)",
        ),
        ("words(a)", fj.ExtensionError, r"`words` of extension `\w+` must return one number for each"),
        ("ratio(a)", fj.FormulaError, "`ratio` needs `b`"),
        ("ratio", fj.FormulaError, r"`ratio` is a function of columns: write `ratio\(x, x\)`"),
        ("ratio(a, b, y)", fj.FormulaError, "`ratio` takes 2 arguments, and got 3"),
        ("ratio(a, g)", fj.FormulaError, "arithmetic needs numbers, but column `g`"),
        ("two(a)", fj.DataError, "does not vary|no variation|is 2 in all"),
        ("a %plus% b", fj.FormulaError, "the operator `%plus%` is not known"),
        ("a:b %minus% b", fj.FormulaError, "no meaning in arithmetic"),
    ],
)
def test_refusals(written, error, message):
    with pytest.raises(error, match=message):
        fj.model(f"y ~ {written}", DATA, language=LANGUAGE)


def test_a_function_cannot_change_the_data():
    with pytest.raises(fj.ExtensionError, match="read-only"):
        fj.model("y ~ spoil(a)", DATA, language=LANGUAGE)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fj.ColumnFunction(lambda: 1, name="none"), "`none` takes no column"),
        (lambda: fj.ColumnFunction(lambda learned: 1, learn=len, name="none"), "`none` takes no column"),
        (lambda: fj.Operator("%one%", lambda a: a), "needs a function of two columns"),
        (lambda: fj.Operator("%more%", lambda a, b, *, c=1.0: a), "needs a function of two columns"),
    ],
)
def test_functions_take_columns(make, message):
    with pytest.raises(fj.ExtensionError, match=message):
        make()
