"""Tail probabilities of F and chi-square, and their inverse, even below the smallest floating-point number.

Below `SMALL` the logarithm of a tail is an integral with exponential weight, by Gauss-Laguerre quadrature: with this
substitution the rest of the integrand is smooth.
"""

from __future__ import annotations

import numpy as np
import scipy

from formulajoint.arrays import FloatArray

SMALL = 1e-200
"""Tail probabilities below this are computed as logarithms."""

NODES, WEIGHTS = np.polynomial.laguerre.laggauss(32)

STEPS = 20
"""Newton steps to invert a tail; each doubles the digits."""


def normal_scores(squares: FloatArray, ranks: FloatArray, df: FloatArray) -> FloatArray:
    """Return the chi-square on `ranks` degrees of freedom with the tail probability of F on `ranks` and `df`.

    For one restriction it is the square of the normal score of a t statistic.

    Parameters
    ----------
    squares : array
        F times its numerator's degrees of freedom.
    ranks, df : arrays
        Degrees of freedom of the numerator and the denominator.
    """
    squares, ranks, df = np.broadcast_arrays(squares, ranks, df)
    p = scipy.special.fdtrc(ranks, df, squares / ranks)
    out = scipy.special.ndtri(p / 2) ** 2
    several = ranks != 1
    if np.any(several):  # ten times as slow
        out = np.where(several, scipy.special.chdtri(ranks, p), out)
    tiny = p < SMALL
    if np.any(tiny):
        logs = log_f_tail(squares[tiny], ranks[tiny], df[tiny])
        out = np.array(out)
        out[tiny] = chi_square_at(logs, ranks[tiny])
    return np.asarray(out)


def log_f_tail(squares: FloatArray, ranks: FloatArray, df: FloatArray) -> FloatArray:
    """Return the log of P(F > squares / ranks) far out in the tail.

    With a = df / 2, b = ranks / 2 and u = log(1 + squares / df) the tail is

        exp(-a u) / (a B(a, b)) integral_0^inf exp(-s) (1 - exp(-u - s / a))^(b - 1) ds,

    the incomplete beta integral (Abramowitz & Stegun 26.6.2, 26.5.1) in t = exp(-u - s / a).
    """
    a, b, u = df / 2, ranks / 2, np.log1p(squares / df)
    logs = (b - 1)[..., None] * np.log(-np.expm1(-u[..., None] - NODES / a[..., None]))
    return np.asarray(-a * u - np.log(a) - scipy.special.betaln(a, b) + _log_mean(logs))


def log_chi_square_tail(value: FloatArray, df: FloatArray) -> FloatArray:
    """Return the log of P(chi-square > value) far out in the tail.

    With a = df / 2 and y = value / 2 it is y^(a - 1) exp(-y) / Gamma(a) times the integral over s > 0 of
    exp(-s) (1 + s / y)^(a - 1) (Abramowitz & Stegun 26.4.2, 6.5.3).
    """
    a, y = df / 2, value / 2
    logs = (a - 1)[..., None] * np.log1p(NODES / y[..., None])
    return np.asarray((a - 1) * np.log(y) - y - scipy.special.gammaln(a) + _log_mean(logs))


def chi_square_at(log_p: FloatArray, df: FloatArray) -> FloatArray:
    """Return the chi-square whose log tail probability is `log_p`, far out in the tail, by Newton's method."""
    value = -2 * log_p + df
    for _ in range(STEPS):
        tail = log_chi_square_tail(value, df)
        hazard = np.exp(log_chi_square_density(value, df) - tail)
        value = np.maximum(value + (tail - log_p) / hazard, df)
    return np.asarray(value)


def log_chi_square_density(value: FloatArray, df: FloatArray) -> FloatArray:
    """Return the log density of a chi-square."""
    a = df / 2
    return np.asarray((a - 1) * np.log(value / 2) - value / 2 - scipy.special.gammaln(a) - np.log(2))


def log_f_density(squares: FloatArray, ranks: FloatArray, df: FloatArray) -> FloatArray:
    """Return the log density of F times its numerator's degrees of freedom."""
    a, b = df / 2, ranks / 2
    return np.asarray(
        (b - 1) * np.log(squares / df)
        - (a + b) * np.log1p(squares / df)
        - np.log(df)
        - scipy.special.betaln(a, b)
    )


def _log_mean(logs: FloatArray) -> FloatArray:
    """Return the log of the quadrature's sum of exp(`logs`) over the nodes, the last axis."""
    most = np.max(logs, axis=-1, keepdims=True)
    return np.asarray(most[..., 0] + np.log(np.exp(logs - most) @ WEIGHTS))
