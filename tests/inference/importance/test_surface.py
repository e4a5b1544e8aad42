"""A smooth function through points."""

from __future__ import annotations

import numpy as np
import pytest

from formulajoint.inference.importance.surface import through

RNG = np.random.default_rng(0)
CENTRE, ROOT = np.array([1.0, -2.0]), np.array([[2.0, 0.0], [0.5, 1.0]])
POINTS = CENTRE + RNG.normal(size=(40, 2)) @ ROOT.T


def test_a_quadratic_function_is_exact_everywhere() -> None:
    def quadratic(x: np.ndarray) -> np.ndarray:
        return 3 - x[:, 0] + 2 * x[:, 1] ** 2 - x[:, 0] * x[:, 1]

    far = 5 * POINTS[::-1] + 1
    found, _ = through(POINTS, quadratic(POINTS), CENTRE, ROOT).at(far)
    np.testing.assert_allclose(found, quadratic(far), rtol=1e-7)


def test_it_goes_through_the_points_and_says_how_far_the_nearest_is() -> None:
    values = RNG.normal(size=40)
    surface = through(POINTS, values, CENTRE, ROOT)
    found, away = surface.at(POINTS)
    np.testing.assert_allclose(found, values, atol=1e-8)
    np.testing.assert_allclose(away, 0, atol=1e-7)
    near = np.arange(40) < 3
    _, away = surface.at(POINTS[5:6], near)
    z = np.linalg.solve(ROOT, (POINTS - CENTRE).T).T
    assert away[0] == pytest.approx(np.min(np.linalg.norm(z[:3] - z[5], axis=1)))


def test_smoothing_takes_noise_away() -> None:
    values = POINTS[:, 0] + 0.1 * RNG.normal(size=40)
    rough, smooth = (through(POINTS, values, CENTRE, ROOT, each).at(POINTS)[0] for each in (0.0, 1e3))
    assert np.std(smooth - POINTS[:, 0]) < 0.6 * np.std(rough - POINTS[:, 0])
