"""The grammar: Lark fragments, composed into a parser. Only this module and `prebuilt` import Lark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree, lexer
from lark.exceptions import LarkError, UnexpectedCharacters, UnexpectedToken
from lark.grammar import Rule, Terminal

from formulajoint.errors import ExtensionError
from formulajoint.language.grammar import prebuilt

__all__ = [
    "CONTRASTS",
    "FORMULA",
    "PLAIN",
    "Composed",
    "Fragment",
    "Refused",
    "Stopped",
    "Token",
    "Tree",
    "check_strictly",
    "compose",
    "parse_tree",
    "parser",
]

STARTS = ("formula", "clause", "hypotheses")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of grammar, and its name in error messages.

    Attributes
    ----------
    name : str
        Such as ``vs.lark``.
    text : str
        In Lark's notation.
    """

    name: str
    text: str

    @staticmethod
    def read(path: str | PathLike[str] | Traversable) -> Fragment:
        """Return the fragment in the file `path`, which may be a resource of a package.

        Raises
        ------
        ExtensionError
            If the file cannot be read.

        Examples
        --------
        >>> from importlib.resources import files
        >>> import formulajoint as fj
        >>> fj.Fragment.read(files("formulajoint.grammar") / "contrasts.lark").name
        'contrasts.lark'
        """
        file = Path(path) if isinstance(path, str | PathLike) else path
        try:
            return Fragment(file.name, file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ExtensionError(f"The grammar {file} cannot be read: {error}") from error


class Refused(Exception):
    """Lark rejects a grammar; the text is Lark's own message."""


@dataclass(frozen=True, slots=True)
class Composed:
    """The terminals and nodes of a grammar that Lark accepts.

    Attributes
    ----------
    terminals : mapping of str to str
        The regular expression of each terminal.
    together : frozenset of frozenset of str
        Sets of terminals that may come next, one set per parser state; terminals of a set must be told apart.
    nodes : frozenset of str
        Names of the nodes that trees can have.
    """

    terminals: Mapping[str, str]
    together: frozenset[frozenset[str]]
    nodes: frozenset[str]


class Stopped(Exception):
    """The parser met a token that is not allowed there.

    Attributes
    ----------
    position : int
        Offset of the token, or the length of the text if the text ended.
    expected : frozenset of str
        Names of the terminals allowed there.
    """

    def __init__(self, position: int, expected: frozenset[str]) -> None:
        super().__init__(position, expected)
        self.position, self.expected = position, expected


def grammar_folder() -> Traversable:
    """Return the folder of the grammar: in the installed package, or in a checkout that is not installed."""
    try:
        return resources.files("formulajoint.grammar")
    except ModuleNotFoundError:
        return Path(__file__).parents[3] / "grammar"


def _fragment(name: str) -> Fragment:
    return Fragment.read(grammar_folder().joinpath(name))


FORMULA = _fragment("formula.lark")
CONTRASTS = _fragment("contrasts.lark")
PLAIN = (FORMULA, CONTRASTS)


@contextmanager
def _unchecked() -> Iterator[None]:
    """Keep Lark from comparing all pairs of terminals, which takes half of the time of a first parse."""
    before, lexer.has_interegular = lexer.has_interegular, False
    try:
        yield
    finally:
        lexer.has_interegular = before


@cache
def parser(fragments: tuple[Fragment, ...]) -> Lark:
    """Return the parser of the grammar composed from `fragments`, base first."""
    ready = prebuilt.read(grammar_folder(), texts(PLAIN)) if fragments == PLAIN else None
    if ready is not None:
        return ready
    with _unchecked():
        return build(fragments)


def texts(fragments: tuple[Fragment, ...]) -> tuple[str, ...]:
    """Return the text of each fragment."""
    return tuple(fragment.text for fragment in fragments)


@cache
def compose(fragments: tuple[Fragment, ...]) -> Composed:
    """Return the terminals and nodes of the grammar composed from `fragments`.

    Raises
    ------
    Refused
        If Lark rejects the grammar.
    """
    try:
        built = parser(fragments)
    except LarkError as error:
        raise Refused(str(error)) from None
    lexers: Any = built.parser.lexer.lexers.values()
    return Composed(
        {terminal.name: terminal.pattern.to_regexp() for terminal in built.terminals},
        frozenset(frozenset(terminal.name for terminal in lexer.terminals) for lexer in lexers),
        frozenset(name for rule in built.rules for name in _node(rule)),
    )


def check_strictly(fragments: tuple[Fragment, ...]) -> None:
    """Build the grammar in Lark's strict mode.

    Raises
    ------
    Refused
        If it is ambiguous: some text could be read in two ways.
    """
    try:
        build(fragments, strict=True)
    except LarkError as error:
        raise Refused(str(error)) from None


def build(fragments: tuple[Fragment, ...], **options: Any) -> Lark:
    """Return the parser that Lark builds; `options` are Lark's own."""
    text = "\n".join(fragment.text for fragment in fragments)
    starts = [start for start in STARTS if re.search(rf"^\??{start} ", text, re.MULTILINE)]
    return Lark(text, start=starts, parser="lalr", propagate_positions=True, **options)


def _node(rule: Rule) -> tuple[str, ...]:
    """Return the name of the node that an alternative makes, or an empty tuple if it makes none."""
    name = str(rule.alias or rule.origin.name)
    kept = [s for s in rule.expansion if not (isinstance(s, Terminal) and s.filter_out)]
    replaced = rule.options.expand1 and not rule.alias and len(kept) == 1  # `?rule`
    return () if name.startswith("_") or replaced else (name,)


def parse_tree(text: str, start: str, fragments: tuple[Fragment, ...]) -> Tree[Token]:
    """Parse `text` from rule `start`, or raise `Stopped`."""
    try:
        return parser(fragments).parse(text, start=start)
    except UnexpectedToken as error:
        position = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        raise Stopped(position, frozenset(error.accepts or error.expected)) from None
    except UnexpectedCharacters as error:
        raise Stopped(error.pos_in_stream or 0, frozenset(error.allowed or ())) from None
