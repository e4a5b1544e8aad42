"""Importance samples from an interpolant, against integrals in closed form."""

from __future__ import annotations

from math import lgamma, log, pi

import numpy as np
import pytest
from numpy.typing import NDArray

from formulajoint.errors import InferenceError
from formulajoint.inference.importance.surrogate import Dear, sample_dear

type Array = NDArray[np.float64]

SHAPE = np.array([1.0, 3.0, 40.0])
"""Of gamma distributions: from that of the log of a scale that may be zero, with a long tail, to a narrow one."""


class Counted:
    """A log likelihood that counts its points."""

    def __init__(self) -> None:
        self.points = 0

    def __call__(self, points: Array) -> Array:
        self.points += len(points)
        both = 0.3 * np.log1p(np.exp(points[:, 0] + points[:, 1]))
        return np.asarray(points @ (SHAPE - 1) - np.sum(np.exp(points), axis=1) + both)


def prior(points: Array) -> Array:
    return np.asarray(np.sum(points, axis=1))


def natural(points: Array) -> Array:
    return np.asarray(np.log1p(np.exp(points - np.log(SHAPE) + 1)))


def dear(likelihood: Counted) -> Dear:
    return Dear(prior, likelihood, np.log(SHAPE)[None] + 1, np.full(3, 0.5), SHAPE**-0.5 / 2, natural)


def by_sums() -> tuple[float, Array]:
    """Return the log of the integral and the means: a sum over a grid of two, in closed form over the third."""
    axes = [np.linspace(-30, 4, 1000), np.linspace(-12, 4, 500)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    heights = grid @ SHAPE[:2] - np.sum(np.exp(grid), axis=1) + 0.3 * np.log1p(np.exp(grid.sum(axis=1)))
    total = np.logaddexp.reduce(heights)
    cell = log((axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0]))
    return float(total + cell + lgamma(SHAPE[2])), np.exp(heights - total) @ grid


@pytest.mark.parametrize("seed", [0, 1])
def test_evidence_and_draws_are_those_of_the_density_at_few_points(seed: int) -> None:
    likelihood = Counted()
    found = sample_dear(dear(likelihood), 2000, 1000, 4, np.random.SeedSequence(seed))
    value, means = by_sums()
    assert likelihood.points < 2600
    assert found.k_hat < 0.5
    assert np.sum(found.ess) > 1200
    assert abs(found.log_integral - value) < 4 * found.error
    assert found.error < 0.03
    draws = found.points[0].reshape(-1, 3)
    spread = np.std(draws[:, :2], axis=0) / np.sqrt(np.sum(found.ess))
    assert np.all(abs(np.mean(draws[:, :2], axis=0) - means) < 4 * spread)


def test_with_fewer_points_than_draws_points_are_drawn_several_times() -> None:
    found = sample_dear(dear(Counted()), 100, 200, 2, np.random.SeedSequence(0))
    assert found.points.shape == (1, 2, 200, 3)
    assert all(len(np.unique(chain, axis=0)) <= 50 for chain in found.points[0])
    assert np.all(found.ess <= 50)


def test_a_nearly_normal_density_needs_no_more_points_than_a_climb_and_three_rounds() -> None:
    counted = [0]

    def likelihood(points: Array) -> Array:
        counted[0] += len(points)
        return np.asarray(-0.5 * np.sum((points / 0.01) ** 2, axis=1) + 1e-3 * points[:, 0] ** 3)

    known = Dear(
        lambda at: np.zeros(len(at)),
        likelihood,
        np.full((1, 2), 0.1),
        np.full(2, 0.05),
        np.full(2, 0.01),
        np.array,
    )
    found = sample_dear(known, 200, 100, 4, np.random.SeedSequence(0))
    assert counted[0] < 420
    assert abs(found.log_integral - log(2 * pi * 0.01**2)) < 4 * found.error + 1e-3


def test_a_density_that_is_nowhere_finite_is_refused() -> None:
    nowhere = Dear(
        lambda at: np.zeros(len(at)),
        lambda at: np.full(len(at), np.nan),
        np.zeros((1, 2)),
        np.ones(2),
        np.ones(2),
        np.array,
    )
    with pytest.raises(InferenceError, match="zero or not finite"):
        sample_dear(nowhere, 100, 100, 4, np.random.SeedSequence(0))
