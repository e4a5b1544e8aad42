"""Comparisons of levels as text: the order of the levels, and the values of the other columns."""

from __future__ import annotations

import numpy as np

from formulajoint.compiler.contrast_plans import FamilyPlan
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.at_means import AtMeans
from formulajoint.contrasts.cells import factors_of
from formulajoint.design.schema import Factor, PartMeans, Term

MOST_LEVELS, FIRST, LAST = 24, 4, 2
"""Most levels that are printed in their order; of more, this many of the first and of the last."""

MOST_SHARES = 6
"""At most this many levels are printed with their shares."""


def order_of(contrast: FamilyPlan) -> str:
    """Return the levels in the order that matters to the family's meaning; empty if none does."""
    if not contrast.family.ordered and contrast.order == contrast.levels:
        return ""
    many = len(contrast.order) > MOST_LEVELS
    shown = (*contrast.order[:FIRST], "...", *contrast.order[-LAST:]) if many else contrast.order
    return f", in the order {', '.join(shown)}"


def cells_in_words(contrast: FamilyPlan) -> str:
    """Return what a contrast of cells compares: ``the cells of arm:sex``, or ``arm in each sex``."""
    term = contrast.coefficient.term
    others = [name for name in factors_of(term) if name != contrast.over]
    over = contrast.over in factors_of(term)
    return f"{contrast.over} in each {' and '.join(others)}" if over else f"the cells of {term.name}"


def place_of(plan: Plan, term: Term) -> str:
    """Return where a term's coefficients are its effect, beside an interaction: ``, where sex is f, at age = 0``."""
    if not term.parts:  # the intercept
        return ""
    wider = [t for t in plan.design.predictor.terms if set(t.parts) > set(term.parts)]
    own = {factor.name for factor in term.factors}
    factors = {f.name: f for t in wider for f in t.factors if f.name not in own}
    zeros = dict.fromkeys(
        part
        for t in wider
        for part in t.parts
        if part not in term.parts and not any(is_of(part, name) for name in factors)
    )
    means = {part: m for t in wider for part, m in zip(t.parts, t.part_means, strict=False)}
    switches = {part: means[part].levels[0] for part in zeros if part in means and means[part].levels}
    levels = [_at_zero(factor) for factor in factors.values()]
    levels += [f"{part} is {level}" for part, level in switches.items()]
    numbers = [f"{part} = 0" for part in zeros if part not in switches]
    where = f", where {' and '.join(levels)}" if levels else ""
    return where + (f", at {' and '.join(numbers)}" if numbers else "")


def at_means(at: AtMeans) -> str:
    """Return where an effect is at the means of other columns: ``, at the mean of sex (f 0.48, m 0.52)``."""
    each = [f"{part} ({_mean(means)})" for part, means in at.means.items()]
    return f", at the {'mean' if len(each) == 1 else 'means'} of {' and '.join(each)}" if each else ""


def _mean(means: PartMeans) -> str:
    if not means.levels:
        return ", ".join(f"{mean:.4g}" for mean in means.shares)
    if len(means.levels) > MOST_SHARES:
        return f"its {len(means.levels)} levels by their shares"
    return ", ".join(f"{level} {share:.2g}" for level, share in zip(means.levels, means.shares, strict=True))


def is_of(part: str, column: str) -> bool:
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
