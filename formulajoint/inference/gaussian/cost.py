"""What a point phi costs, and so how phi is sampled."""

from __future__ import annotations

from formulajoint.inference.gaussian.marginal import Kernel
from formulajoint.inference.importance import searches
from formulajoint.inference.importance.searches import Effort

PER_NUMBER, PER_POINT = 2e-9, 5e-6
"""Seconds for each number of a block's arrays (`marginal.blocks`), and each point, as measured on one core."""

COSTLY = 5e-5
"""Where a point costs more seconds, as with a thousand groups, fewer points are drawn."""

DEAR = 1e-4
"""A point that costs more seconds is dear, as with two thousand groups: the likelihood is then interpolated."""

MOST = 12
"""Most coordinates of phi in which the likelihood is interpolated."""

BUDGET = 1.5
"""Seconds for the points of the last sample."""

FEWEST = 200
"""Fewest points of the last sample."""


def seconds(kernel: Kernel) -> float:
    """Return the seconds that a point costs, roughly: the choice is the same on every machine."""
    p, t = len(kernel.structure.base), len(kernel.structure.reference)
    p = max(p, *(len(part.loads) for part in kernel.parts)) if kernel.parts else p
    return PER_POINT + PER_NUMBER * kernel.groups * (p + 2) * (p + t + 3)


def effort(kernel: Kernel) -> Effort:
    """Return how many points are drawn where the likelihood is not interpolated."""
    return searches.COSTLY if seconds(kernel) > COSTLY else searches.CHEAP


def is_dear(kernel: Kernel) -> bool:
    """Return whether the likelihood is interpolated."""
    structure = kernel.structure
    few = 1 < len(structure.scales.coordinates) <= MOST
    plain = structure.sigma_pool is None and not structure.mixed
    return few and plain and seconds(kernel) > DEAR


def last_points(kernel: Kernel, draws: int) -> int:
    """Return the points of the last sample for a number of draws: fewer than draws where a point is dear."""
    return max(FEWEST, min(round(1.1 * draws), int(BUDGET / seconds(kernel))))
