"""Means, comparisons and slopes on the scale of the response, averaged within each draw and then summarised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.evaluate.averages import Scenarios, cell_means, is_linear
from formulajoint.compiler.evaluate.column_values import pooled_groupings, table_of
from formulajoint.compiler.evaluate.linear_predictor import linear_at, reading
from formulajoint.compiler.plan import Plan
from formulajoint.design.evaluate_numpy import GroupsAt
from formulajoint.design.extrapolation import warn_of_extrapolation
from formulajoint.design.model_rows import ModelRows, Reading
from formulajoint.design.rows import Table
from formulajoint.distributions.link_functions import SPECIAL
from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.evaluate import Evaluation, refuse_several
from formulajoint.results.predictions.group_draws import NewGroups, drawn_values, refuse_unpooled
from formulajoint.results.predictions.group_weights import GroupWeights, group_weights
from formulajoint.results.predictions.replicate import probabilities_at
from formulajoint.results.predictions.scenarios import (
    cells_by,
    holding,
    repeated,
    values_asked,
)
from formulajoint.wording import listed

type Quantity = Callable[[Evaluation, Sequence[ModelRows]], tuple[FloatArray, ...]]
"""From rows in one or several scenarios to what is averaged, each (N, S)."""

type Groups = Literal["conditional", "new", "mean"]
"""Of which groups effects are: those of the data, a new one, or one at the mean of the hierarchy."""

DRAWN: Mapping[Groups, NewGroups] = {"conditional": "error", "new": "draw", "mean": "mean"}
"""What is done about groups that the fit has not seen."""

type On = Literal["mean", "linear"]
"""The scale of effects: the mean of the response, or the linear predictor."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Over what is averaged.

    Attributes
    ----------
    data : data frame or None
        The rows; None for those of the fit.
    by : tuple of str
        Columns in whose cells is averaged.
    at : mapping of str to value or list
        Columns that are set to values, all rows to each of them.
    weights : str
        As in formulas, ``n`` for the rows.
    over : str or None
        The factor whose groups are weighted.
    groups : {"conditional", "new", "mean"}
    kind : {"mean", "linear"}
    seed : int or None
    """

    data: object = None
    by: tuple[str, ...] = ()
    at: Mapping[str, Any] = field(default_factory=dict)
    weights: str = "n"
    over: str | None = None
    groups: Groups = "conditional"
    kind: On = "mean"
    seed: int | None = 0


@dataclass(frozen=True, slots=True, eq=False)
class Averaged:
    """Averages by cell.

    Attributes
    ----------
    by : tuple of str
    cells : list of tuple of str
        The levels of each cell.
    draws : tuple of (C, S) arrays
        What was averaged, each.
    rows : (C,) int array
        Number of rows in each cell.
    groups : str
        Of which groups it is, in words; empty for a model without groups.
    """

    by: tuple[str, ...]
    cells: list[tuple[str, ...]]
    draws: tuple[FloatArray, ...]
    rows: IntArray
    groups: str


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """The rows that are averaged over, and what is read of them.

    `known` is the plan that says what columns are: where the fit does not hold its rows, by the rows given.
    """

    posterior: Posterior
    asked: Asked
    wanted: Reading
    known: Plan
    table: Table
    by: tuple[str, ...]

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.posterior.plan


def setting(posterior: Posterior, asked: Asked) -> Setting:
    """Return the rows that effects are averaged over.

    Raises
    ------
    InferenceError
        If an argument is not one of those known.
    DataError
        If a column or its level is not known.
    """
    for name, value, known in (
        ("groups", asked.groups, get_args(Groups.__value__)),
        ("kind", asked.kind, get_args(On.__value__)),
    ):
        if value not in known:
            raise InferenceError(f"`{name}` must be one of {listed(known)}, not {value!r}.")
    plan = posterior.plan
    if asked.kind == "linear":
        refuse_several(plan)
    wanted = reading(plan, response=False)
    held = holding(plan, asked.data) if plan.design.kept is None else plan
    values = {name: values_asked(held, name, value) for name, value in asked.at.items()}
    by = tuple(dict.fromkeys([*asked.by, *values]))
    names = (*wanted.columns, *asked.by, *values)
    table = repeated(table_of(plan.design, names, asked.data), values)
    return Setting(posterior, asked, wanted, held, table, by)


def averaged(
    of: Setting, tables: Sequence[Table | ModelRows], quantity: Quantity, variable: str = ""
) -> Averaged:
    """Return the averages of quantities of one or several scenarios.

    Parameters
    ----------
    of : Setting
    tables : sequence of Table or ModelRows
        The rows in each scenario.
    quantity : callable
    variable : str
        Whose effect it is, for precision weights.
    """
    plan, asked = of.plan, of.asked
    rng = np.random.default_rng(asked.seed)
    if asked.data is not None or asked.at or variable:
        warn_of_extrapolation(of.wanted.terms, [each for each in tables if isinstance(each, Table)])
    rows = (each if isinstance(each, ModelRows) else of.wanted.of_table(each) for each in tables)
    scenarios = tuple(_elsewhere(of, each) for each in rows)
    values = drawn_values(of.posterior, scenarios[0], DRAWN[asked.groups], rng)
    chains, draws = of.posterior.named.shape
    found = Evaluation(of.posterior, scenarios[0], values, chains * draws)
    labels, cells = cells_by(of.table, of.by)
    weights = np.ones(of.table.rows) if of.table.weights is None else of.table.weights
    linear = asked.kind == "linear" or is_linear(plan)
    count = np.bincount(cells, minlength=len(labels))
    if asked.weights == "n":
        made = cell_means(
            Scenarios(scenarios, cells, weights), len(labels), partial(quantity, found), found.draws, linear
        )
    else:
        own = group_weights(of.posterior, asked.weights, asked.over, variable, rng)
        made = _over_groups(
            found, Scenarios(scenarios, cells, weights), len(labels), quantity, linear, own, of
        )
    found_of = Averaged(of.by, labels, made, count, _in_words(of))
    return _by_category(found_of, plan) if plan.family.categories and asked.kind == "mean" else found_of


def _by_category(found: Averaged, plan: Plan) -> Averaged:
    """Return averages with a cell for each category of the response, which have one after another in each scenario."""
    levels = plan.design.response.levels
    cells = [(*cell, level) for level in levels for cell in found.cells]
    starts = range(0, len(found.draws), len(levels))
    draws = tuple(np.concatenate(found.draws[start : start + len(levels)]) for start in starts)
    return Averaged((*found.by, "category"), cells, draws, np.tile(found.rows, len(levels)), found.groups)


def _over_groups(
    found: Evaluation,
    rows: Scenarios,
    count: int,
    quantity: Quantity,
    linear: bool,
    weights: GroupWeights,
    of: Setting,
) -> tuple[FloatArray, ...]:
    """Return the weighted means over groups of the means in each group."""
    codes = of.wanted.of_table(of.table).groups[weights.grouping].codes
    if of.asked.groups != "conditional" or codes.max() >= len(weights.grouping):
        raise InferenceError(
            "Weights of groups are for the groups of the data: leave `weights=` or `groups=` out."
        )
    pairs, of_row = np.unique(np.stack([rows.cells, codes], axis=1), axis=0, return_inverse=True)
    by_pair = Scenarios(rows.each, of_row.reshape(-1), rows.weights)
    each = cell_means(by_pair, len(pairs), partial(quantity, found), found.draws, linear)
    own = weights.values[pairs[:, 1]]
    total = np.stack([own[pairs[:, 0] == cell].sum(axis=0) for cell in range(count)])
    if not np.all(total > 0):
        raise InferenceError(f"The weights `{of.asked.weights}` are zero in all groups of a cell.")
    out = []
    for values in each:
        sums = np.zeros((count, found.draws))
        np.add.at(sums, pairs[:, 0], values * own)
        out.append(sums / total)
    return tuple(out)


def _elsewhere(of: Setting, rows: ModelRows) -> ModelRows:
    """Return the rows as those of one new group, or of one at the mean of the hierarchy, if that is asked."""
    if of.asked.groups == "conditional":
        return rows
    if not rows.groups:
        raise InferenceError(f"`groups={of.asked.groups!r}`: no coefficient differs by group.")
    strange = {name for grouping in rows.groups for name in grouping.variables} & set(of.by)
    if strange:
        raise InferenceError(f"With groups={of.asked.groups!r} there are no cells by {listed(strange)}.")
    for grouping in rows.groups:
        asked = f"`groups={of.asked.groups!r}` is of a {grouping.name} that the fit has not seen"
        refuse_unpooled(of.plan, grouping, asked)
    new = {
        grouping: GroupsAt(np.full(len(rows), len(grouping)), (f"a new {grouping.name}",), (0,))
        for grouping in rows.groups
    }
    return ModelRows(rows.places, rows.columns, new, rows.offsets, rows.trials, rows.standard_errors)


def _in_words(of: Setting) -> str:
    known = list(dict.fromkeys(grouping.name for grouping in pooled_groupings(of.plan)))
    if not known:
        return ""
    words = {"conditional": "of the data", "new": "new", "mean": "mean of the hierarchy"}
    return f"{', '.join(known)}: {words[of.asked.groups]}"


# --- quantities


def quantities(kind: On) -> Quantity:
    """Return what is averaged: the mean of the response in each scenario, or the linear predictor.

    Of categories it is the probability of each.
    """

    def each(found: Evaluation, rows: Sequence[ModelRows]) -> tuple[FloatArray, ...]:
        if kind == "linear":
            return tuple(found.linear(own) for own in rows)
        if found.posterior.plan.family.categories:
            return tuple(p for own in rows for p in probabilities_at(found, own))
        return tuple(found.mean(own) for own in rows)

    return each


def exact_slopes(kind: On) -> Quantity:
    """Return slopes from rows and the derivatives of their columns."""

    def slope(found: Evaluation, rows: Sequence[ModelRows]) -> tuple[FloatArray, ...]:
        part, own, turned = found.posterior.plan.mean, *rows
        inner = np.asarray(linear_at(part, turned, found.values))
        if kind == "linear":
            return (inner,)
        with np.errstate(over="ignore"):
            return (np.asarray(part.link.slope(SPECIAL, found.linear(own))) * inner,)

    return slope
