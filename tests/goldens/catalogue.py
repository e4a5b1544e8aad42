"""All goldens by name: those of cases, of errors, and others; and where their records are."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from goldens.cases import CASES
from goldens.comparing import DIFFERENT, Verdict, compare
from goldens.error_goldens import ERRORS
from goldens.fits import record_of
from goldens.others import OTHERS, SAVED, keep, path_of_saved
from goldens.writing import Record, read, written

DATA = Path(__file__).parent / "data"
STAMP = DATA / "made_with.txt"

GOLDENS: dict[str, Callable[[], Record]] = {
    **{case.name: partial(record_of, case) for case in CASES},
    **OTHERS,
    **ERRORS,
}


def chosen(pattern: str) -> list[str]:
    """Return the names that match a pattern with ``*``, or else those that have the text in them."""
    return [name for name in GOLDENS if fnmatch(name, pattern) or pattern in name]


def path_of(name: str) -> Path:
    """Return the file of a record."""
    return DATA / f"{name}.txt"


def store(name: str) -> None:
    """Make a record, and write it in the place of the one that is stored."""
    if name in SAVED:
        keep(name)
    path_of(name).write_text(written(made(name)), encoding="utf-8")


def made(name: str) -> Record:
    """Make a record, with texts as wide as they are outside a terminal."""
    os.environ.pop("COLUMNS", None)
    with redirect_stdout(io.StringIO()):
        return GOLDENS[name]()


def check(name: str) -> Verdict:
    """Make a record, and compare it with the one that is stored."""
    if not path_of(name).exists():
        return Verdict(DIFFERENT, (), "Nothing is stored.")
    return compare(read(path_of(name).read_text(encoding="utf-8")), made(name))


def left_over() -> list[Path]:
    """Return files of records that no golden has."""
    known = {path_of(name) for name in GOLDENS} | {path_of_saved(name) for name in SAVED} | {STAMP}
    return sorted(set(DATA.iterdir()) - known)
