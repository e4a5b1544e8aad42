"""Coordinates of psi in which its log likelihood is nearly quadratic.

What the groups say about a hierarchy is about as precise as the sum of its covariance and the variance of a group's own
estimates, V: with S = D D' + V = W W', it is nearly quadratic in the logs of W's diagonal, the rest of W over the
diagonal, and the means of the hierarchy in units of W. A small sd thus changes little, as it does in the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.groupwise.forecast import Forecast
from formulajoint.inference.latent.phi import Coordinate
from formulajoint.inference.latent.structure import Block

LEAN = 1e-6
"""Share of the mean information that is added to it, so that it has an inverse."""


def natural_coordinates(near: Forecast, reference: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return the function from points psi (S, d) to such coordinates (S, d).

    Parameters
    ----------
    near : Forecast
        With its parabolas at the reference.
    reference : (d,) array
    """
    model, own = near.model, _own_variance(near)
    structure, scales = model.structure, model.scales
    place, free = np.full(len(scales.cells), -1), len(scales.coordinates)
    place[[isinstance(cell, Coordinate) for cell in scales.cells]] = np.arange(free)
    middle = model.parts(reference)[1]

    def natural(points: FloatArray) -> FloatArray:
        values, theta = model.parts(points)
        shift = theta - middle
        with_none = np.pad(shift, ((0, 0), (0, 1)))  # -1, a column without a mean, is the last
        out = np.concatenate([points[:, :free], shift], axis=1)
        root = structure.root(values)
        for block in structure.blocks:
            at = block.columns
            width = _width(root[:, at[:, None], at], own[np.ix_(at, at)], block.correlated)
            _put(out, place[block.sds], np.log(np.diagonal(width, axis1=1, axis2=2)))
            _put(out, place[block.partials], _slopes(width, block))
            means = structure.theta_of_column[at]
            white = np.linalg.solve(width, with_none[:, means, None])[:, :, 0]
            _put(out, np.where(means >= 0, free + means, -1), white)
        return np.asarray(out)

    return natural


def _own_variance(near: Forecast) -> FloatArray:
    """Return the inverse of the mean, over groups, of the information that their rows have on coefficients (p, p)."""
    batches = near.model.batches
    parts = [
        np.einsum("pqg,g->pq", parabola.curvature, batch.multiplicity)
        for batch, parabola in zip(batches, near.parabolas, strict=True)
    ]
    mean = np.sum(parts, axis=0) / sum(float(np.sum(batch.multiplicity)) for batch in batches)
    lean = LEAN * np.maximum(np.diagonal(mean), np.finfo(float).tiny ** 0.5)
    return np.asarray(np.linalg.inv(mean + np.diag(lean)))


def _width(root: FloatArray, own: FloatArray, correlated: bool) -> FloatArray:
    """Return W (S, m, m) of roots D (S, m, m)."""
    if correlated:
        return np.linalg.cholesky(root @ np.swapaxes(root, 1, 2) + own)
    return np.sqrt(root**2 + np.diag(np.diagonal(own)))


def _slopes(width: FloatArray, block: Block) -> FloatArray:
    """Return what stands below W's diagonal over the diagonal, in the order of partial correlations (S, pairs)."""
    m = len(block.columns)
    pairs = [(j, i) for j in range(m) for i in range(j + 1, m)] if block.correlated else []
    return np.array([width[:, i, j] / width[:, j, j] for j, i in pairs]).reshape(-1, len(width)).T


def _put(out: FloatArray, places: IntArray, values: FloatArray) -> None:
    """Put columns at their places; those with place -1 are constants."""
    out[:, places[places >= 0]] = values[:, places >= 0]
