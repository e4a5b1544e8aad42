"""A model's parameters at rows, from the draws: those of the fit, or of another data frame, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.evaluate.linear_predictor import (
    linear_at,
    mean_at,
    parameters_at,
    reading,
)
from formulajoint.compiler.evaluate.values import Values
from formulajoint.compiler.plan import Plan
from formulajoint.design.extrapolation import warn_of_extrapolation
from formulajoint.design.frame import read_frame
from formulajoint.design.model_rows import ModelRows, complete_rows
from formulajoint.distributions.link_functions import SPECIAL
from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.group_draws import NewGroups, drawn_values

BLOCK = 2**21
"""Rows times draws of one block, 16 MiB of numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """The parameters of the likelihood at some rows; S draws, chains one after another.

    Attributes
    ----------
    rows : ModelRows
    parameters : mapping of str to array
        By name, (N, S); one that is the same in all rows is (1, S), one that is the same in all draws (N, 1). One of
        several numbers a row has these before the draws.
    """

    rows: ModelRows
    parameters: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A posterior at rows, evaluated some rows at a time.

    Attributes
    ----------
    posterior : Posterior
    rows : ModelRows
    values : Values
        The draws of all variables, the axis of draws last.
    draws : int
        Number of draws.
    """

    posterior: Posterior
    rows: ModelRows
    values: Values
    draws: int

    def linear(self, rows: ModelRows) -> FloatArray:
        """Return the linear predictor of the mean at some rows, (N, S)."""
        return np.asarray(linear_at(self.posterior.plan.mean, rows, self.values))

    def at(self, rows: ModelRows) -> Evaluated:
        """Return the parameters at some rows."""
        with np.errstate(over="ignore"):
            return Evaluated(rows, parameters_at(self.posterior.plan, rows, self.values, SPECIAL))

    def mean(self, rows: ModelRows) -> FloatArray:
        """Return the mean of the response at some rows, (N, S).

        Of successes among trials it is their share; where the response has no mean, ``mu``.
        """
        with np.errstate(over="ignore"):
            found = np.asarray(mean_at(self.posterior.plan, rows, self.values, SPECIAL))
        return np.broadcast_to(found, (len(rows), self.draws))

    def blocks(self, most: int = BLOCK) -> Iterator[ModelRows]:
        """Yield the rows in blocks of at most `most` rows times draws."""
        step = max(1, most // self.draws)
        yield from (self.rows.take(slice(start, start + step)) for start in range(0, len(self.rows), step))


def refuse_several(plan: Plan) -> None:
    """Raise an InferenceError if each category of the response has a linear predictor of its own."""
    if plan.family.mean.by_level:
        raise InferenceError(
            "Each category has a linear predictor of its own: choose kind='mean' or 'response'."
        )


def evaluation(
    posterior: Posterior,
    data: object = None,
    new_groups: NewGroups = "error",
    seed: int | None = 0,
    taken: IntArray | None = None,
    response: bool = True,
) -> Evaluation:
    """Return the posterior at the rows of a data frame, or of the fit.

    Parameters
    ----------
    posterior : Posterior
    data : data frame, optional
        Default: the rows of the fit.
    new_groups : {"error", "draw", "mean"}
        As for `drawn_values`.
    seed : int
        For the draws of new groups.
    taken : (S,) int array, optional
        The draws, chains one after another. Default: all.
    response : bool
        Whether all is read that a new response needs; else what its mean needs.

    Raises
    ------
    DataError
        As by `complete_rows`, `Reading.of_table` and `drawn_values`.
    """
    if data is None:
        posterior.plan.design.require_rows("This")
    wanted = reading(posterior.plan, response)
    if data is None:
        rows = wanted.of_fit()
    else:
        table = complete_rows(read_frame(data), wanted.columns, posterior.plan.design)
        warn_of_extrapolation(wanted.terms, [table])
        rows = wanted.of_table(table)
    values = drawn_values(posterior, rows, new_groups, np.random.default_rng(seed), taken)
    chains, draws = posterior.named.shape
    return Evaluation(posterior, rows, values, chains * draws if taken is None else len(taken))
