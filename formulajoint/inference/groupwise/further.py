"""The family's further parameters: one number for all rows, one for each group of rows, or functions of predictors.

Numbers are among the parameters phi; coefficients of predictors are the last elements of theta. What rows tell of them
are the further columns of rows: the code of a row's group, or the columns of predictors and an offset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.compiler.planning.defaults import sd_of_response
from formulajoint.compiler.residual_sds import columns_at
from formulajoint.distributions.links import NUMPY, Link
from formulajoint.distributions.prior import Prior, prior
from formulajoint.inference.groupwise.pooled_fit import orthogonal
from formulajoint.inference.latent.columns import location_and_scale
from formulajoint.inference.latent.linear_sds import shape_of
from formulajoint.inference.latent.phi import Cell, Coordinate, coordinate

LARGEST, NEAR = 1e10, 1e8
"""Where a further parameter costs digits, the log density of a row is off by up to 1e-4 at the first; draws beyond the
second are near it."""

GAP = prior("half_student_t", 4.0, 1.0)
"""A stand-in for the prior of the gap between two thresholds, which `Model.log_prior` takes out again."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A parameter without predictors.

    Attributes
    ----------
    places : slice
        Of its numbers among the parameters phi. Of thresholds: the first, and the gaps to the next ones.
    codes : int or None
        The further column with the group of each row; None where one number is for all.
    between : bool
        Whether the numbers are thresholds.
    """

    places: slice
    codes: int | None
    between: bool

    def of(self, values: FloatArray) -> FloatArray:
        """Return its numbers (..., n) at phi (..., cells)."""
        found = values[..., self.places]
        return np.cumsum(found, axis=-1) if self.between else found

    def at(self, values: FloatArray, theta: FloatArray, columns: FloatArray) -> tuple[FloatArray, ...]:
        """Return it at cells: numbers (S,), or an array (n, G, S) where it is by group."""
        found = np.ascontiguousarray(self.of(values).T)
        return tuple(found) if self.codes is None else (found[columns[self.codes].astype(np.int64)],)


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """A parameter with predictors.

    Attributes
    ----------
    link : Link
    coefficients : slice
        Their places in theta.
    columns : slice
        Of the further columns.
    offset : int
        The further column with the offset, which constants are part of.
    """

    link: Link
    coefficients: slice
    columns: slice
    offset: int

    @property
    def count(self) -> int:
        """The number of its coefficients."""
        return int(self.coefficients.stop - self.coefficients.start)

    def at(self, values: FloatArray, theta: FloatArray, columns: FloatArray) -> tuple[FloatArray, ...]:
        """Return it at cells (n, G, S)."""
        eta = np.tensordot(columns[self.columns], theta[:, self.coefficients], axes=(0, 1))
        eta += columns[self.offset][:, :, None]
        return (np.asarray(self.link.inverse(NUMPY, eta)),)


type Part = Numbers | Predicted


type Parts = Mapping[str, Part]
"""The further parameters by name, in the family's order."""


def at_cells(
    parts: Parts, rounded: str, values: FloatArray, theta: FloatArray, columns: FloatArray
) -> tuple[FloatArray, ...]:
    """Return further parameters at cells with further columns (c, n, G), at phi (S, cells) and theta (S, t).

    Each is (S,), or (n, G, S) where it differs between cells. There one whose large values cost digits, `rounded`, is
    NaN where it is too large, so that densities are not known.
    """
    out = [each for part in parts.values() for each in part.at(values, theta, columns)]
    if rounded and out[place := list(parts).index(rounded)].ndim > 1:
        out[place] = np.where(out[place] > LARGEST, np.nan, out[place])
    return tuple(out)


@dataclass(frozen=True, slots=True, eq=False)
class Further:
    """The further parameters of a plan.

    Attributes
    ----------
    parts : Parts
    cells : tuple of Cell
        Their numbers among the parameters phi.
    columns : (N, c) array
        The further columns of rows.
    """

    parts: Parts
    cells: tuple[Cell, ...]
    columns: FloatArray


def further_of(plan: Plan, cells: int, theta: int) -> Further:
    """Return the further parameters of a plan; there are so many `cells` of phi and elements of `theta` before."""
    parts: dict[str, Part] = {}
    own: list[Cell] = []
    columns: list[FloatArray] = [np.empty((plan.design.rows.used, 0))]
    for part in plan.further:
        first = sum(each.shape[1] for each in columns)
        if isinstance(part, LinearPlan):
            made = _columns(part, plan.design.rows.used)
            count = made.shape[1] - 1
            places, at = slice(theta, theta + count), slice(first + 1, first + 1 + count)
            parts[part.parameter] = Predicted(part.link, places, at, first)
            columns.append(made)
            theta += count
            continue
        found, start = _numbers(plan, part), cells + len(own)
        own += found
        codes = None if part.grouping is None else first
        parts[part.parameter] = Numbers(slice(start, start + len(found)), codes, part.between)
        if part.grouping is not None:
            columns.append(part.grouping.codes[:, None].astype(float))
    return Further(parts, tuple(own), np.concatenate(columns, axis=1))


def _numbers(plan: Plan, part: ScalePlan) -> list[Cell]:
    """Return the numbers of a parameter without predictors among phi."""
    if part.between:
        return [_cell(part, part.prior), *[coordinate(GAP)] * (len(plan.coords[part.dims[-1]]) - 1)]
    if part.grouping is None:
        return [_cell(part, part.prior)]
    groups = len(part.grouping)
    return [_cell(part, part.prior.at(group, (groups,))) for group in range(groups)]


def _cell(part: ScalePlan, own: Prior) -> Cell:
    if own.constant is not None:
        return float(own.constant)
    (low, high), link = own.support, part.link
    return Coordinate(own, max(low, link.low), min(high, link.high))


def _columns(part: LinearPlan, rows: int) -> FloatArray:
    """Return the offset of a predictor, which constants are part of, and the columns of its coefficients (N, 1 + c)."""
    offset = np.zeros(rows) if part.predictor.offset is None else part.predictor.offset.astype(float)
    every = np.arange(rows)
    for own in part.coefficients:
        if not is_free(own):
            assert own.prior is not None
            constants = location_and_scale(own.prior, shape_of(own))[0]
            offset = offset + columns_at(own, every) @ constants.reshape(-1)
    return np.column_stack([offset, *(columns_at(own, every) for own, _ in coefficients_of(part))])


def is_free(own: Coefficient) -> bool:
    """Return whether coefficients are no constants."""
    return own.prior is None or own.prior.constant is None


def coefficients_of(part: LinearPlan) -> Iterator[tuple[Coefficient, slice]]:
    """Yield the coefficients of a predictor that are no constants, with their places among these."""
    at = 0
    for own in filter(is_free, part.coefficients):
        yield own, slice(at, at := at + prod(shape_of(own)))


class Start(NamedTuple):
    """Typical values: phi (1, cells), of which only further numbers matter, and the coefficients of predictors (c,).

    `turn` (c, c) makes their columns orthogonal.
    """

    values: FloatArray
    coefficients: FloatArray
    turn: FloatArray


def start_of(
    plan: Plan, parts: Parts, cells: Sequence[Cell], columns: FloatArray, known: Mapping[str, float]
) -> Start:
    """Return typical values of further parameters, and coefficients with which they are about typical.

    Parameters
    ----------
    plan : Plan
    parts : Parts
    cells : sequence of Cell
        All parameters phi.
    columns : (c, C) array
        Further columns of cells.
    known : mapping of str to float
        Values of some parameters, by name.
    """
    values, found = np.ones((1, len(cells))), list[FloatArray]()
    count = sum(part.count for part in parts.values() if isinstance(part, Predicted))
    turn, at = np.zeros((count, count)), 0
    for name, part in parts.items():
        if isinstance(part, Numbers):
            for place in range(len(cells))[part.places]:
                values[0, place] = known.get(name, _typical(cells[place]))
            continue
        x, here = columns[part.columns].T, slice(at, at := at + part.count)
        own = plan.family.further[name].default_prior(sd_of_response(plan.design, plan.family)).typical
        target = part.link.at(known.get(name, 1.0 if own is None else own)) - columns[part.offset]
        turn[here, here] = orthogonal(x)
        found.append(turn[here, here] @ np.linalg.lstsq(x @ turn[here, here], target)[0])
    return Start(values, np.concatenate([np.empty(0), *found]), turn)


def _typical(cell: Cell) -> float:
    """Return a typical value of a number."""
    if not isinstance(cell, Coordinate):
        return cell if isinstance(cell, float) else 1.0
    return 1.0 if cell.prior.typical is None else cell.prior.typical
