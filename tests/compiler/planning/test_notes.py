"""Notes where a default matters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.bind import bind
from formulajoint.spec.read import parse

RNG = np.random.default_rng(1)
BASE = RNG.normal(size=24)
X = (BASE - BASE.mean()) / BASE.std(ddof=1)


def notes(formula, groups=4, **columns):
    data = {"y": RNG.normal(size=24), "x": X, "g": np.arange(24) % groups, "arm": list("abc") * 8} | columns
    return make_plan(bind(parse(formula), pd.DataFrame(data).astype({"g": str}))).notes


def test_nothing_to_say():
    assert notes("y ~ x | g") == ()
    assert notes("y ~ x | g, hierarchy(), joint()") == ()


@pytest.mark.parametrize("mean", [5.01, -5.01])
def test_a_column_far_from_zero(mean):
    """|mean| > 5 sd."""
    (note,) = notes("y ~ x | g", x=X + mean)
    assert note == (
        f"x is far from zero (mean {mean:.4g}, sd 1), so Intercept is an extrapolation: consider center(x)."
    )
    assert notes("y ~ common(x) | g", x=X + mean) == (note,)
    assert notes("y ~ x | g", x=X + 4.99 * np.sign(mean)) == ()
    assert notes("y ~ center(x) | g", x=X + mean) == ()
    assert notes("y ~ 0 + x | g", x=X + mean) == ()  # there is no intercept


@pytest.mark.parametrize(
    ("clauses", "said"),
    [
        ("hierarchy()", True),
        ("hierarchy(cor=false)", True),
        ("hierarchy(Intercept)", True),
        ("hierarchy(x)", False),
    ],
)
def test_where_intercepts_are_pooled_the_zero_of_x_matters(clauses, said):
    """With intercepts of their own the groups' slopes and their hierarchy are the same wherever x has its zero."""
    (note,) = notes(f"y ~ x | g, {clauses}", x=X + 6)
    assert (
        "so Intercept is an extrapolation, and as it is pooled, the slopes of x depend on where x has its zero"
        in note
    ) is said
    (note,) = notes("y ~ 1 + common(x) | g, hierarchy()", x=X + 6)
    assert "pooled" not in note


def test_two_values_far_from_zero_are_told_with_their_sd():
    """Their s_x is half their distance, 1/2."""
    (note,) = notes("y ~ x", x=2019 + (np.arange(24) < 6))
    assert note.startswith(f"x is far from zero (mean 2019, sd {np.std(np.arange(24) < 6, ddof=1):.4g}), ")


def test_a_factor_in_the_intercepts_place():
    (note,) = notes("y ~ 0 + arm + x | g", x=X + 6)
    assert note == "x is far from zero (mean 6, sd 1), so arm is an extrapolation: consider center(x)."


@pytest.mark.parametrize(("groups", "said"), [(2, True), (3, True), (4, False)])
def test_few_groups(groups, said):
    """A hierarchy of two or three groups."""
    found = notes("y ~ x | g, hierarchy(x)", groups)
    assert found == (
        (f"There are {groups} groups of g: x_sd is informed mostly by the prior.",) if said else ()
    )


def test_few_groups_and_several_sds():
    (note,) = notes("y ~ x | g, hierarchy()", 3)
    assert note == "There are 3 groups of g: Intercept_sd and x_sd are informed mostly by the prior."


@pytest.mark.parametrize(
    ("formula", "other"),
    [
        ("y ~ 1 | g", "Intercept"),
        ("y ~ 1 + common(x) | g, hierarchy()", "Intercept_sd"),
        ("y ~ 1 | g, family(student)", "Intercept"),
    ],
)
def test_a_row_a_group_says_nothing_of_sigma(formula, other):
    said = f"Each g has one row: the data cannot separate sigma from {other}; only their priors do."
    assert notes(formula, groups=24) == (said,)
    assert said not in notes(formula, groups=23)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ 1 | g, prior(sigma ~ constant(1))",
        "y ~ 1 | g, se(s)",
        "y ~ 0 + x + common(1) | g",
        "y ~ 0 + x | g",
    ],
)
def test_where_sigma_is_known_or_groups_share_the_intercept_a_row_will_do(formula):
    assert not any("one row" in note for note in notes(formula, groups=24, s=np.ones(24)))


def test_a_written_prior_needs_no_note():
    assert notes("y ~ x | g, hierarchy(x), prior(x.sd ~ half_normal(1))", 2) == ()
    assert notes("y ~ x | g, hierarchy(x), prior(x.mean ~ normal(0, 1))", 2) != ()


def test_few_groups_of_sigma():
    (note,) = notes("y ~ x | g, sigma ~ 1 | g, hierarchy(sigma)", 3)
    assert note == "There are 3 groups of g: sigma_sd is informed mostly by the prior."
    (note,) = notes("y ~ x | g, sigma ~ x | arm, hierarchy(sigma.x)", 4)
    assert note == "There are 3 groups of arm: sigma_x_sd is informed mostly by the prior."


@pytest.mark.parametrize(
    ("coding", "said"), [("poly", True), ("helmert", True), ("sum", False), ("treatment", False)]
)
def test_a_coding_takes_whole_numbers_in_the_order_of_text(coding, said):
    text = np.array(["2", "10", "9"])[np.arange(24) % 3]
    found = notes(f"y ~ C(arm, coding={coding})", arm=text)
    assert found == (
        (
            "The coding of arm takes its levels in the order of text, 10, 2, 9: make arm an ordered category to have "
            "them by size.",
        )
        if said
        else ()
    )
    ordered = pd.Categorical(text, categories=["2", "9", "10"], ordered=True)
    assert notes(f"y ~ C(arm, coding={coding})", arm=ordered) == ()


def test_a_response_of_zero_and_one():
    one = np.arange(24) % 3 == 0
    (note,) = notes("y ~ x", y=one.astype(int))
    assert note.startswith("y is 0 or 1, so this is a linear probability model")
    assert notes("y ~ x", y=one + 1) == ()
    assert notes("y ~ x", y=one / 2) == ()


def test_a_response_of_small_whole_numbers():
    (note,) = notes("y ~ x", y=[0, 1, 2, 1, 0, 4] * 4)
    assert note.startswith("y has whole numbers from 0 to 4, with mean 1.33, and is modelled as measured")
    assert notes("y ~ x", y=[0, 10, 20, 11, 12, 14] * 4) == ()
    assert notes("log1p(y) ~ x", y=[0, 1, 2, 1, 0, 4] * 4) == ()


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_counts_are_not_said_to_be_modelled_as_measured(family):
    y = np.arange(24) % 4
    assert any("modelled as measured" in note for note in notes("y ~ x", y=y))
    assert notes(f"y ~ x, family({family}, link=identity)", y=y) == ()


def test_weights_of_successes_among_trials_count_rows():
    """Groups 0 and 1 have 500 trials a row, the others 20, which weights n do not see."""
    n, y = np.where(np.arange(24) % 4 < 2, 500, 20), np.arange(24) % 11
    (note,) = notes("prop(y, n) ~ x | g, family(binomial), joint(x), rms(x)", y=y, n=n)
    assert note == (
        "The weights n of joint_x and rms_x count rows, not trials; joint(x, weights=sum(n)) weights g by trials."
    )
    (note,) = notes("cbind(y, m) ~ x | g, family(binomial), joint(x)", y=y, m=n - y)
    assert "a column of the trials, and weights=sum() of it, weights g by trials." in note
    for clause in ("joint(x, weights=sum(n))", "joint(x, weights=equal)", "pairwise(x)"):
        assert notes(f"prop(y, n) ~ x | g, family(binomial), {clause}", y=y, n=n) == ()
    assert notes("prop(y, n) ~ x | g, family(binomial), joint(x)", y=y, n=0 * n + 500) == ()
