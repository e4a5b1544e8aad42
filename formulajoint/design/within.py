"""Columns within groups: ``center(x, by=school)``, ``standardize(score, by=test)``, and means ``ave(x, school)``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formulajoint.arrays import BoolArray, FloatArray
from formulajoint.design.evaluate_numpy import rows_of
from formulajoint.design.groups import bind_group
from formulajoint.design.recipes import GroupMean, GroupMoments, Recipe, Within
from formulajoint.design.rows import Table
from formulajoint.design.schema import Grouping
from formulajoint.design.values import looks_continuous
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.syntax.nodes import Call, Group
from formulajoint.language.syntax.text import canonical
from formulajoint.wording import listed


def learn_within(call: Call, of: Recipe, by: Group, divided: bool, table: Table) -> Within:
    """Return the recipe of a column less its mean in each group, and with `divided` over its sd there, too.

    Raises
    ------
    FormulaError
        If a column of `by` is continuous.
    DataError
        If the column does not vary in a group, and is to be divided by its sd.
    """
    grouping = _groups(by, table)
    assert grouping.recipe is not None  # freshly bound
    values = rows_of(of, table)
    weights = _weights(table)
    means = _means(values, weights, grouping)
    sds = _sds(values - means[grouping.codes], weights, grouping) if divided else None
    column = canonical(call.args[0])
    learnt = GroupMoments(canonical(call), column, grouping.variables, grouping.labels, means, sds)
    if divided:
        _refuse_constant(call, learnt, _constant(values, grouping), grouping)
    return Within(of, grouping.recipe, learnt)


def learn_means(of: Recipe, by: Group, table: Table) -> GroupMean:
    """Return the recipe of a column's mean in each group.

    Raises
    ------
    FormulaError
        If a column of `by` is continuous.
    """
    grouping = _groups(by, table)
    assert grouping.recipe is not None  # freshly bound
    return GroupMean(grouping.recipe, _means(rows_of(of, table), _weights(table), grouping))


def _weights(table: Table) -> FloatArray:
    return np.ones(table.rows) if table.weights is None else table.weights


def _groups(by: Group, table: Table) -> Grouping:
    for name in by.names:
        labels = table.levels(name.id).labels
        if looks_continuous(table.columns[name.id], labels):
            message = f"`{name.id}` looks continuous: it has {len(labels)} values in {table.rows} rows"
            raise FormulaError(
                message, name.span, "groups are made by a column of labels, such as `by=school`"
            )
    return bind_group(by, table)


def _means(values: FloatArray, weights: FloatArray, grouping: Grouping) -> FloatArray:
    """Return the mean in each group, (G,); the second pass takes away what is lost where values are far from zero."""
    rows = _sums(weights, grouping)
    rough = _sums(weights * values, grouping) / rows
    return rough + _sums(weights * (values - rough[grouping.codes]), grouping) / rows


def _sds(deviations: FloatArray, weights: FloatArray, grouping: Grouping) -> FloatArray:
    """Return the sd (ddof 1) in each group, (G,)."""
    freedom = np.maximum(_sums(weights, grouping) - 1, 1e-300)
    return np.sqrt(_sums(weights * deviations**2, grouping) / freedom)


def _sums(values: FloatArray, grouping: Grouping) -> FloatArray:
    return np.bincount(grouping.codes, values, len(grouping))


def _constant(values: FloatArray, grouping: Grouping) -> BoolArray:
    """Return whether the values of each group are all the same, (G,)."""
    low, high = np.full(len(grouping), np.inf), np.full(len(grouping), -np.inf)
    np.minimum.at(low, grouping.codes, values)
    np.maximum.at(high, grouping.codes, values)
    return np.asarray(low == high)


def _refuse_constant(call: Call, learnt: GroupMoments, constant: BoolArray, grouping: Grouping) -> None:
    """Raise a DataError if a column does not vary in some group, which leaves no sd to divide by."""
    if not constant.any():
        return
    first, *others = [label for label, same in zip(grouping.labels, constant, strict=True) if same]
    place = int(np.argmax(constant))
    rows = int(np.sum(grouping.codes == place))
    why = f"{learnt.column} is {learnt.means[place]:g} in all {rows} rows of {grouping.name} {first}"
    if rows == 1:
        why = f"{grouping.name} {first} has one row"
    more = f" So it is with {listed(others, 5)}." if others else ""
    raise DataError(
        f"`{learnt.text}` divides by the sd within each {grouping.name}, and {why}.{more} "
        f"Leave the rows of such groups out, or write `{canonical(replace(call, name='center'))}`."
    )
