"""Whether text files are plain: such that every engine finds the cells in them that we find, without loading them.

Engines differ in blank lines and in blanks beside quotes, and forget which cells had quotes. Files with such marks,
with decimal commas, or in another encoding than UTF-8 are not plain.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from formulajoint.errors import RowsNeededError
from formulajoint.files.files import Files
from formulajoint.files.text import WORDS, check_alike, header_of, on_separator, separator_of

BLOCK = 1 << 24
"""Bytes that are looked at together."""

QUOTED_WORDS = tuple(f'"{word}"'.encode() for word in sorted(WORDS - {""}))
BESIDE_QUOTES = (b' "', b'" ')
BESIDE_TABS = (b'\t"', b'"\t')
BLANK_LINE = re.compile(rb"(?:\A|\n)[ \t\r]*\n|\n[ \t\r]+\Z")
COMMA = re.compile(rb",\d")
CONTROLS = b"\0\x0b\x0c\x1c\x1d\x1e\x1f"
BLANKS = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]")
"""Characters beyond ASCII that Python strips, or that end a line; and the mark of an encoding."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Plain text files that are not empty.

    Attributes
    ----------
    paths : tuple of Path
    names : tuple of str
        Of the columns.
    separator : str
    padded : bool
        Whether cells may have blanks at their ends.
    notes : tuple of str
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    separator: str
    padded: bool
    notes: tuple[str, ...]


def plain(files: Files) -> Plain:
    """Return what text files hold, which are read once in blocks.

    Raises
    ------
    RowsNeededError
        If they are not plain.
    DataError
        If their columns differ.
    """
    paths = tuple(path for path in files.paths if path.stat().st_size)
    if not paths:
        raise RowsNeededError(f"{files.name} is empty.")
    separators, names, padded = dict[str, str](), dict[str, tuple[str, ...]](), False
    for path in paths:
        for place, block in enumerate(_blocks(path)):
            text = _decoded(path, block)
            if place == 0:
                separators[str(path)] = separator_of(text)
            separator = separators[str(path)]
            why = _why_not(block, text, separator)
            if why:
                raise RowsNeededError(f"{path} has {why}, which engines read in other ways.")
            padded = padded or _padded(block, separator)
            if place == 0:
                names[str(path)] = header_of(text, separator)
    check_alike(names)
    if len({*separators.values()}) > 1:
        raise RowsNeededError(f"The files of {files.name} separate values in different ways.")
    separator = separators[str(paths[0])]
    notes = dict.fromkeys(note for path in paths for note in on_separator(str(path), separator))
    return Plain(paths, names[str(paths[0])], separator, padded, tuple(notes))


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in blocks of whole lines."""
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block + file.readline()


def _decoded(path: Path, block: bytes) -> str:
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        raise RowsNeededError(f"{path} is not text in UTF-8.") from None


def _padded(block: bytes, separator: str) -> bool:
    """Return whether blanks stand beside the ends of cells, or may do so."""
    ends = (separator.encode(), b"\n", b"\r")
    blanks = [blank for blank in (b" ", b"\t") if blank != ends[0] and blank in block]
    return any(end + blank in block or blank + end in block for end in ends for blank in blanks)


def _why_not(block: bytes, text: str, separator: str) -> str:
    """Return which marks make a block such that engines may find other cells in it; empty if there are none."""
    if len(block.translate(None, CONTROLS)) < len(block) or (not text.isascii() and BLANKS.search(text)):
        return "rare characters that are blanks, ends of lines or marks of an encoding"
    if b'"' in block and any(word in block for word in QUOTED_WORDS):
        return "words for missing values in quotes"
    if b'"' in block and any(mark in block for mark in BESIDE_QUOTES + BESIDE_TABS * (separator != "\t")):
        return "blanks beside quotes"
    blank = block[:1].isspace() or any(start in block for start in (b"\n\n", b"\n\r", b"\n ", b"\n\t"))
    if blank and BLANK_LINE.search(block):
        return "blank lines"
    if block.count(b"\r") != block.count(b"\r\n"):
        return "line ends of old Macs"
    if separator != "," and COMMA.search(block):
        return "commas before digits"
    return ""
