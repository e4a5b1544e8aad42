"""Effective sample sizes, r_hat and shortest intervals of many parameters side by side.

The figures are ArviZ's, by the definitions of Vehtari, Gelman, Simpson, Carpenter & Bürkner (Bayesian Analysis 2021).
ArviZ computes one parameter after the other, twice as slowly for thousands, and takes a second to load
(``benchmarks/convergence.py``).

Shapes: K parameters, C chains, S draws per chain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from formulajoint.arrays import FloatArray

AT_ONCE = 2**21
"""Most draws that are processed at once."""

FEWEST = 4
"""Fewest draws per chain; with fewer the figures are NaN."""


def hdi(draws: FloatArray, prob: float) -> FloatArray:
    """Return the shortest interval that holds a share `prob` of each parameter's draws (K, n); (K, 2)."""
    ordered, n = np.sort(draws, axis=1), draws.shape[1]
    inside = min(int(np.floor(prob * n)), n - 1)
    start = np.argmin(ordered[:, inside:] - ordered[:, : n - inside], axis=1)[:, None]
    return np.take_along_axis(ordered, np.hstack([start, start + inside]), axis=1)


def ess_bulk(draws: FloatArray) -> FloatArray:
    """Return the effective sample size for the centre of each parameter, from draws (K, C, S); (K,)."""
    return _in_parts(lambda some: _ess(_scores(_split(some))), draws)


def ess_tail(draws: FloatArray, tails: tuple[float, float]) -> FloatArray:
    """Return the smaller of the effective sample sizes for two quantiles, from draws (K, C, S); (K,)."""

    def smaller(some: FloatArray) -> FloatArray:
        limits = np.quantile(some, tails, axis=(1, 2))[..., None, None]
        below = [_ess(_split((some <= limit).astype(float))) for limit in limits]
        return np.minimum(*below)

    return _in_parts(smaller, draws)


def r_hat(draws: FloatArray) -> FloatArray:
    """Return the larger of the rank-normalised r_hat of centre and of spread, from draws (K, C, S); (K,)."""
    return np.asarray(ess_bulk_and_r_hat(draws)[1])


def ess_bulk_and_r_hat(draws: FloatArray) -> FloatArray:
    """Return the effective sample size and r_hat of each parameter, which rest on the same ranks; (2, K)."""

    def both(some: FloatArray) -> FloatArray:
        halves = _split(some)
        scores = _scores(halves)
        folded = abs(halves - np.median(halves, axis=(1, 2), keepdims=True))
        centre, spread = _ratio(scores), _ratio(_scores(folded))
        return np.stack([_ess(scores), np.where(spread > centre, spread, centre)])

    if draws.shape[1] < 2:
        return np.stack([ess_bulk(draws), np.full(len(draws), np.nan)])
    return _in_parts(both, draws, 2)


def _in_parts(figure: Callable[[FloatArray], FloatArray], draws: FloatArray, *several: int) -> FloatArray:
    """Return a figure, or `several`, of each parameter; NaN if a draw is NaN, or there are too few draws."""
    out = np.full((*several, len(draws)), np.nan)
    if draws.shape[2] < FEWEST:
        return out
    usable = np.flatnonzero(~np.isnan(draws).any(axis=(1, 2)))
    step = max(1, AT_ONCE // (draws.shape[1] * draws.shape[2]))
    with np.errstate(all="ignore"):
        for start in range(0, len(usable), step):
            some = usable[start : start + step]
            out[..., some] = figure(draws[some])
    return out


def _split(draws: FloatArray) -> FloatArray:
    """Return the halves of the chains as separate chains, (K, 2 C, S // 2)."""
    half = draws.shape[2] // 2
    return np.concatenate([draws[:, :, :half], draws[:, :, -half:]], axis=1)


def _scores(draws: FloatArray) -> FloatArray:
    """Return normal scores: the normal quantiles of Blom's (1958) fractions of the ranks; ties have their mean rank."""
    flat = draws.reshape(len(draws), -1)
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    scores = np.empty(flat.shape)
    np.put_along_axis(scores, order, _of_sorted(ordered), axis=1)
    return scores.reshape(draws.shape)


def _of_sorted(ordered: FloatArray) -> FloatArray:
    """Return the normal scores of sorted draws (K, n)."""
    count, n = ordered.shape
    differs = np.ones((count, n + 1), dtype=bool)
    differs[:, 1:-1] = ordered[:, 1:] != ordered[:, :-1]
    if differs.all():
        return np.broadcast_to(_quantiles(n), ordered.shape)
    places = np.arange(n)
    first = np.maximum.accumulate(np.where(differs[:, :-1], places, 0), axis=1)
    last = np.minimum.accumulate(np.where(differs[:, 1:], places, n)[:, ::-1], axis=1)[:, ::-1]
    scores: FloatArray = _quantiles(n)[(first + last) // 2]
    between = (first + last) % 2 == 1  # an even number of ties
    halves, which = np.unique((first + last)[between], return_inverse=True)
    scores[between] = _quantiles_of(halves / 2 + 1, n)[which]
    return scores


@lru_cache(maxsize=8)
def _quantiles(n: int) -> FloatArray:
    """Return the normal quantiles of Blom's fractions for the ranks 1, 2, ..., n."""
    return _quantiles_of(np.arange(1.0, n + 1), n)


def _quantiles_of(ranks: FloatArray, n: int) -> FloatArray:
    quantile = NormalDist().inv_cdf
    return np.array([quantile(share) for share in (ranks - 3 / 8) / (n + 1 / 4)])


def _ratio(chains: FloatArray) -> FloatArray:
    """Return r_hat: the root of the variance of all draws over that within chains."""
    n = chains.shape[2]
    within = np.mean(np.var(chains, axis=2, ddof=1), axis=1)
    between = np.var(np.mean(chains, axis=2), axis=1, ddof=1)
    return np.asarray(np.sqrt(between / within + (n - 1) / n))


def _ess(chains: FloatArray) -> FloatArray:
    """Return the effective sample size for the mean, by Geyer's initial monotone sequence; (K,)."""
    k, c, n = chains.shape
    covariances = _autocovariances(chains)
    within = covariances[:, 0] * n / (n - 1)
    total = covariances[:, 0] + (np.var(np.mean(chains, axis=2), axis=1, ddof=1) if c > 1 else 0.0)
    rho = 1 - (within[:, None] - covariances) / total[:, None]
    rho[:, 0] = 1.0
    pairs = rho[:, : n // 2 * 2].reshape(k, -1, 2).sum(axis=2)
    most = max(0, (n - 3) // 2)  # the last pair that is used
    ended = pairs[:, : most + 1] <= 0
    ended[:, most] = True
    end = np.argmax(ended, axis=1)[:, None]
    kept = np.where(np.arange(pairs.shape[1]) < end, np.minimum.accumulate(pairs, axis=1), 0.0)
    last = np.take_along_axis(rho, 2 * end, axis=1)[:, 0]
    last = np.where((last > 0) | (np.take_along_axis(pairs, end, axis=1)[:, 0] >= 0), last, 0.0)
    tau = np.maximum(2 * kept.sum(axis=1) + last - 1, 1 / np.log10(c * n))
    constant = np.ptp(chains, axis=(1, 2)) < np.finfo(float).resolution
    return np.asarray(np.where(constant, c * n, c * n / tau))


def _autocovariances(chains: FloatArray) -> FloatArray:
    """Return autocovariances at every lag, the mean over chains; (K, n)."""
    n = chains.shape[2]
    size = 1 << (2 * n - 1).bit_length()
    transformed = np.fft.rfft(chains - chains.mean(axis=2, keepdims=True), size, axis=2)
    power = np.mean(transformed.real**2 + transformed.imag**2, axis=1)
    lags: FloatArray = np.fft.irfft(power, size, axis=1)
    return np.asarray(lags[:, :n] / n)
