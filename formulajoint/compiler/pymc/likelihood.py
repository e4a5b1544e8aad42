"""The response's distribution given its parameters, one function per family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from formulajoint.arrays import FloatArray
from formulajoint.compiler.families import Family
from formulajoint.compiler.pymc.distributions import Variable
from formulajoint.compiler.pymc.likelihood_by_sums import Sums


def _gaussian(mean: Variable, sigma: Variable) -> Variable:
    return pm.Normal.dist(mean, sigma)


def _student(mean: Variable, sigma: Variable, nu: Variable) -> Variable:
    return pm.StudentT.dist(nu=nu, mu=mean, sigma=sigma)


DISTRIBUTIONS: Mapping[str, Callable[..., Variable]] = MappingProxyType(
    {"gaussian": _gaussian, "student": _student}
)
"""Family name -> function from the mean and the family's parameters, in order, to a distribution; own families."""

INVERSES: Mapping[str, Callable[[Variable], Variable]] = MappingProxyType(
    {
        "identity": lambda eta: eta,
        "log": pt.exp,
        "logit": pt.sigmoid,
        "probit": lambda eta: 0.5 * pt.erfc(-eta / np.sqrt(2)),
        "cloglog": lambda eta: -pt.expm1(-pt.exp(eta)),
        "inverse": lambda eta: 1 / eta,
    }
)
"""Link -> inverse link, from the linear predictor to the mean."""


def observe(
    name: str,
    family: Family,
    parameters: tuple[Variable, ...],
    observed: FloatArray,
    row_weights: FloatArray | None,
    dim: str,
) -> Variable:
    """Add the observed response to the open model; a row of weight w counts as w rows.

    Parameters
    ----------
    name : str
    family : Family
    parameters : tuple of variables
        The mean's linear predictor, then the family's own parameters, or known standard errors in place of sigma.
    observed, row_weights : (N,) arrays
    dim : str
        Name of the rows' dim.
    """
    law = family.distribution or DISTRIBUTIONS[family.name]
    parameters = (INVERSES[family.link](parameters[0]), *parameters[1:])
    if row_weights is None:
        model = pm.modelcontext(None)
        return model.register_rv(law(*parameters), name, observed=observed, dims=(dim,))

    def logp(value: Variable, weights: Variable, *params: Variable) -> Variable:
        return weights * pm.logp(law(*params), value)

    def dist(weights: Variable, *rest: Variable) -> Variable:
        *params, _size = rest
        return law(*params)

    return pm.CustomDist(name, row_weights, *parameters, logp=logp, dist=dist, observed=observed, dims=(dim,))


def observe_sums(name: str, mean: Variable, sigma: Variable, sums: Sums) -> Variable:
    """Add a Gaussian likelihood through sums to the open model, as the potential `name`.

    Parameters
    ----------
    name : str
    mean : (M,) variable
        Mean of the rows of `sums`, from the coefficients less their reference.
    sigma : (H,) variable, or () if there is only one
    sums : Sums
    """
    one = sigma.ndim == 0
    logs = (sums.weights[0] if one else sums.weights) * (pt.log(sigma) + 0.5 * np.log(2 * np.pi))
    squares = ((sums.y - mean) / (sigma if one else sigma[sums.sds])) ** 2
    return pm.Potential(name, -logs.sum() - 0.5 * squares.sum())
