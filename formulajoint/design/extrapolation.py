"""Rows beyond the data that a spline was learnt from, where its curve is a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from formulajoint.design.bases import BSplines, NaturalSplines
from formulajoint.design.evaluate_numpy import values_of
from formulajoint.design.recipes import Basis, columns_read
from formulajoint.design.rows import Table
from formulajoint.design.schema import Term
from formulajoint.errors import warn
from formulajoint.wording import listed

NEAR = 1e-3
"""Share of the range of a spline's column by which a row may lie beyond it."""


def warn_of_extrapolation(terms: Iterable[Term], tables: Sequence[Table]) -> None:
    """Warn of rows beyond the data of a spline, once for each spline; of several tables the one with most counts."""
    for spline, curve in _splines(terms).values():
        low, high = curve.knots[0], curve.knots[-1]
        room = NEAR * (high - low)
        values = [values_of(spline.of, table) for table in tables]
        counts = [int(np.sum((x < low - room) | (x > high + room))) for x in values]
        if most := max(counts, default=0):
            columns = listed(dict.fromkeys(columns_read(spline.of)))
            warn(
                f"{most} of {len(values[counts.index(most)])} rows lie beyond the data of `{spline.text}`, where its "
                f"argument goes from {low:.4g} to {high:.4g}: there the curve of {columns} is extrapolated."
            )


def _splines(terms: Iterable[Term]) -> dict[str, tuple[Basis, BSplines | NaturalSplines]]:
    """Return the splines of some terms, each with its curve, by their text."""
    pieces = (piece for term in terms if term.recipe is not None for piece in term.recipe.pieces)
    bases = (part for piece in pieces for part in piece if isinstance(part, Basis))
    return {
        part.text: (part, part.curve) for part in bases if isinstance(part.curve, BSplines | NaturalSplines)
    }
