"""How phi is sampled with several factors, by what a point costs."""

from __future__ import annotations

from formulajoint.inference.crossed.order import Order
from formulajoint.inference.crossed.sums import Sums

DEAR = 1e-5
"""A point that costs more seconds is dear: the likelihood is then interpolated."""

BUDGET = 0.25
"""Seconds for the points of the last sample, and for all that draws of coefficients at one of them share."""

PER_DRAWN = 2e-8
"""Seconds of the latter, for each coefficient."""

FEWEST = 200
"""Fewest points of the last sample."""


def is_dear(order: Order) -> bool:
    """Return whether the likelihood is interpolated."""
    return order.seconds > DEAR


def last_points(sums: Sums, draws: int) -> int:
    """Return the number of points of the last sample: fewer than draws where a point is dear."""
    each = sums.order.seconds + PER_DRAWN * sum(factor.size for factor in sums.model.factors)
    return max(FEWEST, min(round(1.25 * draws), int(BUDGET / each)))
