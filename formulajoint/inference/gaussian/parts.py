"""Rows of the groups' triangles on the device that computes, made independent at parameters phi.

Without flat columns and their rows, the rows of a group are

    r = R_theta (theta - reference) + M u + e,     M = R D,  u ~ N(0, 1),  e ~ N(0, s^2),

where the prior means of u are subtracted from r. Their covariance is V = s^2 1 + M M' = L diag(d) L', by Gram-Schmidt
on the rows of [M, s 1], from the last row up; L^-1 makes them independent, with variances d. Where groups have rows of
several sigmas, each row has an s of its own, and flat columns are columns of R_theta with values by group.

Shapes: S points, and those of ``reduction.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import Array, FloatArray, IntArray
from formulajoint.inference.gaussian.gram_schmidt import Entry, Row, less, orthogonalise
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.latent.device import Device
from formulajoint.inference.latent.structure import Structure

ALIKE = 1e4
"""Largest ratio of the sizes of columns at which singular values are used; the smallest lose precision by it."""


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """An element of M: ``sum_b R_ib D_ba``, in each group.

    Attributes
    ----------
    sources : tuple of int
        The rows b of column a of D; none where D_ba does not depend on phi.
    column : int
        a.
    table : (b, G) array
        R_ib, times D_ba where that does not depend on phi.
    """

    sources: tuple[int, ...]
    column: int
    table: Array


type Loads = tuple[tuple[Load | None, ...], ...]
"""M, row by row."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Groups whose rows are treated alike, without rows that are zero in all of them.

    Attributes
    ----------
    loads : Loads
        For the columns of D that each group has for itself.
    together : Loads
        For those that the groups of a class share.
    columns : tuple of tuples of (n, 1, G) arrays
        Row by row, blocks of columns: each mean of a hierarchy, in the order of `Structure.fitted`, then one block of
        the columns that only theta has, and r. Those in residual sds are still to be multiplied by sigma; see
        `columns_at`.
    in_sds : tuple of bool
        Which of the means are in residual sds.
    known : tuple of (1, G) arrays
        Row by row, what known means in residual sds add to r, in units of sigma.
    groups : (G,) int array
    sigmas : (G,) int array
        The sigma of each group.
    sigma_of_row : tuple of int or None
        Where groups have rows of several sigmas, that of each row; else None.
    flat : tuple of tuples of (1, G) arrays
        Row by row, the columns with flat priors, if groups have rows of several sigmas; else empty.
    classes : (G, C) array or None
        1 where a group belongs to a class.
    turn : (o, o, G) array or None
        Rotation of the u of `loads` into that of D, if the loads were made orthogonal.
    times : (G,) array or None
        For how many groups each stands, if groups were gathered (``alike.py``).
    """

    loads: Loads
    together: Loads
    columns: tuple[tuple[Entry, ...], ...]
    groups: IntArray
    sigmas: Array
    sigma_of_row: tuple[int, ...] | None = None
    flat: tuple[tuple[Entry, ...], ...] = ()
    in_sds: tuple[bool, ...] = ()
    known: tuple[Entry, ...] = ()
    classes: Entry = None
    turn: Entry = None
    times: Entry = None


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """Parameters phi at S points.

    Attributes
    ----------
    values : (S, cells) array
    root : (S, p, p) array
        D, with 1 in place of `Structure.fixed`.
    stretch : dict of (S, G) arrays
        Each group's factor for a column of D, by column: for Student and Cauchy hierarchies, and in residual sds.
    unit : (S, G) array or None
        Each group's residual sd, if any column is in units of it.
    """

    values: FloatArray
    root: FloatArray
    stretch: dict[int, FloatArray]
    unit: FloatArray | None


def at(structure: Structure, values: FloatArray) -> At:
    """Return D at parameters phi (S, cells)."""
    return At(values, structure.root(values), structure.stretch(values), structure.unit(values))


def parts(reduction: Reduction, device: Device) -> tuple[Part, ...]:
    """Return the groups' rows on `device`; with ties, one part for groups that are alone and one for the others."""
    structure = reduction.structure
    if not len(structure.base):
        return ()
    ties, everyone = structure.ties, np.arange(structure.groups)
    own = [int(j) for j in np.flatnonzero(~structure.flat)]
    if ties is None:
        return (_part(reduction, device, everyone, own, []),)
    last = len(structure.base) - ties.columns
    alone = (_part(reduction, device, ties.alone, own, []),) if len(ties.alone) else ()
    groups = np.concatenate(ties.classes)
    classes = np.repeat(np.eye(len(ties.classes)), [len(some) for some in ties.classes], axis=0)
    free, tied = [j for j in own if j < last], [j for j in own if j >= last]
    return *alone, _part(reduction, device, groups, free, tied, classes)


def _part(
    reduction: Reduction,
    device: Device,
    groups: IntArray,
    own: Sequence[int],
    tied: Sequence[int],
    classes: FloatArray | None = None,
) -> Part:
    structure, of_row = reduction.structure, reduction.sigma_of_row
    p = len(structure.base)
    rows, fixed, turn = _rows(reduction, groups, own, classes)
    kept = np.any(rows != 0, axis=(1, 2))
    rows = rows[kept]
    centres = structure.base[:, None] + (structure.u_mean * structure.fixed)[:, groups]
    known = np.einsum("ijg,jg->ig", rows[:, :p], np.where(structure.in_sds[:, None], centres, 0.0))
    pattern = structure.pattern()
    varying = {int(a) for block in structure.blocks for a in block.columns}
    means = [
        int(np.flatnonzero(structure.theta_of_column == c)[0]) for c in structure.fitted[: structure.means]
    ]

    def load(row: FloatArray, a: int) -> Load | None:
        sources = tuple(b for b in (pattern[a] if a in varying else (a,)) if np.any(row[b]))
        if not sources:
            return None
        if a in varying:
            return Load(sources, a, device.put(np.ascontiguousarray(row[list(sources)])))
        return Load((), a, device.put(row[[a]] * fixed[a]))

    def block(values: FloatArray, needed: bool = False) -> Entry:
        return device.put(np.ascontiguousarray(values[:, None])) if needed or np.any(values) else None

    return Part(
        loads=tuple(tuple(load(row, a) for a in own) for row in rows),
        together=tuple(tuple(load(row, a) for a in tied) for row in rows),
        columns=tuple(
            (*(block(row[[j]]) for j in means), block(row[p:], bool(np.any(more))))
            for row, more in zip(rows, known, strict=True)
        ),
        groups=groups,
        sigmas=device.put(structure.sigma_of_group[groups]),
        sigma_of_row=None if of_row is None else tuple(map(int, of_row[kept])),
        flat=tuple(
            tuple(device.put(row[[j]]) if np.any(row[j]) else None for j in np.flatnonzero(structure.flat))
            for row in (rows if structure.crossed else ())
        ),
        in_sds=tuple(bool(structure.in_sds[j]) for j in means),
        known=tuple(device.put(more[None]) if np.any(more) else None for more in known),
        classes=None if classes is None else device.put(classes),
        turn=None if turn is None else device.put(turn),
    )


def _rows(
    reduction: Reduction, groups: IntArray, own: Sequence[int], classes: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Return the rows of groups, the fixed part of D, and the turn by which the columns were made orthogonal, if so."""
    structure = reduction.structure
    rows = centred(reduction)[0 if structure.crossed else int(np.sum(structure.flat)) :, :, groups]
    fixed = structure.fixed[:, groups]
    free = not structure.blocks and not np.any(structure.in_sds) and not structure.crossed
    if not (free and classes is None and _alike(rows[:, own] * fixed[own])):
        return rows, fixed, None
    rows, turn = _made_orthogonal(rows, own, fixed)
    return rows, np.ones_like(fixed), turn


def cut(part: Part, most: int) -> Iterator[Part]:
    """Yield parts with at most `most` of the groups of a part without ties."""
    for start in range(0, len(part.groups), most):
        some = slice(start, start + most)

        def entry(whole: Entry, some: slice = some) -> Entry:
            return None if whole is None else whole[..., some]

        def load(whole: Load | None, some: slice = some) -> Load | None:
            return None if whole is None else replace(whole, table=whole.table[..., some])

        yield replace(
            part,
            loads=tuple(tuple(map(load, row)) for row in part.loads),
            columns=tuple(tuple(map(entry, row)) for row in part.columns),
            known=tuple(map(entry, part.known)),
            groups=part.groups[some],
            sigmas=part.sigmas[some],
            turn=entry(part.turn),
        )


def centred(reduction: Reduction) -> FloatArray:
    """Return the groups' rows with the prior means of u subtracted from y."""
    structure, out = reduction.structure, reduction.own.copy()
    for j in np.flatnonzero(np.any(structure.u_mean != 0, axis=1) & ~structure.in_sds):
        out[:, -1] -= out[:, j] * (structure.u_mean[j] * structure.fixed[j])
    return out


def _alike(m: FloatArray) -> bool:
    """Return whether the columns of M (o, o, G) are of similar size: its singular values then keep their digits."""
    sizes = np.sqrt(np.sum(m**2, axis=(0, 2)))
    return bool(m.size and np.max(sizes) < ALIKE * np.min(sizes[sizes > 0], initial=np.inf))


def _made_orthogonal(
    rows: FloatArray, own: Sequence[int], fixed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return rows rotated so that M, in place of R, is diagonal, and the rotation back; D must not depend on phi."""
    table = np.moveaxis(rows, 2, 0)
    left, values, right = np.linalg.svd(table[:, :, own] * fixed[own].T[:, None, :])
    out = np.einsum("gji,gjc->gic", left, table)
    out[:, :, own] = values[:, :, None] * np.eye(len(own))
    return np.moveaxis(out, 0, 2), np.ascontiguousarray(np.moveaxis(right, 0, 2).swapaxes(0, 1))


def sds(device: Device, part: Part, at_: At, sigmas: int) -> Array:
    """Return the residual sd of each group (S, G), or (S, 1) where there is one for all."""
    values = device.put(np.ascontiguousarray(at_.values[:, :sigmas]))
    return values if sigmas == 1 else device.xp.take(values, part.sigmas, axis=1)


def sds_of_rows(device: Device, part: Part, at_: At, sigmas: int) -> list[Array]:
    """Return the residual sd of each row (S, G), or (S, 1) where there is one for all groups."""
    if part.sigma_of_row is None:
        return [sds(device, part, at_, sigmas)] * len(part.loads)
    return [device.put(np.ascontiguousarray(at_.values[:, [sigma]])) for sigma in part.sigma_of_row]


def at_points(device: Device, part: Part, loads: Loads, at_: At) -> list[list[Entry]]:
    """Return M, row by row: arrays (S, G), (1, G) where they do not depend on phi, None where they are zero."""
    stretch = {a: device.put(own[:, part.groups]) for a, own in at_.stretch.items()}

    def value(load: Load | None) -> Entry:
        if load is None:
            return None
        out = load.table
        if load.sources:
            factors = device.put(np.ascontiguousarray(at_.root[:, load.sources, load.column]))
            out = factors @ out if len(load.sources) > 1 else factors * out
        return out * stretch[load.column] if load.column in stretch else out

    return [[value(load) for load in row] for row in loads]


def columns_at(device: Device, part: Part, at_: At) -> Sequence[Sequence[Entry]]:
    """Return the part's `columns` at points phi: those in residual sds times sigma."""
    if at_.unit is None:
        return part.columns
    unit = device.put(at_.unit[:, part.groups])[None, ...]
    out = []
    for (*heads, last), known in zip(part.columns, part.known, strict=True):
        scaled = [
            head * unit if of_sigma and head is not None else head
            for head, of_sigma in zip(heads, part.in_sds, strict=True)
        ]
        out.append([*scaled, last if known is None else _less_known(device, last, unit * known[None, ...])])
    return out


def _less_known(device: Device, last: Array, known: Array) -> Array:
    """Return the block of shared columns and r with `known` (1, S, G) subtracted from r."""
    xp = device.xp
    shared = [xp.broadcast_to(last[c : c + 1, ...], known.shape) for c in range(last.shape[0] - 1)]
    return xp.concat([*shared, last[-1:, ...] - known], axis=0)


def residuals(device: Device, part: Part, shift: FloatArray, at_: At) -> list[Entry]:
    """Return ``r - R_theta shift`` (1, S, G), row by row, for shifts (S, t) of theta in the order of the columns."""
    means = len(part.columns[0]) - 1 if part.columns else 0
    own = [device.put(np.ascontiguousarray(shift[:, c, None])) for c in range(shift.shape[1])]
    out: list[Entry] = []
    for *heads, last in columns_at(device, part, at_):
        left = None if last is None else last[-1:, ...]
        shared = [None if last is None else last[c, ...] for c in range(len(own) - means)]
        columns = [*(None if head is None else head[0, ...] for head in heads), *shared]
        for move, column in zip(own, columns, strict=True):
            left = left if column is None else less(left, move, column[None, ...])
        out.append(left)
    return out


def independent(
    device: Device,
    part: Part,
    at_: At,
    sigmas: int,
    columns: Sequence[Sequence[Entry]] | None = None,
) -> tuple[list[Row], list[Array]]:
    """Return the rows of L^-1 [M of what classes share, flat columns, columns], and 1 / d of each (S, G).

    `columns`, by row and block, default to those of the part.
    """
    columns = columns_at(device, part, at_) if columns is None else columns
    each_sd, m = sds_of_rows(device, part, at_, sigmas), at_points(device, part, part.loads, at_)
    unit: list[Entry] = [None] * len(m)
    vectors = [[*row, *unit[:i], each_sd[i], *unit[i + 1 :]] for i, row in enumerate(m)]
    vectors.reverse()
    factors, inverses = orthogonalise(vectors)
    del vectors, m
    # A row without M has one variance for all groups.
    inverses = [device.xp.broadcast_to(each, (len(at_.values), len(part.groups))) for each in inverses]
    together = at_points(device, part, part.together, at_)
    rows: list[Row] = []
    for i, own in enumerate(factors):
        of = len(factors) - 1 - i
        heads = [*together[of], *(part.flat[of] if part.flat else ())]
        blocks = [*(None if each is None else each[None, ...] for each in heads), *columns[of]]
        for j, factor in enumerate(own):
            if factor is not None:
                blocks = [less(a, factor, b) for a, b in zip(blocks, rows[j].blocks, strict=True)]
        rows.append(Row(blocks, inverses[i], part.classes))
    return rows, inverses
