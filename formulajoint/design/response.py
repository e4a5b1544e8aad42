"""The response: its values, the event where it is one of two, and the trials where successes are counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.evaluate_numpy import values_of
from formulajoint.design.learn import learn
from formulajoint.design.level_lookup import position_of
from formulajoint.design.recipes import Indicator, Place, Recipe
from formulajoint.design.rows import Table, all_rows
from formulajoint.design.schema import Response
from formulajoint.design.values import check_size, refuse_continuous, text_hint
from formulajoint.errors import DataError, FormulaError
from formulajoint.families.likelihood import Likelihood
from formulajoint.language.syntax.nodes import Expr, Level, Name
from formulajoint.language.syntax.text import canonical
from formulajoint.spec.counts import counts_of
from formulajoint.spec.names import key_of, measured_in
from formulajoint.spec.spec import Given, ModelSpec
from formulajoint.wording import listed

MOST_CATEGORIES = 50
"""Most categories of a response."""


def response_column(spec: ModelSpec) -> str:
    """Return the one column that the response, or the number of successes, is made of.

    Raises
    ------
    FormulaError
        If there are several, or the formula counts successes and the family does not.
    """
    names = dict.fromkeys(name.id for name in measured_in(_measured(spec)))
    if len(names) != 1:
        message = f"the response is made of {len(names)} columns; it must be made of one"
        raise FormulaError(message, spec.response.span, "add a column for it to the data")
    (response,) = names
    return response


def check_counts(spec: ModelSpec, family: Likelihood) -> None:
    """Raise a FormulaError unless formula and family both count successes among trials, or neither does."""
    counted = counts_of(spec.response) is not None
    if counted and not family.trials:
        message = f"`{canonical(spec.response)}` counts successes, but the family is {family.name}"
        raise FormulaError(message, spec.response.span, "write `family(binomial)`")
    if family.trials and not counted:
        text = canonical(spec.response)
        message = f"the family `{family.name}` counts successes among trials, and `{text}` does not say how many trials"
        hint = f"write `prop({text}, n)` with a column of trials; for single events, `family(bernoulli)`"
        raise FormulaError(message, spec.response.span, hint)


def read_response(spec: ModelSpec, variable: str, table: Table, family: Likelihood) -> Response:
    """Return the response of the rows of `table`.

    Parameters
    ----------
    spec : ModelSpec
    variable : str
        As from `response_column`.
    table : Table
    family : Likelihood

    Raises
    ------
    DataError
        If the values are no response of any family of this kind, or do not vary.
    """
    response, counts = _measured(spec), counts_of(spec.response)
    if family.categories:
        return _category(spec, variable, table)
    name, levels = key_of(response), _events(response, table) if family.events else ()
    column = table.columns[variable]
    text = column.kind == "categorical" and isinstance(response, Name)
    if text and not levels:
        raise DataError(
            f"Column `{variable}` is the response, but holds text or categories in its {table.rows} rows. "
            f"A response is numeric.{text_hint(column) or _as_event(table.levels(variable).labels)}"
        )
    recipe = Indicator(variable, levels[-1]) if text else learn(response, table)
    values = values_of(recipe, table, name)
    check_size(values, f"The response `{name}`")
    counted = None if counts is None else learn(counts.trials, table)
    trials = None if counted is None or counts is None else trials_of(counted, counts.trials, table)
    varying = values if trials is None else values / trials
    if varying.min() == varying.max() and not _may_be_constant(family):
        what = f"{values[0]:g}" if trials is None else f"a share of {varying[0]:g}"
        raise DataError(
            f"The response `{name}` is {what} in {all_rows(table.rows)} used: it does not vary, "
            "so there is nothing to explain."
        )
    return Response(name, values, variable, spec.response.span, recipe, levels, trials, counted)


def _may_be_constant(family: Likelihood) -> bool:
    """Return whether default priors leave a response that does not vary its posterior: none depends on its sd."""
    further = (parameter for parameter in family.parameters[1:] if parameter.default is not None)
    fixed = all(each.default_prior(1.0).numbers == each.default_prior(2.0).numbers for each in further)
    return family.distribution.whole and not family.mean.link.in_units and fixed


def _measured(spec: ModelSpec) -> Expr:
    """Return the response, or the number of successes."""
    counts = counts_of(spec.response)
    return spec.response if counts is None else counts.successes


def trials_of(recipe: Recipe, trials: Expr, table: Table) -> FloatArray:
    """Return the number of trials of each row, by its recipe; `trials` is what the formula says."""
    values = values_of(recipe, table)
    wrong = np.flatnonzero((values < 1) | (values != np.floor(values)))
    if len(wrong):
        raise DataError(
            f"`{canonical(trials)}` is the number of trials, but is not a whole number from 1 in {len(wrong)} of the "
            f"{table.rows} rows used, first {values[wrong[0]]:g} in row {table.places[wrong[0]]}, counted from 0."
        )
    return values


def _events(response: Expr, table: Table) -> tuple[str, ...]:
    """Return the two values of a response of which one occurs, the event last."""
    if not isinstance(response, Name) or table.columns[response.id].kind == "numeric":
        return ("0", "1")
    if table.columns[response.id].kind == "boolean":
        return ("False", "True")
    labels = table.levels(response.id).labels
    if len(labels) > 2:
        raise DataError(
            f"The response `{response.id}` has {len(labels)} levels, {listed(labels, 5)}, but an event happens or not. "
            f'State which levels are the event: `I({canonical(response)} == "{labels[-1]}")` as the response.'
        )
    return labels


def _category(spec: ModelSpec, variable: str, table: Table) -> Response:
    """Return a response that is one of several levels, in the order that the data state."""
    column, text = table.columns[variable], canonical(spec.response)
    if not isinstance(spec.response, Name):
        message = f"categories are the values of a column, and `{text}` is computed"
        raise FormulaError(message, spec.response.span, "add a column with the categories to the data")
    found = table.levels(variable)
    refuse_continuous(column, found.labels)
    levels = tuple(found.labels[place] for place in found.order)
    given = None if spec.family is None else spec.family.levels
    if given is not None:
        levels = _in_order(given, levels, text)
    if len(levels) == 1:
        raise DataError(
            f"The response `{text}` is {levels[0]} in {all_rows(table.rows)} used: it does not vary."
        )
    if len(levels) > MOST_CATEGORIES:
        raise DataError(
            f"The response `{text}` has {len(levels)} different values, more than {MOST_CATEGORIES} categories: "
            "join some of them, or take a family of counts or amounts."
        )
    recipe = Place(variable, levels)
    return Response(
        key_of(spec.response), values_of(recipe, table), variable, spec.response.span, recipe, levels
    )


def _in_order(given: Given[tuple[Level, ...]], labels: Sequence[str], response: str) -> tuple[str, ...]:
    """Return the levels of the response in the order that ``levels=`` gives."""
    found = tuple(labels[position_of(level, labels, f"the response `{response}`")] for level in given.value)
    if set(found) != set(labels) or len(found) != len(labels):
        left = [label for label in labels if label not in found]
        what = f"leaves out {listed(left)}" if left else "names a level twice"
        raise FormulaError(
            f"`levels` {what}", given.span, f"name every level of `{response}` once: {listed(labels)}"
        )
    return found


def check_levels(spec: ModelSpec, family: Likelihood) -> None:
    """Raise a FormulaError if the formula gives the order of categories, and the family has none."""
    given = None if spec.family is None else spec.family.levels
    if given is not None and not family.categories:
        message = f"`levels` is the order of categories, which a response of the family `{family.name}` does not have"
        raise FormulaError(message, given.span, "leave it out, or write `family(cumulative, levels=...)`")


def _as_event(labels: Sequence[str]) -> str:
    if len(labels) == 2:
        return " Of two levels, write `family(bernoulli)`."
    many = len(labels) > MOST_CATEGORIES
    return (
        "" if many else " Of ordered categories write `family(cumulative)`, of others `family(categorical)`."
    )
