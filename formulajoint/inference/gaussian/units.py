"""Scales of single groups that can be integrated out one by one: sigmas, or the w of a Student or Cauchy hierarchy.

Shapes: n points, m nodes, J units, groups or sigmas.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.latent.phi import Coordinate, together
from formulajoint.inference.latent.structure import SigmaPool, Structure


@dataclass(frozen=True, eq=False)
class Units:
    """The scales that are integrated out.

    Attributes
    ----------
    cells : (J,) int array
        Their places among the parameters phi.
    sigmas : bool
        Whether they are sigmas, else the w of groups.
    coordinates : tuple of J Coordinate
        Their priors, unless `pool` gives these.
    left : (e,) int array
        Places of the remaining parameters that are not constant.
    pool : SigmaPool or None
        The hierarchy of the sigmas.
    """

    cells: IntArray
    sigmas: bool
    coordinates: tuple[Coordinate, ...]
    left: IntArray
    pool: SigmaPool | None = None

    def log_prior(self, logs: FloatArray, values: FloatArray, which: IntArray) -> FloatArray:
        """Return the log prior density (n or 1, m, J) of logs of the scales.

        Parameters
        ----------
        logs : (n or 1, m, J) array
        values : (n, cells) array
            phi.
        which : (1, J) or (n, 1) int array
            The units, or that of each pair of a point and a unit.
        """
        if self.pool is not None:
            middle, sd = self.pool.of(values)
            away = (logs - middle[:, None, None]) / sd[:, None, None]
            return self.pool.standard.log_density(away) - np.log(sd)[:, None, None]
        return self._together.some(which[:, None]).log_prior(logs)

    @cached_property
    def _together(self) -> Coordinate:
        return together(self.coordinates)

    def dimensions(self, structure: Structure) -> int:
        """Return the number of dimensions left."""
        return len(self.left) + len(structure.reference)


def units(structure: Structure) -> Units | None:
    """Return the scales to integrate out, or None if that would not reduce the dimensions.

    Sigmas with a hierarchy are always integrated out.
    """
    if structure.ties is not None or structure.crossed:
        return None
    if structure.sigma_pool is not None:
        return _sigmas(structure)
    found = [made for made in (_sigmas(structure), _loose(structure)) if made is not None]
    best = max(found, key=lambda made: len(made.cells), default=None)
    if best is None or best.dimensions(structure) >= len(structure.scales.coordinates):
        return None
    return best


def _sigmas(structure: Structure) -> Units | None:
    return _units(structure, np.arange(structure.sigmas), structure.sigma_pool, sigmas=True)


def _loose(structure: Structure) -> Units | None:
    if len(structure.mixed_columns) != 1:
        return None
    (own,) = structure.mixed_columns.values()
    return (
        _units(structure, np.arange(own.start, own.stop), None, sigmas=False)
        if isinstance(own, slice)
        else None
    )


def _units(structure: Structure, cells: IntArray, pool: SigmaPool | None, sigmas: bool) -> Units | None:
    every = structure.scales.cells
    own = [cell for at in cells if isinstance(cell := every[at], Coordinate)]
    if len(own) < max(2, len(cells)) or any(cell.low != 0 or not cell.unbounded for cell in own):
        return None
    gone = {*cells.tolist(), *structure.mixed_theta.values()}
    left = [at for at, cell in enumerate(every) if isinstance(cell, Coordinate) and at not in gone]
    return Units(cells, sigmas, tuple(own), np.array(left, dtype=np.int64), pool)
