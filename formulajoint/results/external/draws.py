"""Draws from other sources, converted to one form: Bambi, NumPyro, CmdStanPy, an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from xarray import DataArray, Dataset, DataTree

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.labels import Labels
from formulajoint.errors import DataError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.wording import did_you_mean, listed

type Variables = Dataset | Mapping[str, ArrayLike]
type Draws = NDArray[np.floating] | pd.DataFrame | DataArray | DataTree | Variables
"""An array is (chain, draw, group) or (draw, group), a data frame has a column for each group, an xarray object has the
dims chain and draw."""

SAMPLE = ("chain", "draw")


@dataclass(frozen=True, slots=True, eq=False)
class GroupDraws:
    """Draws of groups' coefficients.

    Attributes
    ----------
    values : (cell, chain, draw, group) array
        The cells are those of the dims other than the groups'; without such dims there is one cell.
    cells : tuple of str
        Labels of the cells; one empty label without such dims.
    labels : Labels
        Labels of the groups.
    """

    values: FloatArray
    cells: tuple[str, ...]
    labels: Labels

    @property
    def groups(self) -> tuple[str, ...]:
        """The label of each group."""
        return self.labels.cells


@dataclass(frozen=True, slots=True)
class Source:
    """The place of the coefficients among the draws.

    Attributes
    ----------
    variable : str or None
        Variable, if there are several.
    dim : str or None
        The groups' dim; None takes all dims beside chain and draw together.
    groups : sequence of str or None
        Names of the groups, for draws without labels or in place of theirs.
    base : str or None
        Variable from which the coefficients are differences.
    reference : str or None
        Name of the group whose coefficient is the base itself.
    """

    variable: str | None = None
    dim: str | None = None
    groups: Sequence[str] | None = None
    base: str | None = None
    reference: str | None = None


def read_draws(draws: Draws, source: Source) -> GroupDraws:
    """Return the draws of groups' coefficients.

    Raises
    ------
    DataError
        If draws have another shape, lack a variable, or are not finite.
    """
    array = _array(_posterior(draws), source)
    grouped = _renamed(array, source.groups, _group_dims(array, source.dim))
    own = _group_dims(grouped, source.dim)
    others = [str(dim) for dim in grouped.dims if dim not in (*SAMPLE, *own)]
    ordered = grouped.transpose(*others, *SAMPLE, *own)
    shape = ordered.shape[len(others) : len(others) + 2]
    values = ordered.to_numpy().astype(float).reshape((-1, *shape, int(np.prod(ordered.shape[-len(own) :]))))
    if not np.isfinite(values).all():
        raise DataError(
            f"{int((~np.isfinite(values)).sum())} of {values.size} draws are missing or infinite."
        )
    labels = Labels(str(array.name or "draws"), {dim: _labels(ordered, dim) for dim in own})
    return GroupDraws(values, Labels("", {dim: _labels(ordered, dim) for dim in others}).cells, labels)


def _posterior(draws: Draws) -> DataArray | Variables | ArrayLike:
    """Return the posterior of a whole result: of an ArviZ DataTree, or of the older InferenceData."""
    if isinstance(draws, DataTree):
        if "posterior" in draws.children:
            return draws["posterior"].to_dataset()
        if not draws.data_vars:
            raise DataError(f"The DataTree has no group `posterior`; it has {listed(draws.children)}.")
        return draws.to_dataset()  # a group such as `idata.posterior` itself
    if isinstance(getattr(draws, "draws", None), Posterior):
        raise DataError(
            "This is a fit of formulajoint, which knows its own groups and weights: ask it by `fit.contrast(...)` and "
            "`fit.test(...)`. Its draws alone are `fit.posterior`."
        )
    older = None if isinstance(draws, DataArray | Dataset) else getattr(draws, "posterior", None)
    return older if isinstance(older, Dataset) else draws


def _array(draws: DataArray | Variables | ArrayLike, source: Source) -> DataArray:
    """Return the coefficients as a labelled array with dims chain and draw."""
    if isinstance(draws, Dataset | Mapping):
        name = _only(draws) if source.variable is None else source.variable
        array = _labelled(_variable(draws, name), name)
        return array if source.base is None else _added(array, draws, source)
    if source.base is not None:
        raise DataError("`base` names a variable, and these draws are of one: add it to them yourself.")
    return _labelled(draws, source.variable)


def _names(draws: Variables) -> list[str]:
    return list(map(str, draws.data_vars if isinstance(draws, Dataset) else draws))


def _only(draws: Variables) -> str:
    """Return the name of the only variable."""
    known = _names(draws)
    if len(known) != 1:
        raise DataError(f"Say which variable: variable=..., one of {listed(known)}.")
    return known[0]


def _variable(draws: Variables, name: str) -> DataArray | ArrayLike:
    known = _names(draws)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {listed(known)}"
        raise DataError(f"There is no variable `{name}`: {hint}")
    return draws[name]


def _labelled(draws: DataArray | ArrayLike, name: str | None) -> DataArray:
    if not isinstance(draws, DataArray):
        return _plain(draws).rename(name or "draws")
    missing = [dim for dim in SAMPLE if dim not in draws.dims]
    if missing:
        raise DataError(f"The draws have no dim {listed(missing)}; they have {listed(map(str, draws.dims))}.")
    return draws


def _plain(draws: ArrayLike) -> DataArray:
    """Return an array, or a data frame with a column for each group, as a labelled array."""
    try:
        values = np.asarray(draws, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"Draws are an array of numbers, not {type(draws).__name__}: {error}.") from error
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.size == 0:
        raise DataError(
            f"An array of draws is (chain, draw, group) or (draw, group), not of shape {np.shape(draws)}."
        )
    coords = {"group": list(map(str, draws.columns))} if isinstance(draws, pd.DataFrame) else None
    return DataArray(values, coords, dims=(*SAMPLE, "group"))


def _added(array: DataArray, draws: Variables, source: Source) -> DataArray:
    """Return coefficients given as differences from a base, with the base added."""
    assert source.base is not None
    base = _variable(draws, source.base)
    if not isinstance(base, DataArray):
        base = DataArray(np.asarray(base, dtype=float), dims=SAMPLE)
    extra = set(base.dims) - set(array.dims)
    if extra:
        raise DataError(
            f"The base `{source.base}` has dims that `{array.name}` has not: {listed(map(str, extra))}."
        )
    total = (array + base).transpose(*array.dims)
    if source.reference is not None:
        (dim, *others) = _group_dims(array, source.dim)
        if others:
            raise DataError("With a `reference` group say which dim is the groups': dim=...")
        first = base.broadcast_like(array.isel({dim: [0]})).assign_coords({dim: [source.reference]})
        total = xr.concat([first, total], dim, coords="minimal", compat="override").transpose(*array.dims)
    return total.rename(array.name)


def _group_dims(array: DataArray, dim: str | None) -> list[str]:
    others = [str(d) for d in array.dims if d not in SAMPLE]
    if not others:
        raise DataError("The draws have no dim beside chain and draw, so there are no groups.")
    if dim is None:
        return others
    if dim not in others:
        raise DataError(
            f"The draws have no dim `{dim}`: {did_you_mean(dim, others) or f'they have {listed(others)}'}"
        )
    return [dim]


def _renamed(array: DataArray, groups: Sequence[str] | None, dims: list[str]) -> DataArray:
    """Return the array with the given names of its groups."""
    if groups is None:
        return array
    names = [str(group) for group in groups]
    if len(dims) > 1:
        raise DataError("With `groups` say which dim they are: dim=...")
    if len(names) != array.sizes[dims[0]] or len(set(names)) != len(names):
        raise DataError(
            f"There are {array.sizes[dims[0]]} groups; `groups` needs as many different names, not {listed(names)}."
        )
    return array.assign_coords({dims[0]: names})


def _labels(array: DataArray, dim: str) -> tuple[str, ...]:
    labels = tuple(map(str, array[dim].to_numpy()))
    if len(set(labels)) < len(labels):
        raise DataError(f"Two groups of dim `{dim}` have one label: give names by groups=[...].")
    return labels
