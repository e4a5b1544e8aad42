"""Scales of single groups integrated out: the same posterior as with all of them among phi, and integrals by SciPy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import integrate

import formulajoint as fj
from formulajoint.inference.exact.coverage import why_not
from formulajoint.inference.exact.draws import draw, sample_scales
from formulajoint.inference.exact.importance import sample
from formulajoint.inference.exact.inside import Inside
from formulajoint.inference.exact.marginal import given_shared, kernel
from formulajoint.inference.exact.owners import inside
from formulajoint.inference.exact.problem import log_posterior
from formulajoint.inference.exact.reduction import Reduction, reduce
from formulajoint.inference.exact.starts import look
from formulajoint.inference.exact.units import units

type Array = NDArray[np.float64]


def data(groups: int, rows: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    x, noise = rng.normal(size=len(g)), np.exp(rng.normal(0, 0.5, groups))
    y = 2 + rng.normal(0, 1, groups)[g] + (1 + rng.normal(0, 0.3, groups)[g]) * x
    return pd.DataFrame(
        {"y": y + noise[g] * rng.normal(size=len(g)), "x": x, "g": [f"g{i:02d}" for i in g], "d": g // 2}
    )


def reduction(formula: str, frame: pd.DataFrame) -> Reduction:
    return reduce(fj.model(formula, frame).plan)


FORMULAS = {
    "nothing a group": "y ~ x, sigma ~ 1 | g",
    "one element of theta": "y ~ 1 + common(x) | g, sigma ~ 1 | g",
    "a heavy prior of theta": "y ~ x, sigma ~ 1 | g, prior(x ~ student_t(3, 0, 2))",
    "a hierarchy": "y ~ 1 + common(x) | g, hierarchy(), sigma ~ 1 | g",
    "a correlated hierarchy": "y ~ x | g, hierarchy(), sigma ~ 1 | g",
    "a student hierarchy": "y ~ 1 + common(x) | g, hierarchy(dist=student)",
    "a cauchy hierarchy": "y ~ 1 | g, hierarchy(dist=cauchy)",
    "groups within groups of sigma": "y ~ 1 + common(x) | g, hierarchy(), sigma ~ 1 | d",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_both_arrangements_have_the_same_evidence_and_scales(name: str) -> None:
    made = reduction(FORMULAS[name], data(6 if "within" in name else 4, 8))
    assert units(made) is not None
    seeds = np.random.SeedSequence(1).spawn(2)
    one = sample_scales(made, 500, 4, seeds[0])
    where = look(made, np.random.default_rng(1))
    other = sample(log_posterior(kernel(made)), where, 500, 4, seeds[1])
    error = np.hypot(one.error, other.error)
    assert abs(one.log_integral - other.log_integral) < 4.5 * error + 1e-4
    both = [each.points[0].reshape(2000, -1) for each in (one, other)]
    for a, b in zip(both[0].T, both[1].T, strict=True):
        assert abs(a.mean() - b.mean()) < 4.5 * np.hypot(a.std(), b.std()) / np.sqrt(2000 / 1.3)
        assert 0.85 < a.std() / b.std() < 1.18


@pytest.mark.parametrize("name", ["one element of theta", "a correlated hierarchy", "a cauchy hierarchy"])
def test_the_integral_over_each_scale_is_that_of_scipy(name: str) -> None:
    made = reduction(FORMULAS[name], data(4, 8))
    own = units(made)
    assert own is not None
    density, where = inside(kernel(made), own, np.random.default_rng(1))
    points = where.starts[[0, 50, 130]]
    with_all = [_by_scipy(density, points[i : i + 1]) for i in range(3)]
    assert np.allclose(density.log_density(points), with_all, atol=2e-5)


def _by_scipy(density: Inside, point: Array) -> float:
    """The log density with every scale integrated by SciPy, from `given_shared` and the prior of that scale."""
    at = density.at(point)
    own = density.units

    def heights(unit: int, log_scale: float) -> float:
        values = at.values.copy()
        values[:, own.cells[unit]] = np.exp(log_scale)
        groups, sigmas = given_shared(density.kernel, values, at.shift)
        found = sigmas[0, unit] if own.sigmas else groups[0, unit]
        if own.sigmas and groups.shape[1]:
            found += groups[0, density.kernel.reduction.sigma_of_group == unit].sum()
        return float(found + own.coordinates[unit].log_prior(np.array(log_scale)))

    total = float(density._prior(point, at.shift)[0])
    if not own.sigmas:
        total += float(np.sum(given_shared(density.kernel, at.values, at.shift)[1]))
    for unit in range(len(own.cells)):
        grid = np.linspace(density.guess[unit] - 12, density.guess[unit] + 8, 400)
        peak = max(heights(unit, t) for t in grid)
        pieces = [
            integrate.quad(lambda t, u=unit, top=peak: np.exp(heights(u, t) - top), *ends)[0]
            for ends in zip(grid[:-1:57], [*grid[57::57], grid[-1] + 20], strict=False)
        ]
        total += peak + np.log(sum(pieces))
    return total


def test_what_conflicts_with_a_prior_of_its_own_is_seen() -> None:
    """Two groups whose intercepts have priors that are tight and wrong: each sigma is small or large, at one theta."""
    frame = data(3, 30).assign(y=lambda d: 10 + 0.05 * d.x + 0.01 * d.y)
    formula = (
        "y ~ 1 + common(x) | g, sigma ~ 1 | g, prior(Intercept ~ normal(0, 1.1), sigma ~ half_cauchy(5))"
    )
    made = reduction(formula, frame)
    own = units(made)
    assert own is not None
    density, _ = inside(kernel(made), own, np.random.default_rng(1))
    found = draw(made, 200, 4, 1)
    where = look(made, np.random.default_rng(1))
    other = sample(log_posterior(kernel(made)), where, 200, 4, np.random.SeedSequence(1))
    assert density.wide or abs(found.log_evidence - other.log_integral) < 5 * other.error
    assert abs(found.log_evidence - other.log_integral) < 5 * other.error + 0.01


def test_more_sigmas_than_can_be_sampled_at_once() -> None:
    frame = data(30, 6)
    plan = fj.model("y ~ 1 + common(x) | g, sigma ~ 1 | g", frame).plan
    assert why_not(plan) == ""
    found = draw(reduce(plan), 200, 4, 1)
    assert found.values.shape == (4, 200, 30)
    assert "more than" in why_not(fj.model("y ~ 1 + common(x) | g, sigma ~ 1 | g", data(1001, 3)).plan)


def test_the_same_seed_gives_the_same_draws() -> None:
    made = reduction(FORMULAS["a correlated hierarchy"], data(4, 8))
    one, again = (draw(made, 50, 2, 3) for _ in range(2))
    assert np.array_equal(one.values, again.values)
    assert np.array_equal(one.beta, again.beta)
