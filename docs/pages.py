"""Type what the pages say, in order, and hold what comes out against what they show.

    python docs/pages.py                      # README.md and every page of docs/
    python docs/pages.py docs/tutorial.md     # this page
    python docs/pages.py --write              # write what comes out into the pages

Each page runs in a namespace and an empty folder of its own. A block of `python` is executed; its last expression is
displayed, as in a notebook, and a block of `text` right after it shows what is displayed. A block of `console` holds
commands, each a line that begins with `$`, with what they print. Comments that no reader sees say more:

    <!-- not run -->         before a block: for readers alone
    <!-- not compared -->    before a block of text: differs from machine to machine
    <!-- file data.csv -->   before a block: is the file of that name
    <!-- run                 to its end: Python that prepares what the page needs
    ... -->

A line `...` of an output stands for any lines. Words must agree, but not blanks and rules; a number may differ by five
units of its last digit, since it is shown with the digits that its Monte Carlo error allows.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from code import InteractiveInterpreter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from formulajoint.cli import main as command_line
from formulajoint.errors import FormulaJointError

ROOT = Path(__file__).resolve().parents[1]

FENCE = re.compile(r"(?P<ticks>`{3,})(?P<language>[\w{}-]*)\s*")
COMMENT = re.compile(r"<!-- (not run|not compared|file [\w.]+) -->")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.]*\w)")
UNITS = 5
"""Units of the last digit by which a number may differ from what the page shows."""

COUNTED = 100
"""Whole numbers below this are counts, which agree or do not; others may be effective draws, and vary by a fifth."""


def pages() -> list[Path]:
    """Return all pages with something to run."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


# Reading


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its lines, the number of the first of them, and the comment before it."""

    language: str
    lines: tuple[str, ...]
    start: int
    comment: str = ""

    @property
    def end(self) -> int:
        """The number of the line after the last one."""
        return self.start + len(self.lines)


@dataclass(frozen=True, slots=True)
class Step:
    """What is typed, and the block that shows what comes out, if one does."""

    typed: Block
    shown: Block | None = None


def blocks(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, and the hidden ones as Python; lines are numbered from 0."""
    lines, number, comment = text.splitlines(), 0, ""
    while number < len(lines):
        fence, hidden = FENCE.fullmatch(lines[number]), lines[number] == "<!-- run"
        if fence or hidden:
            end = lines.index(fence["ticks"] if fence else "-->", number + 1)
            yield Block(
                fence["language"] if fence else "python", tuple(lines[number + 1 : end]), number + 1, comment
            )
            number, comment = end, ""
        elif lines[number].strip():
            found = COMMENT.fullmatch(lines[number])
            comment = found[1] if found else ""
        number += 1


def steps(text: str) -> list[Step]:
    """Return what a page types, each with what it shows right after."""
    found: list[Step] = []
    for block in blocks(text):
        if block.comment.startswith("file ") or (block.language == "python" and block.comment != "not run"):
            found.append(Step(block))
        elif block.language == "console" and block.comment != "not run":
            found.append(Step(block, block))
        elif block.language == "text" and found and _adjoin(text, found[-1].typed, block):
            found[-1] = replace(found[-1], shown=block)
    return found


def _adjoin(text: str, first: Block, second: Block) -> bool:
    between = text.splitlines()[first.end + 1 : second.start - 1]
    return all(not line.strip() or COMMENT.fullmatch(line) for line in between)


# Running


def run_page(text: str, name: str = "page") -> list[tuple[Step, list[str]]]:
    """Run a page in an empty folder and return each step with the lines that came out.

    Raises
    ------
    RuntimeError
        Where a step fails otherwise than by an error of this package; it names the page's line.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            return [(step, _run(step.typed, namespace, name)) for step in steps(text)]
        finally:
            os.chdir(before)


def _run(block: Block, namespace: dict[str, Any], name: str) -> list[str]:
    try:
        if block.comment.startswith("file "):
            Path(block.comment.removeprefix("file ")).write_text(
                "\n".join(block.lines) + "\n", encoding="utf-8"
            )
            return []
        if block.language == "console":
            return list(_console(block))
        return _python("\n" * block.start + "\n".join(block.lines), namespace, name)
    except Exception as error:
        raise RuntimeError(f"{name}:{block.start + 1}: {type(error).__name__}: {error}") from error


class Typist(InteractiveInterpreter):
    """Python's interactive interpreter, which lets errors out."""

    def showtraceback(self) -> None:
        """Raise what was raised."""
        raise


def _python(code: str, namespace: dict[str, Any], name: str) -> list[str]:
    """Run code and return what it prints; the last expression is displayed, and an error of ours by its text."""
    tree = ast.parse(code, name)
    last = [tree.body.pop()] if tree.body and isinstance(tree.body[-1], ast.Expr) else []
    out, typist = io.StringIO(), Typist(namespace)
    with contextlib.redirect_stdout(out):
        try:
            typist.runcode(compile(tree, name, "exec"))
            typist.runcode(compile(ast.Interactive(last), name, "single"))
        except FormulaJointError as error:
            print(f"{type(error).__module__}.{type(error).__qualname__}: {error}")
    return _lines(out.getvalue())


def _console(block: Block) -> Iterator[str]:
    commands = [line for line in block.lines if line.startswith("$ ")]
    for number, line in enumerate(commands):
        if number:
            yield ""
        yield line
        yield from _command(line.removeprefix("$ "))


def _command(line: str) -> list[str]:
    program, *arguments = shlex.split(line)
    if program != "formulajoint":
        raise ValueError(f"`{line}` is no command of ours: mark the block with <!-- not run -->")
    out, argv = io.StringIO(), sys.argv
    sys.argv = [program, *arguments]
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
            contextlib.suppress(SystemExit),
        ):
            command_line()
    finally:
        sys.argv = argv
    return _lines(out.getvalue())


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


# Comparing


def agree(shown: list[str], found: list[str]) -> bool:
    """Tell whether what a page shows is what came out, with `...` for any lines and room in the last digits."""
    if not shown:
        return not found
    if shown[0].strip() == "...":
        return any(agree(shown[1:], found[start:]) for start in range(len(found) + 1))
    return bool(found) and _same_line(shown[0], found[0]) and agree(shown[1:], found[1:])


def _same_line(shown: str, found: str) -> bool:
    numbers = NUMBER.findall(shown), NUMBER.findall(found)
    return (
        _words(shown) == _words(found)
        and len(numbers[0]) == len(numbers[1])
        and all(_near(*pair) for pair in zip(*numbers, strict=True))
    )


def _words(line: str) -> str:
    """Return a line without its numbers, blanks and rules, which give way when a number gets longer."""
    return re.sub(r"\s+|-{2,}", "", NUMBER.sub("#", line))


def _near(shown: str, found: str) -> bool:
    value, other = Decimal(shown), Decimal(found)
    if "." not in shown + found:
        return value == other or (value >= COUNTED and abs(value - other) <= value / 5)
    places = int(value.as_tuple().exponent), int(other.as_tuple().exponent)
    return abs(places[0] - places[1]) <= 1 and abs(value - other) <= UNITS * Decimal(1).scaleb(places[0])


def complaints(text: str, name: str) -> list[str]:
    """Run a page and return where it shows something else than what comes out."""
    found = []
    for step, lines in run_page(text, name):
        shown = step.shown
        if shown is None or shown.comment == "not compared" or agree(_lines("\n".join(shown.lines)), lines):
            continue
        found.append(
            "\n".join(
                [f"{name}:{shown.start + 1}: the page shows", *shown.lines, "and this came out", *lines]
            )
        )
    return found


def written(text: str, name: str) -> str:
    """Return a page with what comes out in the place of what it shows; outputs with `...` stay as they are."""
    page = text.splitlines()
    for step, lines in reversed(run_page(text, name)):
        shown = step.shown
        if shown is not None and "..." not in (line.strip() for line in shown.lines):
            page[shown.start : shown.end] = lines
    return "\n".join(page) + "\n"


def main() -> int:
    """Check or write pages; the exit code is 1 where one shows something else than what comes out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="write what comes out into the pages")
    arguments = parser.parse_args()
    wrong = []
    for path in arguments.pages or pages():
        text = path.read_text(encoding="utf-8")
        if arguments.write:
            path.write_text(written(text, path.name), encoding="utf-8")
        else:
            wrong += complaints(text, path.name)
    print("\n\n".join(wrong) or "the pages show what comes out")
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.exit(main())
