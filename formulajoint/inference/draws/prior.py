"""Draws from the prior, without the data."""

from __future__ import annotations

from collections.abc import Callable

import pymc as pm
from xarray import DataTree

from formulajoint.compiler.plan import Plan
from formulajoint.errors import InferenceError
from formulajoint.inference.settings import check_seed, check_whole, quiet
from formulajoint.wording import listed


def sample_prior(
    plan: Plan, draws: int, seed: int | None, model: Callable[[], pm.Model], responses: bool = True
) -> DataTree:
    """Return draws of every variable and of new responses.

    Parameters
    ----------
    plan : Plan
    draws : int
    seed : int, optional
    model : callable
        Returns the plan's model; called once nothing speaks against drawing.
    responses : bool
        Whether to draw responses, too.

    Raises
    ------
    InferenceError
        If a prior is flat, so that it cannot be drawn from, or so wide that the response cannot, or a setting is
        invalid.
    """
    flat = [name for name, prior in plan.priors if not prior.proper]
    if flat:
        has = "has" if len(flat) == 1 else "have"
        raise InferenceError(
            f"Nothing can be drawn from a flat prior, and {listed(flat)} {has} one. Use the default priors."
        )
    check_whole("draws", draws, 1)
    check_seed(seed)
    built = model()
    wanted = None if responses else [v.name for v in built.unobserved_RVs]
    try:
        with quiet():
            tree: DataTree = pm.sample_prior_predictive(draws, built, wanted, random_seed=seed)
    except (
        ValueError
    ) as error:  # NumPy's, of a mean that is infinite, or too large for a count, or below zero
        raise InferenceError(
            f"The priors allow means from which no response of the family `{plan.family.name}` can be drawn "
            f"({str(error).splitlines()[0]}). State narrower ones, such as prior(x ~ normal(0, 0.5))."
        ) from error
    return tree
