"""Evaluate numbers written as arithmetic, in floating point: ``10``, ``-2.5``, ``2^3``."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce

from formulajoint.errors import FormulaError
from formulajoint.language.syntax import nodes


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except (OverflowError, ValueError):
        return math.nan


OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if b else math.nan,
    "^": _power,
}


def constant(value: nodes.Expr) -> float:
    """Return the finite number that `value` states, or raise a FormulaError that points into `text`."""
    number = _evaluated(value)
    if not math.isfinite(number):
        raise FormulaError("this is not a finite number", value.span)
    return number


def _evaluated(value: nodes.Expr) -> float:
    match value:
        case nodes.Number():
            return value.value
        case nodes.Unary(operator=sign, operand=operand):
            return -_evaluated(operand) if sign == "-" else _evaluated(operand)
        case nodes.Chain() if set(value.operators) <= set(OPERATIONS):
            return _folded(value)
    raise FormulaError("a number is expected here", value.span)


def _folded(chain: nodes.Chain) -> float:
    total, *others = [_evaluated(operand) for operand in chain.operands]
    if chain.operators[0] == "^":
        *bases, total = [total, *others]
        return reduce(lambda exponent, base: _power(base, exponent), reversed(bases), total)
    for symbol, number in zip(chain.operators, others, strict=True):
        total = OPERATIONS[symbol](total, number)
    return total
