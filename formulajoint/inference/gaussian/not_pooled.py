"""Evidence and Bayes factors of models that are not pooled, by quadrature over sigma.

With coefficients b = m + A u, u ~ N(0, 1), everything but sigma integrates out. One singular value decomposition of
X A serves every sigma, and the integral over log sigma is one-dimensional.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.quadrature import Function, LogIntegral, integrate

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
    s = sigma**2
    spread = s[:, None] + evidence.values  # (S, P)
    squares = evidence.outside / s + np.sum(evidence.along**2 / spread, axis=1)
    logs = np.sum(np.log1p(evidence.values / s[:, None]), axis=1)
    return np.asarray(-0.5 * (evidence.rows * np.log(2 * np.pi * s) + logs + squares))


def log_bayes_factor(
    full: Evidence, null: Evidence, log_prior: Function, support: tuple[float, float]
) -> LogIntegral:
    """Return the log of the ratio of two evidences under the same prior of sigma.

    Parameters
    ----------
    full, null : Evidence
    log_prior : callable
        Log density of sigma.
    support : tuple of float
        Interval on which it is above zero.
    """
    one, zero = (log_evidence(evidence, log_prior, support) for evidence in (full, null))
    return LogIntegral(one.value - zero.value, one.error + zero.error)


def log_evidence(evidence: Evidence, log_prior: Function, support: tuple[float, float]) -> LogIntegral:
    """Return log p(y): the likelihood integrated over sigma."""

    def integrand(t: FloatArray) -> FloatArray:
        sigma = np.exp(t)
        return log_likelihood(evidence, sigma) + log_prior(sigma) + t

    return integrate(integrand, *_range(evidence, support))


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
