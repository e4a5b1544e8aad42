"""Precision weights where a group's rows have several residual sds: the inverse sampling variances of its effects.

Given the sds, the rows of each have the weight 1 / sigma^2, and the precision of a column's coefficient is its weighted
residual sum of squares on the group's other columns. These are first replaced by independent ones of the same span.

Shapes: G groups, A residual sds, p columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.data.least_squares import RANK_TOLERANCE


def products(
    columns: FloatArray, groups: IntArray, sigmas: IntArray, count: tuple[int, int], at: int
) -> FloatArray:
    """Return cross-products (A, p, p, G): of a group's other columns, made independent, and of column `at`, the last.

    Parameters
    ----------
    columns : (C, m, p) array
        Those of the rows of one group and one residual sd.
    groups, sigmas : (C,) int arrays
    count : tuple of int
        G and A.
    at : int
    """
    table, p = np.zeros((count[0], count[1], *columns.shape[1:])), columns.shape[2]
    table[groups, sigmas] = columns
    others, own = np.delete(table, at, axis=3), table[..., at]
    whole = others.reshape(count[0], -1, p - 1)
    lengths = np.linalg.norm(whole, axis=1)
    lengths[lengths == 0] = 1.0
    _, sizes, right = np.linalg.svd(whole / lengths[:, None], full_matrices=False)
    kept = np.zeros((count[0], p - 1))
    kept[:, : sizes.shape[1]] = np.where(sizes > RANK_TOLERANCE, 1 / np.where(sizes > 0, sizes, 1.0), 0.0)
    turn = np.zeros((count[0], p - 1, p - 1))
    turn[:, :, : right.shape[1]] = np.swapaxes(right, 1, 2) * kept[:, None, : right.shape[1]]
    turned = np.einsum("gamj,gji->gami", others / lengths[:, None, None], turn)
    every = np.concatenate([turned, own[..., None]], axis=3)
    out = np.einsum("gami,gamj->aijg", every, every)
    for i in range(p - 1):  # a column that depends on others is left out
        out[:, i, i] += kept[:, i] == 0
    return np.asarray(out)


def precision(found: FloatArray, weights: Sequence[Any], fixed: Callable[[FloatArray], Any]) -> Any:
    """Return the precision of the last column's coefficient (G,), by elimination of the others.

    Parameters
    ----------
    found : (A, p, p, G) array
        As from `products`.
    weights : sequence of A
        1 / sigma^2.
    fixed : callable
        Shapes numbers (G,) to multiply weights.
    """
    p = found.shape[1]
    left = [
        [
            sum(fixed(own[i, j]) * weight for own, weight in zip(found, weights, strict=True))
            for j in range(i + 1)
        ]
        for i in range(p)
    ]
    for i in range(p - 1):
        for j in range(i + 1, p):
            for k in range(i + 1, j + 1):
                left[j][k] = left[j][k] - left[j][i] * left[k][i] / left[i][i]
    return left[-1][-1]
