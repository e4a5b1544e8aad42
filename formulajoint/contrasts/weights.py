"""``weights=``: the weight of each group in an average.

Shapes: N rows, G groups. All weights are normalised to sum to one over the groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.precision import products
from formulajoint.contrasts.schemes import SCHEMES, Groups
from formulajoint.data.data import Data
from formulajoint.data.least_squares import partial_ss
from formulajoint.data.rows import cells_of, frequencies
from formulajoint.design.level_lookup import position_of
from formulajoint.design.references import Axis
from formulajoint.design.schema import Design, Grouping, Term
from formulajoint.errors import BugError, DataError, FormulaError
from formulajoint.language.syntax.nodes import Level, Name
from formulajoint.language.syntax.text import canonical
from formulajoint.spans import Span
from formulajoint.spec.spec import (
    ByColumn,
    ByLevel,
    ByPrecision,
    ByRows,
    ByScheme,
    BySum,
    Equal,
    Given,
    InOrder,
    Uncertain,
    Weighting,
)
from formulajoint.wording import listed


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
    products : tuple of (A, p, p, G) arrays
        For precision weights where a group's rows have several residual sds: cross-products by residual sd for each
        column of the term (``precision.py``). `values` are then the weights if all were the same.
    """

    scheme: str
    values: FloatArray
    over_sigma: bool = False
    counts: FloatArray | None = None
    products: tuple[FloatArray, ...] = ()


def weights_of(
    design: Design,
    data: Data,
    term: Term,
    asked: Given[Weighting],
    own_sigma: bool,
    added: Mapping[str, FloatArray] = MappingProxyType({}),
    divisors: FloatArray | None = None,
    several_sigmas: bool = False,
) -> Weights:
    """Return the weights of the groups that are asked for `term`.

    Parameters
    ----------
    design : Design
        With a grouping of the main predictor; its language knows the names of weight schemes.
    data : Data
        Its rows.
    term : Term
        A per-group term.
    asked : Given[Weighting]
    own_sigma : bool
        Whether the precision of what is averaged depends on a residual sd that is not the same in all groups.
    added : mapping of str to (k, m) array
        What other terms add to the effect that is averaged: ``added_at_means``.
    divisors : (G,) array, optional
        Known numbers that divide the groups' effects.
    several_sigmas : bool
        Whether rows of a group may have several residual sds.

    Raises
    ------
    FormulaError
        If a map or list does not give each group exactly one usable weight.
    DataError
        If a column's values cannot be weights.
    """
    if isinstance(asked.value, Uncertain):
        return _uncertain(design, data, term, asked.text, asked.value.counts)
    raw = _raw(design, data, term, asked, added)
    if divisors is not None and isinstance(asked.value, ByPrecision):
        raw = raw * (divisors / divisors.max()).reshape((-1, *[1] * (raw.ndim - 1))) ** 2
    if not np.all(raw.max(axis=0) > 0):
        raise DataError(
            f"The weights `{asked.text}` of `{term.name}` are zero in every group, "
            "so there is nothing to average. Choose other weights."
        )
    if not isinstance(asked.value, ByPrecision):
        return Weights(asked.text, _shares(raw))
    found = _products(data, term, added, raw, divisors) if several_sigmas else ()
    return Weights(asked.text, _shares(raw), over_sigma=own_sigma or several_sigmas, products=found)


def _uncertain(design: Design, data: Data, term: Term, text: str, asked: Given[Weighting]) -> Weights:
    """Return Dirichlet weights with the counts that are asked: a Bayesian bootstrap over groups."""
    counts = _raw(design, data, term, asked)
    none = [label for label, n in zip(_grouping(design).labels, counts, strict=True) if not n > 0]
    if none:
        raise DataError(
            f"`{text}` needs a count above zero in every group, and `{asked.text}` is zero in "
            f"{len(none)} of {len(counts)}: {listed(none)}."
        )
    return Weights(text, _shares(counts), counts=counts)


def _shares(raw: FloatArray) -> FloatArray:
    """Return weights that sum to one over the groups, in the same proportions; their own sum may overflow."""
    relative = raw / raw.max(axis=0)
    return relative / relative.sum(axis=0)


def _raw(
    design: Design,
    data: Data,
    term: Term,
    asked: Given[Weighting],
    added: Mapping[str, FloatArray] = MappingProxyType({}),
) -> FloatArray:
    """Return the weights that are asked, not normalised, (G,) or (G, ...)."""
    match asked.value:
        case ByRows():
            return data.rows_of(_grouping(design))
        case Equal():
            return np.ones(len(_grouping(design)))
        case ByPrecision():
            return _precision(data, term, added)
        case ByColumn(column=column):
            return _column(design, column)
        case BySum(column=column):
            grouping, values = _grouping(design), _values(design, column) * frequencies(design)
            sums = cells_of(grouping, len(values)).sums(values)
            return _not_negative(sums, f"sum({column.id})", grouping.labels, "groups")
        case ByLevel(entries=entries):
            grouping = _grouping(design)
            return _by_level(entries, grouping.labels, grouping.name, asked.span)
        case InOrder(numbers=numbers):
            grouping = _grouping(design)
            return _in_order(numbers, grouping.labels, grouping.name, asked.span)
        case ByScheme() as by:
            grouping = _grouping(design)
            groups = Groups(grouping.labels, grouping.codes, frequencies(design))
            return _by_scheme(design, by, groups, asked.text, "groups")
        case Uncertain():
            raise BugError("uncertain weights have no weights of their own")


def _grouping(design: Design) -> Grouping:
    grouping = design.predictor.grouping
    if grouping is None:
        raise DataError("There are no groups to weight. Write `| group` after the predictors.")
    return grouping


def _precision(data: Data, term: Term, added: Mapping[str, FloatArray]) -> FloatArray:
    """Return the residual sum of squares of the term's columns on the group's other columns, (G, ...).

    It is proportional to the inverse sampling variance of the group's coefficient; a row with a known standard error
    weighs by its inverse variance. With b + M c for the effect, x b + z c = x (b + M c) + (z - x M) c.
    """
    table, terms = data.by(_grouping(data.design)), data.predictor.per_group
    each = [table.of([other]) for other in terms]  # (G, m, k)
    x = table.of([term])
    each = [z - x @ added[of.name] if of.name in added else z for of, z in zip(terms, each, strict=True)]
    information = partial_ss(np.concatenate(each, axis=2))  # (G, p)
    start = sum(other.columns.shape[1] for other in terms[: terms.index(term)])
    own = information[:, start : start + term.columns.shape[1]]
    return own.reshape((len(own), *term.shape))


def _products(
    data: Data, term: Term, added: Mapping[str, FloatArray], raw: FloatArray, divisors: FloatArray | None
) -> tuple[FloatArray, ...]:
    """Return the cross-products by residual sd for each column of a term; zero in groups whose weight is zero."""
    table, groups, sigmas = data.cells()
    terms = data.predictor.per_group
    x, each = table.of([term]), [table.of([other]) for other in terms]
    each = [z - x @ added[of.name] if of.name in added else z for of, z in zip(terms, each, strict=True)]
    columns = np.concatenate(each, axis=2)
    start = sum(other.columns.shape[1] for other in terms[: terms.index(term)])
    count = len(_grouping(data.design)), int(np.max(sigmas)) + 1
    unit = np.ones(count[0]) if divisors is None else divisors / divisors.max()
    there = raw.reshape(count[0], -1) > 0
    out = []
    for j in range(term.columns.shape[1]):
        found = products(columns, groups, sigmas, count, start + j)
        size = np.max(found[:, -1, -1])
        found[:, -1] *= unit * there[:, j] / np.sqrt(size)
        found[:, :, -1] *= unit * there[:, j] / np.sqrt(size)
        out.append(found)
    return tuple(out)


def _values(design: Design, name: Name) -> FloatArray:
    if name.id in design.weight_columns:
        return design.weight_columns[name.id]
    if design.frame is None:
        known = listed(design.weight_columns) if design.weight_columns else "none"
        kept = f"`{name.id}` is not among the columns kept for weights ({known})"
        message = f"the data are no longer available, and {kept}"
        hint = "put the contrast into the formula, and fit again"
        raise FormulaError(message, name.span, hint)
    return design.frame.weights(name, design.language)


def _column(design: Design, name: Name) -> FloatArray:
    values, grouping = _values(design, name), _grouping(design)
    one = np.empty(len(grouping))
    one[grouping.codes] = values
    differing = grouping.codes[values != one[grouping.codes]]
    if len(differing):
        group = int(differing.min())
        own = values[grouping.codes == group]
        raise DataError(
            f"`weights={canonical(name)}` needs one value per group, but `{name.id}` takes {len(np.unique(own))} "
            f"values in the {len(own)} rows of {grouping.name} {grouping.labels[group]}. "
            f"Use `weights=sum({canonical(name)})` to weight by the group's sum."
        )
    return _not_negative(one, name.id, grouping.labels, "groups")


def _by_scheme(design: Design, by: ByScheme, groups: Groups, text: str, whose: str) -> FloatArray:
    """Return the weights of a weight scheme, not normalised."""
    scheme = SCHEMES.find(by.scheme, design.language)
    if scheme is None:
        raise BugError(f"no function belongs to the weight scheme `{by.scheme}`")
    columns = [_values(design, column) for column in by.columns]
    return _not_negative(scheme.values(groups, columns, dict(by.options)), text, groups.labels, whose)


def _not_negative(values: FloatArray, what: str, labels: tuple[str, ...], whose: str) -> FloatArray:
    bad = [label for label, value in zip(labels, values, strict=True) if not value >= 0]
    if bad:
        raise DataError(
            f"The weights `{what}` are negative or missing in {len(bad)} of {len(labels)} {whose}: "
            f"{listed(bad)}. Weights are zero or more."
        )
    return values


def _by_level(
    entries: Sequence[Given[tuple[Level, float]]], labels: tuple[str, ...], whose: str, at: Span
) -> FloatArray:
    """Return the weights of ``{A: 0.3, B: 0.7}`` in the order of `labels`, each of which must occur once."""
    values: dict[int, float] = {}
    for entry in entries:
        level, weight = entry.value
        place = position_of(level, labels, f"`{whose}`")
        if place in values:
            message = f"`{labels[place]}` has two weights"
            raise FormulaError(message, entry.span, "keep one of them")
        values[place] = weight
    missing = [label for place, label in enumerate(labels) if place not in values]
    if missing:
        message = f"the weights leave out {listed(missing)} of `{whose}`"
        raise FormulaError(message, at, "give each a weight, 0 for none")
    return np.array([values[place] for place in range(len(labels))])


def _in_order(numbers: Sequence[float], labels: tuple[str, ...], whose: str, at: Span) -> FloatArray:
    """Return the weights of ``[0.3, 0.7]``, one for each of `labels`."""
    if len(numbers) != len(labels):
        message = f"`{whose}` has {len(labels)} levels, and there are {len(numbers)} weights"
        raise FormulaError(message, at, f"the levels are {listed(labels)}")
    return np.array(numbers)


# --- over the levels of a factor


def level_weights(design: Design, term: Term, axis: Axis, asked: Given[Weighting]) -> Weights:
    """Return the weights of a factor's levels; ``n`` counts the rows of each level, a scheme takes them as groups.

    Raises
    ------
    FormulaError
        If the weights are of groups, or the columns of `term` do not determine the level of each row.
    """
    match asked.value:
        case ByRows():
            raw = _levels(design, term, axis, asked.span).rows
        case Equal():
            raw = np.ones(len(axis.levels))
        case ByLevel(entries=entries):
            raw = _by_level(entries, axis.levels, axis.name, asked.span)
        case InOrder(numbers=numbers):
            raw = _in_order(numbers, axis.levels, axis.name, asked.span)
        case ByScheme() as by:
            levels = _levels(design, term, axis, asked.span)
            raw = _by_scheme(design, by, levels, asked.text, f"levels of `{axis.name}`")
        case _:
            message = f"`{asked.text}` weights groups, and `{axis.name}` is a factor"
            hint = "use n, equal, or give each level a weight: {a: 0.3, b: 0.7}"
            raise FormulaError(message, asked.span, hint)
    return Weights(asked.text, _shares(raw))


def _levels(design: Design, term: Term, axis: Axis, at: Span) -> Groups:
    """Return the rows by the level of a factor, found from the codes in the term's columns."""
    if axis.coding is None or len(term.parts) > 1:
        message = f"`{term.name}` does not say how many rows each level of `{axis.name}` has"
        hint = "write `weights=equal`, or give each level a weight"
        raise FormulaError(message, at if at.end else term.span, hint)
    codes, place = np.unique(term.columns, axis=0, return_inverse=True)
    same = np.all(np.isclose(axis.coding[:, None, :], codes), axis=2)  # (k, 1, c) and (codes, c)
    return Groups(axis.levels, np.argmax(same, axis=0)[place], frequencies(design))
