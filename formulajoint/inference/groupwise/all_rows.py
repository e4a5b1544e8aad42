"""What all rows add to densities that are computed from fewer cells.

Let D(b) be the log density of all rows of a group given its coefficients b, less that of its cells. Then the integral
over b by all rows is that by the cells, times the mean of exp D(b) over b given psi by the cells. D is small and
smooth: a rule of few nodes gives the mean.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import Array, FloatArray
from formulajoint.inference.groupwise.block import At, at_points, block_of
from formulajoint.inference.groupwise.cells import Batch, blocks
from formulajoint.inference.groupwise.forecast import Forecast
from formulajoint.inference.groupwise.inner import find_modes
from formulajoint.inference.groupwise.marginal import tolerance
from formulajoint.inference.groupwise.model import Model


def added(near: Forecast, whole: Model, points: FloatArray) -> FloatArray:
    """Return log p(y | psi) of all rows less that of cells, at points (S,); NaN where one is not finite.

    Parameters
    ----------
    near : Forecast
        A model with cells.
    whole : Model
        The same model with all rows; its batches have the same groups.
    points : (S, d) array
    """
    model = near.model
    at, out = at_points(model, points), np.zeros(len(points))
    nodes = _nodes(len(model.structure.base))
    pairs = zip(model.batches, whole.batches, near.parabolas, strict=True)
    with np.errstate(all="ignore"):
        for few, every, expected in pairs:
            for groups, some in blocks(every, len(points)):
                cells, rows = (block_of(model, each.of(groups), at.of(some)) for each in (few, every))
                modes = find_modes(cells, tolerance(model.structure.groups), expected.start(cells, groups))
                logs, more = [], []
                for node in nodes:
                    u = modes.away(node.tolist())
                    by_cells = cells.height(u)
                    logs.append(by_cells + 0.5 * float(node @ node))
                    more.append(rows.height(u) - by_cells)
                weights = np.array(logs)
                total = np.logaddexp.reduce(weights + np.array(more)) - np.logaddexp.reduce(weights)
                found = np.where(modes.converged, total, np.nan)
                out[some] += np.einsum("g,gs->s", every.of(groups).multiplicity, found)
    return out


def _nodes(p: int) -> FloatArray:
    """Return nodes (2 p, p) of equal weights, for N(0, 1): polynomials up to degree 3 are integrated exactly.

    Without columns there is one node. Stroud, Mathematical Tables and Other Aids to Computation 1957.
    """
    return np.concatenate([np.eye(p), -np.eye(p)]) * p**0.5 if p else np.zeros((1, 0))


def distances(few: Batch, every: Batch, model: Model, at: At, b: FloatArray) -> FloatArray:
    """Return the total variation distance of each group's coefficients given psi by cells from that by rows (G,).

    It is estimated at draws by cells, with one density at all points psi: differences between points make it larger.

    Parameters
    ----------
    few, every : Batch
        Cells, and rows, of the same groups.
    model : Model
        With either.
    at : At
        S points psi.
    b : (S, p, G) array
        Draws of the coefficients.
    """
    more = np.empty((len(every.members), len(b)))
    for groups, some in blocks(every, len(b)):
        u = np.moveaxis(b[some][:, :, groups], 0, 2)  # (p, G, S)
        cells, rows = (_heights(each.of(groups), model, at.of(some), u) for each in (few, every))
        more[groups, some] = rows - cells
    more -= np.logaddexp.reduce(more, axis=1, keepdims=True) - np.log(len(b))
    return 0.5 * np.mean(abs(np.expm1(more)), axis=1)


def _heights(batch: Batch, model: Model, at: At, b: FloatArray) -> Array:
    """Return log densities of rows given coefficients b (p, G, S), without constants (G, S)."""
    further = model.further_at(at.values, at.theta, batch.further)
    e = batch.offset[:, :, None] - model.form.shift(further)
    for column, each in zip(batch.own, b, strict=True):
        e = e + column[:, :, None] * each
    shared = at.theta[:, model.structure.means :].T[: len(batch.shared)]
    for column, gamma in zip(batch.shared, shared, strict=True):
        e = e + column[:, :, None] * gamma
    return model.form.density(batch.counts, further).total(e)
