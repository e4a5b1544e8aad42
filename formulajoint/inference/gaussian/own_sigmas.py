"""log p(y) given mean and sd of effects of one kind, in models with a sigma for each group and no other hierarchy.

The sigmas are integrated out group by group (``inside.py``): what is left are mean and sd themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.inference.gaussian.inside import Inside
from formulajoint.inference.gaussian.marginal import kernel
from formulajoint.inference.gaussian.owners import inside
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.inference.gaussian.units import units

LADDER = np.concatenate([-(2.0 ** np.arange(12.0, -4.0, -1.0)), [0.0], 2.0 ** np.arange(-3.0, 13.0)])
"""Means, in approximate standard errors about a first estimate, among which the best is sought."""

CLIMBS = 6

NONE = -60.0
"""Log of an sd of effects that stands for zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """log p(y | mean, sd) of the effects, and where it is largest among effects that are equal.

    Attributes
    ----------
    made : Inside
    best, error : float
        The mean that fits best if all effects are equal, and its approximate standard error.
    """

    made: Inside
    best: float
    error: float

    def log_likelihood(self, means: FloatArray, sds: FloatArray) -> FloatArray:
        """Return log p(y | mean, sd) for means and sds (n,) of the effects; an sd may be zero."""
        return _log_likelihood(self.made, means, sds)


def effects(plan: Plan) -> Effects | None:
    """Return the data of a plan whose one hierarchy is that of the effects, of one column.

    None if it has further parameters beside the sigmas, mean and sd.
    """
    core = kernel(reduce(plan))
    own = units(core.structure)
    if own is None or not own.sigmas or len(own.left) != 1 or len(core.structure.reference) != 1:
        return None
    made, _ = inside(core, own, np.random.default_rng(0))
    best, error = _best(made)
    return Effects(made, best, error)


def _log_likelihood(made: Inside, means: FloatArray, sds: FloatArray) -> FloatArray:
    z = (means - made.kernel.structure.reference[0]) / made.unit[0]
    with np.errstate(divide="ignore"):
        return made.log_likelihood(np.column_stack([z, np.maximum(np.log(sds), NONE)]))


def _best(made: Inside) -> tuple[float, float]:
    """Return the mean that fits best among equal effects, and its standard error by the curvature there."""
    step = float(made.unit[0])
    tried = float(made.kernel.structure.reference[0]) + step * LADDER

    def at(means: FloatArray) -> FloatArray:
        return np.nan_to_num(_log_likelihood(made, means, np.zeros(len(means))), nan=-np.inf)

    best = float(tried[np.argmax(at(tried))])
    bend = -(step**-2)
    for _ in range(CLIMBS):
        left, centre, right = at(best + step * np.array([-1.0, 0.0, 1.0]))
        slope, found = (right - left) / (2 * step), (right - 2 * centre + left) / step**2
        if np.isfinite(found) and found < 0:
            bend = float(found)
            best += float(np.clip(-slope / bend, -4 * step, 4 * step))
            step = (-bend) ** -0.5 / 2
        else:  # far from the peak: towards the higher side
            best += step * float(np.sign(slope))
    return best, float((-bend) ** -0.5)
