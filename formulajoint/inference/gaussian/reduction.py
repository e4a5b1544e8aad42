"""From a plan to the input of the exact engine: triangles of the data, and how phi enters.

Shapes: G groups, H residual sds, p per-group columns, t coefficients that all groups share, theta: the means of
hierarchies, then those of ``common(...)``. The coefficients of a group are

    beta_g = base + E theta + D u_g,        u_g ~ N(lean, 1),

where D has the prior sds of columns that are not pooled on its diagonal, a Cholesky factor for each hierarchy, and 1
for flat priors, under which the density of u is 1.

A Student or Cauchy hierarchy is a normal one whose sd each group divides by the root of a number of its own, w_g ~
Gamma(nu / 2, nu / 2) (Andrews & Mallows, JRSS B 1974); these w are further parameters phi. A Student or Cauchy prior of
an element of theta is treated likewise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import Plan, Pool, ScalePlan
from formulajoint.design.schema import Design, Grouping
from formulajoint.distributions.prior import prior
from formulajoint.errors import BugError
from formulajoint.inference.gaussian.columns import Column, columns_of, in_units, own_columns
from formulajoint.inference.gaussian.triangles import Cells, reduce_rows, squares_by_sigma
from formulajoint.inference.latent.phi import (
    Cell,
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
class Ties:
    """Groups that share some coefficients (``ties.py``).

    Attributes
    ----------
    columns : int
        Number of columns whose coefficients are shared: the last ones.
    classes : tuple of (n,) int arrays
        Groups that share coefficients, two or more each.
    alone : (a,) int array
        All others.
    """

    columns: int
    classes: tuple[IntArray, ...]
    alone: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """A model as input of the exact engine.

    Attributes
    ----------
    own : (p, p + k + 1, G) array
        Rows of each group's triangle: at its own columns, k columns that only theta has, and y. Columns with flat
        priors are taken out first, so that only the first rows contain them.
    rest : (H, k + 1, k + 1) array
        Triangles of what is left of the k columns and y in the rows of each sigma.
    rows : (H,) array
        Rows of each sigma.
    rounding : (H,) array
        Root mean square of the rounding errors in a row.
    base, lean, fixed : (p,) arrays
        `fixed` is the diagonal of D where it does not depend on phi, else 0.
    flat : (p,) bool array
        Columns with flat priors.
    place : (p,) int array
        Place in theta of the mean of a column; -1 for none.
    reference, precision, pull : (t,) arrays
        ``theta - reference ~ N(pull, 1 / precision)``; a precision of 0 is a flat prior.
    blocks : tuple of Block
    scales : Scales
        phi: H sigmas, then sds and partial correlations block by block.
    sigma_of_group : (G,) int array
    stretched : mapping of column to slice or int array
        Columns whose D each group divides by the root of its own w: places of the w among the parameters phi.
    loosened : mapping of element of theta to int
        Elements whose prior precision is multiplied by a w: place of the w among the parameters phi.
    log_unit : float
        Constant added to the log density of the data. Where standard errors are known, the rows are in units of them,
        and sigma is the constant 1.
    ties : Ties or None
        For null models only.
    """

    own: FloatArray
    rest: FloatArray
    rows: FloatArray
    rounding: FloatArray
    base: FloatArray
    lean: FloatArray
    fixed: FloatArray
    flat: NDArray[np.bool_]
    place: IntArray
    reference: FloatArray
    precision: FloatArray
    pull: FloatArray
    blocks: tuple[Block, ...]
    scales: Scales
    sigma_of_group: IntArray
    stretched: Mapping[int, slice | IntArray]
    loosened: Mapping[int, int]
    log_unit: float = 0.0
    ties: Ties | None = None

    def root(self, values: FloatArray) -> FloatArray:
        """Return D (..., p, p) for parameters phi (..., cells)."""
        p = len(self.base)
        out = np.zeros((*values.shape[:-1], p, p))
        out[..., np.arange(p), np.arange(p)] = self.fixed
        for block in self.blocks:
            sd, at = values[..., block.sds], block.columns
            if block.correlated:
                root = correlation_root(values[..., block.partials], len(at))
                out[..., at[:, None], at[None, :]] = sd[..., :, None] * root
            else:
                out[..., at, at] = sd
        return out

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
        return int(self.own.shape[2])

    @property
    def fitted(self) -> IntArray:
        """The elements of theta in the order in which they are fitted (t,): means of hierarchies from the last on.

        The rows with fewest columns are those that contain the first column.
        """
        means = int(np.sum(self.place >= 0))
        return np.array([*reversed(range(means)), *range(means, len(self.reference))], dtype=np.int64)

    def column_sizes(self) -> FloatArray:
        """Return the root mean square of each own column over all rows (p,)."""
        p = len(self.base)
        return np.asarray(np.sqrt(np.sum(self.own[:, :p] ** 2, axis=(0, 2)) / np.sum(self.rows)))

    def spreads(self) -> FloatArray:
        """Return, for each sigma, the root mean square residual of a fit of all rows together (H,)."""
        return np.asarray(np.sqrt(squares_by_sigma(self.own, self.rest, self.sigma_of_group)[-1] / self.rows))

    def gram_of(self, columns: IntArray) -> FloatArray:
        """Return X'X / N over all rows (m, m) of m own columns."""
        chosen = np.moveaxis(self.own[:, columns], 1, 2).reshape(-1, len(columns))
        return np.asarray(np.einsum("ij,ik->jk", chosen, chosen) / np.sum(self.rows))

    def tied_precision(self) -> FloatArray:
        """Return the prior precision of the coefficients that each class of `ties` shares (columns, C).

        Under a hierarchy a class has one draw; not pooled, each of its n groups contributes its own prior.
        """
        assert self.ties is not None
        pooled = self.fixed[len(self.base) - self.ties.columns :] == 0
        sizes = np.array([len(groups) for groups in self.ties.classes], dtype=float)
        return np.where(pooled[:, None], 1.0, sizes)


def reduce(plan: Plan) -> Reduction:
    """Return the reduction of a plan that the exact engine covers."""
    design, sigma = plan.design, plan.scale("sigma")
    if sigma is None and design.standard_errors is None:
        raise BugError("only a model with a sigma, or with known standard errors, can be reduced")
    columns = [column for coefficient in plan.mean.coefficients for column in columns_of(plan, coefficient)]
    offset = design.predictor.offset
    y = in_units(design.response.values if offset is None else design.response.values - offset, design)
    for column in columns:
        if column.sd == 0:
            y = y - column.mean * column.values
    kept = [column for column in columns if column.pooled or column.sd > 0]
    kept.sort(key=lambda column: not column.grouped)
    own = [column for column in kept if column.grouped]
    p, rows = len(own), design.rows.used
    groups = _cells(design.predictor.grouping if p else None, rows)
    sigmas = _cells(None if sigma is None else sigma.grouping, rows)
    free = np.array([column.sd > 0 for column in kept], dtype=bool)
    single = np.array([not c.pooled for c in own], dtype=bool)
    sd = np.array([c.sd for c in own])
    flat, sigma_of_group = single & np.isinf(sd), _sigma_of_group(groups, sigmas)
    # The other columns in reverse order: D is lower triangular, and so is R D.
    order = [int(j) for j in (*np.flatnonzero(flat), *np.flatnonzero(~flat)[::-1])]
    found = reduce_rows(
        [c.values for c in kept], y, design.row_weights, order, groups, sigmas, sigma_of_group, free
    )
    theta = np.array([at for at, c in enumerate(kept) if c.shared], dtype=np.int64)
    place = np.array([_position(theta, at) for at in range(p)], dtype=np.int64)
    chosen, reference = [kept[at] for at in theta], found.reference
    blocks, known = _blocks(plan, sigma, sigmas.count)
    stretched, loosened, more = _mixing(plan, blocks, chosen, groups.count, len(known))
    with np.errstate(divide="ignore", invalid="ignore"):
        lean = np.where(single & ~flat, (np.array([c.mean for c in own]) - reference[:p]) / sd, 0.0)
    return Reduction(
        own=found.own,
        rest=found.rest,
        rows=found.rows,
        rounding=found.rounding,
        base=np.array([_base(c, place[at], reference[at]) for at, c in enumerate(own)]),
        lean=lean,
        fixed=np.where(flat, 1.0, np.where(single, sd, 0.0)),
        flat=flat,
        place=place,
        reference=reference[theta],
        precision=np.array([0.0 if np.isinf(c.sd) else c.sd**-2 for c in chosen]),
        pull=np.array([0.0 if np.isinf(c.sd) else c.mean for c in chosen])
        - np.where([np.isinf(c.sd) for c in chosen], 0.0, reference[theta]),
        blocks=blocks,
        scales=Scales((*known, *more)),
        sigma_of_group=sigma_of_group,
        stretched=stretched,
        loosened=loosened,
        log_unit=_log_unit(design),
    )


def _log_unit(design: Design) -> float:
    if design.standard_errors is None:
        return 0.0
    weights = np.ones(design.rows.used) if design.row_weights is None else design.row_weights
    return -float(weights @ np.log(design.standard_errors))


def _position(theta: IntArray, column: int) -> int:
    found = np.flatnonzero(theta == column)
    return int(found[0]) if len(found) else -1


def _base(column: Column, place: int, reference: float) -> float:
    """Return the constant part of a group's coefficient, beside E theta + D u: a constant mean, or the reference."""
    if column.pooled:
        return column.mean if place < 0 else 0.0
    return reference


def _cells(grouping: Grouping | None, rows: int) -> Cells:
    if grouping is None:
        return Cells(np.zeros(rows, dtype=np.int64), 1)
    return Cells(grouping.codes, len(grouping))


def _sigma_of_group(groups: Cells, sigmas: Cells) -> IntArray:
    """Return the sigma of each group's rows; ``applies.why_not`` has checked that there is only one."""
    out = np.zeros(groups.count, dtype=np.int64)
    out[groups.codes] = sigmas.codes
    return out


def _blocks(plan: Plan, sigma: ScalePlan | None, sigmas: int) -> tuple[tuple[Block, ...], list[Cell]]:
    """Return the hierarchies' blocks of D, and the parameters phi that the model names."""
    start = {coefficient.name: at for coefficient, at in own_columns(plan)}
    blocks: list[Block] = []
    found: list[Cell] = [1.0] if sigma is None else list(cells(sigma.prior, sigmas))
    for pool in plan.mean.pools:
        block, more = _block(pool, start, len(found))
        blocks.append(block)
        found += more
    return tuple(blocks), found


def _block(pool: Pool, start: dict[str, int], first: int) -> tuple[Block, Sequence[Cell]]:
    columns: list[int] = []
    found: list[Cell] = []
    for term in pool.terms:
        count, at = term.coefficient.term.columns.shape[1], start[term.coefficient.name]
        columns += range(at, at + count)
        found += cells(term.sd, count)
    sds = slice(first, first + len(found))
    if pool.correlation is not None:
        found += partial_correlations(pool.correlation.eta, len(columns))
    return Block(np.array(columns), sds, slice(sds.stop, first + len(found))), found


DEGREES = {"normal": np.inf, "cauchy": 1.0}


def _mixing(
    plan: Plan, blocks: Sequence[Block], theta: Sequence[Column], groups: int, first: int
) -> tuple[dict[int, slice], dict[int, int], list[Cell]]:
    """Return the columns and the elements of theta that have a w, and the w, parameters from `first` on."""
    found: list[Cell] = []
    stretched, loosened = {}, {}
    for pool, block in zip(plan.mean.pools, blocks, strict=True):
        df = DEGREES.get(pool.request.dist, pool.request.df)
        for column in block.columns if np.isfinite(df) else ():
            at = first + len(found)
            stretched[int(column)] = slice(at, at + groups)
            found += [_gamma(df)] * groups
    for place, own in enumerate(theta):
        if np.isfinite(own.df):
            loosened[place] = first + len(found)
            found.append(_gamma(own.df))
    return stretched, loosened, found


def _gamma(df: float) -> Cell:
    return coordinate(prior("gamma", df / 2, df / 2))
