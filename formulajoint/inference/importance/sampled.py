"""The result of sampling phi: draws, the log evidence, and checks of whether they can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.wording import phrase

K_HAT = 0.7
"""Importance sampling cannot be trusted above this k-hat (Vehtari, Simpson, Gelman, Yao & Gabry, JMLR 2024)."""

DISAGREE = 4.0
"""Most standard errors by which two searches may differ."""

DRAWS, POOLS = 500, 4
"""Draws per pool, and pools, for an evidence. A pool is worth five times its draws: a log evidence has an error of some
thousandths."""

SHRINKS = 4
"""From one rule of quadrature to the next finer one the error shrinks by at least this factor."""

LOST = "Importance sampling failed: the density is zero or not finite at every point tried."


@dataclass(frozen=True, slots=True)
class Sampled:
    """Draws of phi.

    Attributes
    ----------
    points : (F, C, draws, d) array
        F densities side by side, C chains.
    k_hat : float
        Pareto shape of the largest importance weights: above `K_HAT` they cannot be trusted. Minus infinity where
        draws are by quadrature, without weights.
    ess : (F, C) array
        Effective sample size of the points behind each chain; infinity with quadrature.
    log_integral, error : float
        Sum over the densities of the log of each integral, and its standard error.
    modes : int
        Number of separate modes found, the largest over the densities.
    disagreement : float
        Difference in log evidence between independent searches, in standard errors of the difference. Above `DISAGREE`
        parts of the posterior may be missing.
    """

    points: FloatArray
    k_hat: float
    ess: FloatArray
    log_integral: float
    error: float
    modes: int = 1
    disagreement: float = 0.0


def known(draws: int, chains: int, value: float) -> Sampled:
    """Return the single point phi of a density of no number, with its log."""
    return Sampled(np.empty((1, chains, draws, 0)), -np.inf, np.full((1, chains), np.inf), value, 0.0)


class Heights(NamedTuple):
    """Log likelihoods of one data set at S draws.

    Attributes
    ----------
    logs : (S,) array
    moved : float
        What a finer quadrature adds to them on average, which is in them.
    """

    logs: FloatArray
    moved: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class AtDraws:
    """Log likelihoods of data sets that differ in single rows, at S draws of phi given the first.

    Attributes
    ----------
    whole : Heights
        Of the first.
    others : iterator of Heights
        Of the others.
    repeats : float
        How many draws one independent draw stands for.
    """

    whole: Heights
    others: Iterator[Heights]
    repeats: float


def repeats(sampled: Sampled) -> float:
    """Return how many draws one independent draw stands for."""
    _, chains, draws, _ = sampled.points.shape
    return float(max(1.0, chains * draws / np.sum(np.min(sampled.ess, axis=0))))


def why_not_trusted(k_hat: float, disagreement: float) -> Missing | None:
    """Return the reason not to trust an importance sample; None if it can be trusted."""
    if not k_hat < K_HAT:
        return Missing("trust", f"the importance weights cannot be trusted (k-hat {k_hat:.2f})")
    if not disagreement < DISAGREE:
        differ = f"two independent searches differ by {disagreement:.1f} standard errors"
        return Missing("trust", f"{differ}: modes may be missing")
    return None


def evidence_of(
    sample: Callable[[int, int], Sampled], check: Callable[[Sampled], Missing | None]
) -> LogIntegral | Missing:
    """Return the log evidence with its standard error, or the reason it is unavailable.

    Parameters
    ----------
    sample : callable
        Samples phi, given the number of draws and of pools.
    check : callable
        Returns the reason the sample is invalid, if it is.
    """
    try:
        found = sample(DRAWS, POOLS)
    except InferenceError as error:
        return Missing("engine", phrase(str(error)))
    reason = why_not_trusted(found.k_hat, found.disagreement) or check(found)
    return reason or LogIntegral(found.log_integral, found.error)
