"""Default priors: weakly informative, scaled by the whole data set, the same for every group.

The rules and their reasons are in ``docs/statistics.md``. Shapes: k columns of a term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.compiler.priors import Prior, prior
from formulajoint.design.schema import Design, FloatArray, Predictor, Term

SLOPE = 2.5
"""Prior sd of a slope: this many sds of the response per sd of the predictor."""

NU = 20.0
"""Prior mean of Student's degrees of freedom."""


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """What the default priors of one predictor are measured in.

    Attributes
    ----------
    location : float
        Where the intercept is expected.
    slope : float
        Prior sd of the slope of a predictor whose s_x is 1.
    spread : float
        Prior sd of the response's location itself.
    """

    location: float
    slope: float
    spread: float


def scales(design: Design, parameter: str) -> Scales:
    """Return the scales of `parameter`'s predictor: on the response's scale for ``mu``, else on the log scale."""
    mean, sd = response_moments(design)
    if parameter == "mu":
        return Scales(mean, SLOPE * sd, SLOPE * sd)
    return Scales(float(np.log(sd if parameter == "sigma" else NU)), 1.0, 1.0)


def response_moments(design: Design) -> tuple[float, float]:
    """Return mean and sd (ddof 1) of the response less its offset, rows counted by their weights."""
    y = design.response.values
    if design.predictor.offset is not None:
        y = y - design.predictor.offset
    weights = np.ones(len(y)) if design.row_weights is None else design.row_weights
    mean = float(np.average(y, weights=weights))
    rows = float(weights.sum())
    variance = float(weights @ (y - mean) ** 2) / (rows - 1 if rows > 1 else rows)
    return mean, float(np.sqrt(variance))


def stands_for_intercept(term: Term, predictor: Predictor) -> bool:
    """Tell whether the term's coefficients are levels of the response: an intercept, or a factor that replaces it.

    In ``y ~ 0 + arm`` the coefficient of each arm is the arm's own mean, so it is expected where the response is.
    """
    if term.name == "Intercept":
        return True
    if any(other.name == "Intercept" for other in predictor.terms) or not term.factors:
        return False
    full = [t for t in predictor.terms if t.factors and _is_partition(t.columns)]
    return bool(full) and full[0] is term


def _is_partition(columns: FloatArray) -> bool:
    return bool(np.all((columns == 0) | (columns == 1)) and np.all(columns.sum(axis=1) == 1))


def coefficient(term: Term, predictor: Predictor, scale: Scales) -> Prior:
    """Return the default prior of a term's coefficients, or of their mean under a hierarchy."""
    if not stands_for_intercept(term, predictor):
        return prior("normal", 0.0, scale.slope / term.scales)
    return prior("normal", scale.location, _intercept_sd(predictor, scale))


def hierarchy_sd(term: Term, predictor: Predictor, scale: Scales) -> Prior:
    """Return the default prior of the sd of a term's coefficients over groups."""
    if not stands_for_intercept(term, predictor):
        return prior("half_normal", scale.slope / term.scales)
    return prior("half_normal", _intercept_sd(predictor, scale))


def _intercept_sd(predictor: Predictor, scale: Scales) -> float:
    """Return S0 = sqrt(spread^2 + sum_j s_j^2 xbar_j^2): the intercept is at x = 0, perhaps far from the data."""
    if predictor.parameter != "mu":
        return scale.spread
    slopes = [term for term in predictor.terms if not stands_for_intercept(term, predictor)]
    away = sum(float(np.sum((scale.slope / t.scales * t.means) ** 2)) for t in slopes)
    return float(np.sqrt(scale.spread**2 + away))


def family_parameter(name: str, design: Design) -> Prior:
    """Return the default prior of ``sigma`` or ``nu`` itself."""
    if name == "nu":
        return prior("gamma", 2.0, 0.1)
    return prior("half_student_t", 4.0, response_moments(design)[1])
