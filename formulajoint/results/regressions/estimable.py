"""Least squares of estimable combinations, whether or not the data determine every coefficient.

Columns are divided by their lengths first, so that neither ranks nor digits depend on units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.data.least_squares import RANK_TOLERANCE, residual

ROUNDING = 1e-7
"""Entries of a projection matrix below this are rounding: the smallest singular value kept is 1e-9."""

CANCELLED = 1e-6
"""A sum below this share of its absolute terms is zero."""

PERFECT = 1e-28
"""A residual sum of squares below this share of the response's is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """The regression of y (M,) on columns (M, P) of rank r, by singular values of the columns of unit length.

    Attributes
    ----------
    lengths : (P,) array
        Lengths of the columns; 1 for a column of zeros.
    right : (P, r) array
        Right singular vectors, a basis of the row space.
    inverse : (r,) array
        One over the singular values.
    along : (r,) array
        y along the left singular vectors.
    rss : float
        Residual sum of squares; zero if it is rounding.
    """

    lengths: FloatArray
    right: FloatArray
    inverse: FloatArray
    along: FloatArray
    rss: float

    @property
    def rank(self) -> int:
        """The rank of the columns."""
        return len(self.inverse)

    def determined(self, rows: FloatArray) -> NDArray[np.bool_]:
        """Return for each combination of coefficients (q, P) whether it is estimable: whether it lies in the row space.

        Notes
        -----
        Searle, *Linear Models* (1971), section 5.4. Terms are summed coefficient by coefficient, and a sum counts as
        zero relative to its own terms, so that a coefficient with small units counts as much as any other.
        """
        if self.rank == len(self.lengths):
            return np.ones(len(rows), dtype=bool)
        outside = np.eye(len(self.lengths)) - self.right @ self.right.T
        outside[abs(outside) < ROUNDING] = 0.0
        scaled = rows / self.lengths
        return np.asarray(np.all(abs(scaled @ outside) <= CANCELLED * (abs(scaled) @ abs(outside)), axis=1))

    def standardized(self, rows: FloatArray, null: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return W (q, q) and z = W (R b - r) with W'W = (R (X'X)^- R')^-1, for estimable rows R of full rank.

        The squared length of z over sigma^2 is then the chi-square of ``R b = r``.
        """
        h = (rows / self.lengths) @ self.right * self.inverse  # R (X'X)^- R' = h h'
        size = np.linalg.norm(h, axis=1)
        triangle = np.linalg.qr((h / size[:, None]).T, mode="r")
        w = scipy.linalg.solve_triangular(triangle, np.diag(1 / size), trans="T")
        return w, w @ (h @ self.along - null)


def least_squares(columns: FloatArray, y: FloatArray) -> LeastSquares:
    """Return the regression of y (M,) on columns (M, P)."""
    lengths = np.linalg.norm(columns, axis=0)
    lengths[lengths == 0] = 1.0
    left, singular, right = np.linalg.svd(columns / lengths, full_matrices=False)
    kept = singular > RANK_TOLERANCE * max(1.0, np.max(singular, initial=0.0))
    rest = residual(y[:, None], left[:, kept])
    rss, tss = float(np.sum(rest**2)), float(y @ y)
    return LeastSquares(
        lengths,
        right[kept].T,
        1 / singular[kept],
        left[:, kept].T @ y,
        rss if rss > PERFECT * tss else 0.0,
    )
