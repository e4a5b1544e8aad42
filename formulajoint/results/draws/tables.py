"""Tables of a fit: one row per coefficient, one row per contrast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.contrast_nodes import node_dims
from formulajoint.compiler.plan import ContrastPlan, FamilyPlan
from formulajoint.errors import InferenceError
from formulajoint.results.draws.convergence import ess_bulk, ess_tail, hdi, r_hat
from formulajoint.results.draws.existing_moments import degrees_of_freedom
from formulajoint.results.draws.posterior import Posterior, reported_cells
from formulajoint.wording import span

PROB = 0.95
"""Default probability of intervals, as for classical ones."""

TAILS = (0.05, 0.95)
"""Quantiles of ess_tail, the smaller of their effective sample sizes."""

MOST_WEIGHTS = 8
"""A table lists the weights of at most this many groups; of more it gives their range."""


def summary(posterior: Posterior, prob: float = PROB) -> pd.DataFrame:
    """Return the summary table: one row per coefficient and parameter, without contrasts.

    Parameters
    ----------
    posterior : Posterior
    prob : float
        Probability of the highest-density interval, between 0 and 1.

    Returns
    -------
    DataFrame
        Columns mean, sd, hdi_low, hdi_high, ess_bulk, ess_tail, r_hat; in the index ``treatment[A]``. A mean or sd that
        does not exist is NaN.
    """
    asked = node_dims(posterior.plan)
    names = [name for name in posterior.named.variables if name not in asked]
    order = {name: position for position, name in enumerate(_reading_order(posterior))}
    names.sort(key=lambda name: order.get(name, len(order)))
    columns = ["mean", "sd", "hdi_low", "hdi_high", "ess_bulk", "ess_tail", "r_hat"]
    return _table(posterior, names, prob)[columns]


def contrasts(posterior: Posterior, prob: float = PROB) -> pd.DataFrame:
    """Return the table of contrasts, one row each.

    Returns
    -------
    DataFrame
        Columns mean, sd, median, hdi_low, hdi_high, p_direction (the probability of the sign that is more probable),
        ess_bulk, r_hat and weights; in the index the node's name, with its entry or a factor's level if it has one.
        A mean or sd that does not exist, as that of a ratio, is NaN.
    """
    tables = []
    for contrast in posterior.plan.contrasts:
        table = _table(posterior, [contrast.name], prob)
        table["weights"] = weights_text(posterior, contrast)
        tables.append(table)
    columns = ["mean", "sd", "median", "hdi_low", "hdi_high", "p_direction", "ess_bulk", "r_hat", "weights"]
    table = (
        pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns, index=pd.Index([], dtype=str))
    )
    return table.rename_axis("contrast")


def _reading_order(posterior: Posterior) -> list[str]:
    """Return names in the order of the table: coefficients, means and sds of their hierarchies, their correlations."""
    plan = posterior.plan
    order = [c.name for c in plan.mean.coefficients]
    order += [name for pool in plan.mean.pools for t in pool.terms for name in (t.mean_name, t.sd_name)]
    return order + [pool.correlation.name for pool in plan.mean.pools if pool.correlation is not None]


def _table(posterior: Posterior, names: Iterable[str], prob: float) -> pd.DataFrame:
    tails = degrees_of_freedom(posterior.plan)
    labels, draws, df = [], [], []
    for name in names:
        found = list(reported_cells(posterior, name))
        labels += [label for label, _ in found]
        draws += [values for _, values in found]
        df += list(_df_of_cells(tails.get(name), len(found)))
    if not labels:
        return describe(["none"], [np.zeros((1, 1))], prob).iloc[:0]
    table = describe(labels, draws, prob)
    df_array = np.array(df)
    table["mean"] = table["mean"].where(df_array > 1)
    table["sd"] = table["sd"].where(df_array > 2)
    return table


def describe(labels: Sequence[str], draws: Sequence[FloatArray], prob: float) -> pd.DataFrame:
    """Return one row per label with mean, sd, interval, p_direction and diagnostics of its draws (chain, draw)."""
    check_prob(prob)
    return pd.DataFrame(_statistics(np.stack(draws), prob), index=pd.Index(labels, name="parameter"))


def check_prob(prob: float) -> None:
    """Raise an InferenceError unless `prob`, the probability of an interval, lies between 0 and 1."""
    if not (isinstance(prob, Real) and 0 < prob < 1):
        raise InferenceError(f"`prob` must lie between 0 and 1, not {prob!r}: 95 % is 0.95.")


def _df_of_cells(df: FloatArray | None, count: int) -> FloatArray:
    """Return degrees of freedom, one or one per group, for each cell of a variable whose first axis is the group."""
    if df is None:
        return np.full(count, np.inf)
    return np.repeat(df, count // df.size)


def _statistics(draws: FloatArray, prob: float) -> dict[str, FloatArray]:
    """Return the columns of a table from draws (cell, chain, draw); NaN for a cell with a draw that is not finite."""
    known = np.isfinite(draws).all(axis=(1, 2))
    if not known.all():
        found = _statistics(np.where(known[:, None, None], draws, 0.0), prob)
        return {name: np.where(known, values, np.nan) for name, values in found.items()}
    flat = draws.reshape((len(draws), -1))
    interval = hdi(flat, prob)
    above = (flat > 0).mean(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "mean": flat.mean(axis=1),
            "sd": flat.std(axis=1, ddof=1) if flat.shape[1] > 1 else np.full(len(flat), np.nan),
            "median": np.median(flat, axis=1),
            "hdi_low": interval[:, 0],
            "hdi_high": interval[:, 1],
            "p_direction": np.maximum(above, (flat < 0).mean(axis=1)),
            "ess_bulk": ess_bulk(draws),
            "ess_tail": ess_tail(draws, TAILS),
            "r_hat": r_hat(draws),
        }


def weights(posterior: Posterior, contrast: ContrastPlan) -> pd.Series:
    """Return the weight of each group; its posterior mean where it differs from draw to draw.

    The series has a second index level where a factor's columns differ in weight; it is empty for a contrast without
    weights.
    """
    if contrast.weights is None:
        return pd.Series([], dtype=float, index=pd.Index([], dtype=str), name=contrast.name)
    values = contrast.weights.values
    if contrast.weights_name is not None:
        values = posterior.named.values(contrast.weights_name).mean(axis=(0, 1))
    if isinstance(contrast, FamilyPlan) and contrast.coding is not None:  # of a factor's levels
        return pd.Series(values, index=pd.Index(contrast.levels, name=contrast.over), name=contrast.name)
    dims = contrast.coefficient.dims[: values.ndim]
    index = pd.MultiIndex.from_product([posterior.plan.coords[dim] for dim in dims], names=dims)
    flat = index.get_level_values(0) if values.ndim == 1 else index
    return pd.Series(values.ravel(), index=flat, name=contrast.name)


def weights_text(posterior: Posterior, contrast: ContrastPlan) -> str:
    """Return the weights as text: ``n: A 0.4, B 0.6``."""
    return describe_weights(contrast, weights(posterior, contrast))


def describe_weights(contrast: ContrastPlan, series: pd.Series) -> str:
    """Return the scheme and each group's weight, or their range if there are many; empty without weights."""
    if contrast.weights is None:
        return ""
    mean = " (posterior mean)" if contrast.weights_name is not None else ""
    if len(series) > MOST_WEIGHTS:
        return f"{contrast.weights.scheme}{mean}: {len(series)} weights, {span(series.to_numpy())} each"
    named = ", ".join(
        f"{' '.join(key) if isinstance(key, tuple) else key} {value:.3g}" for key, value in series.items()
    )
    return f"{contrast.weights.scheme}{mean}: {named}"
