"""Residuals of the rows, and how much of the response's variance is explained.

Shapes: D draws, N rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special
from xarray import DataArray

from formulajoint.arrays import FloatArray
from formulajoint.data.rows import frequencies
from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import describe
from formulajoint.results.predictions.replicate import TINY, by_rows
from formulajoint.wording import listed

KINDS = ("response", "pearson", "quantile")


def residuals(posterior: Posterior, kind: str = "response", seed: int = 0) -> pd.DataFrame:
    """Return the residual of each row.

    Parameters
    ----------
    posterior : Posterior
    kind : {"response", "pearson", "quantile"}
        See `Fit.residuals`.
    seed : int
        Of the random point within a step, for quantile residuals of whole numbers.

    Raises
    ------
    InferenceError
        If there is no such kind, or the response has categories without an order.
    """
    if kind not in KINDS:
        raise InferenceError(f"`kind` is one of {listed(KINDS)}, not {kind!r}.")
    check_order(posterior)
    if kind == "quantile":
        return pd.DataFrame({"residual": _normal_scores(pit(posterior, seed))}, index=rows_index(posterior))
    y, found = posterior.plan.design.response.scale, list[tuple[FloatArray, FloatArray]]()
    for rows, predicted in by_rows(posterior):
        mean, sd = predicted.moments()
        apart = (y[rows] - mean) / (sd if kind == "pearson" else 1.0)
        found.append((apart.mean(axis=0), apart.std(axis=0)))
    mean, sd = (np.concatenate(each) for each in zip(*found, strict=True))
    return pd.DataFrame({"residual": mean, "sd": sd}, index=rows_index(posterior))


def check_order(posterior: Posterior) -> None:
    """Raise an InferenceError if the response has categories without an order."""
    family = posterior.plan.family
    if family.mean.by_level:
        raise InferenceError(
            f"The categories of the family `{family.name}` have no order: there are no residuals, no probability "
            "of less than a category, and no variance to explain. `fit.plot.ppc('bars')` and `fit.loo()` are there."
        )


def rows_index(posterior: Posterior) -> pd.Index[Any]:
    """Return the places, from 0, of the rows used in the data as given: rows left out have none."""
    design = posterior.plan.design
    return pd.Index(np.arange(design.rows.used) if design.kept is None else design.kept.places, name="row")


def pit(posterior: Posterior, seed: int = 0, y: FloatArray | None = None) -> FloatArray:
    """Return the probability under the posterior predictive distribution of less than each response, (N,).

    For whole numbers, or amounts with zeros, at a random point of the step at the response; `y` (N,) stands for the
    responses of the data.
    """
    y, rng = posterior.plan.design.response.values if y is None else y, np.random.default_rng(seed)
    out = np.empty(len(y))
    for rows, predicted in by_rows(posterior):
        below, above = (each.mean(axis=0) for each in predicted.steps(y[rows]))
        out[rows] = below + rng.random(len(below)) * (above - below)
    return out


def _normal_scores(shares: FloatArray) -> FloatArray:
    return np.asarray(special.ndtri(np.clip(shares, TINY, 1 - np.finfo(float).epsneg)))


def r2(posterior: Posterior) -> FloatArray:
    """Return the share of the variance that the model explains, at each draw, (D,).

    The variance of the rows' means over that plus the mean of the rows' residual variances (Gelman, Goodrich, Gabry &
    Vehtari, The American Statistician 2019). Both are of the shares where successes are counted among trials.
    """
    check_order(posterior)
    times = frequencies(posterior.plan.design)
    times = times / times.sum()
    first = second = residual = np.zeros(posterior.named.shape[0] * posterior.named.shape[1])
    centre: FloatArray | None = None
    for rows, predicted in by_rows(posterior):
        mean, sd = predicted.moments()
        centre = mean[:, :1].copy() if centre is None else centre
        away = mean - centre  # keeps digits where means are far from zero
        first, second = first + away @ times[rows], second + away**2 @ times[rows]
        residual = residual + sd**2 @ times[rows]
    explained = second - first**2
    return np.asarray(explained / (explained + residual))


def r2_draws(posterior: Posterior) -> DataArray:
    """Return the same with dims chain and draw."""
    return DataArray(r2(posterior).reshape(posterior.named.shape), dims=("chain", "draw"), name="r2")


def r2_table(posterior: Posterior, prob: float) -> pd.DataFrame:
    """Return mean, sd and interval of `r2`."""
    draws = r2(posterior).reshape(posterior.named.shape)
    return describe(["r2"], [draws], prob)
