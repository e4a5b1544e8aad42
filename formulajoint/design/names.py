"""Names in a formula: the columns that an expression reads, and the name of a term."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from formulajoint.errors import FormulaError
from formulajoint.language.formula import Formula
from formulajoint.language.syntax.nodes import Call, Chain, Clause, Expr, GroupTerm, Name, Unary
from formulajoint.language.syntax.text import BARE_NAME, canonical
from formulajoint.language.vocabulary.core import CLAUSES, FUNCTIONS
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.signatures import arguments
from formulajoint.wording import did_you_mean, listed

INTERCEPT = "Intercept"

OPTIONS = ("hierarchy", "family", "prior", "se", "weights", "missing")
"""Clauses that define the model; every other clause in call form is a contrast or a test."""


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


def walk(expr: Expr) -> Iterator[Expr]:
    """Yield `expr` (predictors or arithmetic of columns) and all expressions inside it, as written."""
    yield expr
    match expr:
        case Unary():
            yield from walk(expr.operand)
        case Chain():
            for operand in expr.operands:
                yield from walk(operand)
        case Call():
            for value in column_arguments(expr):
                yield from walk(value)
        case GroupTerm():
            yield from walk(expr.predictors)
            yield from expr.group.names


def columns_in(expr: Expr) -> Iterator[Name]:
    """Yield the names of columns in `expr`, with repeats."""
    yield from (part for part in walk(expr) if isinstance(part, Name))


def column_arguments(call: Call) -> Iterator[Expr]:
    """Yield the arguments of a column function that are columns, not levels or codings."""
    yield from call.args
    signature = FUNCTIONS.get(call.name)
    slots = {slot.name for slot in signature.positional} if signature else set()
    yield from (keyword.value for keyword in call.keywords if keyword.name in slots)


def calls(formula: Formula, *names: str) -> Iterator[Call]:
    """Yield the clauses in call form with one of `names`, in the order written."""
    yield from (c.call for c in formula.clauses if isinstance(c, Clause) and c.name in names)


def contrast_calls(formula: Formula) -> Iterator[Call]:
    """Yield the clauses that state a contrast or a test."""
    yield from (c.call for c in formula.clauses if isinstance(c, Clause) and c.name not in OPTIONS)


def only_argument(call: Call) -> Expr:
    """Return the argument of a clause that takes exactly one."""
    (value,) = arguments(call, CLAUSES[call.name]).values()
    return value


def column_of(formula: Formula, clause: str) -> Name | None:
    """Return the column in a clause such as ``weights(n)`` or ``se(s)``, or None if the formula lacks the clause."""
    named = (only_argument(call) for call in calls(formula, clause))
    return next((value for value in named if isinstance(value, Name)), None)


def weight_columns(call: Call) -> Iterator[Name]:
    """Yield the columns that weight the groups in a contrast clause."""
    weights = call.keyword("weights")
    if isinstance(weights, Call) and weights.name == "dirichlet":
        weights = next(column_arguments(weights), None)
    if isinstance(weights, Call):
        yield from (value for value in weights.args if isinstance(value, Name))
    if isinstance(weights, Name) and (weights.quoted or weights.id not in ("n", "equal", "precision")):
        yield weights


def require_known(name: Name, known: Iterable[str], language: Language) -> None:
    """Raise a FormulaError unless `name` is among the columns `known`; `language` serves the hint."""
    known = tuple(known)
    if name.id not in known:
        raise FormulaError(f"the data have no column `{name.id}`", name.span, _hint(name.id, known, language))


def _hint(name: str, known: tuple[str, ...], language: Language) -> str:
    schemes = language.names["weight scheme"]
    if name in schemes:
        return f"`{name}` is a way to weight groups: write `weights={schemes[name].usage(name)}`"
    near = did_you_mean(name, known)
    if near:
        return near
    if name in FUNCTIONS:
        return f"`{name}` is a function of columns: write `{FUNCTIONS[name].usage(name)}`"
    if name in CLAUSES:
        return f"`{name}` is a clause and stands after a comma: `, {CLAUSES[name].usage(name)}`"
    return f"the columns are {listed(known)}"
