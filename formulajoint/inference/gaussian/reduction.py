"""From a plan to the input of the exact engine: triangles of the data, and the prior given phi.

Shapes: those of ``latent/structure.py``, N rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.plan_layout import plan_layout
from formulajoint.data.rows import frequencies
from formulajoint.data.triangles import reordered, squares_by_sigma
from formulajoint.design.schema import Design
from formulajoint.errors import BugError
from formulajoint.inference.latent.structure import Structure, structure_of

if TYPE_CHECKING:
    from formulajoint.inference.latent.ties import Equal


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """A model as input of the exact engine.

    Attributes
    ----------
    structure : Structure
        The prior of the coefficients given phi.
    own : (m, p + k + 1, G) array
        Rows of each group's triangle, m = p: at its own columns, k columns that only theta has, and y. Columns with
        flat priors are taken out first, so that only the first rows contain them. Where groups have rows of several
        sigmas, those of a triangle for each sigma, and all may contain flat columns.
    rest : (H, k + 1, k + 1) array
        Triangles of what is left of the k columns and y in the rows of each sigma.
    rows : (H,) array
        Rows of each sigma.
    rounding : (H,) array
        Root mean square of the rounding errors in a row.
    log_unit : float
        Constant added to the log density of the data. Where standard errors are known, the rows are in units of them,
        and sigma is the constant 1.
    sigma_of_row : (m,) int array or None
        Where groups have rows of several sigmas, that of each row of theirs; else None.
    """

    structure: Structure
    own: FloatArray
    rest: FloatArray
    rows: FloatArray
    rounding: FloatArray
    log_unit: float = 0.0
    sigma_of_row: IntArray | None = None

    def column_sizes(self) -> FloatArray:
        """Return the root mean square of each own column over all rows (p,)."""
        p = len(self.structure.base)
        return np.asarray(np.sqrt(np.sum(self.own[:, :p] ** 2, axis=(0, 2)) / np.sum(self.rows)))

    def spreads(self) -> FloatArray:
        """Return, for each sigma, the root mean square residual of a fit of all rows together (H,)."""
        of_group = self.structure.sigma_of_group
        squares = squares_by_sigma(self.own, self.rest, of_group, self.sigma_of_row)[-1]
        return np.asarray(np.sqrt(squares / self.rows))

    def gram_of(self, columns: IntArray) -> FloatArray:
        """Return X'X / N over all rows (m, m) of m own columns."""
        chosen = np.moveaxis(self.own[:, columns], 1, 2).reshape(-1, len(columns))
        return np.asarray(np.einsum("ij,ik->jk", chosen, chosen) / np.sum(self.rows))


def reduce(plan: Plan) -> Reduction:
    """Return the reduction of a plan that the exact engine covers."""
    design = plan.design
    if plan.spread is None and plan.data.sigma is None and design.standard_errors is None:
        raise BugError("only a model with few sigmas, or with known standard errors, can be reduced")
    found = plan.data.triangles(plan_layout(plan.mean))
    return Reduction(
        structure=structure_of(plan, found.reference),
        own=found.own,
        rest=found.rest,
        rows=found.rows,
        rounding=found.rounding,
        log_unit=_log_unit(design),
        sigma_of_row=found.sigma_of_row,
    )


def _log_unit(design: Design) -> float:
    if design.standard_errors is None:
        return 0.0
    return -float(frequencies(design) @ np.log(design.standard_errors))


def with_ties(plan: Plan, reduction: Reduction, equal: Equal) -> Reduction:
    """Return the reduction of a plan's null model, in which `equal` holds. It is used only for its evidence."""
    from formulajoint.inference.latent.ties import shared_columns, tied

    last = shared_columns(plan, equal)
    if not last:  # constants are already equal
        return reduction
    structure = reduction.structure
    order = np.array([j for j in range(len(structure.base)) if j not in last] + last, dtype=np.int64)
    return replace(
        reduction,
        structure=tied(structure, order, last, equal.classes),
        own=reordered(reduction.own, order, again=reduction.sigma_of_row is None),
    )
