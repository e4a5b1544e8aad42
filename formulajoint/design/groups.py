"""The groups right of ``|``, and the group of each row."""

from __future__ import annotations

from collections.abc import Sequence

from formulajoint.design.evaluate_numpy import cells
from formulajoint.design.recipes import Cells
from formulajoint.design.rows import Table
from formulajoint.design.schema import Grouping, Term
from formulajoint.design.values import refuse_alike, refuse_continuous
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Group


def bind_group(group: Group, table: Table) -> Grouping:
    """Return the grouping of the rows: the observed combinations of the columns' levels, in order."""
    names = tuple(name.id for name in group.names)
    for name in names:
        refuse_continuous(table.columns[name], table.levels(name).labels)
    found = cells(names, group.separators, table)
    refuse_alike("groups", names, found.labels)
    recipe = Cells(names, group.separators, found.labels)
    return Grouping(":".join(names), names, found.labels, found.codes, found.order, group.span, recipe)


def refuse_own_group(terms: Sequence[Term], grouping: Grouping) -> None:
    """Raise a FormulaError for a per-group term of a column that makes the groups: it is constant within each."""
    for term in terms:
        both = [name for name in term.variables if name in grouping.variables]
        if both:
            message = f"`{both[0]}` makes the groups, so it is constant within each of them"
            raise FormulaError(message, term.span, "leave it out: the intercepts differ by group already")
