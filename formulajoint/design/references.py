"""Resolve names in contrast clauses to terms, levels and groups of a bound design.

A bare name with dots is read in every possible way: as a term, with its last part as the ``mean`` or ``sd`` of a
hierarchy, with its first part as a parameter. Exactly one reading must exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from formulajoint.arrays import FloatArray
from formulajoint.design.level_lookup import position_of, written
from formulajoint.design.other_parameters import of_another
from formulajoint.design.schema import Design, Factor, Predictor, Term
from formulajoint.design.varying import coefficients_of_groups, named, seen_by
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Attribute, Call, Chain, Expr, Name, Subscript, Unary
from formulajoint.language.syntax.text import canonical
from formulajoint.spec.names import INTERCEPT, columns_in, key_of, parts_of
from formulajoint.spec.spec import MAIN, Average, Comparisons, LevelContrast
from formulajoint.wording import did_you_mean, listed

type Part = Literal["coefficient", "mean", "sd"]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The target of a name: a term of a predictor, or the mean or sd of its hierarchy."""

    predictor: Predictor
    term: Term
    part: Part = "coefficient"


def resolve_reference(design: Design, expr: Expr) -> Reference:
    """Return the target of `expr`, such as ``treatment``, ``arm:x``, ``treatment.mean``, ``sigma.x``.

    Raises
    ------
    FormulaError
        If there is no such target, or more than one.
    """
    found = list(_readings(design, expr))
    if len(found) == 1:
        return found[0]
    name = canonical(expr)
    if found:
        meanings = ", or ".join(_in_words(reading) for reading in found)
        message = f"`{name}` can be read in {len(found)} ways: {meanings}"
        head, _, tail = name.rpartition(".")
        hint = f"write `` `{name}` `` for the column, `` `{head}`.{tail} `` for the other"
        if all(
            reading.predictor is found[0].predictor and reading.part == "coefficient" for reading in found
        ):
            hint = (
                f"`{name}` varies with a column for each level: write `0 + {name}` among the predictors, too"
            )
        raise FormulaError(message, expr.span, hint)
    message, hint = _unknown(design, expr)
    raise FormulaError(message, expr.span, hint)


def resolve_term(design: Design, expr: Expr) -> Term:
    """Return the term of the mean that `expr` names; an interaction's factors may be in any order."""
    if (pooled := _pooled_term(design, canonical(expr))) and not any(_readings(design, expr)):
        message = f"`{canonical(expr)}` is the table's name for a part of a hierarchy; a term is needed here"
        raise FormulaError(message, expr.span, f"write `{pooled}`")
    reference = resolve_reference(design, expr)
    if reference.part == "coefficient" and reference.predictor is design.predictor:
        return reference.term
    message = f"`{canonical(expr)}` is {_in_words(reference)}; a term of the mean is needed here"
    hint = f"write `{reference.term.name}`" if reference.predictor is design.predictor else ""
    raise FormulaError(message, expr.span, hint)


def resolve_subscript(design: Design, subscript: Subscript) -> tuple[Term, dict[str, tuple[int, ...]]]:
    """Return the term of ``term[...]`` and the selected positions by dim, in the posterior's order.

    A dim that is left out selects all of its levels.
    """
    term = resolve_term(design, subscript.of)
    dims = dims_of(design.predictor, term)
    places = places_of(subscript, term.name, dims, design)
    whole = {dim: tuple(range(len(labels))) for dim, labels in dims.items()}
    return term, whole | {dim: (place,) for dim, place in places.items()}


def places_of(
    subscript: Subscript,
    name: str,
    dims: Mapping[str, tuple[str, ...]],
    design: Design | None = None,
) -> dict[str, int]:
    """Return the position of each level in ``name[...]``, by dim.

    Parameters
    ----------
    subscript : Subscript
    name : str
    dims : mapping of str to tuple of str
        The dims of `name` with their labels.
    design : Design, optional
        For errors: the levels of which no row is used, and the factors over whose groups `name` varies.
    """
    if not dims:
        message = f"`{name}` is a single coefficient, and has no levels"
        more = () if design is None else coefficients_of_groups(design.predictor, name).values()
        raise FormulaError(message, subscript.span, "".join([f"write `{name}`", *more]))
    lost = {} if design is None else design.rows.lost
    named = [index for index in subscript.indices if index.dim is not None]
    if not named and len(subscript.indices) != len(dims):
        raise _incomplete(subscript, name, dims)
    places: dict[str, int] = {}
    names = [index.dim for index in named] or list(dims)
    for index, dim in zip(subscript.indices, names, strict=True):
        if dim not in dims:
            message = f"`{name}` has no dim `{dim}`"
            hint = did_you_mean(str(dim), dims) or f"it has {listed(dims)}"
            raise FormulaError(message, index.span, hint)
        if index.level.text in lost.get(str(dim), ()) and index.level.text not in dims[str(dim)]:
            message = f"this fit has no row of {dim} `{index.level.text}`: all of its rows were dropped"
            raise FormulaError(
                message, index.level.span, "each of its rows misses a value of a column, or has weight zero"
            )
        places[str(dim)] = position_of(index.level, dims[str(dim)], f"`{dim}`")
    return places


def dims_of(predictor: Predictor, term: Term) -> dict[str, tuple[str, ...]]:
    """Return the dims of a term's coefficient with their labels: the group first, then the term's factors."""
    grouping = next(
        block.grouping for block in predictor.blocks if any(term is other for other in block.terms)
    )
    dims = {} if grouping is None else {grouping.name: grouping.labels}
    return dims | {factor.name: factor.labels for factor in term.factors}


def check_references(design: Design) -> None:
    """Check every term, level and group that the formula's contrast clauses refer to.

    Names in ``contrast(...)`` are checked when the model is planned, since they may be parameters of the family.
    """
    for question in design.spec.questions:
        match question:
            case Comparisons():
                for comparison in question.comparisons:
                    _check_effect(seen_by(design, question), comparison)
            case Average() | LevelContrast():
                for term in question.terms:
                    resolve_term(seen_by(design, question), term)


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The axis that a family of contrasts compares: the groups, or a factor's levels.

    Attributes
    ----------
    name : str
        The grouping or the factor.
    place : int
        Position of the axis among those of the coefficient.
    levels : tuple of str
    coding : (k, c) array or None
        From a factor's c coefficients to its k levels; None if each level has its own coefficient.
    order : tuple of int
        Positions of the levels in their natural order.
    """

    name: str
    place: int
    levels: tuple[str, ...]
    coding: FloatArray | None
    order: tuple[int, ...]


def compared(design: Design, term: Term, asked: LevelContrast) -> Axis:
    """Return the axis that a family of contrasts compares: ``over=``, or the term's one factor, or the groups."""
    every, over = dims_of(design.predictor, term), asked.over
    at = asked.span if over is None else over.span
    factors = [factor for factor in term.factors if not factor.curve]
    curves = {factor.name for factor in term.factors if factor.curve}
    dims = {name: labels for name, labels in every.items() if name not in curves}
    if curves and not dims:
        message = f"the coefficients of `{term.name}` are those of a curve, and no levels to compare"
        raise FormulaError(message, at, f"write `test({term.name} == 0)`: is there no curve?")
    if not dims:
        message = f"`{term.name}` is a single coefficient, so `{asked.clause}` has nothing to compare"
        raise FormulaError(message, at, "its summary is in `fit.summary()`")
    if over is not None:
        name = named(over.value)
    elif len(factors) > 1:
        hint = f"write `over=`, one of {listed(dims)}"
        raise FormulaError(f"`{term.name}` could be compared over {listed(dims)}", at, hint)
    else:
        name = factors[0].name if factors else next(iter(dims))
    if name not in dims:
        hint = did_you_mean(name, dims) or f"write {'one of ' if len(dims) > 1 else ''}{listed(dims)}"
        raise FormulaError(f"`{term.name}` does not differ by `{name}`", at, hint)
    factor = next((factor for factor in term.factors if factor.name == name), None)
    levels = dims[name] if factor is None else factor.levels or factor.labels
    if len(levels) < 2:
        message = f"`{name}` has one level only, so `{asked.clause}` has nothing to compare"
        raise FormulaError(message, at)
    grouping = design.predictor.grouping
    order = factor.order if factor is not None else () if grouping is None else grouping.order
    coding = None if factor is None else factor.coding
    return Axis(name, list(every).index(name), levels, coding, order or tuple(range(len(levels))))


def at_zero(design: Design, subscript: Subscript) -> bool:
    """Return whether ``term[...]`` is at the reference level of a factor, whose effect is zero by construction.

    A reference level has no coefficient. All named levels are checked.
    """
    reference = resolve_reference(design, subscript.of)
    if reference.term.joined:
        message = (
            f"`{reference.term.name}` has no coefficient for each cell: some are differences from other terms"
        )
        hint = "`pairwise(...)` and its like compare the cells; with `0 +` each cell has a coefficient"
        raise FormulaError(message, subscript.span, hint)
    dims = dims_of(reference.predictor, reference.term)
    factors = {factor.name: factor for factor in reference.term.factors}
    if reference.part != "coefficient":
        dims = {name: dims[name] for name in factors}
    zeros = {name: labels + _zeros(factors.get(name)) for name, labels in dims.items()}
    places = places_of(subscript, canonical(subscript.of), zeros, design)
    return any(place >= len(dims[dim]) for dim, place in places.items())


def _zeros(factor: Factor | None) -> tuple[str, ...]:
    """Return the levels whose row of the coding is zero: the reference of a treatment coding."""
    if factor is None or factor.coding is None:
        return ()
    rows = zip(factor.levels, factor.coding, strict=True)
    return tuple(level for level, row in rows if level not in factor.labels and not row.any())


# --- readings


def _readings(design: Design, expr: Expr) -> Iterator[Reference]:
    """Yield every reading of `expr`."""
    yield from _terms(design.predictor, expr)
    base, part = split_part(expr)
    if base is not None:
        for reference in _readings(design, base):
            if reference.part == "coefficient" and _pooled(reference, part):
                yield replace(reference, part=part)
    if isinstance(expr, Name) and not expr.quoted:
        head, _, tail = expr.id.partition(".")
        predictor = design.parameter(head)
        if predictor and tail:
            yield from _terms(predictor, replace(expr, id=tail))


def _terms(predictor: Predictor, expr: Expr) -> Iterator[Reference]:
    """Yield the term of `predictor` that `expr` names, if there is one."""
    wanted = parts_of(expr)
    yield from (Reference(predictor, term) for term in predictor.terms if sorted(term.parts) == wanted)


def split_part(expr: Expr) -> tuple[Expr, Part] | tuple[None, Part]:
    """Return ``treatment.mean`` split into ``treatment`` and ``mean``, or None for the first if it has no such part."""
    match expr:
        case Attribute(of=of, name="mean"):
            return of, "mean"
        case Attribute(of=of, name="sd"):
            return of, "sd"
        case Name(quoted=False) if expr.id.endswith((".mean", ".sd")):
            head, _, tail = expr.id.rpartition(".")
            return replace(expr, id=head), "mean" if tail == "mean" else "sd"
        case Chain(operators=(":", *_)):
            last, part = split_part(expr.operands[-1])
            return (replace(expr, operands=(*expr.operands[:-1], last)), part) if last else (None, part)
    return None, "mean"


def _pooled(reference: Reference, part: Part = "sd") -> bool:
    """Return whether a term has a hierarchy with such a part."""
    name = reference.term.name
    pools = [hierarchy for hierarchy in reference.predictor.hierarchies if name in hierarchy.terms]
    return any(part != "mean" or name not in hierarchy.about_zero for hierarchy in pools)


def _in_words(reference: Reference) -> str:
    what = f"the coefficient of `{reference.term.name}`"
    if reference.part != "coefficient":
        what = f"the {reference.part} of the hierarchy of `{reference.term.name}`"
    parameter = reference.predictor.parameter
    return what if parameter == MAIN else f"{what} in the predictors of `{parameter}`"


def _unknown(design: Design, expr: Expr) -> tuple[str, str]:
    """Return message and hint for a name without any reading."""
    name, known = canonical(expr), [term.name for term in design.predictor.terms]
    if pooled := _pooled_term(design, name):
        return f"the formula has no term `{name}`", f"write `{pooled}.{name.rpartition('_')[2]}`"
    if _is_contrast(design, name):
        message = f"`{name}` is a contrast, which is tested after the fit"
        return message, f'leave it out here; after the fit, write `fit.test("{name} == 0")`'
    base, kind = split_part(expr)
    if base is not None and any(_pooled(reference) for reference in _readings(design, base)):
        hint = f"write `{canonical(base)}` among the predictors for a shared coefficient"
        return f"`{canonical(base)}` varies about zero, since no coefficient of it is shared", hint
    if base is not None and any(not _pooled(reference) for reference in _readings(design, base)):
        term = canonical(base)
        hint = f"`{term}` is not pooled, so it has no {kind}; `hierarchy({term})` pools it"
        return f"the formula has no term `{name}`", hint
    for factor, block in design.predictor.by_factor.items():
        if name in [term.name for term in block.terms]:
            hint = f"add `over={factor}`, or write `{name}` among the predictors for a shared coefficient"
            return f"`{name}` varies over `{factor}` about zero, since no coefficient of it is shared", hint
    predictor = design.parameter(name)
    if predictor is None:
        near = _of_these_columns(design, expr) or did_you_mean(name, known)
        hint = of_another(design, expr) or near or f"the terms are {listed(known)}"
        return f"the formula has no term `{name}`", hint
    own = [term.name for term in predictor.terms]
    if predictor.grouping is None or own != [INTERCEPT]:
        hint = f"its predictors have {listed(f'{name}.{term}' for term in own)}, for `contrast(...)`"
        return f"the formula has no term `{name}`", hint
    message = (
        f"tests and contrast families compare coefficients of the mean, and `{name}` is another parameter"
    )
    first, *others = map(written, predictor.grouping.labels)
    effect = f"{name}[{first}] - {name}[{others[0]}]" if others else f"{name}[{first}]"
    return message, f"`contrast(...)` takes it: `contrast({effect})`"


def _pooled_term(design: Design, name: str) -> str:
    """Return the pooled term whose mean or sd tables call `name`, such as ``x_mean``; empty if there is none."""
    head, _, part = name.rpartition("_")
    terms = [Reference(design.predictor, term) for term in design.predictor.terms if term.name == head]
    return head if part in ("mean", "sd") and any(_pooled(reference) for reference in terms) else ""


def _of_these_columns(design: Design, expr: Expr) -> str:
    """Return the hint that names the one term of the columns in `expr`: ``C(arm, ref="b")`` for ``arm``."""
    columns = {name.id for name in columns_in(expr)}
    found = [term.name for term in design.predictor.terms if set(term.variables) == columns]
    return f"write `{found[0]}`" if columns and len(found) == 1 else ""


def _is_contrast(design: Design, name: str) -> bool:
    """Return whether a contrast of the formula has this name."""
    asked = [question for question in design.spec.questions if not isinstance(question, Comparisons)]
    given = {question.name.value for question in asked if question.name is not None}
    clauses = [f"{question.clause}_{term.name}" for question in asked for term in design.predictor.terms]
    return name in given or name in clauses


# --- checks


def _check_effect(design: Design, expr: Expr) -> None:
    match expr:
        case Subscript():
            resolve_term(design, expr.of)
            at_zero(design, expr)
        case Name() | Call() | Attribute() | Chain(operators=(":", *_)):
            resolve_reference(design, expr)
        case Unary():
            _check_effect(design, expr.operand)
        case Chain():
            for operand in expr.operands:
                _check_effect(design, operand)


def _incomplete(subscript: Subscript, name: str, dims: Mapping[str, tuple[str, ...]]) -> FormulaError:
    """Return the error for too few or too many levels without dim, with both correct spellings."""
    given = [index.level.text for index in subscript.indices]
    levels = "one level" if len(given) == 1 else f"{len(given)} levels"
    message = (
        f"`{name}` has a coefficient for each {' and '.join(f'`{dim}`' for dim in dims)}, not for {levels}"
    )
    chosen = _example(dims, given)
    bare = ", ".join(chosen.values())
    keys = {dim: key_of(Name(dim)) for dim in dims}
    named = ", ".join(f"{keys[dim]}={level}" for dim, level in chosen.items())
    written_name = canonical(subscript.of)
    fitting = [dim for dim in dims if len(given) == 1 and given[0] in dims[dim]]
    if len(fitting) == 1 and len(dims) == 2:
        (dim,) = fitting
        (other,) = dims.keys() - {dim}
        part = f"{written_name}[{keys[dim]}={written(given[0])}]"
        hint = f"write `{part}` for every `{other}`, or `{written_name}[{bare}]`"
        return FormulaError(message, subscript.span, hint)
    hint = (
        f"write `{written_name}[{named}]`, a dim left out meaning all its levels, or `{written_name}[{bare}]`"
    )
    return FormulaError(message, subscript.span, hint)


def _example(dims: Mapping[str, tuple[str, ...]], given: Sequence[str]) -> dict[str, str]:
    """Return one level per dim: the given one if it fits, else the first."""
    return {dim: written(next((x for x in given if x in labels), labels[0])) for dim, labels in dims.items()}
