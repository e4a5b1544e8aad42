"""Thresholds between ordered categories: they stand for the intercept, and have its groups.

Where the groups' intercepts are pooled, the thresholds are those of all groups, and an intercept is by how much a group
lies above or below them.
"""

from __future__ import annotations

from dataclasses import replace

from formulajoint.design.level_lookup import written
from formulajoint.design.rows import Table
from formulajoint.design.schema import Block, Predictor, Response, Term
from formulajoint.errors import FormulaError
from formulajoint.families.likelihood import Parameter
from formulajoint.spec.names import INTERCEPT


def with_thresholds(predictors: tuple[Predictor, ...], threshold: Parameter) -> tuple[Predictor, ...]:
    """Return the predictors without the intercept of the mean, and with that of the thresholds if they are by group.

    Raises
    ------
    FormulaError
        If there is no intercept that the thresholds could stand for, or they have other predictors than groups.
    """
    main, *others = predictors
    intercept = next((term for term in main.terms if term.name == INTERCEPT), None)
    if intercept is None:
        message = "the thresholds between categories stand for the intercept, which is left out"
        raise FormulaError(
            message, main.span, "leave out `0 +`; write `0 + common(1)` for the same in all groups"
        )
    own = next((each for each in others if each.parameter == threshold.name), None)
    if own is not None:
        _check_own(own)
    bar = main.blocks[0]
    if any(INTERCEPT in pool.terms for pool in bar.pooling):
        return predictors
    if own is None and intercept in main.per_group:
        block = Block((intercept,), main.grouping)
        others.append(Predictor(threshold.name, (block,), span=main.span))
    blocks = tuple(replace(block, terms=_without(block.terms)) for block in main.blocks)
    kept = tuple(block for block in blocks if block.terms or block is blocks[0])
    return (replace(main, blocks=kept), *others)


def _without(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return tuple(term for term in terms if term.name != INTERCEPT)


def _check_own(own: Predictor) -> None:
    """Raise a FormulaError unless thresholds are the same in all rows, or by group and not pooled."""
    name = own.parameter
    if own.offset is not None or own.varying or [term.name for term in own.terms] != [INTERCEPT]:
        message = f"`{name}` can differ by group, but has no other predictors"
        raise FormulaError(message, own.span, f"write `{name} ~ 1 | school`")
    if own.hierarchies:
        hint = f"leave `{name}` out of it: a pooled intercept moves all thresholds of a group"
        raise FormulaError("thresholds cannot be pooled", own.hierarchies[0].span, hint)


SORTED = "as text is sorted"
"""Stands in the note on an order of categories that nothing states."""


def order_of_text(response: Response, table: Table) -> str:
    """Return a note where the order of the categories is that in which text is sorted; else an empty text."""
    column = table.columns[response.variable]
    if column.kind != "categorical" or column.ordered or response.levels != tuple(sorted(response.levels)):
        return ""
    return (
        f"The categories of {response.name} are in the order {' < '.join(response.levels)}, {SORTED}. For "
        f"another order write `family(cumulative, levels=[{', '.join(map(written, response.levels))}])` with the "
        f"levels from low to high, or make {response.name} an ordered category."
    )
