"""Tables of averages: figures of their draws, and over what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from xarray import DataArray

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.results.draws.full_width import Table
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import check_prob, describe
from formulajoint.results.joint_tests.figures import simultaneous_band
from formulajoint.results.predictions.comparisons import Compared
from formulajoint.results.predictions.effects import Averaged


def means_of(found: Averaged) -> Compared:
    """Return averages that are not compared."""
    return Compared(found, ("",), float("nan"))


def shown(
    posterior: Posterior,
    found: Compared,
    draws: bool,
    prob: float,
    rope: float | None,
    simultaneous: bool,
    weights: str,
) -> pd.DataFrame | DataArray:
    """Return averages or comparisons as their draws or as their table."""
    if draws:
        return effect_draws(posterior, found)
    return effect_table(posterior, found, prob, rope, simultaneous, weights)


def effect_table(
    posterior: Posterior, found: Compared, prob: float, rope: float | None, simultaneous: bool, weights: str
) -> pd.DataFrame:
    """Return one row per cell and comparison.

    Columns mean, sd, median, hdi_low, hdi_high; of comparisons p_direction, the probability of the more probable side
    of no difference, and with `rope` p_in_rope; with `simultaneous` band_low and band_high, between which all rows are
    at once; ess_bulk, r_hat; rows and weights of each average, groups where coefficients differ by group, and method.
    """
    check_prob(prob)
    draws = _draws(found)  # (K, S)
    chains = draws.reshape((len(draws), *posterior.named.shape))
    table = describe([str(at) for at in range(len(draws))], list(chains), prob)
    columns: dict[str, Any] = {
        name: table[name].to_numpy() for name in ("mean", "sd", "median", "hdi_low", "hdi_high")
    }
    if not np.isnan(found.null):
        away = draws - found.null
        columns["p_direction"] = np.maximum((away > 0).mean(axis=1), (away < 0).mean(axis=1))
    if rope is not None:
        columns["p_in_rope"] = _in_rope(draws - found.null, rope)
    if simultaneous:
        logs = found.null == 1 and bool((draws > 0).all())  # of ratios
        band = simultaneous_band(np.moveaxis(np.log(chains) if logs else chains, 0, -1), prob)
        low, high = (np.exp(band.low), np.exp(band.high)) if logs else (band.low, band.high)
        columns |= {"band_low": low, "band_high": high}
    columns |= {name: table[name].to_numpy() for name in ("ess_bulk", "r_hat")}
    averages = found.averages
    columns |= {"rows": np.tile(averages.rows, len(found.labels)), "weights": weights}
    columns |= {"groups": averages.groups} if averages.groups else {}
    columns |= {"method": np.repeat(found.methods, len(averages.cells))} if found.methods else {}
    return Table(columns, index=index_of(found))


def effect_draws(posterior: Posterior, found: Compared) -> DataArray:
    """Return the draws over chain, draw and effect, whose labels are those of the table's index."""
    draws = _draws(found)
    values = np.moveaxis(draws.reshape((len(draws), *posterior.named.shape)), 0, -1)
    labels = [", ".join(key) if isinstance(key, tuple) else str(key) for key in index_of(found)]
    return DataArray(values, dims=("chain", "draw", "effect"), coords={"effect": labels})


def _draws(found: Compared) -> FloatArray:
    return np.concatenate(found.averages.draws)


def index_of(found: Compared) -> pd.Index[Any]:
    """Return the index: the columns in whose cells is averaged, and what is compared."""
    by, cells = found.averages.by, found.averages.cells
    last, several = found.labels != ("",), bool(found.variables)
    of = found.variables or found.labels
    keys = [
        (*([name] if several else []), *cell, *([label] if last else []))
        for name, label in zip(of, found.labels, strict=True)
        for cell in cells
    ]
    names = [*(["variable"] if several else []), *by, *(["contrast"] if last else [])]
    if not names:
        return pd.Index(["all rows"])
    if len(names) == 1:
        return pd.Index([key[0] for key in keys], name=names[0])
    return pd.MultiIndex.from_tuples(keys, names=names)


def _in_rope(away: FloatArray, rope: float) -> FloatArray:
    if not (isinstance(rope, int | float) and not isinstance(rope, bool) and 0 < rope < np.inf):
        raise InferenceError(f"`rope` must be above zero, not {rope!r}.")
    return np.asarray((abs(away) < rope).mean(axis=1))
