"""Whether the log density that an extension declares is that of its distribution in PyMC, at some values."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import ParameterPlan, Plan, ScalePlan
from formulajoint.errors import ExtensionError
from formulajoint.families.smooth import Mean

RESPONSES = 7
"""Responses at which both are compared."""

AROUND = (-1.0, 0.0, 1.0)
"""Linear predictors there: in units of the link of the mean response."""

CLOSE = 1e-6
"""Largest difference, and largest share of the log density by which they may differ."""


def check_density(plan: Plan) -> None:
    """Raise an ExtensionError if the log density that an extension declares is another than that of PyMC."""
    smooth = plan.family.smooth
    if smooth is None or not smooth.of_extension:
        return
    y, predictor = _places(plan)
    further = [np.full(y.shape, _typical(plan, part)) for part in plan.further]
    mean = Mean(plan.mean.link, predictor)
    ours, theirs = (
        smooth.log_density(y, np.ones_like(y), mean, *further),
        _by_pymc(plan, y, mean.value, further),
    )
    whose = f"`log_density` of the family `{plan.family.name}`"
    if ours.shape != y.shape:
        raise ExtensionError(
            f"{whose} must return a number for each response, an array of shape {y.shape} here, not {ours.shape}."
        )
    off = ~np.isclose(ours, theirs, rtol=CLOSE, atol=CLOSE)
    if np.any(off):
        at = int(np.argmax(off))
        raise ExtensionError(
            f"{whose} is {ours[at]:.6g} at a response of {y[at]:.4g} and a mean of {mean.value[at]:.4g}, but its "
            f"distribution in PyMC has {theirs[at]:.6g}. Both must be the same, with all constants."
        )


def _typical(plan: Plan, part: ParameterPlan) -> float:
    """Return a typical value of a further parameter."""
    own = plan.family.further[part.parameter].default_prior(1.0)
    if isinstance(part, ScalePlan) and part.grouping is None:
        own = part.prior
    return 1.0 if own.typical is None else own.typical


def _places(plan: Plan) -> tuple[FloatArray, FloatArray]:
    """Return responses and linear predictors (n,)."""
    values = plan.design.response.values
    distinct = np.unique(values)
    chosen = distinct[np.unique(np.linspace(0, len(distinct) - 1, RESPONSES).astype(int))]
    link = plan.mean.link
    unit = float(np.std(values)) if link.in_units else 1.0
    about = link.at(float(np.mean(values))) + unit * np.array(AROUND)
    return np.repeat(chosen, len(about)), np.tile(about, len(chosen))


def _by_pymc(plan: Plan, y: FloatArray, mean: FloatArray, further: list[FloatArray]) -> FloatArray:
    import pymc as pm  # the exact engine needs no PyMC otherwise
    from pytensor.compile import maker

    law = plan.family.distribution
    assert law.pymc is not None  # every family has it
    values = (pm.math.constant(each) for each in (mean, *further))
    logp = pm.logp(law.pymc(pm).dist(**dict(zip(law.args, values, strict=True))), pm.math.constant(y))
    return np.asarray(maker.function([], logp, mode="FAST_COMPILE")())
