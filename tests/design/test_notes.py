"""Notes on how the data were read, in the text of a model and of a fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

RNG = np.random.default_rng(3)
STUDIES = pd.DataFrame(
    {
        "study": list("ABCDE"),
        "y": [0.1, 0.5, 0.2, 0.9, 0.4],
        "s": [0.1, 0.2, 0.1, 0.3, 0.15],
        "n": [400, 50, 300, 20, 90],
    }
)


def notes(formula: str, data: Any) -> str:
    """Return the text of a model on one line."""
    return " ".join(fj.model(formula, data).explain().split())


@pytest.mark.parametrize("word", ["n", "equal", "precision"])
def test_word_beside_a_column(word: str) -> None:
    data = STUDIES.rename(columns={"n": word})
    formula = "y ~ 1 | study, se(s), joint(Intercept, weights={})"
    said = f"The data have a column {word}, too: write weights=`{word}`, with backticks"
    assert said in notes(formula.format(word), data)
    assert said not in notes(formula.format(word), data.rename(columns={word: "other"}))
    by_column = notes(formula.format(f"`{word}`"), data)
    assert said not in by_column
    assert "A 0.465" in by_column  # 400 of 860


def test_word_in_dirichlet_and_over_levels() -> None:
    said = "write weights=`n`"
    data = pd.DataFrame(
        {"y": RNG.normal(size=12), "arm": list("abc") * 4, "g": ["u", "v"] * 6, "n": range(12)}
    )
    assert said in notes("y ~ 1 | g, joint(Intercept, weights=dirichlet(n))", data)
    assert said in notes("y ~ arm, meandev(arm, weights=n)", data)
    assert said not in notes("y ~ 1 | g, joint(Intercept)", data)
    assert said not in notes("y ~ 1 | g, joint(Intercept, weights=sum(n))", data)


def test_word_after_the_fit_warns() -> None:
    fit = fj.fit("y ~ 1 | study, se(s)", STUDIES, seed=1, draws=50)
    with pytest.warns(fj.FormulaJointWarning, match="weights=n counts the rows"):
        fit.contrast("joint(Intercept, weights=n)")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit.contrast("joint(Intercept, weights=`n`)")
        fit.contrast("joint(Intercept)")


def test_note_of_a_loaded_fit(tmp_path: Any) -> None:
    fit = fj.fit("y ~ 1 | study, se(s), joint(Intercept, weights=n)", STUDIES, seed=1, draws=50)
    fit.save(tmp_path / "a.nc")
    assert str(fj.load(tmp_path / "a.nc")) == str(fit)
    assert "write weights=`n`" in " ".join(str(fit).split())


X = RNG.normal(size=40).round(2)
MEASURED = {
    "points": [str(value) for value in X],
    "decimal commas": [str(value).replace(".", ",") for value in X],
    "thousands": [f"{value:,.0f}" for value in 1000 + 5000 * abs(X)],
    "percent": [f"{value} %" for value in abs(X)],
}


@pytest.mark.parametrize("written", MEASURED)
@pytest.mark.parametrize(
    "formula", ["y ~ {}", "y ~ C({})", "y ~ 1 | {}", "y ~ z + z:{}", "{} ~ z", "y ~ log({})"]
)
def test_measured_column_as_text_is_refused(written: str, formula: str) -> None:
    data = {"y": X, "z": np.arange(40.0), "x": MEASURED[written]}
    with pytest.raises(
        fj.FormulaJointError, match=r"numbers written as text, such as `.*`: make the column numeric"
    ):
        fj.model(formula.format("x"), data)


def test_numbers_as_levels() -> None:
    data = {
        "y": RNG.normal(size=120),
        "code": [str(i % 12) for i in range(120)],
        "dose": ["0.5", "1", "2"] * 40,
    }
    assert "code is text, so it is a factor of 12 levels" in notes("y ~ code", data)
    assert "such as `0.5`" in notes("y ~ dose", data)
    for silent in ("y ~ C(code)", "y ~ C(dose)", "y ~ 1 | code"):
        assert "is text" not in notes(silent, data)
    for plain in (
        {"code": [str(i % 9) for i in range(120)]},
        {"code": pd.Series(data["code"], dtype="category")},
    ):
        assert "is text" not in notes("y ~ code", {**data, **plain})


# --- levels of which no row is left

LOST = pd.DataFrame(
    {
        "y": RNG.normal(size=30),
        "x": RNG.normal(size=30),
        "g": list("abc") * 10,
        "h": list("uv") * 15,
        "w": [1.0] * 30,
    }
)


def without(column: str, chosen: Any, value: float = np.nan) -> pd.DataFrame:
    data = LOST.copy()
    data.loc[chosen, column] = value
    return data


@pytest.mark.parametrize(
    ("formula", "data", "said"),
    [
        (
            "y ~ x | g",
            without("y", LOST.g == "c"),
            "g has no `c`: dropped, as each of its rows misses a value.",
        ),
        ("y ~ g", without("y", LOST.g == "c"), "g has no `c`: dropped"),
        ("y ~ x + C(g, ref=b)", without("x", LOST.g != "b"), None),
        ("y ~ x | g/h", without("x", (LOST.g == "a") & (LOST.h == "v")), "g:h has no `a/v`: dropped"),
        ("y ~ x | g, weights(w)", without("w", LOST.g == "a", 0), "misses a value or has weight zero."),
        ("y ~ x | g, sigma ~ 1 | h", without("x", LOST.h == "u"), "h has no `u`: dropped"),
    ],
)
def test_lost_levels(formula: str, data: pd.DataFrame, said: str | None) -> None:
    if said is None:
        with pytest.raises(fj.DataError, match="one level"):
            fj.model(formula, data)
    else:
        assert said in notes(formula, data)
        assert "dropped" not in notes(formula, LOST)


def test_lost_level_that_is_asked_for(tmp_path: Any) -> None:
    fit = fj.fit("y ~ x | g", without("y", LOST.g == "c"), seed=1, draws=50)
    fit.save(tmp_path / "fit.nc")
    for same in (fit, fj.load(tmp_path / "fit.nc")):
        with pytest.raises(
            fj.FormulaError, match="this fit has no row of g `c`: all of its rows were dropped"
        ):
            same.test("x[a] == x[c]")
        with pytest.raises(
            fj.FormulaError, match="this fit has no row of g `c`: all of its rows were dropped"
        ):
            same.contrast("contrast(x[a] - x[c])")
        with pytest.raises(fj.FormulaError, match="has no level `d`"):
            same.test("x[a] == x[d]")


@pytest.mark.parametrize("index", ["g", ["g", "h"]])
def test_column_in_the_index(index: Any) -> None:
    with pytest.raises(
        fj.FormulaError, match=r"`g` is in the index of the data frame: `data.reset_index\(\)`"
    ):
        fj.model("y ~ x | g", LOST.set_index(index))


@pytest.mark.parametrize(
    ("data", "hint"),
    [("y ~ x", "The formula comes first"), ("data.csv", "There is no file data.csv"), (3, "not an int")],
)
def test_data_of_another_kind(data: Any, hint: str) -> None:
    with pytest.raises(fj.DataError, match=hint):
        fj.model("y ~ x", data)


SCORES = pd.DataFrame(
    {"y": RNG.normal(50, 10, 40).round(1), "x": RNG.integers(0, 2, 40), "g": ["A", "B"] * 20}
)


@pytest.mark.parametrize("code", [-99, 999, -9])
@pytest.mark.parametrize("name", ["y", "x"])
def test_a_code_for_missing_values(name: str, code: int) -> None:
    data = SCORES.assign(**{name: SCORES[name].where(SCORES.index > 2, code)})
    low, high = (f"{end:.4g}" for end in (SCORES[name][3:].min(), SCORES[name][3:].max()))
    said = f"{name} is {code} in 3 of 40 rows, and {low} to {high} in the others: if {code} stands for a missing value"
    assert said in notes("y ~ x | g", data)
    assert said in notes("center(y, by=g) ~ x:g", data)
    assert "stands for a missing value" not in notes("y ~ x | g", SCORES)


def test_a_code_among_other_values_or_labels_is_none() -> None:
    near = SCORES.assign(z=np.linspace(-99, 99, 40))
    groups = SCORES.assign(g=[1, 999] * 20)
    for formula, data in (("y ~ x + z | g", near), ("y ~ x | g", groups)):
        assert "stands for a missing value" not in notes(formula, data)
