"""Read predictors, which are Wilkinson algebra, and the arithmetic inside functions: both stay expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from formulajoint.errors import FormulaError
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.text import COMPARE, RANK, SPECIAL, canonical
from formulajoint.language.vocabulary.core import BY, NESTED, WITHIN_GROUPS
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.signatures import Kind, Place, Signature, Slot
from formulajoint.spec.arguments import (
    PLAIN,
    Arguments,
    Context,
    Reader,
    described,
    name_span,
    read_arguments,
)
from formulajoint.wording import did_you_mean, listed

# --- Wilkinson algebra


def check_predictors(context: Context, value: nodes.Expr, whole: bool = True) -> None:
    """Check a sum of terms; group terms, ``offset`` and ``common`` are allowed only if `whole`."""
    for sign, term in _summands(value):
        if isinstance(term, nodes.Number):
            if term.text not in ("0", "1"):
                raise _stray_number(term)
        elif isinstance(term, nodes.GroupTerm | nodes.Call) and _stands_alone(context, term):
            _check_alone(context, sign, term, whole)
        else:
            _check_factor(context, term)


def _summands(value: nodes.Expr) -> Iterator[tuple[str, nodes.Expr]]:
    """Yield the terms of a sum with their signs, through nested parentheses."""
    match value:
        case nodes.Chain(operators=("+" | "-", *_)):
            for sign, term in zip(("+", *value.operators), value.operands, strict=True):
                yield from ((_product(sign, inner), leaf) for inner, leaf in _summands(term))
        case nodes.Unary():
            yield from ((_product(value.operator, inner), leaf) for inner, leaf in _summands(value.operand))
        case _:
            yield "+", value


def _product(a: str, b: str) -> str:
    return "+" if a == b else "-"


def _stands_alone(context: Context, term: nodes.GroupTerm | nodes.Call) -> bool:
    functions = context.language.names["function"]
    return isinstance(term, nodes.GroupTerm) or (term.name in functions and functions[term.name].summand)


def _check_alone(context: Context, sign: str, term: nodes.GroupTerm | nodes.Call, whole: bool) -> None:
    """Check a group term, ``offset(x)`` or ``common(x)``."""
    what = "a group term" if isinstance(term, nodes.GroupTerm) else f"`{canonical(term)}`"
    if not whole:
        raise FormulaError(f"{what} stands only among the predictors themselves", term.span)
    if sign == "-":
        raise FormulaError(f"{what} cannot be removed", term.span, "leave it out")
    if isinstance(term, nodes.GroupTerm):
        check_predictors(context, term.predictors, whole=False)
        check_group(term.group)
    else:
        _check_function(context, term, "predictors")


def _check_factor(context: Context, value: nodes.Expr) -> None:
    """Check an operand of ``:``, ``*``, ``/`` or ``^``."""
    match value:
        case nodes.Name() | nodes.Rest():
            return
        case nodes.Call() if not _stands_alone(context, value):
            _check_function(context, value, "predictors")
        case nodes.Chain(operators=("^", *_)):
            _check_factor(context, value.operands[0])
            _check_exponent(value)
        case nodes.Chain(operators=("+" | "-" | "*" | "/" | ":", *_)):
            for operand in value.operands:
                _check_factor(context, operand)
        case nodes.Chain(operators=operators) if NESTED in operators:
            if set(operators) != {NESTED}:
                raise FormulaError(f"`{NESTED}` joins terms, and other operators join values", value.span)
            for operand in value.operands:
                _check_factor(context, operand)
        case nodes.Chain() if RANK[value.operators[0]] == SPECIAL:
            _check_arithmetic(context, Slot("x", Kind.ARITHMETIC), value)
        case _:
            raise _no_factor(value)


def _check_exponent(power: nodes.Chain) -> None:
    exponent = power.operands[1]
    whole = isinstance(exponent, nodes.Number) and exponent.text.isdecimal() and 1 <= exponent.value < 100
    if len(power.operands) > 2 or not whole:
        message = "among predictors `^` crosses terms up to an order, a whole number such as 2"
        raise FormulaError(message, exponent.span, _as_arithmetic(power))


def _no_factor(value: nodes.Expr) -> FormulaError:
    """Return the error for an expression that cannot be a predictor."""
    match value:
        case nodes.Number():
            return _stray_number(value)
        case nodes.Unary():
            hint = "remove a whole term: `a + b - a:b`; arithmetic goes into `I(...)`"
            return FormulaError("a sign cannot stand inside a product of terms", value.span, hint)
        case nodes.Chain() if RANK[value.operators[0]] == COMPARE:
            return FormulaError(
                "a comparison among predictors must be wrapped", value.span, _as_arithmetic(value)
            )
        case nodes.GroupTerm():
            return FormulaError(
                "a group term cannot be part of another term", value.span, "add it: `x + (1 | g)`"
            )
        case nodes.Call():
            return FormulaError(f"`{canonical(value)}` cannot be part of another term", value.span)
        case nodes.Attribute():
            hint = "if it is a column, write its whole name in backticks"
            return FormulaError("a part of a hierarchy is not a predictor", value.span, hint)
        case nodes.Text(value=text):
            return FormulaError(
                "a text in quotes is not a predictor", value.span, f"write `{text}` in backticks"
            )
    return FormulaError(f"{described(value)} is not a predictor", value.span)


def _stray_number(number: nodes.Number) -> FormulaError:
    message = f"the number {number.text} cannot stand here: among predictors only 0 and 1, for the intercept"
    return FormulaError(message, number.span, "arithmetic goes into `I(...)`, as in `I(2 * x)`")


def _as_arithmetic(value: nodes.Expr) -> str:
    return f"if arithmetic is meant, write `I({canonical(value)})`"


def _check_operators(context: Context, chain: nodes.Chain) -> None:
    known = context.language.names["operator"]
    for operator in chain.operators:
        if operator == NESTED:
            hint = 'compare with each: `I((x == "a") + (x == "b"))`'
            raise FormulaError(f"`{NESTED}` joins terms and has no meaning in arithmetic", chain.span, hint)
        if operator not in known:
            others = set(known) - {NESTED}
            hint = (
                did_you_mean(operator, others) or f"other operators than `{NESTED}` come only from extensions"
            )
            raise FormulaError(f"the operator `{operator}` is not known", chain.span, hint)
        context.look_up("operator", operator, chain.span)


def check_group(group: nodes.Group) -> None:
    """Check that a group does not name a column twice."""
    seen: set[str] = set()
    for name in group.names:
        if name.id in seen:
            raise FormulaError(f"`{name.id}` appears twice in the group", name.span)
        seen.add(name.id)


# --- functions of columns, and arithmetic inside them


def _check_function(context: Context, call: nodes.Call, place: Place) -> None:
    signature = context.look_up("function", call.name, name_span(call))
    if place not in signature.places:
        allowed = " or ".join(WHERE[allowed] for allowed in signature.places)
        raise FormulaError(f"`{call.name}` can stand only {allowed}", call.span)
    _check_within(call, signature)
    read_arguments(context, call, signature, READERS)


def _check_within(call: nodes.Call, signature: Signature) -> None:
    """Raise a FormulaError for ``by=`` of a function that does not work within groups."""
    by = next((keyword for keyword in call.keywords if keyword.name == BY.name), None)
    if by is not None and all(slot.name != BY.name for slot in signature.by_name):
        hint = f"only {listed(WITHIN_GROUPS)} work within groups"
        raise FormulaError(f"`{call.name}` has no argument `{BY.name}`", by.span, hint)


def read_call(call: nodes.Call, language: Language) -> Arguments:
    """Return the arguments of a function of columns, by name, in the order written."""
    return read_arguments(Context(language), call, language.names["function"][call.name], READERS)


WHERE: Mapping[Place, str] = {
    "response": "as the response",
    "predictors": "among predictors",
    "arithmetic": "inside arithmetic",
}


def check_response(context: Context, value: nodes.Expr) -> None:
    """Check the response, left of the first ``~``."""
    if isinstance(value, nodes.Call):
        _check_function(context, value, "response")


def check_term_call(context: Context, call: nodes.Call) -> None:
    """Check a call that names a term of the model, such as ``poly(x, 2)``."""
    if _stands_alone(context, call):
        raise FormulaError(
            f"`{call.name}` has no coefficient of its own", call.span, "name the term inside it"
        )
    _check_function(context, call, "predictors")


def _check_arithmetic(context: Context, slot: Slot, value: nodes.Expr) -> None:
    match value:
        case nodes.Name() | nodes.Number():
            return
        case nodes.Unary():
            _check_arithmetic(context, slot, value.operand)
        case nodes.Call():
            _check_function(context, value, "arithmetic")
        case nodes.Chain() if value.operators[0] != ":":
            _check_arithmetic_chain(context, slot, value)
        case nodes.Chain():
            hint = "write `*` for the product of two columns"
            raise FormulaError("`:` joins terms and has no meaning in arithmetic", value.span, hint)
        case nodes.Distributed():
            raise FormulaError("`~` has no meaning here", value.span)
        case _:
            raise FormulaError(f"{described(value)} is not allowed in arithmetic of columns", value.span)


def _check_arithmetic_chain(context: Context, slot: Slot, chain: nodes.Chain) -> None:
    rank = RANK[chain.operators[0]]
    if rank == SPECIAL:
        _check_operators(context, chain)
    if rank == COMPARE and slot.kind is not Kind.LOGICAL:
        raise FormulaError(
            "a comparison is allowed only inside `I(...)`", chain.span, f"write `I({canonical(chain)})`"
        )
    for operand in chain.operands:
        if not (rank == COMPARE and isinstance(operand, nodes.Text)):  # {arm == "control"}
            _check_arithmetic(context, slot, operand)


def _read_arithmetic(context: Context, slot: Slot, value: nodes.Expr) -> nodes.Expr:
    _check_arithmetic(context, slot, value)
    return value


def _read_group(context: Context, slot: Slot, value: nodes.Expr) -> nodes.Group:
    """Return the columns whose labels make groups: ``school``, ``district/school``, ``school:year``."""
    match value:
        case nodes.Name():
            return nodes.Group((value,), (), value.span)
        case nodes.Chain(operators=("/" | ":", *_)) if set(value.operators) <= {"/", ":"}:
            first, *others = [_read_group(context, slot, operand) for operand in value.operands]
            names = (*first.names, *(name for group in others for name in group.names))
            joints = zip(value.operators, others, strict=True)
            separators = (*first.separators, *(s for joint, g in joints for s in (joint, *g.separators)))
            group = nodes.Group(names, separators, value.span)
            check_group(group)
            return group
        case nodes.Text(value=label):
            hint = f"write `{slot.name}={label}`, without quotes"
        case _:
            hint = f"write `{slot.name}=school`, or `{slot.name}=district/school`"
    message = f"`{slot.name}` must be {slot.kind.value}, not {described(value)}"
    raise FormulaError(message, value.span, hint)


def _read_algebra(context: Context, slot: Slot, value: nodes.Expr) -> nodes.Expr:
    check_predictors(context, value, whole=False)
    return value


READERS: Mapping[Kind, Reader[Any]] = {
    **PLAIN,
    Kind.ARITHMETIC: _read_arithmetic,
    Kind.LOGICAL: _read_arithmetic,
    Kind.ALGEBRA: _read_algebra,
    Kind.GROUP: _read_group,
}
