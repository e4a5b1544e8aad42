"""Draws with several factors under the names, dims and coords of the PyMC model."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import PooledTerm
from formulajoint.compiler.plan import Plan
from formulajoint.inference.crossed.coefficients import Coefficients
from formulajoint.inference.crossed.model import Hierarchy, Model, Shared
from formulajoint.inference.gaussian.naming import Variable, is_constant, linear_sigmas
from formulajoint.inference.latent.phi import correlation_root


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Draws of phi, (chain, draw, cells), and of the coefficients, all chains in a row."""

    values: FloatArray
    coefficients: Coefficients

    def shaped(self, draws: FloatArray, *shape: int) -> FloatArray:
        """Return draws (S, ...) as (chain, draw, *shape)."""
        return draws.reshape(*self.values.shape[:2], *shape)


def with_offsets(model: Model) -> set[int]:
    """Return the factors with variables that PyMC samples in place of coefficients."""
    return {
        hierarchy.factor
        for hierarchy in model.hierarchies
        if any(term.offset_name is not None for term in hierarchy.pool.terms)
    }


def read_of(model: Model, names: Collection[str]) -> set[int]:
    """Return the factors whose groups have a coefficient of one of these names."""
    found = {
        hierarchy.factor
        for hierarchy in model.hierarchies
        if any(
            name in names for term in hierarchy.pool.terms for name in (term.coefficient.name, *_also(term))
        )
    }
    return found | {0 for coefficient, _ in model.own if coefficient.name in names}


def _also(term: PooledTerm) -> tuple[str, ...]:
    """Return the other names under which a term's coefficients by group are known."""
    return (*term.column_names, *([term.deviation_name] if term.deviation_name else []))


def variables(plan: Plan, model: Model, draws: Draws) -> Iterator[Variable]:
    """Yield every variable of a plan with its dims and draws; of coefficients by group those that were drawn."""
    for each in model.shared.values():
        if each.columns is not None:
            values = draws.coefficients.shared[:, each.columns]
            yield each.name, each.dims, draws.shaped(values, *each.shape)
    for coefficient, columns in model.own if 0 in draws.coefficients.away else ():
        factor = model.factors[0]
        values = factor.mean[columns].T + draws.coefficients.away[0][:, :, columns]
        yield (
            coefficient.name,
            coefficient.dims,
            draws.shaped(values, factor.groups, *coefficient.term.shape),
        )
    for hierarchy in model.hierarchies:
        if hierarchy.factor in draws.coefficients.away:
            yield from _coefficients(hierarchy, draws)
        yield from _scales(hierarchy, draws)
    sigma = plan.spread
    if sigma is not None and not is_constant(sigma.prior):
        sigmas = draws.values[..., : model.sigmas.count]
        yield sigma.name, sigma.dims, sigmas if sigma.dims else sigmas[..., 0]
    yield from linear_sigmas(plan, draws.values)


def _coefficients(hierarchy: Hierarchy, draws: Draws) -> Iterator[Variable]:
    """Yield the groups' coefficients, what varies in them, and the variables that PyMC samples in their place."""
    away = _columns(draws.coefficients.away[hierarchy.factor], hierarchy)
    at, groups = 0, away.shape[1]
    for term, mean in zip(hierarchy.pool.terms, hierarchy.means, strict=True):
        own = slice(at, at + term.coefficient.term.columns.shape[1])
        shape, dims = (groups, *term.coefficient.term.shape), term.coefficient.dims
        total = away[:, :, own] if mean is None else away[:, :, own] + _mean(mean, draws)
        yield term.coefficient.name, dims, draws.shaped(total, *shape)
        if term.deviation_name and term.mean_name:
            yield term.deviation_name, dims, draws.shaped(away[:, :, own], *shape)
        if term.offset_name is not None and hierarchy.factor in draws.coefficients.standard:
            yield term.offset_name, dims, draws.shaped(_offsets(hierarchy, draws)[:, :, own], *shape)
        for column, name in enumerate(term.column_names):
            yield name, (hierarchy.pool.group_dim,), draws.shaped(total[:, :, column], groups)
        at = own.stop


def _columns(values: FloatArray, hierarchy: Hierarchy) -> FloatArray:
    """Return values (S, G, columns) of a hierarchy, without a copy if these lie side by side."""
    columns = hierarchy.block.columns
    first, end = columns[0], columns[0] + len(columns)
    side_by_side = np.array_equal(columns, np.arange(first, end))
    return values[:, :, first:end] if side_by_side else values[:, :, columns]


def _offsets(hierarchy: Hierarchy, draws: Draws) -> FloatArray:
    """Return the distances from the mean in sds, (S, G, columns)."""
    standard = _columns(draws.coefficients.standard[hierarchy.factor], hierarchy)
    stretch = hierarchy.stretch(draws.values.reshape(len(standard), -1))
    return standard if stretch is None else standard * stretch


def _mean(mean: Shared, draws: Draws) -> FloatArray:
    """Return what coefficients vary about, (S or 1, 1, k)."""
    if mean.columns is None:
        return mean.values[None, None]
    return draws.coefficients.shared[:, None, mean.columns]


def _scales(hierarchy: Hierarchy, draws: Draws) -> Iterator[Variable]:
    """Yield the sds and correlations of a hierarchy."""
    pool, block, at = hierarchy.pool, hierarchy.block, 0
    sds = draws.values[..., block.sds]
    for term in pool.terms:
        end = at + term.coefficient.term.columns.shape[1]
        if not is_constant(term.sd):
            yield term.sd_name, term.dims, draws.shaped(sds[..., at:end], *term.coefficient.term.shape)
        at = end
    if pool.correlation is not None:
        shares = draws.values[..., block.partials]
        root = correlation_root(shares, len(block.columns))
        yield pool.correlation.name, pool.correlation.dims, root @ np.swapaxes(root, -1, -2)
        yield pool.correlation.partial_name, (pool.correlation.partial_dim,), shares
