"""Names in a formula: the columns that an expression reads, and the name of a term."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from formulajoint.language.syntax.nodes import Call, Chain, Expr, GroupTerm, Name, Unary
from formulajoint.language.syntax.text import BARE_NAME, canonical
from formulajoint.language.vocabulary.core import FUNCTIONS
from formulajoint.language.vocabulary.signatures import Kind

INTERCEPT = "Intercept"


def plain(expr: Expr) -> Expr:
    """Return `expr` with backticks only around names that need them, so that a column has one spelling."""
    match expr:
        case Name(id=name):
            return replace(expr, quoted=name == INTERCEPT or not re.fullmatch(BARE_NAME, name))
        case Unary():
            return replace(expr, operand=plain(expr.operand))
        case Chain():
            return replace(expr, operands=tuple(map(plain, expr.operands)))
        case Call():
            keywords = tuple(replace(k, value=plain(k.value)) for k in expr.keywords)
            return replace(expr, args=tuple(map(plain, expr.args)), keywords=keywords)
    return expr


def key_of(factor: Expr) -> str:
    """Return the canonical text of a factor, its key in tables."""
    return canonical(plain(factor))


def parts_of(expr: Expr) -> list[str] | None:
    """Return the sorted factors of the term that `expr` names; empty for the intercept, None if it is not a term."""
    match expr:
        case Name(id="Intercept", quoted=False):
            return []
        case Name() | Call():
            return [key_of(expr)]
        case Chain(operators=(":", *_)):
            return sorted(map(key_of, expr.operands))
    return None


def walk(expr: Expr, groups: bool = True) -> Iterator[Expr]:
    """Yield `expr` (predictors or arithmetic of columns) and all expressions inside it, as written.

    Those of ``by=`` are left out unless `groups`.
    """
    yield expr
    match expr:
        case Unary():
            yield from walk(expr.operand, groups)
        case Chain():
            for operand in expr.operands:
                yield from walk(operand, groups)
        case Call():
            for value in (*column_arguments(expr), *(group_arguments(expr) if groups else ())):
                yield from walk(value, groups)
        case GroupTerm():
            yield from walk(expr.predictors, groups)
            yield from expr.group.names


def columns_in(expr: Expr) -> Iterator[Name]:
    """Yield the names of columns in `expr`, with repeats."""
    yield from (part for part in walk(expr) if isinstance(part, Name))


def measured_in(expr: Expr) -> Iterator[Name]:
    """Yield the names of columns in `expr` whose values it takes: not those of ``by=``, which only make groups."""
    yield from (part for part in walk(expr, groups=False) if isinstance(part, Name))


def column_arguments(call: Call) -> Iterator[Expr]:
    """Yield the arguments of a column function that are columns, not groups, levels or codings."""
    signature = FUNCTIONS.get(call.name)
    slots = {slot.name: slot.kind for slot in signature.positional} if signature else {}
    groups = [kind is Kind.GROUP for kind in slots.values()]
    yield from (arg for place, arg in enumerate(call.args) if not any(groups[place : place + 1]))
    yield from (k.value for k in call.keywords if slots.get(k.name, Kind.GROUP) is not Kind.GROUP)


def group_arguments(call: Call) -> Iterator[Expr]:
    """Yield the arguments of a column function that are groups: ``by=school``, and the second of ``ave(x, school)``."""
    signature = FUNCTIONS.get(call.name)
    if signature is None:
        return
    slots = zip(signature.positional, call.args, strict=False)
    yield from (argument for slot, argument in slots if slot.kind is Kind.GROUP)
    named = {slot.name for slot in signature.by_name if slot.kind is Kind.GROUP}
    yield from (keyword.value for keyword in call.keywords if keyword.name in named)
