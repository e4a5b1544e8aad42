"""``centered=auto``: choose the form of a hierarchy that samples well, from the information per group.

The coefficient of a group can be sampled directly (centred), or as its standardised distance from the hierarchy's
mean (non-centred). The centred form suits groups whose own rows determine the coefficient better than the hierarchy
does, the non-centred form the others (Papaspiliopoulos, Roberts & Sköld, Statistical Science 2007).

Rule: let v_g be the sampling variance of group g's least-squares coefficient, and t^2 the moment estimate of the
variance between groups (variance of the estimates less the mean of v_g). The centred form is used if the median v_g is
below t^2. A group that does not determine its coefficient counts as v_g = infinity.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.data.data import Data
from formulajoint.data.least_squares import Profile, partial_ss, profile, slopes
from formulajoint.design.pooling import Hierarchy
from formulajoint.design.schema import Grouping


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


def centered_columns(data: Data, in_sds: bool = False) -> NDArray[np.bool_]:
    """Return whether the centred form suits each per-group column of the mean's predictor, (p,) bool.

    Parameters
    ----------
    data : Data
    in_sds : bool
        Whether coefficients are pooled in residual sds.
    """
    table, predictor = data.groups, data.predictor
    own, shared = table.of(predictor.per_group), table.of(predictor.common)
    fit = profile(own, shared, table.y, table.rows)
    df = max(float(fit.group_rows.sum()) - float(fit.group_ranks.sum()) - fit.shared_rank, 1.0)
    # With known standard errors the rows are standardised, so their variance is one.
    variance = fit.rss / df if data.design.standard_errors is None else 1.0
    information = partial_ss(own)  # (G, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        variances = np.where(information > 0, variance / information, np.inf)
    estimates = slopes(own, table.y)  # (G, p)
    if in_sds and variance == 0:  # a perfect fit shows no residual sd
        return np.zeros(own.shape[2], dtype=bool)
    if in_sds:
        sds = _own_sds(fit, data.sigma_of_group, np.sqrt(variance))
        estimates, variances = estimates / sds[:, None], variances / variance
    return np.array([is_informative(estimates[:, j], variances[:, j]) for j in range(own.shape[2])])


def _own_sds(fit: Profile, sigma_of_group: IntArray | None, instead: float) -> FloatArray:
    """Return the residual sd of each group's rows (G,); `instead` where they leave no residual."""
    of = np.zeros(len(fit.group_rows), dtype=np.int64) if sigma_of_group is None else sigma_of_group
    rss, df = (np.bincount(of, each)[of] for each in (fit.group_rss, fit.group_rows - fit.group_ranks))
    usable = (df > 0) & (rss > 0)
    return np.where(usable, np.sqrt(np.where(usable, rss, 1.0) / np.maximum(df, 1.0)), instead)


def centered_terms(data: Data, hierarchies: Iterable[Hierarchy]) -> dict[str, bool]:
    """Return, by name, whether the centred form suits all columns of each per-group term of the mean."""
    in_sds = {name for request in hierarchies if request.in_sds for name in request.terms}
    columns, out, start = centered_columns(data), {}, 0
    scaled = centered_columns(data, in_sds=True) if in_sds else columns
    for term in data.predictor.per_group:
        stop = start + term.columns.shape[1]
        out[term.name] = bool(np.all((scaled if term.name in in_sds else columns)[start:stop]))
        start = stop
    return out


def centered_sigma(data: Data, grouping: Grouping | None) -> bool:
    """Return whether the centred form of ``hierarchy(sigma)`` suits the groups' residual sds.

    The sampling variance of log s_g with d_g degrees of freedom is about 1 / (2 d_g).
    """
    table = data.by(grouping)
    columns = table.of(data.predictor.terms)  # rough: shared ones by group, too; only to choose a form
    fit = profile(columns, columns[:, :, :0], table.y, table.rows)
    df = fit.group_rows - fit.group_ranks
    usable = (df > 0) & (fit.group_rss > 0)
    variances = np.where(usable, 1 / (2 * np.maximum(df, 1)), np.inf)
    estimates = np.log(np.where(usable, fit.group_rss / np.maximum(df, 1), 1.0)) / 2
    return is_informative(estimates, variances)
