"""Dims of draws, renamed as in the model.

nutpie keeps draws and sample statistics in one table of dims, so a predictor called ``logp`` or ``energy`` loses
its dims to the statistic of that name, and it joins dims with commas.
"""

from __future__ import annotations

import pymc as pm
from xarray import Dataset, DataTree


def name_dims(tree: DataTree, model: pm.Model) -> DataTree:
    """Return `tree` with the dims and coords of `model` on every posterior variable."""
    draws = tree["posterior"].to_dataset()
    wanted = {name: tuple(dims) for name, dims in model.named_vars_to_dims.items() if name in draws}
    wrong = [name for name, dims in wanted.items() if draws[name].dims != ("chain", "draw", *dims)]
    if wrong:
        tree["posterior"] = DataTree(_renamed(draws, {name: wanted[name] for name in wrong}, model))
    return tree


def _renamed(draws: Dataset, wanted: dict[str, tuple[str, ...]], model: pm.Model) -> Dataset:
    lost = {dim for name in wanted for dim in draws[name].dims} - {"chain", "draw"}
    fresh = {name: (("chain", "draw", *dims), draws[name].to_numpy()) for name, dims in wanted.items()}
    kept = draws.drop_vars(wanted)
    kept = kept.drop_dims(lost - {dim for variable in kept.data_vars.values() for dim in variable.dims})
    coords = {dim: list(model.coords[dim]) for dims in wanted.values() for dim in dims}
    return kept.assign(fresh).assign_coords(coords)[list(draws.data_vars)].assign_attrs(draws.attrs)
