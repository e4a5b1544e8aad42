"""What a point phi costs with several factors, and so how it is sampled."""

from __future__ import annotations

from formulajoint.inference.crossed.sums import Sums

PER_MEETING, PER_CELL, PER_CUBE, PER_POINT = 1e-9, 1e-8, 2e-11, 5e-6
"""Seconds for each product of two coefficients that meet in a group, each element of the matrix that is left, each
operation of its Cholesky factor, and each point, as measured on one core: the choice is the same on every machine."""

DEAR = 3e-5
"""A point that costs more seconds is dear: the likelihood is then interpolated."""

BUDGET = 3.0
"""Seconds for the points of the last sample, and for the coefficients drawn there."""

FEWEST = 200
"""Fewest points of the last sample."""


def seconds(sums: Sums) -> float:
    """Return the seconds that a point costs, roughly."""
    factor, n = sums.model.factors[sums.first], sums.q + sums.k + 1
    own = factor.size * factor.width * (factor.width + sums.k + 1)
    return PER_POINT + PER_MEETING * (sums.by_group.nnz + 10 * own) + PER_CELL * n**2 + PER_CUBE * n**3


def is_dear(sums: Sums) -> bool:
    """Return whether the likelihood is interpolated."""
    return seconds(sums) > DEAR


def last_points(sums: Sums, draws: int) -> int:
    """Return the points of the last sample for so many draws: fewer than draws where a point is dear."""
    return max(FEWEST, min(round(1.25 * draws), int(BUDGET / 2 / seconds(sums))))
