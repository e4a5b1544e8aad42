"""The prior of all coefficients given phi: normal, with phi in its covariance.

Shapes: G groups, H residual sds, p per-group columns, k shared ones, t coefficients that all groups share, theta: the
means of hierarchies, then those of ``common(...)``. The coefficients of a group are

    beta_g = base + E theta + D u_g,        u_g ~ N(u_mean, 1),        theta - reference ~ N(theta_mean, 1 / precision),

where D has the prior sds of columns that are not pooled on its diagonal, which may differ by group, a Cholesky factor
for each hierarchy, and 1 for flat priors, under which the density of u is 1. Columns in residual sds have all of this
multiplied by the group's sigma: base, the row of E, and the row of D.

Where groups have rows of several residual sds, no group has a sigma: `crossed` is set, and `sigma_of_group` is zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Pool
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.distributions.prior import Prior, prior
from formulajoint.inference.latent.columns import columns_of, own_columns, unknown
from formulajoint.inference.latent.linear_sds import linear_sds
from formulajoint.inference.latent.mixtures import mixtures
from formulajoint.inference.latent.phi import (
    Cell,
    Coordinate,
    Scales,
    cells,
    coordinate,
    correlation_root,
    partial_correlations,
)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The rows and columns of D that one hierarchy fills.

    Attributes
    ----------
    columns : (m,) int array
    sds, partials : slice
        Its parameters among those of phi; `partials` is empty if it has no correlation.
    """

    columns: IntArray
    sds: slice
    partials: slice

    @property
    def correlated(self) -> bool:
        """Whether the columns are correlated."""
        return bool(self.partials.stop > self.partials.start)


@dataclass(frozen=True, slots=True, eq=False)
class SigmaPool:
    """A hierarchy of the sigmas, by groups: ``log sigma_g = log(middle) + sd u_g``.

    Attributes
    ----------
    middle, sd : int
        Their places among the parameters phi.
    standard : Prior
        The distribution of u_g.
    """

    middle: int
    sd: int
    standard: Prior

    def of(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the log of the middle sigma, and the sd, both (...), for parameters phi (..., cells)."""
        return np.log(values[..., self.middle]), values[..., self.sd]


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """Groups that share some coefficients (``ties.py``).

    Attributes
    ----------
    columns : int
        Number of columns whose coefficients are shared.
    classes : tuple of (n,) int arrays
        Groups that share coefficients, two or more each.
    alone : (a,) int array
        All others.
    """

    columns: int
    classes: tuple[IntArray, ...]
    alone: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The prior of all coefficients given phi.

    Attributes
    ----------
    base : (p,) array
    u_mean, fixed : (p, G) arrays
        `fixed` is the diagonal of D where it does not depend on phi, else 0.
    flat : (p,) bool array
        Columns with flat priors.
    in_sds : (p,) bool array
        Columns whose coefficients have their prior in residual sds.
    theta_of_column : (p,) int array
        The element of theta that is the mean of a column; -1 for none.
    reference, theta_mean, theta_precision : (t,) arrays
        A precision of 0 is a flat prior.
    blocks : tuple of Block
    scales : Scales
        phi: H sigmas, the coefficients of their predictors if they have any, then sds and partial correlations block
        by block, then w.
    sigmas : int
        H.
    sigma_of_group : (G,) int array
    mixed_columns : mapping of column to slice or int array
        Columns whose D each group divides by the root of its own w: places of the w among the parameters phi.
    mixed_theta : mapping of element of theta to int
        Elements whose prior precision is multiplied by a w: place of the w among the parameters phi.
    ties : Ties or None
        For null models only.
    sigma_pool : SigmaPool or None
        The prior of the sigmas, if they have a hierarchy.
    """

    base: FloatArray
    u_mean: FloatArray
    fixed: FloatArray
    flat: NDArray[np.bool_]
    in_sds: NDArray[np.bool_]
    theta_of_column: IntArray
    reference: FloatArray
    theta_mean: FloatArray
    theta_precision: FloatArray
    blocks: tuple[Block, ...]
    scales: Scales
    sigmas: int
    sigma_of_group: IntArray
    mixed_columns: Mapping[int, slice | IntArray]
    mixed_theta: Mapping[int, int]
    ties: Ties | None = None
    sigma_pool: SigmaPool | None = None
    crossed: bool = False

    def root(self, values: FloatArray) -> FloatArray:
        """Return D (..., p, p) for parameters phi (..., cells), with 1 in place of `fixed`."""
        out = np.zeros((*values.shape[:-1], len(self.base), len(self.base)))
        single = np.flatnonzero(np.any(self.fixed != 0, axis=1))
        out[..., single, single] = 1.0
        for block in self.blocks:
            sd, at = values[..., block.sds], block.columns
            if block.correlated:
                root = correlation_root(values[..., block.partials], len(at))
                out[..., at[:, None], at[None, :]] = sd[..., :, None] * root
            else:
                out[..., at, at] = sd
        return out

    def stretch(self, values: FloatArray) -> dict[int, FloatArray]:
        """Return each group's factor (S, G) of a column of D, by column, for parameters phi (S, cells)."""
        out = {column: values[:, own] ** -0.5 for column, own in self.mixed_columns.items()}
        unit = self.unit(values)
        if unit is None:
            return out
        for j in map(int, np.flatnonzero(self.in_sds)):
            out[j] = np.asarray(unit * out[j]) if j in out else unit
        return out

    def unit(self, values: FloatArray) -> FloatArray | None:
        """Return each group's residual sd (..., G) for parameters phi (..., cells), if any column is in units of it."""
        return values[..., self.sigma_of_group] if np.any(self.in_sds) else None

    def precision(self, values: FloatArray) -> FloatArray:
        """Return the prior precision of theta (S, t) for parameters phi (S, cells), 0 for flat priors."""
        out = np.tile(self.theta_precision, (len(values), 1))
        for element, cell in self.mixed_theta.items():
            out[:, element] *= values[:, cell]
        return out

    def degrees(self, element: int) -> float:
        """Return the degrees of freedom of the prior of an element of theta, infinity for a normal one."""
        if element not in self.mixed_theta:
            return np.inf
        cell = self.scales.cells[self.mixed_theta[element]]
        assert isinstance(cell, Coordinate)
        return 2 * float(cell.prior.args["alpha"])

    def pattern(self) -> tuple[tuple[int, ...], ...]:
        """Return for each column of D its rows that are not zero."""
        rows: list[tuple[int, ...]] = [(j,) for j in range(len(self.base))]
        for block in self.blocks:
            if block.correlated:
                for position, j in enumerate(block.columns):
                    rows[j] = tuple(int(i) for i in block.columns[position:])
        return tuple(rows)

    @property
    def groups(self) -> int:
        """The number of groups, G."""
        return len(self.sigma_of_group)

    @property
    def mixed(self) -> int:
        """The number of w, without ties."""
        return len(self.mixed_columns) * self.groups + len(self.mixed_theta)

    @property
    def means(self) -> int:
        """The number of means of hierarchies, the first elements of theta."""
        return int(np.sum(self.theta_of_column >= 0))

    @property
    def fitted(self) -> IntArray:
        """The elements of theta in the order in which they are fitted (t,): means of hierarchies from the last on.

        The rows with fewest columns are those that contain the first column.
        """
        return np.array(
            [*reversed(range(self.means)), *range(self.means, len(self.reference))], dtype=np.int64
        )

    def factorises(self) -> bool:
        """Return whether each group has coefficients and a sigma of its own, in this order, and shares nothing."""
        alone = len(self.reference) == 0 and not self.blocks and self.ties is None and self.sigma_pool is None
        in_order = np.array_equal(self.sigma_of_group, np.arange(self.sigmas))
        own = all(isinstance(cell, Coordinate) for cell in self.scales.cells[: self.sigmas])
        return alone and self.sigmas > 1 and in_order and own and len(self.scales.cells) == self.sigmas


def structure_of(plan: Plan, reference: FloatArray | None = None) -> Structure:
    """Return the prior of a plan's coefficients given phi.

    Parameters
    ----------
    plan : Plan
    reference : (p + k,) array, optional
        Values that are subtracted from the coefficients, per-group ones first; zeros unless given.
    """
    every = columns_of(plan)
    kept = [every[at] for at in unknown(every)]
    away = np.zeros(len(kept)) if reference is None else reference
    p = sum(column.grouped for column in kept)
    of_group = sigma_of_group(plan)
    mean, sd = (_stacked(each, len(of_group)) for each in ([c.mean for c in kept], [c.sd for c in kept]))
    shared = np.array([at for at, column in enumerate(kept) if column.shared], dtype=np.int64)
    theta, single = [kept[at] for at in shared], np.array([not c.pooled for c in kept[:p]], dtype=bool)
    flat = np.array([column.flat for column in kept], dtype=bool)
    flat_own = single & flat[:p]
    theta_of_column = np.array([_place(shared, at) for at in range(p)], dtype=np.int64)
    blocks, known, sigmas = _blocks(plan)
    pooled = [block.columns for block in blocks]
    mixed_columns, mixed_theta, more = mixtures(plan, pooled, theta, len(of_group), len(known))
    with np.errstate(divide="ignore", invalid="ignore"):
        u_mean = np.where((single & ~flat_own)[:, None], (mean[:p] - away[:p, None]) / sd[:p], 0.0)
    return Structure(
        base=np.where(single, away[:p], np.where(theta_of_column < 0, mean[:p, 0], 0.0)),
        u_mean=u_mean,
        fixed=np.where(flat_own[:, None], 1.0, np.where(single[:, None], sd[:p], 0.0)),
        flat=flat_own,
        in_sds=np.array([column.in_sds for column in kept[:p]], dtype=bool),
        theta_of_column=theta_of_column,
        reference=away[shared],
        theta_mean=np.where(flat[shared], 0.0, mean[shared, 0] - away[shared]),
        theta_precision=sd[shared, 0] ** -2,
        blocks=blocks,
        scales=Scales((*known, *more)),
        sigmas=sigmas,
        sigma_of_group=of_group,
        mixed_columns=mixed_columns,
        mixed_theta=mixed_theta,
        sigma_pool=_sigma_pool(plan.spread, sigmas),
        crossed=is_crossed(plan),
    )


def _stacked(rows: Sequence[FloatArray], groups: int) -> FloatArray:
    """Return numbers of columns (p, G), each given for every group or once for all."""
    return np.array([np.broadcast_to(row, groups) for row in rows], dtype=float).reshape(-1, groups)


def _place(theta: IntArray, column: int) -> int:
    found = np.flatnonzero(theta == column)
    return int(found[0]) if len(found) else -1


def is_crossed(plan: Plan) -> bool:
    """Return whether groups with coefficients of their own have rows of several sigmas."""
    return any(own_columns(plan)) and plan.data.sigma_of_group is None


def sigma_of_group(plan: Plan) -> IntArray:
    """Return the sigma of each group's rows (G,); zeros where groups have rows of several."""
    if not any(own_columns(plan)) or plan.design.predictor.grouping is None:
        return np.zeros(1, dtype=np.int64)
    of_group = plan.data.sigma_of_group
    return np.zeros(len(plan.design.predictor.grouping), dtype=np.int64) if of_group is None else of_group


def _blocks(plan: Plan) -> tuple[tuple[Block, ...], list[Cell], int]:
    """Return the hierarchies' blocks of D, the parameters phi that the model names, and how many of them are sigmas."""
    start = {coefficient.name: at for coefficient, at in own_columns(plan)}
    found, blocks, rows = sigmas_of(plan), list[Block](), plan.data.sigma
    sigmas = 1 if rows is None else len(rows)
    for pool in plan.mean.pools:
        block, more = block_of(pool, start, len(found))
        blocks.append(block)
        found += more
    return tuple(blocks), found, sigmas


def sigmas_of(plan: Plan) -> list[Cell]:
    """Return the sigmas, and the coefficients or the hierarchy that they depend on."""
    sigma, linear, rows = plan.spread, plan.linear_spread, plan.data.sigma
    if linear is not None and rows is not None:
        return linear_sds(linear, rows)
    if sigma is None:  # rows are in units of their standard errors
        return [1.0]
    shape = () if sigma.grouping is None else (len(sigma.grouping),)
    if sigma.pool is None:
        return list(cells(sigma.prior, shape))
    each = [coordinate(prior("flat"))] * prod(shape)  # their prior is that of the hierarchy
    return [*each, *cells(sigma.prior, ()), *cells(sigma.pool.sd, ())]


def _sigma_pool(sigma: ScalePlan | None, sigmas: int) -> SigmaPool | None:
    if sigma is None or sigma.pool is None:
        return None
    return SigmaPool(sigmas, sigmas + 1, sigma.pool.request.standard)


def block_of(pool: Pool, start: Mapping[str, int], first: int) -> tuple[Block, Sequence[Cell]]:
    """Return a hierarchy's block, and its parameters among phi.

    Parameters
    ----------
    pool : Pool
    start : mapping of str to int
        First column of each coefficient, by its name.
    first : int
        Place of its first parameter.
    """
    columns: list[int] = []
    found: list[Cell] = []
    for term in pool.terms:
        count, at = term.coefficient.term.columns.shape[1], start[term.coefficient.name]
        columns += range(at, at + count)
        found += cells(term.sd, term.coefficient.term.shape)
    sds = slice(first, first + len(found))
    if pool.correlation is not None:
        found += partial_correlations(pool.correlation.eta, len(columns))
    return Block(np.array(columns), sds, slice(sds.stop, first + len(found))), found
