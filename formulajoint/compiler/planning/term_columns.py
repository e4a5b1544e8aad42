"""The columns of a linear predictor by coefficient, and names of coefficients, for the notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise, product

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.data.data import Data, Table
from formulajoint.data.layout import unknown
from formulajoint.data.least_squares import BoolArray, undetermined
from formulajoint.design.schema import Grouping
from formulajoint.language.syntax.text import BARE_NAME, quoted_name

MOST_NAMED = 6
"""At most this many coefficients or groups are listed by name in a note; the others are counted."""


def table_of(plan: Plan, part: LinearPlan) -> Table:
    """Return the columns of `part`, the predictor of the mean or of another parameter."""
    if part is plan.mean:
        return plan.data.groups
    return Data(plan.design, part.predictor, unknown(part.predictor)).groups


def columns_of(table: Table, coefficients: Iterable[Coefficient]) -> FloatArray:
    """Return the columns of `coefficients` side by side, (G, m, k)."""
    return table.of(c.term for c in coefficients)


def open_in(table: Table, own: list[Coefficient], shared: list[Coefficient]) -> dict[str, BoolArray]:
    """Return, by name, which coefficients the data do not determine: (G, k) in `own`, (1, k) in `shared`.

    Coefficients for each category of the response have the same columns: those of one category tell of all.
    """
    count = max((c.term.classes for c in (*own, *shared)), default=0) or 1
    once = (columns_of(table, chosen)[..., ::count] for chosen in (own, shared))
    open_own, open_shared = (np.repeat(found, count, axis=-1) for found in undetermined(*once))
    return {**_split(open_own, own), **_split(open_shared[None], shared)}


def known_value(coefficient: Coefficient) -> float | None:
    """Return the value of a coefficient with a ``constant`` prior, else None."""
    known = None if coefficient.prior is None else coefficient.prior.constant
    return None if known is None else float(known)


def cells(coefficient: Coefficient, chosen: BoolArray) -> Iterator[str]:
    """Yield the names of the `chosen` (G, k) or (1, k) coefficients as in tables: ``arm[A, low - app]``."""
    axes = [factor.comparisons for factor in coefficient.term.factors]
    if coefficient.grouping is not None:
        axes.insert(0, coefficient.grouping.labels)
    labels = list(product(*axes))
    for i in np.flatnonzero(chosen):
        yield f"{coefficient.name}[{', '.join(labels[i])}]" if axes else coefficient.name


def as_written(grouping: Grouping) -> str:
    """Return groups as a formula writes them: ``district/school``."""
    return "/".join(n if re.fullmatch(BARE_NAME, n) else quoted_name(n) for n in grouping.variables)


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
