"""The evidence of a Gaussian model that is not pooled, by quadrature over sigma; and so its joint Bayes factor.

With coefficients b = m + A u, u ~ N(0, 1), everything but sigma integrates out. One eigendecomposition of A'X'X A
serves every sigma, and the integral over log sigma is one-dimensional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.special import logsumexp

from formulajoint.design.schema import FloatArray

POINTS = 256
"""Intervals of the grid over log sigma."""

DEPTH = 50.0
"""The grid ends where the integrand is exp(-50) of its largest value."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What log p(y | sigma) needs of the data: N, |y - X m|^2, and the eigenvalues of A'X'X A with the
    projections of A'X'(y - X m) on their vectors.
    """

    rows: float
    squares: float
    values: FloatArray
    projected: FloatArray


@dataclass(frozen=True, slots=True)
class LogIntegral:
    """The log of an integral, or of a ratio of two, with the error of the quadrature."""

    value: float
    error: float


def decompose(columns: FloatArray, y: FloatArray, rows: float) -> Evidence:
    """Return the evidence of y (M,) ~ N(columns u, sigma^2), u ~ N(0, 1), for columns X A (M, P).

    Parameters
    ----------
    columns, y : (M, P) and (M,) arrays
        Data, or fewer rows with the same cross-products.
    rows : float
        N.
    """
    values, vectors = np.linalg.eigh(columns.T @ columns)
    return Evidence(rows, float(y @ y), np.maximum(values, 0), vectors.T @ (columns.T @ y))


def log_likelihood(evidence: Evidence, sigma: float) -> float:
    """Return log p(y | sigma), the coefficients integrated out."""
    s = sigma**2
    shrunk = 1 + evidence.values / s
    quadratic = evidence.squares / s - float(np.sum(evidence.projected**2 / shrunk)) / s**2
    return float(-0.5 * (evidence.rows * np.log(2 * np.pi * s) + np.sum(np.log(shrunk)) + quadratic))


def log_bayes_factor(full: Evidence, null: Evidence, log_prior: Callable[[float], float]) -> LogIntegral:
    """Return the log of the ratio of two evidences under the same prior of sigma, given by its log density."""
    one, zero = log_evidence(full, log_prior), log_evidence(null, log_prior)
    return LogIntegral(one.value - zero.value, one.error + zero.error)


def log_evidence(evidence: Evidence, log_prior: Callable[[float], float]) -> LogIntegral:
    """Return log p(y): the likelihood integrated over sigma.

    The trapezoidal rule converges faster than any power of its step where the integrand falls off smoothly at both
    ends; the error stated is what half of the points would change.
    """

    def integrand(t: float) -> float:
        sigma = float(np.exp(t))
        return log_likelihood(evidence, sigma) + log_prior(sigma) + t

    start = 0.5 * float(np.log(evidence.squares / evidence.rows))
    found = optimize.minimize_scalar(lambda t: -integrand(t), bracket=(start - 1, start))
    mode, top = float(found.x), -float(found.fun)
    low, high = (_edge(integrand, mode, top, step) for step in (-0.25, 0.25))
    values = np.array([integrand(float(t)) for t in np.linspace(low, high, POINTS + 1)])
    step = (high - low) / POINTS
    value = float(logsumexp(values) + np.log(step))
    return LogIntegral(value, abs(value - float(logsumexp(values[::2]) + np.log(2 * step))))


def _edge(log_integrand: Callable[[float], float], mode: float, top: float, step: float) -> float:
    """Walk from the mode until the integrand is negligible."""
    at = mode
    while log_integrand(at) > top - DEPTH and abs(at - mode) < 200:
        at += step
        step *= 1.2
    return at


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
    step = along @ np.linalg.solve(r[: len(rows)].T, null - rows @ mean)
    return mean + sd * step, sd[:, None] * across
