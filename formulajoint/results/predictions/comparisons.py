"""Comparisons of the values of one column, and slopes of a number, on the scale of the response."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.column_values import Variable, variable_of, with_value
from formulajoint.design.derivatives import NoDerivative, column_slopes, slope_of
from formulajoint.design.model_rows import ModelRows
from formulajoint.design.recipes import columns_read
from formulajoint.design.values import label, numbers
from formulajoint.errors import DataError, InferenceError, warn
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.effects import (
    Asked,
    Averaged,
    Setting,
    averaged,
    exact_slopes,
    quantities,
    setting,
)
from formulajoint.wording import listed

type Scale = Literal["difference", "ratio", "odds_ratio", "lift"]
"""How two means are compared."""

NULL: dict[str, float] = {"difference": 0.0, "ratio": 1.0, "odds_ratio": 1.0, "lift": 0.0}
"""The comparison of two equal means."""

STEP = 1e-4
"""Half the width of a symmetric difference, as a share of the range of the column."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two values that are compared, or a step from each row's own value."""

    label: str
    high: Any
    low: Any
    step: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Comparisons by pair and cell.

    Attributes
    ----------
    averages : Averaged
        Whose draws are the comparisons, (C, S) for each pair.
    labels : tuple of str
        One for each pair.
    null : float
        The comparison of two equal means.
    methods : tuple of str
        Of slopes, one for each pair: ``exact``, or the symmetric difference.
    variables : tuple of str
        Where several columns are compared, that of each pair.
    """

    averages: Averaged
    labels: tuple[str, ...]
    null: float
    methods: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def joined(variables: str | Sequence[str], one: Callable[[str], Compared]) -> Compared:
    """Return what `one` finds for a column, or for several, one after another."""
    if isinstance(variables, str) or not isinstance(variables, Sequence):
        return one(variables)
    if not variables:
        raise InferenceError("There is no column to compare: name one or several.")
    parts = [one(name) for name in variables]
    first = parts[0].averages
    return Compared(
        replace(first, draws=tuple(draws for part in parts for draws in part.averages.draws)),
        tuple(label for part in parts for label in part.labels),
        parts[0].null,
        tuple(method for part in parts for method in part.methods),
        tuple(name for name, part in zip(variables, parts, strict=True) for _ in part.labels),
    )


def compared(
    posterior: Posterior,
    variables: str | Sequence[str],
    asked: Asked,
    scale: Scale,
    compare: Any,
    step: float | None,
) -> Compared:
    """Return the comparisons of the values of one or several columns, each of averages of the same rows.

    Parameters
    ----------
    posterior : Posterior
    variables : str or sequence of str
        All other columns are as they are in each row while one is changed.
    asked : Asked
    scale : {"difference", "ratio", "odds_ratio", "lift"}
    compare : {"reference", "pairwise", "sequential"} or pair of values
        Which levels of a factor are compared; the low value first.
    step : float or None
        Of a number, from each row's own value; None for one unit.

    Raises
    ------
    InferenceError
        If the comparison is not known, odds are asked of what is not a probability, or a ratio of what is not
        positive, or `compare` or `step` does not suit the column.
    DataError
        If the model does not read the column.
    """
    if scale not in NULL:
        raise InferenceError(f"`scale` must be one of {listed(get_args(Scale.__value__))}, not {scale!r}.")
    plan = posterior.plan
    shares = plan.family.categories or (plan.mean.link.low, plan.mean.link.high) == (0, 1)
    if scale == "odds_ratio" and asked.kind == "mean" and not shares:
        raise InferenceError(
            "Odds are of probabilities, and the mean of this response is not one: choose another `scale`."
        )
    where = setting(posterior, asked)
    return joined(variables, lambda name: _compared(where, name, scale, compare, step))


def _compared(where: Setting, variable: str, scale: Scale, compare: Any, step: float | None) -> Compared:
    asked = where.asked
    pairs = tuple(_pairs(where, variable_of(where.known, variable), compare, step, scale))
    if variable not in where.wanted.columns:
        raise DataError(f"The mean does not depend on `{variable}`.")
    draws, found = [], None
    for pair in pairs:
        tables = [
            with_value(where.table, variable, _value(where, variable, pair, end)) for end in (True, False)
        ]
        found = averaged(where, tables, quantities(asked.kind), variable)
        high, low = found.draws
        if scale in ("ratio", "lift") and (np.any(low <= 0) or np.any(high < 0)):
            raise InferenceError(
                f"It is a ratio of {'means' if asked.kind == 'mean' else 'values'} that are not all positive, for "
                f"{pair.label} in some draws: choose scale='difference'."
            )
        draws.append(_on_scale(scale, high, low))
    assert found is not None  # there is a pair
    labels = tuple(pair.label for pair in pairs)
    return Compared(
        Averaged(found.by, found.cells, tuple(draws), found.rows, found.groups), labels, NULL[scale]
    )


def _value(where: Setting, name: str, pair: Pair, high: bool) -> Any:
    if not pair.step:
        return pair.high if high else pair.low
    own = numbers(where.table.columns[name])
    return own + pair.step if high else own


def _on_scale(scale: Scale, high: FloatArray, low: FloatArray) -> FloatArray:
    match scale:
        case "difference":
            return high - low
        case "ratio":
            return high / low
        case "odds_ratio":
            return high / (1 - high) * (1 - low) / low
        case "lift":
            return high / low - 1


def _pairs(
    where: Setting, variable: Variable, compare: Any, step: float | None, scale: Scale
) -> Iterator[Pair]:
    if isinstance(compare, str):
        if compare not in ("reference", "pairwise", "sequential"):
            raise InferenceError(
                f"`compare` must be `reference`, `pairwise`, `sequential` or two values, not {compare!r}."
            )
        if variable.levels:
            if step is not None:
                raise InferenceError(
                    f"`{variable.name}` is compared between its values {listed(map(label, variable.levels))}, and a "
                    "`step` is for other numbers: leave it out, or write compare=(low, high)."
                )
            yield from (_pair(high, low, scale) for high, low in _of_levels(variable, compare))
            return
        if compare != "reference":
            raise InferenceError(
                f"`{variable.name}` holds numbers, and compare={compare!r} is for levels: write step=, how much more, "
                "or compare=(low, high)."
            )
        step = 1.0 if step is None else step
        if not (isinstance(step, Real) and np.isfinite(step) and step != 0):
            raise InferenceError(f"`step` must be a number other than zero, not {step!r}.")
        _warn_of_long(where, variable.name, float(step))
        yield Pair(f"{float(step):+g}", None, None, float(step))
        return
    if not (isinstance(compare, Sequence) and len(compare) == 2):
        raise InferenceError(
            f"`compare` must be `reference`, `pairwise`, `sequential` or two values, not {compare!r}."
        )
    if step is not None:
        raise InferenceError("`compare` has two values, and so there is no `step`: write one of them.")
    known = list(map(label, variable.levels))
    for value in compare:
        kind = where.table.columns[variable.name].kind
        if kind == "categorical" and label(value) not in known:
            raise DataError(f"`{variable.name}` has no level {value!r}: there are {listed(known)}.")
    yield _pair(compare[1], compare[0], scale)


def _warn_of_long(where: Setting, name: str, step: float) -> None:
    """Warn of a step that is longer than the range of a column: most rows are then compared with no such data."""
    kept = where.known.design.kept
    assert kept is not None  # by `variable_of`
    values = numbers(kept.columns[name])
    if abs(step) > np.ptp(values) > 0:
        warn(
            f"A step of {step:g} is longer than the range of `{name}`, {values.min():.4g} to {values.max():.4g}: "
            f"choose a shorter one, such as step={np.std(values):.1g}."
        )


def _of_levels(variable: Variable, compare: str) -> Iterator[tuple[Any, Any]]:
    match compare:
        case "pairwise":
            yield from combinations(variable.levels, 2)
        case "sequential":
            yield from ((high, low) for low, high in pairwise(variable.levels))
        case _:
            yield from ((each, variable.reference) for each in variable.levels if each != variable.reference)


def _pair(high: Any, low: Any, scale: Scale) -> Pair:
    above, below = label(high), label(low)
    text = {
        "difference": f"{above} - {below}",
        "ratio": f"{above} / {below}",
        "odds_ratio": f"odds({above}) / odds({below})",
        "lift": f"{above} / {below} - 1",
    }
    return Pair(text[scale], high, low)


# --- slopes


def sloped(posterior: Posterior, variables: str | Sequence[str], asked: Asked) -> Compared:
    """Return the average slope of one or several numbers: the derivative where the model is known to have one.

    Raises
    ------
    InferenceError
        If the column holds levels.
    DataError
        If the model does not read it.
    """
    where = setting(posterior, asked)
    return joined(variables, lambda name: _sloped(where, name))


def _sloped(where: Setting, variable: str) -> Compared:
    known = variable_of(where.known, variable)
    column = where.table.columns.get(variable)
    if column is None:
        raise DataError(f"The mean does not depend on `{variable}`.")
    if column.kind != "numeric" or (known.levels and known.reference is not None and len(known.levels) > 2):
        raise InferenceError(f"`{variable}` has levels and no slope: comparisons compare its levels.")
    try:
        rows, turned = _exact(where, variable)
    except NoDerivative:
        return _by_difference(where, variable)
    found = averaged(where, [rows, turned], exact_slopes(where.asked.kind), variable)
    return Compared(found, (variable,), 0.0, ("exact",))


def _exact(where: Setting, variable: str) -> tuple[ModelRows, ModelRows]:
    """Return the rows, and the derivatives of their columns in place of these."""
    if where.plan.family.has_own_mean and where.asked.kind == "mean":
        raise NoDerivative
    if any(variable in grouping.variables for grouping in where.wanted.groupings):
        raise NoDerivative
    rows = where.wanted.of_table(where.table)
    columns = {
        term: column_slopes(term.recipe, variable, where.table)
        for term in where.wanted.terms
        if term.recipe is not None
    }
    offsets = {
        predictor.parameter: slope_of(predictor.recipe, variable, where.table)
        for predictor in where.wanted.predictors
        if predictor.recipe is not None and variable in columns_read(predictor.recipe)
    }
    return rows, ModelRows(rows.places, columns, rows.groups, offsets)


def _by_difference(where: Setting, variable: str) -> Compared:
    own = numbers(where.table.columns[variable])
    half = STEP * float(np.ptp(own)) or STEP
    tables = [with_value(where.table, variable, own + sign * half) for sign in (1, -1)]
    try:
        found = averaged(where, tables, quantities(where.asked.kind), variable)
    except DataError as error:
        raise InferenceError(
            f"`{variable}` has no slope in some rows, at the edge of where the model is known: {error} Compare by a "
            f"step, fit.comparisons({variable!r}, step={np.std(own):.1g})."
        ) from None
    high, low = found.draws
    slopes = Averaged(found.by, found.cells, ((high - low) / (2 * half),), found.rows, found.groups)
    return Compared(slopes, (variable,), 0.0, (f"difference over ±{half:.3g}",))
