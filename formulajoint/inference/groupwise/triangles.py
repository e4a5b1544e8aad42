"""Cholesky factors of many small matrices at once, element by element, on any device.

A matrix is a list of its rows up to the diagonal, a vector a list; elements are arrays that broadcast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from formulajoint.arrays import Array


def cholesky(matrix: list[list[Array]], xp: Any = np) -> list[list[Array]]:
    """Return the lower Cholesky factors of small matrices of `xp`, given row by row up to the diagonal."""
    out: list[list[Array]] = []
    for i, row in enumerate(matrix):
        made: list[Array] = []
        for j in range(i + 1):
            other = made if j == i else out[j]
            left = row[j]
            for k in range(j):
                left = left - made[k] * other[k]
            made.append(xp.sqrt(left) if i == j else left / out[j][j])
        out.append(made)
    return out


def forward(root: list[list[Array]], right: list[Array]) -> list[Array]:
    """Return the solution of C x = right."""
    out: list[Array] = []
    for i, row in enumerate(root):
        left = right[i]
        for k in range(i):
            left = left - row[k] * out[k]
        out.append(left / row[i])
    return out


def backward(root: list[list[Array]], right: list[Array]) -> list[Array]:
    """Return the solution of C' x = right."""
    out = list(right)
    for i in reversed(range(len(root))):
        for k in range(i + 1, len(root)):
            out[i] = out[i] - root[k][i] * out[k]
        out[i] = out[i] / root[i][i]
    return out
