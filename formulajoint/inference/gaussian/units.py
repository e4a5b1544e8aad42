"""Scales of single groups that can be integrated out one by one: sigmas, or the w of a Student or Cauchy hierarchy.

Shapes: J units, groups or sigmas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.latent.phi import Coordinate
from formulajoint.inference.latent.structure import Structure


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The scales that are integrated out.

    Attributes
    ----------
    cells : (J,) int array
        Their places among the parameters phi.
    sigmas : bool
        Whether they are sigmas, else the w of groups.
    coordinates : tuple of J Coordinate
        Their priors.
    left : (e,) int array
        Places of the remaining parameters that are not constant.
    """

    cells: IntArray
    sigmas: bool
    coordinates: tuple[Coordinate, ...]
    left: IntArray

    def log_prior(self, logs: FloatArray) -> FloatArray:
        """Return the log prior density (..., J) of logs of the scales."""
        if len({str(coordinate.prior) for coordinate in self.coordinates}) == 1:
            return self.coordinates[0].log_prior(logs)
        each = [coordinate.log_prior(logs[..., j]) for j, coordinate in enumerate(self.coordinates)]
        return np.stack(each, axis=-1)

    def dimensions(self, structure: Structure) -> int:
        """Return the number of dimensions left."""
        return len(self.left) + len(structure.reference)


def units(structure: Structure) -> Units | None:
    """Return the scales to integrate out, or None if that would not reduce the dimensions."""
    if structure.ties is not None:
        return None
    found = [made for made in (_sigmas(structure), _loose(structure)) if made is not None]
    best = max(found, key=lambda made: len(made.cells), default=None)
    if best is None or best.dimensions(structure) >= len(structure.scales.coordinates):
        return None
    return best


def _sigmas(structure: Structure) -> Units | None:
    return _units(structure, np.arange(structure.sigmas), True)


def _loose(structure: Structure) -> Units | None:
    if len(structure.mixed_columns) != 1:
        return None
    (own,) = structure.mixed_columns.values()
    return _units(structure, np.arange(own.start, own.stop), False) if isinstance(own, slice) else None


def _units(structure: Structure, cells: IntArray, sigmas: bool) -> Units | None:
    every = structure.scales.cells
    own = [cell for at in cells if isinstance(cell := every[at], Coordinate)]
    if len(own) < max(2, len(cells)) or any(cell.low != 0 or np.isfinite(cell.high) for cell in own):
        return None
    gone = {*cells.tolist(), *structure.mixed_theta.values()}
    left = [at for at, cell in enumerate(every) if isinstance(cell, Coordinate) and at not in gone]
    return Units(cells, sigmas, tuple(own), np.array(left, dtype=np.int64))
