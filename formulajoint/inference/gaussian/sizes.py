"""Sizes that the data suggest for the parameters: where to look for the density of phi."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.gaussian.parts import centred
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.latent.linear_sds import coefficients_for
from formulajoint.inference.latent.phi import Coordinate
from formulajoint.inference.latent.structure import Structure


def free(structure: Structure) -> list[int]:
    """Return the places of the parameters that are not constant."""
    return [at for at, cell in enumerate(structure.scales.cells) if isinstance(cell, Coordinate)]


def typical(reduction: Reduction) -> FloatArray:
    """Return for each parameter (cells,) the size that the data suggest; NaN where they suggest none."""
    structure, rows, own = reduction.structure, reduction.rows, reduction.spreads()
    overall = float(np.sqrt(rows @ own**2 / np.sum(rows)))
    out = np.full(len(structure.scales.cells), np.nan)
    out[: len(rows)] = np.where(own > 0, own, overall)
    for at, values in coefficients_for(structure.scales, out[None, : len(rows)]).items():
        out[at] = values[0]
    sizes = reduction.column_sizes()
    for block in structure.blocks:
        unit = np.where(structure.in_sds[block.columns], 1.0, overall)
        out[block.sds] = unit / np.where(sizes > 0, sizes, 1.0)[block.columns]
    return out


def typical_alone(reduction: Reduction) -> FloatArray:
    """Return the size (H,) that a group's own rows suggest for its sigma, for groups that share nothing.

    Unlike `typical` it does not depend on other groups, which may have other units.
    """
    residuals, rows = abs(reduction.rest[:, -1, -1]), np.sqrt(reduction.rows)
    own = np.sqrt(np.sum(centred(reduction)[:, -1] ** 2, axis=0))
    return np.where(residuals > 0, residuals, own) / rows
