"""Comparisons of levels in words: in which order they are taken, and where all else is held."""

from __future__ import annotations

import numpy as np

from formulajoint.compiler.plan import FamilyPlan, Plan
from formulajoint.contrasts.level_families import ORDERED
from formulajoint.design.schema import Factor, Term

MOST_LEVELS, FIRST, LAST = 24, 4, 2
"""So many levels are printed in their order; of more, so many of the first and of the last."""


def order_of(contrast: FamilyPlan) -> str:
    """Return the levels in the order on which the family's meaning depends."""
    if contrast.family not in ORDERED and contrast.order == contrast.levels:
        return ""
    many = len(contrast.order) > MOST_LEVELS
    shown = (*contrast.order[:FIRST], "...", *contrast.order[-LAST:]) if many else contrast.order
    return f", in the order {', '.join(shown)}"


def place_of(plan: Plan, term: Term) -> str:
    """Return where a term has the effect that its coefficients say: beside an interaction, at the zero of all else."""
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
    """Tell whether a factor of an interaction is `column`, as it is or with a coding: ``C(arm, coding=sum)``."""
    return part.strip("`") == column or f"({column}," in part or f"({column})" in part


def _at_zero(factor: Factor) -> str:
    """Return what the zero of a factor's columns is: a level, or the mean of all levels."""
    coding = factor.coding
    if coding is None:
        return f"the columns of {factor.name} are 0"
    reference = np.flatnonzero(~coding.any(axis=1))
    if len(reference):
        return f"{factor.name} is {factor.levels[reference[0]]}"
    if np.allclose(coding.sum(axis=0), 0):
        return f"{factor.name} is averaged over its levels"
    return f"the columns of {factor.name} are 0"
