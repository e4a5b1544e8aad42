"""Where the modes of the groups' coefficients are expected, from those at one reference point psi.

At the reference the log density of each group's rows is replaced by a parabola in its coefficients b and in gamma; the
mode under that parabola, for any other prior of b, is in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import Array, FloatArray, IntArray
from formulajoint.inference.groupwise.block import At, Block, at_points, block_of
from formulajoint.inference.groupwise.cells import Batch
from formulajoint.inference.groupwise.inner import find_modes
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.groupwise.triangles import backward, cholesky, forward

FARTHEST = 4.0
"""Modes are not expected further than this from their prior mean, in prior sds."""

STARTED = 0.1
"""Decrement at which Newton's method stops at the reference."""


@dataclass(frozen=True, slots=True, eq=False)
class Parabola:
    """The log density of each group's rows about the reference, in NumPy.

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

    def start(self, block: Block, groups: IntArray) -> list[Array]:
        """Return expected modes u, p arrays (G, S) on the block's device, of a block with some of the groups."""
        p, device = len(self.b), block.device

        def put(values: FloatArray) -> Array:
            return device.put(values[..., groups][..., None])

        moved = device.put((block.gamma - self.gamma[:, None])[:, None])
        away = [block.mean[j] - put(self.b[j]) for j in range(p)]
        bend = [[put(self.curvature[i, j]) for j in range(p)] for i in range(p)]
        pull = []
        for j in range(p):
            out = put(self.slope[j]) - device.summed(put(self.mixed[j]), moved)
            for i in range(p):
                out = out - bend[j][i] * away[i]
            pull.append(out)
        root = block.root
        right = [sum(root[i][a] * pull[i] for i in range(a, p)) for a in range(p)]
        turned = [[sum(bend[i][j] * root[j][a] for j in range(a, p)) for a in range(p)] for i in range(p)]
        matrix = [
            [
                sum(root[i][c] * turned[i][a] for i in range(c, p)) + float(a == c and not block.flat[c])
                for a in range(c + 1)
            ]
            for c in range(p)
        ]
        factor, none = cholesky(matrix, device.xp), device.zeros(block.shape)
        found = backward(factor, forward(factor, right))
        near = [
            each if flat else device.xp.clip(each, -FARTHEST, FARTHEST)
            for flat, each in zip(block.flat, found, strict=True)
        ]
        return [device.xp.where(device.xp.isfinite(each), each, none) for each in near]


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """A model with the parabolas of each of its batches, and the batches on its device."""

    model: Model
    parabolas: tuple[Parabola, ...]
    there: tuple[Batch, ...]


def forecast(model: Model, reference: FloatArray) -> Forecast:
    """Return a model with parabolas at a reference point psi (d,)."""
    at = at_points(model, reference[None])
    with np.errstate(all="ignore"):
        parabolas = tuple(_parabola(model, batch, at) for batch in model.batches)
    return Forecast(model, parabolas, tuple(batch.on(model.device) for batch in model.batches))


def _parabola(model: Model, batch: Batch, at: At) -> Parabola:
    block = block_of(model, batch, at)
    modes = find_modes(block, STARTED, [np.zeros(block.shape) for _ in block.loads])
    left, weight = (each[:, :, 0] for each in block.density.slopes(block.predictor(modes.u)))
    weight = np.maximum(weight, 0.0)
    b = [
        (block.mean[i] + sum(each * modes.u[a] for a, each in enumerate(row)))[:, 0]
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
