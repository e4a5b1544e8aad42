"""log p(y | phi), all coefficients integrated out, at many points phi at once.

Taking out the groups' own coefficients leaves rows that are independent given theta, with variances d (``parts.py``).
The rows of each sigma that contain theta alone, and the prior of theta, are such rows too. A least-squares fit of theta
to all of these leaves the sum of squares Q. With R the triangle of that fit and P0 the prior precision of theta,

    log p(y | phi) = -(sum of log(2 pi d) + sum of log(2 pi s^2) over all other rows + 2 log|R| - log|P0| + Q) / 2

(Lindley & Smith, JRSS B 1972). Q is a sum of squared residuals, never a difference, so that digits suffice until sigma
is of the size of the rounding errors of the response. Only arithmetic of the array API standard (data-apis.org) is
used: the arrays may come from any library that implements it.

Shapes: S points, and those of ``reduction.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from formulajoint.arrays import Array, FloatArray
from formulajoint.inference.gaussian.alike import gathered
from formulajoint.inference.gaussian.gram_schmidt import Entry, Row, TakenOut, inner, take_out
from formulajoint.inference.gaussian.parts import At, Part, at, cut, independent, parts, residuals
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.latent.device import CPU_PAIRS, NUMPY, Device
from formulajoint.inference.latent.structure import Structure

MEMORY = 2**31
"""Most bytes for the arrays of a block; see `blocks`."""

PART = 2**13
"""Most groups of a part, where they have one sigma: its arrays then stay in the processor's cache."""

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """A reduction, and its groups' rows on the device that computes.

    Attributes
    ----------
    parts : tuple of Part
        Groups that are alike are gathered in them.
    whole : tuple of Part
        All groups.
    flat : (G,) array
        Sum of log|R_ff| over columns with flat priors; 0 where groups have rows of several sigmas.
    plain : (H,) array
        Number of rows with variance sigma^2: all but those with a variance d and those fitted by flat columns.
    """

    reduction: Reduction
    device: Device
    parts: tuple[Part, ...]
    whole: tuple[Part, ...]
    flat: FloatArray
    plain: FloatArray

    @property
    def structure(self) -> Structure:
        """The prior of the coefficients given phi."""
        return self.reduction.structure

    @property
    def scaled(self) -> int:
        """Number of rows with a variance d, over all groups, less those that flat columns fit."""
        flat = int(np.sum(self.structure.flat)) if self.structure.crossed else 0
        return sum((len(part.loads) - flat) * len(part.groups) for part in self.whole)

    @property
    def groups(self) -> int:
        """Number of groups that a point is computed for."""
        return sum(len(part.groups) for part in self.parts)


def kernel(reduction: Reduction, device: Device = NUMPY) -> Kernel:
    """Return the kernel of a reduction, its arrays on `device`."""
    structure = reduction.structure
    found, plain = parts(reduction, device), reduction.rows.astype(float)
    flat = np.flatnonzero(structure.flat & (not structure.crossed))
    for part in found:
        if part.sigma_of_row is not None:
            plain = plain - np.bincount(part.sigma_of_row, minlength=len(plain)) * len(part.groups)
            continue
        groups = np.bincount(structure.sigma_of_group[part.groups], minlength=len(plain))
        plain = plain - groups * (len(part.loads) + len(flat))
    with np.errstate(divide="ignore"):
        logs = np.log(abs(reduction.own[np.arange(len(flat)), flat]))
    own = structure.ties is None and structure.sigmas == 1 and not structure.mixed_columns
    if not own or device is not NUMPY:
        return Kernel(reduction, device, found, found, np.sum(logs, axis=0), plain)
    whole = tuple(small for part in found for small in cut(part, PART))
    fewer = tuple(gathered(part) for part in found)
    some = whole if fewer == found else fewer
    return Kernel(reduction, device, some, whole, np.sum(logs, axis=0), plain)


def log_likelihood(kernel: Kernel, points: FloatArray, by_group: bool = False) -> FloatArray:
    """Return log p(y | phi) at `points` (S, d) on the real line, NaN where arithmetic overflows.

    Parameters
    ----------
    kernel : Kernel
    points : (S, d) array
    by_group : bool
        Return one term per group (S, G), for a model in which groups share nothing: points are then (S, G), the
        coordinates of the groups' own sigmas.

    Returns
    -------
    (S,) or (S, G) array
    """
    values = kernel.structure.scales.values(points)
    if by_group:
        of_groups, of_sigmas = given_shared(kernel, values, np.empty((len(points), 0)))
        return of_groups + of_sigmas
    return at_values(kernel, values)


def at_values(kernel: Kernel, values: FloatArray) -> FloatArray:
    """Return log p(y | phi) at parameters phi (S, cells), NaN where arithmetic overflows."""
    with np.errstate(all="ignore"):
        steps = blocks(kernel.structure, len(values), kernel.device.pairs, kernel.groups)
        found = [_log_likelihood(kernel, values[block]) for block in steps]
    return np.concatenate(found) if found else np.empty(0)


def given_shared(kernel: Kernel, values: FloatArray, shift: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log p(y | phi, theta), the groups' own coefficients integrated out, as a sum over groups and sigmas.

    Parameters
    ----------
    kernel : Kernel
        Without ties.
    values : (S, cells) array
        phi.
    shift : (S, t) array
        Theta less its `reference`.

    Returns
    -------
    of_groups : (S, G) array
        Log density of the rows of each group that contain its coefficients.
    of_sigmas : (S, H) array
        Log density of the other rows of each sigma, plus `reduction.log_unit`, which needs a model with one sigma.
    """
    structure, count = kernel.structure, len(values)
    of_groups = np.empty((count, structure.groups))
    with np.errstate(all="ignore"):
        for block in blocks(structure, count, kernel.device.pairs):
            of_groups[block] = _of_groups(kernel, values[block], shift[block])
        return of_groups, _of_sigmas(kernel, values, shift)


def _of_groups(kernel: Kernel, values: FloatArray, shift: FloatArray) -> FloatArray:
    device, total = kernel.device, np.zeros((len(values), kernel.structure.groups))
    for part in kernel.whole:
        phi = at(kernel.structure, values)
        left = [[row] for row in residuals(device, part, shift[:, kernel.structure.fitted], phi)]
        rows, inverses = independent(device, part, phi, len(kernel.plain), left)
        for row, inverse in zip(rows, inverses, strict=True):
            square = 0.0 if row.blocks[0] is None else row.blocks[0][0, ...] ** 2 * inverse
            own = device.get(square - device.xp.log(inverse))
            total[:, part.groups] = total[:, part.groups] + own + LOG_2PI
    return -0.5 * total - kernel.flat


def _of_sigmas(kernel: Kernel, values: FloatArray, shift: FloatArray) -> FloatArray:
    variances = values[:, : len(kernel.plain)] ** 2
    total = rest_squares(kernel, shift) / variances + (LOG_2PI + np.log(variances)) * kernel.plain
    return kernel.reduction.log_unit - 0.5 * total


def rest_squares(kernel: Kernel, shift: FloatArray) -> FloatArray:
    """Return the sum of squares of the rows of each sigma that contain no group's coefficients (S, H)."""
    rest = kernel.reduction.rest
    k = rest.shape[1] - 1
    own = shift[:, shift.shape[1] - k :]
    left = rest[None, :, :, k] - np.sum(rest[None, :, :, :k] * own[:, None, None, :], axis=-1)
    return np.asarray(np.sum(left**2, axis=-1))


def blocks(
    structure: Structure, points: int, pairs: int = CPU_PAIRS, groups: int | None = None
) -> Iterator[slice]:
    """Yield slices of points that bound memory; `groups` are all groups unless they are given.

    A block has at most `pairs` pairs of a point and a group, fewer where `MEMORY` requires it, and at least one point.
    Besides its result it needs at most (p + 2) (p + t + 3) float64 arrays with a number for each pair, p rows a group
    where these have rows of several sigmas. They take at most `MEMORY` bytes or, where one point alone takes more, 8 G
    (p + 2) (p + t + 3).
    """
    p, t = len(structure.base), len(structure.reference)
    p *= structure.sigmas if structure.crossed else 1
    groups = structure.groups if groups is None else groups
    most = min(pairs, MEMORY // (8 * (p + 2) * (p + t + 3)))
    step = max(1, most // max(groups, 2, (t + 1) ** 2))  # 2: with one group, D takes as much again
    for start in range(0, points, step):
        yield slice(start, start + step)


@dataclass(frozen=True, slots=True, eq=False)
class Eliminated:
    """Results of taking out all coefficients at S points.

    Attributes
    ----------
    shared : list of TakenOut
        The elements of theta, in the order of `Structure.fitted`.
    logs : (S,) array
        Sum of log d and of 2 log|R|, without constants.
    squares : (S,) array
        Q.
    """

    shared: list[TakenOut]
    logs: Array
    squares: Array


def eliminate(kernel: Kernel, phi: At) -> Eliminated:
    """Take out all coefficients at parameters phi."""
    structure, xp, values = kernel.structure, kernel.device.xp, phi.values
    t, means = len(structure.reference), structure.means
    widths = [*[1] * means, t - means + 1]
    rows, logs = shared_rows(kernel, values, widths), xp.zeros_like(kernel.device.put(values[:, 0]))
    for part in kernel.parts:
        own, inverses = independent(kernel.device, part, phi, structure.sigmas)
        for inverse in inverses:
            of_groups = xp.log(inverse) if part.times is None else xp.log(inverse) * part.times
            logs = logs - xp.sum(of_groups, axis=-1)
        if part.classes is not None:
            own, more = _without_ties(kernel, part, own, widths)
            logs = logs + more
        if part.flat:
            own, more = _without_flat(kernel, part, own, widths)
            logs = logs + more
        rows += own
    shared = []
    for _ in range(t):
        rows, widths, found = take_out(xp, rows, widths)
        logs = logs + xp.log(found.square)
        shared.append(found)
    column = [row.blocks[0] for row in rows]
    weighted = [row.weighted(entry) for row, entry in zip(rows, column, strict=True)]
    explained = inner(xp, rows, weighted, column)
    squares = kernel.device.put(np.sum(_outside(kernel, values), axis=1))
    return Eliminated(shared, logs, squares if explained is None else squares + explained[0, ...])


def _without_ties(kernel: Kernel, part: Part, rows: list[Row], widths: list[int]) -> tuple[list[Row], Array]:
    """Take out the coefficients that the groups of each class share; return the log determinants, too (S,)."""
    device, xp = kernel.device, kernel.device.xp
    ties = kernel.structure.ties
    assert ties is not None
    one, tied, unit = device.put(np.eye(len(ties.classes))), ties.columns, np.ones((1, 1, len(ties.classes)))
    for column in range(tied):
        own: list[Entry] = [None] * (tied + len(widths))
        own[column] = device.put(unit)
        rows = [*rows, Row(own, None, one)]
    widths, logs = [*[1] * tied, *widths], 0.0
    for _ in range(tied):
        rows, widths, found = take_out(xp, rows, widths)
        logs = logs + xp.sum(xp.log(found.square), axis=-1)
    return [Row(row.blocks, row.weight) for row in rows], logs


def _without_flat(
    kernel: Kernel, part: Part, rows: list[Row], widths: list[int]
) -> tuple[list[Row], float | Array]:
    """Take out each group's flat columns, which come first; return the log determinants, too (S,)."""
    xp, flat = kernel.device.xp, len(part.flat[0])
    rows, widths, logs = (
        [Row(row.blocks, row.weight, alone=True) for row in rows],
        [*[1] * flat, *widths],
        0.0,
    )
    for _ in range(flat):
        rows, widths, found = take_out(xp, rows, widths)
        logs = logs + xp.sum(xp.log(found.square), axis=-1)
    return [Row(row.blocks, row.weight) for row in rows], logs


def shared_rows(kernel: Kernel, values: FloatArray, widths: list[int]) -> list[Row]:
    """Return the rows of each sigma that contain theta alone, and the prior of theta, in blocks of `widths` columns.

    The last row of each sigma, which contains no coefficient, is left out; see `_outside`.
    """
    structure, put, rest, means = kernel.structure, kernel.device.put, kernel.reduction.rest, len(widths) - 1
    t, k, order = len(structure.reference), widths[-1] - 1, structure.fitted
    data = np.empty((k + 1, len(values), len(rest) * k))
    for column, out in zip(np.moveaxis(rest[:, :k], 2, 0), data, strict=True):
        scaled = column / values[:, : len(column), None]
        out[:] = scaled.reshape(len(values), -1)
    precision = structure.precision(values) if structure.mixed_theta else structure.theta_precision[None]
    roots = np.sqrt(precision[:, order])
    prior = np.zeros((t + 1, len(roots), t))
    prior[np.arange(t), :, np.arange(t)] = roots.T
    prior[t] = roots * structure.theta_mean[order]
    own = Row([put(prior[first:end]) for first, end in pairwise(np.cumsum([0, *widths]))], None)
    return [own, Row([*[None] * means, put(data)], None)] if k else [own] if t else []


def _outside(kernel: Kernel, values: FloatArray) -> FloatArray:
    """Return the residual sum of squares of the rows of each sigma, in units of its square (S, H)."""
    return np.asarray((kernel.reduction.rest[:, -1, -1] / values[:, : len(kernel.plain)]) ** 2)


def _log_likelihood(kernel: Kernel, values: FloatArray) -> FloatArray:
    """Return log p(y | phi) at parameters phi (S, cells)."""
    return likelihood_and_fit(kernel, values)[0]


def likelihood_and_fit(kernel: Kernel, values: FloatArray) -> tuple[FloatArray, list[TakenOut]]:
    """Return log p(y | phi) at parameters phi (S, cells), and the elements of theta taken out."""
    structure, get = kernel.structure, kernel.device.get
    out = eliminate(kernel, at(structure, values))
    total = get(out.logs) + get(out.squares) + LOG_2PI * kernel.scaled
    total = total + (LOG_2PI + 2 * np.log(values[:, : structure.sigmas])) @ kernel.plain
    total = total - np.sum(np.log(structure.precision(values)[:, structure.theta_precision > 0]), axis=1)
    total = total + 2 * np.sum(kernel.flat) - np.sum(structure.theta_precision == 0) * LOG_2PI
    return np.asarray(kernel.reduction.log_unit - 0.5 * total), out.shared
