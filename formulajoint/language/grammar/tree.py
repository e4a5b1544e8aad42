"""Lower Lark's tree from the leaves up, and the nodes that lowering functions receive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from formulajoint.errors import BugError, FormulaError
from formulajoint.language.grammar.compose import Fragment, Stopped, Token, Tree, parse_tree
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.text import canonical
from formulajoint.spans import Span

MOST_LEVELS = 160
"""Deepest tree that is lowered, in levels, so that code that walks a formula may recurse."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree: its children are lowered already, tokens are left as they are.

    Attributes
    ----------
    children : list
        Lowered values, or tokens.
    rules : tuple of str
        The grammar rule of each child; empty for a token.
    span : Span
        Its position in `text`.
    text : str
        The text being parsed.
    grammar : Grammar
        The grammar that parses it.
    """

    children: list[Any]
    rules: tuple[str, ...]
    span: Span
    text: str
    grammar: Grammar

    @property
    def written(self) -> list[str]:
        """The canonical text of each child."""
        return [str(child) if isinstance(child, Token) else canonical(child) for child in self.children]

    def clause(self, text: str) -> nodes.Clause:
        """Return the clause that `text` states, placed at this node: for syntax that is short for a clause."""
        try:
            clause = lower(parse_tree(text, "clause", self.grammar.fragments), text, self.grammar)
        except (Stopped, FormulaError) as error:
            message = (
                f"`{self.text[self.span.start : self.span.end]}` is short for `{text}`, which is not a clause"
            )
            raise self.error(message) from error
        return nodes.placed(clause, self.span)  # type: ignore[no-any-return]

    def error(self, message: str, span: Span | None = None, hint: str = "") -> FormulaError:
        """Return a FormulaError that points at this node, or at `span` within it."""
        return FormulaError(message, span or self.span, hint)


type Rule = Callable[[Node], Any]


@dataclass(frozen=True, slots=True)
class Grammar:
    """Fragments, base first, and the lowering function of each grammar rule."""

    fragments: tuple[Fragment, ...]
    rules: Mapping[str, Rule]


def lower(tree: Tree[Token], text: str, grammar: Grammar) -> Any:
    """Return the value of `tree` under the rules of `grammar`, from the leaves up and without recursion."""
    values: dict[int, Any] = {}
    depths: dict[int, int] = {}
    for part in tree.iter_subtrees():
        depth = 1 + max((depths[id(child)] for child in part.children if isinstance(child, Tree)), default=0)
        if depth > MOST_LEVELS:
            raise FormulaError("brackets and operators are nested too deep here", span_of(part, text))
        depths[id(part)] = depth
        children = [values[id(child)] if isinstance(child, Tree) else child for child in part.children]
        rule = grammar.rules.get(part.data)
        if rule is None:
            raise BugError(f"no lowering for the grammar's rule {str(part.data)!r} in {text!r}")
        values[id(part)] = rule(Node(children, _rules(part), span_of(part, text), text, grammar))
    return values[id(tree)]


def _rules(part: Tree[Token]) -> tuple[str, ...]:
    return tuple(str(child.data) if isinstance(child, Tree) else "" for child in part.children)


def span_of(part: Tree[Token] | Token, text: str) -> Span:
    """Return the span of a part of the tree of `text`."""
    place = part if isinstance(part, Token) else part.meta
    start, end = getattr(place, "start_pos", None), getattr(place, "end_pos", None)
    return Span(0, 0, text) if start is None or end is None else Span(start, end, text)
