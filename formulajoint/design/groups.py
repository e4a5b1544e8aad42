"""The groups right of ``|``, and the group of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from formulajoint.design.frame import Levels, levels
from formulajoint.design.rows import Table
from formulajoint.design.schema import Grouping, Term
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.syntax.nodes import Group
from formulajoint.wording import listed


def bind_group(group: Group, table: Table) -> Grouping:
    """Return the grouping of the rows: the observed combinations of the columns' levels, in order."""
    names = tuple(name.id for name in group.names)
    cells, *others = [levels(table.columns[name]) for name in names]
    for separator, inner in zip(group.separators, others, strict=True):
        cells = _joined(cells, separator, inner)
    twice = [label for label, count in Counter(cells.labels).items() if count > 1]
    if twice:
        columns = " and ".join(f"`{name}`" for name in names)
        raise DataError(f"Different groups of {columns} have one name: {listed(twice)}. Rename their levels.")
    return Grouping(":".join(names), names, cells.labels, cells.codes, cells.order, group.span)


def _joined(outer: Levels, separator: str, inner: Levels) -> Levels:
    """Return the observed combinations of two sets of levels, sorted by the outer level, then the inner."""
    width = len(inner.labels)
    found, codes = np.unique(outer.codes * width + inner.codes, return_inverse=True)
    pairs = np.divmod(found, width)
    labels = tuple(f"{outer.labels[i]}{separator}{inner.labels[j]}" for i, j in zip(*pairs, strict=True))
    ranks = [np.argsort(of.order)[places] for of, places in zip((outer, inner), pairs, strict=True)]
    return Levels(labels, codes, tuple(np.lexsort(ranks[::-1]).tolist()))


def refuse_own_group(terms: Sequence[Term], grouping: Grouping) -> None:
    """Raise a FormulaError for a per-group term of a column that makes the groups: it is constant within each."""
    for term in terms:
        both = [name for name in term.variables if name in grouping.variables]
        if both:
            message = f"`{both[0]}` makes the groups, so it is constant within each of them"
            raise FormulaError(message, term.span, "leave it out: the intercepts differ by group already")
