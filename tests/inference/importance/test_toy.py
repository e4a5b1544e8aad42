"""The sampler on densities that are no model's, in a process that never loads one: nothing in it is Gaussian."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from formulajoint.inference.importance.line import sample_line
from formulajoint.inference.importance.pools import sample
from formulajoint.inference.importance.proposal import Mixture
from formulajoint.inference.importance.sampled import DISAGREE, K_HAT, Sampled
from formulajoint.inference.importance.searches import Look

type Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))
LOG_MASS = 3.0
"""Log integral of each density below."""


def banana(points: Array) -> Array:
    """Return the log density of N(0, 2) bent along a parabola, in two dimensions."""
    x, y = points.T
    return LOG_MASS - LOG_2PI - np.log(2) - (x / 2) ** 2 / 2 - (y - x**2 / 2) ** 2 / 2


def two_skewed(points: Array) -> Array:
    """Return the log density of two modes: logs of exponential numbers, and their mirror image far away; three in ten."""
    one = np.sum(points - np.exp(points), axis=1)
    away = 8.0 - points
    other = np.sum(away - np.exp(away), axis=1)
    return LOG_MASS + np.logaddexp(np.log(0.7) + one, np.log(0.3) + other)


def nearly_one(points: Array) -> Array:
    """Return the log density of a standard normal in four dimensions and, with a mass of 1 %, a narrow one far away."""
    one = -np.sum(points**2, axis=1) / 2
    other = -np.sum(((points - 8.0) / 0.3) ** 2, axis=1) / 2 - 4 * np.log(0.3)
    return LOG_MASS - 2 * LOG_2PI + np.logaddexp(np.log(0.99) + one, np.log(0.01) + other)


def drawn(target: object, d: int, seed: int, starts: tuple[float, ...] = (0.0,)) -> Sampled:
    look = Look(
        np.array(starts)[:, None] * np.ones(d), Mixture(np.ones(1), np.zeros((1, d)), 6.0 * np.eye(d)[None])
    )
    return sample(target, look, 1000, 4, np.random.SeedSequence(seed))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_banana(seed: int) -> None:
    found = drawn(banana, 2, seed)
    assert found.k_hat < K_HAT
    assert found.disagreement < DISAGREE
    assert abs(found.log_integral - LOG_MASS) < 4.5 * found.error
    x, y = found.points.reshape(-1, 2).T
    assert abs(np.mean(x)) < 4.5 * 2 / np.sqrt(x.size)
    assert abs(np.std(x) - 2) < 4.5 * 2 / np.sqrt(2 * x.size)
    away = y - x**2 / 2  # N(0, 1), whatever x
    assert abs(np.mean(away)) < 4.5 / np.sqrt(x.size)
    assert abs(np.mean(y) - 2) < 4.5 * 3 / np.sqrt(x.size)  # Var y = 1 + Var(x^2 / 2) = 9


@pytest.mark.parametrize("seed", [1, 2])
def test_two_skewed_modes(seed: int) -> None:
    found = drawn(two_skewed, 3, seed)
    assert found.k_hat < K_HAT
    assert found.disagreement < DISAGREE
    assert abs(found.log_integral - LOG_MASS) < 4.5 * found.error
    points = found.points.reshape(-1, 3)
    second = np.sum(points, axis=1) > 12
    assert abs(np.mean(second) - 0.3) < 4.5 * np.sqrt(0.21 / len(points))
    shares = np.exp(points[~second])  # exponential numbers
    assert abs(np.mean(shares) - 1) < 4.5 / np.sqrt(shares.size)
    assert abs(np.mean(shares < np.log(2)) - 0.5) < 4.5 * 0.5 / np.sqrt(shares.size)


def test_a_mode_of_small_weight_is_not_lost() -> None:
    for seed in range(15):
        found = drawn(nearly_one, 4, seed, starts=(0.0, 8.0))
        assert abs(found.log_integral - LOG_MASS) < 4.5 * found.error
        far = np.sum(found.points.reshape(-1, 4), axis=1) > 16
        assert abs(np.mean(far) - 0.01) < 4.5 * np.sqrt(0.01 / far.size)


def test_numbers_side_by_side_by_quadrature() -> None:
    def densities(points: Array) -> Array:  # logs of exponential numbers, and of gamma numbers of shape 3
        shape = np.array([1.0, 3.0])[:, None]
        return shape * points - np.exp(points)

    found = sample_line(
        densities, np.tile(np.linspace(-40, 20, 300), (2, 1)), 1000, 4, np.random.SeedSequence(1)
    )
    assert abs(found.log_integral - np.log(2)) < 1e-9  # Gamma(1) Gamma(3)
    means = np.mean(np.exp(found.points), axis=(1, 2, 3))
    assert np.all(abs(means - [1, 3]) < 4.5 * np.sqrt(np.array([1, 3]) / 4000))


def test_the_sampler_loads_no_model() -> None:
    names = ("pools", "line", "sampled", "searches")
    imports = "; ".join(f"import formulajoint.inference.importance.{name}" for name in names)
    code = (
        f"import sys; {imports}; print(*(name for name in sys.modules if name.startswith('formulajoint.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    ground = (
        "arrays",
        "errors",
        "remarks",
        "spans",
        "wording",
        "inference",
        "inference.panels",
        "inference.quadrature",
    )
    rest = {name.removeprefix("formulajoint.") for name in run.stdout.split()} - {*ground}
    assert all(name.startswith("inference.importance") for name in rest), rest
