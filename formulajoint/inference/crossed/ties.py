"""Groups that share coefficients, in null models with several factors.

The tested columns of a factor are T, the others O. With D lower triangular, T first, the groups of a class share v_T
and each has its own v_O (``latent/ties.py``). So the factor becomes two: the classes, with the columns of D that
belong to T, and the groups, with those that belong to O.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.crossed.model import Factor, Hierarchy, Model
from formulajoint.inference.latent.phi import Scales
from formulajoint.inference.latent.ties import Column, Equal


def tied(model: Model, factor: str, equal: Equal) -> Model:
    """Return the model in which groups of a factor share the coefficients that `equal` names."""
    at = [each.name for each in model.factors].index(factor)
    places = dict(_places(model, at))
    tested = np.array([places[column] for column in equal.columns if column in places], dtype=np.int64)
    cells, hierarchies = list(model.scales.cells), list(model.hierarchies)
    for place, each in enumerate(hierarchies):
        if each.factor == at:
            order = np.argsort(~np.isin(each.block.columns, tested), kind="stable")
            sds = cells[each.block.sds]
            cells[each.block.sds] = [sds[one] for one in order]
            hierarchies[place] = _turned(each, order)
    groups = model.factors[at]
    groups = replace(groups, hierarchies=tuple(each for each in hierarchies if each.factor == at))
    classes, moved = _classes(groups, tested, equal)
    others = np.setdiff1d(np.arange(groups.width), tested)
    more = (replace(groups, kept=others),) if len(others) else ()
    return replace(
        model,
        y=model.y + moved,
        factors=(*model.factors[:at], classes, *model.factors[at + 1 :], *more),
        scales=Scales(tuple(cells)),
        hierarchies=tuple(hierarchies),
    )


def _turned(hierarchy: Hierarchy, order: IntArray) -> Hierarchy:
    """Return a hierarchy with its columns in another order, those of the tested terms first."""
    block = hierarchy.block
    return replace(hierarchy, block=replace(block, columns=block.columns[order]))


def _places(model: Model, at: int) -> Iterator[tuple[Column, int]]:
    """Yield the columns of a factor by term, with their places."""
    for hierarchy in model.hierarchies:
        if hierarchy.factor == at:
            terms = [term.coefficient.term for term in hierarchy.pool.terms]
            names = [(term.name, j) for term in terms for j in range(len(term.scales))]
            yield from zip(names, map(int, hierarchy.block.columns), strict=True)
    for coefficient, columns in model.own:
        for j in range(columns.start, columns.stop):
            yield (coefficient.term.name, j - columns.start), j


def _classes(factor: Factor, tested: IntArray, equal: Equal) -> tuple[Factor, FloatArray]:
    """Return the classes of a factor's groups as a factor, and what is added to the response."""
    first = np.arange(factor.groups)
    for groups in equal.classes:
        first[groups] = groups[0]
    members, label = np.unique(first, return_inverse=True)
    mean, fixed = factor.mean.copy(), factor.fixed.copy()
    for column in tested[np.any(factor.fixed[tested] != 0, axis=1)]:
        for groups in equal.classes:
            sds = factor.fixed[column, groups]
            fixed[column, groups] = np.sum(sds**-2.0) ** -0.5
            mean[column, groups] = np.average(factor.mean[column, groups], weights=sds**-2.0)
    change = (factor.mean - mean)[:, factor.codes].T
    classes = replace(
        factor,
        codes=label[factor.codes],
        groups=len(members),
        mean=mean[:, members],
        fixed=fixed[:, members],
        kept=tested,
        members=members,
    )
    return classes, np.sum(factor.columns * change, axis=1)
