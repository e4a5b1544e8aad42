"""The canonical text of each kind of node."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from formulajoint.errors import BugError
from formulajoint.language.syntax import nodes

type Node = (
    nodes.Expr
    | nodes.Keyword
    | nodes.Level
    | nodes.Index
    | nodes.Entry
    | nodes.Group
    | nodes.Parameter
    | nodes.Clause
)

BARE_NAME = r"[^\W\d][\w.]*"
"""Regular expression of a name that needs no backticks; the grammar's NAME."""

COMPARE, SUM, PRODUCT, SPECIAL, UNARY, COLON, POWER, ATOM = range(8)


class _Rank(dict[str, int]):
    """Precedence of each operator; every ``%op%`` has the same."""

    def __missing__(self, operator: str) -> int:
        return SPECIAL


RANK = _Rank(
    dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARE)
    | {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, ":": COLON, "^": POWER}
)


def canonical(node: Node) -> str:
    """Return the canonical text of `node`; equal nodes have the same text."""
    write = WRITERS.get(type(node))
    if write is None:
        raise BugError(f"no text for {type(node).__name__}")
    return write(node)


def _rank(node: Node) -> int:
    """Return the precedence of the outermost operator of `node`."""
    if isinstance(node, nodes.Chain):
        return RANK[node.operators[0]]
    if isinstance(node, nodes.Unary):
        return UNARY
    if isinstance(node, nodes.Subscript) or (
        isinstance(node, nodes.Attribute) and not _ends_in_name(node.of)
    ):
        return _rank(node.of)
    return ATOM


def _at(rank: int, node: nodes.Expr) -> str:
    """Return the text of `node`, in parentheses if its precedence is below `rank`."""
    return canonical(node) if _rank(node) >= rank else f"({canonical(node)})"


def _ends_in_name(node: nodes.Expr) -> bool:
    """Return whether ``.mean`` appended to `node` would become part of its last name."""
    return (
        isinstance(node, nodes.Chain)
        and isinstance(node.operands[-1], nodes.Name)
        and not node.operands[-1].quoted
    )


def _name(node: nodes.Name) -> str:
    return quoted_name(node.id) if node.quoted else node.id


def quoted_name(name: str) -> str:
    """Return `name` in backticks."""
    return f"`{name.replace('`', '``')}`"


def _string(value: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(character, character) for character in value) + '"'


def _chain(node: nodes.Chain) -> str:
    rank = _rank(node)
    *operands, last = node.operands
    texts = [_at(rank + 1, operand) for operand in operands]
    if rank == POWER and isinstance(last, nodes.Unary):  # an exponent may have a sign
        texts.append(last.operator + _at(ATOM, last.operand))
    else:
        texts.append(_at(rank + 1, last))
    operators = [op if rank >= COLON else f" {op} " for op in node.operators]
    return texts[0] + "".join(op + text for op, text in zip(operators, texts[1:], strict=True))


def _unary(node: nodes.Unary) -> str:
    return node.operator + _at(COLON, node.operand)


def _attribute(node: nodes.Attribute) -> str:
    of = canonical(node.of)
    return f"({of}).{node.name}" if _ends_in_name(node.of) else f"{of}.{node.name}"


def _listed(nodes: tuple[Any, ...]) -> str:
    return ", ".join([canonical(node) for node in nodes])


def _call(node: nodes.Call) -> str:
    return f"{node.name}({_listed(node.args + node.keywords)})"


def _level(node: nodes.Level) -> str:
    return _string(node.text) if node.quoted else node.text


def _index(node: nodes.Index) -> str:
    if node.dim is None:
        return _level(node.level)
    dim = node.dim if re.fullmatch(BARE_NAME, node.dim) else quoted_name(node.dim)
    return f"{dim}={_level(node.level)}"


def _group(node: nodes.Group) -> str:
    names = [_name(name) for name in node.names]
    return names[0] + "".join(sep + name for sep, name in zip(node.separators, names[1:], strict=True))


def _group_term(node: nodes.GroupTerm) -> str:
    bar = "|" if node.correlated else "||"
    return f"({_at(SUM, node.predictors)} {bar} {_group(node.group)})"


def predictors(own: nodes.Expr, group: nodes.Group | None) -> str:
    """Return the text of predictors, with ``| group`` if there is a group."""
    return _at(SUM, own) + ("" if group is None else f" | {_group(group)}")


WRITERS: dict[type, Callable[[Any], str]] = {
    nodes.Name: _name,
    nodes.Attribute: _attribute,
    nodes.Number: lambda node: node.text,
    nodes.Text: lambda node: _string(node.value),
    nodes.Rest: lambda node: ".",
    nodes.Unary: _unary,
    nodes.Chain: _chain,
    nodes.Keyword: lambda node: f"{node.name}={canonical(node.value)}",
    nodes.Call: _call,
    nodes.Level: _level,
    nodes.Index: _index,
    nodes.Subscript: lambda node: f"{canonical(node.of)}[{_listed(node.indices)}]",
    nodes.Entry: lambda node: f"{_level(node.level)}: {_at(SUM, node.value)}",
    nodes.Map: lambda node: f"{{{_listed(node.entries)}}}",
    nodes.Sequence: lambda node: "[" + ", ".join([_at(SUM, item) for item in node.items]) + "]",
    nodes.Distributed: lambda node: f"{canonical(node.target)} ~ {canonical(node.distribution)}",
    nodes.Group: _group,
    nodes.GroupTerm: _group_term,
    nodes.Parameter: lambda node: f"{node.name} ~ {predictors(node.predictors, node.group)}",
    nodes.Clause: lambda node: canonical(node.call),
}
