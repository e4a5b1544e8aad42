"""Whether the coefficients of groups have one mode, where a family's log density need not be concave.

Quadrature is about one mode, and a finer rule may miss a further one as the coarser did. So modes are also sought from
other places of each group's prior, at some draws of psi.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.groupwise.block import Block, at_points, block_of
from formulajoint.inference.groupwise.cells import blocks
from formulajoint.inference.groupwise.forecast import Forecast
from formulajoint.inference.groupwise.inner import Modes, find_modes

SOUGHT_AT = (20, 400)
"""Draws of psi at which further modes are sought: few first, and more if these have too many, perhaps by chance."""

PLACES = (-3.0, -1.0, 1.0, 3.0)
"""Where searches start along each axis, in prior sds."""

APART = 1.0
"""Modes are different if they are further apart than this, in posterior sds."""

CLOSE = 0.02
"""Decrement at which these searches stop."""

MOST_ELSEWHERE = 0.05
"""Largest sum over groups of what is about further modes, as a share of what is about the mode that is used."""


def check_peaks(forecast: Forecast, points: FloatArray) -> None:
    """Raise an InferenceError if groups have further modes that matter, at draws psi (S, d)."""
    model = forecast.model
    if model.form.one_peak or not len(model.structure.base):
        return
    for count in SOUGHT_AT:
        places = np.unique(np.linspace(0, len(points) - 1, count).astype(int))
        if np.mean(_about_further_modes(forecast, points[places])) <= MOST_ELSEWHERE:
            return
    raise InferenceError(
        "The density of some groups' coefficients has several modes, and quadrature is about one."
    )


def _about_further_modes(forecast: Forecast, points: FloatArray) -> FloatArray:
    """Return the sum over groups of what is about further modes, as a share of what is about the first (S,)."""
    model = forecast.model
    at, elsewhere = at_points(model, points), np.zeros(len(points))
    with np.errstate(all="ignore"):
        for batch, expected in zip(model.batches, forecast.parabolas, strict=True):
            for groups, some in blocks(batch, len(points)):
                own = batch.of(groups)
                block = block_of(model, own, at.of(some))
                share = _elsewhere(block, expected.start(block, groups))
                elsewhere[some] += np.einsum("g,gs->s", own.multiplicity, share)
    return elsewhere


def _elsewhere(block: Block, start: list[FloatArray]) -> FloatArray:
    """Return what is about the largest further mode of each pair, as a share of what is about the first (G, S)."""
    first = find_modes(block, CLOSE, start)
    mass, share = _mass(block, first), np.zeros(block.shape)
    for axis in range(len(start)):
        for place in PLACES:
            begin = [np.full(block.shape, place if at == axis else 0.0) for at in range(len(start))]
            other = find_modes(block, CLOSE, begin)
            apart = _distance(first, other) > APART
            found = np.where(
                apart & other.converged, np.exp(np.minimum(_mass(block, other) - mass, 0.0)), 0.0
            )
            share = np.fmax(share, found)
    return share


def _mass(block: Block, modes: Modes) -> FloatArray:
    """Return the log of the integral about modes, by Laplace's approximation (G, S)."""
    return np.asarray(block.height(modes.centre) + modes.log_width)


def _distance(first: Modes, other: Modes) -> FloatArray:
    """Return how far two modes are apart, in sds of the wider one (G, S)."""
    away = [one - two for one, two in zip(first.centre, other.centre, strict=True)]

    def length(modes: Modes) -> FloatArray:
        p = len(away)
        white = [sum(modes.curvature[i][j] * away[i] for i in range(j, p)) for j in range(p)]
        return np.sqrt(sum((each**2 for each in white), np.zeros(modes.decrement.shape)))

    return np.fmin(length(first), length(other))
