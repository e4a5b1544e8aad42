"""log p(y) for many normal distributions of the groups' effects at once, in models with one sigma and no hierarchy.

Effects are N(mu, tau), mu ~ N(0, a). Given a and tau one integral over sigma is left. The two enter the arithmetic as
numbers of each point, so that one reduction of the data serves all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import Plan
from formulajoint.inference.alike import Integrals, integrate_all
from formulajoint.inference.gaussian.marginal import Kernel, at_values, kernel
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.inference.gaussian.sizes import typical
from formulajoint.inference.latent.phi import Coordinate, scan_of
from formulajoint.inference.panels import ROUNDING

NARROWEST = 1e-8
"""Sd of mu, as a share of the unit, that stands for zero."""


def applies(plan: Plan) -> bool:
    """Return whether a plan that the exact engine covers has one sigma, or known standard errors, and no hierarchy."""
    sigma = plan.spread
    one = plan.linear_spread is None if sigma is None else sigma.grouping is None and sigma.pool is None
    every = [c.prior.mixture for c in plan.mean.coefficients if c.prior is not None]
    normal = all(own is not None and bool(np.all(np.isinf(own.df))) for own in every)
    return plan.family.sums and one and normal and not plan.mean.pools


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Data as input of `log_evidences`.

    Attributes
    ----------
    core : Kernel
        Of a plan with one hierarchy, that of the effects, of one column. Its mean has a Student prior: the w by which
        the precision of that is multiplied (``latent/mixtures.py``) makes the sd of mu a number of each point.
    """

    core: Kernel

    @property
    def error(self) -> float:
        """The approximate standard error of an effect that all rows share."""
        reduction = self.core.reduction
        (column,) = reduction.structure.blocks[0].columns
        size = float(reduction.column_sizes()[column])
        return float(reduction.spreads()[0] / (size * np.sqrt(np.sum(reduction.rows))))


def effects(plan: Plan) -> Effects:
    """Return the data of a plan; see `Effects`."""
    return Effects(kernel(reduce(plan)))


def log_evidences(data: Effects, means: FloatArray, sds: FloatArray) -> Integrals:
    """Return log p(y) for F distributions of the effects.

    Parameters
    ----------
    data : Effects
    means, sds : (F,) arrays
        a, in units of the scale of the Student prior, and tau. Either may be zero.
    """
    core = data.core
    known = np.stack([sds, np.maximum(means, NARROWEST) ** -2.0], axis=1)
    sigma = core.structure.scales.cells[0]
    if not isinstance(sigma, Coordinate):
        logs = at_values(core, np.column_stack([np.full(len(known), sigma), known]))
        return Integrals(logs, ROUNDING * abs(logs))

    def densities(which: IntArray, points: FloatArray) -> FloatArray:
        each = np.repeat(known[which], points.shape[1], axis=0)
        values = np.column_stack([sigma.value(points.ravel()), each])
        return at_values(core, values).reshape(points.shape) + sigma.log_prior(points)

    return integrate_all(densities, len(known), scan_of(sigma, typical(core.reduction)[:1])[0])
