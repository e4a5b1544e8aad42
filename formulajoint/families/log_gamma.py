"""The log of the gamma function, in NumPy, and of ratios of it that keep their digits."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray

SHIFT = 8
"""Arguments are moved up by this many, to where Stirling's series has sixteen digits."""

SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
"""Coefficients of x^-1, x^-3, ... in Stirling's series."""


def log_gamma(x: FloatArray) -> FloatArray:
    """Return the log of the gamma function at numbers above zero."""
    up = x + SHIFT
    below = sum((np.log(x + k) for k in range(SHIFT)), np.zeros_like(up))
    return np.asarray((up - 0.5) * np.log(up) - up + 0.5 * np.log(2 * np.pi) + _correction(up) - below)


def log_rising(x: FloatArray, n: FloatArray) -> FloatArray:
    """Return the log of ``gamma(x + n) / gamma(x)``, without a difference of large numbers where x is large."""
    up, more = x + SHIFT, np.asarray(n, dtype=float)
    below = sum((np.log1p(more / (x + k)) for k in range(SHIFT)), np.zeros_like(up + more))
    ratio = (up - 0.5) * np.log1p(more / up) + more * np.log(up + more) - more
    return np.asarray(ratio + _correction(up + more) - _correction(up) - below)


def _correction(x: FloatArray) -> FloatArray:
    out = np.zeros_like(x)
    for coefficient in reversed(SERIES):
        out = out / x**2 + coefficient
    return np.asarray(out / x)
