"""What the coefficients of a factor compare: checked by the means of levels that they come from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.design.coding import CODINGS, full, treatment
from formulajoint.design.comparisons import comparisons, named

LEVELS = ("app", "control", "tutor")


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        ("treatment", ("control - app", "tutor - app")),
        ("sum", ("app - mean", "control - mean")),
        ("helmert", ("(control - app) / 2", "(tutor - mean(app, control)) / 3")),
        ("poly", ("linear", "quadratic")),
    ],
)
def test_a_coefficient_is_what_its_name_says(coding: str, expected: tuple[str, ...]) -> None:
    matrix, labels = CODINGS[coding](LEVELS)
    assert comparisons(labels, LEVELS, matrix) == expected
    # Read as arithmetic, the name gives the coefficients of least squares from any means of the levels.
    means = dict(zip(LEVELS, (3.0, 10.0, -2.0), strict=True))
    _, *fitted = np.linalg.solve(np.column_stack([np.ones(3), matrix]), list(means.values()))
    if coding != "poly":
        values = {
            "control - app": 7.0,
            "tutor - app": -5.0,
            "app - mean": 3.0 - 11 / 3,
            "control - mean": 10.0 - 11 / 3,
            "(control - app) / 2": 3.5,
            "(tutor - mean(app, control)) / 3": (-2.0 - 6.5) / 3,
        }
        assert fitted == pytest.approx([values[name] for name in expected])


def test_another_reference_and_levels_that_could_be_misread() -> None:
    levels = ("-1", "a - b", "c")
    matrix, labels = treatment(levels, 1)
    assert comparisons(labels, levels, matrix) == ("(-1) - (a - b)", "c - (a - b)")
    assert named("a-b") == "a-b"


def test_one_coefficient_for_each_level_compares_nothing() -> None:
    matrix, labels = full(LEVELS)
    assert comparisons(labels, LEVELS, matrix) == LEVELS
    assert comparisons(("a:x", "b:x"), (), None) == ("a:x", "b:x")


def test_comparisons_are_shown_and_levels_are_written() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"y": rng.normal(size=60), "g": np.repeat(["A", "B"], 30), "arm": [*LEVELS] * 20})
    fit = fj.fit("y ~ C(arm, ref=tutor) | g, joint()", frame, seed=1, draws=100)
    shown = ["[app - tutor]", "[control - tutor]"]
    assert list(fit.contrasts().index) == [f"joint_C(arm, ref=tutor){each}" for each in shown]
    assert "2 coefficients (app - tutor, control - tutor) per g" in fit.model.explain()
    assert "joint effect of arm, control - tutor" in str(fit)
    assert next(iter(fit.bands().index)) == "C(arm, ref=tutor)[A, app - tutor]"
    written = fit.contrast("contrast(C(arm, ref=tutor)[A, control] - C(arm, ref=tutor)[B, control])")
    rows = fit.summary()["mean"]
    difference = [rows[f"C(arm, ref=tutor)[{group}, control - tutor]"] for group in "AB"]
    assert written["mean"].iloc[0] == pytest.approx(difference[0] - difference[1])
    assert fit.posterior["C(arm, ref=tutor)"].coords["arm_dim"].values.tolist() == ["app", "control"]
