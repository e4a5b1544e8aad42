"""Entry point of moments: formula, data -> Moments; and formula, data or moments -> Design."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from formulajoint.aggregates.scan import scanned
from formulajoint.design.bind import bind, bound, read
from formulajoint.design.frame import Frame, is_eager, is_lazy, read_frame
from formulajoint.design.schema import Design
from formulajoint.language.formula import Formula
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Language

if TYPE_CHECKING:
    from formulajoint.aggregates.moments import Moments


def moments_of(
    formula: Formula,
    data: object,
    language: Language = CORE,
    family: str | None = None,
    like: Moments | None = None,
) -> Moments:
    """Return the moments of the rows of `data` that `formula` needs; see `fj.moments`."""
    learnt = {} if like is None else like.learnt
    data = scanned(data)
    if is_lazy(data):
        from formulajoint.aggregates.from_lazy import names_of, of_lazy

        asked = read(formula, named_frame(names_of(data)), language, family)
        return of_lazy(data, asked, learnt, family)
    from formulajoint.aggregates.from_rows import of_rows

    return of_rows(read(formula, read_frame(data), language, family), learnt, family)


def design_of(formula: Formula, data: object, language: Language = CORE, family: str | None = None) -> Design:
    """Return the design of `formula` with a data frame, or with moments in place of its rows.

    Of lazy frames and files the moments are computed where they are.
    """
    data = scanned(data)
    if is_eager(data):
        return bind(formula, data, language, family)
    if is_lazy(data):
        data = moments_of(formula, data, language, family)
    from formulajoint.aggregates.moments import Moments
    from formulajoint.aggregates.to_rows import rows_with

    if not isinstance(data, Moments):
        return bind(formula, data, language, family)

    asked = read(formula, named_frame(data.names), language, family)
    table, rows, kept = rows_with(data, asked)
    return bound(asked, table, rows, kept)


def named_frame(names: tuple[str, ...]) -> Frame:
    """Return a frame that has names and no rows."""
    return Frame(dict.fromkeys(names, np.empty(0)), 0)
