"""The regression of all coefficients at once, compressed to QR triangles with the same cross-products.

Per group the triangle of a QR decomposition replaces the rows: it has the same cross-products, so whatever depends on
them alone is the same, and a million rows cost one pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.contrasts.layout import Block, layout
from formulajoint.data.data import Data
from formulajoint.design.schema import Design

MOST_COEFFICIENTS = 1500
"""Most coefficients: the joint cross-products of more would take longer than seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Columns (M, P) and response (M,) with the cross-products of the data, including row weights.

    Where standard errors are known, rows are in units of them: the residual sd is 1.

    Attributes
    ----------
    columns : (M, P) array
        In the order of ``layout``: zeros outside each coefficient's group.
    y : (M,) array
        Response less offset.
    rows : float
        N, the sum of the row weights.
    groups : (M,) int array
        The group of each row; zeros without groups.
    """

    columns: FloatArray
    y: FloatArray
    rows: float
    groups: IntArray


def regression(data: Data) -> Regression | None:
    """Return the regression of a Gaussian response, or None if it has too many coefficients."""
    blocks = layout(data.design)
    count = sum(block.size for block in blocks)
    if count > MOST_COEFFICIENTS:
        return None
    table = data.groups
    columns = [_placed(own, data.design, blocks, group, count) for group, own in enumerate(table.columns)]
    groups = np.repeat(np.arange(len(table.y)), table.y.shape[1])
    return Regression(np.vstack(columns), table.y.ravel(), float(data.rows_of(None)[0]), groups)


def _placed(
    triangle: FloatArray, design: Design, blocks: tuple[Block, ...], group: int, count: int
) -> FloatArray:
    """Return a group's columns, placed at its coefficients among all `count`."""
    out, start = np.zeros((len(triangle), count)), 0
    own = {id(term) for term in design.predictor.per_group}
    for block in blocks:  # per-group terms, then common ones: the order of the table
        k = block.term.columns.shape[1]
        at = block.start + (group * k if id(block.term) in own else 0)
        out[:, at : at + k] = triangle[:, start : start + k]
        start += k
    return out
