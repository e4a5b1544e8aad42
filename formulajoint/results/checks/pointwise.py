"""Pointwise log likelihoods, replicated responses and residuals, row block by row block.

Shapes: C chains, D draws of each, N rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from xarray import Dataset, DataTree

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.data.rows import frequencies
from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.replicate import by_rows

MOST_BYTES = 4 * 2**30
"""Largest array with a number for each draw and row that is made at once."""


def log_likelihoods(posterior: Posterior) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield the log densities (C * D, n) of some rows after the other; a row that counts as several, that of all."""
    y, times = posterior.plan.design.response.values, frequencies(posterior.plan.design)
    for rows, predicted in by_rows(posterior):
        yield rows, predicted.log_density(y[rows]) * times[rows]


def with_log_likelihood(posterior: Posterior) -> DataTree:
    """Return the draws for ArviZ with a group log_likelihood.

    Raises
    ------
    InferenceError
        If it would take more than `MOST_BYTES`.
    """
    chains, draws = posterior.named.shape
    found = _room(posterior, chains * draws)
    for rows, logs in log_likelihoods(posterior):
        found[:, rows] = logs
    return _with_group(posterior, "log_likelihood", found.reshape(chains, draws, -1))


def posterior_predictive(posterior: Posterior, count: int | None, seed: int | None) -> DataTree:
    """Return draws of new responses at the rows of the data, one for each draw of the posterior, or for `count`."""
    chains, draws = posterior.named.shape
    if count is not None and not 1 <= count <= chains * draws:
        raise InferenceError(
            f"`draws` must be from 1 to {chains * draws}, the draws of the fit, not {count}."
        )
    shape = (chains, draws) if count in (None, chains * draws) else (1, count)
    found, rng = _room(posterior, shape[0] * shape[1]), np.random.default_rng(seed)
    for rows, predicted in by_rows(posterior, count, 0 if seed is None else seed):
        found[:, rows] = predicted.responses(rng)
    return _with_group(posterior, "posterior_predictive", found.reshape(*shape, -1), only=True)


def _room(posterior: Posterior, draws: int) -> FloatArray:
    rows = posterior.plan.design.rows.used
    if 8 * draws * rows > MOST_BYTES:
        raise InferenceError(
            f"{draws} draws of {rows} rows take {8 * draws * rows / 2**30:.0f} GB. `fit.loo()`, `fit.residuals()` and "
            "`fit.r2()` go block by block; draws can be fewer."
        )
    return np.empty((draws, rows))


def _with_group(posterior: Posterior, name: str, values: FloatArray, only: bool = False) -> DataTree:
    """Return the fit's DataTree with another group; with `only`, of the other groups observed_data alone."""
    plan, tree = posterior.plan, posterior.tree
    kept = {
        str(group): own.to_dataset()
        for group, own in tree.children.items()
        if group != name and (group == "observed_data" or not only)
    }
    coords = {"chain": np.arange(values.shape[0]), "draw": np.arange(values.shape[1])}
    coords[plan.obs_dim] = np.arange(values.shape[2])
    new = Dataset({plan.response_name: (("chain", "draw", plan.obs_dim), values)}, coords)
    out = DataTree.from_dict(kept | {name: new})
    out.attrs.update(tree.attrs)
    return out
