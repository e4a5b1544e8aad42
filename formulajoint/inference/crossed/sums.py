"""The rows of a model as cross-products, computed once.

A first factor is taken out group by group at each point phi; the q coefficients of all other factors and the k shared
ones are left. Two of the q meet where they have rows in the same group of the factor taken out: pairs of coefficients
that meet, and what each group contributes to them, are listed once, so that a point phi is a sum by weight. Factors in
which the first is nested are then taken out likewise (``levels.py``). Where rows have several sigmas, cross-products
are kept by sigma, those of the first factor among them, and it is taken out as the later ones are.

Columns are first made orthogonal over all rows, by factor and for the shared coefficients, which are less a
least-squares fit: response and columns far from zero lose no digits. The prior of the shared coefficients is among
the rows of that fit, so that columns may depend on each other.

Shapes: G groups and p columns of the factor taken out first, P = p (p + 1) / 2, and those of ``model.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.data.triangles import positive
from formulajoint.inference.crossed.alike import Alike, alike
from formulajoint.inference.crossed.levels import Level, levels_of, meetings
from formulajoint.inference.crossed.model import Factor, Model
from formulajoint.inference.crossed.order import Groups, Order, in_order_of_alike, in_order_of_later, order_of


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """The shared coefficients as b = reference + R^-1 c.

    Attributes
    ----------
    columns : (N, k) array
        X R^-1.
    y : (N,) array
        The response less the fit at the reference.
    root : (k, k) array
        R.
    reference : (k,) array
    prior : (m, k) array
        Rows of the proper priors: prior c - pull is standard normal.
    pull : (m,) array
    mixed : (m,) int array
        Place of the w among phi that multiplies the precision of each; -1 for none.
    log_constant : float
        Log of the priors' constants, and of the volume of b in units of c.
    """

    columns: FloatArray
    y: FloatArray
    root: FloatArray
    reference: FloatArray
    prior: FloatArray
    pull: FloatArray
    mixed: IntArray
    log_constant: float


@dataclass(frozen=True, slots=True, eq=False)
class OneSigma:
    """Cross-products of rows with one sigma, by group of the factor taken out first.

    Attributes
    ----------
    own : (p, p, G) array
    own_rest : (p, G, k + 1) array
        With the shared columns and y.
    with_left, left_with : (G p, q) and (q, G p) sparse arrays
        With the columns of the other factors: those taken out next, then those that remain.
    left_rest : (q, k + 1) array
    among : (pairs,) array
        Cross-products of coefficients of other factors that meet.
    by_group : (pairs, G P) sparse array
        What each group contributes, by each element of a symmetric matrix (p, p).
    alike : Alike or None
        Groups with the same ``own`` as one, where there are many.
    """

    own: FloatArray
    own_rest: FloatArray
    with_left: scipy.sparse.csr_array
    left_with: scipy.sparse.csr_array
    left_rest: FloatArray
    among: FloatArray
    by_group: scipy.sparse.csr_array
    alike: Alike | None


@dataclass(frozen=True, slots=True, eq=False)
class BySigma:
    """Cross-products of the rows of each of A sigmas, of all factors, that taken out first among them.

    Attributes
    ----------
    rows : (A,) array
        Sums of the row weights.
    pairs : (P, A) array
        Of coefficients that meet in a row.
    across : (q, k + 1, A) array
        Of coefficients of factors with the shared columns and y.
    rest : (k + 1, k + 1, A) array
    first : Level
        The factor taken out first.
    """

    rows: FloatArray
    pairs: FloatArray
    across: FloatArray
    rest: FloatArray
    first: Level


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Cross-products of a model's rows.

    Attributes
    ----------
    model : Model
    fixed : Fixed
    order : Order
        Of the factors.
    turns : tuple of (p, p) arrays
        The columns of each factor are orthogonal ones times its turn.
    rest : (k + 1, k + 1) array
        Of the shared columns and y, over all rows.
    products : OneSigma or BySigma
    levels : tuple of Level
        The factors taken out next.
    beside : int array
        Which of the pairs of coefficients that then meet belong to one group of their factor, and are two.
    places, mirrored : int arrays
        Where the pairs, the later one first, and those beside, the earlier one first, stand in the matrix that
        remains, row by row.
    """

    model: Model
    fixed: Fixed
    order: Order
    turns: tuple[FloatArray, ...]
    rest: FloatArray
    products: OneSigma | BySigma
    levels: tuple[Level, ...]
    beside: IntArray
    places: IntArray
    mirrored: IntArray

    @property
    def first(self) -> int:
        """The factor taken out first."""
        return self.order.chain[0]

    @property
    def others(self) -> tuple[int, ...]:
        """All other factors, in the order of their columns."""
        return (*self.order.chain[1:], *self.order.remaining)

    @property
    def remaining(self) -> int:
        """The number of coefficients of factors that remain."""
        return self.order.left - self.order.shared

    @property
    def k(self) -> int:
        """The number of shared coefficients."""
        return len(self.rest) - 1


def sums_of(model: Model, order: Order | None = None) -> Sums:
    """Return the cross-products of a model's rows, by the order of factors in which a point costs least or another."""
    if order is None:
        sizes = [Groups(each.codes, each.groups, each.width) for each in model.factors]
        order = order_of(sizes, len(model.mean))
    fixed = fixed_of(model)
    turned = [_orthogonal(factor.columns) for factor in model.factors]
    columns, rest = [each[0] for each in turned], np.column_stack([fixed.columns, fixed.y])
    products: OneSigma | BySigma
    if model.sigmas.count > 1:
        products, levels, pairs = _by_sigma(model, columns, rest, order)
        order = in_order_of_later(order, model.factors[order.chain[0]].width)
    else:
        products, levels, pairs = _one_sigma(model, columns, rest, order)
        if products.alike is not None:
            one = model.factors[order.chain[0]]
            order = in_order_of_alike(order, one.size, one.width, products.alike.explained.nnz)
    beside, width = _beside(model, order.remaining, pairs), order.left + 1
    return Sums(
        model=model,
        fixed=fixed,
        order=order,
        turns=tuple(each[1] for each in turned),
        rest=rest.T @ rest,
        products=products,
        levels=levels,
        beside=beside,
        places=pairs[0] * width + pairs[1],
        mirrored=pairs[1, beside] * width + pairs[0, beside],
    )


def _one_sigma(
    model: Model, turned: list[FloatArray], rest: FloatArray, order: Order
) -> tuple[OneSigma, tuple[Level, ...], IntArray]:
    """Return the cross-products of all rows, the factors taken out after the first, and the pairs that then remain."""
    first, others = order.chain[0], (*order.chain[1:], *order.remaining)
    factor, columns = model.factors[first], turned[first]
    own = _by_group(factor, np.einsum("ni,nj->nij", columns, columns))
    own_rest = _by_group(factor, np.einsum("ni,nj->nij", columns, rest))
    cells = _cells(model, turned, first, others)
    starts = np.cumsum([0, *(model.factors[at].size for at in others)])
    left, count = _wide(model, turned, others, starts), int(starts[-1])
    met, by_group = _meeting(cells, factor, count)
    levels, pairs = levels_of(model.factors, order.chain[1:], met, count)
    own, own_rest = np.moveaxis(own, 0, 2), np.moveaxis(own_rest, 0, 1)
    with_left = _with_left(cells, factor, count)
    left_with = with_left.T.tocsr()
    found = OneSigma(
        own=own,
        own_rest=own_rest,
        with_left=with_left,
        left_with=left_with,
        left_rest=np.asarray(left.T @ rest),
        among=_found(scipy.sparse.coo_array(left.T @ left), met, count),
        by_group=by_group,
        alike=alike(factor, own, own_rest, left_with, by_group),
    )
    return found, levels, pairs


def _by_sigma(
    model: Model, turned: list[FloatArray], rest: FloatArray, order: Order
) -> tuple[BySigma, tuple[Level, ...], IntArray]:
    """Return the cross-products by sigma, the factors taken out after the first, and the pairs that then remain."""
    every = (*order.chain, *order.remaining)
    starts = np.cumsum([0, *(model.factors[at].size for at in every)])
    wide, count = _wide(model, turned, every, starts), int(starts[-1])
    there = scipy.sparse.csr_array((np.ones(wide.nnz), wide.indices, wide.indptr), shape=wide.shape)
    later, earlier = scipy.sparse.coo_array(there.T @ there).coords
    keys = np.unique(later[later >= earlier].astype(np.int64) * count + earlier[later >= earlier])
    met = np.stack([keys // count, keys % count])
    levels, pairs = levels_of(model.factors, order.chain, met, count)
    chosen = [model.sigmas.codes == sigma for sigma in range(model.sigmas.count)]
    parts = [(wide[some], rest[some]) for some in chosen]
    found = BySigma(
        rows=model.sigmas.sums(model.weights),
        pairs=np.stack([_found(scipy.sparse.coo_array(own.T @ own), met, count) for own, _ in parts], axis=1),
        across=np.stack([np.asarray(own.T @ more) for own, more in parts], axis=2),
        rest=np.stack([more.T @ more for _, more in parts], axis=2),
        first=levels[0],
    )
    return found, levels[1:], pairs


def fixed_of(model: Model) -> Fixed:
    """Return the shared coefficients, less a least-squares fit and made orthogonal."""
    k, proper = len(model.mean), np.isfinite(model.sd)
    unit = float(np.sqrt(model.y @ model.y / model.rows)) or 1.0
    precise = np.diag(1 / model.sd)[proper]
    rows = np.concatenate([model.columns / unit, precise])
    target = np.concatenate([model.y / unit, model.mean[proper] / model.sd[proper]])
    root = np.linalg.qr(rows, mode="r")
    root = positive(root)[:, None] * root
    reference = np.linalg.lstsq(rows, target)[0] if k else np.empty(0)
    inverse = np.linalg.inv(root) if k else root
    return Fixed(
        columns=model.columns @ inverse,
        y=model.y - model.columns @ reference,
        root=root,
        reference=reference,
        prior=precise @ inverse,
        pull=(model.mean - reference)[proper] / model.sd[proper],
        mixed=np.array(
            [model.mixed.get(int(column), -1) for column in np.flatnonzero(proper)], dtype=np.int64
        ),
        log_constant=float(
            -np.sum(np.log(model.sd[proper]))
            - np.sum(np.log(abs(np.diagonal(root))))
            + 0.5 * np.sum(~proper) * np.log(2 * np.pi)
        ),
    )


def _orthogonal(columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return columns that are orthogonal over all rows, of mean square one, and the turn back (p, p)."""
    if len(columns) < columns.shape[1]:
        return columns, np.eye(columns.shape[1])
    size = np.sqrt(len(columns))
    orthogonal, turn = np.linalg.qr(columns)
    sign = positive(turn)
    return orthogonal * (sign * size), turn * (sign / size)[:, None]


def _by_group(factor: Factor, values: FloatArray) -> FloatArray:
    """Return sums by group (G, ...) of values (N, ...)."""
    flat = values.reshape(len(values), -1)
    sums = [np.bincount(factor.codes, column, factor.groups) for column in flat.T]
    return np.reshape(np.array(sums).T, (factor.groups, *values.shape[1:]))


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Columns of other factors in the groups of the factor taken out, by group, then column.

    Attributes
    ----------
    groups, columns : (E,) int arrays
    values : (E, p) array
        Their cross-products with the group's own columns.
    """

    groups: IntArray
    columns: IntArray
    values: FloatArray


def _cells(model: Model, turned: list[FloatArray], first: int, others: tuple[int, ...]) -> _Cells:
    one, start = model.factors[first], 0
    groups, columns = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    values = [np.empty((0, one.width))]
    for at in others:
        other = model.factors[at]
        found, cell = np.unique(one.codes * other.groups + other.codes, return_inverse=True)
        for j in range(other.width):
            products = turned[first] * turned[at][:, j, None]
            values.append(np.array([np.bincount(cell, each, len(found)) for each in products.T]).T)
            groups.append(found // other.groups)
            columns.append(start + found % other.groups * other.width + j)
        start += other.size
    both = np.concatenate(groups), np.concatenate(columns)
    order = np.lexsort((both[1], both[0]))
    return _Cells(both[0][order], both[1][order], np.concatenate(values)[order])


def _with_left(cells: _Cells, factor: Factor, left: int) -> scipy.sparse.csr_array:
    rows = cells.groups[:, None] * factor.width + np.arange(factor.width)
    columns = np.broadcast_to(cells.columns[:, None], rows.shape)
    shape = (factor.size, left)
    return scipy.sparse.csr_array((cells.values.ravel(), (rows.ravel(), columns.ravel())), shape=shape)


def _wide(
    model: Model, turned: list[FloatArray], others: tuple[int, ...], starts: IntArray
) -> scipy.sparse.csr_array:
    """Return the columns of other factors (N, q)."""
    rows, columns, values = [], [], []
    for at, start in zip(others, starts, strict=False):
        factor = model.factors[at]
        for j in range(factor.width):
            rows.append(np.arange(len(model.y)))
            columns.append(start + factor.codes * factor.width + j)
            values.append(turned[at][:, j])
    if not rows:
        return scipy.sparse.csr_array((len(model.y), 0))
    places = (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.csr_array((np.concatenate(values), places), shape=(len(model.y), int(starts[-1])))


def _meeting(cells: _Cells, factor: Factor, left: int) -> tuple[IntArray, scipy.sparse.csr_array]:
    """Return the pairs of columns that meet, and what each group contributes to their cross-products."""
    later, earlier = meetings(cells.groups, factor.groups)
    keys = cells.columns[later] * max(left, 1) + cells.columns[earlier]
    found, pair = np.unique(keys, return_inverse=True)
    symmetric = list(combinations_with_replacement(range(factor.width), 2))
    values = [
        cells.values[later, a] * cells.values[earlier, b]
        + (cells.values[later, b] * cells.values[earlier, a] if a != b else 0.0)
        for a, b in symmetric
    ]
    columns = [cells.groups[later] * len(symmetric) + each for each in range(len(symmetric))]
    places = (np.tile(pair, len(symmetric)), np.concatenate(columns))
    shape = (len(found), factor.groups * len(symmetric))
    by_group = scipy.sparse.csr_array((np.concatenate(values), places), shape=shape)
    return np.stack([found // max(left, 1), found % max(left, 1)]), by_group


def _beside(model: Model, others: tuple[int, ...], pairs: IntArray) -> IntArray:
    """Return which pairs belong to one group, and are two."""
    sizes = [(model.factors[at].groups, model.factors[at].width) for at in others]
    owner = np.repeat(np.arange(sum(groups for groups, _ in sizes)), [w for g, w in sizes for _ in range(g)])
    return np.flatnonzero((pairs[0] != pairs[1]) & (owner[pairs[0]] == owner[pairs[1]]))


def _found(products: scipy.sparse.coo_array, pairs: IntArray, left: int) -> FloatArray:
    """Return the elements of a symmetric matrix (q, q) at pairs of a row and a column."""
    rows, columns = products.coords
    lower = rows >= columns
    out = np.zeros(pairs.shape[1])
    keys, known = pairs[0] * left + pairs[1], rows[lower] * left + columns[lower]
    out[np.searchsorted(keys, known)] = products.data[lower]
    return out
