"""A fitted model: what users read answers from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
from xarray import Dataset, DataTree

from formulajoint.errors import InferenceError, did_you_mean, listed
from formulajoint.results import tables
from formulajoint.results.diagnostics import diagnostics
from formulajoint.results.posterior import Posterior
from formulajoint.results.printing import fit_text
from formulajoint.results.records import fit_record
from formulajoint.results.tables import PROB

if TYPE_CHECKING:
    from formulajoint.api.model import JointModel


@dataclass(frozen=True, eq=False)
class Fit:
    """The posterior of a model. Printed, it says what was understood and what was found.

    Attributes
    ----------
    model : JointModel
    draws : Posterior
        The draws with the plan they belong to.
    """

    model: JointModel
    draws: Posterior

    @property
    def idata(self) -> DataTree:
        """ArviZ DataTree with posterior, sample_stats and observed_data, for everything ArviZ does."""
        return self.draws.tree

    @cached_property
    def posterior(self) -> Dataset:
        """Draws as an xarray Dataset with dims chain, draw and those of the model; contrast nodes among the rest."""
        return self.draws.dataset

    @property
    def engine(self) -> str:
        """Who sampled."""
        return self.draws.engine

    def summary(self, prob: float = PROB) -> pd.DataFrame:
        """Return one row a coefficient: mean, sd, hdi_low, hdi_high, ess_bulk, ess_tail, r_hat.

        Parameters
        ----------
        prob : float
            Probability of the highest-density interval.
        """
        return tables.summary(self.draws, prob)

    def contrasts(self, prob: float = PROB) -> pd.DataFrame:
        """Return one row a contrast: mean, sd, hdi_low, hdi_high, p_direction, ess_bulk, r_hat, weights.

        Parameters
        ----------
        prob : float
            Probability of the highest-density interval.
        """
        return tables.contrasts(self.draws, prob)

    def weights(self, name: str) -> pd.Series:
        """Return the weight of each group in the contrast `name`; they sum to one.

        Raises
        ------
        InferenceError
            Where the model has no such contrast.
        """
        known = {contrast.name: contrast for contrast in self.model.plan.contrasts}
        if name not in known:
            raise InferenceError(
                f"There is no contrast `{name}`: {did_you_mean(name, known) or f'there are {listed(known)}.'}"
            )
        return tables.weights(self.draws, known[name])

    def diagnostics(self) -> tuple[str, ...]:
        """Return what is wrong with the draws and what to do, in words; empty where all is well."""
        return diagnostics(self.draws, pd.concat([self.summary(), self.contrasts()]))

    def record(self, prob: float = PROB) -> dict[str, Any]:
        """Return tables, weights and diagnostics as plain data, ready for JSON."""
        return fit_record(self.draws, self.summary(prob), self.contrasts(prob), self.diagnostics(), prob)

    def __str__(self) -> str:
        return fit_text(
            self.model.plan, self.summary(), self.contrasts(), self.diagnostics(), self.engine, PROB
        )

    def __repr__(self) -> str:
        return str(self)
