"""From a plan to the input of the exact engine: triangles of the data, and the prior given phi.

Shapes: those of ``latent/structure.py``, N rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import Plan
from formulajoint.design.schema import Design, Grouping
from formulajoint.errors import BugError
from formulajoint.inference.gaussian.triangles import Cells, reduce_rows, reordered, squares_by_sigma
from formulajoint.inference.latent.columns import columns_of, unknown
from formulajoint.inference.latent.structure import Structure, sigma_of_group, structure_of
from formulajoint.inference.latent.ties import Equal, shared_columns, tied


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """A model as input of the exact engine.

    Attributes
    ----------
    structure : Structure
        The prior of the coefficients given phi.
    own : (p, p + k + 1, G) array
        Rows of each group's triangle: at its own columns, k columns that only theta has, and y. Columns with flat
        priors are taken out first, so that only the first rows contain them.
    rest : (H, k + 1, k + 1) array
        Triangles of what is left of the k columns and y in the rows of each sigma.
    rows : (H,) array
        Rows of each sigma.
    rounding : (H,) array
        Root mean square of the rounding errors in a row.
    log_unit : float
        Constant added to the log density of the data. Where standard errors are known, the rows are in units of them,
        and sigma is the constant 1.
    """

    structure: Structure
    own: FloatArray
    rest: FloatArray
    rows: FloatArray
    rounding: FloatArray
    log_unit: float = 0.0

    def column_sizes(self) -> FloatArray:
        """Return the root mean square of each own column over all rows (p,)."""
        p = len(self.own)
        return np.asarray(np.sqrt(np.sum(self.own[:, :p] ** 2, axis=(0, 2)) / np.sum(self.rows)))

    def spreads(self) -> FloatArray:
        """Return, for each sigma, the root mean square residual of a fit of all rows together (H,)."""
        squares = squares_by_sigma(self.own, self.rest, self.structure.sigma_of_group)[-1]
        return np.asarray(np.sqrt(squares / self.rows))

    def gram_of(self, columns: IntArray) -> FloatArray:
        """Return X'X / N over all rows (m, m) of m own columns."""
        chosen = np.moveaxis(self.own[:, columns], 1, 2).reshape(-1, len(columns))
        return np.asarray(np.einsum("ij,ik->jk", chosen, chosen) / np.sum(self.rows))


def reduce(plan: Plan) -> Reduction:
    """Return the reduction of a plan that the exact engine covers."""
    design, sigma = plan.design, plan.spread
    if sigma is None and design.standard_errors is None:
        raise BugError("only a model with a sigma, or with known standard errors, can be reduced")
    every, values = columns_of(plan), _values(plan)
    y = _response(design)
    for column, own in zip(every, values, strict=True):
        if column.sd == 0:
            y = y - column.mean * own
    places = unknown(every)
    kept = [every[at] for at in places]
    flat = np.array([column.flat and not column.pooled for column in kept if column.grouped], dtype=bool)
    rows = design.rows.used
    found = reduce_rows(
        columns=[values[at] for at in places],
        y=y,
        weights=design.row_weights,
        # The other columns in reverse order: D is lower triangular, and so is R D.
        order=[int(j) for j in (*np.flatnonzero(flat), *np.flatnonzero(~flat)[::-1])],
        groups=_cells(design.predictor.grouping if len(flat) else None, rows),
        sigmas=_cells(None if sigma is None else sigma.grouping, rows),
        sigma_of_group=sigma_of_group(plan),
        movable=np.array([column.sd > 0 for column in kept], dtype=bool),
    )
    return Reduction(
        structure=structure_of(plan, found.reference),
        own=found.own,
        rest=found.rest,
        rows=found.rows,
        rounding=found.rounding,
        log_unit=_log_unit(design),
    )


def _values(plan: Plan) -> list[FloatArray]:
    """Return the columns of all terms (N,), in the order of the plan."""
    tables = [coefficient.term.columns for coefficient in plan.mean.coefficients]
    columns = [table[:, j] for table in tables for j in range(table.shape[1])]
    return [np.ascontiguousarray(_in_units(column, plan.design)) for column in columns]


def _response(design: Design) -> FloatArray:
    offset = design.predictor.offset
    return _in_units(design.response.values if offset is None else design.response.values - offset, design)


def _in_units(values: FloatArray, design: Design) -> FloatArray:
    """Return values (N,) divided by the known standard errors; unchanged if none are known."""
    return values if design.standard_errors is None else values / design.standard_errors


def _log_unit(design: Design) -> float:
    if design.standard_errors is None:
        return 0.0
    weights = np.ones(design.rows.used) if design.row_weights is None else design.row_weights
    return -float(weights @ np.log(design.standard_errors))


def _cells(grouping: Grouping | None, rows: int) -> Cells:
    if grouping is None:
        return Cells(np.zeros(rows, dtype=np.int64), 1)
    return Cells(grouping.codes, len(grouping))


def with_ties(plan: Plan, reduction: Reduction, equal: Equal) -> Reduction:
    """Return the reduction of a plan's null model, in which `equal` holds. It is used only for its evidence."""
    last = shared_columns(plan, equal)
    if not last:  # constants are already equal
        return reduction
    structure = reduction.structure
    order = np.array([j for j in range(len(structure.base)) if j not in last] + last, dtype=np.int64)
    roots = sum(0.5 * np.log(len(some)) for some in equal.classes)  # of N(u_mean, 1 / n), not pooled
    return replace(
        reduction,
        structure=tied(structure, order, len(last), equal.classes),
        own=reordered(reduction.own, order),
        log_unit=reduction.log_unit + float(np.sum(structure.fixed[last] > 0) * roots),
    )
