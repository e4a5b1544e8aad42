"""Coefficients that the data leave open are named, each with advice that makes it estimable, and no others are."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.compiler.planning.undetermined import open_cells
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
    assert re.sub(r"sd of [0-9.]+", "sd of s", note) == (
        "The data do not determine x[3]: it rests on the priors, and joint_x has weight 0.25 on it "
        "(an sd of s from the priors alone). Consider hierarchy(x), or give no weight to it: "
        "joint(x, weights={0: 6, 1: 6, 2: 6, 3: 0})."
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


@pytest.mark.parametrize("groups", [4, 20])
def test_what_the_priors_alone_leave_to_an_average(groups):
    """In a school where all are treated the posterior knows only the sum of intercept and slope."""
    rng = np.random.default_rng(4)
    labels = np.repeat([f"s{i}" for i in range(groups)], 15)
    treated = np.where(labels == "s2", 1, rng.integers(0, 2, len(labels)))
    data = pd.DataFrame({"g": labels, "treated": treated, "y": rng.normal(size=len(labels))})
    fit = fj.fit("y ~ treated | g, joint(treated)", data, seed=1)
    (note,) = [text for text in fit.model.plan.notes if "do not determine" in text]
    said = float(re.search(r"an sd of ([0-9.]+) from the priors alone", note).group(1))
    assert said == pytest.approx(fit.summary().loc["treated[s2]", "sd"] / groups, rel=0.06)
    advice = "joint(treated, weights={s0: 15, s1: 15, s2: 0, s3: 15})"
    if groups > 6:
        advice = "joint(treated, weights=precision)"
    assert advice in note
    without = fit.contrast(advice).iloc[0]["sd"]
    assert np.hypot(without, said) == pytest.approx(fit.contrasts().iloc[0]["sd"], rel=0.1)
    for scale in ("sigma", "sd", "2"):
        (note,) = fj.model(f"y ~ treated | g, joint(treated, scale={scale})", data).plan.notes
        scaled = advice.replace(")", f", scale={scale})")
        assert scaled in note
        (average,) = fj.model(f"y ~ treated | g, {scaled}", data).plan.contrasts
        assert average.weights.values[sorted(set(labels)).index("s2")] == 0
    for clause in ("joint(treated, weights=precision)", "joint(treated, scale=sigma)"):
        assert "from the priors alone" not in " ".join(
            fj.model(f"y ~ treated | g, {clause}", data).plan.notes
        )


@pytest.mark.parametrize(("constant", "found"), [((), [0, 0, 0, 0]), ((2,), [0, 0, 1, 0])])
def test_effects_on_categories_rest_on_priors_only_where_their_column_does_not_vary(constant, found):
    """Each column of the groups appears once per category, which is no dependence."""
    data = {
        "way": np.array(["bus", "car", "train"])[np.arange(24) // 4 % 3],
        "x": constant_in(*constant),
        "g": GROUP,
    }
    design = bind(parse("way ~ x | g, family(categorical)"), pd.DataFrame(data).astype({"g": str}))
    plan = make_plan(design)
    (effect,) = (c for c in plan.mean.coefficients if c.term.name == "x")
    assert np.array_equal(
        open_cells(plan, effect), np.repeat(np.array(found, dtype=bool)[:, None], 2, axis=1)
    )
