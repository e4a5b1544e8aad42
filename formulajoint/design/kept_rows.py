"""The columns that a formula names, in the rows of the fit: for predictions with some of them changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from formulajoint.arrays import IntArray
from formulajoint.design.columns import Column


@dataclass(frozen=True, slots=True, eq=False)
class KeptRows:
    """Columns by name in the rows used, and the places of these rows in the data frame."""

    places: IntArray
    columns: Mapping[str, Column]
