"""Draws under the names, dims and coords of the PyMC model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.inference.gaussian.draws import Draws
from formulajoint.inference.gaussian.naming import Variable, is_constant
from formulajoint.inference.gaussian.naming import variables as of_mean
from formulajoint.inference.groupwise.further import Numbers, Predicted, coefficients_of
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.latent.linear_sds import shape_of


def variables(plan: Plan, model: Model, draws: Draws, own: bool = True) -> Iterator[Variable]:
    """Yield every variable of a plan with its dims and draws; those of single groups only if `own`."""
    yield from of_mean(replace(plan, further=()), model.structure, draws, None if own else ())
    for part in plan.further:
        made = model.further[part.parameter]
        if isinstance(part, LinearPlan):
            assert isinstance(made, Predicted)
            of_part, both = draws.theta[..., made.coefficients], draws.theta.shape[:2]
            for each, places in coefficients_of(part):
                yield each.name, each.dims, of_part[..., places].reshape(*both, *shape_of(each))
        elif not is_constant(part.prior):
            assert isinstance(made, Numbers)
            found = made.of(draws.values)
            yield part.name, part.dims, found if part.dims else found[..., 0]
