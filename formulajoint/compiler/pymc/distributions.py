"""Priors as PyMC variables."""

from __future__ import annotations

from collections.abc import Sequence
from math import lgamma
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions import transforms
from pytensor.tensor.sort import sort

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


def increasing(name: str, prior: Prior, dims: Sequence[str], shape: Sequence[int]) -> Variable:
    """Add numbers drawn from `prior` and then sorted along the last dim to the open model.

    With one prior for all of them the density is that of the numbers times the factorial of their count.
    """
    assert prior.distribution.pymc is not None  # checked when the model is planned
    law, count = prior.distribution.pymc(pm), shape[-1]
    numbers = {key: np.asarray(value, dtype=float) for key, value in prior.args.items()}
    numbers = {key: value[..., None] if value.ndim else value for key, value in numbers.items()}

    def unsorted() -> Variable:
        return law.dist(**numbers, shape=tuple(shape))

    def logp(value: Variable, *_: Variable) -> Variable:
        return pm.logp(unsorted(), value).sum(axis=-1) + lgamma(count + 1)

    def dist(*_: Variable) -> Variable:
        return sort(unsorted(), axis=-1)

    start = np.broadcast_to(np.linspace(-1.0, 1.0, count + 2)[1:-1], tuple(shape))
    return pm.CustomDist(
        name,
        0.0,  # it needs a parameter
        logp=logp,
        dist=dist,
        signature="()->(k)",
        dims=tuple(dims),
        transform=transforms.ordered,
        initval=start,
        class_name="increasing",
    )
