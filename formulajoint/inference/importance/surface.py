"""A smooth function through points: a quadratic trend plus a sum of cubes of distances from the points known.

It is the smoothest function through them (Duchon, 1977).

Shapes: n points, d coordinates.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from formulajoint.arrays import FloatArray

CHUNK = 250
"""Points at which the function is computed at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A function through points.

    Attributes
    ----------
    centre : (d,) array
    root : (d, d) array
        Coordinates are centre + root z; cubes are of distances in z.
    nodes : (n, d) array
        z of the points known.
    weights : (n,) array
    trend : (m,) array
        Coefficients of the quadratic trend in z.
    """

    centre: FloatArray
    root: FloatArray
    nodes: FloatArray
    weights: FloatArray
    trend: FloatArray

    def at(self, points: FloatArray, near: NDArray[np.bool_] | None = None) -> tuple[FloatArray, FloatArray]:
        """Return the values at points (n, d), and how far the nearest of some known points is; both (n,)."""
        z = whitened(points, self.centre, self.root)
        every = near is None or bool(np.all(near))
        out, alone = np.empty((2, len(z)))
        with _one_thread():
            for start in range(0, len(z), CHUNK):
                chunk = slice(start, start + CHUNK)
                squares = _squares(z[chunk], self.nodes)
                alone[chunk] = np.sqrt(np.min(squares if every else squares[:, near], axis=1))
                squares *= np.sqrt(squares)
                out[chunk] = squares @ self.weights
            return out + quadratic(z) @ self.trend, alone


def through(
    points: FloatArray, values: FloatArray, centre: FloatArray, root: FloatArray, smoothing: float = 0.0
) -> Surface:
    """Return the function through distinct points (n, d) with values (n,)."""
    nodes = whitened(points, centre, root)
    trend = quadratic(nodes)
    n, m = trend.shape
    system = np.zeros((n + m, n + m))
    system[:n, :n] = _squares(nodes, nodes) ** 1.5
    system[range(n), range(n)] += smoothing
    system[:n, n:], system[n:, :n] = trend, trend.T
    with _one_thread():
        solved = np.linalg.solve(system, np.concatenate([values, np.zeros(m)]))
    return Surface(centre, root, nodes, solved[:n], solved[n:])


def _one_thread() -> AbstractContextManager[object]:
    """Let BLAS compute in one thread: with several its sums, and so the draws for a seed, depend on their number."""
    limited: AbstractContextManager[object] = _blas().limit(limits=1)
    return limited


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def whitened(points: FloatArray, centre: FloatArray, root: FloatArray) -> FloatArray:
    """Return z (n, d) of points centre + root z."""
    return np.asarray(np.linalg.solve(root, (points - centre).T).T)


def quadratic(z: FloatArray) -> FloatArray:
    """Return the terms of a quadratic function (n, m) of z (n, d)."""
    i, j = np.triu_indices(z.shape[1])
    return np.column_stack([np.ones(len(z)), z, z[:, i] * z[:, j]])


def _squares(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the squares of the distances (n, m) of points (n, d) and (m, d)."""
    left = np.column_stack([one, np.ones(len(one)), np.sum(one**2, axis=1)])
    right = np.column_stack([-2 * other, np.sum(other**2, axis=1), np.ones(len(other))])
    squares: FloatArray = left @ right.T
    return np.maximum(squares, 0.0, out=squares)
