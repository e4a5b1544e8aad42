"""Convert Lark's tree to the formula's nodes: one function per grammar rule, in one table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from formulajoint.errors import ExtensionError
from formulajoint.language.formula import Formula
from formulajoint.language.grammar.compose import Token
from formulajoint.language.grammar.tree import Node, Rule, span_of
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.levels import level_of
from formulajoint.language.syntax.text import BARE_NAME, RANK
from formulajoint.spans import Span
from formulajoint.wording import did_you_mean

PARTS = ("mean", "sd")
"""Names allowed after a term and a dot: the location and the scale of its hierarchy."""

# --- a whole formula and its clauses


def _formula(node: Node) -> Formula:
    response, predictors, group, *clauses = node.children
    for clause in clauses:
        if not isinstance(clause, nodes.Parameter | nodes.Clause | None):
            raise ExtensionError(
                f"An extension lowers what should be a clause to {clause!r}; return `node.clause(...)`."
            )
    return Formula(response, predictors, group, tuple(c for c in clauses if c is not None), node.text)


def _only(node: Node) -> Any:
    (child,) = node.children
    return child


def _parameter(node: Node) -> nodes.Parameter:
    name, predictors, group = node.children
    return nodes.Parameter(_normal(str(name)), predictors, group, node.span)


def _call_clause(node: Node) -> nodes.Clause:
    return nodes.Clause(_only(node), node.span)


def _group(node: Node) -> nodes.Group:
    return nodes.Group(tuple(node.children[::2]), tuple(map(str, node.children[1::2])), node.span)


def _hypotheses(node: Node) -> tuple[nodes.Expr, ...]:
    return tuple(node.children)


def _hypothesis(node: Node) -> nodes.Expr:
    operators = tuple("==" if op == "=" else str(op) for op in node.children[1::2])
    return nodes.Chain(operators, tuple(node.children[::2]), node.span)


# --- names and constants


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _name(node: Node) -> nodes.Name:
    written = str(_only(node))
    if written[0] == "`":
        return nodes.Name(_normal(written[1:-1].replace("``", "`")), True, node.span)
    name = _normal(written)
    if not re.fullmatch(BARE_NAME, name):
        raise node.error(
            f"the name `{written}` must stand in backticks", hint=f"write `{written}` in backticks"
        )
    return nodes.Name(name, False, node.span)


def _number(node: Node) -> nodes.Number:
    return nodes.Number(str(_only(node)), node.span)


def _string(node: Node) -> nodes.Text:
    return nodes.Text(_unquoted(node, _only(node)), node.span)


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


def _unquoted(node: Node, token: Token) -> str:
    """Return the string that `token` stands for, unquoted and unescaped."""

    def escaped(found: re.Match[str]) -> str:
        if found[1] not in ESCAPES:
            start = (token.start_pos or 0) + 1 + found.start()
            message = f"`{found[0]}` is an unknown escape in a quoted string"
            raise node.error(message, Span(start, start + 2, node.text), "write a backslash twice: `\\\\`")
        return ESCAPES[found[1]]

    return re.sub(r"\\(.)", escaped, token[1:-1])


def _rest(node: Node) -> nodes.Rest:
    return nodes.Rest(node.span)


# --- operators: chains are flat, and redundant parentheses are dropped


def _chain(node: Node) -> nodes.Expr:
    """Lower a chain that associates from the left: ``(a + b) + c`` is ``a + b + c``."""
    operators, operands = tuple(map(str, node.children[1::2])), tuple(node.children[::2])
    first = operands[0]
    if isinstance(first, nodes.Chain) and RANK[first.operators[0]] == RANK[operators[0]]:
        operators, operands = first.operators + operators, first.operands + operands[1:]
    return nodes.Chain(operators, operands, node.span)


def _comparison(node: Node) -> nodes.Expr:
    return nodes.Chain(tuple(map(str, node.children[1::2])), tuple(node.children[::2]), node.span)


def _sum(node: Node) -> nodes.Expr:
    """Lower a sum; ``x + -1`` is ``x - 1``."""
    children = node.children[:1]
    for operator, operand in zip(node.children[1::2], node.children[2::2], strict=True):
        if isinstance(operand, nodes.Unary):
            operator, operand = ("+" if operator == operand.operator else "-"), operand.operand
        children += [operator, operand]
    return _chain(replace(node, children=children))


def _signed(node: Node) -> nodes.Expr:
    *signs, operand = node.children
    return _with_signs(signs, operand, node.span)


def _with_signs(signs: Sequence[Any], operand: nodes.Expr, span: Span) -> nodes.Expr:
    """Return an expression with one sign for several; ``-(-x)`` is ``+x``."""
    if isinstance(operand, nodes.Unary):
        signs, operand = [*signs, operand.operator], operand.operand
    return nodes.Unary("-" if list(signs).count("-") % 2 else "+", operand, span)


def _power(node: Node) -> nodes.Expr:
    """Lower ``a ^ b ^ -c``, which associates from the right; ``**`` means ``^``."""
    *children, last = node.children
    if children[-1] in ("+", "-"):
        sign = children.pop()
        last = _with_signs([str(sign)], last, span_of(sign, node.text).to(last.span))
    operands = (*children[::2], last)
    if isinstance(last, nodes.Chain) and last.operators[0] == "^":
        operands = operands[:-1] + last.operands
    return nodes.Chain(("^",) * (len(operands) - 1), operands, node.span)


def _interaction(node: Node) -> nodes.Expr:
    """Lower ``a:b``; a subscript or ``.mean`` at its end applies to the whole interaction."""
    operands: list[nodes.Expr] = []
    for operand in node.children[::2]:
        joined = isinstance(operand, nodes.Chain) and operand.operators[0] == ":"
        operands += operand.operands if joined else [operand]
    if node.rules[-1] == "trailed":
        return _moved_out(tuple(operands), node.span)
    return nodes.Chain((":",) * (len(operands) - 1), tuple(operands), node.span)


def _moved_out(operands: tuple[nodes.Expr, ...], span: Span) -> nodes.Expr:
    """Return ``a:b`` with the subscript or ``.mean`` of its last operand moved to the whole interaction."""
    last = operands[-1]
    if isinstance(last, nodes.Subscript):
        inner = _moved_out((*operands[:-1], last.of), operands[0].span.to(last.of.span))
        return nodes.Subscript(inner, last.indices, span)
    if isinstance(last, nodes.Attribute):
        inner = _moved_out((*operands[:-1], last.of), operands[0].span.to(last.of.span))
        return nodes.Attribute(inner, last.name, span)
    return nodes.Chain((":",) * (len(operands) - 1), operands, span)


# --- subscripts and ``.mean``, ``.sd`` after an atom


def _subscript(node: Node) -> tuple[nodes.Index, ...]:
    return tuple(node.children)


def _trailed(node: Node) -> nodes.Expr:
    target, *trailers = node.children
    for trailer in trailers:
        if callable(trailer):  # an extension's function: from the target to the whole
            target = trailer(target)
        elif isinstance(trailer, Token):
            target = _attribute(node, target, trailer)
        else:
            target = _reference(node, target, trailer)
    return target  # type: ignore[no-any-return]


def _reference(node: Node, target: nodes.Expr, indices: tuple[nodes.Index, ...]) -> nodes.Expr:
    if isinstance(target, nodes.Subscript):
        raise node.error("a coefficient has one pair of brackets", hint="write `arm[A, control]`")
    if not (
        isinstance(target, nodes.Name | nodes.Call | nodes.Attribute | nodes.Rest) or _is_interaction(target)
    ):
        raise node.error("only a term of the model can be followed by `[...]`", target.span)
    return nodes.Subscript(target, indices, target.span.to(node.span))


def _attribute(node: Node, target: nodes.Expr, tail: Token) -> nodes.Expr:
    name, span = str(tail)[1:], span_of(tail, node.text)
    if isinstance(target, nodes.Name) and not target.quoted:
        raise node.error(
            f"`.{name}` must follow its name without a blank", hint=f"write `{target.id}.{name}`"
        )
    if not (isinstance(target, nodes.Name | nodes.Call) or _is_interaction(target)):
        raise node.error(f"`.{name}` can follow only a term of the model", span)
    if name not in PARTS:
        hint = did_you_mean(name, PARTS) or "a hierarchy has a `.mean` and an `.sd`"
        raise node.error(f"a term has no part `.{name}`", span, hint)
    return nodes.Attribute(target, name, target.span.to(span))


def _is_interaction(value: nodes.Expr) -> bool:
    return isinstance(value, nodes.Chain) and value.operators[0] == ":"


# --- calls and their arguments


def _call(node: Node) -> nodes.Call:
    name, *arguments = node.children
    given = [argument for argument in arguments if argument is not None]
    keywords = tuple(argument for argument in given if isinstance(argument, nodes.Keyword))
    for place, argument in enumerate(given[: len(given) - len(keywords)]):
        if isinstance(argument, nodes.Keyword):
            late = next(other for other in given[place:] if not isinstance(other, nodes.Keyword))
            raise node.error(
                "a positional argument stands after a keyword argument", late.span, "move it forward"
            )
    return nodes.Call(_normal(str(name)), tuple(given[: len(given) - len(keywords)]), keywords, node.span)


def _keyword(node: Node) -> nodes.Keyword:
    name, value = node.children
    return nodes.Keyword(_normal(str(name)), value, node.span)


def _brace(node: Node) -> nodes.Call:
    return nodes.Call("I", (_only(node),), (), node.span)


def _boxed(node: Node) -> nodes.Expr:
    """Return a response in parentheses: a column or a call itself, arithmetic as ``I(...)``."""
    response: nodes.Expr = _only(node)
    return response if isinstance(response, nodes.Name | nodes.Call) else _brace(node)


def _distributed(node: Node) -> nodes.Distributed:
    target, distribution = node.children
    return nodes.Distributed(target, distribution, node.span)


def _group_term(node: Node) -> nodes.GroupTerm:
    predictors, bar, group = node.children
    return nodes.GroupTerm(predictors, group, bar == "|", node.span)


def _sequence(node: Node) -> nodes.Sequence:
    return nodes.Sequence(tuple(node.children), node.span)


def _map(node: Node) -> nodes.Map:
    return nodes.Map(tuple(node.children), node.span)


def _entry(node: Node) -> nodes.Entry:
    key, value = node.children
    level = level_of(key)
    if level is None:
        raise node.error("a key of a map must be a level", key.span, "put the level in quotes")
    return nodes.Entry(level, value, node.span)


def _index(node: Node) -> nodes.Index:
    dim, level = node.children
    return nodes.Index(level, dim.id if dim else None, node.span)


def _level(node: Node) -> nodes.Level:
    text, quoted = "", False
    for part in node.children:
        if isinstance(part, nodes.Name):
            text, quoted = text + part.id, quoted or part.quoted
        elif part[0] in "\"'":
            text, quoted = text + _unquoted(node, part), True
        else:
            text += str(part)
    return nodes.Level(text, quoted, node.span)


RULES: Mapping[str, Rule] = {
    "formula": _formula,
    "response": _only,
    "predictors": _only,
    "group": _group,
    "parameter": _parameter,
    "call_clause": _call_clause,
    "call": _call,
    "keyword": _keyword,
    "distributed": _distributed,
    "comparison": _comparison,
    "sum": _sum,
    "product": _chain,
    "special": _chain,
    "bare": _comparison,
    "bare_sum": _sum,
    "bare_product": _chain,
    "signed": _signed,
    "colon": _interaction,
    "power": _power,
    "trailed": _trailed,
    "number": _number,
    "string": _string,
    "rest": _rest,
    "paren": _only,
    "group_term": _group_term,
    "brace": _brace,
    "boxed": _boxed,
    "name": _name,
    # contrasts.lark
    "subscript": _subscript,
    "map": _map,
    "sequence": _sequence,
    "entry": _entry,
    "index": _index,
    "level": _level,
    "hypotheses": _hypotheses,
    "hypothesis": _hypothesis,
}
