"""Joint contrasts, and families of contrasts, of draws from other sources: Bambi, NumPyro, CmdStanPy, an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.contrasts import averages
from formulajoint.contrasts.level_families import FAMILIES, ContrastMatrix, in_order
from formulajoint.contrasts.schemes import SCHEMES, Groups, WeightScheme
from formulajoint.design.level_order import by_size
from formulajoint.errors import DataError
from formulajoint.language.vocabulary.default import default_language
from formulajoint.results.draws.tables import PROB, describe
from formulajoint.results.external.draws import Draws, Source, read_draws
from formulajoint.wording import did_you_mean, listed

type PerGroup = Mapping[str, float] | Sequence[float] | FloatArray
type GivenWeights = str | PerGroup | None

OPTIONS = {"ref": "reference", "degree": "poly", "weights": "meandev"}
"""Argument of `contrast_table` -> the family it belongs to."""


def joint(
    draws: Draws,
    weights: GivenWeights = None,
    variable: str | None = None,
    prob: float = PROB,
    *,
    n: PerGroup | None = None,
    dim: str | None = None,
    groups: Sequence[str] | None = None,
    base: str | None = None,
    reference: str | None = None,
) -> pd.DataFrame:
    """Return the joint contrast of groups' coefficients from any posterior: weighted mean, rms and spread.

    Parameters
    ----------
    draws : array, DataArray, Dataset, DataTree or mapping of name to array
        An array is (chain, draw, group) or (draw, group). An xarray object has the dims chain and draw; of a
        Dataset, a mapping or an ArviZ DataTree (what Bambi and PyMC return) `variable` is taken.
    weights : {None, "equal", "n"}, mapping of group to weight, or sequence
        Zero or more; they are normalised. None weights all groups equally, ``"n"`` by their counts `n`, and the name of
        a registered weight scheme by what it makes of `n`.
    variable : str, optional
        Variable that holds the coefficients.
    prob : float
        Probability of the highest-density interval.
    n : mapping of group to count, or sequence, optional
        Rows of each group.
    dim : str, optional
        The groups' dim; each cell of the other dims then has its own rows. Without it all dims together are the groups.
    groups : sequence of str, optional
        Names of the groups, in the order of the draws.
    base : str, optional
        Variable from which the coefficients are differences, as varying slopes are from the common one:
        ``variable="x|school", base="x"``.
    reference : str, optional
        Group that such differences leave out, as R's coding does: its coefficient is the base itself.

    Returns
    -------
    DataFrame
        Rows joint, rms and spread; columns mean, sd, hdi_low, hdi_high, p_direction, ess_bulk, ess_tail, r_hat.

    Raises
    ------
    DataError
        If the draws have no groups, or there is not one weight for each group.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> draws = np.random.default_rng(1).normal([20.0, 8.0], 1.0, size=(4, 1000, 2))
    >>> round(float(fj.joint(draws, weights=[4, 6]).loc["joint", "mean"]), 1)
    12.8
    """
    found = read_draws(draws, Source(variable, dim, groups, base, reference))
    w = _weights(weights, n, found.groups)[:, None, None]
    rows: dict[str, FloatArray] = {}
    for cell, values in zip(found.cells, found.values, strict=True):
        effects = np.moveaxis(values, 2, 0)  # (group, chain, draw)
        where = f"[{cell}]" if cell else ""
        rows[f"joint{where}"] = averages.joint(effects, w)
        rows[f"rms{where}"] = averages.rms(effects, w)
        rows[f"spread{where}"] = averages.spread(effects, w)
    return describe(list(rows), list(rows.values()), prob)


def contrast_table(
    draws: Draws,
    family: str,
    *,
    ref: str | None = None,
    degree: int | None = None,
    weights: GivenWeights = None,
    n: PerGroup | None = None,
    prob: float = PROB,
    variable: str | None = None,
    dim: str | None = None,
    groups: Sequence[str] | None = None,
    base: str | None = None,
    reference: str | None = None,
) -> pd.DataFrame:
    """Return a family of contrasts of groups' coefficients from any posterior.

    Parameters
    ----------
    draws : array, DataArray, Dataset, DataTree or mapping of name to array
        As for `joint`.
    family : {"pairwise", "reference", "sequential", "meandev", "meanotherdev", "helmert", "poly"}
        As the clause of that name in a formula. ``sequential``, ``helmert`` and ``poly`` take the groups in their
        order, except that whole numbers sorted as text (1, 10, 2) are taken by size.
    ref : str, optional
        For ``reference``: the group that the others are compared with; the first if not given.
    degree : int, optional
        For ``poly``: the highest degree.
    weights, n
        For ``meandev``: the weights of the mean, as for `joint`.
    prob : float
        Probability of the highest-density interval.
    variable, dim, groups, base, reference
        As for `joint`; with `dim` there are rows for each cell of the other dims.

    Returns
    -------
    DataFrame
        One row per entry, such as ``A - B``; columns as from `joint`.

    Raises
    ------
    DataError
        If there is no such family or group, or an argument belongs to another family.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> draws = np.random.default_rng(1).normal([3.0, 1.0, 2.0], 1.0, size=(4, 1000, 3))
    >>> list(fj.contrast_table(draws, "pairwise", groups=["A", "B", "C"]).index)
    ['A - B', 'A - C', 'B - C']
    """
    found = read_draws(draws, Source(variable, dim, groups, base, reference))
    given = {"ref": ref, "degree": degree, "weights": weights if n is None or weights is not None else "n"}
    matrix = _matrix(family, found.groups, {k: v for k, v in given.items() if v is not None}, n)
    rows: dict[str, FloatArray] = {}
    for cell, values in zip(found.cells, found.values, strict=True):
        entries = np.moveaxis(values @ matrix.weights.T, 2, 0)
        where = f"[{cell}]" if cell else ""
        rows |= {f"{label}{where}": entry for label, entry in zip(matrix.labels, entries, strict=True)}
    return describe(list(rows), list(rows.values()), prob)


def _matrix(
    family: str, groups: tuple[str, ...], given: dict[str, Any], n: PerGroup | None
) -> ContrastMatrix:
    """Return the weights of a family's entries."""
    if family not in FAMILIES:
        hint = did_you_mean(str(family), FAMILIES) or f"there are {listed(FAMILIES)}"
        raise DataError(f"There is no family of contrasts `{family}`: {hint}")
    if len(groups) < 2:
        raise DataError(f"A contrast needs two groups; there is {listed(groups)} only.")
    for option, value in given.items():
        if OPTIONS[option] != family:
            raise DataError(f"`{option}` belongs to {OPTIONS[option]!r}, not to {family!r}.")
        given = given | {option: _option(option, value, groups, n)}
    order = by_size(groups) if FAMILIES[family].ordered else range(len(groups))
    return in_order(partial(FAMILIES[family].function, **given), groups, order)


def _option(option: str, value: Any, groups: tuple[str, ...], n: PerGroup | None) -> Any:
    """Return an option of a family in the form that its function takes."""
    if option == "weights":
        return _weights(value, n, groups)
    if option == "degree":
        if not (isinstance(value, int) and 1 <= value < len(groups)):
            raise DataError(f"`degree` is a whole number from 1 to {len(groups) - 1}, not {value!r}.")
        return int(value)
    if str(value) not in groups:
        raise DataError(
            f"There is no group `{value}`: {did_you_mean(str(value), groups) or f'there are {listed(groups)}'}"
        )
    return groups.index(str(value))


# --- weights


def _weights(given: GivenWeights, n: PerGroup | None, groups: tuple[str, ...]) -> FloatArray:
    """Return one weight per group, summing to one."""
    if given is None or (isinstance(given, str) and given == "equal"):
        return np.full(len(groups), 1 / len(groups))
    if isinstance(given, str):
        scheme = None if given == "n" else SCHEMES.find(given, default_language())
        if given != "n" and scheme is None:
            raise DataError(f"`weights` are 'n', 'equal' or numbers, not {given!r}.")
        if n is None:
            raise DataError(
                f"weights={given!r} needs the counts: n={{'A': 4, 'B': 6}}, or in the groups' order."
            )
        given = n if scheme is None else _by_scheme(scheme, n, groups)
    return per_group(given, groups)


def _by_scheme(scheme: WeightScheme, n: PerGroup, groups: tuple[str, ...]) -> FloatArray:
    """Return the weights of a weight scheme from the counts of the groups, each as one row."""
    if scheme.signature.positional:
        raise DataError(f"The weight scheme `{scheme.name}` needs columns of data, and there are draws only.")
    return scheme.values(Groups(groups, np.arange(len(groups)), in_order_of(n, groups)), [], {})


def per_group(given: PerGroup, groups: tuple[str, ...]) -> FloatArray:
    """Return given weights in the groups' order, summing to one."""
    weights = in_order_of(given, groups)
    if not (np.all(weights >= 0) and 0 < weights.sum() < np.inf):
        raise DataError("Weights are zero or more, and not all zero.")
    return np.asarray(weights / weights.sum())


def in_order_of(given: PerGroup, groups: tuple[str, ...]) -> FloatArray:
    """Return given numbers in the groups' order."""
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
    return weights
