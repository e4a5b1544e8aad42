"""Gauss rules of discrete measures: few nodes in place of many points, with the same integrals of polynomials.

Golub & Welsch, Mathematics of Computation 1969; recurrences by the process of Lanczos, which stays stable as each new
vector is made orthogonal to all before it (Gragg & Harrod, Numerische Mathematik 1984).

Shapes: P measures side by side, n points of each, K nodes of each rule.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray

NOTHING = 1e-13
"""A vector that is shorter than this, of one before it, is rounding: the measure has no further points."""

TURNS = 2
"""How often a vector is made orthogonal to those before it: twice is enough."""


def gauss_rules(places: FloatArray, weights: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes, in increasing order, and weights of the rule of each measure, both (P, count).

    The rules integrate polynomials up to degree ``2 count - 1`` exactly. A measure with fewer points than `count` has
    further nodes of weight zero.

    Parameters
    ----------
    places : (P, n) array
        Between -1 and 1.
    weights : (P, n) array
        Not negative.
    count : int

    Examples
    --------
    >>> nodes, weights = gauss_rules(np.array([[-1.0, 0.0, 1.0]]), np.array([[1.0, 4.0, 1.0]]), 2)
    >>> np.round(nodes, 4).tolist(), np.round(weights, 4).tolist()
    ([[-0.5774, 0.5774]], [[3.0, 3.0]])
    """
    mass = np.sum(weights, axis=1)
    middle, beside = _recurrence(places, np.sqrt(weights / np.where(mass > 0, mass, 1.0)[:, None]), count)
    jacobi = np.zeros((len(places), count, count))
    every = np.arange(count)
    jacobi[:, every, every] = middle
    jacobi[:, every[1:], every[:-1]] = beside  # the upper triangle is not read
    nodes, vectors = np.linalg.eigh(jacobi)
    return nodes, mass[:, None] * vectors[:, 0] ** 2


def _recurrence(places: FloatArray, start: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Return the diagonals (P, count) and those beside them (P, count - 1) of Jacobi matrices, from unit vectors."""
    measures, points = places.shape
    basis = np.zeros((measures, count, points))
    middle, beside = np.zeros((measures, count)), np.zeros((measures, count - 1))
    vector = start
    for at in range(count):
        basis[:, at] = vector
        moved = places * vector
        middle[:, at] = np.einsum("pn,pn->p", moved, vector)
        if at == count - 1:
            break
        known = basis[:, : at + 1]
        for _ in range(TURNS):
            moved = moved - np.einsum("pk,pkn->pn", (known @ moved[:, :, None])[:, :, 0], known)
        length = np.sqrt(np.einsum("pn,pn->p", moved, moved))
        there = length > NOTHING
        beside[:, at] = np.where(there, length, 0.0)
        vector = np.where(there[:, None], moved / np.where(there, length, 1.0)[:, None], 0.0)
    return middle, beside
