"""Draws from the prior, before any data are looked at."""

from __future__ import annotations

import pymc as pm
from xarray import DataTree

from formulajoint.inference.settings import check_seed, check_whole, quiet


def sample_prior(model: pm.Model, draws: int, seed: int | None) -> DataTree:
    """Return draws of every variable of `model` and of new responses.

    Raises
    ------
    InferenceError
        Where a setting makes no sense.
    """
    check_whole("draws", draws, 1)
    check_seed(seed)
    with quiet():
        tree: DataTree = pm.sample_prior_predictive(draws, model=model, random_seed=seed)
    return tree
