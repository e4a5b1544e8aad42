"""Where the density of a response vanishes, as its linear predictor falls or rises without end.

Coefficients with flat priors have a posterior if no direction of them lets all densities stay above zero
(``compiler/planning/bounded.py``). A density must fall at least exponentially where it vanishes, or be that of a
location.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.distributions.links import CLOGLOG, IDENTITY, LOG, LOGIT, PROBIT, Link


class Vanishing(NamedTuple):
    """Whether the density of each row vanishes as its linear predictor falls, and as it rises; each (N,)."""

    falling: NDArray[np.bool_]
    rising: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """Where the densities of a family vanish.

    Attributes
    ----------
    vanishing : callable
        ``(y, n)``: of rows with responses y in n trials.
    links : tuple of Link
        Links of the mean with which this holds: any linear predictor is possible.
    rate : str
        Name of the positive parameter in proportion to which densities fall; empty where that does not depend on one.
    counts : bool
        Whether responses are counts, of which zero is certain at a rate of 0.
    """

    vanishing: Callable[[FloatArray, FloatArray], Vanishing]
    links: tuple[Link, ...]
    rate: str = ""
    counts: bool = False


def _both(y: FloatArray, n: FloatArray) -> Vanishing:
    return Vanishing(np.ones(len(y), dtype=bool), np.ones(len(y), dtype=bool))


OF_LOCATIONS = Tails(_both, (IDENTITY,))
OF_SIZES = Tails(_both, (LOG,))
"""Of amounts and times."""

OF_SHARES = Tails(_both, (LOGIT, PROBIT, CLOGLOG))
OF_SUCCESSES = Tails(lambda y, n: Vanishing(y > 0, y < n), (LOGIT, PROBIT, CLOGLOG))
"""No success is certain at a chance of 0, nothing but successes at a chance of 1."""

OF_COUNTS = Tails(lambda y, n: Vanishing(y > 0, y >= 0), (LOG,), counts=True)
"""A count of zero is certain at a rate of 0."""

OF_DISPERSED_COUNTS = replace(OF_COUNTS, rate="shape")


def of_levels(links: tuple[Link, ...]) -> Tails:
    """Return the tails of ordered categories, of which the lowest and the highest may be certain."""
    return Tails(lambda y, n: Vanishing(y > 0, y < np.max(y)), links)


def with_zeros(base: Tails, above_zero: bool) -> Tails:
    """Return the tails of a family with more zeros than `base`, which can occur whatever the mean is.

    Parameters
    ----------
    base : Tails
    above_zero : bool
        Whether other responses are counts given that they are above zero: a count of 1 is then certain at a rate of 0.
    """

    def vanishing(y: FloatArray, n: FloatArray) -> Vanishing:
        falling, rising = base.vanishing(y, n)
        return Vanishing(falling & (y > above_zero), rising & (y > 0))

    return replace(base, vanishing=vanishing)
