"""Nodes for the logs of sigmas that serve most points: those that suit a mode.

Without a hierarchy of the sigmas they are the same at all points, and so are the sigmas and the priors there. With one,
they move with its middle and its sd, as if the rows of a sigma had the log density ``-N log s - Q / 2 s^2``.

Shapes: n points, J sigmas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.latent.structure import SigmaPool

SPACING = 0.85
"""Distance between nodes, in local sds: the trapezium rule errs by 1e-11 for a normal density."""

DEEP = 18.0
"""At the mode the nodes reach to where the log density is this far below its peak."""

MOST_SHARE = 0.9
"""There are as many nodes as this share of the sigmas needs; the others get nodes of their own."""

ABOUT = (-8, 11)
"""First and last node about a peak that moves."""

STEPS = 6
"""Steps of Newton's method to that peak."""


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Nodes of all sigmas.

    Attributes
    ----------
    centre, step : (J,) arrays
        Node 0 and the distance between nodes. With `pool`, peak and sd of the density of the rows alone.
    range : (int, int)
        First and last node.
    pool : SigmaPool or None
    """

    centre: FloatArray
    step: FloatArray
    range: tuple[int, int]
    pool: SigmaPool | None = None

    def at(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return node 0 and the distance between nodes at phi (n, cells), both (n or 1, J)."""
        if self.pool is None:
            return self.centre[None], self.step[None]
        rows = 0.5 * self.step**-2  # N
        middle, sd = (each[:, None] for each in self.pool.of(values))
        prior = sd**-2.0
        peak = (2 * rows * self.centre + prior * middle) / (2 * rows + prior)
        for _ in range(STEPS):
            pull = rows * np.exp(2 * (self.centre - peak))  # Q / s^2
            peak = peak + (pull - rows - prior * (peak - middle)) / (2 * pull + prior)
        return peak, SPACING / np.sqrt(2 * rows * np.exp(2 * (self.centre - peak)) + prior)


def covering(offsets: FloatArray, heights: FloatArray, centre: FloatArray, width: FloatArray) -> Nodes:
    """Return nodes that cover densities.

    Parameters
    ----------
    offsets : (m,) array
        Distances from the peaks, in units of their widths.
    heights : (m, J) array
        Log densities there.
    centre, width : (J,) arrays
        Peaks and their widths.
    """
    there = heights > np.max(heights, axis=0) - DEEP
    low = offsets[np.argmax(there, axis=0)]
    high = offsets[len(offsets) - 1 - np.argmax(there[::-1], axis=0)]
    needed = (high - low) / SPACING
    count = int(np.ceil(np.quantile(needed, MOST_SHARE))) + 1
    step = np.minimum((high - low) / count, SPACING)
    return Nodes(centre + low * width, step * width, (0, count))
