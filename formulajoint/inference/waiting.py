"""Notices of how long several evidences will take, from the time of those that are computed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from formulajoint.inference.importance.forecast import LONG
from formulajoint.wording import lasting

log = logging.getLogger("formulajoint")


@dataclass(slots=True)
class Waiting:
    """How many evidences are to be computed, and how many are.

    Attributes
    ----------
    count : int
        All of them.
    what : str
        What they are computed for.
    done : int
    told : bool
        Whether it was said how long they take: once.
    started : float
    """

    count: int
    what: str = "Bayes factors"
    done: int = 0
    told: bool = False
    started: float = field(default_factory=time.perf_counter)

    def one_done(self) -> None:
        """Log how long those that are left will take, if that is long; as a warning, which shows without a log."""
        self.done += 1
        seconds = (time.perf_counter() - self.started) / self.done * (self.count - self.done)
        if seconds >= LONG and not self.told:
            log.warning("%s will take about %s more.", self.what, lasting(seconds))
            self.told = True
