"""Which flat priors are refused with families other than the Gaussian, and what is said of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

X = np.tile([-2.0, -1.0, 1.0, 2.0], 3)
DATA = pd.DataFrame(
    {"x": X, "g": list("AAAABBBBCCCC"), "y": np.tile([0, 1, 0, 1], 3), "c": np.tile([0, 1, 0, 4], 3)}
)
DATA["w"] = (np.arange(12) == 3).astype(float)


def planned(formula: str, **columns: Any) -> fj.JointModel:
    return fj.model(formula, DATA.assign(**columns), priors="flat")


def refused(formula: str, **columns: Any) -> str:
    with pytest.raises(fj.DataError) as error:
        planned(formula, **columns)
    return str(error.value)


def test_a_group_whose_events_are_separated_is_named() -> None:
    apart = np.where(DATA["g"] == "B", X > 0, DATA["y"]).astype(int)
    assert refused("y ~ x | g, family(bernoulli)", y=apart) == (
        "In g B `x` separates the events from the others, wholly or in part: with flat priors its coefficient has no posterior. "
        "Use the default priors, or pool with `hierarchy()`, or leave out `B`."
    )
    alike = np.where(DATA["g"] == "C", 1, apart)
    assert "1 other group has none, either." in refused("y ~ x | g, family(bernoulli)", y=alike)
    said = refused("y ~ 1 | g, family(bernoulli)", y=alike)
    assert (
        "In g C all responses are `1`, so nothing in the data bounds `Intercept` from above: with a flat"
        in said
    )
    assert "leave out `C`" in said
    assert (
        "In g B `x`, `z` together separate the events from the others, wholly or in part: with flat priors their"
        in refused(
            "y ~ x + z | g, family(bernoulli)",
            x=np.tile([1.0, 0.0, 3.0, 2.0], 3),
            z=np.tile([0.0, 1.0, 2.0, 3.0], 3),
            y=[1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1],
        )
    )


def test_groups_that_are_pooled_may_be_separated() -> None:
    apart = np.where(DATA["g"] == "B", X > 0, DATA["y"]).astype(int)
    for pooled in ("y ~ x | g, hierarchy()", "y ~ x + (1 + x | g)", "y ~ x"):
        planned(f"{pooled}, family(bernoulli)", y=apart)
    assert "those of `Intercept` and `x`" not in refused(
        "y ~ x | g, hierarchy(x), family(bernoulli)", y=(X > 0).astype(int)
    )


def test_shared_coefficients() -> None:
    planned("y ~ 1 + common(x) | g, family(bernoulli)")
    assert refused("y ~ 1 + common(w) | g, family(bernoulli)") == (
        "`w` separates the events from the others, wholly or in part: with flat priors its coefficient has no "
        "posterior. Use the default priors, or leave a column out."
    )
    assert "`x` separates the events from the others, wholly or in part: with" in refused(
        "y ~ x, family(bernoulli)", y=(X > 0).astype(int)
    )
    assert "`x` separates the successes from the failures, wholly or in part: with" in refused(
        "cbind(y, 3 - y) ~ x, family(binomial)", y=3 * (X > 0)
    )
    assert (
        "In g B all shares of successes are 0, so nothing in the data bounds `Intercept` from below: with"
        in refused("cbind(y, 3 - y) ~ 1 | g, family(binomial)", y=np.where(DATA["g"] == "B", 0, 2))
    )
    assert "`v` can be written as a combination" in refused(
        "y ~ 1 + common(x + v) | g, family(bernoulli)", v=2 * X
    )


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_counts_of_zero_bound_coefficients_on_one_side_only(family: str) -> None:
    planned(f"c ~ x | g, family({family})")
    zeros = np.where(DATA["g"] == "A", 0, DATA["c"])
    none = "In g A all counts are 0, so nothing in the data bounds `Intercept` from below: with a flat prior there is no posterior."
    assert refused(f"c ~ 1 | g, family({family})", c=zeros).startswith(none)
    assert none[2:] in refused(f"c ~ x | g, family({family})", c=zeros)
    assert (
        "In g A too few counts are above 0 to bound `Intercept`, `x` together: with flat priors there"
        in refused(f"c ~ x | g, family({family})", c=np.where(X == 2, DATA["c"], zeros * 0))
    )


def test_amounts_need_no_more_than_columns_that_differ() -> None:
    amount = np.linspace(1, 2, 12)
    planned("y ~ x | g, family(gamma)", y=amount)
    assert "g D has only 1 row" in refused("y ~ x | g, family(gamma)", y=amount, g=list("AAAABBBBCCCD"))


def test_zeros_say_nothing_where_they_may_be_further_zeros() -> None:
    few = np.where(np.isin(np.arange(12), [1, 3, 5, 9, 11]), DATA["c"] + 1, 0)
    planned("c ~ 1 | g, family(zero_inflated_poisson)", c=few)
    planned("c ~ 1 | g, family(poisson)", c=few)
    assert "In g B too few counts are above 0" in refused("c ~ x | g, family(zero_inflated_poisson)", c=few)


def test_tails_of_other_priors() -> None:
    """An intercept that grows with the sd of a hierarchy, whose prior must have its moments."""
    alike = np.repeat([0, 1, 0], 4)
    planned("y ~ 1 | g, hierarchy(), family(bernoulli)", y=alike)
    planned("y ~ 1 | g, hierarchy(), prior(Intercept.sd ~ half_student_t(4, 1)), family(bernoulli)", y=alike)
    said = refused("y ~ 1 | g, hierarchy(), prior(Intercept.sd ~ half_cauchy(1)), family(bernoulli)", y=alike)
    assert "only if the prior of `Intercept_sd` has lighter tails" in said
    assert "prior of `Intercept`" in refused("y ~ 1 | g, hierarchy(dist=cauchy), family(bernoulli)", y=alike)
    assert "prior of `shape`" in refused(
        "c ~ x, family(negative_binomial), prior(shape ~ half_normal(1))", c=[0] * 11 + [3]
    )
    planned(
        "c ~ 1 | g, hierarchy(), prior(Intercept.sd ~ half_cauchy(1)), family(poisson)"
    )  # counts above zero


def test_thresholds_beside_flat_coefficients_need_moments() -> None:
    levels = np.resize(list("abcab"), 12)
    planned("r ~ x, family(cumulative)", r=levels)
    planned("r ~ x, family(cumulative), prior(threshold ~ student_t(4, 0, 1))", r=levels)
    said = refused("r ~ x, family(cumulative), prior(threshold ~ cauchy(0, 1))", r=levels)
    assert "prior of `threshold` has lighter tails" in said
    assert "The responses do not bound `x`: with a flat prior there is no posterior." in refused(
        "r ~ x, family(cumulative)", r=np.where(X > 0, "b", "a")
    )


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("a ~ x, family(inverse_gaussian)", "of the family `inverse_gaussian` would exist. Use"),
        ("c ~ x, family(poisson, link=sqrt)", "of the family `poisson` would exist with the sqrt link"),
        ("a ~ x, family(lognormal), prior(sigma ~ flat())", "of the family `lognormal` would exist. Use"),
    ],
)
def test_where_nothing_is_known(formula: str, why: str) -> None:
    assert why in refused(formula, a=np.linspace(1, 2, 12))


def test_rows_without_weight_do_not_count() -> None:
    weights = np.where((DATA["g"] == "B") & (DATA["y"] == 1), 0.0, 1.0)
    planned("y ~ 1 | g, family(bernoulli)", u=weights)
    assert "In g B all responses are `0`" in refused("y ~ 1 | g, family(bernoulli), weights(u)", u=weights)


def test_the_level_that_is_separated_is_named() -> None:
    for level in ("A", "B"):
        y = np.where(DATA["g"] == level, 1, DATA["y"])
        assert f"`g[{level}]` separates the events from the others" in refused(
            "y ~ g, family(bernoulli)", y=y
        )
