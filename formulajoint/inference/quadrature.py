"""The logs of integrals over one number, by quadrature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.panels import Densities, cover

type Function = Callable[[FloatArray], FloatArray]

SCAN = 400
"""Points of the scan for peaks of the integrand: there may be two, where a tight prior contradicts the data."""


@dataclass(frozen=True, slots=True)
class LogIntegral:
    """The log of an integral, or of a ratio of two, with the error of the quadrature."""

    value: float
    error: float


def integrate(log_integrand: Function, low: float, high: float) -> LogIntegral:
    """Return the log of the integral of exp(log_integrand) from `low` to `high`, with its error.

    Raises
    ------
    InferenceError
        If the integrand is nowhere above zero.
    """
    return integrate_each(lambda points: log_integrand(points[0])[None], np.array([low]), np.array([high]))[0]


def integrate_each(densities: Densities, low: FloatArray, high: FloatArray) -> list[LogIntegral]:
    """Return the log integrals of F densities of one number, each from `low` to `high`, with their errors.

    Raises
    ------
    InferenceError
        If a density is nowhere above zero.
    """
    found = cover(densities, np.linspace(low, high, SCAN, axis=1))
    if found is None:
        raise InferenceError(
            "The posterior cannot be integrated: its density is zero or not finite at every point tried."
        )
    return [
        LogIntegral(float(log), float(error))
        for log, error in zip(found.log_integral, found.error, strict=True)
    ]
