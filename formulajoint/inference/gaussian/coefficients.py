"""Coefficients given phi: exact draws from their Gaussian conditional distributions.

First theta, what all groups share, with the groups' own coefficients integrated out; then each group's own. Both are
least-squares fits by Gram-Schmidt, the prior among the rows: R b = Q'y is solved for b, with noise of the same size.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from formulajoint.arrays import Array, FloatArray, IntArray
from formulajoint.inference.gaussian.fits import Fits, repeated
from formulajoint.inference.gaussian.gram_schmidt import Entry, TakenOut, less, orthogonalise, projected
from formulajoint.inference.gaussian.marginal import Kernel, blocks, eliminate
from formulajoint.inference.gaussian.parts import At, Part, at, at_points, residuals, sds, sds_of_rows
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.latent.device import NUMPY, Device
from formulajoint.inference.latent.structure import Structure

TOGETHER = 2**21
"""Most pairs of a draw and a group that are drawn at once where a point phi stands several times."""

type Noise = tuple[FloatArray, FloatArray]
"""Standard normal numbers: for theta (S, t), and for each group's own coefficients (p, S, G)."""


def draw_coefficients(
    kernel: Kernel, points: FloatArray, rng: np.random.Generator, fits: Fits | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return one draw of all coefficients for each point.

    Parameters
    ----------
    kernel : Kernel
    points : (S, d) array
        phi on the real line.
    rng : Generator
    fits : Fits, optional
        Of theta, known at these points.

    Returns
    -------
    theta : (S, t) array
    beta : (S, p, G) array
    """
    structure = kernel.structure
    values = structure.scales.values(points)
    theta = np.empty((len(points), len(structure.reference)))
    beta = np.empty((len(points), len(structure.base), structure.groups))
    # The blocks are the same on every device, since random numbers go block by block.
    cut = list(blocks(structure, len(points)))
    for block, noise in zip(cut, _one_ahead(_noise(structure, values, cut, rng)), strict=True):
        known = None if fits is None else fits.at(points[block])
        _draw_block(kernel, values[block], noise, theta[block], beta[block], known)
    return theta, beta


def draw_in_blocks(
    kernel: Kernel, points: FloatArray, rng: np.random.Generator, fits: Fits | None = None
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Yield draws of coefficients block by block: the places of their points, theta (S, t) and beta (S, p, G).

    They are those of `draw_coefficients`, unless points stand several times: then a block is of one point.
    """
    structure = kernel.structure
    distinct, which = np.unique(points, axis=0, return_inverse=True)
    if len(distinct) <= len(points) // 2:
        yield from _point_by_point(
            kernel, structure.scales.values(distinct), which, draw_shared(kernel, points, rng, fits), rng
        )
        return
    values = structure.scales.values(points)
    cut = list(blocks(structure, len(points)))
    for block, noise in zip(cut, _one_ahead(_noise(structure, values, cut, rng)), strict=True):
        theta = np.empty((len(values[block]), len(structure.reference)))
        beta = np.empty((len(theta), len(structure.base), structure.groups))
        known = None if fits is None else fits.at(points[block])
        _draw_block(kernel, values[block], noise, theta, beta, known)
        yield np.arange(len(points))[block], theta, beta


def _point_by_point(
    kernel: Kernel, values: FloatArray, which: IntArray, theta: FloatArray, rng: np.random.Generator
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Yield draws of coefficients given theta (S, t): of each phi of `values`, those draws that have `which` of it."""
    structure = kernel.structure
    p, groups = len(structure.base), structure.groups
    step = max(1, TOGETHER // groups)
    for point in range(len(values)):
        places = np.flatnonzero(which == point)
        for some in (places[start : start + step] for start in range(0, len(places), step)):
            beta, own = np.empty((len(some), p, groups)), rng.standard_normal((p, len(some), groups))
            _draw_own(kernel, at(structure, values[[point]]), theta[some] - structure.reference, own, beta)
            yield some, theta[some], beta


def draw_shared(
    kernel: Kernel, points: FloatArray, rng: np.random.Generator, fits: Fits | None = None
) -> FloatArray:
    """Return one draw of theta for each point (S, t); where a point stands several times, at less cost."""
    structure, device = kernel.structure, kernel.device
    distinct, which, times = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    values, order = structure.scales.values(distinct), np.argsort(which, kind="stable")
    ends, noise = np.cumsum([0, *times]), rng.standard_normal((len(points), len(structure.reference)))
    shift = np.empty_like(noise)
    for block in blocks(structure, len(values), groups=kernel.groups) if noise.size else ():
        places = order[ends[block.start] : ends[min(block.stop, len(values))]]
        known = None if fits is None else fits.at(distinct[block])
        found = eliminate(kernel, at(structure, values[block])).shared if known is None else known
        of = device if known is None else NUMPY
        again = [repeated(of, each, which[places] - block.start) for each in found]
        shift[np.ix_(places, structure.fitted)] = _shift(NUMPY, again, noise[places])
    return np.asarray(structure.reference + shift)


def _noise(
    structure: Structure, values: FloatArray, cut: list[slice], rng: np.random.Generator
) -> Iterator[Noise]:
    """Yield the random numbers of each block."""
    for block in cut:
        count = len(values[block])
        shared = rng.standard_normal((count, len(structure.reference)))
        yield shared, rng.standard_normal((len(structure.base), count, structure.groups))


def _one_ahead(noise: Iterator[Noise]) -> Iterator[Noise]:
    """Yield random numbers that a thread makes while those before are used; NumPy makes them without Python's lock."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, noise, None)
        while (made := waiting.result()) is not None:
            waiting = pool.submit(next, noise, None)
            yield made


def shared_moments(kernel: Kernel, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and sd of theta - reference given phi (S, cells), both (S, t); NaN where it is not determined."""
    structure, device = kernel.structure, kernel.device
    t = len(structure.reference)
    mean, sd = np.full((len(values), t), np.nan), np.full((len(values), t), np.nan)
    with np.errstate(all="ignore"):
        for block in blocks(structure, len(values), groups=kernel.groups):
            shared = eliminate(kernel, at(structure, values[block])).shared
            count = len(values[block])
            mean[block, structure.fitted] = _back(device, shared, np.zeros((count, t)))
            spread = np.zeros((count, t))
            for c, one in enumerate(np.eye(t)):  # columns of the root of the covariance
                unit = one / np.sqrt(device.get(shared[c].square))[:, None]
                spread += (_back(device, shared, unit) - mean[block][:, structure.fitted]) ** 2
            sd[block, structure.fitted] = np.sqrt(spread)
    return mean, sd


def _draw_block(
    kernel: Kernel,
    values: FloatArray,
    noise: Noise,
    theta: FloatArray,
    beta: FloatArray,
    known: list[TakenOut] | None = None,
) -> None:
    """Write a draw for each point of a block into `theta` (S, t) and `beta` (S, p, G); nothing else of it is kept.

    `known` are the fits of theta at these points, if they are.
    """
    structure, device, (shared, own) = kernel.structure, kernel.device, noise
    phi, shift = at(structure, values), np.empty_like(theta)
    if len(structure.reference):
        found = eliminate(kernel, phi).shared if known is None else known
        shift[:, structure.fitted] = _shift(device if known is None else NUMPY, found, shared)
    theta[:] = structure.reference + shift
    _draw_own(kernel, phi, shift, own, beta)


def _draw_own(kernel: Kernel, phi: At, shift: FloatArray, own: FloatArray, beta: FloatArray) -> None:
    """Write the groups' coefficients into `beta` (S, p, G), for phi at S points or one and theta - reference (S, t)."""
    structure, device = kernel.structure, kernel.device
    means = [structure.reference[at] if at >= 0 else 0.0 for at in structure.theta_of_column]
    reference = np.where(structure.in_sds, 0.0, np.array(means) + structure.base)
    of = np.flatnonzero(~structure.flat | structure.crossed).tolist()
    flat = len(of) < len(means)
    for part in kernel.whole:
        some = slice(part.groups[0], part.groups[-1] + 1)  # without ties they follow each other
        u = [device.get(each) for each in _own(kernel, part, phi, shift, own[:, :, some])]
        known = dict(zip(of, u, strict=True))
        _place(structure, phi, shift, known, np.zeros(len(means)) if flat else reference, beta, some)
    if flat:
        _flat(kernel.reduction, phi.values, shift, own, beta)
        beta += reference[:, None]


def _shift(device: Device, shared: list[TakenOut], noise: FloatArray) -> FloatArray:
    """Return draws of theta - reference (S, t), in the order in which it was fitted, from `noise` of that shape."""
    for c, each in enumerate(shared):
        noise[:, c] /= np.sqrt(device.get(each.square))
    return _back(device, shared, noise)


def _back(device: Device, shared: list[TakenOut], noise: FloatArray) -> FloatArray:
    """Return the fit of theta - reference to y with noise (S, t) added, by back substitution."""
    out = np.zeros_like(noise)
    for c in reversed(range(len(shared))):
        factors = [row for each in shared[c].factors if each is not None for row in device.get(each)]
        out[:, c] = factors[-1] + noise[:, c]
        for later in range(c + 1, len(shared)):
            out[:, c] -= factors[later - c - 1] * out[:, later]
    return out


def _own(kernel: Kernel, part: Part, phi: At, shift: FloatArray, noise: FloatArray) -> list[Array]:
    """Return u of the columns that are not flat, arrays (S, G), given theta; where rows have several sigmas, of all.

    The columns of M, with s 1 below, are made orthogonal and taken out of r: a least-squares fit to the rows of y and
    of the prior, in units of s. Where rows have several sigmas, each is divided by its own.
    """
    structure, device, xp = kernel.structure, kernel.device, kernel.device.xp
    own = np.flatnonzero(~structure.flat | structure.crossed)
    sd, m = sds(device, part, phi, structure.sigmas), at_points(device, part, part.loads, phi)
    found = residuals(device, part, shift[:, structure.fitted], phi)
    left = [None if row is None else row[0, ...] for row in found]
    if structure.crossed:
        each = sds_of_rows(device, part, phi, structure.sigmas)
        m = _in_units(_with_flat(structure, part, m), each)
        left = [row for (row,) in _in_units([[row] for row in left], each)]
        sd = xp.ones_like(sd[:, :1])
    unit: list[Entry] = [None] * len(own)
    prior = [None if structure.flat[a] else sd for a in own]
    vectors = [[*(row[j] for row in m), *unit[:j], prior[j], *unit[j + 1 :]] for j in range(len(own))]
    factors, inverses = orthogonalise(vectors)
    response = [*left, *unit]
    fitted = projected(vectors, inverses, response)
    u: list[Array] = [None] * len(own)
    z = [device.put(noise[j]) for j in own]
    if part.turn is not None:  # turned as the coefficients are: signs of singular vectors do not matter
        z = _turned(xp.permute_dims(part.turn, (1, 0, 2)), z)
    for j in reversed(range(len(own))):
        u[j] = z[j] * (sd * xp.sqrt(inverses[j]))
        if fitted[j] is not None:
            u[j] = u[j] + fitted[j]
        for i in range(j + 1, len(own)):
            u[j] = less(u[j], factors[i][j], u[i]) if factors[i][j] is not None else u[j]
    return u if part.turn is None else _turned(part.turn, u)


def _turned(turn: Array, u: list[Array]) -> list[Array]:
    """Return vectors (S, G) by element times each group's matrix (p, p, G)."""
    return [
        functools.reduce(operator.add, (turn[j, i, ...] * each for i, each in enumerate(u)))
        for j in range(len(u))
    ]


def _with_flat(structure: Structure, part: Part, m: list[list[Entry]]) -> list[list[Entry]]:
    """Return M with the flat columns in their places."""
    out = []
    for row, flat in zip(m, part.flat, strict=True):
        own, free = iter(flat), iter(row)
        out.append([next(own) if each else next(free) for each in structure.flat])
    return out


def _in_units(rows: list[list[Entry]], sds: list[Array]) -> list[list[Entry]]:
    """Return rows divided by their residual sds."""
    return [[None if each is None else each / sd for each in row] for row, sd in zip(rows, sds, strict=True)]


def _place(
    structure: Structure,
    phi: At,
    shift: FloatArray,
    own: dict[int, FloatArray],
    reference: FloatArray,
    beta: FloatArray,
    some: slice,
) -> None:
    """Write coefficients of some groups, reference + E shift + D u, into `beta` (S, p, G), from u by column (S, G)."""
    known: list[FloatArray | None] = [None] * len(structure.base)
    for a, rows in enumerate(structure.pattern()):
        if a in own:
            moved = own[a] + structure.u_mean[a, some] if np.any(structure.u_mean[a]) else own[a]
            moved = moved * structure.fixed[a, some] if np.any(structure.fixed[a]) else moved
            moved = moved * phi.stretch[a][:, some] if a in phi.stretch else moved
            for b in rows:
                part, before = phi.root[:, b, a, None] * moved, known[b]
                known[b] = part if before is None else before + part
    for j, (place, found) in enumerate(zip(structure.theta_of_column, known, strict=True)):
        centre = shift[:, place, None] if place >= 0 else 0.0
        if structure.in_sds[j]:
            assert phi.unit is not None  # as a column is in residual sds
            centre = phi.unit[:, some] * (structure.base[j] + centre)
        centre = reference[j] + centre
        beta[:, j, some] = centre if found is None else found + centre


def _flat(
    reduction: Reduction, values: FloatArray, shift: FloatArray, noise: FloatArray, beta: FloatArray
) -> None:
    """Write coefficients with flat priors, less their reference, into `beta` (S, p, G), given all others."""
    structure = reduction.structure
    p, columns = len(structure.base), np.flatnonzero(structure.flat)
    shared = shift[:, len(structure.reference) - (reduction.own.shape[1] - 1 - p) :]
    sd = values[:, : structure.sigmas][:, structure.sigma_of_group]
    for i in reversed(range(len(columns))):
        row, own = reduction.own[i], columns[i]
        # LAPACK's signs of rows depend on the rows: with these, moments have the draws of the rows they are of.
        left = row[-1] - sd * noise[own] * np.sign(row[own]) - shared @ row[p:-1]
        for j in range(p):
            if j not in columns[: i + 1]:
                left = left - row[j] * beta[:, j]
        beta[:, own] = left / row[own]
