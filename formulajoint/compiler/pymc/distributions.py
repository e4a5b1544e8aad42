"""Priors as PyMC variables: the table from the distribution names of formulas to PyMC's classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from formulajoint.distributions.prior import Prior

type Variable = Any
"""A PyTensor variable; `Any`, since PyTensor's own types are of little use."""

CONSTRUCTORS: Mapping[str, Callable[..., Variable]] = MappingProxyType(
    {
        "normal": pm.Normal,
        "student_t": pm.StudentT,
        "cauchy": pm.Cauchy,
        "laplace": pm.Laplace,
        "half_normal": pm.HalfNormal,
        "half_cauchy": pm.HalfCauchy,
        "half_student_t": pm.HalfStudentT,
        "exponential": pm.Exponential,
        "gamma": pm.Gamma,
        "inverse_gamma": pm.InverseGamma,
        "log_normal": pm.LogNormal,
        "beta": pm.Beta,
        "uniform": pm.Uniform,
    }
)


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
    match prior.law:
        case "constant":
            return pt.as_tensor_variable(np.full(tuple(shape), prior.args["value"]))
        case "flat":
            return (pm.HalfFlat if scale else pm.Flat)(name, dims=dims, initval=start)
        case "inverse":
            flat = pm.HalfFlat(name, dims=dims, initval=start)
            pm.Potential(f"{name}_inverse_prior", -pt.log(flat).sum())  # p(sigma) = 1/sigma
            return flat
        case law:
            return CONSTRUCTORS[law](name, **prior.args, dims=dims)
