"""``centered=auto``: choose the form of a hierarchy that samples well, from the information per group.

The coefficient of a group can be sampled directly (centred), or as its standardised distance from the hierarchy's
mean (non-centred). The centred form suits groups whose own rows determine the coefficient better than the hierarchy
does, the non-centred form the others (Papaspiliopoulos, Roberts & Sköld, Statistical Science 2007).

Rule: let v_g be the sampling variance of group g's least-squares coefficient, and t^2 the moment estimate of the
variance between groups (variance of the estimates less the mean of v_g). The centred form is used if the median v_g is
below t^2. A group that does not determine its coefficient counts as v_g = infinity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.design.moments import (
    group_triangles,
    partial_ss_of,
    profile,
    profile_of,
    rows_by_group,
    slopes_of,
    stack,
)
from formulajoint.design.schema import Design, Predictor


def is_informative(estimates: FloatArray, variances: FloatArray) -> bool:
    """Return whether the median sampling variance is below the variance between groups.

    Parameters
    ----------
    estimates, variances : (G,) arrays
        Each group's own estimate and its sampling variance, infinite if it has none.
    """
    known = np.isfinite(variances)
    if known.sum() < 2:
        return False
    between = float(np.var(estimates[known], ddof=1) - np.mean(variances[known]))
    return bool(np.median(variances) < between)


def centered_columns(design: Design) -> NDArray[np.bool_]:
    """Return whether the centred form suits each per-group column of the mean's predictor, (p,) bool."""
    predictor, rows, y = design.predictor, design.rows.used, _response(design)
    own, shared = stack(predictor.per_group, rows), stack(predictor.common, rows)
    p, grouping = own.shape[1], predictor.grouping
    found = group_triangles([own, shared, y[:, None]], grouping, design.precisions)
    fit = profile_of(found, p, rows_by_group(grouping, design.row_weights, rows))
    df = max(float(fit.group_rows.sum()) - float(fit.group_ranks.sum()) - fit.shared_rank, 1.0)
    # With known standard errors the rows are standardised, so their variance is one.
    variance = fit.rss / df if design.standard_errors is None else 1.0
    information = partial_ss_of(found[:, :, :p])  # (G, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        variances = np.where(information > 0, variance / information, np.inf)
    estimates = slopes_of(np.delete(found, np.s_[p:-1], axis=2))  # (G, p)
    return np.array([is_informative(estimates[:, j], variances[:, j]) for j in range(p)])


def _response(design: Design) -> FloatArray:
    """Return the response less its offset."""
    offset = design.predictor.offset
    return design.response.values if offset is None else design.response.values - offset


def centered_terms(design: Design) -> dict[str, bool]:
    """Return, by name, whether the centred form suits all columns of each per-group term of the mean."""
    columns, out, start = centered_columns(design), {}, 0
    for term in design.predictor.per_group:
        stop = start + term.columns.shape[1]
        out[term.name] = bool(np.all(columns[start:stop]))
        start = stop
    return out


def centered_sigma(design: Design, predictor: Predictor) -> bool:
    """Return whether the centred form of ``hierarchy(sigma)`` suits the groups' residual sds.

    The sampling variance of log s_g with d_g degrees of freedom is about 1 / (2 d_g).
    """
    rows = design.rows.used
    columns = stack(design.predictor.terms, rows)  # rough: shared ones by group, too; only to choose a form
    fit = profile(_response(design), columns, np.empty((rows, 0)), predictor.grouping, design.row_weights)
    df = fit.group_rows - fit.group_ranks
    usable = (df > 0) & (fit.group_rss > 0)
    variances = np.where(usable, 1 / (2 * np.maximum(df, 1)), np.inf)
    estimates = np.log(np.where(usable, fit.group_rss / np.maximum(df, 1), 1.0)) / 2
    return is_informative(estimates, variances)
