"""Draws from the prior, without the data."""

from __future__ import annotations

import pymc as pm
from xarray import DataTree

from formulajoint.compiler.plan import Plan
from formulajoint.compiler.pymc.build import build_model
from formulajoint.errors import InferenceError
from formulajoint.inference.settings import check_seed, check_whole, quiet
from formulajoint.wording import listed


def sample_prior(plan: Plan, draws: int, seed: int | None, model: pm.Model | None = None) -> DataTree:
    """Return draws of every variable and of new responses.

    Parameters
    ----------
    plan : Plan
    draws : int
    seed : int, optional
    model : pm.Model, optional
        The plan's model, if it has been built.

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
    model = build_model(plan) if model is None else model
    with quiet():
        tree: DataTree = pm.sample_prior_predictive(draws, model=model, random_seed=seed)
    return tree
