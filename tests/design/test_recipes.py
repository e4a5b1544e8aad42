"""Recipes: the columns of a fit again, and of other rows by what was learnt from the fit's."""

import numpy as np
import pytest

import formulajoint as fj
from formulajoint.design.evaluate_numpy import codes_of, columns_of, values_of
from formulajoint.design.frame import read_frame
from formulajoint.design.recipes import Arithmetic, Column, Constant
from formulajoint.design.rows import used_rows

DATA = {
    "y": [1.0, 2, 4, 3, 5, 4, 2, 6],
    "x": [1.0, 2, 3, 4, 6, 8, 7, 9],
    "z": [2, 2, 1, 4, 4, 1, 3, 3],
    "w": [1, 2, 1, 1, 2, 1, 1, 3],
    "arm": list("cabcabca"),
    "dose": [10, 20, 20, 10, 30, 30, 10, 20],
    "on": [True, False, False, True, True, False, False, True],
    "g": list("AAABBBBA"),
    "h": list("qrqrqrrq"),
}
OTHER = {
    "x": [100.0, 0.5],
    "z": [5, 0],
    "arm": ["b", "b"],
    "dose": [30, 30],
    "on": [False, True],
    "g": ["B", "A"],
    "h": ["q", "r"],
}
LANGUAGE = fj.CORE.extend(
    fj.Extension(
        "mine",
        [
            fj.ColumnFunction(
                lambda x, low, *, times=1.0: (x - low) * times, learn=lambda x, w: x.min(), name="low"
            ),
            fj.Operator("%minus%", lambda a, b: a - b),
        ],
    )
)


def design(formula):
    return fj.model(formula, DATA, language=LANGUAGE).design


def rows(data):
    return used_rows(read_frame(data), tuple(data))[0]


def other(written, more=""):
    """Return the columns of the last term in other rows."""
    return columns_of(design(f"y ~ {written}{more}").predictor.terms[-1].recipe, rows(OTHER))


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ 1",
        "y ~ x + z + x:z",
        "log(y) ~ center(log(x)) + standardize(x), weights(w)",
        "y ~ arm * z + on:arm + offset(x) + offset(-2 * z / 3)",
        "y ~ 0 + arm:x + C(dose, coding=helmert)",
        "y ~ on + low(x, times=2) + x %minus% z %minus% 1 + I((1 < x < 7) + (arm != 'a'))",
        "y ~ 1 + common(C(dose, ref=20)) | g/h, sigma ~ 1 + x | g:h",
    ],
)
def test_the_rows_of_the_fit_again_to_the_bit(formula):
    bound, table = design(formula), rows(DATA)
    assert np.array_equal(values_of(bound.response.recipe, table), bound.response.values)
    for predictor in (bound.predictor, *bound.parameters):
        for term in predictor.terms:
            assert np.array_equal(columns_of(term.recipe, table), term.columns)
        if predictor.grouping is not None:
            assert np.array_equal(codes_of(predictor.grouping.recipe, table), predictor.grouping.codes)
        if predictor.offset is not None:
            assert np.array_equal(values_of(predictor.recipe, table), predictor.offset)


@pytest.mark.parametrize(
    ("written", "more", "columns"),
    [
        ("1", "", [[1], [1]]),
        ("x:z", "", [[500], [0]]),
        ("center(x)", "", [[95], [-4.5]]),
        ("center(x)", ", weights(w)", [[100 - 66 / 12], [0.5 - 66 / 12]]),
        ("standardize(z)", "", (np.array([[5], [0]]) - 2.5) / np.std(DATA["z"], ddof=1)),
        ("center(log(x))", "", np.log([[100], [0.5]]) - np.log(DATA["x"]).mean()),
        ("low(x, times=3)", "", [[297], [-1.5]]),
        ("x %minus% z %minus% 1", "", [[94], [-0.5]]),
        ("I((1 < x) - (arm == 'c'))", "", [[1], [0]]),
        ("arm", "", [[1, 0], [1, 0]]),
        ("arm + 0", "", [[0, 1, 0], [0, 1, 0]]),
        ("C(dose, ref=20)", "", [[0, 1], [0, 1]]),
        ("C(dose, coding=helmert)", "", [[0, 2], [0, 2]]),
        ("on", "", [[0], [1]]),
        ("on + arm + on:arm:x", "", [[0, 100, 0, 0, 0, 0], [0, 0, 0, 0, 0.5, 0]]),
    ],
)
def test_other_rows_by_what_was_learnt(written, more, columns):
    found = other(written, more)
    assert found.shape == np.shape(columns)
    assert found == pytest.approx(np.array(columns))


def test_other_rows_may_have_0_and_1_for_booleans():
    recipe = design("y ~ on").predictor.terms[-1].recipe
    expected = columns_of(recipe, rows(OTHER | {"on": [True, False]}))
    for values in ([1, 0], [1.0, 0.0]):
        assert np.array_equal(columns_of(recipe, rows(OTHER | {"on": values})), expected)
    with pytest.raises(fj.DataError, match="`on` is `0`, `2` in rows 0, 1"):
        columns_of(recipe, rows(OTHER | {"on": [2, 0]}))


def test_the_groups_of_other_rows():
    grouping = design("y ~ x | g/h").predictor.grouping
    assert [grouping.labels[code] for code in codes_of(grouping.recipe, rows(OTHER))] == ["B/q", "A/r"]


@pytest.mark.parametrize(
    ("written", "changed", "message"),
    [
        (
            "arm",
            {"arm": ["d", "a"]},
            r"`arm` is `d` in row 0 \(counted from 0\), which it is in no row of the fit. There it is `a`, `b`, `c`",
        ),
        ("C(dose)", {"dose": [0.5, 20]}, "`dose` is `0.5` in row 0"),
        ("x", {"x": ["many", "few"]}, "`x` holds text or categories, and numbers in the rows of the fit"),
        ("log(x)", {"x": [0.0, 1.0]}, r"`log\(x\)` is not a finite number in 1 of the 2 rows"),
    ],
)
def test_other_rows_that_the_fit_knows_nothing_of(written, changed, message):
    recipe = design(f"y ~ {written}").predictor.terms[-1].recipe
    with pytest.raises(fj.DataError, match=message):
        columns_of(recipe, rows(OTHER | changed))


def test_unknown_groups():
    recipe = design("y ~ x | g").predictor.grouping.recipe
    with pytest.raises(fj.DataError, match="`g` is `C` in row 1"):
        codes_of(recipe, rows({"g": ["A", "C"]}))


def test_what_was_learnt_stands_in_the_recipe():
    (recipe,) = design("y ~ center(x + 1)").predictor.terms[-1].recipe.numbers
    assert recipe.text == "center(x + 1)"
    assert recipe.operands == (Arithmetic(("+",), (Column("x"), Constant(1.0)), "x + 1"),)
    assert float(recipe.learnt[0]) == 6.0
