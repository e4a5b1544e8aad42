"""A Gaussian likelihood through sums of squares and products: the cost of a gradient does not grow with N.

Let R b = r be the regression of fewer rows that replaces the data (``data/sums.py``), h(i) and h(m) the sigma
of a row, w the row weights, and W_h their sum over the data's rows with sigma_h. Then

    sum_i w_i log N(y_i | c_i'b, sigma_h(i)) = - sum_h W_h (log sigma_h + log(2 pi) / 2)
                                               - sum_m (r_m - R_m b)^2 / (2 sigma_h(m)^2)

exactly, constant included.

A reference near least squares is first subtracted from the response and the coefficients. This affects only rounding:
otherwise the residual sum of squares of a response far from zero is a small difference of large numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.compiler.pymc import likelihood_by_cells
from formulajoint.data.rows import less_offset, stack
from formulajoint.data.sums import Cells, Triangles, cells, most_rows, reference, triangles
from formulajoint.distributions.links import IDENTITY
from formulajoint.errors import InferenceError
from formulajoint.wording import did_you_mean, listed

LIKELIHOODS = ("auto", "rows", "sums")
"""Values of ``likelihood=``."""

CLEARLY = 4
"""``auto`` uses sums if they have at least this many times fewer rows than the data."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """A regression of M rows with the same likelihood as the data's N rows.

    Attributes
    ----------
    mean : LinearPlan
        The plan's coefficients with the columns and groups of the M rows; without offset and hierarchies.
    reference : mapping of str to array
        The value subtracted from each coefficient, by name.
    y : (M,) array
        The response less the fit of the reference.
    sds : (M,) int array
        Residual sd of each row.
    weights : (H,) array
        Sum of the row weights of the data's rows, for each residual sd.
    """

    mean: LinearPlan
    reference: Mapping[str, FloatArray]
    y: FloatArray
    sds: IntArray
    weights: FloatArray


def check_likelihood(plan: Plan, likelihood: str) -> None:
    """Raise an InferenceError if `likelihood` is unknown, or is "sums" and sums do not apply."""
    if likelihood not in LIKELIHOODS:
        hint = did_you_mean(str(likelihood), LIKELIHOODS) or f"there are {listed(LIKELIHOODS)}."
        raise InferenceError(f"There is no likelihood `{likelihood}`: {hint}")
    reason = why_not(plan) if plan.family.sums else likelihood_by_cells.why_not(plan)
    if reason and likelihood == "sums":
        raise InferenceError(f"The likelihood does not go through sums: {reason}. Use likelihood='rows'.")


def by_sums(plan: Plan, likelihood: str) -> bool:
    """Return whether the likelihood of a plan is computed through sums.

    Parameters
    ----------
    plan : Plan
    likelihood : {"auto", "rows", "sums"}
        ``auto`` uses sums if they apply and have clearly fewer rows than the data.

    Raises
    ------
    InferenceError
        As by `check_likelihood`.
    """
    check_likelihood(plan, likelihood)
    if not plan.family.sums:
        rows = plan.design.rows.used
        return likelihood == "sums" or (
            likelihood == "auto"
            and not likelihood_by_cells.why_not(plan)
            and likelihood_by_cells.alike(plan, rows // CLEARLY) is not None
        )
    if likelihood != "auto" or why_not(plan):
        return likelihood == "sums"
    own, shared = (
        sum(c.term.columns.shape[1] for c in plan.mean.coefficients if c.grouped == grouped)
        for grouped in (True, False)
    )
    return CLEARLY * most_rows(_cells(plan), own, shared) <= plan.design.rows.used


def why_not(plan: Plan) -> str:
    """Return the reason why sums do not apply to a Gaussian plan, or an empty string if they do."""
    if plan.mean.link is not IDENTITY:
        return f"the link is {plan.mean.link.name}, not identity"
    if plan.design.standard_errors is not None:
        return "each row has a standard error of its own"
    if plan.spread is None:
        return "sigma has predictors"
    return "the formula has group terms" if plan.mean.varying else ""


def sums(plan: Plan) -> Sums:
    """Return the sums of a plan to which they apply."""
    design, predictor = plan.design, plan.design.predictor
    columns = stack(predictor.terms, design.rows.used)
    own = sum(term.columns.shape[1] for term in predictor.per_group)
    y = less_offset(design)
    near = reference(columns, y, design.row_weights, own, predictor.grouping)
    codes = predictor.grouping.codes if predictor.grouping is not None and own else 0
    left = y - np.sum(columns * near[codes], axis=1)
    found = triangles(columns, left, design.row_weights, own, _cells(plan))
    return Sums(
        _with_rows(plan.mean, found),
        {c.name: _of_term(part, c) for c, part in _by_coefficient(plan.mean, near)},
        found.y,
        found.sds,
        found.weights,
    )


def _cells(plan: Plan) -> Cells:
    predictor, sigma = plan.design.predictor, plan.spread
    assert sigma is not None  # checked by `why_not`
    return cells(predictor.grouping if predictor.per_group else None, sigma.grouping, plan.design.rows.used)


def _by_coefficient(mean: LinearPlan, table: FloatArray) -> Iterator[tuple[Coefficient, FloatArray]]:
    """Yield each coefficient with its columns of `table` (..., p + k)."""
    widths = [c.term.columns.shape[1] for c in mean.coefficients]
    yield from zip(mean.coefficients, np.split(table, np.cumsum(widths)[:-1], axis=1), strict=True)


def _of_term(values: FloatArray, coefficient: Coefficient) -> FloatArray:
    """Return values (G, columns) reshaped to the coefficient's variable."""
    by_group = values.reshape((-1, *coefficient.term.shape))
    return by_group if coefficient.grouped else by_group[0]


def _with_rows(mean: LinearPlan, found: Triangles) -> LinearPlan:
    """Return the linear plan with the rows of the triangles."""

    def compressed(coefficient: Coefficient, columns: FloatArray) -> Coefficient:
        grouping = coefficient.grouping
        grouping = None if grouping is None else replace(grouping, codes=found.groups)
        return replace(coefficient, term=replace(coefficient.term, columns=columns), grouping=grouping)

    coefficients = tuple(compressed(c, part) for c, part in _by_coefficient(mean, found.columns))
    return replace(mean, predictor=replace(mean.predictor, offset=None), coefficients=coefficients, pools=())
