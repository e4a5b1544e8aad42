"""The Bayes factor of one fit against another, with the sentence that says which way it points."""

from __future__ import annotations

import math
from dataclasses import dataclass

from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.bayes_factor.evidence import differing_priors, ratio

MOST = 1e6
"""Bayes factors beyond this are not written out."""


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(LogIntegral):
    """The log Bayes factor of one model against another, and its standard error. Printed, it says which way it points.

    Attributes
    ----------
    value, error : float
        Above zero where the data favour `one`.
    one, other : str
        The formulas.
    priors : str
        The variables of both models whose priors differ, so that they are compared, too; empty if there are not any.
    """

    one: str
    other: str
    priors: str = ""

    def __repr__(self) -> str:
        return self._favoured() + (f" Their priors differ, too: {self.priors}." if self.priors else "")

    def _favoured(self) -> str:
        figures = f"log Bayes factor {self.value:.2f}, standard error {self.error:.2f}"
        if abs(self.value) <= 2 * self.error:
            return f"The data do not favour either model beyond the error of the computation ({figures})."
        better, worse = (self.one, self.other) if self.value > 0 else (self.other, self.one)
        number = "first" if self.value > 0 else "second"
        times = f"they are {self._times()} under `{better}` as under `{worse}`"
        return f"The data favour the {number} model: {times} ({figures})."

    def _times(self) -> str:
        size = abs(self.value)
        if size > math.log(MOST):
            return f"more than {MOST:,.0f} times as probable"
        return f"{math.exp(size):{'.2f' if size < math.log(10) else ',.0f'}} times as probable"


def compared(one: Posterior, other: Posterior) -> Comparison:
    """Return the log Bayes factor of one fit's model against another's of the same data."""
    found, priors = ratio(one, other), differing_priors(one.plan, other.plan)
    formulas = [str(posterior.plan.design.formula) for posterior in (one, other)]
    return Comparison(found.value, found.error, formulas[0], formulas[1], priors)
