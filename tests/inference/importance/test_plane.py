"""Integrals of densities of two numbers, by lattices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from formulajoint.inference.importance.mode import Target
from formulajoint.inference.importance.plane import LARGEST_ERROR, cover_plane
from formulajoint.inference.importance.proposal import Mixture
from formulajoint.inference.importance.searches import Look
from tests.inference.importance.test_toy import LOG_2PI, LOG_MASS, banana, two_skewed

type Array = NDArray[np.float64]

LOOK = Look(np.zeros((1, 2)), Mixture(np.ones(1), np.zeros((1, 2)), 6.0 * np.eye(2)[None]))


def narrow(points: Array) -> Array:
    """Return the log density of a normal whose coordinates have correlation 0.99, as with many rows."""
    x, y = ((points - [3.0, -2.0]) / [0.01, 0.02]).T
    square = (x**2 - 2 * 0.99 * x * y + y**2) / (1 - 0.99**2)
    return LOG_MASS - LOG_2PI - 0.5 * np.log(1 - 0.99**2) - np.log(0.01 * 0.02) - 0.5 * square


def long_tail(points: Array) -> Array:
    """Return the log density of logs of two numbers with half normal priors, of which the data say little."""
    return LOG_MASS + np.sum(0.5 * np.log(2 / np.pi) - 0.5 * np.exp(2 * points) + points, axis=1)


def spike(points: Array) -> Array:
    """Return the log density of a standard normal with, beside its mode, a narrow one that has a third of the mass."""
    one = -np.sum(points**2, axis=1) / 2
    two = -np.sum(((points - 2.0) / 0.02) ** 2, axis=1) / 2 - 2 * np.log(0.02)
    return LOG_MASS - LOG_2PI + np.logaddexp(np.log(2 / 3) + one, np.log(1 / 3) + two)


def ring(points: Array) -> Array:
    """Return the log density of a thin ring, which no lattice about a point of it resolves."""
    return np.asarray(-(((np.hypot(*points.T) - 5) / 0.02) ** 2) / 2)


@pytest.mark.parametrize("density", [banana, two_skewed, narrow, long_tail])
def test_the_mass_is_known(density: Target) -> None:
    found = cover_plane(density, LOOK)
    assert found is not None
    assert abs(found.log_integral - LOG_MASS) <= found.error + 1e-6
    assert found.error < LARGEST_ERROR


def test_a_narrow_mode_beside_a_wide_one() -> None:
    found = cover_plane(spike, replace(LOOK, starts=np.full((1, 2), 2.0)))
    assert found is not None
    assert abs(found.log_integral - LOG_MASS) < 1e-4


def test_points_have_their_shares() -> None:
    found = cover_plane(two_skewed, LOOK)
    assert found is not None
    assert np.sum(found.shares) == pytest.approx(1)
    near = np.sum(found.points, axis=1) < 8
    assert np.sum(found.shares[near]) == pytest.approx(0.7, abs=1e-3)


def test_a_ring_does_not_suit_a_lattice() -> None:
    assert cover_plane(ring, LOOK) is None


def test_no_density() -> None:
    assert cover_plane(lambda points: np.full(len(points), -np.inf), LOOK) is None
