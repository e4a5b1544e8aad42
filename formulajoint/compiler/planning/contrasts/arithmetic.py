"""``contrast(...)``: arithmetic of coefficients, with each name resolved to a variable of the model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import ArithmeticPlan, Cells
from formulajoint.compiler.names import Names
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.compiler.planning.contrasts.arithmetic_units import POINTS, PURE, SDS, Unit, check_units
from formulajoint.compiler.planning.contrasts.node_names import node_name
from formulajoint.compiler.planning.contrasts.response import response_effects
from formulajoint.compiler.planning.contrasts.scale import RESPONSE
from formulajoint.compiler.residual_sds import sigma_of_groups
from formulajoint.design.level_lookup import level_named
from formulajoint.design.references import Reference, at_zero, dims_of, places_of, resolve_reference
from formulajoint.design.schema import Term
from formulajoint.design.values import LARGEST
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.nodes import (
    Chain,
    Expr,
    Index,
    Name,
    Number,
    Rest,
    Subscript,
    Unary,
    walk,
)
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.language import Language
from formulajoint.spec.read import parse_factor
from formulajoint.spec.spec import Arithmetic
from formulajoint.wording import listed


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The variable of a name: its dims in the model, and the names and labels of these axes in formulas.

    `unit` is that in which it is estimated. `size` is 1 for a coefficient, and 0 for a constant and a family
    parameter, which is never near zero.
    """

    variable: str
    stem: str
    dims: tuple[str, ...]
    axes: Mapping[str, tuple[str, ...]]
    unit: Unit
    size: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A name in the arithmetic: its variable, and the level's position on each axis where one level is selected."""

    found: Found
    places: Mapping[str, int]

    @property
    def kept(self) -> list[str]:
        """The axes with all levels selected."""
        return [axis for axis in self.found.axes if axis not in self.places]


def plan_arithmetic(plan: Plan, clause: Arithmetic, expr: Expr, names: Names) -> ArithmeticPlan:
    """Return the node of one expression of a ``contrast(...)`` clause.

    Operands are matched by the names of their dims; an operand that lacks a dim is repeated along it.

    Raises
    ------
    FormulaError
        If a name is not a variable, dims have different levels, or there is no coefficient.
    """
    asked, expr = expr, _with_zeros(plan, expr)
    reads = {part: _read(plan, part) for part in references(expr)}
    if not reads and any(True for _ in references(asked)):
        message = f"`{canonical(asked)}` is always zero, because it names reference levels only"
        raise FormulaError(message, asked.span, "compare other levels with them")
    if not reads:
        message = f"`{canonical(expr)}` has no coefficient in it"
        hint = "write arithmetic of coefficients, such as `treatment[A] - treatment[B]`"
        raise FormulaError(message, expr.span, hint)
    _check_numbers(expr)
    _magnitude(expr)
    units = {part: read.found.unit for part, read in reads.items()}
    check_units(expr, units, lambda part: _sigma(plan, reads[part]))
    axes = _axes(plan, reads)
    spelled = {
        axis: dim
        for read in reads.values()
        for axis, dim in zip(read.found.axes, read.found.dims, strict=True)
    }
    stems = dict.fromkeys(read.found.stem for read in reads.values())
    coefficients = [
        _in_mean(plan, part, read) for part, read in reads.items() if clause.scale.value == RESPONSE
    ]
    response = response_effects(plan, coefficients, clause.scale)
    return ArithmeticPlan(
        name=node_name(clause, "_".join([*stems, *([RESPONSE] if response else [])]), names),
        dims=tuple(spelled[axis] for axis in axes),
        text=canonical(asked),
        expr=expr,
        cells={part: _cells(read, axes) for part, read in reads.items()},
        degree=_degree(expr, reads),
        response=response,
    )


def _in_mean(plan: Plan, expr: Expr, read: Read) -> Coefficient:
    """Return the coefficient of the mean that a name is, or raise a FormulaError: others have no effect of a column."""
    found = next((c for c in plan.mean.coefficients if c.name == read.found.variable), None)
    if found is None:
        message = f"`{canonical(expr)}` is not a coefficient of the mean, so it has no effect on the response"
        raise FormulaError(message, expr.span, "name coefficients only, or leave `scale=response` out")
    return found


def each_predictor(plan: Plan, clause: Arithmetic, expr: Expr) -> tuple[Expr, ...]:
    """Return `expr`, or, if it contains ``.``, one expression per per-group predictor except the intercept.

    Raises
    ------
    FormulaError
        If there is no such predictor.
    """
    if not any(isinstance(part, Rest) for part in walk(expr)):
        return (expr,)
    grouping = plan.design.predictor.grouping
    slopes = [term for term in plan.design.predictor.per_group if term.name != "Intercept"]
    if grouping is None or not slopes:
        message = (
            "`.` stands for the predictors with a coefficient in each group; this formula has no such term"
        )
        raise FormulaError(message, clause.span, "name the coefficients")
    written = [(_expression(term, plan.design.language), term) for term in slopes]
    return tuple(_with_term(expr, of, grouping.name if term.factors else None) for of, term in written)


def _expression(term: Term, language: Language) -> Expr:
    """Return the term as a formula writes it."""
    factors = [parse_factor(part, language) for part in term.parts]
    return factors[0] if len(factors) == 1 else Chain((":",) * (len(factors) - 1), tuple(factors))


def _with_term(expr: Expr, term: Expr, group: str | None) -> Expr:
    """Return `expr` with `term` for ``.``; if `group` is given, a single level is one of `group`."""
    match expr:
        case Subscript(of=Rest(), indices=(Index(dim=None) as only,)):
            return replace(expr, of=term, indices=(replace(only, dim=group),))
        case Subscript(of=Rest()):
            return replace(expr, of=term)
        case Unary():
            return replace(expr, operand=_with_term(expr.operand, term, group))
        case Chain():
            operands = tuple(_with_term(operand, term, group) for operand in expr.operands)
            return replace(expr, operands=operands)
    return expr


def references(expr: Expr) -> Iterator[Expr]:
    """Yield every reference to a coefficient in the arithmetic, with its levels."""
    match expr:
        case Number():
            return
        case Unary():
            yield from references(expr.operand)
        case Chain() if expr.operators[0] != ":":
            for operand in expr.operands:
                yield from references(operand)
        case _:
            yield expr


def _check_numbers(expr: Expr) -> None:
    """Raise a FormulaError for a number that is not finite, or a division by zero."""
    if any(True for _ in references(expr)):
        match expr:
            case Unary():
                _check_numbers(expr.operand)
            case Chain() if expr.operators[0] != ":":
                for operator, operand in zip(("", *expr.operators), expr.operands, strict=True):
                    _check_numbers(operand)
                    if operator == "/" and _is_zero(operand):
                        raise FormulaError("this divides by zero", operand.span, "leave the contrast out")
        return
    constant(expr)


def _is_zero(expr: Expr) -> bool:
    return not any(True for _ in references(expr)) and constant(expr) == 0


def _magnitude(expr: Expr) -> float:
    """Return the log10 of the numbers that multiply the coefficients, or raise a FormulaError if it is far from 0."""
    if not any(True for _ in references(expr)):
        value = abs(constant(expr))
        return math.log10(value) if value else -math.inf
    match expr:
        case Unary():
            return _magnitude(expr.operand)
        case Chain() if expr.operators[0] != ":":
            return _within_bounds(expr, _folded(expr))
    return 0.0


def _folded(chain: Chain) -> float:
    """Return the log10 of the numbers that multiply the coefficients of a chain."""
    total, *others = map(_magnitude, chain.operands)
    if chain.operators[0] == "^":
        power = _exponent(chain)
        return 0.0 if any(True for _ in references(power)) else total * constant(power)
    for operator, other in zip(chain.operators, others, strict=True):
        if operator in "*/":
            total = _within_bounds(chain, total + (other if operator == "*" else -other))
        else:
            total = max(total, other)
    return total


def _within_bounds(expr: Expr, magnitude: float) -> float:
    if math.isfinite(magnitude) and abs(magnitude) > math.log10(LARGEST):
        bound = f"large to compute with (above {LARGEST:g})"
        if magnitude < 0:
            bound = f"small to compute with (below {1 / LARGEST:g})"
        raise FormulaError(f"the numbers in `{canonical(expr)}` are together too {bound}", expr.span)
    return magnitude


# --- names


def _with_zeros(plan: Plan, expr: Expr) -> Expr:
    """Return `expr` with 0 for each effect at a reference level, which has no coefficient."""
    match expr:
        case Unary():
            return replace(expr, operand=_with_zeros(plan, expr.operand))
        case Chain() if expr.operators[0] != ":":
            return replace(expr, operands=tuple(_with_zeros(plan, operand) for operand in expr.operands))
        case Subscript() if _parameter(plan, expr.of) is None and at_zero(plan.design, expr):
            return Number("0", expr.span)
    return expr


def _read(plan: Plan, expr: Expr) -> Read:
    target = expr.of if isinstance(expr, Subscript) else expr
    found = _parameter(plan, target) or _coefficient(plan, target)
    if not isinstance(expr, Subscript):
        return Read(found, {})
    return Read(found, places_of(expr, canonical(target), found.axes, plan.design))


def _parameter(plan: Plan, expr: Expr) -> Found | None:
    """Return the family parameter that `expr` names, such as ``sigma``, or None; it has one value, or one per group."""
    if not isinstance(expr, Name) or expr.quoted:
        return None
    part = plan.scale(expr.id)
    if part is None or any(term.name == expr.id for term in plan.design.predictor.terms):
        return None
    axes = {} if part.grouping is None else {part.grouping.name: part.grouping.labels}
    unit = POINTS if part is plan.spread else PURE
    return Found(part.name, part.name, part.dims, axes, unit, size=0)


def _sigma(plan: Plan, read: Read) -> Expr | None:
    """Return the residual sd of the rows of an effect, for all groups if they are; None if no name has it."""
    sigma, grouping, of_groups = plan.spread, plan.design.predictor.grouping, sigma_of_groups(plan)
    if sigma is None or grouping is None or read.found.variable == sigma.name:
        return None
    own, place = Name(sigma.parameter), read.places.get(grouping.name)
    if of_groups is None or sigma.grouping is None:
        return own
    if place is not None:
        level = level_named(sigma.grouping.labels[of_groups[place]])
        return Subscript(own, (Index(level),))
    return own if sigma.grouping.labels == grouping.labels else None


def _coefficient(plan: Plan, expr: Expr) -> Found:
    reference = resolve_reference(plan.design, expr)
    part = next(
        part
        for part in plan.parameters
        if isinstance(part, LinearPlan) and part.predictor is reference.predictor
    )
    coefficient = next(c for c in part.coefficients if c.term is reference.term)
    if reference.part == "coefficient":
        constant_ = coefficient.prior is not None and coefficient.prior.constant is not None
        axes = dims_of(reference.predictor, reference.term)
        unit = POINTS if part is plan.mean else PURE
        return Found(coefficient.name, coefficient.name, coefficient.dims, axes, unit, 0 if constant_ else 1)
    return _hierarchy(plan, part, reference)


def _hierarchy(plan: Plan, part: LinearPlan, reference: Reference) -> Found:
    """Return the mean or the sd of a hierarchy."""
    pool, term = next((p, t) for p in part.pools for t in p.terms if t.coefficient.term is reference.term)
    unit = PURE if part is not plan.mean else SDS if pool.request.in_sds else POINTS
    name, prior = (term.mean_name, term.mean) if reference.part == "mean" else (term.sd_name, term.sd)
    axes = {factor.name: factor.labels for factor in reference.term.factors}
    return Found(name, name, term.dims, axes, unit, 1 if prior.constant is None else 0)


# --- dims


def _axes(plan: Plan, reads: Mapping[Expr, Read]) -> tuple[str, ...]:
    """Return the axes of the node: the groups first, then the others in order of appearance."""
    labels: dict[str, tuple[str, ...]] = {}
    for expr, read in reads.items():
        for axis in read.kept:
            if labels.setdefault(axis, read.found.axes[axis]) != read.found.axes[axis]:
                message = f"the levels of {listed([axis])} are not the same throughout"
                raise FormulaError(message, expr.span, "name the levels one by one")
    grouping = plan.design.predictor.grouping
    first = [grouping.name] if grouping is not None and grouping.name in labels else []
    return tuple(dict.fromkeys([*first, *labels]))


def _cells(read: Read, axes: tuple[str, ...]) -> Cells:
    """Return the selected cells of a variable, laid along `axes`."""
    own = list(read.found.axes)
    gone = [axis for axis in own if axis in read.places]
    kept = [axis for axis in axes if axis in read.kept]
    index: list[int | slice | None] = [read.places[axis] for axis in gone]
    index += [slice(None) if axis in kept else None for axis in axes]
    return Cells(read.found.variable, tuple(own.index(axis) for axis in (*gone, *kept)), tuple(index))


# --- moments


def _degree(expr: Expr, reads: Mapping[Expr, Read]) -> float:
    """Return the largest number of coefficients multiplied in a term of `expr`; infinite if one divides."""
    match expr:
        case Number():
            return 0
        case Unary():
            return _degree(expr.operand, reads)
        case Chain(operators=("^", *_)) if expr not in reads:
            return _degree_of_power(expr, reads)
        case Chain(operators=("*" | "/", *_)) if expr not in reads:
            first, *others = (_degree(operand, reads) for operand in expr.operands)
            steps = zip(expr.operators, others, strict=True)
            return first + sum(math.inf if op == "/" and degree else degree for op, degree in steps)
        case Chain() if expr not in reads:
            return max(_degree(operand, reads) for operand in expr.operands)
    return reads[expr].found.size


def _degree_of_power(chain: Chain, reads: Mapping[Expr, Read]) -> float:
    exponent, degree = _exponent(chain), _degree(chain.operands[0], reads)
    if any(True for _ in references(exponent)):
        return math.inf
    power = constant(exponent)
    return degree * power if power >= 0 else (math.inf if degree else 0)


def _exponent(power: Chain) -> Expr:
    """Return all that stands behind the first ``^``."""
    _, *rest = power.operands
    return rest[0] if len(rest) == 1 else replace(power, operators=power.operators[1:], operands=tuple(rest))
