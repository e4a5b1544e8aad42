"""Draws from a density by importance sampling: a pool a chain, weighted, checked and resampled.

Shapes: F densities side by side, C chains, n points of a pool, d coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from formulajoint.design.schema import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.exact.mode import Target, find_mode
from formulajoint.inference.exact.pareto import k_hat
from formulajoint.inference.exact.proposal import Mixture, effective, fit_proposal, log_weights, normalised

EFFORTS = ((6, 2000), (12, 6000))
"""Components of the proposal and draws for each round of fitting it: the second where the first does not do."""

K_HAT = 0.7
"""Importance sampling is not to be trusted above this (Vehtari, Simpson, Gelman, Yao & Gabry, JMLR 2024)."""

GOOD = 0.5
"""A k-hat below this is as good as any."""

ENOUGH = 10
"""A pool is worth so many times the draws that are taken from it."""

MOST_GROWTH = 8
"""A pool grows to so many times its first size."""

LEAST = 250
"""Draws that a pool is made for at least, so that the check has a tail to look at."""

LOST = "Importance sampling found no density to draw from."

CHECKED = 16
"""Of many densities side by side so many, those with the heaviest weights, get a k-hat."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """What importance sampling found.

    Attributes
    ----------
    points : (F, C, draws, d) array
    k_hat : float
        Pareto shape of the largest weights: above `K_HAT` they cannot be trusted. Of the worst density.
    ess : (F, C) array
        What each pool is worth in independent draws.
    log_integral, error : float
        Sum over the densities of the log of each integral, and its standard error.
    """

    points: FloatArray
    k_hat: float
    ess: FloatArray
    log_integral: float
    error: float


@dataclass(frozen=True, eq=False)
class Pools:
    """Points of one proposal, a pool a chain.

    Attributes
    ----------
    proposal : Mixture
    chains : list of Generator
        From which each pool draws.
    each : list of (F, n, d) and (F, n) arrays
        Points and log weights.
    """

    proposal: Mixture
    chains: list[np.random.Generator]
    each: list[tuple[FloatArray, FloatArray]]

    @property
    def logs(self) -> FloatArray:
        """The log weights of all pools, (F, N)."""
        return np.concatenate([logs for _, logs in self.each], axis=1)

    @cached_property
    def k_hat(self) -> float:
        """Pareto shape of the largest weights."""
        return _k_hat(self.logs)


def sample(
    target: Target, starts: Sequence[FloatArray], draws: int, chains: int, seed: np.random.SeedSequence
) -> Sampled:
    """Return draws from the target.

    Parameters
    ----------
    target : callable
        Log densities, up to a constant that then is in the integral.
    starts : sequence of (F, d) arrays
        Where to look for modes, of which each density may have several.
    draws, chains : int
    seed : SeedSequence

    Raises
    ------
    InferenceError
        Where there is no density to be found, or all of it is at one point.
    """
    found = [find_mode(target, start) for start in starts if np.all(np.isfinite(target(start[:, None])))]
    if not found:
        raise InferenceError(LOST)
    modes, covariances = (np.stack(each, axis=1) for each in zip(*found, strict=True))
    tries = []
    for most, cost in EFFORTS:
        components = min(most, 1 + 2 * modes.shape[2])
        first, *others = (np.random.default_rng(child) for child in seed.spawn(chains + 1))
        try:
            proposal, share = fit_proposal(target, modes, covariances, components, cost, first)
        except np.linalg.LinAlgError:  # all weight is on one point
            continue
        size = round(1.1 * ENOUGH * max(draws, LEAST) / max(float(np.min(share)), 0.05))
        tries.append(Pools(proposal, others, [_more(target, proposal, size, rng) for rng in others]))
        if tries[-1].k_hat < GOOD:
            break
    if not tries:
        raise InferenceError(LOST)
    best = min(tries, key=lambda pools: pools.k_hat)
    return _sampled(_grown(target, best, draws), draws)


def _sampled(pools: Pools, draws: int) -> Sampled:
    """Return draws from pools, and what their weights say."""
    drawn = [_resampled(*pool, draws, rng) for pool, rng in zip(pools.each, pools.chains, strict=True)]
    ess = np.stack([effective(normalised(logs)) for _, logs in pools.each], axis=1)
    return Sampled(np.stack(drawn, axis=1), pools.k_hat, ess, *_integral(pools.logs))


def _grown(target: Target, pools: Pools, draws: int) -> Pools:
    """Return pools that are worth `ENOUGH` times the draws each, no point more than one of them."""
    wanted, size = ENOUGH * max(draws, LEAST), pools.each[0][1].shape[1]
    grown = []
    for rng, (points, logs) in zip(pools.chains, pools.each, strict=True):
        while points.shape[1] < MOST_GROWTH * size:
            weights = normalised(logs)
            if np.min(effective(weights)) >= wanted and np.max(weights) <= 1 / draws:
                break
            more, their_logs = _more(target, pools.proposal, size // 2, rng)
            points, logs = np.concatenate([points, more], axis=1), np.concatenate([logs, their_logs], axis=1)
        grown.append((points, logs))
    return Pools(pools.proposal, pools.chains, grown)


def _more(
    target: Target, proposal: Mixture, size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    points = proposal.draw(rng, size)
    return points, log_weights(target, proposal, points)


def _resampled(points: FloatArray, logs: FloatArray, draws: int, rng: np.random.Generator) -> FloatArray:
    """Return draws (F, draws, d): systematic resampling, in random order and density by density for itself."""
    edges = np.cumsum(normalised(logs), axis=1)
    steps = (np.arange(draws) + rng.random((len(points), 1))) / draws
    out = np.empty((len(points), draws, points.shape[2]))
    for f in range(len(points)):
        chosen = np.minimum(np.searchsorted(edges[f], steps[f] * edges[f, -1]), points.shape[1] - 1)
        out[f] = points[f, rng.permutation(chosen)]
    return out


def _k_hat(logs: FloatArray) -> float:
    """Return the largest k-hat of log weights (F, n)."""
    heaviest = np.argsort(np.max(logs, axis=1) - np.logaddexp.reduce(logs, axis=1))[-CHECKED:]
    return max(k_hat(logs[f][np.isfinite(logs[f])]) for f in heaviest)


def _integral(logs: FloatArray) -> tuple[float, float]:
    """Return the sum of the logs of the mean weights, and its standard error."""
    count = logs.shape[1]
    value = np.logaddexp.reduce(logs, axis=1) - np.log(count)
    spread = np.var(np.exp(logs - value[:, None]), axis=1) / count
    return float(np.sum(value)), float(np.sqrt(np.sum(spread)))
