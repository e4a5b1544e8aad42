"""``weights=``: how much each group counts in an average.

Shapes: N rows, G groups. Every scheme ends normalised to sum to one over the groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.design.matching import position_of
from formulajoint.design.moments import by_group, partial_ss, stack
from formulajoint.design.schema import Design, FloatArray, Grouping, Term
from formulajoint.errors import DataError, FormulaError, listed
from formulajoint.language.constants import constant
from formulajoint.language.ir import Call, Expr, Map, Name, Sequence
from formulajoint.language.text import canonical

N_ROWS = Name("n")
"""The default of ``weights=``."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The weights of one contrast.

    Attributes
    ----------
    scheme : str
        As written: ``n``, ``equal``, ``precision``, ``sum(treated)``, ``population``, ``{A: 1, B: 3}``.
    values : (G,) or (G, ...) array
        Non-negative, summing to one over the groups. They have the term's own axes only where its columns
        differ in weight (``precision`` of a factor).
    over_sigma : bool
        Whether each draw divides the weights by the groups' residual variances and normalises them again.
    """

    scheme: str
    values: FloatArray
    over_sigma: bool = False

    def like(self, term: Term) -> FloatArray:
        """Return the weights shaped to multiply the term's coefficients, (G, 1, ...) or (G, ...)."""
        return self.values.reshape(self.values.shape + (1,) * (1 + len(term.factors) - self.values.ndim))


def weights_of(design: Design, term: Term, value: Expr | None, own_sigma: bool) -> Weights:
    """Return the weights that ``weights=value`` means for `term`.

    Parameters
    ----------
    design : Design
        With a grouping of the main predictor.
    term : Term
        A per-group term.
    value : Expr or None
        As written; None is ``n``.
    own_sigma : bool
        Whether every group has a residual sd of its own.

    Raises
    ------
    FormulaError
        Where a map or list does not give each group one usable weight.
    DataError
        Where a column's values cannot be weights.
    """
    expr = value if value is not None else N_ROWS
    match expr:
        case Name(id="n", quoted=False):
            raw = group_rows(design)
        case Name(id="equal", quoted=False):
            raw = np.ones(len(_grouping(design)))
        case Name(id="precision", quoted=False):
            raw = _precision(design, term)
        case Name():
            raw = _column(design, expr)
        case Call(name="sum"):
            raw = _sum(design, expr)
        case Map():
            raw = _map(design, expr)
        case Sequence():
            raw = _list(design, expr)
        case _:
            raise FormulaError(
                f"`{canonical(expr)}` is not a way to weight groups",
                design.formula.source,
                expr.span,
                "use n, equal, precision, sum(column), a column, {A: 0.3, B: 0.7} or [0.3, 0.7]",
            )
    total = raw.sum(axis=0)
    if not np.all(total > 0):
        raise DataError(
            f"The weights `{canonical(expr)}` of `{term.name}` are zero in every group, "
            "so there is nothing to average. Choose other weights."
        )
    precision = isinstance(expr, Name) and expr.id == "precision" and not expr.quoted
    return Weights(canonical(expr), raw / total, over_sigma=precision and own_sigma)


def group_rows(design: Design) -> FloatArray:
    """Return the rows of each group, counting a row of frequency weight w as w rows; (G,)."""
    return _sums(design, np.ones(design.rows.used))


def _grouping(design: Design) -> Grouping:
    grouping = design.predictor.grouping
    if grouping is None:
        raise DataError("There are no groups to weight. Write `| group` after the predictors.")
    return grouping


def _sums(design: Design, values: FloatArray) -> FloatArray:
    counted = values if design.row_weights is None else values * design.row_weights
    grouping = _grouping(design)
    return np.bincount(grouping.codes, weights=counted, minlength=len(grouping))


def _precision(design: Design, term: Term) -> FloatArray:
    """Return the residual sum of squares of the term's columns on the group's other columns, (G, ...).

    It is proportional to the inverse sampling variance of the group's coefficient.
    """
    terms = design.predictor.per_group
    columns = stack(terms, design.rows.used)
    information = partial_ss(columns, _grouping(design), design.row_weights)  # (G, p)
    start = sum(other.columns.shape[1] for other in terms[: terms.index(term)])
    own = information[:, start : start + term.columns.shape[1]]
    return own.reshape((len(own), *term.shape))


def _values(design: Design, name: Name) -> FloatArray:
    return design.weight_columns[name.id]


def _column(design: Design, name: Name) -> FloatArray:
    values, grouping = _values(design, name), _grouping(design)
    firsts = np.empty(len(grouping))
    for group, index in enumerate(by_group(grouping, len(values))):
        distinct = np.unique(values[index])
        if len(distinct) > 1:
            raise DataError(
                f"`weights={canonical(name)}` needs one value a group, but `{name.id}` takes {len(distinct)} values "
                f"in the {len(index)} rows of {grouping.name} {grouping.labels[group]}. "
                f"Use `weights=sum({canonical(name)})` to weight by the group's sum."
            )
        firsts[group] = distinct[0]
    return _not_negative(firsts, name.id, grouping)


def _sum(design: Design, call: Call) -> FloatArray:
    name = call.args[0]
    if not isinstance(name, Name):
        raise FormulaError(
            "`sum(...)` takes the name of one column", design.formula.source, name.span, "compute it first"
        )
    return _not_negative(_sums(design, _values(design, name)), f"sum({name.id})", _grouping(design))


def _not_negative(values: FloatArray, what: str, grouping: Grouping) -> FloatArray:
    bad = [label for label, value in zip(grouping.labels, values, strict=True) if not value >= 0]
    if bad:
        raise DataError(
            f"The weights `{what}` are negative or missing in {len(bad)} of {len(grouping)} groups: "
            f"{listed(bad)}. Weights are zero or more."
        )
    return values


def _map(design: Design, given: Map) -> FloatArray:
    """Return the weights of ``{A: 0.3, B: 0.7}`` in the groups' order; every group is there once."""
    grouping, text = _grouping(design), design.formula.source
    values: dict[int, float] = {}
    for entry in given.entries:
        group = position_of(entry.level, grouping.labels, f"`{grouping.name}`", text)
        if group in values:
            message = f"`{grouping.labels[group]}` has two weights"
            raise FormulaError(message, text, entry.span, "keep one of them")
        values[group] = constant(entry.value, text)
    missing = [label for group, label in enumerate(grouping.labels) if group not in values]
    if missing:
        message = f"the weights leave out {listed(missing)} of `{grouping.name}`"
        raise FormulaError(message, text, given.span, "give every group a weight, 0 for none")
    return np.array([values[group] for group in range(len(grouping))])


def _list(design: Design, given: Sequence) -> FloatArray:
    """Return the weights of ``[0.3, 0.7]``, one a group."""
    grouping, text = _grouping(design), design.formula.source
    if len(given.items) != len(grouping):
        message = f"`{grouping.name}` has {len(grouping)} groups, and there are {len(given.items)} weights"
        raise FormulaError(message, text, given.span, f"the groups are {listed(grouping.labels)}")
    return np.array([constant(item, text) for item in given.items])
