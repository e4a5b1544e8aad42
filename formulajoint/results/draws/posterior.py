"""The values of a fit: draws with the plan they belong to, and their access by variable and cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import ArithmeticPlan, ContrastPlan, FamilyPlan
from formulajoint.compiler.evaluate.contrast_nodes import constants, variable_dims
from formulajoint.compiler.over import plan_over
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.inference.draws.kept import of_single_groups
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.settings import CONTRASTS
from formulajoint.wording import listed

if TYPE_CHECKING:
    from xarray import Dataset, DataTree


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of every variable of a plan.

    Attributes
    ----------
    plan : Plan
    source : NamedDraws or DataTree
        As the engine returned it; a DataTree has a group ``posterior`` with dims chain, draw and those of the plan.
    engine : str
        Engine that produced the draws.
    why : str
        Why the exact engine was not used, if another replaced it.
    """

    plan: Plan
    source: NamedDraws | DataTree
    engine: str
    why: str = ""

    def __repr__(self) -> str:
        chains, draws = self.named.shape
        names = listed(self.named.variables)
        return f"{chains} x {draws} draws by {self.engine}, of {names}: `fit.posterior` is a Dataset of them"

    @cached_property
    def tree(self) -> DataTree:
        """The draws for ArviZ."""
        if not isinstance(self.source, NamedDraws):
            return self.source
        from formulajoint.inference.draws.datatree import tree_of  # loads xarray

        return tree_of(self.source, self.plan)

    @cached_property
    def named(self) -> NamedDraws:
        """The draws as arrays, without variables that only serve the sampler."""
        found = self.source
        if not isinstance(found, NamedDraws):
            from formulajoint.inference.draws.datatree import named_draws  # loads xarray

            found = named_draws(found)
        found = found.without(self.plan.auxiliary)
        return replace(found, left_out=self._left_out) if found.attrs.get("keep") == CONTRASTS else found

    @property
    def _left_out(self) -> frozenset[str]:
        """The variables of single groups."""
        return of_single_groups(self.plan, variable_dims(self.plan)) - constants(self.plan).keys()

    @property
    def dataset(self) -> Dataset:
        """The posterior group of the tree, without variables that only serve the sampler."""
        full = self.tree["posterior"].to_dataset()
        hidden = [name for name in full.data_vars if name in self.plan.auxiliary]
        unused = set(full.dims) - {
            d for name, v in full.data_vars.items() if name not in hidden for d in v.dims
        }
        return full.drop_vars(hidden).drop_dims(unused)

    @property
    def drawn_by(self) -> str:
        """The engine as text: with k-hat of the exact engine, or why the exact engine was not used."""
        trust = self.named.trust
        if trust.independent:
            by = "quadrature" if np.isneginf(trust.k_hat) else f"k-hat {trust.k_hat:.2f}"
            if self.named.repeats:
                by += f", {self.named.importance_ess:,.0f} independent draws of sds and correlations"
            return f"the exact engine ({by})"
        return f"{self.engine} (not by the exact engine: {self.why})" if self.why else self.engine


def posterior_over(posterior: Posterior, factor: str) -> Posterior:
    """Return the posterior with the plan as the groups of a factor of group terms see it; unchanged without one."""
    return replace(posterior, plan=plan_over(posterior.plan, factor)) if factor else posterior


@dataclass(frozen=True, slots=True)
class Effect:
    """What a row of a table is of: a variable and, if it has dims, one cell of it.

    Attributes
    ----------
    variable : str
    cell : tuple of str
        A label on each dim.
    shown : tuple of str
        The same as readers see it, with what a factor's coefficients compare.
    """

    variable: str
    cell: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The cell in words: ``A``; ``A, control - app``; empty for a variable without dims."""
        return ", ".join(self.shown or self.cell)

    @property
    def label(self) -> str:
        """The name in tables: ``treatment[A]``, ``arm[A, control - app]``."""
        return f"{self.variable}[{self.place}]" if self.cell else self.variable

    @property
    def reference(self) -> str:
        """The name in formulas: ``arm[A, control]``."""
        return f"{self.variable}[{', '.join(self.cell)}]" if self.cell else self.variable


def cells(posterior: Posterior, name: str) -> Iterator[tuple[Effect, FloatArray]]:
    """Yield each cell of a variable with its draws (chain, draw)."""
    dims, _ = posterior.named.variables[name]
    values = posterior.named.values(name)
    values = values.reshape((*values.shape[:2], -1))
    labels = [tuple(map(str, posterior.named.coords[dim])) for dim in dims]
    compared = _comparisons(posterior.plan, name)
    shown = [compared.get(dim, own) for dim, own in zip(dims, labels, strict=True)]
    for position, (place, said) in enumerate(zip(product(*labels), product(*shown), strict=True)):
        yield Effect(name, place, said), values[:, :, position]


def _comparisons(plan: Plan, name: str) -> dict[str, tuple[str, ...]]:
    """Return, for the factors' dims of a variable, what their coefficients compare."""
    return {
        dim: factor.comparisons
        for coefficient in _coefficients_of(plan, name)
        for dim, factor in zip(coefficient.dims[coefficient.grouped :], coefficient.term.factors, strict=True)
    }


def variables_of(contrast: ContrastPlan) -> set[str]:
    """Return the names of the variables that a contrast names."""
    if isinstance(contrast, ArithmeticPlan):
        return {cells.variable for cells in contrast.cells.values()}
    return {contrast.coefficient.name}


def _coefficients_of(plan: Plan, name: str) -> Iterator[Coefficient]:
    """Yield the coefficients that a variable is, or is the mean, the sd or a contrast of."""
    asked = {name}
    for contrast in plan.contrasts:
        of_cells = isinstance(contrast, FamilyPlan) and contrast.cells is not None  # its labels are levels
        if contrast.name == name and not of_cells:
            asked |= variables_of(contrast)
    for part in plan.parameters:
        if isinstance(part, ScalePlan):
            continue
        pooled = [term for pool in (*part.pools, *part.varying) for term in pool.terms]
        yield from (c for c in part.coefficients if c.name in asked)
        yield from (
            t.coefficient
            for t in pooled
            if {t.mean_name, t.sd_name, t.coefficient.name, t.deviation_name} & asked
        )


def reported_cells(posterior: Posterior, name: str) -> Iterator[tuple[Effect, FloatArray]]:
    """Yield the cells of a variable that a table shows: of a correlation matrix, each pair once."""
    correlations = {
        pool.correlation.name
        for part in posterior.plan.parameters
        if not isinstance(part, ScalePlan)
        for pool in (*part.pools, *part.varying)
        if pool.correlation is not None
    }
    if name not in correlations:
        yield from cells(posterior, name)
        return
    found = list(cells(posterior, name))
    side = int(np.sqrt(len(found)))
    yield from (cell for position, cell in enumerate(found) if position // side < position % side)
