"""Priors made wider: the law of a multiple of the same variable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.widened_priors import with_scaled
from formulajoint.distributions.prior import prior
from formulajoint.remarks import Missing

SCALES = [
    prior("half_normal", 2.0),
    prior("half_cauchy", 2.0),
    prior("half_student_t", 3.0, 2.0),
    prior("exponential", 0.5),
    prior("gamma", 2.0, 0.5),
    prior("inverse_gamma", 3.0, 2.0),
    prior("log_normal", 0.3, 0.5),
    prior("uniform", 0.5, 9.0),
]


@pytest.mark.parametrize("law", SCALES, ids=str)
def test_a_scale_times_a_factor(law):
    """The density of c x at y is that of x at y / c, over c."""
    wider = law.widened(2.5)
    y = np.linspace(1.5, 12, 9)
    np.testing.assert_allclose(wider.log_density(y), law.log_density(y / 2.5) - np.log(2.5), rtol=1e-12)


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (prior("normal", 3.0, 2.0), "normal(3, 5)"),
        (prior("student_t", 4.0, 3.0, 2.0), "student_t(4, 3, 5)"),
        (prior("cauchy", 3.0, 2.0), "cauchy(3, 5)"),
        (prior("laplace", 3.0, 2.0), "laplace(3, 5)"),
        (prior("normal", 0.0, np.array([1.0, 2.0])), "normal(0, [2.5, 5])"),
    ],
    ids=str,
)
def test_a_location_stays(law, text):
    assert str(law.widened(2.5)) == text


def test_what_has_no_scale():
    assert prior("beta", 2.0, 2.0).widened(2.0) is None
    assert prior("flat").widened(2.0) is None
    assert prior("constant", 3.0).widened(2.0) is None
    assert prior("constant", 3.0).widened(1.0) is not None


FRAME = pd.DataFrame(
    {"y": np.arange(12.0) ** 1.5, "x": np.arange(12) % 5, "z": np.arange(12) % 7, "g": list("aaabbb") * 2}
)


def test_only_the_terms_named():
    plan = fj.model("y ~ x + z | g", FRAME).plan
    before, after = dict(plan.priors), dict(with_scaled(plan, ("x",), 2.0).priors)
    assert after["x"].args["sigma"] == 2 * before["x"].args["sigma"]
    assert {name: after[name] for name in after if name != "x"} == {
        name: before[name] for name in before if name != "x"
    }


def test_mean_and_sd_of_a_hierarchy():
    plan = fj.model("y ~ x | g, hierarchy()", FRAME).plan
    before, after = dict(plan.priors), dict(with_scaled(plan, ("x",), 2.0).priors)
    for name in ("x_mean", "x_sd"):
        assert after[name].args["sigma"] == 2 * before[name].args["sigma"]
    assert str(after["Intercept_mean"]) == str(before["Intercept_mean"])


def test_a_constant_sd_of_a_hierarchy_is_a_scale_itself():
    plan = fj.model("y ~ x | g, hierarchy(x), prior(x.sd ~ constant(2))", FRAME).plan
    after = dict(with_scaled(plan, ("x",), 3.0).priors)
    assert str(after["x_sd"]) == "constant(6)"


def test_a_reason():
    plan = fj.model("y ~ x | g, prior(x ~ flat())", FRAME).plan
    assert with_scaled(plan, ("x",), 2.0) == Missing("scale", "the prior flat() has no scale")
