"""Joint contrasts and joint tests of draws from anywhere: Bambi, NumPyro, CmdStanPy, an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from xarray import DataArray, Dataset, DataTree

from formulajoint.contrasts import averages
from formulajoint.design.schema import FloatArray
from formulajoint.errors import DataError, did_you_mean, listed
from formulajoint.results import joint_tests as figures
from formulajoint.results.tables import PROB, describe

type Draws = NDArray[np.floating] | DataArray | Dataset | DataTree
type GivenWeights = Mapping[str, float] | Sequence[float] | FloatArray | None


def joint(
    draws: Draws,
    weights: GivenWeights = None,
    variable: str | None = None,
    prob: float = PROB,
) -> pd.DataFrame:
    """Return the joint contrast of groups' coefficients from any posterior: weighted mean, rms and spread.

    Parameters
    ----------
    draws : array, DataArray, Dataset or DataTree
        An array is (chain, draw, group) or (draw, group). An xarray object has the dims chain and draw, and the
        other dims are the groups; of a Dataset or an ArviZ DataTree `variable` is taken.
    weights : mapping of group to weight, sequence or None
        Zero or more, for instance the rows of each group; they are normalised. None weights all groups equally.
    variable : str, optional
        Which variable of a Dataset or DataTree holds the coefficients.
    prob : float
        Probability of the highest-density interval.

    Returns
    -------
    DataFrame
        Rows joint, rms and spread; columns mean, sd, hdi_low, hdi_high, p_direction, ess_bulk, ess_tail, r_hat.

    Raises
    ------
    DataError
        Where the draws have no groups, or the weights do not give each group one.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> draws = np.random.default_rng(1).normal([20.0, 8.0], 1.0, size=(4, 1000, 2))
    >>> round(float(fj.joint(draws, weights=[4, 6]).loc["joint", "mean"]), 1)
    12.8
    """
    values, groups = read_draws(draws, variable)
    effects = np.moveaxis(values, 2, 0)  # (group, chain, draw)
    w = _weights(weights, groups)[:, None, None]
    nodes = {
        "joint": averages.joint(effects, w),
        "rms": averages.rms(effects, w),
        "spread": averages.spread(effects, w),
    }
    return describe(list(nodes), list(nodes.values()), prob)


def joint_test(
    draws: Draws,
    null: ArrayLike = 0.0,
    rope: float | None = None,
    variable: str | None = None,
) -> pd.DataFrame:
    """Return the joint test of any posterior: is any of the quantities different from `null`?

    Parameters
    ----------
    draws : array, DataArray, Dataset or DataTree
        As for `joint`.
    null : float or array
        What each quantity is under the null hypothesis.
    rope : float, optional
        Half-width of the region about the null that counts as no effect.
    variable : str, optional
        Which variable of a Dataset or DataTree holds the quantities.

    Returns
    -------
    DataFrame
        One row: rank, contour and contour_mcse, gbpv, p_all_positive, p_all_negative, p_in_rope, ess. What these are is
        said in ``docs/statistics.md``; the Bayes factor and the F test need the model, not draws alone.

    Raises
    ------
    DataError
        Where there are fewer draws than twice the quantities, or `null` or `rope` do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> draws = np.random.default_rng(1).normal([0.1, -0.1, 0.0], 1.0, size=(4, 1000, 3))
    >>> bool(fj.joint_test(draws)["contour"].iloc[0] > 0.9)
    True
    """
    values, _ = read_draws(draws, variable)
    q = values.shape[2]
    if values.shape[0] * values.shape[1] <= 2 * q:
        raise DataError(
            f"{values.shape[0] * values.shape[1]} draws are too few for {q} quantities: draw more."
        )
    if rope is not None and not rope > 0:
        raise DataError(f"`rope` must be above zero, not {rope}.")
    try:
        away = values - np.broadcast_to(np.asarray(null, dtype=float), (q,))
    except ValueError as error:
        raise DataError(f"`null` must be a number, or {q} of them.") from error
    contour, band = figures.contour_probability(away), figures.simultaneous_band(away)
    row = {
        "rank": int(np.linalg.matrix_rank(np.cov(away.reshape((-1, q)), rowvar=False))),
        "contour": contour.value,
        "contour_mcse": contour.mcse,
        "gbpv": band.gbpv.value,
        "p_all_positive": figures.probability_of(figures.all_positive, away).value,
        "p_all_negative": figures.probability_of(figures.all_negative, away).value,
        "p_in_rope": np.nan if rope is None else figures.probability_of(figures.all_within(rope), away).value,
        "ess": figures.effective_draws(away),
    }
    return pd.DataFrame([row], index=pd.Index([variable or "draws"], name="quantities"))


def read_draws(draws: Draws, variable: str | None = None) -> tuple[FloatArray, tuple[str, ...]]:
    """Return draws as (chain, draw, group) with the groups' labels.

    Raises
    ------
    DataError
        Where they have another shape, miss the variable, or are not finite.
    """
    if isinstance(draws, DataTree):
        if "posterior" not in draws.children:
            raise DataError(f"The DataTree has no group `posterior`; it has {listed(draws.children)}.")
        draws = draws["posterior"].to_dataset()
    if isinstance(draws, Dataset):
        draws = _variable(draws, variable)
    values, groups = _labelled(draws) if isinstance(draws, DataArray) else _plain(draws)
    if not np.isfinite(values).all():
        raise DataError(
            f"{int((~np.isfinite(values)).sum())} of {values.size} draws are missing or infinite."
        )
    return values, groups


def _variable(draws: Dataset, name: str | None) -> DataArray:
    if name is None:
        raise DataError(f"Say which variable: variable=..., one of {listed(map(str, draws.data_vars))}.")
    if name not in draws.data_vars:
        hint = (
            did_you_mean(name, map(str, draws.data_vars)) or f"there are {listed(map(str, draws.data_vars))}"
        )
        raise DataError(f"There is no variable `{name}`: {hint}")
    return draws[name]


def _labelled(draws: DataArray) -> tuple[FloatArray, tuple[str, ...]]:
    missing = [dim for dim in ("chain", "draw") if dim not in draws.dims]
    if missing:
        raise DataError(f"The draws have no dim {listed(missing)}; they have {listed(map(str, draws.dims))}.")
    dims = [dim for dim in draws.dims if dim not in ("chain", "draw")]
    if not dims:
        raise DataError("The draws have no dim beside chain and draw, so there are no groups.")
    ordered = draws.transpose("chain", "draw", *dims)
    labels = product(*(map(str, ordered[dim].to_numpy()) for dim in dims))
    values = ordered.to_numpy().reshape((*ordered.shape[:2], -1)).astype(float)
    return values, tuple(", ".join(place) for place in labels)


def _plain(draws: ArrayLike) -> tuple[FloatArray, tuple[str, ...]]:
    values = np.asarray(draws, dtype=float)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.shape[2] == 0:
        raise DataError(
            f"An array of draws is (chain, draw, group) or (draw, group), not of shape {np.shape(draws)}."
        )
    return values, tuple(map(str, range(values.shape[2])))


def _weights(given: GivenWeights, groups: tuple[str, ...]) -> FloatArray:
    """Return one weight a group, summing to one."""
    if given is None:
        return np.full(len(groups), 1 / len(groups))
    if isinstance(given, Mapping):
        named = {str(group): weight for group, weight in given.items()}
        if set(named) != set(groups):
            wrong = sorted(set(named) ^ set(groups))
            raise DataError(
                f"The weights and the groups differ in {listed(wrong)}; the groups are {listed(groups)}."
            )
        given = [named[group] for group in groups]
    weights = np.asarray(given, dtype=float)
    if weights.shape != (len(groups),):
        raise DataError(f"There are {len(groups)} groups, and weights of shape {weights.shape}.")
    if not (np.all(weights >= 0) and 0 < weights.sum() < np.inf):
        raise DataError("Weights are zero or more, and not all zero.")
    return np.asarray(weights / weights.sum())
