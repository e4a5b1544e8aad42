"""A posterior whose points are dear: an interpolant of the log likelihood, and an importance sample from it.

The interpolant is a quadratic trend plus a sum of cubes of distances from the points known (`surface`). It is refined
where draws from it fall, until they are nearly draws from the posterior. Then it is a proposal: the posterior is
computed at a last sample, whose weights make draws, evidence and k-hat exact, however good the interpolant is.

Shapes: n points, d coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.inference.importance.climb import climb
from formulajoint.inference.importance.mode import Target
from formulajoint.inference.importance.pareto import tail_shape
from formulajoint.inference.importance.proposal import (
    Mixture,
    cut,
    effective,
    fitted_to,
    integral,
    moments,
    normalised,
    scattered,
    weighted,
)
from formulajoint.inference.importance.sampled import LOST, Sampled
from formulajoint.inference.importance.surface import Surface, through

LEAST, KNOWN = 40, 2.0
"""Points of a round: at least the first, or this multiple of the coefficients of a quadratic function."""

ROUNDS, GOOD, TWICE = 10, 0.85, 2
"""Most rounds of refinement; they end when draws were worth this share of draws from the posterior often enough."""

SLOW = 4.0
"""Scale by which the interpolant's values are compressed where they are low."""

POOL, FITTING = 8_000, 2_000
"""Candidates from which draws of the interpolant are taken for the last sample, and while it is refined."""

WIDTHS, WIDEST = (1.3, 3.0), 1.5
"""The first points are drawn from distributions this much wider than the curvature at the mode; largest spread."""

RISE = 3.0
"""The interpolant of a log likelihood exceeds no known value by more than this."""

HIGH, FALL = 25.0, 2.0
"""It falls where no point of high density is near: points lower than the highest by less than the first are high; by
the square of the second a sd."""

COMPONENTS, FITS = 4, 2
"""Components of the mixture that is fitted to an interpolant, and fits from draws of the last one."""

GUARD, FLAT = 0.1, 0.5
"""Share of a sample from the interpolant to this power, and as large a one from the mixture, whose tails are longer."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a likelihood is interpolated.

    Attributes
    ----------
    deep : float
        Values are compressed below the highest by more than this.
    alone : float
        From this distance of points of high density on, in sds, it falls.
    smoothing : float
        Errors of the values that are smoothed away, against the roughness of the likelihood.
    """

    deep: float = 10.0
    alone: float = 1.5
    smoothing: float = 0.0


PLAIN = Manner()


@dataclass(frozen=True, slots=True, eq=False)
class Dear:
    """A posterior whose points are dear.

    Attributes
    ----------
    prior, likelihood : callable
        Logs of the prior density, which is cheap, and of the likelihood.
    starts : (m, d) array
        Where climbs to a mode start.
    reach, spread : (d,) arrays
        Of the first step of a climb, and of the posterior as expected.
    natural : callable
        Coordinates (n, d) of points in which the likelihood is smooth, to where it no longer changes: a small scale
        itself, and not its log.
    """

    prior: Target
    likelihood: Target
    starts: FloatArray
    reach: FloatArray
    spread: FloatArray
    natural: Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Points (n, d), and the log likelihood there (n,)."""

    points: FloatArray
    heights: FloatArray

    def more(self, other: Known) -> Known:
        """Return both."""
        return Known(
            np.concatenate([self.points, other.points]), np.concatenate([self.heights, other.heights])
        )


@dataclass(frozen=True, slots=True, eq=False)
class Interpolant:
    """A log posterior whose likelihood is a function through points.

    Attributes
    ----------
    prior, natural : callable
        As of `Dear`.
    surface : Surface
        In natural coordinates.
    manner : Manner
    high : (n,) bool array
        Points of high density: far from these the function falls.
    top, most : float
        The likelihood at the highest point, and the largest rise above it.
    """

    prior: Target
    natural: Callable[[FloatArray], FloatArray]
    surface: Surface
    manner: Manner
    high: NDArray[np.bool_]
    top: float
    most: float

    def posterior(self, points: FloatArray) -> FloatArray:
        """Return log densities (n,) at points (n, d)."""
        rise, alone = self.surface.at(self.natural(points), self.high)
        rise = np.minimum(rise, self.most)
        rise -= (FALL * np.maximum(alone - self.manner.alone, 0.0)) ** 2
        return np.asarray(self.top + rise + self.prior(points))


def sample_dear(
    dear: Dear,
    points: int,
    draws: int,
    chains: int,
    seed: np.random.SeedSequence,
    last: Target | None = None,
) -> Sampled:
    """Return draws from a posterior; where the last sample has fewer points than draws, points are drawn several times.

    Parameters
    ----------
    dear : Dear
    points : int
        Points of the last sample, over all chains.
    draws, chains : int
    seed : SeedSequence
    last : callable, optional
        The likelihood, as it is computed at the points of the last sample.

    Raises
    ------
    InferenceError
        If the density is zero or not finite at the points tried.
    """
    searching, *others = (np.random.default_rng(child) for child in seed.spawn(chains + 1))
    known, mixture = _refined(dear, searching)
    exact = dear if last is None else replace(dear, likelihood=last)
    pools, drawn = [], []
    for rng in others:
        own, logs = _pool(exact, known, mixture, POOL, -(-points // chains), rng)
        pools.append(logs)
        drawn.append(own.points[rng.permutation(_chosen(logs, draws, rng))])
    logs = np.concatenate(pools)
    value, error = integral(logs)
    ess = np.array([[effective(normalised(pool)) for pool in pools]])
    return Sampled(np.stack(drawn)[None], tail_shape(logs), ess, value, error)


def _refined(dear: Dear, rng: np.random.Generator) -> tuple[Interpolant, Mixture]:
    """Return an interpolant that is good where the density is, and a mixture fitted to it."""
    climbs = [_climbed(dear, start) for start in dear.starts]
    modes = np.array([each.points[np.argmax(each.heights + dear.prior(each.points))] for each in climbs])
    known = reduce(Known.more, climbs)
    if not np.any(np.isfinite(known.heights)):
        raise InferenceError(LOST)
    d = modes.shape[1]
    batch = max(LEAST, int(KNOWN * (d + 1) * (d + 2) / 2))
    beside, spreads = zip(*[_spread(dear, mode) for mode in modes], strict=True)
    known = reduce(Known.more, beside, known)
    roots = np.array([np.diag(width * spread) for width in WIDTHS for spread in spreads])
    mixture = Mixture(np.full(len(roots), 1 / len(roots)), np.tile(modes, (len(WIDTHS), 1)), roots)
    more, good = _computed(dear, mixture.draw(rng, batch)), 0
    for _ in range(ROUNDS):
        known = known.more(more)
        found = interpolated(known, dear.prior, dear.natural, dear.spread)
        if good == TWICE:
            break
        mixture = _fitted(found, mixture, rng)
        more, logs = _pool(dear, found, mixture, FITTING, batch, rng)
        good += effective(normalised(logs)) > GOOD * batch
    return found, mixture


def _computed(dear: Dear, points: FloatArray) -> Known:
    return Known(points, _finite(dear.likelihood(points)))


def _climbed(dear: Dear, start: FloatArray) -> Known:
    """Return the points of a climb to a mode."""
    found: list[Known] = []

    def height(points: FloatArray) -> FloatArray:
        found.append(_computed(dear, points))
        return found[-1].heights + dear.prior(points)

    climb(height, start, dear.reach)
    return reduce(Known.more, found)


def _spread(dear: Dear, mode: FloatArray) -> tuple[Known, FloatArray]:
    """Return points beside a mode in each coordinate, and the spread (d,) by the curvature there."""
    steps = np.diag(dear.spread)
    known = _computed(dear, np.concatenate([mode[None], mode + steps, mode - steps]))
    middle, sides = np.split(known.heights + dear.prior(known.points), [1])
    bend = 2 * middle - np.sum(sides.reshape(2, -1), axis=0)
    spread = dear.spread / np.sqrt(np.maximum(bend, 1e-3))
    return known, np.minimum(spread, WIDEST)


def _finite(heights: FloatArray) -> FloatArray:
    return np.where(np.isfinite(heights), heights, -np.inf)


def interpolated(
    known: Known,
    prior: Target,
    natural: Callable[[FloatArray], FloatArray],
    spread: FloatArray,
    manner: Manner = PLAIN,
) -> Interpolant:
    """Return the interpolant of a likelihood through known points, compressed where it is low.

    Parameters
    ----------
    known : Known
    prior, natural : callable
        As of `Dear`.
    spread : (d,) array
        Least spread of the posterior in natural coordinates.
    manner : Manner, optional
    """
    deep = manner.deep
    places_of, places = np.unique(natural(known.points), axis=0, return_index=True)
    likelihood, heights = known.heights[places], (known.heights + prior(known.points))[places]
    top = float(likelihood[np.argmax(heights)])
    near = places_of[heights > np.max(heights) - deep]
    centre, covariance = moments(near, np.full(len(near), 1 / len(near)))
    root = np.linalg.cholesky(covariance + np.diag(spread**2))
    kept = np.isfinite(heights)
    below = top - likelihood[kept]
    values = -np.where(below > deep, deep + SLOW * np.log1p(np.maximum(below - deep, 0.0) / SLOW), below)
    surface = through(places_of[kept], values, centre, root, manner.smoothing)
    high = heights[kept] > np.max(heights) - HIGH
    return Interpolant(prior, natural, surface, manner, high, top, RISE - float(np.min(below)))


def _fitted(known: Interpolant, mixture: Mixture, rng: np.random.Generator) -> Mixture:
    """Return a mixture fitted to the interpolant."""
    with suppress(np.linalg.LinAlgError):  # where all weight is on one point
        for _ in range(FITS):
            found = weighted(known.posterior, mixture, FITTING, rng)
            points = found.points[_chosen(found.logs, 200, rng)]
            points = points + 1e-3 * np.std(points, axis=0) * rng.standard_normal(points.shape)
            weights = cut(normalised(found.logs))
            mixture = fitted_to(scattered(points, COMPONENTS, rng), found.points, weights)
    return mixture


def _chosen(logs: FloatArray, count: int, rng: np.random.Generator) -> IntArray:
    """Return places (count,) of draws with log weights (n,), by systematic resampling."""
    edges = np.cumsum(normalised(logs))
    steps = (np.arange(count) + rng.random()) / count
    return np.asarray(np.minimum(np.searchsorted(edges, steps * edges[-1]), len(logs) - 1))


def _pool(
    dear: Dear, known: Interpolant, mixture: Mixture, candidates: int, count: int, rng: np.random.Generator
) -> tuple[Known, FloatArray]:
    """Return points, computed, with their log weights (count,), taken from `candidates` draws.

    They are from the interpolant, from it made flatter, and from the mixture.
    """
    tried = mixture.draw(rng, candidates)
    base, heights = mixture.log_density(tried), known.posterior(tried)
    counts = [count - 2 * max(1, round(GUARD * count)), *[max(1, round(GUARD * count))] * 2]
    drawn, wholes = [], []
    for power, some in zip((1.0, FLAT, 0.0), counts, strict=True):
        logs = power * heights - base if power else np.zeros(candidates)
        drawn.append(tried[_chosen(logs, some, rng)])
        wholes.append(integral(logs)[0])
    points = np.concatenate(drawn)
    own = known.posterior(points)
    parts = np.stack([own - wholes[0], FLAT * own - wholes[1], mixture.log_density(points)])
    by_all = np.logaddexp.reduce(parts + np.log(np.array(counts) / count)[:, None], axis=0)
    out = _computed(dear, points)
    return out, _finite(out.heights + dear.prior(points)) - by_all
