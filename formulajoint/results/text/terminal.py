"""Printed text with styles for a terminal: headings, rules, notes and warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.text import Text

HEADING, RULE, WARNING, NOTE = "bold", "dim", "bold yellow", "cyan"


def styled(text: str) -> Text:
    """Return printed `text` with styles: headings of tables, rules, notes and warnings with their continuation lines.

    Examples
    --------
    >>> styled("mean\\n----\\n12.0").spans[0].style
    'bold'
    """
    out = Text(text)
    start, lines = 0, text.split("\n")
    for line, style in zip(lines, _styles(lines), strict=True):
        if style:
            out.stylize(style, start, start + len(line))
        start += len(line) + 1
    return out


def _styles(lines: list[str]) -> Iterator[str]:
    """Yield the style of each line, empty for none."""
    going_on = ""  # the style of a note that is wrapped
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        label = re.match(r"(warning|note): ", line)
        if label:
            going_on = WARNING if label[1] == "warning" else NOTE
        elif not line.startswith("      "):
            going_on = ""
        if _is_rule(after):
            yield HEADING
        elif _is_rule(line):
            yield RULE
        else:
            yield going_on


def _is_rule(line: str) -> bool:
    return bool(line.strip()) and not line.strip(" -")
