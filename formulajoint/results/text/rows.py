"""The line about the data: rows used and left out, categories of the response, groups with their rows."""

from __future__ import annotations

import math

import numpy as np

from formulajoint.compiler.plan import Plan
from formulajoint.data.rows import frequencies
from formulajoint.design.schema import Grouping, Rows
from formulajoint.language.syntax.text import canonical
from formulajoint.results.text.within import MOST_GROUPS
from formulajoint.wording import span


def data_lines(plan: Plan) -> list[str]:
    """Return the line about the data."""
    return [f"data: {data_text(plan)}"]


def data_text(plan: Plan) -> str:
    """Return what the data are: rows used and left out, and the groups with their rows."""
    rows, grouping = plan.design.rows, plan.design.predictor.grouping
    line = f"{rows.read} of {rows.total} rows ({_left_out(rows)})" if rows.dropped else _rows(rows.read)
    line += _categories(plan)
    if plan.design.row_weights is not None and not math.isclose(plan.design.row_weights.sum(), rows.counted):
        line += f", counted as {plan.design.row_weights.sum():g} by their weights"
    varying = (block.grouping for block in plan.design.predictor.varying)
    for groups in (grouping, *varying):
        if groups is not None:
            line += f"; {len(groups)} {'group' if len(groups) == 1 else 'groups'} of {groups.name}"
            line += f" ({_group_sizes(plan, groups)})"
    if plan.design.standard_errors is not None:
        line += f"; residual sds known: {known_sds(plan)}, {span(plan.design.standard_errors)}"
    return line


def _categories(plan: Plan) -> str:
    """Return the categories of the response with their rows: ``; rating: low (12) < mid (30) < high (9)``."""
    if not plan.family.categories:
        return ""
    response = plan.design.response
    rows = frequencies(plan.design) if plan.design.rows.counted else None
    counts = np.bincount(response.values.astype(np.int64), rows).astype(np.int64)
    each = (f"{_apart(label)} ({count})" for label, count in zip(response.levels, counts, strict=True))
    return f"; {response.name}: {(' < ' if plan.family.thresholds else ', ').join(each)}"


def known_sds(plan: Plan) -> str:
    """Return the column of the known standard errors as formulas write it, or an empty text."""
    column = plan.design.spec.rows.standard_errors
    return "" if column is None else canonical(column.value)


def _rows(count: int) -> str:
    return f"{count} {'row' if count == 1 else 'rows'}"


def _left_out(rows: Rows) -> str:
    """Return the reasons why rows are not used: ``2 miss a value: age in 1, dose in 2``."""
    missing = rows.dropped - rows.weightless
    cells = ", ".join(f"{name} in {count}" for name, count in rows.missing.items())
    reasons = [f"{missing} {'misses' if missing == 1 else 'miss'} a value: {cells}"] if missing else []
    reasons += [f"{rows.weightless} of weight zero"] if rows.weightless else []
    return "; ".join(reasons)


def _group_sizes(plan: Plan, grouping: Grouping) -> str:
    sizes = plan.data.rows_of(grouping)
    if len(grouping) > MOST_GROUPS:
        return f"{span(sizes)} {'row' if span(sizes) == '1' else 'rows'} each"
    return ", ".join(f"{_apart(label)} {size:g}" for label, size in zip(grouping.labels, sizes, strict=True))


def _apart(label: str) -> str:
    """Return a label, in quotes if its blanks would not be seen in a list."""
    return label if label == " ".join(label.split()) else f'"{label}"'
