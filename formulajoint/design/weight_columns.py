"""Columns that weight the groups in contrasts: those of the formula, and those read after the fit."""

from __future__ import annotations

from dataclasses import dataclass

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.columns import Column
from formulajoint.design.frame import Frame
from formulajoint.design.names import require_known
from formulajoint.design.values import check_finite, numbers
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.syntax.nodes import Name
from formulajoint.language.vocabulary.language import Language
from formulajoint.spec.weights import WORDS


@dataclass(frozen=True, slots=True, eq=False)
class KeptFrame:
    """The data frame of a fit, and the positions of the rows used, for contrasts added after the fit."""

    frame: Frame
    places: IntArray

    def weights(self, name: Name, language: Language) -> FloatArray:
        """Return the values of a column in the rows of the fit, (N,); `language` serves hints."""
        require_known(name, self.frame, language, WORDS)
        column = self.frame.column(name.id).take(self.places)
        missing = int(column.missing.sum())
        if missing:
            raise DataError(
                f"Column `{name.id}` misses {missing} of the {len(self.places)} rows of this fit. "
                "Put the contrast into the formula and fit again: those rows are then left out."
            )
        check_finite(column)
        return weight_values(column, name)


def weight_values(column: Column, name: Name) -> FloatArray:
    """Return the values of a column that weights groups, or raise a FormulaError if it does not hold numbers."""
    if column.kind == "categorical":
        message = f"weights are numbers, but column `{name.id}` holds text or categories"
        raise FormulaError(message, name.span)
    return numbers(column)
