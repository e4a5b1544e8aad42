"""Draws under the names, dims and coords of the PyMC model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.inference.gaussian.draws import Draws
from formulajoint.inference.gaussian.naming import Variable, is_constant
from formulajoint.inference.gaussian.naming import variables as of_mean
from formulajoint.inference.groupwise.model import Model


def variables(plan: Plan, model: Model, draws: Draws, own: bool = True) -> Iterator[Variable]:
    """Yield every variable of a plan with its dims and draws; those of single groups only if `own`."""
    yield from of_mean(replace(plan, further=()), model.structure, draws, None if own else ())
    for part in plan.further:
        if isinstance(part, ScalePlan) and not is_constant(part.prior):
            found = model.parameter(part.parameter, draws.values)
            yield part.name, part.dims, found if part.dims else found[..., 0]
