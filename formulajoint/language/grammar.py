"""The grammar: fragments of Lark, composed into a parser. The only module that knows Lark."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

__all__ = ["CONTRASTS", "FORMULA", "Fragment", "Stopped", "Token", "Tree", "parse_tree", "parser"]

STARTS = ("formula", "clause", "hypotheses")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of grammar, and the name under which errors speak of it."""

    name: str
    text: str


class Stopped(Exception):
    """The parser met a token that cannot stand where it does.

    Attributes
    ----------
    position : int
        Offset of the token, or the length of the text at its end.
    expected : frozenset of str
        Names of the terminals that could have stood there.
    """

    def __init__(self, position: int, expected: frozenset[str]) -> None:
        super().__init__(position, expected)
        self.position, self.expected = position, expected


def _folder() -> Traversable:
    """Return the folder of grammars: the installed package's, or that of the checkout run uninstalled."""
    try:
        return resources.files("formulajoint.grammar")
    except ModuleNotFoundError:
        return Path(__file__).parents[2] / "grammar"


def _fragment(name: str) -> Fragment:
    return Fragment(name, _folder().joinpath(f"{name}.lark").read_text(encoding="utf-8"))


FORMULA = _fragment("formula")
CONTRASTS = _fragment("contrasts")


@cache
def parser(fragments: tuple[Fragment, ...]) -> Lark:
    """Return the parser of the grammar that `fragments`, base first, make together."""
    text = "\n".join(fragment.text for fragment in fragments)
    starts = [start for start in STARTS if f"\n{start} " in text]
    return Lark(text, start=starts, parser="lalr", propagate_positions=True)


def parse_tree(text: str, start: str, fragments: tuple[Fragment, ...]) -> Tree[Token]:
    """Parse `text` from rule `start`, or raise `Stopped`."""
    try:
        return parser(fragments).parse(text, start=start)
    except UnexpectedToken as error:
        position = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        raise Stopped(position, frozenset(error.accepts or error.expected)) from None
    except UnexpectedCharacters as error:
        raise Stopped(error.pos_in_stream or 0, frozenset(error.allowed or ())) from None
