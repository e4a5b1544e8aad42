"""Log densities of a group's rows given its own scale, at given phi and theta: cheap at many scales.

The rows r of a group that contain its coefficients are normal with covariance ``M M' + s^2``. With M M' = U diag(l) U'
and a = U' r their log density is

    -(sum over k of log(2 pi (l_k + s^2)) + a_k^2 / (l_k + s^2)) / 2,

so that once M is decomposed, another sigma costs only this sum. Where a Student hierarchy multiplies M by w^-1/2,
another w costs only this sum.

Shapes: n points, m nodes, k rows of a group, J units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.gaussian.gram_schmidt import Entry
from formulajoint.inference.gaussian.marginal import LOG_2PI, Kernel, rest_squares
from formulajoint.inference.gaussian.parts import at, at_points, residuals


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """The groups' rows at n points.

    Attributes
    ----------
    values, squares : lists of k (n, G) arrays
        l and a^2.
    rest : (n, H) array
        Sums of squares of the rows of each sigma that contain no group's coefficients.
    """

    values: list[FloatArray]
    squares: list[FloatArray]
    rest: FloatArray

    def some(self, which: IntArray) -> Spectra:
        """Return the rows at some of the points."""
        return Spectra([v[which] for v in self.values], [s[which] for s in self.squares], self.rest[which])


def spectra(kernel: Kernel, values: FloatArray, shift: FloatArray) -> Spectra:
    """Return the groups' rows at phi (n, cells) and theta - reference (n, t); the scales of units are 1 in phi."""
    structure, device = kernel.structure, kernel.device
    rest = rest_squares(kernel, shift)
    if not kernel.parts:
        return Spectra([], [], rest)
    (part,) = kernel.parts
    shape = (len(values), structure.groups)
    rows = at_points(device, part, part.loads, at(structure, values))
    load = [[_full(device.get(each) if each is not None else None, shape) for each in row] for row in rows]
    left = residuals(device, part, shift[:, structure.fitted])
    r = [_full(None if row is None else device.get(row)[0], shape) for row in left]
    return Spectra(*_decomposed(load, r), rest)


def _full(values: Entry, shape: tuple[int, int]) -> FloatArray:
    return np.zeros(shape) if values is None else np.broadcast_to(values, shape)


def _decomposed(
    load: list[list[FloatArray]], r: list[FloatArray]
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return l and a^2 from the rows of M and of r."""
    if not load:
        return [], []
    if len(load) == 1:
        return [_lengths(load[0])], [r[0] ** 2]
    if len(load) == 2:  # one rotation makes the rows of M orthogonal
        (one, two), cross = load, sum(a * b for a, b in zip(*load, strict=True))
        angle = 0.5 * np.arctan2(2 * cross, _lengths(one) - _lengths(two))
        c, s = np.cos(angle), np.sin(angle)
        first = [c * a + s * b for a, b in zip(one, two, strict=True)]
        second = [c * b - s * a for a, b in zip(one, two, strict=True)]
        return [_lengths(first), _lengths(second)], [(c * r[0] + s * r[1]) ** 2, (c * r[1] - s * r[0]) ** 2]
    m = np.moveaxis(np.array(load), (0, 1), (2, 3))
    left, singular, _ = np.linalg.svd(m, full_matrices=True)
    padded = np.zeros((*m.shape[:2], len(load)))
    padded[..., : singular.shape[-1]] = singular**2
    along = np.einsum("ngik,ign->ngk", left, np.array(r).swapaxes(1, 2)) ** 2
    return [padded[..., k] for k in range(len(load))], [along[..., k] for k in range(len(load))]


def _lengths(row: list[FloatArray]) -> FloatArray:
    return np.asarray(sum(a**2 for a in row[1:]) + row[0] ** 2)


def log_densities_of_sigmas(kernel: Kernel, of: Spectra, logs: FloatArray) -> FloatArray:
    """Return the log density of the rows of each sigma (n, m, H) at logs of the sigmas (n, m, H)."""
    structure, sigmas = kernel.structure, len(kernel.plain)
    variances = np.exp(2 * logs)
    total = of.rest[:, None] / variances + (LOG_2PI + 2 * logs) * kernel.plain
    if of.values:
        alone = np.array_equal(structure.sigma_of_group, np.arange(sigmas))
        own = variances if alone else variances[..., structure.sigma_of_group]
        rows = _quadratic(of, own) + 2 * kernel.flat
        if alone:
            total = total + rows
        else:
            np.add.at(np.moveaxis(total, -1, 0), structure.sigma_of_group, np.moveaxis(rows, -1, 0))
    else:
        total = total + 2 * np.bincount(structure.sigma_of_group, kernel.flat, minlength=sigmas)
    return np.asarray(-0.5 * total)


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
    groups = np.log(v) + of.squares[0][:, None] / v + LOG_2PI + 2 * kernel.flat
    return -0.5 * groups, kernel.reduction.log_unit - 0.5 * rest


def _quadratic(of: Spectra, variances: FloatArray) -> FloatArray:
    """Return ``sum over k of log(2 pi (l_k + s^2)) + a_k^2 / (l_k + s^2)`` at s^2 (n, m, G)."""
    total: FloatArray = np.full(variances.shape, len(of.values) * LOG_2PI)
    product: FloatArray | None = None
    for k, (value, square) in enumerate(zip(of.values, of.squares, strict=True)):
        v = variances + value[:, None]
        total = total + square[:, None] / v
        product = v if product is None else product * v
        if (
            k % 3 == 2 or k == len(of.values) - 1
        ):  # a log costs more than a product; a product of three stays within range
            total, product = total + np.log(product), None
    return np.asarray(total)
