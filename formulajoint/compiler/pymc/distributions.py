"""Priors as PyMC variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from formulajoint.distributions.prior import Prior

type Variable = Any
"""A PyTensor variable; `Any`, since PyTensor's own types are of little use."""


def variable(
    name: str, prior: Prior, dims: Sequence[str], shape: Sequence[int], start: Any = None, scale: bool = False
) -> Variable:
    """Add the variable `name` with `prior` to the open model.

    Parameters
    ----------
    name : str
    prior : Prior
    dims : sequence of str
    shape : sequence of int
        Length of each dim; used for a constant, which is not a variable of the model.
    start : array or float, optional
        Initial value for sampling; only improper priors need it, since they have no centre.
    scale : bool
        Whether the variable is positive; a flat prior does not state it.
    """
    if prior.constant is not None:
        return pt.as_tensor_variable(np.full(tuple(shape), prior.constant))
    if prior.distribution.pymc is not None:
        return prior.distribution.pymc(pm)(name, **prior.args, dims=dims)
    flat = (pm.HalfFlat if scale else pm.Flat)(name, dims=dims, initval=start)
    if prior.power_at_zero == 0:
        pm.Potential(f"{name}_inverse_prior", -pt.log(flat).sum())  # p(sigma) = 1/sigma
    return flat
