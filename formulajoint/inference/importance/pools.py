"""Draws from a density by importance sampling: one pool per chain, weighted, checked and resampled.

Shapes: C chains, n points of a pool, d coordinates.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.importance.forecast import Told, forecast
from formulajoint.inference.importance.mode import Target, find_modes
from formulajoint.inference.importance.pareto import tail_shape
from formulajoint.inference.importance.proposal import (
    Fitted,
    Mixture,
    effective,
    integral,
    mixed,
    normalised,
    weighted,
)
from formulajoint.inference.importance.sampled import Sampled
from formulajoint.inference.importance.searches import Effort, Found, Look, about, search, thinned

LEAST = 250
"""Fewest draws for which a pool is sized, so that k-hat has a tail to fit."""

GOOD, TRIES = 0.5, 3
"""If k-hat is above this, the proposal is fitted again to the points of the pools; and the most tries."""

FITTED = 40_000
"""Most points of the pools to which it is fitted again: the time of EM grows with them."""

OFTEN = 3
"""A pool that has doubled grows until no point is worth more draws than this."""

USUAL = 0.5
"""Effective share of a usual proposal, for a forecast of time."""

HEAVIEST = 4
"""Number of points, those with the largest weights, from which modes are then climbed."""


@dataclass(frozen=True, eq=False)
class Pools:
    """Points of one proposal, one pool per chain.

    Attributes
    ----------
    chains : list of Generator
        Random numbers of each pool.
    each : list of (n, d) and (n,) arrays
        Points and log weights.
    """

    chains: list[np.random.Generator]
    each: list[tuple[FloatArray, FloatArray]]

    @cached_property
    def logs(self) -> FloatArray:
        """The log weights of all pools, (N,)."""
        return np.concatenate([logs for _, logs in self.each])

    @cached_property
    def k_hat(self) -> float:
        """Pareto shape of the largest weights; 0 if no weight is large, infinity if a single one dominates."""
        return tail_shape(self.logs)


@dataclass(frozen=True, slots=True, eq=False)
class Generators:
    """Random numbers of two searches, and of each chain's pool."""

    of_search: tuple[np.random.Generator, np.random.Generator]
    of_chains: list[np.random.Generator]


def sample(
    target: Target,
    look: Look,
    draws: int,
    chains: int,
    seed: np.random.SeedSequence,
    told: Told | None = None,
) -> Sampled:
    """Return draws from the target.

    Parameters
    ----------
    target : callable
        Log density, up to a constant, which the integral then includes.
    look : Look
        Regions to search.
    draws, chains : int
    seed : SeedSequence
    told : callable, optional
        Is told beforehand how many seconds it will take.

    Raises
    ------
    InferenceError
        If no density above zero is found, or all of it is at one point.
    """
    if told is not None:
        told(forecast(target, look, chains * usual_size(look.effort, draws)))
    rngs = generators(seed, chains)
    return draw_from(target, search(target, look, rngs.of_search), look.effort, draws, rngs)


def generators(seed: np.random.SeedSequence, chains: int) -> Generators:
    """Return independent random numbers for two searches, and for the pool of each chain."""
    climbing, tempering, *others = (np.random.default_rng(child) for child in seed.spawn(chains + 2))
    return Generators((climbing, tempering), others)


def draw_from(target: Target, found: Found, effort: Effort, draws: int, rngs: Generators) -> Sampled:
    """Return draws from the target by the proposal that searches found, of the target or of one that is near."""
    wanted = effort.enough * max(draws, LEAST)
    size = _size(wanted, found.share)
    proposal, tries = found.proposal, list[Pools]()
    while True:
        pools = Pools(rngs.of_chains, [_more(target, proposal, size, rng) for rng in rngs.of_chains])
        tries.append(_grown(target, proposal, pools, wanted, effort, draws))
        if tries[-1].k_hat <= GOOD or len(tries) == TRIES:
            break
        proposal = _moved(target, tries[-1], proposal, rngs.of_search[0])
    return _sampled(min(tries, key=lambda each: each.k_hat), found, draws)


def usual_size(effort: Effort, draws: int) -> int:
    """Return the usual size of a pool for a number of draws."""
    return _size(effort.enough * max(draws, LEAST), USUAL)


def _size(wanted: int, share: float) -> int:
    """Return the first size of a pool that is to be worth `wanted` draws, with a proposal of this effective share."""
    return round(1.1 * wanted / max(share, 0.05))


def _moved(target: Target, pools: Pools, proposal: Mixture, rng: np.random.Generator) -> Mixture:
    """Return a proposal with more components: about the points of pools, and about the modes near the heaviest."""
    points = np.concatenate([points for points, _ in pools.each])
    heaviest = points[np.argsort(-pools.logs)[:HEAVIEST]]
    parts = [proposal, about(find_modes(target, heaviest))]
    few = slice(FITTED // len(pools.each))
    some = [
        np.concatenate(each) for each in zip(*((x[few], logs[few]) for x, logs in pools.each), strict=True)
    ]
    with suppress(np.linalg.LinAlgError):  # where all weight is on one point
        parts.append(thinned(Fitted(proposal, *some), 2 * len(proposal.weights), rng))
    return mixed([(1 / len(parts), part) for part in parts])


def _sampled(pools: Pools, found: Found, draws: int) -> Sampled:
    """Return draws from pools, with k-hat, effective sample sizes and integral."""
    drawn = [_resampled(*pool, draws, rng) for pool, rng in zip(pools.each, pools.chains, strict=True)]
    ess = np.array([[effective(normalised(logs)) for _, logs in pools.each]])
    value, error = integral(pools.logs)
    return Sampled(np.stack(drawn)[None], pools.k_hat, ess, value, error, found.modes, found.disagreement)


def _grown(target: Target, proposal: Mixture, pools: Pools, wanted: int, effort: Effort, draws: int) -> Pools:
    """Return pools grown, as far as `effort` allows, until each is worth the wanted draws and no point many."""
    size = len(pools.each[0][1])
    grown = []
    for rng, (points, logs) in zip(pools.chains, pools.each, strict=True):
        while len(logs) < effort.growth * size:
            weights, most = normalised(logs), effort.repeats if len(logs) < 2 * size else OFTEN
            if effective(weights) >= wanted and np.max(weights) <= most / draws:
                break
            more, their_logs = _more(target, proposal, size // 2, rng)
            points, logs = np.concatenate([points, more]), np.concatenate([logs, their_logs])
        grown.append((points, logs))
    return Pools(pools.chains, grown)


def _more(
    target: Target, proposal: Mixture, size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    found = weighted(target, proposal, size, rng)
    return found.points, found.logs


def _resampled(points: FloatArray, logs: FloatArray, draws: int, rng: np.random.Generator) -> FloatArray:
    """Return draws (draws, d): systematic resampling, in random order."""
    edges = np.cumsum(normalised(logs))
    steps = (np.arange(draws) + rng.random()) / draws
    chosen = np.minimum(np.searchsorted(edges, steps * edges[-1]), len(points) - 1)
    return np.asarray(points[rng.permutation(chosen)])
