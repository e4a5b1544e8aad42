"""The observed response given its parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from formulajoint.arrays import FloatArray
from formulajoint.compiler.pymc.distributions import Variable
from formulajoint.compiler.pymc.likelihood_by_sums import Sums
from formulajoint.families.likelihood import Likelihood


def observe(
    name: str,
    family: Likelihood,
    parameters: Mapping[str, Variable],
    observed: FloatArray,
    row_weights: FloatArray | None,
    dim: str,
) -> Variable:
    """Add the observed response to the open model; a row of weight w counts as w rows.

    Parameters
    ----------
    name : str
    family : Likelihood
    parameters : mapping of str to variable
        The parameters at each row by name, the mean first.
    observed, row_weights : (N,) arrays
    dim : str
        Name of the rows' dim.
    """
    assert family.distribution.pymc is not None  # every family has it
    made, names = family.distribution.pymc(pm).dist, tuple(parameters)
    if row_weights is None:
        model = pm.modelcontext(None)
        return model.register_rv(made(**parameters), name, observed=observed, dims=(dim,))

    def logp(value: Variable, weights: Variable, *params: Variable) -> Variable:
        return weights * pm.logp(made(**dict(zip(names, params, strict=True))), value)

    def dist(weights: Variable, *rest: Variable) -> Variable:
        *params, _size = rest
        return made(**dict(zip(names, params, strict=True)))

    axes = ",".join(["()", *("(k)" if parameter in family.vectors else "()" for parameter in names)])
    return pm.CustomDist(
        name,
        row_weights,
        *parameters.values(),
        logp=logp,
        dist=dist,
        signature=f"{axes}->()",
        observed=observed,
        dims=(dim,),
    )


def observe_cells(
    name: str, family: Likelihood, parameters: Mapping[str, Variable], y: FloatArray, weights: FloatArray
) -> Variable:
    """Add the likelihood of rows that stand for several to the open model, as the potential `name`."""
    assert family.distribution.pymc is not None  # every family has it
    law = family.distribution.pymc(pm).dist(**parameters)
    return pm.Potential(name, (weights * pm.logp(law, y)).sum())


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
