"""Shares of draws beyond a limit, without each batch in turn, against those of the draws that are left."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from formulajoint.results.joint_tests.beyond import among_all, beyond_band, beyond_ellipsoid
from formulajoint.results.joint_tests.figures import distances, whitened

type Array = NDArray[np.float64]


def batches(q: int, away: float, seed: int) -> Array:
    """Return batches of correlated draws whose mean is `away` from zero in some directions."""
    rng = np.random.default_rng(seed)
    mean = away * rng.normal(size=q) / np.sqrt(q)
    return (rng.normal(size=(8, 30, q)) + mean) @ rng.normal(size=(q, q))


def others(draws: Array, batch: int) -> Array:
    return np.delete(draws, batch, axis=0).reshape((-1, draws.shape[2]))


@pytest.mark.parametrize("q", [1, 2, 9])
@pytest.mark.parametrize("away", [0.0, 1.5, 6.0])
def test_the_ellipsoid(q: int, away: float) -> None:
    found = whitened(batches(q, away, seed=q).reshape((-1, q)))
    assert found is not None
    white, zero = found
    draws = white.reshape((8, 30, q))
    shares = []
    for b in range(8):
        own, null = distances(others(draws, b), zero)
        shares.append(np.mean(own >= null))
    np.testing.assert_allclose(beyond_ellipsoid(draws, zero), shares, atol=1e-12)


@pytest.mark.parametrize("q", [1, 2, 9])
@pytest.mark.parametrize("away", [0.0, 1.5, 6.0])
def test_the_band(q: int, away: float) -> None:
    draws = batches(q, away, seed=10 + q)
    shares = []
    for b in range(8):
        left = others(draws, b)
        centre, sd = left.mean(axis=0), left.std(axis=0, ddof=1)
        shares.append(np.mean(np.any(abs(left - centre) >= np.max(abs(centre) / sd) * sd, axis=1)))
    np.testing.assert_allclose(beyond_band(draws), shares, atol=1e-12)


def test_a_quantity_that_moves_in_one_batch_alone() -> None:
    draws = np.stack([np.random.default_rng(0).normal(3, 1, (8, 30)), np.zeros((8, 30))], axis=-1)
    draws[2, :, 1] = np.random.default_rng(1).normal(size=30)
    shares = beyond_band(draws)
    assert np.all((shares >= 0) & (shares <= 1))


def test_a_draw_among_all_of_them() -> None:
    """A draw as far from the centre of all as is said is as far from that of the others as was asked."""
    draws = np.random.default_rng(2).normal(size=(40, 3))
    own, _ = distances(draws, np.zeros(3))
    centre, covariance = draws.mean(axis=0), np.cov(draws.T)
    for draw, squared in zip(draws, own, strict=True):
        away = draw - centre
        assert among_all(float(squared), 40) ** 2 == pytest.approx(away @ np.linalg.solve(covariance, away))
