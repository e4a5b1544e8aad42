"""log p(y | phi) with several factors, all coefficients integrated out, at many points phi at once.

With beta = D v, all v and c are normal with precision

    [A  B']      A = I + D' T D / s^2 by group of the factor taken out,
    [B  C ]      C - B A^-1 B' what is left of the other factors and the shared coefficients.

Where that factor is nested in another, what is left is of the same form, and the other is taken out next. The Cholesky
factor of what remains has the log determinant, and in a last row for y the sum of squares.

Shapes: those of ``sums.py``, and S points.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray
from formulajoint.inference.crossed.levels import Level
from formulajoint.inference.crossed.sums import BySigma, OneSigma, Sums

PAIRS = 2**18
"""Most pairs of a point and a group of the factor taken out that are computed at once."""

ELEMENTS = 2**22
"""Most elements of matrices of what is left that are computed at once."""

CACHED = 2**18
"""Most elements of them that are filled and factored at once, in the processor's cache."""

LARGE = 48
"""Matrices with as many rows are factored one by one, in place."""

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class TakenOut:
    """The factor taken out at S points.

    Attributes
    ----------
    root : (S, 1 or G, p, p) array
        D of the orthogonal columns.
    lower : list of lists of (S, G) arrays
        Cholesky factor L of A, by its elements.
    half : list of lists of (S, G) arrays
        L^-1 D', by its elements.
    log_determinant : (S,) array
        Of all A.
    """

    root: FloatArray
    lower: list[list[FloatArray]]
    half: list[list[FloatArray]]
    log_determinant: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """Cross-products of the coefficients that are left at S points, less what is taken out explains.

    Attributes
    ----------
    pairs : (pairs, S) array
        Of coefficients of factors that meet.
    across : (q, k + 1, S) array
        Of coefficients of factors with the shared columns and y.
    rest : (k + 1, k + 1, S) array
    """

    pairs: FloatArray
    across: FloatArray
    rest: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LevelOut:
    """A later factor taken out at S points: its cross-products with what is left, and itself.

    Attributes
    ----------
    taken : TakenOut
    beside : (E, p, S) array
    rest : (G, p, k + 1, S) array
    """

    taken: TakenOut
    beside: FloatArray
    rest: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """The factors of the chain taken out at S points.

    Attributes
    ----------
    first : TakenOut
    before : LevelOut or None
        The first factor, taken out as the later ones where rows have several sigmas.
    levels : tuple of LevelOut
    """

    first: TakenOut
    before: LevelOut | None
    levels: tuple[LevelOut, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Eliminated:
    """All coefficients taken out at S points.

    Attributes
    ----------
    chain : Chain
    lower : (S, n + 1, n + 1) array
        Cholesky factor of what remains; the last row is that of y. Above the diagonal there may be anything.
    log_likelihood : (S,) array
    """

    chain: Chain
    lower: FloatArray
    log_likelihood: FloatArray


def log_likelihood(sums: Sums, points: FloatArray) -> FloatArray:
    """Return log p(y | phi) at points (S, d) on the real line; NaN where arithmetic fails."""
    values = sums.model.scales.values(points)
    with np.errstate(all="ignore"):
        found = [eliminate(sums, values[block]).log_likelihood for block in blocks(sums, len(values))]
    return np.concatenate(found) if found else np.empty(0)


def blocks(sums: Sums, points: int, drawn: bool = False) -> Iterator[slice]:
    """Yield slices of points that are computed at once, or at which coefficients are drawn."""
    factor, n = sums.model.factors[sums.first], sums.order.left + 1
    own, levels = sums.products, sums.levels
    met, levels = (len(own.among), levels) if isinstance(own, OneSigma) else (0, (own.first, *levels))
    sizes = {each.factor: sums.model.factors[each.factor].size for each in levels}
    kinds = own.alike if isinstance(own, OneSigma) and not drawn else None
    sizes[sums.first] = factor.size if kinds is None else len(kinds.counts) * factor.width
    wide = max(size * max(sums.model.factors[at].width, sums.k + 1) for at, size in sizes.items())
    long = max(n**2, met, *(len(level.first) for level in levels))
    step = max(1, min(PAIRS // wide, ELEMENTS // long))
    for start in range(0, points, step):
        yield slice(start, start + step)


def eliminate(sums: Sums, values: FloatArray) -> Eliminated:
    """Take out all coefficients at parameters phi (S, cells)."""
    square = square_of(sums, values)
    chain, left = take_out_chain(sums, values, square)
    n = sums.order.left
    lower, size, q = np.zeros((len(values), n + 1, n + 1)), np.empty(len(values)), sums.remaining
    lower[:, q:, :q], lower[:, q:, q:] = left.across.T, np.moveaxis(left.rest, 2, 0)
    pairs, step = np.ascontiguousarray(left.pairs.T), max(1, CACHED // (n + 1) ** 2)
    for some in (slice(start, start + step) for start in range(0, len(values), step)):
        fill(sums, pairs[some], values[some], square[some], lower[some])
        size[some] = lower[some, n, n]  # of y: doubled, so that rounding leaves the matrix positive definite
        lower[some, n, n] = 2 * size[some] + 1
        factor(lower[some])
    squares = size - np.sum(lower[:, n, :n] ** 2, axis=1)
    logs = 2 * np.sum(np.log(np.diagonal(lower, axis1=1, axis2=2)[:, :n]), axis=1)
    logs = logs + sum((out.taken.log_determinant for out in chain.levels), chain.first.log_determinant)
    model = sums.model
    rows = model.rows * (LOG_2PI + np.log(square))
    if isinstance(sums.products, BySigma):
        rows = (LOG_2PI + 2 * np.log(values[:, : model.sigmas.count])) @ sums.products.rows
    logs = logs - np.sum(np.log(values[:, list(model.mixed.values())]), axis=1)
    total = model.log_unit + sums.fixed.log_constant - 0.5 * (rows + logs + squares)
    return Eliminated(chain, lower, total)


def take_out_chain(sums: Sums, values: FloatArray, square: FloatArray) -> tuple[Chain, Left]:
    """Take out the factors of the chain at parameters phi (S, cells)."""
    root, levels = roots(sums, sums.first, values), list[LevelOut]()
    first, before, left = _first(sums, values, root, square)
    for level in sums.levels:
        out, left = _next(level, left, roots(sums, level.factor, values), square)
        levels.append(out)
    return Chain(first, before, tuple(levels)), left


def square_of(sums: Sums, values: FloatArray) -> FloatArray:
    """Return the square of sigma (S,); where there are several, cross-products are in units of it already."""
    return np.asarray(values[:, 0] ** 2 if isinstance(sums.products, OneSigma) else np.ones(len(values)))


def _first(
    sums: Sums, values: FloatArray, root: FloatArray, square: FloatArray
) -> tuple[TakenOut, LevelOut | None, Left]:
    """Take out the first factor."""
    own = sums.products
    if isinstance(own, OneSigma):
        first = first_out(own, root, square)
        left_of = left_over if own.alike is None else left_by_kinds
        return first, None, left_of(own, sums.rest, first, square)
    precision = values[:, : sums.model.sigmas.count].T ** -2.0
    whole = Left(*(np.tensordot(part, precision, axes=1) for part in (own.pairs, own.across, own.rest)))
    before, left = _next(own.first, whole, root, square)
    return before.taken, before, left


def roots(sums: Sums, at: int, values: FloatArray) -> FloatArray:
    """Return D of a factor's orthogonal columns, (S, 1 or G, p, p)."""
    return np.asarray(sums.turns[at] @ sums.model.factors[at].root(values))


def first_out(one: OneSigma, root: FloatArray, square: FloatArray) -> TakenOut:
    """Take out the coefficients of the first factor: of its groups, or of kinds of groups if these are known."""
    if one.alike is None:
        return take_out(one.own, root, square)
    return take_out(one.alike.own, root, square, one.alike.counts)


def take_out(
    own: FloatArray, root: FloatArray, square: FloatArray, counts: FloatArray | None = None
) -> TakenOut:
    """Take out the coefficients of a factor, from its cross-products (p, p, G) or (p, p, S, G) and its D.

    A group counts as one, or as many.
    """
    p, counts = len(own), np.ones(own.shape[-1]) if counts is None else counts
    d = [[root[:, :, i, j] for j in range(p)] for i in range(p)]
    s = 1 / square[:, None]
    half = [[sum(own[i, m] * d[m][j] for m in range(p)) * s for j in range(p)] for i in range(p)]
    lower = [
        [sum(d[m][i] * half[m][j] for m in range(p)) + (1.0 if i == j else 0.0) for j in range(i + 1)]
        for i in range(p)
    ]
    logs = np.zeros(len(square))
    for i in range(p):
        for j in range(i + 1):
            for m in range(j):
                lower[i][j] = lower[i][j] - lower[i][m] * lower[j][m]
            lower[i][j] = np.sqrt(lower[i][i]) if i == j else lower[i][j] / lower[j][j]
        logs += 2 * (np.log(lower[i][i]) @ counts)
    solved: list[list[FloatArray]] = []
    for i in range(p):
        row = []
        for a in range(p):
            value = d[a][i]
            for m in range(i):
                value = value - lower[i][m] * solved[m][a]
            row.append(value / lower[i][i])
        solved.append(row)
    return TakenOut(root, lower, solved, logs)


def left_over(one: OneSigma, rest: FloatArray, first: TakenOut, square: FloatArray) -> Left:
    """Return what is left of all cross-products when the first factor is taken out."""
    count, (p, groups), k = len(square), one.own.shape[1:], len(rest) - 1
    weights = _weights(first, square)
    by_group = np.moveaxis(weights[np.triu_indices(p)], 0, 1).reshape(-1, count)  # (G P, S)
    flat = np.einsum("abgs,bgc->gacs", weights, one.own_rest).reshape(groups * p, -1)  # (G p, (k + 1) S)
    own_rest = np.moveaxis(one.own_rest, 0, 1).reshape(groups * p, k + 1)
    explained = (own_rest.T @ flat).reshape(k + 1, k + 1, count)
    return Left(
        one.among[:, None] - one.by_group @ by_group,
        one.left_rest[:, :, None] - (one.left_with @ flat).reshape(-1, k + 1, count),
        rest[:, :, None] - explained,
    )


def left_by_kinds(one: OneSigma, rest: FloatArray, first: TakenOut, square: FloatArray) -> Left:
    """Return the same where groups are alike."""
    assert one.alike is not None  # as there are kinds
    count, p, width = len(square), len(one.own), len(rest)
    weights = _weights(first, square)[np.triu_indices(p)].reshape(-1, count)  # (P U, S)
    explained = one.alike.explained @ weights
    ends = np.cumsum([len(one.among), one.left_rest.size])
    pairs, across, among = np.split(explained, ends)
    return Left(
        one.among[:, None] - pairs,
        one.left_rest[:, :, None] - across.reshape(-1, width, count),
        rest[:, :, None] - among.reshape(width, width, count),
    )


def _weights(taken: TakenOut, square: FloatArray) -> FloatArray:
    """Return the weights of a factor's columns in what it explains, (p, p, G, S)."""
    p = len(taken.half)
    out = np.empty((p, p, *taken.half[0][0].T.shape))
    for a in range(p):
        for b in range(a + 1):
            product = sum(taken.half[i][a] * taken.half[i][b] for i in range(p)) / square[:, None]
            out[a, b] = out[b, a] = product.T
    return out


def _next(level: Level, left: Left, root: FloatArray, square: FloatArray) -> tuple[LevelOut, Left]:
    """Take out a later factor."""
    p, _, groups = level.own.shape
    taken = take_out(np.ascontiguousarray(np.moveaxis(left.pairs[level.own], 3, 2)), root, square)
    weights = _weights(taken, square)
    rest = left.across[: groups * p].reshape(groups, p, *left.across.shape[1:])  # (G, p, k + 1, S)
    beside = left.pairs[level.beside]  # (E, p, S)
    by_group = np.stack(
        [sum(weights[a, b][:, None] * rest[:, b] for b in range(p)) for a in range(p)], axis=1
    )
    by_cell = np.stack(
        [sum(weights[a, b][level.groups] * beside[:, b] for b in range(p)) for a in range(p)], axis=1
    )
    products = sum(by_cell[level.first, a] * beside[level.second, a] for a in range(p))
    pairs = -(level.sum_pairs @ products)
    pairs[level.places] += left.pairs[level.kept]
    explained = sum(beside[:, a, None] * by_group[level.groups, a] for a in range(p))
    across = left.across[groups * p :]
    flat = level.sum_columns @ explained.reshape(len(beside), rest[0, 0].size)
    return LevelOut(taken, beside, rest), Left(
        pairs, across - flat.reshape(across.shape), left.rest - np.einsum("gacs,gads->cds", rest, by_group)
    )


def fill(sums: Sums, pairs: FloatArray, values: FloatArray, square: FloatArray, out: FloatArray) -> None:
    """Write the precision of what remains in place of a matrix (S, n + 1, n + 1): the lower triangle.

    It has the cross-products with the shared columns and y in its last rows, and zeros.
    """
    q = sums.remaining
    if q:
        for one, met in zip(out.reshape(len(out), -1), pairs, strict=True):
            one[sums.places] = met
            one[sums.mirrored] = met[sums.beside]
    _scale(sums, values, 1 / np.sqrt(square), out)
    places = np.arange(q)
    out[:, places, places] += 1.0
    prior = np.column_stack([sums.fixed.prior, sums.fixed.pull])
    own = sums.fixed.mixed >= 0
    out[:, q:, q:] += prior[~own].T @ prior[~own]
    if np.any(own):
        out[:, q:, q:] += np.einsum("sm,mi,mj->sij", values[:, sums.fixed.mixed[own]], prior[own], prior[own])


def _scale(sums: Sums, values: FloatArray, unit: FloatArray, out: FloatArray) -> None:
    """Multiply the rows and columns of other factors by their D, and all by 1 / sigma (S,): the lower triangle."""
    start, n, q = 0, out.shape[1], sums.remaining
    out[:, q:] *= unit[:, None, None]
    out[:, q:, q:] *= unit[:, None, None]
    for at in sums.order.remaining:
        factor, root = sums.model.factors[at], roots(sums, at, values) * unit[:, None, None, None]
        p, end = factor.width, start + factor.size
        if p == root.shape[1] == 1:
            out[:, start:end, :start] *= root[:, 0]
            out[:, start:end, start:end] *= root[:, 0] ** 2
            out[:, end:, start:end] *= root[:, 0]
        else:
            by_element = np.moveaxis(root, (2, 3), (0, 1))
            rows = out[:, start:end].reshape(len(out), factor.groups, p, n)
            _turn(np.moveaxis(rows, 2, 0), by_element[..., None])
            columns = out[:, :, start:end].reshape(len(out), n, factor.groups, p)
            _turn(np.moveaxis(columns, 3, 0), by_element[:, :, :, None])
        start = end


def _turn(places: FloatArray, root: FloatArray) -> None:
    """Multiply coefficients (p, ...) by D (p, p, ...), in place."""
    turned = [sum(root[m, i] * each for m, each in enumerate(places)) for i in range(len(places))]
    for place, each in zip(places, turned, strict=True):
        place[...] = each


def factor(matrices: FloatArray) -> None:
    """Write lower Cholesky factors in place of matrices (S, n, n), given by their lower triangles; NaN for one without.

    Above the diagonal there may be anything.
    """
    if matrices.shape[1] < LARGE:
        with suppress(np.linalg.LinAlgError):  # of one of them
            matrices[...] = np.linalg.cholesky(matrices)
            return
    for each in matrices:
        found, failed = scipy.linalg.lapack.dpotrf(each.T, lower=0, clean=0, overwrite_a=1)  # in its place
        if failed or not np.may_share_memory(found, each):
            each[...] = np.nan if failed else found.T
