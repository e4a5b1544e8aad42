"""Figures of a joint test from draws of the quantities tested: is any of them different from zero?

Shapes: C chains, S draws per chain, q quantities c = R b - r whose null is zero. Every figure that is an average over
draws comes with its Monte Carlo standard error, by batches over the whole statistic: the centre and covariance
are estimated from the same draws, so the binomial error would be too small. The batches are left out one at a
time: a batch alone is too small to estimate a covariance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.results.draws.convergence import ess_bulk
from formulajoint.results.joint_tests.beyond import beyond_band, beyond_ellipsoid, centred, largest

type Holds = Callable[[FloatArray], NDArray[np.bool_]]
"""Function of n draws (n, q): whether a condition holds in each (n,)."""

BATCHES, FEWER, LARGE = 20, 12, 150_000
"""Fewest batches of draws for Monte Carlo standard errors, which themselves are then off by a sixth; and those for more
than `LARGE` numbers, off by a fifth, where each batch costs some milliseconds."""

SINGULAR = 1e-10
"""Singular value, relative to the largest, below which standardised draws count as constant in a direction."""

DRAWS_PER_RANK = 10
"""Effective draws that a covariance needs for each dimension."""

FEW = 10
"""A share that rests on fewer effective draws than this is known to its order of magnitude at best."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate from draws with its Monte Carlo standard error."""

    value: float
    mcse: float


def by_batches(statistic: Callable[[FloatArray], float], draws: FloatArray) -> Figure:
    """Return a statistic of draws (C, S, q) with its Monte Carlo standard error, by `jackknife`."""
    value, error = jackknife(lambda flat: np.array(statistic(flat)), draws)
    return Figure(float(value), float(error))


def jackknife(
    statistic: Callable[[FloatArray], FloatArray], draws: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return statistics of draws (C, S, q) with their Monte Carlo standard errors, by the jackknife over batches.

    A batch is a run of draws of one chain, longer than their autocorrelation. For an average this is the error from
    batch means.
    """
    q = draws.shape[2]
    value, batches = statistic(draws.reshape((-1, q))), in_batches(draws)
    if batches is None:
        return value, np.full_like(value, np.nan)
    kept = batches[1:].copy()
    without = [statistic(kept.reshape((-1, q)))]
    for b in range(len(batches) - 1):  # batch b takes the place of the next one
        kept[b] = batches[b]
        without.append(statistic(kept.reshape((-1, q))))
    return value, _error(without)


def in_batches(draws: FloatArray) -> FloatArray | None:
    """Return draws (C, S, q) as batches of one chain each, (batches, size, q); None if there are too few draws."""
    chains, length, q = draws.shape
    per_chain = max(2, -(-(BATCHES if draws.size <= LARGE else FEWER) // chains))
    size = length // per_chain
    return draws[:, : size * per_chain].reshape((chains * per_chain, size, q)) if size >= 2 else None


def _error(without: Sequence[FloatArray] | FloatArray) -> FloatArray:
    """Return the standard error of a statistic, from its values without each batch."""
    return np.asarray(np.std(without, axis=0) * np.sqrt(len(without) - 1))


def whitened(draws: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return draws (n, q), and the point zero, in coordinates in which draws have mean zero and covariance one.

    Returns
    -------
    draws, zero : (n, rank) and (rank,) arrays
        None if the draws do not reach zero: a quantity, or a combination of some, is constant and not zero.
    """
    still = np.ptp(draws, axis=0) == 0
    if np.any(draws[0, still] != 0):
        return None
    centre, scale = draws.mean(axis=0), np.where(still, 1.0, draws.std(axis=0))  # units do not matter
    standard = (draws - centre) / scale
    _, values, vectors = np.linalg.svd(np.linalg.qr(standard, mode="r"))
    kept = values > SINGULAR * np.max(values, initial=0)
    zero = vectors @ (-centre / scale)
    if np.any(abs(zero[~kept]) > 1e-6):
        return None
    unit = vectors[kept].T / values[kept] * np.sqrt(len(draws))
    return standard @ unit, zero[kept] / values[kept] * np.sqrt(len(draws))


def distances(draws: FloatArray, point: FloatArray) -> tuple[FloatArray, float]:
    """Return squared Mahalanobis distances from the centre of draws (n, q): of each draw (n,), and of `point` (q,).

    A draw's distance is from centre and covariance of the other draws. With its own effect on both it would be nearer
    than `point`. The draws are `whitened`, so that their covariance can be inverted without loss.
    """
    centre, n = draws.mean(axis=0), len(draws)
    away = draws - centre
    inverse = np.linalg.inv(np.linalg.cholesky(away.T @ away / (n - 1)))
    standard = away @ inverse.T
    own = np.einsum("nq,nq->n", standard, standard)
    left_out = n**2 * (n - 2) * own / ((n - 1) * ((n - 1) ** 2 - n * own))  # Sherman & Morrison
    return left_out, float(np.sum((inverse @ (point - centre)) ** 2))


def contour_probability(draws: FloatArray) -> Figure:
    """Return the posterior mass outside the ellipsoid about the centre whose surface goes through zero.

    Parameters
    ----------
    draws : (C, S, q) array
        More than 2 q draws.

    Notes
    -----
    Box & Tiao, *Bayesian Inference in Statistical Analysis* (1973), section 2.8, and Held, Journal of Computational and
    Graphical Statistics 2004, with an elliptical region. For a Gaussian model with one sigma and flat
    priors it equals the F test's p-value.
    """
    found = whitened(draws.reshape((-1, draws.shape[2])))
    if found is None:
        return Figure(0.0, 0.0)
    white, zero = found
    if len(zero) == 0:  # constants, all of them zero
        return Figure(1.0, 0.0)

    own, null = distances(white, zero)
    batches = in_batches(white.reshape((*draws.shape[:2], -1)))
    error = math.nan if batches is None else float(_error(beyond_ellipsoid(batches, zero)))
    return Figure(float(np.mean(own >= null)), error)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Simultaneous intervals: with `probability` all quantities lie within their intervals at once.

    Attributes
    ----------
    low, high : (q,) arrays
    low_mcse, high_mcse : (q,) arrays
        Their Monte Carlo standard errors.
    """

    low: FloatArray
    high: FloatArray
    low_mcse: FloatArray
    high_mcse: FloatArray
    probability: float


def simultaneous_band(draws: FloatArray, probability: float = 0.95) -> Band:
    """Return max-T simultaneous intervals of draws (C, S, q).

    Notes
    -----
    T_s = max_g |c_sg - m_g| / s_g; the band is m_g +- quantile(T) s_g. Crainiceanu, Ruppert, Carroll, Joshi & Goodner,
    JASA 2007; Meyer, Coull, Versace, Cinciripini & Morris, Biometrics 2015.
    """

    def limits(flat: FloatArray) -> FloatArray:
        return band_limits(flat, probability)

    (low, high), (low_mcse, high_mcse) = jackknife(limits, draws)
    return Band(low, high, low_mcse, high_mcse, probability)


def band_limits(flat: FloatArray, probability: float) -> FloatArray:
    """Return the ends of the simultaneous intervals of draws (n, q), without their errors, (2, q)."""
    centre, away, sd = centred(flat)
    reach = float(np.quantile(largest(away, sd), probability)) * sd
    return np.stack([centre - reach, centre + reach])


def global_p_value(draws: FloatArray) -> Figure:
    """Return 1 minus the largest probability at which an interval of the simultaneous band excludes zero.

    Notes
    -----
    The global Bayesian p-value of Meyer, Coull, Versace, Cinciripini & Morris, Biometrics 2015.
    """

    still = np.ptp(draws, axis=(0, 1)) == 0
    if np.any(draws[0, 0, still] != 0):
        return Figure(0.0, 0.0)
    if np.all(still):  # constants, all of them zero
        return Figure(1.0, 0.0)

    moving = draws[:, :, ~still]
    centre, away, sd = centred(moving.reshape((-1, moving.shape[2])))
    batches = in_batches(moving)
    error = math.nan if batches is None else float(_error(beyond_band(batches)))
    return Figure(float(np.mean(largest(away, sd) >= largest(centre, sd))), error)


def probability_of(holds: Holds, draws: FloatArray) -> Figure:
    """Return the share of draws (C, S, q) for which `holds`, a function from (n, q) to (n,) booleans, is true."""
    chains, length, q = draws.shape
    held = holds(draws.reshape((-1, q))).reshape((chains, length, 1))
    return by_batches(lambda flat: float(np.mean(flat)), held.astype(float))


def all_positive(flat: FloatArray) -> NDArray[np.bool_]:
    """Return whether every quantity is above zero, for each draw."""
    return np.asarray(np.all(flat > 0, axis=1))


def all_negative(flat: FloatArray) -> NDArray[np.bool_]:
    """Return whether every quantity is below zero, for each draw."""
    return np.asarray(np.all(flat < 0, axis=1))


def at_least(count: int) -> Holds:
    """Return the condition that `count` quantities or more are above zero."""
    return lambda flat: np.asarray(np.sum(flat > 0, axis=1) >= count)


def all_within(rope: float | FloatArray) -> Holds:
    """Return the condition that every quantity is nearer to zero than its `rope`."""
    return lambda flat: np.asarray(np.all(abs(flat) < rope, axis=1))


def all_beyond(rope: float | FloatArray) -> Holds:
    """Return the condition that every quantity is farther from zero than its `rope`."""
    return lambda flat: np.asarray(np.all(abs(flat) > rope, axis=1))


def effective_draws(draws: FloatArray) -> float:
    """Return the smallest bulk effective sample size over the quantities of draws (C, S, q)."""
    moving = draws[:, :, np.ptp(draws, axis=(0, 1)) > 0]
    if draws.shape[1] < 4 or moving.shape[2] == 0:
        return float(draws.shape[0] * draws.shape[1])
    return float(np.min(ess_bulk(np.moveaxis(moving, 2, 0))))
