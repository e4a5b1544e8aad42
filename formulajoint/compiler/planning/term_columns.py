"""The columns of a linear predictor by coefficient, as QR triangles, for the notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Coefficient, LinearPlan, Plan
from formulajoint.design.estimable import BoolArray, undetermined
from formulajoint.design.moments import group_triangles, rows_by_group, stack

MOST_NAMED = 6
"""At most this many coefficients or groups are listed by name in a note; the others are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The triangles of a predictor's columns and of the response, without constant coefficients.

    Attributes
    ----------
    found : (G, m, q + 1) array
        As from ``group_triangles``; the response is the last column.
    places : mapping of str to slice
        Columns of each coefficient, by its name.
    group_rows : (G,) array
    """

    found: FloatArray
    places: Mapping[str, slice]
    group_rows: FloatArray

    @property
    def y(self) -> FloatArray:
        """The response less the offset and constant coefficients, (G, m, 1)."""
        return self.found[:, :, -1:]

    def of(self, coefficients: Iterable[Coefficient]) -> FloatArray:
        """Return the columns of `coefficients` side by side, (G, m, k)."""
        parts = [self.found[:, :, self.places[c.name]] for c in coefficients]
        return np.concatenate([self.found[:, :, :0], *parts], axis=2)

    def open(self, own: list[Coefficient], shared: list[Coefficient]) -> dict[str, BoolArray]:
        """Return, by name, which coefficients the data do not determine: (G, k) in `own`, (1, k) in `shared`."""
        open_own, open_shared = undetermined(self.of(own), self.of(shared))
        return {**_split(open_own, own), **_split(open_shared[None], shared)}


def columns_of(plan: Plan, part: LinearPlan) -> Columns:
    """Return the columns of `part`, the predictor of the mean or of another parameter."""
    design, predictor = plan.design, part.predictor
    y = design.response.values - (0.0 if predictor.offset is None else predictor.offset)
    places, terms, start = {}, [], 0
    for coefficient in part.coefficients:
        if (known := known_value(coefficient)) is not None:
            y = y - coefficient.term.columns.sum(axis=1) * known
            continue
        terms.append(coefficient.term)
        places[coefficient.name] = slice(start, start + coefficient.term.columns.shape[1])
        start += coefficient.term.columns.shape[1]
    rows = design.rows.used
    found = group_triangles([stack(terms, rows), y[:, None]], predictor.grouping, design.precisions)
    return Columns(found, places, rows_by_group(predictor.grouping, design.row_weights, rows))


def known_value(coefficient: Coefficient) -> float | None:
    """Return the value of a coefficient with a ``constant`` prior, else None."""
    known = None if coefficient.prior is None else coefficient.prior.constant
    return None if known is None else float(known)


def cells(coefficient: Coefficient, chosen: BoolArray) -> Iterator[str]:
    """Yield the names of the `chosen` (G, k) or (1, k) coefficients as in tables: ``arm[A, low]``."""
    axes = [factor.labels for factor in coefficient.term.factors]
    if coefficient.grouping is not None:
        axes.insert(0, coefficient.grouping.labels)
    labels = list(product(*axes))
    for i in np.flatnonzero(chosen):
        yield f"{coefficient.name}[{', '.join(labels[i])}]" if axes else coefficient.name


def named(labels: list[str]) -> str:
    """Return `labels` as a list; those after the first `MOST_NAMED` are counted."""
    rest = len(labels) - MOST_NAMED
    if rest > 0:
        return f"{', '.join(labels[:MOST_NAMED])} and {rest} more"
    return " and ".join([part for part in (", ".join(labels[:-1]), labels[-1]) if part])


def _split(found: BoolArray, coefficients: list[Coefficient]) -> dict[str, BoolArray]:
    ends = np.cumsum([0, *(c.term.columns.shape[1] for c in coefficients)])
    return {
        c.name: found[:, start:stop] for c, (start, stop) in zip(coefficients, pairwise(ends), strict=True)
    }
