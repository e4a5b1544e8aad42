"""Read references to coefficients: terms, arithmetic of coefficients, hypotheses. All stay expressions."""

from __future__ import annotations

from math import inf

from formulajoint.errors import FormulaError
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.text import COMPARE, RANK, canonical
from formulajoint.language.vocabulary.signatures import Kind, Slot
from formulajoint.spec.arguments import Context, described
from formulajoint.spec.predictors import check_term_call

ARITHMETIC = ("+", "-", "*", "/", "^")


def read_term(context: Context, slot: Slot, value: nodes.Expr) -> nodes.Expr:
    """Return a term of the model: ``treatment``, ``arm:x``, ``poly(x, 2)``, ``Intercept``."""
    match value:
        case nodes.Name():
            pass
        case nodes.Call():
            check_term_call(context, value)
        case nodes.Chain(operators=(":", *_)):
            for operand in value.operands:
                _check_part(context, operand)
        case _:
            raise _no_term(slot, value)
    return value


def _check_part(context: Context, value: nodes.Expr) -> None:
    """Check one side of the ``:`` of an interaction."""
    match value:
        case nodes.Name():
            return
        case nodes.Call():
            check_term_call(context, value)
        case nodes.Subscript() | nodes.Attribute():
            hint = "put it after the whole interaction: `x:z[A]`, `(x:z).mean`"
            raise FormulaError(f"{described(value)} cannot be a part of an interaction", value.span, hint)
        case nodes.Chain(operators=("^", *_)) if isinstance(value.operands[0], nodes.Subscript):
            hint = "put parentheses round the coefficient: `(x:z[A])^2`"
            raise FormulaError("`^` binds more tightly than `:`", value.span, hint)
        case _:
            raise FormulaError(f"{described(value)} cannot be a part of an interaction", value.span)


def _no_term(slot: Slot, value: nodes.Expr) -> FormulaError:
    """Return the error for an expression that does not name a term."""
    message, hint = f"the name of a term is expected here, not {described(value)}", ""
    match value:
        case nodes.Chain(operators=("+" | "-" | "*" | "/" | "^", *_)):
            message, hint = _algebra(slot, value)
        case nodes.Chain(operators=("==",), operands=(nodes.Name(id=name), other)):
            hint = f"an argument has one `=`: `{name}={canonical(other)}`"
        case nodes.Chain() if RANK[value.operators[0]] == COMPARE:
            hint = f"write `test({canonical(value)})`"
        case nodes.Chain(operators=("%in%", *_)):
            hint = f"the term is called `{':'.join(map(canonical, value.operands))}`"
        case nodes.Number(text="1" | "0"):
            message, hint = "a number is not a term", "the intercept is called `Intercept`"
        case nodes.Subscript():
            hint = f"write `contrast({canonical(value)})` for single coefficients"
        case nodes.Distributed():
            message, hint = (
                "a distribution is allowed only inside `prior(...)`",
                f"write `prior({canonical(value)})`",
            )
        case nodes.GroupTerm():
            hint = "a group term belongs to the predictors, left of the first comma"
        case nodes.Text(value=text):
            hint = f"the name `{text}` stands without quotes, or in backticks"
        case nodes.Rest():
            hint = "without any term, all terms are meant"
    return FormulaError(message, value.span, hint)


def _algebra(slot: Slot, value: nodes.Chain) -> tuple[str, str]:
    """Return the message and the hint for terms joined by ``+``, ``*`` and the like."""
    if slot.kind is Kind.PRIOR:
        return "a prior is on one term", "give each term a prior of its own, separated by commas"
    message = "terms are listed with commas, not joined by algebra"
    if set(value.operators) == {"+"}:
        return message, f"write `{_commas(value)}`"
    return message, "name each term, as in `a, b, a:b`"


def _commas(value: nodes.Chain) -> str:
    names = ["Intercept" if op == nodes.Number("1") else canonical(op) for op in value.operands]
    return ", ".join(name for name in names if name != "0")


def read_effect(context: Context, slot: Slot, value: nodes.Expr) -> nodes.Expr:
    """Return arithmetic of coefficients: ``treatment[A] - 2 * treatment[B]``."""
    match value:
        case nodes.Number():
            pass
        case nodes.Unary():
            read_effect(context, slot, value.operand)
        case nodes.Subscript():
            of = value.of.of if isinstance(value.of, nodes.Attribute) else value.of
            if not (
                isinstance(of, nodes.Rest) and slot.kind is Kind.EFFECT
            ):  # `.[A]`: each predictor in turn
                read_term(context, slot, of)
            _check_indices(value)
        case nodes.Attribute():
            read_term(context, slot, value.of)
        case nodes.Chain() if value.operators[0] in ARITHMETIC:
            for operand in value.operands:
                read_effect(context, slot, operand)
        case nodes.Name() | nodes.Call() | nodes.Chain(operators=(":", *_)):
            read_term(context, slot, value)
        case _:
            raise _no_effect(value)
    return value


def _no_effect(value: nodes.Expr) -> FormulaError:
    message, hint = f"{described(value)} is not allowed in arithmetic of coefficients", ""
    match value:
        case nodes.Chain() if RANK[value.operators[0]] == COMPARE:
            hint = f"write `test({canonical(value)})`"
        case nodes.Text():
            hint = f"a level stands in brackets, `treatment[{canonical(value)}]`, a term without quotes"
        case nodes.Distributed():
            hint = f"write `prior({canonical(value)})`"
    return FormulaError(message, value.span, hint)


def _check_indices(reference: nodes.Subscript) -> None:
    named = [index for index in reference.indices if index.dim is not None]
    if named and len(named) < len(reference.indices):
        bare = next(index for index in reference.indices if index.dim is None)
        message = "either all levels of a coefficient are named, or none"
        raise FormulaError(message, bare.span, f"write `dim={canonical(bare)}`")
    seen: set[str | None] = set()
    for index in named:
        if index.dim in seen:
            raise FormulaError(f"`{index.dim}` is given two levels", index.span)
        seen.add(index.dim)


def read_hypothesis(context: Context, slot: Slot, value: nodes.Expr) -> nodes.Chain:
    """Return one hypothesis: a chain of equalities, or an order in one direction."""
    if not (isinstance(value, nodes.Chain) and RANK[value.operators[0]] == COMPARE):
        hint = (
            f"write `{canonical(value)} == 0`"
            if isinstance(value, nodes.Name | nodes.Subscript | nodes.Chain)
            else "such as `x == 0`"
        )
        raise FormulaError("a hypothesis must compare something", value.span, hint)
    _check_direction(value)
    for operand in value.operands:
        if isinstance(operand, nodes.Call) and _is_clause(context, operand):
            message = f"`{canonical(operand)}` is a clause, and a test takes coefficients"
            raise FormulaError(
                message, operand.span, f"write `fit.test('{canonical(operand)}')`: is it zero?"
            )
        read_effect(context, slot, operand)
    return value


def _is_clause(context: Context, call: nodes.Call) -> bool:
    """Return whether a call is that of a clause, and of no term: ``poly(x, 2)`` is a term, ``poly(x)`` a clause."""
    names = context.language.names
    least = names["function"][call.name].least if call.name in names["function"] else inf
    return call.name in names["clause"] and len(call.args) + len(call.keywords) < least


def _check_direction(chain: nodes.Chain) -> None:
    if "!=" in chain.operators:
        hint = "test `==`: a small contour probability is evidence against it"
        raise FormulaError("`!=` cannot be tested", chain.span, hint)
    if len({operator[0] for operator in chain.operators}) > 1:
        message = "a hypothesis is all `==`, all `>` or all `<`"
        raise FormulaError(message, chain.span, "ask one question at a time")
