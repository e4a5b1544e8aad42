"""Default priors: weakly informative, scaled by the whole data set, the same for every group.

The rules and their reasons are in ``docs/statistics.md``. Shapes: k columns of a term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.data.rows import frequencies, less_offset
from formulajoint.design.schema import Design, Predictor, Term
from formulajoint.distributions.links import IDENTITY
from formulajoint.distributions.prior import Prior, prior
from formulajoint.families.likelihood import Likelihood

SLOPE = 2.5
"""Prior sd of a slope: this many sds of the response per sd of the predictor."""

ROUNDING = 1e-12
"""A mean response of less than this many sds is zero but for rounding, as that of a standardised response."""


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """The units of the default priors of one predictor.

    Attributes
    ----------
    location : float
        Prior mean of the intercept.
    slope : float
        Prior sd of the slope of a predictor whose s_x is 1.
    spread : float
        Prior sd of the location of the response.
    """

    location: float
    slope: float
    spread: float


def scales(design: Design, family: Likelihood, parameter: str) -> Scales:
    """Return the scales of `parameter`'s predictor, on its link's scale."""
    mean, sd = response_moments(design)
    link = family.mean.link
    if parameter not in family.further:
        size = SLOPE * sd if link is IDENTITY else SLOPE
        return Scales(link.at(mean), size, size)
    own = family.further[parameter]
    typical = own.default_prior(sd).typical
    return Scales(own.link.at(sd if typical is None else typical), 1.0, 1.0)


def in_sds(scale: Scales) -> Scales:
    """Return the scales for coefficients in residual sds: those of a response whose sd is 1."""
    return Scales(scale.location * SLOPE / scale.spread, SLOPE, SLOPE)


def response_moments(design: Design) -> tuple[float, float]:
    """Return mean and sd (ddof 1) of the response less its offset, with rows counted by their weights."""
    y, weights = less_offset(design), frequencies(design)
    mean = float(np.average(y, weights=weights))
    rows = float(weights.sum())
    variance = float(weights @ (y - mean) ** 2) / (rows - 1 if rows > 1 else rows)
    sd = float(np.sqrt(variance))
    return 0.0 if abs(mean) < ROUNDING * sd else mean, sd


def stands_for_intercept(term: Term, predictor: Predictor) -> bool:
    """Return whether the term's coefficients are levels of the response: an intercept, or a factor that replaces it.

    In ``y ~ 0 + arm`` the coefficient of each arm is the arm's own mean, so its prior is centred at the mean response.
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


def family_parameter(name: str, design: Design, family: Likelihood) -> Prior:
    """Return the default prior of a family parameter without predictors."""
    return family.further[name].default_prior(response_moments(design)[1])
