"""Notes on how the data were read, where a reader might expect another reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from formulajoint.design.rows import Table
from formulajoint.design.values import is_measured, numbers_as_text, text_advice
from formulajoint.language.syntax.nodes import Expr, Name
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

MANY_LEVELS = 10
"""A text column of numbers with more levels than this gets a note where it is a factor."""


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


def numbers_as_levels(factors: Iterable[Expr], table: Table) -> Iterator[str]:
    """Yield a note for each factor that is a text column of numbers, and might have been meant as numbers."""
    names = dict.fromkeys(factor.id for factor in factors if isinstance(factor, Name))
    for name in names:
        column = table.columns[name]
        labels = table.levels(name).labels if column.kind == "categorical" else ()
        numbers = numbers_as_text(column, labels)
        if len(numbers) > MANY_LEVELS or any(map(is_measured, labels, numbers)):
            yield (
                f"{name} is text, so it is a factor of {len(numbers)} levels. "
                f"{text_advice(labels)} As C({name}) it is a factor without this note."
            )
