"""Residual sds that are functions of coefficients: ``log sigma = sum of columns times coefficients``, few values."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import LinearPlan
from formulajoint.compiler.residual_sds import columns_at
from formulajoint.design.schema import Grouping
from formulajoint.distributions.links import NUMPY
from formulajoint.distributions.prior import Prior
from formulajoint.inference.latent.phi import Cell, Coordinate, Derived, Scales, coordinate


def why_not(linear: LinearPlan) -> str:
    """Return why the residual sds of a linear plan are not among the parameters phi; empty if they are."""
    if linear.pools or linear.varying:
        return "coefficients of sigma are pooled"
    for own in linear.coefficients:
        if any(np.isinf(low) and not np.isinf(high) for low, high in (each.support for each in _priors(own))):
            return f"the prior of `{own.name}` is bounded above alone"
    return ""


def linear_sds(linear: LinearPlan, rows: Grouping) -> list[Cell]:
    """Return the residual sd of each group of `rows`, then the coefficients, as the first parameters phi."""
    first = np.array([int(np.argmax(rows.codes == cell)) for cell in range(len(rows))])
    table = np.hstack([columns_at(own, first) for own in linear.coefficients])
    offset = np.zeros(len(rows)) if linear.predictor.offset is None else linear.predictor.offset[first]
    found, size = list[Cell](), np.max(abs(table), axis=0)
    for own in linear.coefficients:
        for each in _priors(own):
            found.append(_cell(each, float(size[len(found)])))
    places = slice(len(rows), len(rows) + len(found))
    sds = [Derived(places, row, float(more), linear.link) for row, more in zip(table, offset, strict=True)]
    return [*sds, *found]


def coefficients_for(scales: Scales, sds: FloatArray) -> dict[int, FloatArray]:
    """Return the coefficients without bounds (n,), by their places, that come closest to residual sds (n, A)."""
    derived = [cell for cell in scales.cells if isinstance(cell, Derived)]
    if not derived:
        return {}
    places = range(len(scales.cells))[derived[0].coefficients]
    known = np.array([cell if isinstance(cell := scales.cells[at], float) else 0.0 for at in places])
    free = [
        j for j, at in enumerate(places) if isinstance(cell := scales.cells[at], Coordinate) and cell.real
    ]
    table = np.stack([cell.row for cell in derived])
    eta = derived[0].link.forward(NUMPY, sds) - np.array([cell.offset for cell in derived]) - table @ known
    found = np.linalg.lstsq(table[:, free], eta.T)[0]
    return {places[j]: row for j, row in zip(free, found, strict=True)}


def spreads(scales: Scales, rows: FloatArray) -> dict[int, float]:
    """Return the sd of the coordinate of each coefficient without bounds, by its place, from rows of each sigma (A,).

    That of the log of a residual sd is about 1 / sqrt(2 rows).
    """
    derived = [cell for cell in scales.cells if isinstance(cell, Derived)]
    if not derived:
        return {}
    places = range(len(scales.cells))[derived[0].coefficients]
    free = [
        j for j, at in enumerate(places) if isinstance(cell := scales.cells[at], Coordinate) and cell.real
    ]
    units = np.array([float(scales.coordinate(places[j]).unit) for j in free])
    table = np.stack([cell.row for cell in derived])[:, free] * units
    covariance = np.linalg.pinv((table.T * 2 * rows) @ table)
    return {places[j]: float(sd) for j, sd in zip(free, np.sqrt(np.diagonal(covariance)), strict=True)}


def places_of(linear: LinearPlan, sigmas: int) -> Iterator[tuple[Coefficient, slice]]:
    """Yield the coefficients with their places among the parameters phi, which begin with the residual sds."""
    at = sigmas
    for own in linear.coefficients:
        yield own, slice(at, at := at + prod(shape_of(own)))


def shape_of(own: Coefficient) -> tuple[int, ...]:
    """Return the shape of the coefficients of a term."""
    return own.term.shape if own.grouping is None else (len(own.grouping), *own.term.shape)


def _priors(own: Coefficient) -> list[Prior]:
    """Return the prior of each coefficient of a term; none if they are pooled."""
    shape = shape_of(own)
    return [] if own.prior is None else [own.prior.at(cell, shape) for cell in range(prod(shape))]


def _cell(own: Prior, size: float) -> Cell:
    """Return a coefficient whose largest column is `size`: a unit of its coordinate moves a predictor by one."""
    if own.constant is not None:
        return float(own.constant)
    low, high = own.support
    if np.isinf(low) and np.isinf(high):
        return Coordinate(own, -np.inf, np.inf, 1 / size if size > 0 else 1.0)
    return Coordinate(own, low, high) if low < 0 else coordinate(own)
