"""``scale=sigma`` in hierarchies: what is in residual sds, and the models that have none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.results.text.describe import coefficient_rows


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    school = np.repeat(list("ABCD"), 6)
    return pd.DataFrame(
        {
            "school": school,
            "test": np.where(np.isin(school, ["A", "B"]), "maths", "English"),
            "year": np.tile([1, 2, 3], 8),
            "x": np.tile([0, 1], 12),
            "s": rng.uniform(1, 2, 24),
            "y": rng.normal(5, 2, 24),
        }
    )


def rows(formula: str) -> dict[str, tuple[str, str]]:
    return {name: (what, law) for name, what, law in coefficient_rows(fj.model(formula, frame()).plan)}


def test_mean_and_sd_are_in_residual_sds_with_the_default_priors_of_a_response_of_sd_one() -> None:
    found = rows("y ~ x | school, hierarchy(x, scale=sigma, centered=true), sigma ~ 1 | school")
    assert found["x"] == (
        "one slope per school, pooled in residual sds by a normal hierarchy, centred",
        "x / sigma ~ normal(x_mean, x_sd)",
    )
    assert found["x_mean"] == ("mean of x over school, in residual sds", "normal(0, 5)")
    assert found["x_sd"] == ("sd of x over school, in residual sds", "half_normal(5)")


def test_an_intercept_is_pooled_about_the_mean_in_sds() -> None:
    y = frame()["y"]
    _, law = rows("y ~ x | school, hierarchy(scale=sigma)")["Intercept_mean"]
    assert law == f"normal({y.mean() / y.std():.4g}, {np.hypot(2.5, 5 * 0.5):.4g})"


def test_scale_none_is_the_hierarchy_in_points() -> None:
    assert rows("y ~ x | school, hierarchy(x, scale=none)") == rows("y ~ x | school, hierarchy(x)")


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ x | school, hierarchy(x, scale=sigma), se(s)", "`se(...)` gives one per row"),
        ("y ~ x | school, hierarchy(x, scale=sigma), sigma ~ x", "sigma has predictors"),
        (
            "y ~ x | school, hierarchy(x, scale=sigma), sigma ~ 1 | year",
            "some school has rows of several years",
        ),
        ("y ~ x | school, hierarchy(sigma, scale=sigma), sigma ~ 1 | school", "another parameter"),
        (
            "y ~ x | school, hierarchy(x), prior(x.sd ~ half_normal(1, scale=sigma))",
            "`x.sd` is another parameter",
        ),
        (
            "y ~ x | school, hierarchy(x), prior(sigma ~ half_normal(1, scale=sigma))",
            "`sigma` is another parameter",
        ),
        (
            "y ~ x | school, hierarchy(x), prior(Intercept ~ constant(1, scale=sigma))",
            "`constant` has no argument `scale`",
        ),
        (
            "y ~ 1 + common(x) | school, hierarchy(Intercept), prior(x ~ normal(0, 1, scale=sigma))",
            "`x` has one for all rows",
        ),
        ("y ~ x | school, hierarchy(Intercept), se(s), prior(x ~ normal(0, 1, scale=sigma))", "`se(...)`"),
    ],
)
def test_models_without_one_residual_sd_a_group_are_refused_with_the_place(
    formula: str, message: str
) -> None:
    with pytest.raises(fj.FormulaError, match="hierarchy") as caught:
        fj.model(formula, frame())
    assert message in str(caught.value)


def test_the_centred_form_is_chosen_from_estimates_in_sds() -> None:
    """Slopes of 1 residual sd each in schools of sds 1, 10, 100: they differ in points, but not in sds."""
    rng = np.random.default_rng(1)
    school, x = np.repeat(list("ABC"), 200), np.tile([0, 1], 300)
    unit = np.repeat([1.0, 10.0, 100.0], 200)
    made = pd.DataFrame({"school": school, "x": x, "y": unit * (x + rng.normal(size=600))})
    in_sds, in_points = (
        fj.model(f"y ~ x | school, hierarchy(x{scale}), sigma ~ 1 | school", made).plan.mean.pooled["x"]
        for scale in (", scale=sigma", "")
    )
    assert in_points.centered
    assert not in_sds.centered


def test_a_prior_in_residual_sds_is_explained_as_written() -> None:
    found = rows("y ~ x | school, sigma ~ 1 | school, prior(x ~ normal(0, 0.5, scale=sigma))")
    assert found["x"] == ("one slope per school, not pooled", "normal(0, 0.5, scale=sigma)")
