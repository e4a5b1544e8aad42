"""Coefficients that the data leave open are named, each with advice that makes it estimable, and no others are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.bind import bind
from formulajoint.spec.read import parse

RNG = np.random.default_rng(1)
BASE = RNG.normal(size=24)
GROUP = np.arange(24) % 4
ARM = np.array(list("abc") * 8)


def notes(formula, groups=4, **columns):
    data = {"y": RNG.normal(size=24), "x": BASE, "g": np.arange(24) % groups, "arm": ARM} | columns
    return make_plan(bind(parse(formula), pd.DataFrame(data).astype({"g": str}))).notes


def constant_in(*groups):
    return pd.Series(np.where(np.isin(GROUP, groups), 1.0, BASE))


def test_a_group_that_does_not_determine_its_coefficient():
    """x is 1 in group 3, which has 6 of the 24 rows."""
    (note,) = notes("y ~ x | g, joint(x)", x=constant_in(3))
    assert note == (
        "The data do not determine x[3]: it rests on the priors, and joint_x has weight 0.25 on it. "
        "Consider hierarchy(x)."
    )
    (note,) = notes("y ~ x | g, joint(x, weights=precision)", x=constant_in(3))
    assert "weight" not in note  # a precision of zero
    assert notes("y ~ x | g, hierarchy(x)", x=constant_in(3)) == ()
    assert notes("y ~ x | g, prior(x ~ constant(1))", x=constant_in(3)) == ()
    assert notes("y ~ 0 + x | g", x=constant_in(3)) == ()  # alone it is determined


def test_a_column_of_the_groups():
    """The advice for a column with one value in each group is followed until there is no note."""
    z = {"z": BASE[GROUP]}
    assert notes("y ~ x + z | g", **z) == (
        "The data do not determine z in any g: it rests on the priors. "
        "Write common(z) and pool the intercepts: hierarchy(Intercept).",
    )
    said = "The data do not determine z: it rests on the priors. Pool the intercepts: hierarchy(Intercept)."
    assert notes("y ~ x + common(z) | g", **z) == (said,)
    assert notes("y ~ x + common(z) | g, hierarchy(Intercept)", **z) == ()
    assert notes("y ~ x + z | g, hierarchy(x), hierarchy(z)", **z) == (said.replace("z:", "z_mean:"),)
    assert notes("y ~ x + z | g, hierarchy()", **z) == ()


def test_many_cells_are_counted():
    (note,) = notes("y ~ x | g", groups=12, x=np.where(np.arange(24) % 12 < 10, 2.0, BASE))
    assert note.startswith(
        "The data do not determine x[0], x[1], x[2], x[3], x[4], x[5] and 4 more: they rest "
    )


def test_levels_that_groups_lack():
    """Group 2 has no b and group 3 no c: neither the other levels of these groups nor other groups are open."""
    arm = ARM.copy()
    arm[(GROUP == 2) & (arm == "b")] = "a"
    arm[(GROUP == 3) & (arm == "c")] = "a"
    (note,) = notes("y ~ arm | g", arm=arm)
    assert note == (
        "The data do not determine arm[2, b - a] and arm[3, c - a]: they rest on the priors. Consider hierarchy(arm)."
    )
    assert notes("y ~ arm | g, hierarchy(arm)", arm=arm) == ()


def test_a_combination_that_does_not_occur():
    arm, sex = ARM, np.repeat(["f", "m"], 12)
    seen = (arm != "c") | (sex != "m")
    data = pd.DataFrame({"y": BASE, "arm": arm, "sex": sex})[seen]
    (note,) = make_plan(bind(parse("y ~ arm * sex"), data)).notes
    assert note == (
        "The data do not determine arm:sex[c - a, m - f]: it rests on the priors. "
        "Leave arm:sex out, or write a prior that says what you know of it."
    )
    assert make_plan(bind(parse("y ~ arm + sex"), data)).notes == ()


@pytest.mark.parametrize(
    ("formula", "which"),
    [
        ("y ~ x + v + w", "v and w"),
        ("y ~ x + v + w | g", "v and w in any g"),
        ("y ~ x + common(v + w) | g", "v and w"),
        ("y ~ x + v + w | g, hierarchy()", "v_mean and w_mean"),
    ],
)
def test_columns_that_depend_on_each_other(formula, which):
    v = RNG.normal(size=24)
    (note,) = notes(formula, v=v, w=3 - 2 * v)
    assert note == (
        f"The data cannot separate {which}: their columns depend on each other, and each coefficient rests on "
        "the priors. Leave one of them out."
    )
    assert notes(formula.replace("v + w", "v"), v=v) == ()


def test_a_known_coefficient_leaves_the_other_determined():
    assert notes("y ~ x + w, prior(w ~ constant(1))", w=2 * BASE) == ()


def test_an_interaction_of_what_does_not_vary_cannot_be_cured():
    (note,) = notes("y ~ x + x:z | g", z=BASE[GROUP])
    assert note.startswith("The data cannot separate x and x:z in any g: their columns")


def test_of_another_parameter():
    (note,) = notes("y ~ 1 | g, sigma ~ x | g", x=constant_in(3))
    assert (
        note == "The data do not determine sigma_x[3]: it rests on the priors. Consider hierarchy(sigma.x)."
    )
