"""Regions to search for the density of phi, with several factors."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.crossed.sums import BySigma, Sums
from formulajoint.inference.gaussian.starts import (
    PLAUSIBLE,
    WIDE,
    broad,
    loosened_points,
    plausible_coefficients,
    plausible_points,
)
from formulajoint.inference.importance.searches import Look
from formulajoint.inference.latent.linear_sds import coefficients_for
from formulajoint.inference.latent.phi import Coordinate, alike, together


def look(sums: Sums, rng: np.random.Generator) -> Look:
    """Return start points from which modes may be reached, and a broad distribution."""
    scales, sizes = sums.model.scales, typical(sums)
    coordinates = scales.coordinates
    free = [at for at, cell in enumerate(scales.cells) if isinstance(cell, Coordinate)]
    count = PLAUSIBLE * (len(coordinates) + 1)
    plausible = np.stack(
        [
            loosened_points(count, rng)
            if at in sums.model.mixed.values()
            else plausible_points(coordinate, sizes[at], at < sums.model.sigmas.count, count, rng)
            for at, coordinate in zip(free, coordinates, strict=True)
        ],
        axis=1,
    )
    for at, values in plausible_coefficients(scales, sizes, count, rng).items():
        plausible[:, free.index(at)] = values
    modes = np.empty(len(coordinates))
    for group in alike(coordinates):
        modes[group] = together([coordinates[at] for at in group]).modes()
    starts = np.concatenate([plausible, modes + rng.normal(0.0, WIDE, plausible.shape)])
    loosened = np.array([at in sums.model.mixed.values() for at in free])
    return Look(starts, broad(coordinates, sizes[free], modes, loosened))


def typical(sums: Sums) -> FloatArray:
    """Return for each parameter (cells,) the size that the data suggest; NaN for correlations."""
    model = sums.model
    overall = float(np.sqrt(sums.rest[-1, -1] / model.rows)) or 1.0
    out = np.full(len(model.scales.cells), np.nan)
    out[: model.sigmas.count] = overall
    if isinstance(sums.products, BySigma):
        out[: model.sigmas.count] = np.sqrt(sums.products.rest[-1, -1] / sums.products.rows)
        out[: model.sigmas.count][out[: model.sigmas.count] == 0] = overall
    for at, values in coefficients_for(model.scales, out[None, : model.sigmas.count]).items():
        out[at] = values[0]
    for each in model.hierarchies:
        columns = model.factors[each.factor].columns[:, each.block.columns]
        sizes = np.sqrt(np.sum(columns**2, axis=0) / model.rows)
        out[each.block.sds] = overall / np.where(sizes > 0, sizes, 1.0)
    return out
