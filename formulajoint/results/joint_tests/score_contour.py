"""The contour probability by scores, where groups are independent a posteriori.

For one coefficient per group the squared score is z^2, z = Phi^-1(P(b < null)). For several it is the chi-square whose
tail probability is the share of draws at least as far out as the null, by the group's own ellipsoid. The sum over the
groups is compared with a chi-square. Under flat priors each P is half the p-value of the group's own t test, so that
the sum is that of the classical test. For one common value, as in ``x == x[A]``, it is the smallest sum over it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.contrasts.separation import by_strata
from formulajoint.results.draws.convergence import ess_bulk
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.figures import Figure, by_batches, distances, whitened
from formulajoint.results.joint_tests.quantities import quantities
from formulajoint.results.joint_tests.strata import independent_strata

type Sum = Callable[[FloatArray], tuple[float, int]]
"""Function of draws (n, q): the sum of squared scores, and the number of strata without a draw beyond the null."""

POINTS, ROUNDS = 33, 6
"""Points of each finer grid for the common value, around the best so far; and the number of these grids."""

CANDIDATES = 400
"""Points of the first grid: this many quantiles of the strata's draws, and as many evenly spaced points."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantities:
    """The tested quantities c of some strata: under the hypothesis c = free theta for some theta (d,).

    Attributes
    ----------
    draws : (C, S, q) array
        Draws of c.
    strata : (q,) int array
    free : (q, d) array
    """

    draws: FloatArray
    strata: IntArray
    free: FloatArray

    @property
    def defined(self) -> bool:
        """Whether there is a score: for strata by themselves, or for one value common to one c per stratum."""
        alone = len(np.unique(self.strata)) == len(self.strata) and not np.any(self.still)
        return self.free.shape[1] == 0 or (self.free.shape[1] == 1 and alone)

    @property
    def still(self) -> NDArray[np.bool_]:
        """Which columns are constant."""
        return np.asarray(np.ptp(self.draws, axis=(0, 1)) == 0)


def scored(posterior: Posterior, hypothesis: Hypothesis) -> list[Quantities] | None:
    """Return the tested quantities by independent strata; None if there are no such strata, or no score."""
    strata = None if hypothesis.of_means else independent_strata(posterior.plan)
    parts = None if strata is None else by_strata(hypothesis, strata.of_coefficients)
    if parts is None:
        return None
    tested = []
    for part in parts:
        combinations = replace(hypothesis, rows=part.rows, null=part.null)
        tested.append(Quantities(quantities(posterior, combinations), part.strata, part.free))
    return tested if all(each.defined for each in tested) else None


@dataclass(frozen=True, slots=True)
class ScoreContour:
    """The contour probability, and the number of strata without a draw beyond the null: if any, an upper bound."""

    figure: Figure
    saturated: int


def score_contour(tested: Sequence[Quantities]) -> ScoreContour:
    """Return the contour probability by scores of `defined` quantities.

    The share of draws below the null is taken as (count + 1/2) / (n + 1), in effective draws, so that a score is finite
    where no draw is beyond the null. The score is then too small, and the contour probability an upper bound.
    """
    if any(np.any(each.draws[0, 0, each.still] != 0) for each in tested):
        return ScoreContour(Figure(0.0, 0.0), 0)
    moving = [Quantities(t.draws[:, :, ~t.still], t.strata[~t.still], t.free[~t.still]) for t in tested]
    rank = sum(each.free.shape[0] - each.free.shape[1] for each in moving)
    if rank == 0:  # constants, all of them zero
        return ScoreContour(Figure(1.0, 0.0), 0)
    whole = np.concatenate([each.draws for each in moving], axis=2)
    scores = sum_of_scores(moving)

    def statistic(flat: FloatArray) -> float:
        return float(scipy.special.chdtrc(rank, scores(flat)[0]))

    saturated = scores(whole.reshape((-1, whole.shape[2])))[1]
    return ScoreContour(by_batches(statistic, whole), saturated)


def sum_of_scores(tested: Sequence[Quantities]) -> Sum:
    """Return the sum of squared scores as a function of the draws of all quantities, side by side."""
    sums = [_apart(each) if each.free.shape[1] == 0 else _common(each) for each in tested]
    edges = np.cumsum([each.draws.shape[2] for each in tested])[:-1]

    def total(flat: FloatArray) -> tuple[float, int]:
        found = [one(draws) for one, draws in zip(sums, np.split(flat, edges, axis=1), strict=True)]
        return sum(score for score, _ in found), sum(saturated for _, saturated in found)

    return total


def _worth(tested: Quantities) -> FloatArray:
    """Return effective draws per draw, (q,), at most one."""
    chains, length, q = tested.draws.shape
    if length < 4 or q == 0:
        return np.ones(q)
    return np.asarray(np.minimum(ess_bulk(np.moveaxis(tested.draws, 2, 0)) / (chains * length), 1.0))


def _share(count: FloatArray | float, draws: int, worth: FloatArray | float) -> FloatArray:
    """Return a share of draws, never 0 or 1."""
    return np.asarray((count * worth + 0.5) / (draws * worth + 1))


def _apart(tested: Quantities) -> Sum:
    """Return the sum of scores of strata by themselves, at zero."""
    worth, strata = _worth(tested), tested.strata
    numbers, sizes = np.unique(strata, return_counts=True)
    single = np.isin(strata, numbers[sizes == 1])
    several = [np.flatnonzero(strata == number) for number in numbers[sizes > 1]]

    def total(flat: FloatArray) -> tuple[float, int]:
        own = flat[:, single]
        below = np.sum(own < 0, axis=0) + np.sum(own == 0, axis=0) / 2
        scores = scipy.special.ndtri(_share(below, len(flat), worth[single])) ** 2
        found = [_ellipsoid(flat[:, at], float(np.min(worth[at]))) for at in several]
        saturated = int(np.sum((below == 0) | (below == len(flat)))) + sum(none for _, none in found)
        return float(np.sum(scores)) + sum(score for score, _ in found), saturated

    return total


def _ellipsoid(flat: FloatArray, worth: float) -> tuple[float, int]:
    """Return the score of several quantities (n, q) of a stratum, and 1 if no draw is as far out as zero."""
    found = whitened(flat)
    if found is None:
        return np.inf, 0
    away, zero = distances(*found)
    beyond = float(np.sum(away >= zero))
    share = _share(beyond, len(flat), worth)
    return float(scipy.special.chdtri(flat.shape[1], share)), int(beyond == 0)


def _common(tested: Quantities) -> Sum:
    """Return the smallest sum over a common value theta: the score of stratum k is that of c_k / free_k at theta."""
    worth, free = _worth(tested), tested.free[:, 0]

    def total(flat: FloatArray) -> tuple[float, int]:
        n, draws = len(flat), np.sort(flat / free, axis=0).T  # (q, n)
        counts = np.arange(n) + 0.5  # at a draw; linear between draws

        def below(theta: FloatArray) -> FloatArray:
            return np.stack([np.interp(theta, own, counts, 0.0, n) for own in draws])

        def sums(theta: FloatArray) -> FloatArray:
            shares = _share(below(theta), n, worth[:, None])
            return np.asarray(np.sum(scipy.special.ndtri(shares) ** 2, axis=0))

        theta = _grid(draws)
        for _ in range(ROUNDS):
            values = sums(theta)
            at = int(np.argmin(values))
            theta = np.linspace(theta[max(at - 1, 0)], theta[min(at + 1, len(theta) - 1)], POINTS)
        values = sums(theta)
        at = int(np.argmin(values))
        count = below(theta[at : at + 1])
        return float(values[at]), int(np.sum((count == 0) | (count == n)))

    return total


def _grid(draws: FloatArray) -> FloatArray:
    """Return quantiles of each stratum's sorted draws (q, n), and points between the farthest, in order."""
    levels = np.linspace(0, draws.shape[1] - 1, max(3, CANDIDATES // len(draws))).astype(int)
    evenly = np.linspace(draws.min(), draws.max(), CANDIDATES)
    return np.unique(np.concatenate([draws[:, levels].ravel(), evenly]))
