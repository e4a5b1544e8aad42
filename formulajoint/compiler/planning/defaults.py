"""Default priors: weakly informative, the same for every group but for its units.

They are scaled by the whole data set. Where sigma is given by group, those of coefficients that belong to a group of
sigma are scaled by its rows, so that a group measured in other units has the same priors in these units. The rules and
their reasons are in ``docs/statistics.md``. Shapes: k columns of a term, G groups with coefficients, H with a sigma.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.data.rows import about_mean, cells_of, frequencies, larger_of, less_offset
from formulajoint.design.schema import Design, Grouping, Predictor, Term
from formulajoint.distributions.distribution import Number
from formulajoint.distributions.links import IDENTITY, NUMPY
from formulajoint.distributions.prior import Prior, joined, prior
from formulajoint.errors import BugError, DataError
from formulajoint.families.likelihood import SLOPE, Likelihood
from formulajoint.spec.names import INTERCEPT
from formulajoint.spec.spec import MAIN

ROUNDING = 1e-12
"""A mean response of less than this many sds is zero but for rounding, as that of a standardised response."""


# --- the response


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The response within the groups that have a sigma each.

    Attributes
    ----------
    means, sds : (H,) arrays
        The sd (ddof 1) of a group of one row is the geometric mean of the others'.
    rows : (H,) array
        Number of rows (sum of the row weights).
    pooled : float
        The sd within groups, all groups together.
    """

    means: FloatArray
    sds: FloatArray
    rows: FloatArray
    pooled: float


def response_moments(design: Design, offset: bool = True) -> tuple[float, float]:
    """Return mean and sd (ddof 1) of the response, with rows counted by their weights; less its offset unless told."""
    y = less_offset(design) if offset else design.response.scale
    weights = frequencies(design)
    mean = float(np.average(y, weights=weights))
    rows = float(weights.sum())
    variance = float(weights @ (y - mean) ** 2) / (rows - 1 if rows > 1 else rows)
    sd = float(np.sqrt(variance))
    return 0.0 if abs(mean) < ROUNDING * sd else mean, sd


def sigma_groups(design: Design, family: Likelihood) -> Grouping | None:
    """Return the groups that have a sigma each, pooled or not; None if all have one, or it has other predictors."""
    predictor = design.parameter(family.spread) if family.mean.link is IDENTITY else None
    if predictor is None or all(term.name != INTERCEPT for term in predictor.per_group):
        return None
    return predictor.grouping


def moments_within(design: Design, grouping: Grouping) -> Moments | None:
    """Return the response's moments within groups; None if no group has two rows, or it varies in none."""
    y, weights = less_offset(design), frequencies(design)
    cells = cells_of(grouping, len(y))
    rows, squares = cells.sums(weights), about_mean(y, weights, grouping)
    single, spare = rows <= 1, np.maximum(rows - 1, 0)
    if not np.any(squares[~single] > 0):
        return None
    sds = np.sqrt(squares / np.where(single, 1.0, spare))
    varied = sds[~single & (sds > 0)]
    sds = np.where(single, np.exp(np.mean(np.log(varied))), sds)
    means = cells.sums(weights * y) / rows
    pooled = float(np.sqrt(np.sum(squares[~single]) / np.sum(spare)))
    return Moments(np.where(abs(means) < ROUNDING * sds, 0.0, means), sds, rows, pooled)


def sd_of_response(design: Design, family: Likelihood) -> float:
    """Return the sd of the response over all rows; within groups, where these have a sigma each."""
    grouping = sigma_groups(design, family)
    within = None if grouping is None else moments_within(design, grouping)
    return response_moments(design)[1] if within is None else within.pooled


# --- the units of one predictor


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The units of default priors: numbers, or (G, 1) arrays for coefficients of groups that have units of their own.

    Attributes
    ----------
    location : float or array
        Prior mean of the intercept.
    slope : float or array
        Prior sd of the slope of a predictor whose s_x is 1.
    spread : float or array
        Prior sd of the location of the response.
    means : mapping of str to (k,) or (G, k) array
        The means of each term's columns.
    refusal : str
        Why there are no such units: an error for default priors that need them.
    moved : bool
        Whether thresholds stand for the intercept, so that intercepts of groups are zero on average.
    """

    location: Number
    slope: Number
    spread: Number
    means: Mapping[str, FloatArray]
    refusal: str = ""
    moved: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """The units of the default priors of one predictor.

    Attributes
    ----------
    shared : Scale
        For what all groups share: ``common(...)``, and means and sds of hierarchies.
    own : Scale or None
        For coefficients of groups that have a sigma each or lie within such a group; None if they do not.
    """

    shared: Scale
    own: Scale | None = None

    def of(self, term: Term, predictor: Predictor) -> Scale:
        """Return the units of a term's coefficients or, pooled in points, of their mean and sd."""
        pooled = any(term.name in pool.terms and not pool.in_sds for pool in predictor.hierarchies)
        return (
            self.own if self.own is not None and term in predictor.per_group and not pooled else self.shared
        )


def scales(design: Design, family: Likelihood, predictor: Predictor) -> Scales:
    """Return the scales of a predictor, on its link's scale."""
    means = {term.name: term.means for term in predictor.terms}
    if predictor.parameter == MAIN and family.mean.link is not IDENTITY:
        return Scales(_on_link(design, family, means))
    mean, overall = response_moments(design)
    grouping = sigma_groups(design, family)
    within = None if grouping is None else moments_within(design, grouping)
    if within is None or grouping is None:
        return Scales(_scale(mean, overall, overall, means, family, predictor))
    shared = _scale(mean, within.pooled, overall, means, family, predictor)
    of_group = None if _pooled(design, family) else _sigma_of_group(design, predictor, grouping)
    if of_group is None:
        return Scales(shared)
    cells, weights = cells_of(grouping, design.rows.used), frequencies(design)
    rows = cells.sums(weights)
    by_group = {
        term.name: np.stack([cells.sums(weights * x) / rows for x in term.columns.T], axis=1)[of_group]
        for term in predictor.terms
    }
    own_mean, own_sd = within.means[of_group, None], within.sds[of_group, None]
    own = _scale(own_mean, own_sd, own_sd, by_group, family, predictor)
    return Scales(shared, replace(own, refusal=_no_variation(design, grouping, within)))


def in_sds(scales: Scales) -> Scales:
    """Return the scales for what is pooled in residual sds: those of a response whose sd is 1."""
    scale = scales.own or scales.shared
    location = float(np.mean(np.asarray(scale.location) / (np.asarray(scale.slope) / SLOPE)))
    return Scales(Scale(location, SLOPE, SLOPE, scales.shared.means))


def _on_link(design: Design, family: Likelihood, means: Mapping[str, FloatArray]) -> Scale:
    """Return the units of the mean's coefficients under another link than the identity."""
    link, widths, location = family.mean.link, family.mean.widths, family.mean.widths.location
    mean, sd = response_moments(design, offset=False)
    unit = sd / abs(float(link.slope(NUMPY, link.at(mean)))) if link.in_units else 1.0
    if location is None:
        offset = design.predictor.offset
        location = link.at(mean)
        location -= 0.0 if offset is None else float(np.average(offset, weights=frequencies(design)))
    moved = family.thresholds is not None
    return Scale(location, widths.slope * unit, widths.intercept * unit, means, moved=moved)


def _scale(
    mean: Number,
    sd: Number,
    spread: Number,
    means: Mapping[str, FloatArray],
    family: Likelihood,
    predictor: Predictor,
) -> Scale:
    """Return the units where the response has that mean, sd within groups, and sd over all of them."""
    if predictor.parameter == MAIN:
        widths = family.mean.widths
        return Scale(mean, widths.slope * sd, widths.intercept * spread, means)
    own = family.further[predictor.parameter]
    typical = [own.default_prior(each).typical for each in np.ravel(sd)]
    at = [own.link.at(float(s) if t is None else t) for s, t in zip(np.ravel(sd), typical, strict=True)]
    return Scale(np.array(at)[:, None] if np.ndim(sd) else at[0], 1.0, 1.0, means)


def _pooled(design: Design, family: Likelihood) -> bool:
    """Return whether the groups' sigmas are pooled, as of groups measured alike."""
    predictor = design.parameter(family.spread)
    return predictor is not None and any(INTERCEPT in h.terms for h in predictor.hierarchies)


def _sigma_of_group(design: Design, predictor: Predictor, sigmas: Grouping) -> NDArray[np.int64] | None:
    """Return the group with a sigma in which each group of a predictor lies (G,); None if one is in several."""
    if predictor.grouping is None:
        return None
    rows = design.rows.used
    return larger_of(cells_of(predictor.grouping, rows), cells_of(sigmas, rows))


def _no_variation(design: Design, grouping: Grouping, within: Moments) -> str:
    """Return the error for groups in which the response does not vary; empty if it varies in all."""
    still = [grouping.labels[g] for g in np.flatnonzero(within.sds == 0)]
    if not still:
        return ""
    return (
        f"`{design.response.name}` does not vary in {grouping.name} {', '.join(still[:5])}, which "
        f"{'has' if len(still) == 1 else 'have'} a sigma of {'its' if len(still) == 1 else 'their'} own: it has no "
        f"posterior. Leave {'it' if len(still) == 1 else 'them'} out, or use one sigma for all groups."
    )


# --- priors


def stands_for_intercept(term: Term, predictor: Predictor) -> bool:
    """Return whether the term's coefficients are levels of the response: an intercept, or a factor that replaces it.

    In ``y ~ 0 + arm`` the coefficient of each arm is the arm's own mean, so its prior is centred at the mean response.
    """
    if term.name == INTERCEPT:
        return True
    if any(other.name == INTERCEPT for other in predictor.terms) or not term.factors:
        return False
    full = [t for t in predictor.terms if t.factors and _is_partition(t.columns)]
    return bool(full) and full[0] is term


def _is_partition(columns: FloatArray) -> bool:
    return bool(np.all((columns == 0) | (columns == 1)) and np.all(columns.sum(axis=1) == 1))


def coefficient(term: Term, predictor: Predictor, scales: Scales) -> Prior:
    """Return the default prior of a term's coefficients, or of their mean under a hierarchy."""
    scale = scales.of(term, predictor)
    if scale.refusal:
        raise DataError(scale.refusal)
    if not stands_for_intercept(term, predictor):
        return prior("normal", 0.0, scale.slope / term.scales).shaped(term.shape)
    if scale.moved:
        return prior("constant", 0.0)
    size = np.ones(len(term.scales))
    return prior("normal", scale.location * size, _intercept_sd(predictor, scales, scale) * size).shaped(
        term.shape
    )


def hierarchy_sd(term: Term, predictor: Predictor, scales: Scales) -> Prior:
    """Return the default prior of the sd of a term's coefficients over groups."""
    scale = scales.of(term, predictor)
    if not stands_for_intercept(term, predictor):
        return prior("half_normal", scale.slope / term.scales).shaped(term.shape)
    return prior("half_normal", _intercept_sd(predictor, scales, scale))


def _intercept_sd(predictor: Predictor, scales: Scales, scale: Scale) -> Number:
    """Return S0 = sqrt(spread^2 + sum_j s_j^2 xbar_j^2): the intercept is at x = 0, perhaps far from the data."""
    if predictor.parameter != MAIN:
        return scale.spread
    away: Number = 0.0
    for term in predictor.terms:
        if not stands_for_intercept(term, predictor):
            slope = scales.shared.slope if scale is scales.shared else scales.of(term, predictor).slope
            squares = ((slope / term.scales * scale.means[term.name]) ** 2)[..., :: term.classes or 1]
            away = away + np.sum(squares, axis=-1, keepdims=True)
    return np.sqrt(scale.spread**2 + away)


def family_parameter(name: str, design: Design, family: Likelihood) -> Prior:
    """Return the default prior of a family parameter without predictors, or with one value per group."""
    own, grouping = family.further[name], sigma_groups(design, family)
    if own.between:
        units = scales(design, family, design.predictor)
        return own.default_prior(float(np.max(_intercept_sd(design.predictor, units, units.shared))))
    within = None if grouping is None else moments_within(design, grouping)
    if within is None or grouping is None or name != family.spread or _pooled(design, family):
        return own.default_prior(sd_of_response(design, family))
    if refusal := _no_variation(design, grouping, within):
        raise DataError(refusal)
    found = joined([own.default_prior(float(sd)) for sd in within.sds], (len(grouping),))
    if found is None:
        raise BugError(f"the default prior of `{name}` has another distribution in other units")
    return found
