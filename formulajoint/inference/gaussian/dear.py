"""Draws of phi where a point is dear: the log likelihood is interpolated (``importance/surrogate.py``)."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.gaussian.cost import last_points
from formulajoint.inference.gaussian.fits import Fits
from formulajoint.inference.gaussian.marginal import Kernel, log_likelihood
from formulajoint.inference.gaussian.sizes import free, typical
from formulajoint.inference.importance.sampled import Sampled
from formulajoint.inference.importance.surrogate import Dear, sample_dear
from formulajoint.inference.latent.linear_sds import spreads


def sample(
    kernel: Kernel, draws: int, chains: int, seed: np.random.SeedSequence, fits: Fits | None = None
) -> Sampled:
    """Return draws of phi (1, chains, draws, d) with the log evidence; `fits` keep those of theta at the draws."""
    last = None if fits is None else fits.log_likelihood
    return sample_dear(dear(kernel), last_points(kernel, draws * chains), draws, chains, seed, last)


def dear(kernel: Kernel) -> Dear:
    """Return the posterior of phi as one whose points are dear.

    The log likelihood changes with a small sd as with its square, and with a correlation as such. A climb starts at
    half of the sizes that the data suggest.
    """
    structure = kernel.structure
    scales, places, sizes = structure.scales, free(structure), typical(kernel.reduction)
    spread = expected(kernel)
    reach = np.clip(5 * spread, 0.1, 1.0)
    of_sigma = [
        at for at, each in zip(places, scales.coordinates, strict=True) if at < structure.sigmas or each.real
    ]
    reach[of_sigma] = np.maximum(3 * spread[of_sigma], 0.02)
    begin = np.array(
        [
            0.0 if np.isnan(sizes[at]) else float(each.at(np.asarray(sizes[at] / (1 if each.real else 2))))
            for at, each in zip(places, scales.coordinates, strict=True)
        ]
    )

    def natural(points: FloatArray) -> FloatArray:
        out = points.copy()
        for j, (at, each) in enumerate(zip(places, scales.coordinates, strict=True)):
            if at not in of_sigma:
                out[:, j] = (
                    np.log1p(np.exp(points[:, j] - begin[j])) if each.unbounded else each.value(points[:, j])
                )
        return np.asarray(out)

    def likelihood(points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return log_likelihood(kernel, points)

    return Dear(scales.log_prior, likelihood, begin[None], reach[places], spread[places], natural)


def expected(kernel: Kernel) -> FloatArray:
    """Return the spread of each parameter's coordinate (cells,) in a large sample."""
    structure, out = kernel.structure, np.full(len(kernel.structure.scales.cells), np.nan)
    out[: structure.sigmas] = 1 / np.sqrt(2 * kernel.reduction.rows)
    for at, spread in spreads(structure.scales, kernel.reduction.rows).items():
        out[at] = spread
    for block in structure.blocks:
        out[block.sds] = 1 / np.sqrt(2 * structure.groups)
        out[block.partials] = 2 / np.sqrt(structure.groups)
    return np.asarray(np.minimum(out, 1.0))
