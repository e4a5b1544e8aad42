"""The arithmetic on groups: any library of arrays, any block, one sum."""

from __future__ import annotations

from dataclasses import replace

import array_api_strict
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

import formulajoint as fj
from formulajoint.inference.gaussian.coefficients import draw_coefficients
from formulajoint.inference.gaussian.marginal import given_shared, kernel, log_likelihood
from formulajoint.inference.gaussian.reduction import Reduction, reduce
from formulajoint.inference.latent.device import NUMPY

FORMULAS = [
    "y ~ x + common(z) | g, hierarchy()",
    "y ~ x | g, sigma ~ 1 | g",
    "y ~ x + z | g, hierarchy(x, dist=student), hierarchy(z)",
    "y ~ x * z",
    "y ~ x + common(z) | g, hierarchy(), sigma ~ h",
    "y ~ x + z | g, hierarchy(z), sigma ~ h, prior(x ~ flat())",
]


def reduction_of(formula: str) -> Reduction:
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(size=(50, 3)), columns=list("xzy"))
    data = data.assign(g=np.arange(50) % 4, h=np.arange(50) % 3)
    return reduce(fj.model(formula, data).plan)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_array_api_is_all_that_is_used(formula: str) -> None:
    reduction = reduction_of(formula)
    points = np.random.default_rng(1).normal(0, 0.5, (7, len(reduction.structure.scales.coordinates)))
    strict = replace(NUMPY, xp=array_api_strict, at=None)
    one, other = kernel(reduction), kernel(reduction, strict)
    assert np.allclose(log_likelihood(one, points), log_likelihood(other, points), rtol=1e-13)
    drawn = [draw_coefficients(core, points, np.random.default_rng(2)) for core in (one, other)]
    assert np.allclose(drawn[0][0], drawn[1][0], rtol=1e-12)
    assert np.allclose(drawn[0][1], drawn[1][1], rtol=1e-12)


@pytest.mark.parametrize("formula", FORMULAS)
def test_blocks_change_nothing(formula: str) -> None:
    reduction = reduction_of(formula)
    points = np.random.default_rng(1).normal(0, 0.5, (20, len(reduction.structure.scales.coordinates)))
    whole, cut = (
        log_likelihood(kernel(reduction, device), points) for device in (NUMPY, replace(NUMPY, pairs=12))
    )
    assert np.allclose(cut, whole, rtol=1e-14)


def test_the_groups_terms_sum_to_the_whole() -> None:
    reduction = reduction_of("y ~ x | g, sigma ~ 1 | g")
    points = np.random.default_rng(1).normal(0, 0.5, (5, 4))
    by_group = log_likelihood(kernel(reduction), points, by_group=True)
    assert by_group.shape == (5, 4)
    assert np.allclose(by_group.sum(axis=1), log_likelihood(kernel(reduction), points))


@pytest.mark.parametrize("log_sigma", [-1.0, -10.0, -40.0, -200.0])
def test_without_residuals_the_density_has_a_limit_where_sigma_goes_to_zero(log_sigma: float) -> None:
    """One row a group: the response is normal with the covariance of its coefficients, and sigma adds to that."""
    data = pd.DataFrame({"g": [0, 1, 2, 3], "x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 3.0, 2.0, 5.0]})
    priors = "prior(Intercept.mean ~ normal(1, 2), x.mean ~ normal(0, 1.5))"
    reduction = reduce(fj.model(f"y ~ x | g, hierarchy(cor=false), {priors}", data).plan)
    found = log_likelihood(kernel(reduction), np.array([[log_sigma, 0.0, 0.5]]))
    x, y = data["x"].to_numpy(), data["y"].to_numpy()
    own = np.exp(2 * log_sigma) + 1 + np.exp(1.0) * x**2
    known = stats.multivariate_normal(np.ones(4), np.diag(own) + 4 + 1.5**2 * np.outer(x, x)).logpdf(y)
    assert found[0] == pytest.approx(known, abs=1e-10)


@pytest.mark.parametrize("term", ["x", "x + common(z)"])
def test_where_the_rows_fit_exactly_rounding_makes_no_peak(term: str) -> None:
    """What is left of the squares is zero but for rounding, which a sigma of e^-34 would blow up to any size."""
    data = pd.DataFrame({"g": list("aaabbbbb"), "x": [0, 1, 3, 1, 3, 3, 2, 4], "z": [0, 2, 1, 0, 0, 2, 5, 1]})
    data["y"] = np.where(data.g == "a", 0.1 + 0.7 * data.x, [0, 0, 0, 4, 1, 7, 2, 2])
    formula = f"y ~ {term} | g, sigma ~ 1 | g, prior(sigma ~ inverse_gamma(3, 2))"
    core = kernel(reduce(fj.model(formula, data).plan))
    tiny = np.stack([np.linspace(-60, -20, 50), np.zeros(50)], axis=1)
    found = [log_likelihood(core, tiny)]
    if term == "x":
        found.append(log_likelihood(core, tiny, by_group=True)[:, 0])
    assert not any(np.any(each > 100) for each in found)  # about 1 / sigma, while that is above rounding


# --- given what groups share

SHARED = [
    "y ~ x + common(z) | g, hierarchy(), sigma ~ 1 | g",
    "y ~ x + common(z) | g, hierarchy(x, dist=student)",
    "y ~ x + common(z) | g, prior(x ~ flat(), z ~ flat())",
    "y ~ 1 + common(x + z) | g, sigma ~ 1 | h",
    "y ~ x + z | g, hierarchy(), weights(w), prior(x.mean ~ constant(1))",
    "y ~ x + common(z) | g, hierarchy(), se(w)",
    "y ~ x * z",
]


@pytest.mark.parametrize("formula", SHARED)
def test_integrated_over_what_groups_share_it_is_the_likelihood(formula: str) -> None:
    """Times the prior of theta it is exp of a quadratic function: its value and derivatives at one point say all."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(size=(50, 3)), columns=list("xzy"))
    data = data.assign(g=np.arange(50) % 4, w=1 + np.arange(50) % 3, h=np.arange(50) % 2)
    reduction = reduce(fj.model(formula, data).plan)
    core, t = kernel(reduction), len(reduction.structure.reference)
    points = rng.normal(0, 0.5, (3, len(reduction.structure.scales.coordinates)))
    values, unit = reduction.structure.scales.values(points), np.eye(t)
    for at, likelihood in zip(values, log_likelihood(core, points), strict=True):

        def log_joint(shift: NDArray[np.float64], at: NDArray[np.float64] = at) -> NDArray[np.float64]:
            of_groups, of_sigmas = given_shared(core, np.tile(at, (len(shift), 1)), shift)
            assert of_groups.shape == (len(shift), reduction.structure.groups)
            assert of_sigmas.shape == (len(shift), len(reduction.rows))
            proper = reduction.structure.theta_precision > 0
            prior = stats.norm.logpdf(
                shift,
                reduction.structure.theta_mean,
                np.where(proper, reduction.structure.theta_precision, 1.0) ** -0.5,
            )
            return of_groups.sum(axis=1) + of_sigmas.sum(axis=1) + prior @ proper

        here, up, down = (log_joint(each) for each in (np.zeros((1, t)), unit, -unit))
        both = log_joint((unit[:, None] + unit[None]).reshape(-1, t)).reshape(t, t)
        slope, curvature = (up - down) / 2, up[:, None] + up[None] - both - here
        known = here[0] + slope @ np.linalg.solve(curvature, slope) / 2
        known += t / 2 * np.log(2 * np.pi) - np.linalg.slogdet(curvature)[1] / 2
        assert likelihood == pytest.approx(known, abs=1e-8)
