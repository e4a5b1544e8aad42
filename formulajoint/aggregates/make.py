"""Entry point of moments: formula, data -> Moments; and formula, data or moments -> Design."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

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
    data = opened(data)
    if not is_eager(data):
        from formulajoint.aggregates.scan import Scanned

        if isinstance(data, Scanned):
            from formulajoint.aggregates.from_lazy import names_of, of_lazy

            asked = read(formula, named_frame(names_of(data.frame)), language, family)
            return of_lazy(data, asked, learnt, family)
    from formulajoint.aggregates.from_rows import of_rows

    return of_rows(read(formula, read_frame(data), language, family), learnt, family)


def design_of(formula: Formula, data: object, language: Language = CORE, family: str | None = None) -> Design:
    """Return the design of `formula` with a data frame, or with moments in place of its rows.

    Of lazy frames and large files the moments are computed where they are.
    """
    data = opened(data)
    if is_eager(data):
        return bind(formula, data, language, family)
    from formulajoint.aggregates.moments import Moments
    from formulajoint.aggregates.scan import Scanned
    from formulajoint.aggregates.to_rows import rows_with

    if isinstance(data, Scanned):
        data = moments_of(formula, data, language, family)
    if not isinstance(data, Moments):
        return bind(formula, data, language, family)

    asked = read(formula, named_frame(data.names, data.notes), language, family)
    table, rows, kept = rows_with(data, asked)
    return bound(asked, table, rows, kept)


def opened(data: object) -> object:
    """Return files as a frame or, if they are large, scanned; a lazy frame scanned, too; other data as they are."""
    if _is_path(data):
        from formulajoint.files.files import files_at

        files = files_at(data)
        if not files.large:
            from formulajoint.files.read import loaded

            return loaded(files)
        from formulajoint.aggregates.scan import scanned

        return scanned(files)
    if is_lazy(data):
        from formulajoint.aggregates.scan import Scanned

        return Scanned(data)
    return data


def in_memory(data: object) -> object:
    """Return the files at a path as a frame; other data as they are."""
    if not _is_path(data):
        return data
    from formulajoint.files.read import read_file

    return read_file(data)


def _is_path(data: object) -> TypeGuard[str | PathLike[str]]:
    return isinstance(data, str | PathLike)


def named_frame(names: tuple[str, ...], notes: Mapping[str, tuple[str, ...]] | None = None) -> Frame:
    """Return a frame that has names and no rows."""
    return Frame(dict.fromkeys(names, np.empty(0)), 0, notes or {})
