"""Reference grids: rows at chosen values of the columns that a model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from formulajoint.compiler.evaluate.column_values import table_of, variable_of
from formulajoint.compiler.evaluate.linear_predictor import reading
from formulajoint.compiler.plan import Plan
from formulajoint.design.columns import Column
from formulajoint.design.rows import Table
from formulajoint.errors import InferenceError
from formulajoint.results.draws.full_width import Table as Printed
from formulajoint.results.predictions.scenarios import (
    holding,
    repeated,
    typical,
    values_asked,
)
from formulajoint.wording import did_you_mean, listed

type GridKind = Literal["typical", "balanced", "counterfactual"]
"""What columns are that no value is chosen for."""

COUNT = "rows"
"""Name of the column with the number of rows of the data in each cell."""


def grid_of(plan: Plan, kind: GridKind, chosen: Mapping[str, Any], data: object = None) -> pd.DataFrame:
    """Return a reference grid.

    Parameters
    ----------
    plan : Plan
    kind : {"typical", "balanced", "counterfactual"}
    chosen : mapping of str to value, list or word
        As for `values_asked`.
    data : data frame, optional
        Its rows stand for those of the fit.

    Raises
    ------
    InferenceError
        If the kind is not known, or a column is not read by the model.
    """
    if kind not in get_args(GridKind.__value__):
        known = listed(get_args(GridKind.__value__))
        hint = f" Values of columns are arguments: fj.grid(fit, {next(iter(chosen), 'age')}=[0, 1])."
        raise InferenceError(f"`kind` must be one of {known}, not {kind!r}.{hint}")
    plan = holding(plan, data)
    names = reading(plan, response=False).columns
    for name in chosen:
        if name not in names:
            hint = did_you_mean(name, names) or f"it reads {listed(names)}."
            raise InferenceError(f"The mean does not depend on a column `{name}`: {hint}")
    values = {name: values_asked(plan, name, asked) for name, asked in chosen.items()}
    rows = table_of(plan.design, names)
    if kind == "counterfactual":
        return _frame(repeated(rows, values), names, rows.weights)
    for name in names:
        if name not in values:
            levels = variable_of(plan, name).levels if kind == "balanced" else ()
            values[name] = list(levels) or [typical(plan, name)]
    one = rows.take(np.arange(rows.rows) == 0)
    made = _frame(repeated(one, {name: values[name] for name in names}), names, None)
    made[COUNT if COUNT not in names else f"{COUNT}_"] = _counts(plan, rows, made, names)
    return made


def _frame(table: Table, names: Sequence[str], weights: Any) -> pd.DataFrame:
    found = {name: _values(table.columns[name]) for name in names}
    return Printed(found)


def _values(column: Column) -> Any:
    whole = column.kind == "numeric" and np.all(column.values == np.floor(column.values))
    return column.values.astype(np.int64) if whole else column.values


def _counts(plan: Plan, rows: Table, made: pd.DataFrame, names: Sequence[str]) -> Any:
    """Return the number of rows of the data, or their weight, with the levels of each row of a grid."""
    factors = [name for name in names if variable_of(plan, name).levels]
    weights = np.ones(rows.rows) if rows.weights is None else rows.weights
    if not factors:
        return np.full(len(made), weights.sum())
    own = pd.DataFrame({name: _texts(rows.columns[name].values) for name in factors}).assign(weight=weights)
    sums = own.groupby(factors)["weight"].sum()
    keys = zip(*(_texts(made[name].to_numpy()) for name in factors), strict=True)
    single = len(factors) == 1
    return [float(sums.get(key[0] if single else key, 0.0)) for key in keys]


def _texts(values: Any) -> list[str]:
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in values.tolist()]
