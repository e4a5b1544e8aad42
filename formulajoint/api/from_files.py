"""A model of files, as the command line makes it: rows of large ones stay where they are, if the model allows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from formulajoint.api.model import JointModel
from formulajoint.api.verbs import Priors, model
from formulajoint.errors import RowsNeededError
from formulajoint.files.files import STANDARD_INPUT, files_at
from formulajoint.files.read import read_file


def model_of_files(
    formula: str,
    path: Path,
    priors: Priors = None,
    family: str | None = None,
    missing: Sequence[str] = (),
    sheet: str | None = None,
) -> tuple[JointModel, tuple[str, ...]]:
    """Return the model of a formula and files, with notes on how these were read.

    Parameters
    ----------
    formula, priors, family
        As for `model`.
    path, missing, sheet
        As for `read_file`.
    """
    notes: tuple[str, ...] = ()
    if str(path) != STANDARD_INPUT and sheet is None and (files := files_at(path, missing)).large:
        from formulajoint.aggregates.scan import scanned

        try:
            source = scanned(files)
            made = model(formula, source, priors, family)
        except RowsNeededError as error:
            notes = (f"{files.name} is read into memory. {error.reason}",)
        else:
            told = f"{files.name} is aggregated where it is: the fit has sums, and not the rows."
            return made, (told, *source.notes.get("", ()))
    table = read_file(path, missing, sheet)
    return model(formula, table, priors, family), (*notes, *table.notes.get("", ()))
