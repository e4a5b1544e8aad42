"""Particles that move from a broad distribution to a density, step by step.

Tempered sequential Monte Carlo (Del Moral, Doucet & Jasra, JRSS B 2006): the density is that of the broad distribution
to the power 1 - b times the target to the power b, and b grows from 0 to 1 so slowly that the weights of the particles
stay even. Between, particles move by differences of pairs of others (ter Braak, Statistics and Computing 2006), which
have the shape of the density, and lead from one of its modes to another.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.importance.mode import Target
from formulajoint.inference.importance.proposal import Mixture

EVEN = 0.5
"""Smallest effective share of the particles after a step."""

FAR = 1e8
"""A particle this many times as far below the highest as the median counts as of zero density: rounding decides there
whether arithmetic fails."""

MOST_STEPS = 80

MOVES = 2
"""Moves of each particle between two steps."""

JUMP = 0.1
"""Share of the moves by the whole difference of a pair, from mode to mode."""


def tempered(target: Target, broad: Mixture, particles: int, rng: np.random.Generator) -> FloatArray | None:
    """Return particles (n, d) from the target; None if its density is zero at all first particles.

    Parameters
    ----------
    target : callable
        One log density.
    broad : Mixture
        First distribution: it should be above zero wherever the target is not negligible.
    particles : int
        n, even.
    rng : Generator
    """
    points = broad.draw(rng, particles)
    heights, base = _heights(target, points), broad.log_density(points)
    if not np.any(np.isfinite(heights)):
        return None
    power = 0.0
    for _ in range(MOST_STEPS):
        rise = np.where(np.isfinite(heights), heights - base, -np.inf)
        step = _step(rise, 1 - power)
        weights = np.exp(step * (rise - np.max(rise)))
        edges = np.cumsum(weights) / np.sum(weights)
        chosen = np.searchsorted(edges, (np.arange(particles) + rng.random()) / particles)
        chosen = rng.permutation(np.minimum(chosen, particles - 1))
        points, heights, base = points[chosen], heights[chosen], base[chosen]
        power = min(1.0, power + step)
        for _ in range(MOVES):
            points, heights, base = _moved(target, broad, power, (points, heights, base), rng)
        if power == 1.0:
            break
    return points


def _heights(target: Target, points: FloatArray) -> FloatArray:
    heights = target(points)
    return np.where(np.isfinite(heights), heights, -np.inf)


def _step(rise: FloatArray, left: float) -> float:
    """Return the growth of the power: the whole remainder if weights stay even enough."""
    depth = np.max(rise) - rise
    depth = depth[np.isfinite(depth) & ~(depth > FAR * np.median(depth))]

    def share(step: float) -> float:
        weights = np.exp(-step * depth)
        return float(np.sum(weights) ** 2 / np.sum(weights**2)) / len(rise)

    wanted = EVEN * share(0.0)  # at first there may be many points of zero density
    if share(left) >= wanted:
        return left
    low, high = -60.0, np.log(left)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if share(np.exp(middle)) >= wanted else (low, middle)
    return float(np.exp(high))


def _moved(
    target: Target,
    broad: Mixture,
    power: float,
    at: tuple[FloatArray, FloatArray, FloatArray],
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return particles after each half has moved by differences of the other, which keeps their distribution."""
    points, heights, base = (each.copy() for each in at)
    n, d = points.shape
    order = rng.permutation(n)
    for own, other in ((order[: n // 2], order[n // 2 :]), (order[n // 2 :], order[: n // 2])):
        one, two = other[rng.integers(0, len(other), (2, len(own)))]
        factor = 2.38 / np.sqrt(2 * d) * rng.uniform(0.2, 1.2, len(own))
        factor = np.where(rng.random(len(own)) < JUMP, 1.0, factor)[:, None]
        spread = np.std(points[other], axis=0)
        tried = points[own] + factor * (points[one] - points[two])
        tried += 0.01 * spread * rng.standard_normal(tried.shape)
        tried_heights, tried_base = _heights(target, tried), broad.log_density(tried)
        gain = power * (tried_heights - heights[own]) + (1 - power) * (tried_base - base[own])
        taken = np.log(rng.random(len(own))) < np.where(np.isnan(gain), -np.inf, gain)
        kept = own[taken]
        points[kept], heights[kept], base[kept] = tried[taken], tried_heights[taken], tried_base[taken]
    return points, heights, base
