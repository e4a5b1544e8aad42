"""What a Bayes factor says whatever the scale of the prior, or that the prior decides.

log BF10 of q coefficients moves by about q log 4 between half and double the prior's scale, so that one scale says
little. A wide prior favours the null where effects of its size were never expected: only if no narrower prior favours
an effect do the data speak against one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Literal

from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing

POSITIVE = math.log(3)
"""Least log odds that count (Kass & Raftery, JASA 1995)."""

AROUND = (1.0, 0.5, 2.0)
"""Factors of the prior's scale at which a verdict must hold."""

NARROWER = tuple(2.0**-k for k in range(2, 17))
"""Narrower scales, down to 1e-5, at which no effect may show where the data speak against one."""

AT_ONCE, NEAR_ZERO = 4, 0.1
"""Narrower scales that are computed at once; a log BF10 this near zero twice in a row stays there."""

type Scales = Callable[[Sequence[float]], Sequence[LogIntegral | Missing]]
"""log BF10 with the prior's scale multiplied by each of some factors."""

COSTS = "costs"
"""Code of a reason: it takes long."""

SLOW = Missing(COSTS, "Bayes factors under narrower priors take a while: `fit.test()` has the verdict")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a Bayes factor says.

    Attributes
    ----------
    kind : {"for", "against", "depends"}
        For an effect (or whatever differs from the null), against one, or that it depends on the prior.
    low, high : float
        The smallest and the largest log BF10 among the scales on which the verdict rests.
    """

    kind: Literal["for", "against", "depends"]
    low: float
    high: float


def judged(around: Sequence[LogIntegral | Missing], scales: Scales | None) -> Verdict | Missing:
    """Return the verdict, or the reason there is none.

    Parameters
    ----------
    around : sequence of LogIntegral or Missing
        log BF10 at `AROUND`.
    scales : callable, optional
        For narrower scales; without it a verdict that needs them is missing.
    """
    known = [each for each in around if isinstance(each, LogIntegral)]
    if len(known) < len(around):
        return next(each for each in around if isinstance(each, Missing))
    values = [each.value for each in known]
    if min(values) > POSITIVE:
        return Verdict("for", min(values), max(values))
    if max(values) >= -POSITIVE:
        return Verdict("depends", min(values), max(values))
    if scales is None:
        return SLOW
    narrower = _narrower(scales)
    if isinstance(narrower, Missing):
        return narrower
    if max(narrower) > POSITIVE:
        return Verdict("depends", min(values), max(narrower))
    return Verdict("against", min(values), max(values))


def _narrower(scales: Scales) -> list[float] | Missing:
    """Return log BF10 at narrower scales, until it is settled."""
    found: list[float] = []
    for some in batched(NARROWER, AT_ONCE):
        for each in scales(some):
            if isinstance(each, Missing):
                return each
            found.append(each.value)
        if max(found) > POSITIVE or max(map(abs, found[-2:])) < NEAR_ZERO:
            break
    return found
