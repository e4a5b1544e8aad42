"""New responses at the rows of the data, drawn from the posterior.

They are drawn in NumPy from the plan, so that the check of a saved fit needs neither PyMC nor the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import batched

import numpy as np
from numpy.random import Generator
from scipy import special

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import LinearPlan, ScalePlan
from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior

LEAST_DRAWS, MOST_NUMBERS, BLOCK = 20, 2 * 10**7, 2**22
"""Fewest draws; most draws times rows, above which fewer draws are taken; and draws times rows of one block of
predictions."""

TINY = 1e-300
"""Smallest tail probability that is turned into a normal score."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The distribution of the response at each row, by draw.

    Attributes
    ----------
    mean : (D, N) array
    sigma : (D, N) or (N,) array
        Residual sd, or Student's scale.
    nu : (D, N) array or None
        Student's degrees of freedom.
    """

    mean: FloatArray
    sigma: FloatArray
    nu: FloatArray | None

    def responses(self, rng: Generator) -> FloatArray:
        """Return a new response at each row, (D, N)."""
        shape = self.mean.shape
        noise = rng.standard_normal(shape) if self.nu is None else rng.standard_t(self.nu, shape)
        return self.mean + self.sigma * noise

    def scores(self, y: FloatArray) -> FloatArray:
        """Return the normal scores Phi^-1(F(y)) of y, (N,) or (D, N); for a normal F (y - mean) / sigma; (D, N)."""
        standard = (y - self.mean) / self.sigma
        if self.nu is None:
            return standard
        tail = np.maximum(special.stdtr(self.nu, -abs(standard)), TINY)
        return np.asarray(-np.sign(standard) * special.ndtri(tail))


def some_draws(posterior: Posterior, count: int, rng: Generator) -> IntArray:
    """Return the indices of `count` draws, chains one after another; fewer if there are fewer, or very many rows."""
    chains, draws = posterior.named.shape
    most = max(LEAST_DRAWS, MOST_NUMBERS // posterior.plan.design.rows.used)
    return rng.choice(chains * draws, size=min(count, most, chains * draws), replace=False)


def in_blocks(posterior: Posterior, taken: IntArray) -> Iterator[Predictions]:
    """Yield the predictions of the draws numbered `taken`, in blocks that keep memory small."""
    for block in batched(taken, max(1, BLOCK // posterior.plan.design.rows.used)):
        yield predictions(posterior, np.array(block))


def predictions(posterior: Posterior, taken: IntArray) -> Predictions:
    """Return the distribution of the response by the draws numbered `taken`.

    Raises
    ------
    InferenceError
        If the family is not one of the language's own.
    """
    plan, rows = posterior.plan, posterior.plan.design.rows.used
    if plan.family.name not in ("gaussian", "student"):
        raise InferenceError(f"Responses of the family `{plan.family.name}` cannot be replicated yet.")
    mean = _linear(posterior, plan.mean, taken)
    parameters = {_parameter(part): _values(posterior, part, taken, rows) for part in plan.parameters}
    if plan.design.standard_errors is not None:
        parameters["sigma"] = plan.design.standard_errors
    return Predictions(mean, parameters["sigma"], parameters.get("nu"))


def _parameter(part: LinearPlan | ScalePlan) -> str:
    return part.parameter if isinstance(part, ScalePlan) else part.predictor.parameter


def _values(posterior: Posterior, part: LinearPlan | ScalePlan, taken: IntArray, rows: int) -> FloatArray:
    """Return a family parameter at each row, (len(taken), N)."""
    if isinstance(part, LinearPlan):
        return np.exp(_linear(posterior, part, taken))
    if part.name not in posterior.named.variables:  # a constant is not a variable
        return np.full((len(taken), rows), float(part.prior.args["value"]))
    values = _draws(posterior, part.name, part.dims, taken)
    codes = np.zeros(rows, dtype=np.int64) if part.grouping is None else part.grouping.codes
    return values.reshape((len(taken), -1))[:, codes]


def _linear(posterior: Posterior, part: LinearPlan, taken: IntArray) -> FloatArray:
    """Return a linear predictor at each row, (len(taken), N)."""
    rows = posterior.plan.design.rows.used
    total = np.zeros((len(taken), rows))
    if part.predictor.offset is not None:
        total += part.predictor.offset
    for coefficient in part.coefficients:
        columns = coefficient.term.columns
        if coefficient.name not in posterior.named.variables:
            value = 0.0 if coefficient.prior is None else coefficient.prior.args["value"]
            total += columns.sum(axis=1) * value
            continue
        values = _draws(posterior, coefficient.name, coefficient.dims, taken)
        if coefficient.grouped and part.predictor.grouping is not None:
            own = values.reshape((len(taken), len(part.predictor.grouping), -1))
            for k in range(columns.shape[1]):
                total += own[:, part.predictor.grouping.codes, k] * columns[:, k]
        else:
            total += values.reshape((len(taken), -1)) @ columns.T
    return total


def _draws(posterior: Posterior, name: str, dims: tuple[str, ...], taken: IntArray) -> FloatArray:
    """Return the draws numbered `taken`, chains one after another, (len(taken), ...)."""
    values = posterior.named.values(name, dims)
    return np.asarray(values.reshape((-1, *values.shape[2:]))[taken])
