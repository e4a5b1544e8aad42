"""Why a model has too many parameters phi: what is left when scales of single groups are integrated out is what counts."""

from __future__ import annotations

import numpy as np
import pytest

import formulajoint as fj
from formulajoint.inference.gaussian.applies import why_not
from formulajoint.remarks import Missing

MANY = "10100 groups have a scale of their own beside what all share, more than 10000"

REASONS = [
    (16, "y ~ x | g, sigma ~ 1 | g, hierarchy()", ""),
    (16, "y ~ 1 | g, hierarchy(dist=student)", ""),
    (16, "y ~ x | g, hierarchy(x, dist=student), sigma ~ 1 | h", ""),
    (16, "y ~ x | g, sigma ~ 1 | k", ""),
    (
        16,
        "y ~ x | g, hierarchy(dist=student)",
        "there are 3 sigmas, sds and correlations, and 32 coefficients with Student or Cauchy priors, more than 12",
    ),
    (
        16,
        "y ~ x | g, hierarchy(x, dist=cauchy), sigma ~ 1 | g",
        "there are 17 sigmas, sds and correlations, and 16 coefficients with Student or Cauchy priors, more than 12",
    ),
    (16, "y ~ x + z + u + v | g, hierarchy()", "there are 16 sigmas, sds and correlations, more than 12"),
    (
        16,
        "y ~ x + common(z + u + v) | g, hierarchy(x, scale=sigma), sigma ~ 1 | g, hierarchy(sigma)",
        "",
    ),
    (
        16,
        "y ~ x + z + u + v | g, hierarchy(scale=sigma), sigma ~ 1 | g",
        "beside their sigmas the groups share 20 parameters, more than 12",
    ),
    (10_100, "y ~ x | g, sigma ~ 1 | g", ""),
    (10_100, "y ~ x + common(z) | g, sigma ~ 1 | g", MANY),
    (10_100, "y ~ 1 + common(x) | g, sigma ~ 1 | g, prior(x ~ student_t(3, 0, 1))", MANY),
]


@pytest.mark.parametrize(("groups", "formula", "reason"), REASONS)
def test_too_many_parameters(groups: int, formula: str, reason: str) -> None:
    rng, g = np.random.default_rng(0), np.repeat(np.arange(groups), 3)
    data = {name: rng.normal(size=len(g)) for name in "yxzuv"}
    labels = {"g": g.astype(str), "h": (g // 2).astype(str), "k": np.char.add("k", (groups - g).astype(str))}
    assert why_not(fj.model(formula, data | labels).plan) == (Missing("engine", reason) if reason else None)
