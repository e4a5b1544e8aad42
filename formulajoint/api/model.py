"""A formula bound to data, ready to be explained, inspected and fitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from formulajoint.compiler.plan import Plan
from formulajoint.design.schema import Design
from formulajoint.errors import InferenceError, listed
from formulajoint.language.ir import Formula
from formulajoint.results.describe import explain, model_record

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

    from formulajoint.api.fit import Fit


@dataclass(frozen=True, eq=False)
class JointModel:
    """A model: what ``fj.model`` returns. It prints what was understood.

    Attributes
    ----------
    plan : Plan
        Every variable with its name, dims and prior.
    """

    plan: Plan

    @property
    def formula(self) -> Formula:
        """The parsed formula."""
        return self.plan.design.formula

    @property
    def design(self) -> Design:
        """The formula's columns, groups and levels in these data."""
        return self.plan.design

    @property
    def priors(self) -> dict[str, str]:
        """The prior of each variable, as text."""
        return {name: str(prior) for name, prior in self.plan.priors} | {
            s.name: s.prior for s in self.plan.shares
        }

    @cached_property
    def pymc(self) -> pm.Model:
        """The ``pm.Model``, built when first asked for."""
        from formulajoint.compiler.build import build_model  # loads PyMC: seconds

        return build_model(self.plan)

    def explain(self) -> str:
        """Return what was understood: data, equation, every coefficient with its prior, contrasts and notes.

        Examples
        --------
        >>> import formulajoint as fj
        >>> print(fj.model("test_score ~ treatment | school", fj.tutoring()).explain().splitlines()[2])
        data: 10 rows; 2 groups of school (A 4, B 6)
        """
        return explain(self.plan)

    def record(self) -> dict[str, Any]:
        """Return what `explain` says as plain data, ready for JSON."""
        return model_record(self.plan)

    def prior_predictive(self, draws: int = 500, seed: int | None = None) -> DataTree:
        """Return draws of every variable and of new responses from the prior.

        Parameters
        ----------
        draws : int
        seed : int, optional

        Returns
        -------
        DataTree
            With groups prior, prior_predictive and observed_data.

        Raises
        ------
        InferenceError
            Where a prior is flat, so that nothing can be drawn from it.
        """
        flat = [name for name, prior in self.plan.priors if not prior.proper]
        if flat:
            has = "has" if len(flat) == 1 else "have"
            raise InferenceError(
                f"Nothing can be drawn from a flat prior, and {listed(flat)} {has} one. Use the default priors."
            )
        from formulajoint.inference.prior import sample_prior  # loads PyMC: seconds

        return sample_prior(self.pymc, draws, seed)

    def fit(
        self,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        engine: str = "auto",
        seed: int | None = None,
        target_accept: float = 0.9,
        progress: bool = True,
    ) -> Fit:
        """Draw from the posterior.

        Parameters
        ----------
        draws : int
            Kept of each chain.
        tune : int
            Steps of adaptation of each chain, by NUTS only.
        chains : int
        engine : {"auto", "exact", "nutpie", "pymc", "numpyro", "blackjax"}
            Who draws. ``exact`` is for Gaussian models with normal priors and hierarchies: coefficients come from their
            closed form, sigmas and the like from importance sampling, in a second or less. The others are samplers by
            NUTS, for any model. ``auto`` is ``exact`` where it applies and can be trusted, else ``nutpie``; the printed
            fit says which, and why.
        seed : int, optional
            The same seed gives the same draws to the bit, with the same engine, versions and machine.
        target_accept : float
            Acceptance rate that NUTS adapts its step to, between 0 and 1.
        progress : bool
            Whether to show a progress bar, by NUTS.

        Returns
        -------
        Fit

        Raises
        ------
        InferenceError
            Where the engine is unknown, not installed, does not apply, or fails.
        """
        from formulajoint.api.fit import Fit
        from formulajoint.inference.engines import run
        from formulajoint.inference.settings import Settings
        from formulajoint.results.posterior import Posterior

        settings = Settings(draws, tune, chains, seed, target_accept, progress)
        drawn = run(self.plan, lambda: self.pymc, engine, settings)
        return Fit(self, Posterior(self.plan, drawn.tree, drawn.engine, drawn.why))

    def __str__(self) -> str:
        return self.explain()

    def __repr__(self) -> str:
        return self.explain()
