"""Regions to search for the density of psi: start points from which modes may be reached, and a broad distribution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.gaussian.starts import PLAUSIBLE, WIDE, broad, plausible_points
from formulajoint.inference.groupwise.model import Model, unknown_scales
from formulajoint.inference.importance.proposal import Mixture
from formulajoint.inference.importance.searches import Effort, Look
from formulajoint.inference.latent.phi import Coordinate, alike, together

EFFORT = Effort(draws=600, enough=2, growth=6, repeats=3)
"""A point costs some hundreds of exponentials, or many more."""

MANY = 9
"""With more parameters psi, draws of each round grow as the square of their number: so do the covariances to fit."""

AWAY = 0.3
"""Sd of plausible z about the regression that ignores groups: in units of the linear predictor."""

FARTHEST = 20.0
"""Places of priors further away than this, in units of the linear predictor, are no places to start from."""


def look(model: Model, rng: np.random.Generator) -> Look:
    """Return the regions to search for the density of psi."""
    coordinates, sizes = model.scales.coordinates, typical(model)
    free = unknown_scales(model)
    count = PLAUSIBLE * (model.size + 1)
    modes = np.empty(len(coordinates))
    for group in alike(coordinates):
        modes[group] = together([coordinates[at] for at in group]).modes()
    near = np.empty((count, model.size))
    for place, (coordinate, at) in enumerate(zip(coordinates, free, strict=True)):
        near[:, place] = plausible_points(coordinate, sizes[at], False, count, rng)
    t = len(model.centre)
    z = np.clip(model.prior_place, -FARTHEST, FARTHEST)
    near[:, len(coordinates) :] = rng.normal(0.0, AWAY, (count, t))
    about = np.concatenate([modes, z]) + rng.normal(0.0, WIDE, (count, model.size))
    effort = replace(EFFORT, draws=round(EFFORT.draws * max(1.0, model.size / MANY) ** 2))
    return Look(np.concatenate([near, about]), _broad(model, sizes[free], modes, z), effort)


def _broad(model: Model, sizes: FloatArray, modes: FloatArray, z: FloatArray) -> Mixture:
    """Return a broad mixture: about the regression that ignores groups, about the priors, and between the two."""
    count, t = len(sizes), len(z)
    if count:
        own = broad(model.scales.coordinates, sizes, modes, np.zeros(count, dtype=bool))
    else:
        own = Mixture(np.array([0.4, 0.3, 0.3]), np.empty((3, 0)), np.empty((3, 0, 0)))
    means = np.stack([np.zeros(t), z, z / 2])
    sds = np.stack([np.ones(t), np.full(t, WIDE), 1 + abs(z) / 2])
    roots = np.zeros((3, count + t, count + t))
    roots[:, :count, :count] = own.roots
    for at in range(t):
        roots[:, count + at, count + at] = sds[:, at]
    return Mixture(own.weights, np.concatenate([own.means, means], axis=1), roots)


def plausible(model: Model) -> FloatArray:
    """Return one plausible point psi (d,): half the typical sds, and the regression that ignores groups."""
    sizes = typical(model)
    own = [
        0.0 if np.isnan(sizes[at]) else float(coordinate.at(np.asarray(sizes[at] / 2)))
        for at, coordinate in zip(unknown_scales(model), model.scales.coordinates, strict=True)
    ]
    return np.concatenate([own, np.zeros(len(model.centre))])


def typical(model: Model) -> FloatArray:
    """Return for each parameter phi (cells,) a plausible size; NaN for those without one."""
    out = np.full(len(model.scales.cells), np.nan)
    for block in model.structure.blocks:
        sizes = model.sizes[block.columns]
        out[block.sds] = model.unit / np.where(sizes > 0, sizes, 1.0)
    for name, part in model.own.items():
        for at in range(part.places.start, part.places.stop):
            cell = model.scales.cells[at]
            if isinstance(cell, Coordinate) and cell.unbounded and not cell.real:
                out[at] = model.unit if name == model.form.scale else cell.prior.typical or 1.0
    return out
