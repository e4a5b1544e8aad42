"""Link functions of the mean: ``link(mean) = sum of columns times coefficients``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A link function, for means above `low` and below `high`."""

    forward: Callable[[float], Any]
    low: float = -np.inf
    high: float = np.inf

    def at(self, mean: float) -> float:
        """Return the link function's value at `mean`."""
        return float(self.forward(mean))


def _itself(mean: float) -> float:
    return mean


LINKS: Mapping[str, Link] = MappingProxyType(
    {
        "identity": Link(_itself),
        "log": Link(np.log, 0),
        "logit": Link(lambda mean: np.log(mean / (1 - mean)), 0, 1),
        "probit": Link(NormalDist().inv_cdf, 0, 1),
        "cloglog": Link(lambda mean: np.log(-np.log1p(-mean)), 0, 1),
        "inverse": Link(lambda mean: 1 / mean, 0),
    }
)
"""Link name -> link function; the inverses are in ``compiler/pymc/likelihood.py``, which loads PyMC."""
