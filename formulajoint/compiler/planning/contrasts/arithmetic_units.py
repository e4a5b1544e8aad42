"""Sums of coefficients must be in one unit: under ``hierarchy(x, scale=sigma)`` the mean of x is in residual sds.

A coefficient of a group is in units of the response there, and so is sigma. ``x[A] - x.mean`` would depend on these
units; ``x[A] / sigma[A] - x.mean`` is in residual sds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from formulajoint.errors import FormulaError
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.nodes import Chain, Expr, Unary
from formulajoint.language.syntax.text import canonical


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a variable: that of the response to the power `points`; `in_sds` if it is in residual sds instead."""

    points: int
    in_sds: bool = False


POINTS, PURE, SDS = Unit(1), Unit(0), Unit(0, in_sds=True)
"""Units of coefficients and sigma; of what has no unit; of the mean and sd of a hierarchy in residual sds."""

type Units = Mapping[Expr, Unit]
"""The unit of each name in an expression."""


def check_units(expr: Expr, units: Units, sigma: Callable[[Expr], Expr | None]) -> None:
    """Raise a FormulaError if `expr` adds what is in residual sds to what is in units of the response.

    Parameters
    ----------
    expr : Expr
        Arithmetic of coefficients.
    units : mapping of Expr to Unit
        Of each name in it.
    sigma : callable
        Function from an effect to the residual sd of its rows; None if no name has it.
    """
    mixed = next(_mixed_sums(expr, units), None)
    if mixed is None:
        return
    names = _names(mixed, units)
    in_sds = next(name for name in names if units[name].in_sds)
    others = [canonical(name) for name in names if units[name] == POINTS]
    message = f"`{canonical(in_sds)}` is in residual sds, but `{others[0]}` is in units of the response"
    raise FormulaError(message, mixed.span, _advice(mixed, units, sigma))


def _mixed_sums(expr: Expr, units: Units) -> Iterator[Chain]:
    """Yield the sums in `expr` whose parts are in different units, the innermost first."""
    for part in _parts(expr, units):
        yield from _mixed_sums(part, units)
    if isinstance(expr, Chain) and expr not in units and expr.operators[0] in ("+", "-"):
        powers = {_power(operand, units) for operand in expr.operands} - {None}
        if len(powers) > 1 and any(units[name].in_sds for name in _names(expr, units)):
            yield expr


def _power(expr: Expr, units: Units) -> float | None:
    """Return the power of the response's unit; None for numbers, which can be in any, and where it is not known."""
    if expr in units:
        return units[expr].points
    parts = _parts(expr, units)
    powers = [_power(part, units) for part in parts]
    if not isinstance(expr, Chain) or expr.operators[0] in ("+", "-"):
        return next((power for power in powers if power is not None), None)
    if expr.operators[0] == "^":
        known = len(parts) == 2 and not _names(parts[1], units) and powers[0] is not None
        return (powers[0] or 0) * constant(parts[1]) if known else None
    signs = (1, *(-1 if operator == "/" else 1 for operator in expr.operators))
    found = [sign * power for sign, power in zip(signs, powers, strict=True) if power is not None]
    return sum(found) if found else None


def _names(expr: Expr, units: Units) -> list[Expr]:
    """Return the names of variables in `expr`."""
    return [expr] if expr in units else [n for part in _parts(expr, units) for n in _names(part, units)]


def _parts(expr: Expr, units: Units) -> tuple[Expr, ...]:
    """Return the operands of `expr`; none of a name, such as ``treated:age``, or a number."""
    match expr:
        case Unary():
            return (expr.operand,)
        case Chain() if expr not in units:
            return expr.operands
    return ()


def _advice(mixed: Chain, units: Units, sigma: Callable[[Expr], Expr | None]) -> str:
    """Return what to write: the sum with each effect divided by its residual sd, where that can be written."""
    own = {name: sigma(name) for name in _names(mixed, units) if units[name] == POINTS}
    divisors = {name: sd for name, sd in own.items() if sd is not None}
    divided = _divided(mixed, divisors)
    known = {**units, **dict.fromkeys(divisors.values(), POINTS)}
    if len(divisors) < len(own) or any(True for _ in _mixed_sums(divided, known)):
        return "divide the effect of one group by the residual sd of its rows"
    return f"write `{canonical(divided)}`, which is in residual sds"


def _divided(expr: Expr, divisors: Mapping[Expr, Expr]) -> Expr:
    """Return `expr` with each name divided by its residual sd."""
    if expr in divisors:
        return Chain(("/",), (expr, divisors[expr]), expr.span)
    match expr:
        case Unary():
            return replace(expr, operand=_divided(expr.operand, divisors))
        case Chain():
            return replace(expr, operands=tuple(_divided(operand, divisors) for operand in expr.operands))
    return expr
