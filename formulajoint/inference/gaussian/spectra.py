"""Log densities of a group's rows given its own scale, at given phi and theta: cheap at many scales.

The rows of a group that contain its coefficients are ``r = a - s b + (M + s K) u + e``, where s is their residual sd: b
and K are of the columns in residual sds. So they are normal with covariance ``M M' + s^2 (K K' + 1)``. With K K' + 1 =
L L' and L^-1 M M' L'^-1 = U diag(l) U', the log density of U' L^-1 r is

    -(sum over k of log(2 pi (l_k + s^2)) + (a_k - s b_k)^2 / (l_k + s^2)) / 2 - log|L|,

so that once M is decomposed, another sigma costs only this sum. Where a Student hierarchy multiplies M by w^-1/2,
another w costs only this sum.

Shapes: n points, m nodes, k rows of a group, J units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.gaussian.gram_schmidt import Entry, orthogonalise
from formulajoint.inference.gaussian.marginal import LOG_2PI, Kernel, rest_squares
from formulajoint.inference.gaussian.parts import At, at, at_points, residuals

SWEEPS, ORTHOGONAL = 30, 1e-14
"""Most sweeps of rotations that make the rows of M orthogonal, and the largest cosine that counts as 0."""

TOGETHER = 3
"""Factors multiplied before a log is taken, which costs more than a product; of this many none leaves the range."""

type Rows = list[FloatArray]
"""k arrays (n, G) or (1, G)."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """The groups' rows at n points.

    Attributes
    ----------
    values, ends : lists of k (n, G) arrays
        l and a; l may be (1, 1).
    slopes : list of k (n, G) arrays
        b; empty if no column is in residual sds.
    log_root : (n, G) array or None
        log|L|; None for 0.
    rest : (n, H) array
        Sums of squares of the rows of each sigma that contain no group's coefficients.
    """

    values: Rows
    ends: Rows
    slopes: Rows
    log_root: FloatArray | None
    rest: FloatArray

    def some(self, which: IntArray) -> Spectra:
        """Return the rows at some of the points."""
        return self._taken(lambda each: each[which] if len(each) > 1 or len(self.rest) == 1 else each)

    def pairs(self, points: IntArray, groups: IntArray) -> Spectra:
        """Return the rows of pairs of a point and a group with a sigma of its own, as those of points."""
        count, sigmas = self.rest.shape

        def taken(each: FloatArray) -> FloatArray:
            return np.broadcast_to(each, (count, sigmas))[points, groups][:, None]

        return self._taken(taken)

    def _taken(self, taken: Callable[[FloatArray], FloatArray]) -> Spectra:
        root = None if self.log_root is None else taken(self.log_root)
        values, ends, slopes = ([taken(e) for e in of] for of in (self.values, self.ends, self.slopes))
        return Spectra(values, ends, slopes, root, taken(self.rest))


def spectra(kernel: Kernel, values: FloatArray, shift: FloatArray, of_sigmas: bool) -> Spectra:
    """Return the groups' rows at phi (n, cells) and theta - reference (n, t); the scales of units are 1 in phi.

    `of_sigmas` says whether the units are sigmas.
    """
    structure = kernel.structure
    rest = rest_squares(kernel, shift)
    if not kernel.parts:
        return Spectra([], [], [], None, rest)
    (part,), shape = kernel.whole, (len(values), structure.groups)
    phi, order = at(structure, values), structure.fitted

    def full(each: FloatArray | None) -> FloatArray:
        return np.zeros((1, 1)) if each is None else np.broadcast_to(each, shape)

    def left(phi: At) -> Rows:
        rows = residuals(kernel.device, part, shift[:, order], phi)
        return [full(None if row is None else kernel.device.get(row[0, ...])) for row in rows]

    loads = [
        [None if e is None else kernel.device.get(e) for e in row]
        for row in at_points(kernel.device, part, part.loads, phi)
    ]
    if phi.unit is None or not of_sigmas:
        value, (ends,) = _rotated([[full(e) for e in row] for row in loads], [left(phi)])
        return Spectra(value, ends, [], None, rest)
    ends = left(replace(phi, unit=np.zeros_like(phi.unit)))
    slopes = [a - both for a, both in zip(ends, left(phi), strict=True)]
    scaled = structure.in_sds[~structure.flat]
    m = [[full(e) for e, of in zip(row, scaled, strict=True) if not of] for row in loads]
    k = [[e for e, of in zip(row, scaled, strict=True) if of] for row in loads]
    log_root, white = _whitened(k, [*zip(*m, strict=True), ends, slopes])
    *columns, ends, slopes = white
    value, (ends, slopes) = _rotated(
        [list(row) for row in zip(*columns, strict=True)] or [[] for _ in ends], [ends, slopes]
    )
    return Spectra(value, ends, slopes, log_root, rest)


def _whitened(k: list[list[Entry]], columns: Sequence[Sequence[FloatArray]]) -> tuple[FloatArray, list[Rows]]:
    """Return log|L| of ``K K' + 1 = L L'``, and L^-1 times each column, which is k arrays."""
    one = np.ones((1, 1))
    vectors: list[list[Entry]] = [
        [*row, *(one if j == i else None for j in range(len(k)))] for i, row in enumerate(k)
    ]
    factors, inverses = orthogonalise(vectors)
    roots = [np.sqrt(inverse) for inverse in inverses]
    out = []
    for column in columns:
        done: Rows = []
        for own, value in zip(factors, column, strict=True):
            for factor, before in zip(own, done, strict=True):
                value = value if factor is None else value - factor * before
            done.append(value)
        out.append([each * root for each, root in zip(done, roots, strict=True)])
    return np.asarray(-0.5 * sum(np.log(inverse) for inverse in inverses)), out


def _rotated(m: list[list[FloatArray]], columns: list[Rows]) -> tuple[Rows, list[Rows]]:
    """Return l and the columns times U', from the k rows of M: rotations make pairs of rows orthogonal (Jacobi)."""
    k = len(m)
    if not k or not m[0]:
        return [np.zeros((1, 1))] * k, columns
    rows = [[*row, *(column[i] for column in columns)] for i, row in enumerate(m)]
    width = len(m[0])
    for _ in range(SWEEPS if k > 2 else 1):
        largest = 0.0
        for i in range(k):
            for j in range(i + 1, k):
                one, two = rows[i], rows[j]
                c = sum(a * b for a, b in zip(one[:width], two[:width], strict=True))
                a, b = _length(one[:width]), _length(two[:width])
                with np.errstate(all="ignore"):
                    largest = max(largest, float(np.max(np.nan_to_num(abs(c) / np.sqrt(a * b)), initial=0.0)))
                    half = (b - a) / (2 * c)
                    t = np.where(half < 0, -1.0, 1.0) / (abs(half) + np.sqrt(1 + half**2))
                t = np.where(c == 0, 0.0, t)
                cos = 1 / np.sqrt(1 + t**2)
                sin = t * cos
                rows[i] = [cos * x - sin * y for x, y in zip(one, two, strict=True)]
                rows[j] = [sin * x + cos * y for x, y in zip(one, two, strict=True)]
        if largest < ORTHOGONAL:
            break
    turned = [[row[width + at] for row in rows] for at in range(len(columns))]
    return [_length(row[:width]) for row in rows], turned


def _length(row: Rows) -> FloatArray:
    return np.asarray(sum((each**2 for each in row[1:]), row[0] ** 2))


def log_densities_of_sigmas(kernel: Kernel, of: Spectra, units: IntArray, logs: FloatArray) -> FloatArray:
    """Return the log density of the rows of each sigma (n, m, J) at logs of the sigmas (n or 1, m, J).

    Parameters
    ----------
    kernel : Kernel
    of : Spectra
    units : (1, J) or (n, 1) int array
        The sigmas, or that of each pair of a point and a group.
    logs : (n or 1, m, J) array
    """
    structure, sigmas = kernel.structure, len(kernel.plain)
    sds, variances = np.exp(logs), np.exp(2 * logs)
    alone = np.array_equal(structure.sigma_of_group, np.arange(sigmas))
    flat = kernel.flat if alone else np.bincount(structure.sigma_of_group, kernel.flat, minlength=sigmas)
    known = (LOG_2PI + 2 * logs) * kernel.plain[units][:, None] + 2 * flat[units][:, None]
    total = of.rest[:, None] * (1 / variances) + known
    if of.ends:
        if alone:
            total += _quadratic(of, sds, variances)
        else:
            which = structure.sigma_of_group
            total += _by_sigma(_quadratic(of, sds[..., which], variances[..., which]), which, sigmas)
    return np.asarray(-0.5 * total)


def _by_sigma(rows: FloatArray, sigma_of_group: IntArray, sigmas: int) -> FloatArray:
    """Return sums over the groups of each sigma (n, m, H)."""
    order = np.argsort(sigma_of_group, kind="stable")
    starts = np.searchsorted(sigma_of_group[order], np.arange(sigmas))
    return np.add.reduceat(rows[..., order], starts, axis=-1)


def log_densities_of_groups(
    kernel: Kernel, of: Spectra, sigmas: FloatArray, logs: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the log density of each group's rows (n, m, G) at logs of its w (n, m, G), and of all other rows (n,).

    Parameters
    ----------
    kernel : Kernel
    of : Spectra
        With one row of M per group.
    sigmas : (n, H) array
    logs : (n, m, G) array
    """
    variances = sigmas**2
    own = variances[:, None, kernel.structure.sigma_of_group]
    v = own + of.values[0][:, None] * np.exp(-logs)
    rest = np.sum(of.rest / variances + (LOG_2PI + np.log(variances)) * kernel.plain, axis=1)
    groups = np.log(v) + of.ends[0][:, None] ** 2 / v + LOG_2PI + 2 * kernel.flat
    return -0.5 * groups, kernel.reduction.log_unit - 0.5 * rest


def _quadratic(of: Spectra, sds: FloatArray, variances: FloatArray) -> FloatArray:
    """Return -2 times the log density of the groups' rows at s and s^2 (n or 1, m, G)."""
    count = len(of.ends)
    constant = count * LOG_2PI if of.log_root is None else (count * LOG_2PI + 2 * of.log_root)[:, None]
    total: FloatArray | None = None
    product: FloatArray | None = None
    for k, (value, end) in enumerate(zip(of.values, of.ends, strict=True)):
        v = variances + value[:, None]
        left = end[:, None] - sds * of.slopes[k][:, None] if of.slopes else end[:, None]
        square = left**2 / v
        total = square if total is None else np.add(total, square, out=total)
        product = v if product is None else product * v
        if k % TOGETHER == TOGETHER - 1 or k == count - 1:
            total, product = total + np.log(product), None
    assert total is not None
    return total + constant
