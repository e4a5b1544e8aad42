"""Groups that share coefficients: the null model of ``treatment[A] == treatment[B]``, other groups being free.

The groups of a class share one draw from the hierarchy of the tested columns, T; each has its own draw of the rest, O:

    beta_gT = b for all g in the class,     b ~ N(mu_T, S_TT),
    beta_gO ~ N(mu_O + S_OT S_TT^-1 (b - mu_T), S_OO - S_OT S_TT^-1 S_TO),     S = D D'.

Where T stands first among the hierarchy's columns, D is lower triangular, b = mu_T + D_TT u_T and beta_gO = mu_O + D_OT
u_T + D_OO u_gO: the groups share u_T. So u_O is integrated out in each group, T last in its triangle, and u_T is fitted
to the rows of all groups of a class. LKJ correlations are the same in any order of the columns.

Not pooled, the prior is conditioned on equality: of n groups with b_g ~ N(m_g, s_g^2) all have b ~ N(m, s^2) with
1 / s^2 = sum of 1 / s_g^2 and m / s^2 = sum of m_g / s_g^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.residual_sds import sigma_of_groups, terms_in_sds
from formulajoint.contrasts.layout import layout
from formulajoint.design.schema import Design
from formulajoint.inference.latent.columns import own_columns
from formulajoint.inference.latent.phi import Cell, Scales
from formulajoint.inference.latent.structure import Block, Structure, Ties
from formulajoint.remarks import Missing

if TYPE_CHECKING:
    from formulajoint.contrasts.hypotheses import Hypothesis  # loads SciPy

type Column = tuple[str, int]
"""A term's name, and which of its columns."""


@dataclass(frozen=True, slots=True)
class Equal:
    """Columns and groups that a hypothesis makes equal.

    Attributes
    ----------
    columns : tuple of Column
    classes : tuple of (n,) int arrays
        Groups that have equal coefficients, two or more each, but not all groups.
    """

    columns: tuple[Column, ...]
    classes: tuple[IntArray, ...]


def equal_groups(design: Design, hypothesis: Hypothesis) -> Equal | Missing | None:
    """Return the groups and columns that `hypothesis` makes equal, or why there is no such null model.

    None if it makes all groups equal, or states anything else.
    """
    found = _labels(design, hypothesis)
    if not found:
        return None
    labels, *others = found.values()
    classes = tuple(np.flatnonzero(labels == least) for least in np.unique(labels))
    if any(not np.array_equal(labels, other) for other in others):
        return Missing("null", "it makes groups equal in one coefficient that it leaves different in another")
    if len(classes) == 1:
        return None
    return Equal(tuple(found), tuple(groups for groups in classes if len(groups) > 1))


def _labels(design: Design, hypothesis: Hypothesis) -> dict[Column, IntArray]:
    """Return by column (G,) the first group that each is equal to; empty if the hypothesis states anything else."""
    cells = _cells(design)
    found: dict[Column, IntArray] = {}
    rows = hypothesis.rows
    for first, end in zip(rows.indptr, rows.indptr[1:], strict=False):
        places, weights = rows.indices[first:end], rows.data[first:end]
        if len(places) != 2 or weights.sum() != 0 or max(places) >= len(cells):
            return {}
        (column, one), (other_column, other) = (cells[place] for place in places)
        if column != other_column:
            return {}
        labels = found.setdefault(column, np.arange(cells[-1][1] + 1))
        low, high = sorted((labels[one], labels[other]))
        labels[labels == high] = low
    return {} if hypothesis.null.any() else found


def _cells(design: Design) -> list[tuple[Column, int]]:
    """Return the column and group of each per-group coefficient; these are the first of all coefficients."""
    return [
        ((block.term.name, column), group)
        for block in layout(design)[: len(design.predictor.per_group)]
        for group in range(block.size // len(block.term.scales))
        for column in range(len(block.term.scales))
    ]


def in_equal_units(plan: Plan, equal: Equal) -> bool:
    """Return whether groups made equal have their priors in the same units: points, or one residual sd."""
    sigmas, in_sds = sigma_of_groups(plan), terms_in_sds(plan.mean)
    scaled = any(term in in_sds for term, _ in equal.columns)
    return sigmas is None or not scaled or all(np.ptp(sigmas[groups]) == 0 for groups in equal.classes)


def shared_columns(plan: Plan, equal: Equal) -> list[int]:
    """Return the places of the columns that `equal` names, except those of constants."""
    start = {coefficient.term.name: at for coefficient, at in own_columns(plan)}
    return [start[term] + column for term, column in equal.columns if term in start]


def tied(
    structure: Structure, order: IntArray, shared: Sequence[int], classes: tuple[IntArray, ...]
) -> Structure:
    """Return the structure with its columns in another order, and some of them shared by the groups of each class.

    Parameters
    ----------
    structure : Structure
    order : (p,) int array
        The present places of the columns.
    shared : sequence of int
        The present places of the columns that are shared.
    classes : tuple of (n,) int arrays
    """
    place = np.argsort(order)  # old column -> new
    blocks, cells = _with_first(structure, shared)
    groups = np.arange(structure.groups)
    u_mean, fixed = _conditioned(structure, shared, classes)
    return replace(
        structure,
        base=structure.base[order],
        u_mean=u_mean[order],
        fixed=fixed[order],
        flat=structure.flat[order],
        in_sds=structure.in_sds[order],
        theta_of_column=structure.theta_of_column[order],
        blocks=tuple(replace(block, columns=place[block.columns]) for block in blocks),
        scales=Scales(tuple(cells)),
        mixed_columns={
            int(place[j]): _led(own, classes) if j in shared else own
            for j, own in structure.mixed_columns.items()
        },
        ties=Ties(len(shared), classes, np.setdiff1d(groups, np.concatenate(classes))),
    )


def _conditioned(
    structure: Structure, columns: Sequence[int], classes: Sequence[IntArray]
) -> tuple[FloatArray, FloatArray]:
    """Return `u_mean` and `fixed` (p, G) given that the groups of each class have equal coefficients in `columns`."""
    u_mean, fixed = structure.u_mean.copy(), structure.fixed.copy()
    for column in columns:
        for groups in classes if np.any(fixed[column]) else ():
            own = fixed[column, groups]
            sd = np.sum(own**-2.0) ** -0.5
            u_mean[column, groups] = sd * np.sum(u_mean[column, groups] / own)
            fixed[column, groups] = sd
    return u_mean, fixed


def _with_first(structure: Structure, first: Sequence[int]) -> tuple[list[Block], list[Cell]]:
    """Return the hierarchies with some columns `first`, and the parameters phi in that order."""
    blocks, cells = [], list(structure.scales.cells)
    for block in structure.blocks:
        order = sorted(range(len(block.columns)), key=lambda at: block.columns[at] not in first)
        sds = cells[block.sds]
        cells[block.sds] = [sds[at] for at in order]
        blocks.append(replace(block, columns=block.columns[order]))
    return blocks, cells


def _led(own: slice | IntArray, classes: Sequence[IntArray]) -> IntArray:
    """Return the places of the groups' w; the groups of a class have that of their first group."""
    out = np.arange(own.start, own.stop) if isinstance(own, slice) else own.copy()
    for groups in classes:
        out[groups] = out[groups[0]]
    return out
