"""Some groups at some points psi: linear predictors, log densities and their derivatives by the groups' coefficients.

Coefficients are b = m + D u with u ~ N(0, 1), m the mean of b.

Shapes: n cells, p columns, G groups, S points. Arrays are (n, G, S) or (G, S), or have 1 in place of G or S.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import Array, FloatArray, IntArray
from formulajoint.inference.groupwise.cells import Batch
from formulajoint.inference.groupwise.densities import Density
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.groupwise.ties import take_shared
from formulajoint.inference.groupwise.triangles import cholesky
from formulajoint.inference.latent.device import NUMPY, Device


class At(NamedTuple):
    """Parameters psi at S points: phi (S, cells), theta (S, t), D (S, p, p)."""

    values: FloatArray
    theta: FloatArray
    root: FloatArray

    def of(self, points: slice | IntArray) -> At:
        """Return some of the points."""
        return At(*(each[points] for each in self))


def at_points(model: Model, points: FloatArray) -> At:
    """Return the parameters at points psi (S, d)."""
    values, theta = model.parts(points)
    return At(values, theta, model.structure.root(values))


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some groups at some points.

    Attributes
    ----------
    start : (n, G, S) array
        e at u = 0.
    loads : list of p (n, G, S or 1) arrays
        The derivative of e by each u.
    density : Density
    mean : list of p (G or 1, S or 1) arrays
        m.
    root : list of lists of (G or 1, S or 1) arrays
        The rows of D, up to the diagonal.
    gamma : (k, S) array of NumPy
    flat : tuple of bool
        Which u have a flat prior.
    device : Device
    """

    start: Array
    loads: list[Array]
    density: Density
    mean: list[Array]
    root: list[list[Array]]
    gamma: FloatArray
    flat: tuple[bool, ...]
    device: Device = NUMPY

    @property
    def shape(self) -> tuple[int, int]:
        """G and S."""
        _, groups, points = self.start.shape
        return groups, points

    def predictor(self, u: list[Array]) -> Array:
        """Return e (n, G, S)."""
        out = self.device.copy(self.start)
        for load, each in zip(self.loads, u, strict=True):
            out += load * each
        return out

    def height(self, u: list[Array]) -> Array:
        """Return the log density of rows and u (G, S), without constants."""
        return self.less(self.density.total(self.predictor(u)), u)

    def less(self, total: Array, u: list[Array]) -> Array:
        """Return log densities of rows and u (G, S), from those of rows."""
        for flat, each in zip(self.flat, u, strict=True):
            if not flat:
                total = total - 0.5 * each**2
        return total

    def curvature(self, weight: Array) -> list[list[Array]]:
        """Return the lower Cholesky factor of minus the Hessian of `height`, NaN where it has none.

        Parameters
        ----------
        weight : (n, G, S) array
            Minus the second derivatives of the cells' log densities.
        """
        p, summed = len(self.loads), self.device.summed
        return cholesky(
            [
                [
                    summed(self.loads[j], weight * self.loads[i]) + float(i == j and not self.flat[i])
                    for j in range(i + 1)
                ]
                for i in range(p)
            ],
            self.device.xp,
        )

    def gradient(self, away: Array, u: list[Array]) -> list[Array]:
        """Return the gradient of `height`, from the derivatives of the cells' log densities (n, G, S)."""
        return [
            self.device.summed(load, away) - (0.0 if flat else each)
            for load, flat, each in zip(self.loads, self.flat, u, strict=True)
        ]

    def pairs(self, at: IntArray) -> Block:
        """Return F of the pairs of a group and a point, numbered as G S in a row, as one group at F points.

        By NumPy alone.
        """
        points = self.shape[1]
        group, point = at // points, at % points

        def taken(values: FloatArray) -> FloatArray:
            which = at if values.shape[2] == points else group
            return values.reshape(len(values), -1)[:, None, which]

        def spread(values: FloatArray) -> FloatArray:
            wide, long = values.shape
            return values[group if wide > 1 else 0 * group, point if long > 1 else 0 * point][None]

        return Block(
            taken(self.start),
            [taken(load) for load in self.loads],
            self.density.pairs(taken, point),
            [spread(each) for each in self.mean],
            [[spread(each) for each in row] for row in self.root],
            self.gamma[:, point],
            self.flat,
        )


def block_of(model: Model, batch: Batch, at: At, device: Device = NUMPY) -> Block:
    """Return the groups of a batch that is on `device` at points psi."""
    structure = model.structure
    p, k = batch.own.shape[0], batch.shared.shape[0]
    further = model.further_at(at.values, at.theta, batch.further)
    start = batch.offset[:, :, None] - device.put(model.form.shift(further) + np.zeros(len(at.values)))
    mean: list[Array] = []
    for j in range(p):
        place = structure.theta_of_column[j]
        known = batch.mean[j, :, None] + float(structure.base[j])
        mean.append(device.put(at.theta[None, :, place]) if place >= 0 else known)
        start += batch.own[j, :, :, None] * mean[j]
    gamma = at.theta[:, structure.means : structure.means + k].T
    for j in range(k):
        start += batch.shared[j, :, :, None] * device.put(gamma[j])
    pattern = structure.pattern()
    root = [[device.zeros((1, 1))] * (j + 1) for j in range(p)]
    loads = []
    for a in range(p):
        if np.any(structure.fixed[a]):
            root[a][a] = batch.fixed[a, :, None]
            loads.append(batch.own[a, :, :, None] * root[a][a])
            continue
        for b in pattern[a]:
            root[b][a] = device.put(at.root[None, :, b, a])
        loads.append(sum(batch.own[b, :, :, None] * root[b][a] for b in pattern[a]))
    if model.shared.size:
        take_shared(model.shared, batch.class_of_group, at.values, start, loads)
    density, flat = model.form.density(batch.counts, further, device), tuple(structure.flat.tolist())
    return Block(start, loads, density, mean, root, gamma, flat, device)
