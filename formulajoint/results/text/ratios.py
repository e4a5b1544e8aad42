"""Odds ratios, rate ratios and the like beside effects on a log scale, in words and in tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from formulajoint.compiler.plan import Plan
from formulajoint.distributions.links import IDENTITY
from formulajoint.results.draws.posterior import Effect
from formulajoint.results.draws.ratios import ENDS, effects_with_ratio
from formulajoint.results.text.units import mean_in_words, scale_in_words

LARGEST = 300.0
"""The exponential of more is shown as infinite."""


def ratio_titles(plan: Plan, effects: Iterable[Effect]) -> tuple[str, ...]:
    """Return the title of the column of ratios in a table of effects, none if no effect has such a ratio."""
    known = effects_with_ratio(plan)
    return (plan.family.ratio,) if any(effect.variable in known for effect in effects) else ()


def ratio_texts(plan: Plan, titles: Sequence[str], effect: Effect, row: pd.Series) -> tuple[str, ...]:
    """Return what an effect has below each of `ratio_titles`, ``1.8 (1.1, 2.9)``; blank for what is no effect."""
    text = ratio_text(row) if titles and effect.variable in effects_with_ratio(plan) else ""
    return tuple(text for _ in titles)


def ratio_text(row: pd.Series) -> str:
    """Return the exponential of an effect with that of its interval."""
    middle, low, high = (_factor(row[column]) for column in ENDS)
    return f"{middle} ({low}, {high})" if middle else ""


def _factor(value: float) -> str:
    if math.isnan(value):
        return ""
    if value > LARGEST:
        return "inf"
    factor = math.exp(value)
    return f"{factor:,.0f}" if factor > 1000 else f"{factor:#.3g}".rstrip(".")


def scale_lines(plan: Plan) -> list[str]:
    """Return the line that says on which scale coefficients are; none under the identity link of all responses."""
    family = plan.family
    if plan.mean.link is IDENTITY and not family.part:
        return []
    factor = f"; exp() of an effect is {_article(family.ratio)}" if family.ratio else ""
    means = f"; comparisons() has effects on {mean_in_words(plan)}, zeros included" if family.part else ""
    return [f"coefficients: {scale_in_words(plan)}{factor}{means}"]


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
