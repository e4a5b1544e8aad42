"""Comparisons of levels as text: the order of the levels, and the values of the other columns."""

from __future__ import annotations

import numpy as np

from formulajoint.compiler.plan import FamilyPlan, Plan
from formulajoint.design.schema import Factor, Term

MOST_LEVELS, FIRST, LAST = 24, 4, 2
"""Most levels that are printed in their order; of more, this many of the first and of the last."""


def order_of(contrast: FamilyPlan) -> str:
    """Return the levels in the order that matters to the family's meaning; empty if none does."""
    if not contrast.family.ordered and contrast.order == contrast.levels:
        return ""
    many = len(contrast.order) > MOST_LEVELS
    shown = (*contrast.order[:FIRST], "...", *contrast.order[-LAST:]) if many else contrast.order
    return f", in the order {', '.join(shown)}"


def place_of(plan: Plan, term: Term) -> str:
    """Return where a term's coefficients are its effect: with an interaction, where all else is zero."""
    if not term.parts:  # the intercept
        return ""
    wider = [t for t in plan.design.predictor.terms if set(t.parts) > set(term.parts)]
    own = {factor.name for factor in term.factors}
    factors = {f.name: f for t in wider for f in t.factors if f.name not in own}
    zeros = dict.fromkeys(
        part
        for t in wider
        for part in t.parts
        if part not in term.parts and not any(_is_of(part, name) for name in factors)
    )
    places = [*map(_at_zero, factors.values()), *(f"{part} is 0" for part in zeros)]
    return f", where {' and '.join(places)}" if places else ""


def _is_of(part: str, column: str) -> bool:
    """Return whether a factor of an interaction is `column`, plain or with a coding: ``C(arm, coding=sum)``."""
    return part.strip("`") == column or f"({column}," in part or f"({column})" in part


def _at_zero(factor: Factor) -> str:
    """Return the meaning of zero in a factor's columns: a level, or the mean of all levels."""
    coding = factor.coding
    if coding is None:
        return f"the columns of {factor.name} are 0"
    reference = np.flatnonzero(~coding.any(axis=1))
    if len(reference):
        return f"{factor.name} is {factor.levels[reference[0]]}"
    if np.allclose(coding.sum(axis=0), 0):
        return f"{factor.name} is averaged over its levels"
    return f"the columns of {factor.name} are 0"
