"""The statements of a grammar fragment, each with its line number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from formulajoint.language.grammar.compose import Fragment

HIDDEN = re.compile(r'//[^\n]*|#[^\n]*|"(?:\\.|[^"\\\n])*"i?|/(?:\\.|[^/\\\n])+/[imslux]*')
DIRECTIVE = re.compile(r"^[ \t]*(%\w+)", re.MULTILINE)
DEFINED = re.compile(
    r"^[ \t]*(?P<extend>%extend[ \t]+)?[?!]*(?P<name>[A-Za-z_]\w*)(?:\{[^}\n]*\})?"
    r"(?P<priority>[ \t]*\.[ \t]*-?\d+)?[ \t]*:",
    re.MULTILINE,
)
ALIAS = re.compile(r"->[ \t]*(?P<name>[A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A rule, terminal or alias of a fragment: its name, its line, and how it is stated."""

    name: str
    line: int
    extends: bool = False
    priority: bool = False
    alias: bool = False


def statements(fragment: Fragment) -> Iterator[Statement]:
    """Yield the definitions, extensions and aliases of `fragment`."""
    bare = bare_of(fragment.text)
    for found in DEFINED.finditer(bare):
        line = line_of(bare, found.start("name"))
        yield Statement(found["name"], line, bool(found["extend"]), bool(found["priority"]))
    for found in ALIAS.finditer(bare):
        yield Statement(found["name"], line_of(bare, found.start()), alias=True)


def bare_of(text: str) -> str:
    """Return `text` with spaces in place of comments, strings and regular expressions; offsets stay the same."""
    return HIDDEN.sub(lambda found: " " * len(found[0]), text)


def line_of(text: str, position: int) -> int:
    """Return the line number of `position`."""
    return text.count("\n", 0, position) + 1
