"""log p(y | phi), all coefficients integrated out, at many points phi at once.

It is Gaussian elimination on cross-products: taking out the groups' own coefficients leaves the shared ones, theta;
taking these out leaves one number, the sum of squares that nothing explains; and the pivots multiply to the
determinants. With A_g = 1 + D'X'X D / s and the sums of squares Q that are left,

    log p(y | phi) = -(N log(2 pi s) + sum_g log|A_g| + log|P| - log|P0| + Q_yy - h' P^-1 h) / 2,

P0 and P the precisions of theta before and after (Lindley & Smith, JRSS B 1972). Only arithmetic of the array API
standard (data-apis.org) is used, so that the arrays may be those of any library that keeps it.

Shapes: S points, and those of ``reduction.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from formulajoint.design.schema import FloatArray
from formulajoint.inference.exact.device import CPU_PAIRS, NUMPY, Array, Device
from formulajoint.inference.exact.reduction import Reduction

MEMORY = 2**31
"""Bytes that the arrays of a block may take; see `blocks`."""

LONG = 10_000

LOST = 1e13
"""A pivot or sum of squares that is so much smaller than what it is left of is rounding: the density is then unknown,
NaN."""

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Eliminated:
    """The groups' own coefficients taken out at S points.

    Attributes
    ----------
    rows : list of lists of (S, G) arrays
        ``rows[i][j - i]`` is row i of A at column j >= i, when all before i are taken out.
    right : list of lists of (S, G) arrays
        Row i at the columns of theta and y.

    Rows of tied columns are (S, a + classes): the groups that are alone, then what each class has together.
    """

    rows: list[list[Array]]
    right: list[list[Array]]

    @property
    def pivots(self) -> list[Array]:
        """Return the diagonal."""
        return [row[0] for row in self.rows]


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """A reduction's arrays, cut to what each product needs, on the device that computes.

    Attributes
    ----------
    gram : nested tuples of (a, G) arrays
        ``gram[i][j - i]``: of A_ij, for the a pairs of rows of D that it has a part of.
    cross : nested tuples of (a, G) arrays
        ``cross[i][c]``: of row i at the columns of theta and y.
    own_precision : tuple of p arrays
        Of (1,) or (G,).
    whole : (H, (t + 1)^2) array
    sigma_of_group : (G,) int array
    tied : tuple of (n,) int arrays
        With ties, the groups that are alone, then those of each class.
    """

    reduction: Reduction
    device: Device
    gram: tuple[tuple[Array, ...], ...]
    cross: tuple[tuple[Array, ...], ...]
    own_precision: tuple[Array, ...]
    whole: Array
    sigma_of_group: Array
    tied: tuple[Array, ...]


def kernel(reduction: Reduction, device: Device = NUMPY) -> Kernel:
    """Return the kernel of a reduction, its arrays on `device`."""
    pattern, gram, p, ties = reduction.pattern(), reduction.gram, len(reduction.base), reduction.ties
    whole = np.moveaxis(reduction.whole, -1, 0).reshape(len(reduction.rows), -1)
    return Kernel(
        reduction=reduction,
        device=device,
        gram=tuple(
            tuple(
                device.put(np.array([gram[a, b] for a, b, _ in _pairs(pattern, i, j)])) for j in range(i, p)
            )
            for i in range(p)
        ),
        cross=tuple(
            tuple(
                device.put(np.array([reduction.cross[a, c] for a in pattern[i]]))
                for c in range(reduction.cross.shape[1])
            )
            for i in range(p)
        ),
        own_precision=tuple(device.put(row) for row in reduction.own_precision()),
        whole=device.put(np.ascontiguousarray(whole)),
        sigma_of_group=device.put(reduction.sigma_of_group),
        tied=() if ties is None else tuple(device.put(groups) for groups in (ties.alone, *ties.classes)),
    )


def _pairs(pattern: Sequence[Sequence[int]], i: int, j: int) -> list[tuple[int, int, int]]:
    """Return the pairs of rows of D that A_ij has a part of, and how many times."""
    if i != j:
        return [(a, b, 1) for a in pattern[i] for b in pattern[j]]
    return [(a, b, 1 if a == b else 2) for a in pattern[i] for b in pattern[i] if a <= b]


def log_likelihood(kernel: Kernel, points: FloatArray, by_group: bool = False) -> FloatArray:
    """Return log p(y | phi) at `points` (S, d) on the real line, NaN where arithmetic overflows.

    Parameters
    ----------
    kernel : Kernel
    points : (S, d) array
    by_group : bool
        Return one term a group (S, G), of a model in which groups share nothing: points are then (S, G), the
        coordinates of the groups' own sigmas.

    Returns
    -------
    (S,) or (S, G) array
    """
    reduction = kernel.reduction
    values = reduction.scales.values(points)
    term = _by_group if by_group else _log_likelihood
    with np.errstate(all="ignore"):
        cut = blocks(reduction, len(points), kernel.device.pairs)
        parts = [term(kernel, values[block]) for block in cut]
    return np.concatenate(parts) if parts else np.empty(0)


def blocks(reduction: Reduction, points: int, pairs: int = CPU_PAIRS) -> Iterator[slice]:
    """Yield slices of points that bound memory.

    A block has so many `pairs` of a point and a group, fewer where `MEMORY` wants it, but one point at least. What it
    needs besides its result are at most (p + 2) (p + t + 3) arrays of float64 of a number for each pair. They take
    `MEMORY` bytes at most or, where one point alone takes more, 8 G (p + 2) (p + t + 3).
    """
    p, t, groups = len(reduction.base), len(reduction.reference), reduction.gram.shape[2]
    most = min(pairs, MEMORY // (8 * (p + 2) * (p + t + 3)))
    step = max(1, most // max(groups, 2, (t + 1) ** 2))  # 2: beside one group, D counts as much
    for start in range(0, points, step):
        yield slice(start, start + step)


def eliminate(kernel: Kernel, values: FloatArray) -> Eliminated:
    """Take the groups' own coefficients out at parameters phi (S, cells)."""
    reduction, device, xp = kernel.reduction, kernel.device, kernel.device.xp
    root, inverse = reduction.root(values), 1 / values[:, : len(reduction.rows)] ** 2
    per_group = None if inverse.shape[1] == 1 else xp.take(device.put(inverse), kernel.sigma_of_group, axis=1)
    common = inverse if per_group is None else np.ones((len(values), 1))
    pattern, p = reduction.pattern(), len(reduction.base)
    stretch = {column: device.put(own) for column, own in stretches(reduction, values).items()}

    def scaled(coefficients: FloatArray, table: Array, *columns: int) -> Array:
        factors = device.put(coefficients * common)
        total = factors @ table if table.shape[0] > 1 else factors * table[0, ...]
        total = total if per_group is None else total * per_group
        for column in columns:
            total = total * stretch[column] if column in stretch else total
        return total

    rows, right = [], []
    for i in range(p):
        row = []
        for j in range(i, p):
            first, second, times = np.array(_pairs(pattern, i, j)).T
            coefficients = root[:, first, i] * root[:, second, j] * times
            row.append(scaled(coefficients, kernel.gram[i][j - i], i, j))
        row[0] = row[0] + kernel.own_precision[i]
        last = [scaled(root[:, list(pattern[i]), i], table, i) for table in kernel.cross[i]]
        if reduction.lean[i]:
            last[-1] = last[-1] + float(reduction.lean[i])
        rows.append(row)
        right.append(last)
    before = [row[0] for row in rows]
    tied = p if reduction.ties is None else p - reduction.ties.columns
    for i in range(p):  # row operations
        if i == tied:
            before[i:] = _over_classes(kernel, before[i:])
            rows[i:], right[i:] = (
                [_over_classes(kernel, row) for row in table[i:]] for table in (rows, right)
            )
        if i and xp.max(before[i]) > LOST:
            rows[i][0] = xp.where(before[i] < LOST * rows[i][0], rows[i][0], xp.nan)
        for j in range(i + 1, p):
            factor = rows[i][j - i] / rows[i][0]
            rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i][j - i :], strict=True)]
            right[j] = [a - factor * b for a, b in zip(right[j], right[i], strict=True)]
    return Eliminated(rows, right)


def _over_classes(kernel: Kernel, tables: list[Array]) -> list[Array]:
    """Return tables (S, G) added up over the groups of each class, those that are alone as they are."""
    xp, (alone, *classes) = kernel.device.xp, kernel.tied
    return [
        xp.concat(
            [
                xp.take(table, alone, axis=1),
                *(xp.sum(xp.take(table, groups, axis=1), axis=1, keepdims=True) for groups in classes),
            ],
            axis=1,
        )
        for table in tables
    ]


def stretches(reduction: Reduction, values: FloatArray) -> dict[int, FloatArray]:
    """Return by column what each group multiplies its D by, (S, G): of Student and Cauchy hierarchies."""
    return {column: values[:, cells] ** -0.5 for column, cells in reduction.stretched.items()}


def prior_precision(reduction: Reduction, values: FloatArray) -> FloatArray:
    """Return the prior precision of theta (S, t), 0 for flat priors."""
    out = np.tile(reduction.precision, (len(values), 1))
    for place, cell in reduction.loosened.items():
        out[:, place] *= values[:, cell]
    return out


def left_over(kernel: Kernel, values: FloatArray, out: Eliminated) -> Array:
    """Return what is left of the cross-products of theta and y (t + 1, t + 1, S), the prior of theta added."""
    reduction, device, xp = kernel.reduction, kernel.device, kernel.device.xp
    t = len(reduction.reference)
    precisions = device.put(1 / values[:, : len(reduction.rows)] ** 2)
    whole = xp.permute_dims(xp.reshape(precisions @ kernel.whole, (len(values), t + 1, t + 1)), (1, 2, 0))
    precision = prior_precision(reduction, values).T  # (t, S)
    prior = np.zeros((t + 1, t + 1, len(values)))
    prior[np.arange(t), np.arange(t)] = precision
    prior[:t, t] = prior[t, :t] = precision * reduction.pull[:, None]
    prior[t, t] = reduction.pull**2 @ precision + reduction.gram.shape[2] * (reduction.lean @ reduction.lean)
    whole = whole + device.put(prior)
    for pivot, row in zip(out.pivots, out.right, strict=True):
        inverse = 1 / pivot
        taken: list[list[Array]] = [[] for _ in row]
        for a in range(t + 1):
            share = row[a] * inverse
            for b in range(a, t + 1):
                taken[a].append(_over_groups(xp, share, row[b]))
        lines = [[taken[min(a, b)][abs(b - a)] for b in range(t + 1)] for a in range(t + 1)]
        whole = whole - xp.stack([xp.stack(line) for line in lines])
    return whole


def _over_groups(xp: Any, one: Array, other: Array) -> Array:
    """Return the sum over groups of a product; long ones not by the library's own, which would start threads."""
    if one.shape[-1] < LONG:
        return xp.vecdot(one, other)
    return xp.sum(one * other, axis=-1)


def _log_likelihood(kernel: Kernel, values: FloatArray) -> FloatArray:
    """Return log p(y | phi) at parameters phi (S, cells)."""
    reduction, xp = kernel.reduction, kernel.device.xp
    out = eliminate(kernel, values)
    rest = left_over(kernel, values, out)
    total = xp.zeros_like(rest[0, 0, ...])
    for pivot in out.pivots:
        total = total + xp.sum(xp.log(pivot), axis=-1)
    for _ in range(len(reduction.reference)):
        total = total + xp.log(rest[0, 0, ...])
        rest = rest[1:, 1:, ...] - rest[1:, :1, ...] * (rest[:1, 1:, ...] / rest[0, 0, ...])
    get, variances = kernel.device.get, values[:, : len(reduction.rows)] ** 2
    total = get(total) + _known(get(rest[0, 0, ...]), (1 / variances) @ reduction.whole[-1, -1])
    total = total + (LOG_2PI + np.log(variances)) @ reduction.rows
    total = total - np.sum(np.log(prior_precision(reduction, values)[:, reduction.precision > 0]), axis=1)
    flat = np.sum(reduction.flat) * reduction.gram.shape[2] + np.sum(reduction.precision == 0)
    return np.asarray(reduction.log_unit - 0.5 * (total - flat * LOG_2PI))


def _known(left: FloatArray, squares: FloatArray) -> FloatArray:
    """Return the sum of squares that is left of `squares`, NaN where that is rounding, and so large as to matter."""
    return np.where((squares > LOST) & (squares > LOST * left), np.nan, left)


def _by_group(kernel: Kernel, values: FloatArray) -> FloatArray:
    """Return each group's own term at sigmas (S, G)."""
    reduction = kernel.reduction
    out = eliminate(kernel, values)
    get = kernel.device.get
    squares = left = reduction.whole[0, 0] / values**2 + reduction.lean @ reduction.lean
    for pivot, row in zip(out.pivots, out.right, strict=True):
        left = left - get(row[-1] ** 2 / pivot)
    total = _known(left, squares) + sum(get(kernel.device.xp.log(pivot)) for pivot in out.pivots)
    total = total + reduction.rows * (LOG_2PI + 2 * np.log(values))
    return np.asarray(-0.5 * (total - np.sum(reduction.flat) * LOG_2PI))
