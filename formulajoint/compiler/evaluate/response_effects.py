"""Effects of a column on the mean of the response, ``scale=response``: the same in the model and on draws.

The mean of the response is averaged over the rows of each group, once for each value that the column is set to; the
effects are differences of these averages. They stand in the place of the coefficients that a contrast reads.
Shapes: G groups, k values of the column, S draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.averages import Scenarios, alike, cell_means, in_order, is_linear
from formulajoint.compiler.evaluate.column_values import table_of, with_value
from formulajoint.compiler.evaluate.linear_predictor import mean_at, members, parameters_of_mean, reading
from formulajoint.compiler.evaluate.values import Values
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.design.model_rows import ModelRows
from formulajoint.design.rows import Table
from formulajoint.design.schema import Grouping
from formulajoint.design.values import label, numbers


@dataclass(frozen=True, eq=False)
class ResponseEffects:
    """Effects of one column on the mean of the response.

    Attributes
    ----------
    plan : Plan
        Without contrasts.
    column : str
    values : tuple
        The values that are compared; of a number the steps from each row's own value, 0 and 1.
    steps : bool
        Whether they are steps.
    differences : (c, k) array
        From the k means to the effects.
    shape : tuple of int
        Lengths of the coefficient's axes, c in all, without the groups'.
    grouping : Grouping or None
        The groups with an effect each; None for one over all rows.
    """

    plan: Plan
    column: str
    values: tuple[Any, ...]
    steps: bool
    differences: FloatArray
    shape: tuple[int, ...]
    grouping: Grouping | None

    @property
    def groups(self) -> int:
        """Number of averages: of groups, or one."""
        return 1 if self.grouping is None else len(self.grouping)

    @property
    def compared(self) -> str:
        """What is compared, in words: ``1 less 0``; empty for the levels of a factor."""
        if self.shape:
            return ""
        low, high = map(label, self.values)
        return f"one unit more of {self.column}" if self.steps else f"{self.column} {high} less {low}"

    @property
    def variables(self) -> frozenset[str]:
        """The names of the variables that are read."""
        found: set[str] = set()
        for part in parameters_of_mean(self.plan):
            found |= {name for name, _ in members(part)} if isinstance(part, LinearPlan) else {part.name}
        return frozenset(found)

    @cached_property
    def rows(self) -> Scenarios:
        """The rows with each value, by group; rows that are alike are one, and weigh what they stand for."""
        wanted, design = reading(self.plan, response=False), self.plan.design
        table = table_of(design, wanted.columns)
        each = tuple(wanted.of_table(self._table(table, value)) for value in self.values)
        cells = np.zeros(table.rows, dtype=np.int64) if self.grouping is None else self.grouping.codes
        weights = np.ones(table.rows) if table.weights is None else table.weights
        return in_order(alike(Scenarios(each, cells, weights), is_linear(self.plan)))

    def _table(self, table: Table, value: Any) -> Table:
        own = numbers(table.columns[self.column]) + value if self.steps else value
        return with_value(table, self.column, own)

    def of(self, values: Values) -> Any:
        """Return the effects, with the dims of the coefficient and the axis of draws if `values` have one."""
        means = self._on_draws(values) if values.sampled else self._in_model(values)
        total: Any = 0.0
        for number, mean in enumerate(means):  # (G,) or (G, S)
            column = self.differences[:, number].reshape((1, -1, *[1] * (mean.ndim - 1)))
            total = total + column * mean[:, None]
        grouped = () if self.grouping is None else (self.groups,)
        return total.reshape((*grouped, *self.shape, *((-1,) if values.sampled else ())))

    def _on_draws(self, values: Values) -> tuple[FloatArray, ...]:
        """Return the mean of the response in each group for each value, (G, S) each."""
        from formulajoint.distributions.link_functions import SPECIAL  # loads SciPy, for these contrasts only

        draws = int(values.of(next(members(self.plan.mean))[0]).shape[-1])

        def means(rows: Sequence[ModelRows]) -> tuple[FloatArray, ...]:
            found = (np.asarray(mean_at(self.plan, own, values, SPECIAL)) for own in rows)
            return tuple(np.broadcast_to(mean, (len(rows[0]), draws)) for mean in found)

        with np.errstate(over="ignore"):
            return cell_means(self.rows, self.groups, means, draws, is_linear(self.plan))

    def _in_model(self, values: Values) -> tuple[Any, ...]:
        """Return the same as PyTensor variables, (G,) each."""
        import pytensor.tensor as pt  # seconds to load, and not needed for draws

        cells, weights = self.rows.cells, self.rows.weights
        shares = weights / np.bincount(cells, weights, self.groups)[cells]
        return tuple(
            pt.zeros(self.groups)[cells].inc(mean_at(self.plan, own, values, pt) * shares)
            for own in self.rows.each
        )


def on_response(effects: Mapping[str, ResponseEffects], values: Values) -> Values:
    """Return the values of variables with effects on the response in the place of some coefficients."""
    found = {name: own.of(values) for name, own in effects.items()}
    return Values(lambda name: found[name] if name in found else values.of(name), values.sampled)
