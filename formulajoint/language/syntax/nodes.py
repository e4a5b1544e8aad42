"""The nodes of a formula: immutable values, each with its position in the text.

Nodes depend on no data, grammar or PyMC. Spans are left out of comparison and hashing, so two formulas are equal if
they have the same nodes. Chains of operators are flat: the depth of a tree is the depth of brackets in the text.
"""

# ruff: noqa: RUF009 (`_span()` is a dataclass field)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from formulajoint.spans import NOWHERE, Span


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A name as written. A bare name may contain dots; binding tries each way to read them."""

    id: str
    quoted: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Attribute:
    """``.mean`` or ``.sd`` after a quoted name or a call: ``poly(x, 2).mean``."""

    of: Expr
    name: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number; `text` is its spelling, kept in canonical text."""

    text: str
    span: Span = _span()

    @property
    def value(self) -> float:
        """The number as a float."""
        return float(self.text)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string, without its quotes and escapes."""

    value: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Rest:
    """``.``: all columns of the data that the formula does not name."""

    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x`` or ``+x``; several signs in a row are folded into one."""

    operator: str
    operand: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands joined by operators of one precedence: ``a + b - c``, ``a * b / c``, ``a:b``, ``a > b > 0``.

    ``len(operators) == len(operands) - 1``. ``^`` associates from the right, all others from the left.
    """

    operators: tuple[str, ...]
    operands: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword argument of a call, ``name=value``."""

    name: str
    value: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Call:
    """A call: ``log(x)``, ``joint(treatment, weights=n)``; braces ``{x / 2}`` are ``I(x / 2)``."""

    name: str
    args: tuple[Expr, ...] = ()
    keywords: tuple[Keyword, ...] = ()
    span: Span = _span()

    def keyword(self, name: str) -> Expr | None:
        """Return the value of keyword argument `name`, or None if it is not given."""
        return next((k.value for k in self.keywords if k.name == name), None)


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a factor as written: ``A``, ``308``, ``a1/b1``, ``-1`` or quoted text."""

    text: str
    quoted: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Index:
    """One entry of a subscript: ``A``, or ``school=A`` with the dim's name."""

    level: Level
    dim: str | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Subscript:
    """A coefficient reference: ``treatment[A]``, ``arm[school=A, arm=control]``."""

    of: Expr
    indices: tuple[Index, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``level: value`` pair of a map."""

    level: Level
    value: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Map:
    """A map from levels to values, ``{A: 0.3, B: 0.7}``."""

    entries: tuple[Entry, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of values, ``[0.3, 0.7]``."""

    items: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Distributed:
    """A prior inside ``prior(...)``: ``treatment ~ normal(0, 5)``."""

    target: Expr
    distribution: Call
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Group:
    """The group right of ``|``: names joined by ``/`` or ``:``."""

    names: tuple[Name, ...]
    separators: tuple[str, ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class GroupTerm:
    """A group term as in lme4: ``(1 + x | g)``, or ``(x || g)`` with `correlated` false."""

    predictors: Expr
    group: Group
    correlated: bool = True
    span: Span = _span()


type Expr = (
    Name
    | Attribute
    | Number
    | Text
    | Rest
    | Unary
    | Chain
    | Call
    | Subscript
    | Map
    | Sequence
    | Distributed
    | GroupTerm
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A clause with predictors for another parameter: ``sigma ~ 1 | school``."""

    name: str
    predictors: Expr
    group: Group | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause in call form: ``hierarchy(...)``, ``prior(...)``, ``joint(...)``."""

    call: Call
    span: Span = _span()

    @property
    def name(self) -> str:
        """The clause's name, such as ``joint``."""
        return self.call.name


def placed(node: Any, span: Span) -> Any:
    """Return `node` with its span, and those of all nodes inside it, set to `span`."""
    if isinstance(node, tuple):
        return tuple(placed(item, span) for item in node)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    parts = {
        part.name: placed(getattr(node, part.name), span) for part in fields(node) if part.name != "span"
    }
    return replace(node, **parts, span=span)


def walk(node: Any) -> Iterator[Any]:
    """Yield `node` and every node inside it, without recursion."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, tuple):
            waiting.extend(reversed(current))
        elif is_dataclass(current) and not isinstance(current, Span):
            yield current
            waiting.extend(getattr(current, part.name) for part in reversed(fields(current)))
