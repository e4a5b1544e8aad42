"""Shares of draws that are far out, without each batch of draws in turn: their Monte Carlo errors rest on these.

Shapes: B batches of `size` draws, q quantities. Leaving a batch out moves centre and covariance a little, and
distances within bounds that follow from these. So only draws near the limit are measured again; no share is
approximate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from formulajoint.arrays import FloatArray, IntArray

type Measure = Callable[[IntArray], FloatArray]
"""Function of the places of some draws: the distance of each."""


def beyond_ellipsoid(batches: FloatArray, point: FloatArray) -> FloatArray:
    """Return the share of draws (B, size, q) that lie as far out as `point` (q,), without each batch, (B,).

    The draws have mean zero and covariance one, so that nothing is lost where sums of squares are those of all draws
    less a batch's own.
    """
    every, n = batches.reshape((-1, batches.shape[2])), (len(batches) - 1) * batches.shape[1]
    sums, squares = batches.sum(axis=1), batches.transpose(0, 2, 1) @ batches
    length, found = np.linalg.norm(every, axis=1), []
    for total, products in zip(sums.sum(axis=0) - sums, squares.sum(axis=0) - squares, strict=True):
        centre = total / n
        covariance = (products - n * np.outer(centre, centre)) / (n - 1)
        inverse = np.linalg.inv(np.linalg.cholesky(covariance))

        def lengths(of: IntArray, centre: FloatArray = centre, inverse: FloatArray = inverse) -> FloatArray:
            return np.asarray(np.linalg.norm((every[of] - centre) @ inverse.T, axis=1))

        least, most = np.sqrt(np.linalg.eigvalsh(covariance)[[0, -1]])
        shift = np.linalg.norm(centre)
        bounds = (length - shift) / most, (length + shift) / least
        limit = among_all(float(np.sum((inverse @ (point - centre)) ** 2)), n)
        found.append(_beyond(*bounds, limit, lengths))
    return _without_own(found, batches)


def among_all(squared: float, n: int) -> float:
    """Return how far from the centre of n draws is a draw whose squared distance from that of the others is given.

    Sherman & Morrison, Annals of Mathematical Statistics 1950: where e is the squared distance from the centre of all,
    that from the centre of the others, by their covariance, is n^2 (n - 2) e / ((n - 1) ((n - 1)^2 - n e)).
    """
    return float(np.sqrt(squared * (n - 1) ** 3 / (n**2 * (n - 2) + squared * n * (n - 1))))


def beyond_band(batches: FloatArray) -> FloatArray:
    """Return the share of draws (B, size, q) outside the band that just reaches zero, without each batch, (B,)."""
    every, n = batches.reshape((-1, batches.shape[2])), (len(batches) - 1) * batches.shape[1]
    centre, away, sd = centred(every)
    reach, parts, found = largest(away, sd), away.reshape(batches.shape), []
    sums, squares = parts.sum(axis=1), np.einsum("bnq,bnq->bq", parts, parts)
    for total, products in zip(sums.sum(axis=0) - sums, squares.sum(axis=0) - squares, strict=True):
        shift = total / n
        with np.errstate(
            divide="ignore", invalid="ignore"
        ):  # a quantity may move in the batch left out alone
            own = np.sqrt(np.maximum(products - n * shift**2, 0) / (n - 1))
            ratio, moved = sd / own, largest(shift, own)
            bounds = reach * ratio.min() - moved, reach * ratio.max() + moved

        def reaches(of: IntArray, shift: FloatArray = shift, own: FloatArray = own) -> FloatArray:
            return largest(away[of] - shift, own)

        found.append(_beyond(*bounds, float(largest(centre + shift, own)), reaches))
    return _without_own(found, batches)


def centred(flat: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the mean of draws (n, q), their distances from it, and their sd; much faster than `numpy.std`."""
    centre = flat.mean(axis=0)
    away = flat - centre
    return centre, away, np.sqrt(np.einsum("nq,nq->q", away, away) / (len(flat) - 1))


def largest(away: FloatArray, sd: FloatArray) -> FloatArray:
    """Return the largest of distances (..., q) in units of sd; a constant has distance zero or infinity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = abs(away) / sd
    return np.asarray(np.max(scaled if np.all(sd > 0) else np.nan_to_num(scaled, posinf=np.inf), axis=-1))


def _beyond(low: FloatArray, high: FloatArray, limit: float, measure: Measure) -> FloatArray:
    """Return whether distances, which lie between `low` and `high`, reach the limit, as 0 and 1."""
    beyond = low >= limit
    near = np.flatnonzero(~beyond & ~(high < limit))
    beyond[near] = measure(near) >= limit
    return beyond.astype(float)


def _without_own(beyond: list[FloatArray], batches: FloatArray) -> FloatArray:
    """Return the mean of what is found without each batch, (B, B size) in all, over the draws of the others."""
    counts = np.reshape(beyond, (len(batches), len(batches), -1)).sum(axis=2)
    kept = (len(batches) - 1) * batches.shape[1]
    return np.asarray((counts.sum(axis=1) - np.diagonal(counts)) / kept)
