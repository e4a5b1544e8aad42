"""The log of an integral over one number, by quadrature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.panels import cover

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
    found = cover(lambda points: log_integrand(points[0])[None], np.linspace(low, high, SCAN)[None])
    if found is None:
        raise InferenceError("There is no density to integrate.")
    return LogIntegral(float(found.log_integral[0]), float(found.error[0]))
