"""Notes on how the data were read, where a reader might expect another reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from formulajoint.design.evaluate_numpy import cells
from formulajoint.design.frame import Frame
from formulajoint.design.rows import Table
from formulajoint.design.schema import Predictor, Rows
from formulajoint.design.values import is_measured, numbers_as_text, text_advice
from formulajoint.language.syntax.nodes import Call, Expr, Group, Name
from formulajoint.language.vocabulary.core import FACTORS
from formulajoint.spans import Span
from formulajoint.spec.names import key_of, measured_in
from formulajoint.spec.spec import (
    Average,
    ByPrecision,
    ByRows,
    Equal,
    LevelContrast,
    Question,
    Uncertain,
    Weighting,
)
from formulajoint.wording import listed

MANY_LEVELS = 10
"""A text column of numbers with more levels than this gets a note where it is a factor."""

CODES = frozenset({-9.0, -99.0, -999.0, -9999.0, 999.0, 9999.0, 99999.0})
"""Numbers that often stand for a missing value."""

NONE: Mapping[str, tuple[str, ...]] = {}

OUTSIDE = 5.0
"""Such a number gets a note if it is more than this many sds from the mean of the other values."""


def words_beside_columns(questions: Iterable[Question], columns: Collection[str]) -> Iterator[str]:
    """Yield a note for each word of ``weights=``, such as ``n``, that is written and names a column of the data too."""
    written: dict[str, str] = {}
    for question in questions:
        if isinstance(question, Average | LevelContrast) and question.weights.span.end:
            word, meaning = _word(question.weights.value)
            if word in columns:
                written[word] = meaning
    for word, meaning in written.items():
        yield (
            f"weights={word} {meaning}. The data have a column {word}, too: "
            f"write weights=`{word}`, with backticks, to weight by the column."
        )


def _word(weighting: Weighting) -> tuple[str, str]:
    match weighting:
        case Uncertain(counts=counts):
            return _word(counts.value)
        case ByRows():
            return "n", "counts the rows"
        case Equal():
            return "equal", "weights all groups the same"
        case ByPrecision():
            return "precision", "weights by the inverse sampling variance"
    return "", ""


def lost_levels(
    frame: Frame,
    used: Table,
    factors: Iterable[Expr],
    groups: Iterable[Group],
    known: Mapping[str, tuple[str, ...]] = NONE,
) -> Mapping[str, tuple[str, ...]]:
    """Return the levels of factors and groups of which no row is used, by the name of the factor or grouping.

    `known` are levels of which rows are known to be left out, where the frame does not have these.
    """
    names = dict.fromkeys(name.id for factor in factors for name in measured_in(factor))
    wanted: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    wanted = {name: ((name,), ()) for name in names if used.columns[name].kind != "numeric"}
    for group in groups:
        own = tuple(name.id for name in group.names)
        wanted[":".join(own)] = (own, group.separators)
    found = {name: _lost(frame, used, *variables, known.get(name, ())) for name, variables in wanted.items()}
    return {name: labels for name, labels in found.items() if labels}


def _lost(
    frame: Frame, used: Table, variables: Sequence[str], separators: Sequence[str], known: tuple[str, ...]
) -> tuple[str, ...]:
    columns = {name: frame.column(name) for name in variables}
    there = ~np.any([column.missing for column in columns.values()], axis=0)
    every = cells(variables, separators, Table(columns, np.arange(frame.rows)).take(there)).labels
    left = set(cells(variables, separators, used).labels)
    return tuple(label for label in dict.fromkeys((*every, *known)) if label not in left)


def told_lost(rows: Rows) -> Iterator[str]:
    """Yield a note for each factor or grouping that has lost levels."""
    why = "misses a value or has weight zero" if rows.weightless else "misses a value"
    for name, labels in rows.lost.items():
        yield f"{name} has no {listed(labels)}: dropped, as each of its rows {why}."


def numbers_as_levels(factors: Iterable[Expr], table: Table) -> Iterator[str]:
    """Yield a note for each factor that is a text column of numbers, or nearly, and might be meant as numbers."""
    names = dict.fromkeys(factor.id for factor in factors if isinstance(factor, Name))
    for name in names:
        column = table.columns[name]
        labels = table.levels(name).labels if column.kind == "categorical" else ()
        if column.strays:
            yield f"{name} is text, so it is a factor of {len(labels)} levels. {column.strays}"
            continue
        numbers = numbers_as_text(column, labels)
        if len(numbers) > MANY_LEVELS or any(map(is_measured, labels, numbers)):
            yield (
                f"{name} is text, so it is a factor of {len(numbers)} levels. "
                f"{text_advice(labels)} As C({name}) it is a factor without this note."
            )


def ordered_categories(factors: Iterable[Expr], frame: Frame, table: Table) -> Iterator[str]:
    """Yield a note for each ordered category without a coding of its own, which R would code by polynomials."""
    plain = (f.args[0] if isinstance(f, Call) and f.name in FACTORS else f for f in factors)
    for name in dict.fromkeys(factor.id for factor in plain if isinstance(factor, Name)):
        labels = table.levels(name).labels if frame.is_scale(name) else ()
        if len(labels) > 2:
            yield (
                f"{name} is an ordered category, and coded by its levels like any other. "
                f"R's polynomials are C({key_of(Name(name))}, coding=poly)."
            )


def correlated_levels(predictors: Iterable[Predictor], two_bars: Collection[Span]) -> Iterator[str]:
    """Yield a note for each factor of a term ``(x || g)``, at the places `two_bars`: its levels stay correlated."""
    blocks = [block for predictor in predictors for block in predictor.varying]
    for block in blocks:
        for pool in block.pooling:
            if pool.cor and pool.span in two_bars and block.grouping is not None:
                factor = block.grouping.name
                yield (
                    f"`||` separates terms, and `{pool.terms[0]}` is one term: how its columns vary over {factor} is "
                    f"correlated, as in lme4. With hierarchy(over={factor}, cor=false) nothing is."
                )


def codes_of_missing_values(exprs: Iterable[Expr], table: Table) -> Iterator[str]:
    """Yield a note for each value such as -99 that lies far outside the others of its column."""
    names = dict.fromkeys(name.id for expr in exprs for name in measured_in(expr))
    for column in (table.columns[name] for name in names if table.columns[name].kind == "numeric"):
        ends = (float(column.values.min()), float(column.values.max()))
        if not {*ends} & CODES:
            continue
        others = column.values[~np.isin(column.values, list(CODES))]
        if len(others) < 2:
            continue
        for code in codes_outside(ends, others.mean(), others.std(ddof=1)):
            count = int(np.sum(column.values == code))
            yield code_of_missing_values(column.name, code, count, table.rows, others.min(), others.max())


def codes_outside(ends: Iterable[float], mean: float, sd: float) -> list[float]:
    """Return those of the smallest and the largest value that may be codes, being far from the other values."""
    return [code for code in sorted({*ends} & CODES) if abs(code - mean) > OUTSIDE * sd]


def code_of_missing_values(name: str, code: float, count: int, rows: int, low: float, high: float) -> str:
    """Return the note on a value far outside the others, which lie between `low` and `high`."""
    return (
        f"{name} is {code:g} in {count} of {rows} rows, and {low:.4g} to {high:.4g} in the others: if {code:g} stands "
        "for a missing value, leave the cell empty."
    )
