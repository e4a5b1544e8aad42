"""Evidence and Bayes factors of models that are not pooled, by quadrature over sigma.

With coefficients b = m + A u, u ~ N(0, 1), everything but sigma integrates out. One singular value decomposition of
X A serves every sigma, and the integral over log sigma is one-dimensional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.quadrature import Function, LogIntegral, integrate_each

PERFECT = 1e-24
"""Squares below this share of their total are rounding."""

REACH = 25.0
"""The integral over log sigma reaches this far beyond the logs of the smallest and largest plausible residual sd."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Summary of the data for log p(y | sigma): N, the sum of squares of y outside the columns X A, their squared
    singular values, and y along their left singular vectors.
    """

    rows: float
    outside: float
    values: FloatArray
    along: FloatArray

    @property
    def total(self) -> float:
        """The sum of squares of y."""
        return self.outside + float(np.sum(self.along**2))


def decompose(columns: FloatArray, y: FloatArray, rows: float) -> Evidence:
    """Return the evidence of y (M,) ~ N(columns u, sigma^2), u ~ N(0, 1), for columns X A (M, P).

    Parameters
    ----------
    columns, y : (M, P) and (M,) arrays
        Data, or fewer rows with the same cross-products.
    rows : float
        N.
    """
    # First a triangle, in which each column keeps its digits, whatever its size; then its singular values.
    table = np.linalg.qr(np.column_stack([columns, y]), mode="r")
    count = columns.shape[1]
    vectors, singular, _ = np.linalg.svd(table[:count, :count], full_matrices=False)
    outside = float(np.sum(table[count:, count] ** 2))
    return Evidence(rows, outside, singular**2, vectors.T @ table[:count, count])


def log_likelihood(evidence: Evidence, sigma: FloatArray) -> FloatArray:
    """Return log p(y | sigma) for each of `sigma` (S,), the coefficients integrated out."""
    rows, outside = np.array([[evidence.rows]]), np.array([[evidence.outside]])
    values, along = evidence.values[None, None], evidence.along[None, None]
    return np.asarray(_log_likelihoods(rows, outside, values, along, sigma[None])[0])


def log_bayes_factors(
    pairs: Sequence[tuple[Evidence, Evidence]], log_prior: Function, support: tuple[float, float]
) -> list[LogIntegral]:
    """Return the logs of ratios of two evidences each, all under the same prior of sigma.

    Parameters
    ----------
    pairs : sequence of pairs of Evidence
        Of a model and of its null.
    log_prior : callable
        Log density of sigma.
    support : tuple of float
        Interval on which it is above zero.
    """
    found = log_evidences([each for pair in pairs for each in pair], log_prior, support)
    return [
        LogIntegral(one.value - zero.value, one.error + zero.error)
        for one, zero in zip(found[::2], found[1::2], strict=True)
    ]


def log_evidence(evidence: Evidence, log_prior: Function, support: tuple[float, float]) -> LogIntegral:
    """Return log p(y): the likelihood integrated over sigma."""
    return log_evidences([evidence], log_prior, support)[0]


def log_evidences(
    evidences: Sequence[Evidence], log_prior: Function, support: tuple[float, float]
) -> list[LogIntegral]:
    """Return log p(y) of each of `evidences`: the likelihood integrated over sigma, side by side."""
    most = max(len(evidence.values) for evidence in evidences)
    values, along = (
        np.array([np.pad(part, (0, most - len(part))) for part in parts])[:, None]
        for parts in zip(*((evidence.values, evidence.along) for evidence in evidences), strict=True)
    )  # a column without any length changes nothing
    outside, rows = np.array([(evidence.outside, evidence.rows) for evidence in evidences]).T[:, :, None]

    def densities(t: FloatArray) -> FloatArray:
        sigma = np.exp(t)
        return _log_likelihoods(rows, outside, values, along, sigma) + log_prior(sigma) + t

    ends = np.array([_range(evidence, support) for evidence in evidences])
    return integrate_each(densities, ends[:, 0], ends[:, 1])


def _log_likelihoods(
    rows: FloatArray, outside: FloatArray, values: FloatArray, along: FloatArray, sigma: FloatArray
) -> FloatArray:
    """Return log p(y | sigma) for sigma (F, n); `rows` and `outside` are (F, 1), the others (F, 1, P)."""
    s = sigma**2
    spread = s[:, :, None] + values
    squares = outside / s + np.sum(along**2 / spread, axis=2)
    logs = np.sum(np.log1p(values / s[:, :, None]), axis=2)
    return np.asarray(-0.5 * (rows * np.log(2 * np.pi * s) + logs + squares))


def _range(evidence: Evidence, support: tuple[float, float]) -> tuple[float, float]:
    """Return the range of log sigma: the ends of its support, else bounds about the plausible residual sds."""
    largest = 0.5 * float(np.log(evidence.total / evidence.rows))
    smallest = 0.5 * float(np.log(max(evidence.outside, PERFECT * evidence.total) / evidence.rows))
    low = float(np.log(support[0])) if support[0] > 0 else None
    high = float(np.log(support[1])) if support[1] < np.inf else None
    return (
        min(smallest, largest if high is None else high) - REACH if low is None else low,
        max(largest, smallest if low is None else low) + REACH if high is None else high,
    )


def restricted(
    mean: FloatArray, sd: FloatArray, rows: FloatArray, null: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean m and root A of the prior N(mean, diag(sd^2)) conditioned on R b = r: b = m + A u.

    Parameters
    ----------
    mean, sd : (P,) arrays
    rows, null : (q, P) and (q,) arrays
        R of full rank, and r.

    Returns
    -------
    mean : (P,) array
    root : (P, P - q) array
        A A' is the conditional covariance.
    """
    q, r = np.linalg.qr((rows * sd).T, mode="complete")  # sd R' = Q [r; 0]
    along, across = q[:, : len(rows)], q[:, len(rows) :]
    size = np.linalg.norm(r, axis=0)  # units do not matter
    step = along @ np.linalg.solve((r[: len(rows)] / size).T, (null - rows @ mean) / size)
    return mean + sd * step, sd[:, None] * across
