"""Where the modes of the groups' coefficients are expected, from those at one reference point psi.

At the reference the log density of each group's rows is replaced by a parabola in its coefficients b and in gamma; the
mode under that parabola, for any other prior of b, is in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.groupwise.cells import Batch
from formulajoint.inference.groupwise.inner import (
    At,
    Block,
    at_points,
    backward,
    block_of,
    cholesky,
    find_modes,
    forward,
)
from formulajoint.inference.groupwise.model import Model

FARTHEST = 4.0
"""Modes are not expected further than this from their prior mean, in prior sds."""

STARTED = 0.1
"""Decrement at which Newton's method stops at the reference."""


@dataclass(frozen=True, slots=True, eq=False)
class Parabola:
    """The log density of each group's rows about the reference.

    Attributes
    ----------
    b, slope : (p, G) arrays
        Coefficients at the reference, and the gradient there.
    curvature : (p, p, G) array
        Minus the second derivatives by coefficients.
    mixed : (p, k, G) array
        Minus the second derivatives by a coefficient and an element of gamma.
    gamma : (k,) array
        At the reference.
    """

    b: FloatArray
    slope: FloatArray
    curvature: FloatArray
    mixed: FloatArray
    gamma: FloatArray

    def start(self, block: Block, groups: IntArray) -> list[FloatArray]:
        """Return expected modes u, p arrays (G, S), of a block with some of the groups."""
        p, moved = len(self.b), block.gamma - self.gamma[:, None]
        away = [block.mean[j] - self.b[j, groups][:, None] for j in range(p)]
        pull = []
        for j in range(p):
            out = self.slope[j, groups][:, None] - np.einsum("kg,ks->gs", self.mixed[j][:, groups], moved)
            for i in range(p):
                out = out - self.curvature[j, i, groups][:, None] * away[i]
            pull.append(out)
        root = block.root
        right = [sum(root[i][a] * pull[i] for i in range(a, p)) for a in range(p)]
        turned = [
            [sum(self.curvature[i, j, groups][:, None] * root[j][a] for j in range(a, p)) for a in range(p)]
            for i in range(p)
        ]
        matrix = [
            [
                sum(root[i][c] * turned[i][a] for i in range(c, p)) + (a == c and not block.flat[c])
                for a in range(c + 1)
            ]
            for c in range(p)
        ]
        factor = cholesky(matrix)
        found = backward(factor, forward(factor, right))
        near = [
            each if flat else np.clip(each, -FARTHEST, FARTHEST)
            for flat, each in zip(block.flat, found, strict=True)
        ]
        return [np.broadcast_to(np.nan_to_num(each), block.shape).copy() for each in near]


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """A model with the parabolas of each of its batches."""

    model: Model
    parabolas: tuple[Parabola, ...]


def forecast(model: Model, reference: FloatArray) -> Forecast:
    """Return a model with parabolas at a reference point psi (d,)."""
    at = at_points(model, reference[None])
    with np.errstate(all="ignore"):
        return Forecast(model, tuple(_parabola(model, batch, at) for batch in model.batches))


def _parabola(model: Model, batch: Batch, at: At) -> Parabola:
    block = block_of(model, batch, at)
    modes = find_modes(block, STARTED, [np.zeros(block.shape) for _ in block.loads])
    left, weight = (each[:, :, 0] for each in block.density.slopes(block.predictor(modes.u)))
    weight = np.maximum(weight, 0.0)
    b = [
        (block.mean[i] + sum((each * modes.u[a] for a, each in enumerate(row)), np.zeros((1, 1))))[:, 0]
        for i, row in enumerate(block.root)
    ]
    means = model.structure.means
    return Parabola(
        np.array(b).reshape(len(b), len(batch.members)),
        np.einsum("png,ng->pg", batch.own, left),
        np.einsum("png,qng,ng->pqg", batch.own, batch.own, weight),
        np.einsum("png,qng,ng->pqg", batch.own, batch.shared, weight),
        at.theta[0, means : means + len(batch.shared)],
    )
