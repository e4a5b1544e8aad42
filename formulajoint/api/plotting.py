"""``fit.plot``: the plots of a fit, each a method that returns a matplotlib Figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from formulajoint.aggregates.make import in_memory
from formulajoint.api.other_names import known_arguments
from formulajoint.plots.comparisons import comparisons
from formulajoint.plots.contrast import contrast
from formulajoint.plots.draws import pairs, trace
from formulajoint.plots.effects import effects
from formulajoint.plots.forest import forest
from formulajoint.plots.joint import joint
from formulajoint.plots.predictive import ppc
from formulajoint.plots.prior_posterior import prior_posterior
from formulajoint.plots.rows import Sort
from formulajoint.plots.sensitivity import sensitivity
from formulajoint.plots.shrinkage import shrinkage
from formulajoint.results.draws import tables
from formulajoint.results.draws.contrast import with_contrast
from formulajoint.results.draws.posterior import Posterior, posterior_over
from formulajoint.results.draws.tables import PROB
from formulajoint.results.findings import by_groups
from formulajoint.results.joint_tests.bayes_factor.sensitivity import sensitivity_table
from formulajoint.results.joint_tests.questions import hypotheses
from formulajoint.results.predictions.scenarios import holding
from formulajoint.spec.read import parse_clause
from formulajoint.wording import listed

type Size = tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class Plots:
    """The plots of a posterior. Each returns a matplotlib Figure, which a notebook shows and ``savefig`` writes.

    `figsize` is in inches everywhere; `ax` takes axes of your own if the plot has one panel.
    """

    posterior: Posterior

    def __repr__(self) -> str:
        names = (name for name in dir(type(self)) if not name.startswith("_") and name != "posterior")
        return f"The plots of a fit, such as `fit.plot.forest()`: {listed(names, 20)}"

    @known_arguments
    def forest(
        self,
        variable: str | None = None,
        prob: float = PROB,
        sort: Sort | bool = True,
        ax: Axes | None = None,
        figsize: Size = None,
        over: str | None = None,
    ) -> Figure:
        """Draw the groups' effects with HDI and simultaneous band; below, joint contrasts and the hierarchy's mean.

        Parameters
        ----------
        variable : str, optional
            The coefficient. Default: the first per-group slope.
        prob : float
            Probability of the intervals.
        sort : {"mean", "weight", None}, optional
            Order of the groups. Default: as in the data for up to 40 groups, by mean for more.
        ax, figsize : optional
        over : str, optional
            The factor of group terms whose groups are drawn. Default: the one that the formula's contrasts name, or the
            only one.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school, joint()", fj.tutoring(), seed=1)  # doctest: +SKIP
        >>> fit.plot.forest().savefig("forest.png")  # doctest: +SKIP
        """
        return forest(by_groups(self.posterior, over), variable, prob, sort, ax, figsize)

    def contrast(
        self,
        name: str | None = None,
        prob: float = PROB,
        rope: float | None = None,
        ax: Axes | None = None,
        figsize: Size = None,
    ) -> Figure:
        """Draw the posterior of a contrast, or any variable: HDI, share above zero, prior and Savage-Dickey heights.

        Parameters
        ----------
        name : str, optional
            Such as ``joint_treatment``. Default: the first contrast. A clause such as ``pairwise(treatment)`` is
            computed from the draws, as by `Fit.contrast`.
        prob : float
            Probability of the HDI.
        rope : float, optional
            Half-width of the region about zero that counts as no effect.
        ax, figsize : optional
        """
        draws = self.posterior
        if name is not None and "(" in name and name not in draws.dataset:
            language = self.posterior.plan.design.language
            draws, name = with_contrast(draws, parse_clause(name, language)), None
        return contrast(draws, name, prob, rope, ax, figsize)

    def joint(self, hypothesis: str | None = None, ax: Axes | None = None, figsize: Size = None) -> Figure:
        """Draw a joint test: how far out the null lies in the posterior of all quantities at once.

        Parameters
        ----------
        hypothesis : str, optional
            As for `Fit.test`. Default: the first predictor in every group.
        ax, figsize : optional
        """
        first, *others = hypotheses(self.posterior.plan, hypothesis)
        return joint(posterior_over(self.posterior, first.factor), first, ax, figsize, 1 + len(others))

    @known_arguments
    def effects(
        self,
        variable: str | None = None,
        by: str | None = None,
        prob: float = PROB,
        data: bool = True,
        ax: Axes | None = None,
        figsize: Size = None,
        new_data: object = None,
    ) -> Figure:
        """Draw the mean of the response over a column with bands, and the data behind.

        Parameters
        ----------
        variable : str, optional
            Default: every column that is not a group, in a panel each.
        by : str, optional
            A second column, with a curve for each level: up to 6 in colours, up to 12 in panels, more as thin lines.
            Categories of the response then have a panel each.
        prob : float
            Probability of the bands.
        data : bool
            Whether to draw the data.
        ax, figsize : optional
        new_data : data frame, optional
            Its rows stand for those of the fit, which a fit of moments does not hold; they are not drawn.
        """
        tables.check_prob(prob)
        held = self.posterior
        if new_data is not None:
            held = replace(held, plan=holding(held.plan, in_memory(new_data)))
        return effects(held, variable, by, prob, data and new_data is None, ax, figsize)

    @known_arguments
    def comparisons(
        self,
        variable: str | Sequence[str] | None = None,
        by: str | Sequence[str] = (),
        scale: str = "difference",
        prob: float = PROB,
        ax: Axes | None = None,
        figsize: Size = None,
        new_data: object = None,
        **options: Any,
    ) -> Figure:
        """Draw comparisons on the scale of the response, with intervals and the band around all of them.

        Parameters
        ----------
        variable : str or sequence of str, optional
            Default: every column that is not a group.
        by, scale, prob
            As for `Fit.comparisons`.
        ax, figsize : optional
        new_data, **options
            Further arguments of `Fit.comparisons`.
        """
        if new_data is not None:
            options["data"] = in_memory(new_data)
        return comparisons(self.posterior, variable, by, scale, prob, ax, figsize, **options)

    def sensitivity(
        self,
        hypothesis: str | None = None,
        factors: float | Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0),
        ax: Axes | None = None,
        figsize: Size = None,
    ) -> Figure:
        """Draw the Bayes factor against the scale of the prior of the coefficients tested.

        Parameters
        ----------
        hypothesis, factors : optional
            As for `Fit.sensitivity`.
        ax, figsize : optional
        """
        tested = hypotheses(self.posterior.plan, hypothesis)
        return sensitivity(sensitivity_table(self.posterior, tested, factors), ax, figsize)

    def shrinkage(
        self,
        variable: str | None = None,
        ax: Axes | None = None,
        figsize: Size = None,
        over: str | None = None,
    ) -> Figure:
        """Draw the effect of pooling: each group's least-squares estimate and its posterior mean.

        Parameters
        ----------
        variable : str, optional
            A pooled coefficient. Default: a slope.
        ax, figsize : optional
        over : str, optional
            The factor of group terms whose groups are drawn. Default: the one that the formula's contrasts name, or the
            only one.
        """
        return shrinkage(by_groups(self.posterior, over), variable, ax, figsize)

    def ppc(
        self,
        kind: str | None = None,
        count: int = 100,
        seed: int = 0,
        figsize: Size = None,
        by: str | None = None,
    ) -> Figure:
        """Draw the data beside responses replicated at `count` draws; the title says if they are alike.

        Parameters
        ----------
        kind : {"qq", "ecdf", "kde", "hist", "rootogram", "bars", "pit"}, optional
            Residuals: quantiles against normal ones (``qq``, the default), cumulative distribution, density or
            histogram. Values: how many rows have each, of counts (``rootogram``), events or categories (``bars``, the
            default for categories without an order). ``pit``: the probability of less than each response given all
            other rows, less what is expected.
        count, seed : int
        figsize : optional
        by : str, optional
            A grouping factor of the model: one panel for each group.
        """
        return ppc(self.posterior, kind, count, seed, figsize, by)

    def trace(
        self, names: Sequence[str] | None = None, figsize: Size = None, backend: str = "matplotlib"
    ) -> Any:
        """Draw each chain's draws one after another.

        Parameters
        ----------
        names : sequence of str, optional
            Variables, or cells such as ``treatment[A]``. Default: contrasts and the cells with the smallest
            effective sample size.
        figsize : optional
        backend : {"matplotlib", "plotly"}
            Plotting library; plotly's figure is interactive.
        """
        return trace(self.posterior, names, figsize, backend)

    def pairs(
        self, names: Sequence[str] | None = None, figsize: Size = None, backend: str = "matplotlib"
    ) -> Any:
        """Draw two to six quantities in pairs.

        Parameters
        ----------
        names : sequence of str, optional
            As for `trace`.
        figsize, backend : optional
            As for `trace`.
        """
        return pairs(self.posterior, names, figsize, backend)

    def prior_posterior(
        self, names: Sequence[str] | None = None, draws: int = 1000, seed: int = 0, figsize: Size = None
    ) -> Figure:
        """Draw the posterior over the prior, which is sampled for it.

        Parameters
        ----------
        names : sequence of str, optional
            As for `trace`.
        draws, seed : int
            Draws from the prior, and their seed.
        figsize : optional

        Raises
        ------
        InferenceError
            If a prior is flat.
        """
        from formulajoint.compiler.pymc.build import build_model  # loads PyMC: seconds
        from formulajoint.inference.draws.prior import sample_prior

        plan = self.posterior.plan
        drawn = sample_prior(plan, draws, seed, lambda: build_model(plan), responses=False)
        before = drawn["prior"].to_dataset()
        return prior_posterior(self.posterior, before, names, figsize)
