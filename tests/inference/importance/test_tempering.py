"""Steps of particles from a broad distribution to a density."""

from __future__ import annotations

import numpy as np
import pytest

from formulajoint.inference.importance.tempering import FAR, _step


@pytest.fixture
def rise() -> np.ndarray:
    return -300 * np.random.default_rng(1).chisquare(2, 400)


@pytest.mark.parametrize("above", [0.5, 0.1])
def test_a_step_keeps_half_of_the_particles_with_a_density(rise: np.ndarray, above: float) -> None:
    rise[: round((1 - above) * len(rise))] = -np.inf
    weights = np.exp(_step(rise, 1.0) * (rise - np.max(rise)))
    assert np.sum(weights) ** 2 / np.sum(weights**2) == pytest.approx(0.5 * above * len(rise), rel=1e-4)


def test_the_remainder_is_taken_where_weights_stay_even(rise: np.ndarray) -> None:
    assert _step(rise, 1e-5) == 1e-5


def test_a_particle_whose_arithmetic_may_fail_changes_no_step(rise: np.ndarray) -> None:
    fails, holds = rise.copy(), rise.copy()
    fails[7], holds[7] = -np.inf, -10 * FAR * np.median(np.max(rise) - rise)
    assert _step(fails, 1.0) == _step(holds, 1.0)
    holds[7] = np.max(rise)
    assert _step(fails, 1.0) != _step(holds, 1.0)
