"""``weights=``: the weight of each group in an average.

Shapes: N rows, G groups. All weights are normalised to sum to one over the groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.schemes import Groups, WeightScheme
from formulajoint.design.level_lookup import position_of
from formulajoint.design.moments import by_group, partial_ss, stack
from formulajoint.design.references import Axis
from formulajoint.design.schema import Design, Grouping, Term
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.nodes import Call, Expr, Map, Name, Sequence
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.core import WEIGHT_SCHEMES
from formulajoint.language.vocabulary.options import given_options
from formulajoint.language.vocabulary.signatures import arguments
from formulajoint.wording import listed

N_ROWS = Name("n")
"""Default of ``weights=``: the number of rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The weights of one contrast.

    Attributes
    ----------
    scheme : str
        As written: ``n``, ``equal``, ``precision``, ``sum(treated)``, ``population``, ``{A: 1, B: 3}``.
    values : (G,) or (G, ...) array
        Non-negative, summing to one over the groups. They have the term's own axes only if its columns differ in weight
        (``precision`` of a factor).
    over_sigma : bool
        Whether each draw divides the weights by the groups' residual variances and normalises them again.
    counts : (G,) array or None
        For uncertain weights: they are Dirichlet(counts), with mean `values`.
    """

    scheme: str
    values: FloatArray
    over_sigma: bool = False
    counts: FloatArray | None = None


def weights_of(design: Design, term: Term, value: Expr | None, own_sigma: bool) -> Weights:
    """Return the weights of ``weights=value`` for `term`.

    Parameters
    ----------
    design : Design
        With a grouping of the main predictor.
    term : Term
        A per-group term.
    value : Expr or None
        As written; None stands for ``n``.
    own_sigma : bool
        Whether every group has its own residual sd.

    Raises
    ------
    FormulaError
        If a map or list does not give each group exactly one usable weight.
    DataError
        If a column's values cannot be weights.
    """
    expr = value if value is not None else N_ROWS
    if isinstance(expr, Call) and expr.name == "dirichlet":
        return _uncertain(design, term, expr)
    raw = _raw(design, term, expr)
    total = raw.sum(axis=0)
    if not np.all(total > 0):
        raise DataError(
            f"The weights `{canonical(expr)}` of `{term.name}` are zero in every group, "
            "so there is nothing to average. Choose other weights."
        )
    precision = isinstance(expr, Name) and expr.id == "precision" and not expr.quoted
    return Weights(canonical(expr), raw / total, over_sigma=precision and own_sigma)


def _uncertain(design: Design, term: Term, call: Call) -> Weights:
    """Return Dirichlet weights with the counts that the call states: a Bayesian bootstrap over groups."""
    (expr,) = arguments(call, WEIGHT_SCHEMES["dirichlet"]).values()
    counts = _raw(design, term, expr)
    none = [label for label, n in zip(_grouping(design).labels, counts, strict=True) if not n > 0]
    if none:
        raise DataError(
            f"`{canonical(call)}` needs a count above zero in every group, and `{canonical(expr)}` is zero in "
            f"{len(none)} of {len(counts)}: {listed(none)}."
        )
    return Weights(canonical(call), counts / counts.sum(), counts=counts)


def _raw(design: Design, term: Term, expr: Expr) -> FloatArray:
    """Return the weights that `expr` states, not normalised, (G,) or (G, ...)."""
    match expr:
        case Name(id="n", quoted=False):
            return group_rows(design)
        case Name(id="equal", quoted=False):
            return np.ones(len(_grouping(design)))
        case Name(id="precision", quoted=False):
            return _precision(design, term)
        case Name():
            return _column(design, expr)
        case Call(name="sum"):
            return _sum(design, expr)
        case Call() if (scheme := design.language.meaning("weight scheme", expr.name)) is not None:
            return _by_scheme(design, expr, scheme)
        case Map():
            return _map(expr, _grouping(design).labels, _grouping(design).name)
        case Sequence():
            return _list(expr, _grouping(design).labels, _grouping(design).name)
        case _:
            raise FormulaError(
                f"`{canonical(expr)}` is not a way to weight groups",
                expr.span,
                "use n, equal, precision, sum(column), a column, {A: 0.3, B: 0.7} or [0.3, 0.7]",
            )


def group_rows(design: Design) -> FloatArray:
    """Return the number of rows of each group, with a row of frequency weight w as w rows, (G,)."""
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

    It is proportional to the inverse sampling variance of the group's coefficient; a row with a known standard error
    weighs by its inverse variance.
    """
    terms = design.predictor.per_group
    columns = stack(terms, design.rows.used)
    information = partial_ss(columns, _grouping(design), design.precisions)  # (G, p)
    start = sum(other.columns.shape[1] for other in terms[: terms.index(term)])
    own = information[:, start : start + term.columns.shape[1]]
    return own.reshape((len(own), *term.shape))


def _values(design: Design, name: Name) -> FloatArray:
    if name.id in design.weight_columns:
        return design.weight_columns[name.id]
    if design.frame is None:
        known = listed(design.weight_columns) if design.weight_columns else "none"
        message = f"the data are gone, and `{name.id}` is not among the columns kept for weights ({known})"
        hint = "put the contrast into the formula, and fit again"
        raise FormulaError(message, name.span, hint)
    return design.frame.weights(name, design.language)


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
        raise FormulaError("`sum(...)` takes the name of one column", name.span, "compute it first")
    return _not_negative(_sums(design, _values(design, name)), f"sum({name.id})", _grouping(design))


def _by_scheme(design: Design, call: Call, scheme: WeightScheme) -> FloatArray:
    """Return the weights of an extension's weight scheme, not normalised."""
    grouping = _grouping(design)
    counts = np.ones(design.rows.used) if design.row_weights is None else design.row_weights
    columns = [_values(design, name) for name in call.args if isinstance(name, Name)]
    options = given_options(call, scheme.options)
    values = scheme.values(Groups(grouping.labels, grouping.codes, counts), columns, options)
    return _not_negative(values, canonical(call), grouping)


def _not_negative(values: FloatArray, what: str, grouping: Grouping) -> FloatArray:
    bad = [label for label, value in zip(grouping.labels, values, strict=True) if not value >= 0]
    if bad:
        raise DataError(
            f"The weights `{what}` are negative or missing in {len(bad)} of {len(grouping)} groups: "
            f"{listed(bad)}. Weights are zero or more."
        )
    return values


def _map(given: Map, labels: tuple[str, ...], whose: str) -> FloatArray:
    """Return the weights of ``{A: 0.3, B: 0.7}`` in the order of `labels`, each of which must occur once."""
    values: dict[int, float] = {}
    for entry in given.entries:
        place = position_of(entry.level, labels, f"`{whose}`")
        if place in values:
            message = f"`{labels[place]}` has two weights"
            raise FormulaError(message, entry.span, "keep one of them")
        values[place] = constant(entry.value)
    missing = [label for place, label in enumerate(labels) if place not in values]
    if missing:
        message = f"the weights leave out {listed(missing)} of `{whose}`"
        raise FormulaError(message, given.span, "give each a weight, 0 for none")
    return np.array([values[place] for place in range(len(labels))])


def _list(given: Sequence, labels: tuple[str, ...], whose: str) -> FloatArray:
    """Return the weights of ``[0.3, 0.7]``, one for each of `labels`."""
    if len(given.items) != len(labels):
        message = f"`{whose}` has {len(labels)} levels, and there are {len(given.items)} weights"
        raise FormulaError(message, given.span, f"the levels are {listed(labels)}")
    return np.array([constant(item) for item in given.items])


# --- over the levels of a factor


def level_weights(design: Design, term: Term, axis: Axis, value: Expr | None) -> Weights:
    """Return the weights of a factor's levels; ``n`` counts the rows of each level.

    Raises
    ------
    FormulaError
        If the weights are of groups, or the columns of `term` do not determine the level of each row.
    """
    expr = value if value is not None else N_ROWS
    match expr:
        case Name(id="n", quoted=False):
            raw = _level_rows(design, term, axis, expr)
        case Name(id="equal", quoted=False):
            raw = np.ones(len(axis.levels))
        case Map():
            raw = _map(expr, axis.levels, axis.name)
        case Sequence():
            raw = _list(expr, axis.levels, axis.name)
        case _:
            message = f"`{canonical(expr)}` weights groups, and `{axis.name}` is a factor"
            hint = "use n, equal, or give each level a weight: {a: 0.3, b: 0.7}"
            raise FormulaError(message, expr.span, hint)
    return Weights(canonical(expr), raw / raw.sum())


def _level_rows(design: Design, term: Term, axis: Axis, at: Expr) -> FloatArray:
    """Return the number of rows of each level, found from the codes in the term's columns."""
    if axis.coding is None or len(term.parts) > 1:
        message = f"`{term.name}` does not say how many rows each level of `{axis.name}` has"
        hint = "write `weights=equal`, or give each level a weight"
        raise FormulaError(message, at.span if at.span.end else term.span, hint)
    codes, place = np.unique(term.columns, axis=0, return_inverse=True)
    rows = np.bincount(place, weights=design.row_weights, minlength=len(codes))
    same = np.all(np.isclose(axis.coding[:, None, :], codes), axis=2)  # (k, 1, c) and (codes, c)
    return np.asarray(same @ rows, dtype=float)
