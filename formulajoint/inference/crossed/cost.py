"""How phi is sampled with several factors, by what a point costs."""

from __future__ import annotations

from formulajoint.inference.crossed.order import Order

DEAR = 3e-5
"""A point that costs more seconds is dear: the likelihood is then interpolated."""

BUDGET = 0.35
"""Seconds for the points of the last sample."""

FEWEST = 200
"""Fewest points of the last sample."""


def is_dear(order: Order) -> bool:
    """Return whether the likelihood is interpolated."""
    return order.seconds > DEAR


def last_points(order: Order, draws: int) -> int:
    """Return the points of the last sample for so many draws: fewer than draws where a point is dear."""
    return max(FEWEST, min(round(1.25 * draws), int(BUDGET / order.seconds)))
