"""Columns and functions of columns as a person would write them: ``pre (standardised)``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from formulajoint.language.syntax.nodes import Call, Expr, Name
from formulajoint.language.syntax.text import canonical
from formulajoint.spec.counts import counts_of
from formulajoint.spec.names import key_of, walk

ADJECTIVES: Mapping[str, str] = MappingProxyType(
    {"standardize": "standardised", "scale": "standardised", "center": "centred"}
)
"""Functions of one column, as the words that follow the column."""


def in_words(factor: Expr) -> str:
    """Return a factor of a term, or a response, in words.

    Examples
    --------
    >>> from formulajoint.spec.read import parse
    >>> in_words(parse("standardize(score) ~ x").response)
    'score (standardised)'
    """
    match factor:
        case Name():
            return factor.id
        case Call(name=name, args=[column, *_]) if name in ADJECTIVES:
            return f"{in_words(column)} ({ADJECTIVES[name]}{_within(factor)})"
        case Call(name="C" | "factor" | "as.factor", args=[column, *_]):
            return in_words(column)
        case Call(name="I", args=[arithmetic]):
            return canonical(arithmetic)
        case Call(name="prop" | "cbind") if (counts := counts_of(factor)) is not None:
            return in_words(counts.successes)
    return canonical(factor)


def unit_in_words(factor: Expr) -> str:
    """Return the unit of a numeric factor: ``sd of pre``, ``unit of x``."""
    match factor:
        case Call(name="standardize" | "scale", args=[column, *_]):
            return f"sd of {in_words(column)}{_within(factor)}"
        case Call(name="center", args=[column, *_]):
            return f"unit of {in_words(column)}"
    return f"unit of {in_words(factor)}"


def _within(call: Call) -> str:
    """Return the groups within which a function of a column is learnt: `` within school``."""
    groups = call.keyword("by")
    return "" if groups is None else f" within {in_words(groups)}"


def factors_written(predictors: Expr) -> dict[str, Expr]:
    """Return the calls among the factors of a predictor, by their canonical text, the key of a term's part."""
    return {key_of(part): part for part in walk(predictors) if isinstance(part, Call)}
