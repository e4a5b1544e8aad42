"""Effects on a log scale as factors: odds ratios, rate ratios."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from formulajoint.compiler.contrast_plans import ArithmeticPlan, AveragePlan, ContrastPlan, FamilyPlan
from formulajoint.compiler.plan import Plan
from formulajoint.design.schema import Term
from formulajoint.language.syntax.nodes import Chain, Number
from formulajoint.results.draws.tables import Estimates

ENDS: Mapping[str, str] = {"mean": "", "hdi_low": "_low", "hdi_high": "_high"}
"""Columns of a table whose exponentials are shown, with the ends of their names."""


def effects_with_ratio(plan: Plan) -> frozenset[str]:
    """Return the names of slopes and contrasts whose exponential is a ratio, as `family.ratio` names it."""
    if not plan.family.ratio:
        return frozenset()
    slopes = [c for c in plan.mean.coefficients if c.term.parts]
    pooled = [plan.mean.pooled[c.name].mean_name for c in slopes if c.name in plan.mean.pooled]
    return frozenset(
        [c.name for c in slopes] + pooled + [c.name for c in plan.contrasts if _is_effect(plan, c)]
    )


def _is_effect(plan: Plan, contrast: ContrastPlan) -> bool:
    """Return whether a contrast is an average of effects as estimated, or compares levels, and not effects."""
    if contrast.response:
        return False
    match contrast:
        case AveragePlan():
            return (
                contrast.function.signed
                and contrast.scale == "none"
                and bool(contrast.coefficient.term.parts)
            )
        case FamilyPlan(coefficient=coefficient, over=over):
            return not coefficient.term.parts or [factor.name for factor in coefficient.term.factors] == [
                over
            ]
        case ArithmeticPlan(expr=Chain(operators=("-",), operands=operands), cells=cells):
            of_levels = {c.name for c in plan.mean.coefficients if c.grouping is None and _is_factor(c.term)}
            read = {own.variable for own in cells.values()}
            plain = all(part in cells or part == Number("0", part.span) for part in operands)
            return plain and len(read) == 1 and read <= of_levels
    return False


def _is_factor(term: Term) -> bool:
    return len(term.parts) == len(term.factors) == 1


def with_ratios(plan: Plan, found: Estimates, table: pd.DataFrame) -> pd.DataFrame:
    """Return `table`, the figures of `found`, with columns such as ``odds_ratio``, ``odds_ratio_low`` and its high.

    Where no effect has such a ratio, there are no such columns.
    """
    known = effects_with_ratio(plan)
    own = np.array([effect.variable in known for effect in found.effects], dtype=bool)
    if not own.any():
        return table
    out, name = table.copy(), plan.family.ratio.replace(" ", "_")
    with np.errstate(over="ignore"):
        for column, end in ENDS.items():
            out[f"{name}{end}"] = np.exp(table[column]).where(own)
    return out
