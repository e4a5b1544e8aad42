"""The files that hold the rows of one table: one path, or a pattern of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from os import PathLike, fspath
from pathlib import Path

from formulajoint.design.frame import SWAPPED
from formulajoint.errors import DataError

TEXT = (".csv", ".tsv", ".tab", ".txt")
PARQUET = (".parquet", ".pq")
SHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
STANDARD_INPUT = "-"

LARGE = 100_000_000
"""Files of at least as many bytes together are large."""


@dataclass(frozen=True, slots=True)
class Files:
    """Files that hold the rows of one table.

    Attributes
    ----------
    name : str
        The path or pattern as given.
    paths : tuple of Path
    missing : tuple of str
        Further words for missing values in text.
    """

    name: str
    paths: tuple[Path, ...]
    missing: tuple[str, ...] = ()

    @property
    def ending(self) -> str:
        """The ending that tells the kind of the files, in lower case, without that of compression."""
        kinds = [suffix.lower() for suffix in self.paths[0].suffixes[-2:] if suffix.lower() != ".gz"]
        return kinds[-1] if kinds else ""

    @property
    def large(self) -> bool:
        """Whether the files are aggregated where they are; others are read into memory, and a fit keeps their rows."""
        return self.ending not in SHEETS and sum(path.stat().st_size for path in self.paths) >= LARGE


def files_at(path: str | PathLike[str], missing: Sequence[str] = ()) -> Files:
    """Return the file at a path, or those that a pattern such as ``data/*.csv`` matches, in the order of their names.

    Raises
    ------
    DataError
        If there is no such file, or it is of another kind.
    """
    name = str(fspath(path))
    here = Path(name)
    matched = () if here.exists() else tuple(Path(each) for each in sorted(glob(name, recursive=True)))
    paths = (here,) if here.exists() else tuple(each for each in matched if each.is_file())
    if not paths:
        swapped = f" {SWAPPED}" if "~" in name else ""
        raise DataError(f"There is no file {name}.{swapped}")
    if here.is_dir():
        raise DataError(f"{name} is a folder. Give a pattern of its files: {here}/*.parquet or {here}/*.csv.")
    files = Files(name, paths, tuple(missing))
    endings = {Files(name, (each,)).ending for each in paths}
    if not endings <= {*TEXT, *PARQUET, *SHEETS}:
        raise DataError(
            f"{name} is neither {', '.join(TEXT)} nor .parquet nor a spreadsheet. Save the table as .csv."
        )
    if len(paths) > 1 and not (endings <= {*TEXT} or endings <= {*PARQUET}):
        raise DataError(
            f"Files of one table are all of text, or all Parquet; {name} matches {', '.join(sorted(endings))}."
        )
    return files
