"""The values of a fit: draws with the plan they belong to, and how to take them by variable and cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from xarray import DataArray, Dataset, DataTree

from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.design.schema import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Draws of every variable of a plan.

    Attributes
    ----------
    plan : Plan
    tree : DataTree
        As the engine gave it; ``tree["posterior"]`` has dims chain, draw and those of the plan.
    engine : str
        Who drew.
    why : str
        Why not the exact engine, where another stood in for it.
    """

    plan: Plan
    tree: DataTree
    engine: str
    why: str = ""

    @property
    def drawn_by(self) -> str:
        """Return who drew, in words: with the check of the exact engine, or why it was not the exact engine."""
        if self.engine == "exact":
            return f"the exact engine (k-hat {float(self.tree['sample_stats']['k_hat']):.2f})"
        return f"{self.engine} (not by the exact engine: {self.why})" if self.why else self.engine

    @property
    def dataset(self) -> Dataset:
        """Return the posterior group as an xarray Dataset, without variables that only serve the sampler."""
        full = self.tree["posterior"].to_dataset()
        hidden = [name for name in full.data_vars if name in self.plan.auxiliary]
        unused = set(full.dims) - {
            d for name, v in full.data_vars.items() if name not in hidden for d in v.dims
        }
        return full.drop_vars(hidden).drop_dims(unused)


def cells(variable: DataArray) -> Iterator[tuple[str, tuple[str, ...], FloatArray]]:
    """Yield label, coordinates and draws (chain, draw) of each cell of a variable: ``treatment[A]``, ``("A",)``."""
    dims = [dim for dim in variable.dims if dim not in ("chain", "draw")]
    ordered = variable.transpose("chain", "draw", *dims)
    values = ordered.to_numpy().reshape((*ordered.shape[:2], -1))
    places = list(product(*(map(str, ordered[dim].to_numpy()) for dim in dims)))
    for position, place in enumerate(places):
        label = f"{variable.name}[{', '.join(place)}]" if place else str(variable.name)
        yield label, place, values[:, :, position]


def reported_cells(posterior: Posterior, name: str) -> Iterator[tuple[str, FloatArray]]:
    """Yield the cells of a variable that a table shows: of a correlation matrix, each pair once."""
    correlations = {
        pool.correlation.name
        for part in (posterior.plan.mean, *posterior.plan.parameters)
        if not isinstance(part, ScalePlan)
        for pool in part.pools
        if pool.correlation is not None
    }
    found = list(cells(posterior.dataset[name]))
    if name not in correlations:
        yield from ((label, draws) for label, _, draws in found)
        return
    side = int(np.sqrt(len(found)))
    for position, (label, _, draws) in enumerate(found):
        if position // side < position % side:
            yield label, draws
