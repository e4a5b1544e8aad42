"""Draws from the prior, without the data."""

from __future__ import annotations

from collections.abc import Callable

import pymc as pm
from xarray import DataTree

from formulajoint.compiler.plan import Plan
from formulajoint.errors import InferenceError
from formulajoint.inference.settings import check_seed, check_whole, quiet
from formulajoint.wording import listed


def sample_prior(plan: Plan, draws: int, seed: int | None, model: Callable[[], pm.Model]) -> DataTree:
    """Return draws of every variable and of new responses.

    Parameters
    ----------
    plan : Plan
    draws : int
    seed : int, optional
    model : callable
        Returns the plan's model; called once nothing speaks against drawing.

    Raises
    ------
    InferenceError
        If a prior is flat, so that it cannot be drawn from, or a setting is invalid.
    """
    flat = [name for name, prior in plan.priors if not prior.proper]
    if flat:
        has = "has" if len(flat) == 1 else "have"
        raise InferenceError(
            f"Nothing can be drawn from a flat prior, and {listed(flat)} {has} one. Use the default priors."
        )
    check_whole("draws", draws, 1)
    check_seed(seed)
    with quiet():
        tree: DataTree = pm.sample_prior_predictive(draws, model=model(), random_seed=seed)
    return tree
