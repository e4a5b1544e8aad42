"""Default priors against the table of ``docs/statistics.md``, with numbers that can be checked by hand."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pandas as pd
import pytest

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.bind import bind
from formulajoint.distributions.prior import prior
from formulajoint.spec.read import parse

# y has mean 5 and sd 2 (sum of squares 36 over 9), x mean 10 and sd 4.
STEP = np.array([-1.0, 1, -1, 1, -1, 1, -1, 1, 0, 0]) * sqrt(9 / 8)
FRAME = pd.DataFrame(
    {
        "y": 5 + 2 * STEP,
        "x": 10 + 4 * STEP[::-1],
        "year": 2000 + 4 * STEP[::-1],
        "treated": [0, 1, 0, 1, 1, 0, 1, 0, 0, 1],
        "rare": [0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        "flag": [True] + [False] * 9,
        "arm": list("aaabbbbbbc"),
        "o": [1.0] * 5 + [-1.0] * 5,
        "w": [1, 2, 3, 1, 1, 1, 2, 1, 1, 1],
        "school": ["A"] * 3 + ["B"] * 7,
    }
)


def priors(formula, frame=FRAME, **options):
    plan = make_plan(bind(parse(formula), frame), **options)
    return {name: (found.distribution.name, *found.numbers) for name, found in plan.priors}


def approx(law, *numbers):
    return (law, *(pytest.approx(number, rel=1e-12) for number in numbers))


def test_the_frame_is_what_it_says():
    assert FRAME["y"].mean() == pytest.approx(5)
    assert FRAME["y"].std() == pytest.approx(2)
    assert FRAME["x"].std() == pytest.approx(4)


def test_slope_intercept_and_sigma():
    """Slope Normal(0, 2.5 s_y / s_x) = 2.5 x 2 / 4; intercept Normal(mean(y), S0), S0^2 = 5^2 + (1.25 x 10)^2."""
    assert priors("y ~ x | school") == {
        "Intercept": approx("normal", 5, sqrt(25 + 12.5**2)),
        "x": approx("normal", 0, 1.25),
        "sigma": approx("half_student_t", 4, 2),
    }


@pytest.mark.parametrize("formula", ["y ~ x", "y ~ x | school", "y ~ common(x) | school"])
def test_the_same_whoever_shares_the_coefficient(formula):
    assert priors(formula)["x"] == approx("normal", 0, 1.25)


def test_an_intercept_alone():
    assert priors("y ~ 1 | school") == {
        "Intercept": approx("normal", 5, 5),
        "sigma": approx("half_student_t", 4, 2),
    }


@pytest.mark.parametrize("column", ["treated", "rare", "flag"])
def test_zero_one_columns_count_as_half(column):
    """s_x is half the distance of 0 and 1, whatever the share of ones, so that rare levels are not wider: 2.5 x 2 / (1/2) = 10."""
    found = priors(f"y ~ {column} | school")
    assert found[column] == approx("normal", 0, 10)
    assert found["Intercept"] == approx("normal", 5, sqrt(25 + (10 * FRAME[column].mean()) ** 2))


@pytest.mark.parametrize(
    ("values", "distance"),
    [((1, 2), 1), ((0, 100), 100), ((-1, 1), 2), ((-0.5, 0.5), 1), ((7.25, 7.5), 0.25)],
)
@pytest.mark.parametrize("column", ["treated", "rare"])
def test_two_values_count_as_half_their_distance(column, values, distance):
    """Normal(0, 2.5 s_y / (d / 2)): the difference between the two has sd 5 s_y = 10 whatever their codes."""
    coded = np.where(FRAME[column] == 1, max(values), min(values))
    frame = FRAME.assign(code=coded)
    assert priors("y ~ code | school", frame)["code"] == approx("normal", 0, 10 / distance)
    assert priors("y ~ code | school, weights(w)", frame)["code"] == approx(
        "normal", 0, priors("y ~ rare | school, weights(w)")["rare"][2] / distance
    )
    assert priors("y ~ code | school, hierarchy()", frame)["code_sd"] == approx("half_normal", 10 / distance)
    for same in ("center(code)", "I(code + 3)"):
        assert priors(f"y ~ {same} | school", frame)[same] == approx("normal", 0, 10 / distance)


def test_products_of_two_values_have_the_product_of_their_distances():
    """The difference of differences is the same number for 0/1, and has the same prior: 10 / (2 x 100)."""
    frame = FRAME.assign(a=2 * FRAME["treated"] - 1, b=100.0 * FRAME["flag"])
    assert priors("y ~ a:b", frame)["a:b"] == approx("normal", 0, 10 / 200)
    assert priors("y ~ treated:flag")["treated:flag"] == approx("normal", 0, 10)
    assert priors("y ~ a + a:arm", frame)["a:arm"] == approx("normal", 0, 10 / 2)


def test_three_values_have_an_sd():
    frame = FRAME.assign(code=[0, 1, 2, 0, 1, 2, 0, 1, 2, 0])
    assert priors("y ~ code", frame)["code"] == approx("normal", 0, 5 / frame["code"].std())


@pytest.mark.parametrize(
    ("coding", "determinant"), [("treatment", 1), ("sum", 3), ("helmert", 6), ("poly", sqrt(3))]
)
def test_a_coding_of_three_levels_counts_as_half_the_distance_of_its_levels(coding, determinant):
    """So that the differences of the levels have one joint density at zero: sd^2 x determinant is 10^2 in each."""
    name = f"C(arm, coding={coding})"
    law, mean, sd = priors(f"y ~ {name}")[name]
    assert (law, mean) == ("normal", 0)
    assert np.ravel(sd) ** 2 * determinant == pytest.approx(100)


def test_levels_of_a_factor_count_as_half():
    found = priors("y ~ arm | school")
    assert found["arm"] == approx("normal", 0, 10)
    assert found["Intercept"] == approx("normal", 5, sqrt(25 + (10 * 0.6) ** 2 + (10 * 0.1) ** 2))


def test_a_column_far_from_zero_widens_the_intercept():
    """The intercept is at x = 0: (1.25 x 2000)^2 more."""
    assert priors("y ~ year | school")["Intercept"] == approx("normal", 5, sqrt(25 + 2500**2))
    assert priors("y ~ center(year) | school")["Intercept"] == approx("normal", 5, 5)
    both = priors("y ~ year + common(x) + treated | school")["Intercept"]
    assert both == approx("normal", 5, sqrt(25 + 2500**2 + 12.5**2 + (10 * 0.5) ** 2))


def test_no_prior_knows_the_groups():
    """One scale for all groups: swapping rows between groups changes nothing."""
    other = FRAME.assign(school=["B"] * 9 + ["A"])
    assert priors("y ~ x + arm | school") == priors("y ~ x + arm | school", other)


def test_a_full_rank_factor_takes_the_place_of_the_intercept():
    """In `y ~ 0 + arm + x` the coefficient of an arm is its own level, at x = 0."""
    found = priors("y ~ 0 + arm + x | school")
    assert found["arm"] == approx("normal", 5, sqrt(25 + 12.5**2))
    assert found["x"] == approx("normal", 0, 1.25)
    pooled = priors("y ~ 0 + arm | school, hierarchy()")
    assert pooled["arm_mean"] == approx("normal", 5, 5)
    assert pooled["arm_sd"] == approx("half_normal", 5)


def test_without_intercept_or_factor_no_coefficient_is_a_level():
    assert priors("y ~ 0 + x | school")["x"] == approx("normal", 0, 1.25)
    assert priors("y ~ 0 + treated | school")["treated"] == approx("normal", 0, 10)
    assert priors("y ~ 0 + treated:arm | school")["treated:arm"] == approx(
        "normal", 0, 10
    )  # 0 where treated is


def test_a_shared_intercept_is_one():
    assert priors("y ~ 0 + common(1) + x | school")["Intercept"] == approx("normal", 5, sqrt(25 + 12.5**2))


def test_an_interaction_is_a_column_like_any_other():
    column = FRAME["treated"] * FRAME["x"]
    found = priors("y ~ treated:x | school")
    assert found["treated:x"] == approx("normal", 0, 5 / column.std())
    assert found["Intercept"] == approx("normal", 5, sqrt(25 + (5 / column.std() * column.mean()) ** 2))


def test_hierarchies():
    """The mean as the slope or intercept, the sd HalfNormal(2.5 s_y / s_x), of the intercept HalfNormal(S0)."""
    s0 = sqrt(25 + 12.5**2)
    assert priors("y ~ x | school, hierarchy()") == {
        "Intercept_mean": approx("normal", 5, s0),
        "Intercept_sd": approx("half_normal", s0),
        "x_mean": approx("normal", 0, 1.25),
        "x_sd": approx("half_normal", 1.25),
        "school_cor": approx("lkj", 2),
        "sigma": approx("half_student_t", 4, 2),
    }


def test_further_parameters():
    """On the log scale: intercept Normal(0, 1) around the default, slope Normal(0, 1 / s_x)."""
    found = priors("y ~ x | school, sigma ~ x + treated, family(student), nu ~ x")
    assert found["sigma_Intercept"] == approx("normal", log(2), 1)
    assert found["sigma_x"] == approx("normal", 0, 1 / 4)
    assert found["sigma_treated"] == approx("normal", 0, 2)
    assert found["nu_Intercept"] == approx("normal", log(20), 1)
    assert found["nu_x"] == approx("normal", 0, 1 / 4)


def test_pooled_sigma():
    found = priors("y ~ x | school, sigma ~ 1 | school, hierarchy(sigma)")
    within = np.sqrt(FRAME.groupby("school")["y"].apply(lambda y: ((y - y.mean()) ** 2).sum()).sum() / 8)
    assert found["sigma_mean"] == approx("half_student_t", 4, within)
    assert found["sigma_sd"] == approx("half_normal", 1)
    found = priors("y ~ x | school, sigma ~ x | school, hierarchy(sigma)")
    assert found["sigma_Intercept_sd"] == approx("half_normal", 1)
    assert found["sigma_x_sd"] == approx("half_normal", 1 / 4)


def test_nu():
    assert priors("y ~ x | school, family(student)")["nu"] == approx("gamma", 2, 0.1)


def test_the_offset_is_taken_off_first():
    y = FRAME["y"] - FRAME["o"]
    found = priors("y ~ x + offset(o) | school")
    s0 = sqrt((2.5 * y.std()) ** 2 + (2.5 * y.std() / 4 * 10) ** 2)
    assert found["Intercept"] == approx("normal", y.mean(), s0)
    assert found["sigma"] == approx("half_student_t", 4, y.std())


def test_row_weights_are_repeated_rows():
    rows = FRAME.loc[np.repeat(FRAME.index, FRAME["w"])].drop(columns="w")
    formula = "y ~ x + treated + arm | school, hierarchy(x), sigma ~ x"
    once, repeated = priors(f"{formula}, weights(w)"), priors(formula, rows)
    assert once.keys() == repeated.keys()
    for name, found in once.items():
        assert found == approx(*repeated[name])
    assert priors(formula)["x_mean"] != approx(*once["x_mean"])


def test_different_columns_of_a_term_have_their_own_scales():
    found = priors("y ~ arm:x | school")["arm:x"]
    columns = [(FRAME["arm"] == level) * FRAME["x"] for level in "abc"]
    np.testing.assert_allclose(found[2], [5 / column.std() for column in columns])


def test_flat():
    """Flat on coefficients and hierarchy means, 1/sigma on sigma of a Gaussian; all else keeps its proper prior."""
    assert priors("y ~ x + common(treated) | school", priors="flat") == {
        "Intercept": ("flat",),
        "x": ("flat",),
        "treated": ("flat",),
        "sigma": ("inverse",),
    }
    s0 = sqrt(25 + 12.5**2)
    assert priors("y ~ x | school, hierarchy(), prior(x.mean ~ normal(0, 3))", priors="flat") == {
        "Intercept_mean": ("flat",),
        "Intercept_sd": approx("half_normal", s0),
        "x_mean": ("normal", 0, 3),
        "x_sd": approx("half_normal", 1.25),
        "school_cor": ("lkj", 2),
        "sigma": ("inverse",),
    }
    found = priors("y ~ x | school, sigma ~ x, family(student)", priors="flat")
    assert found["sigma_x"] == approx("normal", 0, 1 / 4)
    assert found["nu"] == ("gamma", 2, 0.1)
    assert priors("y ~ x | school, family(student)", priors="flat")["sigma"] == approx("half_student_t", 4, 2)


# Priors as values.


def test_printing():
    assert str(prior("normal", 0.0, 1.25)) == "normal(0, 1.25)"
    assert str(prior("half_student_t", 4.0, 2.0)) == "half_student_t(4, 2)"
    assert str(prior("normal", 0.0, np.array([1.0, 123.456]))) == "normal(0, [1, 123.5])"
    assert str(prior("flat")) == "flat()"
    assert str(prior("inverse")) == "1/x"


def test_equal_numbers_are_one():
    assert prior("normal", 0.0, np.array([2.0, 2.0])).args == {"mu": 0, "sigma": 2}
    several = prior("normal", 0.0, np.array([1.0, 2.0, 3.0, 4.0])).shaped((2, 2))
    assert several.args["sigma"].tolist() == [[1, 2], [3, 4]]
    assert several.args["mu"] == 0
