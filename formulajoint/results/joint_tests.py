"""Figures of a joint test from draws of the quantities tested: is any of them different from zero?

Shapes: C chains, S draws a chain, q quantities c = R b - r whose null is zero. Every figure that is an average over
draws comes with its Monte Carlo standard error, by batches over the whole statistic: the centre and covariance
are estimated from the same draws, so the binomial error would be too small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray

from formulajoint.design.schema import FloatArray

BATCHES = 20
"""Batches of draws for Monte Carlo standard errors, at least."""

DRAWS_PER_RANK = 10
"""A covariance of rank q needs so many effective draws for each dimension."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate from draws with its Monte Carlo standard error."""

    value: float
    mcse: float


def by_batches(statistic: Callable[[FloatArray], float], draws: FloatArray) -> Figure:
    """Return a statistic of draws (C, S, q) with its Monte Carlo standard error from batches within chains."""
    chains, length, q = draws.shape
    value = statistic(draws.reshape((-1, q)))
    per_chain = max(2, -(-BATCHES // chains))
    size = length // per_chain
    if size < 2:
        return Figure(value, float("nan"))
    batches = draws[:, : size * per_chain].reshape((chains * per_chain, size, q))
    values = np.array([statistic(batch) for batch in batches])
    return Figure(value, float(values.std(ddof=1) / np.sqrt(len(values))))


def distances(draws: FloatArray, point: FloatArray) -> tuple[FloatArray, float]:
    """Return the squared Mahalanobis distance from the centre of draws (n, q): of each draw (n,), and of `point`.

    Parameters
    ----------
    draws : (n, q) array
    point : (q,) array
    """
    centre = draws.mean(axis=0)
    covariance = np.atleast_2d(np.cov(draws, rowvar=False))
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[-1] * 1e-12 * len(values)
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    from_centre = (draws - centre) @ whiten
    null = (point - centre) @ whiten
    return np.sum(from_centre**2, axis=1), float(null @ null)


def contour_probability(draws: FloatArray) -> Figure:
    """Return the posterior mass outside the ellipsoid about the centre whose surface goes through zero.

    Parameters
    ----------
    draws : (C, S, q) array
        Of rank q.

    Notes
    -----
    Box & Tiao, *Bayesian Inference in Statistical Analysis* (1973), section 2.8, and Held, Journal of Computational and
    Graphical Statistics 2004, with an elliptical region. For a Gaussian model with one sigma and flat
    priors it equals the F test's p-value.
    """

    def statistic(flat: FloatArray) -> float:
        own, null = distances(flat, np.zeros(flat.shape[1]))
        return float(np.mean(own >= null))

    return by_batches(statistic, draws)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Simultaneous intervals: with `probability` all quantities lie within their own at once.

    Attributes
    ----------
    low, high : (q,) arrays
    gbpv : Figure
        Global Bayesian p-value: one less the probability at which the first interval leaves zero out.
    """

    low: FloatArray
    high: FloatArray
    probability: float
    gbpv: Figure


def simultaneous_band(draws: FloatArray, probability: float = 0.95) -> Band:
    """Return max-T simultaneous intervals and the global Bayesian p-value of draws (C, S, q).

    Notes
    -----
    T_s = max_g |c_sg - m_g| / s_g; the band is m_g +- quantile(T) s_g. Crainiceanu, Ruppert, Carroll, Joshi & Goodner,
    JASA 2007; Meyer, Coull, Versace, Cinciripini & Morris, Biometrics 2015.
    """

    def statistic(flat: FloatArray) -> float:
        centre, sd = flat.mean(axis=0), flat.std(axis=0, ddof=1)
        return float(np.mean(_largest(flat, centre, sd) >= np.max(abs(centre) / sd)))

    flat = draws.reshape((-1, draws.shape[2]))
    centre, sd = flat.mean(axis=0), flat.std(axis=0, ddof=1)
    reach = float(np.quantile(_largest(flat, centre, sd), probability)) * sd
    return Band(centre - reach, centre + reach, probability, by_batches(statistic, draws))


def _largest(flat: FloatArray, centre: FloatArray, sd: FloatArray) -> FloatArray:
    return np.asarray(np.max(abs(flat - centre) / sd, axis=1))


def probability_of(holds: Callable[[FloatArray], NDArray[np.bool_]], draws: FloatArray) -> Figure:
    """Return the share of draws (C, S, q) for which `holds`, a function from (n, q) to (n,) booleans, is true."""
    return by_batches(lambda flat: float(np.mean(holds(flat))), draws)


def all_positive(flat: FloatArray) -> NDArray[np.bool_]:
    """Tell of each draw whether every quantity is above zero."""
    return np.asarray(np.all(flat > 0, axis=1))


def all_negative(flat: FloatArray) -> NDArray[np.bool_]:
    """Tell of each draw whether every quantity is below zero."""
    return np.asarray(np.all(flat < 0, axis=1))


def all_within(rope: float) -> Callable[[FloatArray], NDArray[np.bool_]]:
    """Return a function that tells of each draw whether every quantity is nearer to zero than `rope`."""
    return lambda flat: np.asarray(np.all(abs(flat) < rope, axis=1))


def effective_draws(draws: FloatArray) -> float:
    """Return the smallest bulk effective sample size over the quantities of draws (C, S, q)."""
    if draws.shape[1] < 4:
        return float(draws.shape[0] * draws.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        each = array_stats.ess(np.moveaxis(draws, 2, 0), chain_axis=1, draw_axis=2, method="bulk")
    return float(np.min(each))
