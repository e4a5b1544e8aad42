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
