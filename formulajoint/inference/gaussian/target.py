"""The log density of phi given the data.

Where groups share nothing, each with its own coefficients and sigma, there is one density of one number per group;
otherwise there is one density of all of phi.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.gaussian.marginal import Kernel, log_likelihood
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.latent.phi import Scales, together
from formulajoint.inference.panels import Densities

if TYPE_CHECKING:
    from formulajoint.inference.importance.mode import Target


def log_posterior(kernel: Kernel) -> Target:
    """Return the log density of points (n, d): prior times likelihood."""
    scales = kernel.structure.scales

    def target(points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return scales.log_prior(points) + log_likelihood(kernel, points)

    return target


def log_posteriors(kernel: Kernel) -> Densities:
    """Return the log densities of points (G, n) of groups that share nothing."""
    sigmas = together(kernel.structure.scales.coordinates)

    def densities(points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return (sigmas.log_prior(points.T) + log_likelihood(kernel, points.T, by_group=True)).T

    return densities


def part(reduction: Reduction, groups: slice) -> Reduction:
    """Return the reduction of some of the groups that share nothing."""
    count = len(reduction.rows[groups])
    structure = replace(
        reduction.structure,
        u_mean=reduction.structure.u_mean[:, groups],
        fixed=reduction.structure.fixed[:, groups],
        scales=Scales(reduction.structure.scales.cells[groups]),
        sigmas=count,
        sigma_of_group=np.arange(count),
    )
    return replace(
        reduction,
        structure=structure,
        own=reduction.own[:, :, groups],
        rest=reduction.rest[groups],
        rows=reduction.rows[groups],
        rounding=reduction.rounding[groups],
    )
