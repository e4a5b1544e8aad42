"""The cells right of ``|``: which group each row belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np

from formulajoint.design.frame import Levels, levels
from formulajoint.design.rows import Table
from formulajoint.design.schema import Grouping, Term
from formulajoint.errors import DataError, FormulaError, listed
from formulajoint.language.ir import Group


def bind_group(group: Group, table: Table) -> Grouping:
    """Return the groups of the rows: the observed combinations of the columns' levels, in their order."""
    names = tuple(name.id for name in group.names)
    parts = [levels(table.columns[name]) for name in names]
    cells = np.column_stack([part.codes for part in parts])
    found, codes = np.unique(cells, axis=0, return_inverse=True)
    labels = tuple(_label(cell, parts, group.separators) for cell in found.tolist())
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        columns = " and ".join(f"`{name}`" for name in names)
        raise DataError(f"Different groups of {columns} have one name: {listed(twice)}. Rename their levels.")
    return Grouping(":".join(names), names, labels, codes.astype(np.int64), group.span)


def _label(cell: Sequence[int], parts: Sequence[Levels], separators: Sequence[str]) -> str:
    texts = [part.labels[code] for part, code in zip(parts, cell, strict=True)]
    return "".join(chain.from_iterable(zip(texts, (*separators, ""), strict=True)))


def refuse_own_group(terms: Sequence[Term], grouping: Grouping, text: str) -> None:
    """Refuse a per-group term of a column that the groups are made of: it is constant within each."""
    for term in terms:
        both = [name for name in term.variables if name in grouping.variables]
        if both:
            message = f"`{both[0]}` makes the groups, so it is constant within each of them"
            raise FormulaError(message, text, term.span, "leave it out: the intercepts differ by group already")
