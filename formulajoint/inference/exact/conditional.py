"""The log density of the rows given phi and what all groups share: one term a group, and one a sigma."""

from __future__ import annotations

import numpy as np

from formulajoint.design.schema import FloatArray
from formulajoint.inference.exact.marginal import LOG_2PI, Kernel, blocks, eliminate


def given_shared(kernel: Kernel, values: FloatArray, shift: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log p(y | phi, theta), the groups' own coefficients integrated out, in parts that add up to it.

    Parameters
    ----------
    kernel : Kernel
    values : (S, cells) array
        phi.
    shift : (S, t) array
        theta - reference.

    Returns
    -------
    own : (S, G) array
        What depends on a group's own coefficients.
    rest : (S, H) array
        What else depends on a sigma. ``log_unit`` is in neither.
    """
    reduction = kernel.reduction
    own = np.empty((len(values), reduction.gram.shape[2]))
    rest = np.empty((len(values), len(reduction.rows)))
    flat = np.sum(reduction.flat) * LOG_2PI - reduction.lean @ reduction.lean
    with np.errstate(all="ignore"):
        for block in blocks(reduction, len(values), kernel.device.pairs):
            at = np.column_stack([-shift[block], np.ones(len(values[block]))])
            out = eliminate(kernel, values[block])
            total = np.zeros_like(own[block])
            for pivot, row in zip(out.pivots, out.right, strict=True):
                along = sum(
                    kernel.device.get(column) * at[:, c : c + 1] for c, column in enumerate(row)
                )
                pivot = kernel.device.get(pivot)
                total += np.log(pivot) - along**2 / pivot
            own[block] = -0.5 * (total - flat)
            squares = np.einsum("sa,abh,sb->sh", at, reduction.whole, at)
            variances = values[block][:, : len(reduction.rows)] ** 2
            rest[block] = -0.5 * (reduction.rows * (LOG_2PI + np.log(variances)) + squares / variances)
    return own, rest
