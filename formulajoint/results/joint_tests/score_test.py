"""The classical test with a residual variance per stratum: normal scores of the strata's F tests.

For a hypothesis about each stratum by itself, the F test of its q_k restrictions on nu_k degrees of freedom has a
p-value that is uniform under the null, whatever the variances. The chi-squares on q_k degrees of freedom with the same
p-values therefore sum to a chi-square on the sum of the q_k: exact for normal errors.

For common values, such as one slope in all strata, the statistic is the smallest such sum over the common values. At
the true values the sum is a chi-square, and the smallest is at most that. It is compared with the chi-square with one
degree of freedom fewer per common value, which holds where the strata have many rows, and keeps below its level with
few (``docs/statistics.md`` has the rates).

References
----------
Lancaster, The combination of probabilities: an application of orthonormal functions, Australian Journal of Statistics
1961.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.results.joint_tests.tails import log_chi_square_density, log_f_density, normal_scores

MOST_STARTS = 100
"""Starts of the search: the estimates of at most this many strata, those with most information, and the pooled one."""

SEARCH_STEPS, FINAL_STEPS = 60, 30
"""Steps from all starts with approximate weights, and from the best with exact ones."""

FINALISTS = 3
"""Number of starts, the best ones, that continue with exact weights."""


def score_statistic(maps: FloatArray, values: FloatArray, ranks: FloatArray, df: FloatArray) -> FloatArray:
    """Return the smallest sum of normal scores over the common values theta (d,); leading axes are data sets.

    Parameters
    ----------
    maps : (..., K, q, d) array
        Stratum k has F_k = |maps[k] @ theta - values[k]|^2 / q_k. Strata of fewer restrictions than q have zeros below.
    values : (..., K, q) array
    ranks : (K,) array
        q_k.
    df : (K,) array
        nu_k, above zero.

    Notes
    -----
    The sum has several local minima where strata disagree, as the likelihood of t distributions has; each is near some
    stratum's own estimate. A step is one of iteratively reweighted least squares, with the derivative of a score by F
    as weight. While all starts are followed the score is taken as (nu + q / 2 - 1) log(1 + q F / nu), Bartlett's
    correction of the likelihood ratio, which for q = 1 is nearly Wallace's approximation (Annals of Mathematical
    Statistics 1959).
    """
    if maps.shape[-1] == 0:
        return np.asarray(np.sum(normal_scores(np.sum(values**2, axis=-1), ranks, df), axis=-1))
    lengths = np.sqrt(np.sum(maps**2, axis=(-3, -2), keepdims=True))
    search = _Search(maps / lengths, values, ranks, df)
    theta = search.starts()
    for _ in range(SEARCH_STEPS):
        theta = search.step(theta, search.rough(search.squares(theta)))
    scores = normal_scores(search.squares(theta), ranks, df)
    best = np.argsort(np.sum(scores, axis=-1), axis=-1)[..., :FINALISTS, None]
    theta = np.take_along_axis(theta, best, axis=-2)
    least = np.full(theta.shape[:-1], np.inf)
    for _ in range(FINAL_STEPS):
        squares = search.squares(theta)
        scores = normal_scores(squares, ranks, df)
        least = np.minimum(least, np.sum(scores, axis=-1))
        theta = search.step(theta, search.exact(squares, scores))
    return np.asarray(np.min(least, axis=-1))


class _Search:
    """Squares q_k F_k at points theta (..., S, d), and steps of reweighted least squares from them."""

    def __init__(self, maps: FloatArray, values: FloatArray, ranks: FloatArray, df: FloatArray) -> None:
        self.values, self.ranks, self.df = values, ranks, df
        self.flat = maps.reshape((*maps.shape[:-3], -1, maps.shape[-1]))  # (..., K q, d)
        self.gram = np.swapaxes(maps, -1, -2) @ maps  # (..., K, d, d)
        self.pull = (np.swapaxes(maps, -1, -2) @ values[..., None])[..., 0]

    def starts(self) -> FloatArray:
        """Return each stratum's own estimate of the common values, and the one of all."""
        weight = np.trace(self.gram, axis1=-2, axis2=-1)
        known = np.argsort(-weight, axis=-1)[..., :MOST_STARTS]
        own = np.linalg.solve(self.gram, self.pull[..., None])[..., 0]
        own = np.take_along_axis(own, known[..., None], axis=-2)
        pooled = np.linalg.solve(self.gram.sum(axis=-3), self.pull.sum(axis=-2)[..., None])[..., 0]
        return np.concatenate([own, pooled[..., None, :]], axis=-2)

    def squares(self, theta: FloatArray) -> FloatArray:
        """Return q_k F_k at each point, (..., S, K)."""
        fitted = theta @ np.swapaxes(self.flat, -1, -2)  # (..., S, K q)
        away = fitted.reshape((*fitted.shape[:-1], *self.values.shape[-2:])) - self.values[..., None, :, :]
        return np.asarray(np.sum(away**2, axis=-1))

    def rough(self, squares: FloatArray) -> FloatArray:
        """Return weights by Bartlett's approximation."""
        return np.asarray(np.maximum(self.df + self.ranks / 2 - 1, self.df / 2) / (self.df + squares))

    def exact(self, squares: FloatArray, scores: FloatArray) -> FloatArray:
        """Return weights by the derivative of the score, the ratio of both densities."""
        squares, scores = (
            np.maximum(squares, 1e-12),
            np.maximum(scores, 1e-12),
        )  # both densities may be infinite at 0
        log_f = log_f_density(squares, self.ranks, self.df)
        return np.asarray(np.exp(log_f - log_chi_square_density(scores, self.ranks)))

    def step(self, theta: FloatArray, weights: FloatArray) -> FloatArray:
        """Return weighted least squares of the common values, (..., S, d)."""
        gram = (weights @ self.gram.reshape((*self.gram.shape[:-2], -1))).reshape(
            (*theta.shape, theta.shape[-1])
        )
        return np.asarray(np.linalg.solve(gram, (weights @ self.pull)[..., None])[..., 0])
