"""The data, in one pass: cross-products of columns and response. Nothing later depends on how many rows there are.

A least-squares fit of all rows together is taken off the response first. Any reference is exact, because priors are
moved by as much; this one keeps digits where a response is far from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from formulajoint.design.schema import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Which cell each row is in, of `count`: groups, or the rows of one sigma."""

    codes: IntArray
    count: int

    def sums(self, values: FloatArray) -> FloatArray:
        """Return the sum of `values` (N,) in each cell."""
        if self.count == 1:
            return np.array([values.sum()])
        return np.bincount(self.codes, weights=values, minlength=self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Cross-products of C = [X, Z, y]: p per-group columns, k shared ones, the response; weighted rows.

    Attributes
    ----------
    own : (p, p + k + 1, G) array
        X'C in each group.
    whole : (p + k + 1, p + k + 1, H) array
        C'C of the rows of each sigma.
    rows : (H,) array
        Sums of their weights.
    reference : (p + k,) array
        Coefficients whose fit was taken off the response.
    """

    own: FloatArray
    whole: FloatArray
    rows: FloatArray
    reference: FloatArray


def moments(
    columns: Sequence[FloatArray],
    y: FloatArray,
    weights: FloatArray | None,
    per_group: int,
    groups: Cells,
    sigmas: Cells,
    movable: NDArray[np.bool_],
) -> Moments:
    """Return the moments of y (N,) on p + k columns (N,).

    Parameters
    ----------
    columns : sequence of (N,) arrays
        The p per-group ones first.
    y : (N,) array
    weights : (N,) array or None
        Of the rows.
    per_group : int
        p.
    groups, sigmas : Cells
        G groups of coefficients, H of residual sds.
    movable : (p + k,) bool array
        Columns that the reference may use.
    """
    whole = np.empty((len(columns) + 1, len(columns) + 1, sigmas.count))
    own = np.empty((per_group, len(columns) + 1, groups.count))
    reference, left = _taken_off(columns, y, weights, movable)
    table = [*columns, left]
    for i, column in enumerate(table):
        weighted = column if weights is None else column * weights
        for j in range(i, len(table)):
            product = weighted * table[j]
            whole[i, j] = whole[j, i] = sigmas.sums(product)
            if i < per_group:
                own[i, j] = groups.sums(product)
                if j < per_group:
                    own[j, i] = own[i, j]
    ones = np.ones(len(y)) if weights is None else weights
    return Moments(own, whole, sigmas.sums(ones), reference)


def _taken_off(
    columns: Sequence[FloatArray], y: FloatArray, weights: FloatArray | None, movable: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Return the coefficients of a fit to all rows, and what it leaves of y."""
    reference, used = np.zeros(len(columns)), [at for at, free in enumerate(movable) if free]
    if not used:
        return reference, y
    weighted = [columns[i] if weights is None else columns[i] * weights for i in used]
    squares = np.array([[np.sum(a * columns[i]) for i in used] for a in weighted])
    size = np.sqrt(np.diag(squares))
    size[size == 0] = 1.0
    left = y
    for _ in range(2):  # the second time for the digits that the first lost
        # `@` would sum by as many threads as there are.
        along = np.array([np.sum(a * left) for a in weighted])
        step = np.linalg.lstsq(squares / np.outer(size, size), along / size)[0] / size
        for i, move in zip(used, step, strict=True):
            left = left - move * columns[i]
            reference[i] += move
    return reference, left
