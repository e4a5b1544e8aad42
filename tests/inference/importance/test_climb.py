"""Climbs by few points, to modes that are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from formulajoint.inference.importance.climb import climb

type Array = NDArray[np.float64]


class Counted:
    """A log density of correlated coordinates, far from normal in the first, that counts its points."""

    def __init__(self, dimensions: int) -> None:
        self.points = 0
        root = np.random.default_rng(dimensions).normal(size=(dimensions, dimensions)) / 3
        self.root = np.eye(dimensions) + np.tril(root, -1)

    def __call__(self, points: Array) -> Array:
        self.points += len(points)
        z = points @ self.root.T
        return np.asarray(50 * (z[:, 0] - np.exp(z[:, 0])) - 0.5 * np.sum((z[:, 1:] / 0.2) ** 2, axis=1))


@pytest.mark.parametrize(("dimensions", "most"), [(1, 20), (3, 60), (6, 250)])
@pytest.mark.parametrize("away", [0.0, 2.0, -3.0])
def test_a_climb_comes_within_a_fraction_of_an_sd_of_the_mode_by_few_points(
    dimensions: int, most: int, away: float
) -> None:
    target = Counted(dimensions)
    found = climb(target, np.full(dimensions, away), np.full(dimensions, 0.5))
    assert target.points < most
    assert target(found[None])[0] > target(np.zeros((1, dimensions)))[0] - 0.5


def test_points_without_a_density_are_left_behind() -> None:
    def target(points: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(np.sum(np.log(points) - points, axis=1))

    found = climb(target, np.array([0.3, 0.5]), np.ones(2))
    assert target(found[None])[0] > -2 - 0.3


def test_a_climb_among_points_without_a_density_ends_where_it_starts() -> None:
    found = climb(lambda points: np.full(len(points), np.nan), np.zeros(2), np.ones(2))
    assert np.array_equal(found, np.zeros(2))
