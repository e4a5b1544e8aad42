"""How long it will take to sample a density, forecast from the time of a few points.

A density that is hard to sample takes longer: its pools grow, and proposals are fitted again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from formulajoint.wording import lasting

if TYPE_CHECKING:
    from formulajoint.inference.importance.mode import Target
    from formulajoint.inference.importance.searches import Look

log = logging.getLogger("formulajoint")

type Told = Callable[[float], None]
"""Is told a forecast, in seconds."""

LONG = 30.0
"""Seconds from which on a forecast is told."""

TIMED = (8, 64, 256)
"""Points that are timed: more only where those before them say that it will take long."""


def forecast(target: Target, look: Look, points: int) -> float:
    """Return how many seconds it will take to find a proposal and evaluate a density at `points` more.

    Parameters
    ----------
    target : callable
    look : Look
    points : int
    """
    seconds = 0.0
    for count in TIMED:
        timed = look.starts[np.arange(count) % len(look.starts)]
        started = time.perf_counter()
        target(timed)
        seconds = (time.perf_counter() - started) / count * (look.expected_points + points)
        if seconds < LONG:
            break
    return seconds


def tell(seconds: float, shown: bool) -> None:
    """Log how long it will take, if that is long: as a warning if it is to be `shown` wherever no log is set up."""
    if seconds >= LONG:
        level = logging.WARNING if shown else logging.INFO
        log.log(level, "The exact engine will take about %s.", lasting(seconds))
