"""A fitted model: its tables, tests, plots and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from formulajoint.api.checks import Checks
from formulajoint.api.model import JointModel, restored_fit
from formulajoint.api.other_names import answers_for_others, known_arguments
from formulajoint.api.predictions import Predictions
from formulajoint.errors import InferenceError
from formulajoint.results.draws import tables
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.ratios import with_ratios
from formulajoint.results.draws.tables import PROB
from formulajoint.results.findings import Findings
from formulajoint.spec.read import parse_clause

if TYPE_CHECKING:
    from rich.text import Text as RichText
    from xarray import Dataset, DataTree

    from formulajoint.api.plotting import Plots
    from formulajoint.results.joint_tests.quantities import Rope


@answers_for_others
@dataclass(frozen=True, eq=False)
class Fit(Checks, Predictions):
    """The posterior of a model. Printed, it shows the model and the results.

    Attributes
    ----------
    model : JointModel
    draws : Posterior
        The draws with the plan they belong to.
    """

    model: JointModel
    draws: Posterior

    def __reduce__(self) -> tuple[Any, ...]:
        from formulajoint.results.saved import store  # loads xarray

        return restored_fit, (store.to_bytes(self.draws),)  # as `save` writes it

    def __copy__(self, *_: object) -> Fit:
        return self  # a value: it never changes

    __deepcopy__ = __copy__

    @property
    def idata(self) -> DataTree:
        """ArviZ DataTree with posterior, sample_stats and observed_data, for ArviZ's plots and diagnostics."""
        return self.draws.tree

    @cached_property
    def posterior(self) -> Dataset:
        """Draws as an xarray Dataset with dims chain, draw and those of the model, including contrast nodes."""
        return self.draws.dataset

    @property
    def engine(self) -> str:
        """Engine that produced the draws: ``exact``, ``nutpie``, ..."""
        return self.draws.engine

    @known_arguments
    def summary(self, prob: float = PROB) -> pd.DataFrame:
        """Return one row per coefficient: mean, sd, highest-density interval `prob`, ESS, r_hat, and any odds ratio."""
        found = self._findings(prob).summary
        return with_ratios(self.model.plan, found, found.table[tables.SUMMARY])

    def contrasts(self, prob: float = PROB, rope: float | None = None) -> pd.DataFrame:
        """Return one row per contrast of the formula, or per entry of one that has several.

        Parameters
        ----------
        prob : float
            Probability of the highest-density interval.
        rope : float, optional
            Half-width of the region about zero that counts as no effect, in the contrast's units.

        Returns
        -------
        DataFrame
            Columns mean, sd, median, hdi_low, hdi_high, p_direction, ess_bulk, r_hat, weights; with `rope`, p_in_rope;
            where the exponential of an effect is an odds ratio, a rate ratio or the like, that with its interval.
        """
        found = self._findings(prob).contrasts
        return tables.with_rope(self.draws, with_ratios(self.model.plan, found, found.table), rope)

    def contrast(self, clause: str, prob: float = PROB, rope: float | None = None) -> pd.DataFrame:
        """Return a contrast that need not be in the formula, computed from the draws: nothing is fitted again.

        Parameters
        ----------
        clause : str
            As in a formula: ``"pairwise(treatment)"``, ``"contrast(treatment[A] / treatment[B])"``,
            ``"joint(treatment, weights=equal)"``.
        prob, rope : float
            As for `contrasts`.

        Returns
        -------
        DataFrame
            As from `contrasts`, with the same figures as if the clause had been in the formula.

        Raises
        ------
        FormulaError
            If the clause is wrong or does not fit the model; the error shows the place.
        DataError
            If it is weighted by a column that cannot be used as weights.
        InferenceError
            If it is not finite in some draws.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> round(float(fit.contrast("pairwise(treatment)").loc["pairwise_treatment[A - B]", "mean"]))
        12
        """
        from formulajoint.results.draws.contrast import with_contrast
        from formulajoint.results.draws.diagnostics import checked

        if not isinstance(clause, str):
            raise InferenceError(f"A contrast is a text such as 'pairwise(treatment)', not {clause!r}.")
        parsed = parse_clause(clause, self.model.design.language)
        asked = checked(with_contrast(self.draws, parsed))
        found = tables.contrast_estimates(asked, tables.contrast_draws(asked), prob)
        return tables.with_rope(asked, with_ratios(asked.plan, found, found.table), rope)

    @known_arguments
    def test(
        self,
        hypothesis: str | None = None,
        rope: Rope = None,
        at_least: int | None = None,
        standardized: bool = False,
        against: str | None = None,
    ) -> pd.DataFrame:
        """Return joint tests, the Bayesian counterpart of the F test: is there an effect in any group?

        Parameters
        ----------
        hypothesis : str, optional
            Equalities such as ``"treatment == 0"`` (in every group), ``"treatment == treatment[A]"`` (the same in all),
            ``"x[A] - 2*x[B] == 3"``, several joined by commas; an order, ``"x[A] > x[B] > 0"``; a hierarchy's mean,
            ``"x.mean == 0"``; a contrast, ``"joint_x == 0"`` or ``"pairwise(x)"``; groups of a group term, ``"x == 0,
            over=school"``. None tests each per-group predictor, and adds the ``test(...)`` clauses of the formula.
        rope : float or mapping of term to float, optional
            Half-width of the region about the null that counts as no effect, in the coefficients' units.
        at_least : int, optional
            Adds the probability that at least this many of the quantities are above zero.
        standardized : bool
            Whether `rope` is in sds of the response per sd of the predictor (half the distance of two values, 1/2 for
            factors), the units of the default priors.
        against : {"hierarchy"}, optional
            Alternative of the Bayes factor, if it is not the model's own prior: effects of one kind. The text may name
            it, too: ``"treatment == 0, against=hierarchy"``.

        Returns
        -------
        DataFrame
            One row per hypothesis, with its rank; contour (the mass outside the ellipsoid through the null; where the
            groups share nothing, by the sum of their squared normal scores); gbpv (global Bayesian p-value of the
            simultaneous band); p_all_positive, p_all_negative, p_at_least, p_in_rope and p_out_of_rope (all of them
            within, or all beyond, the region of no effect); log_bf10, the log Bayes factor against the null, and
            log_bf10_hierarchy, that of effects of one kind, where it is asked for, or at least three effects are not
            pooled; each with its Monte Carlo standard error in a column ``..._mcse``; verdict, ``"for"`` or
            ``"against"`` an effect whatever the prior's scale, else ``"depends"``, with the smallest and the largest
            log BF10 in verdict_low and verdict_high; the classical test (classical: F, normal scores,
            chi-square or likelihood ratio; statistic, df_num, df_denom, p_value); and a note on which
            figures are empty and why. Printed whole, the table shows no Monte Carlo errors and no empty columns.

        Raises
        ------
        FormulaError
            If the hypothesis is wrong or does not fit the model; the error shows the place.
        InferenceError
            If `rope` or `at_least` does not fit the hypothesis.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> round(float(fit.test().loc["treatment == 0", "log_bf10"]), 1)
        9.9
        """
        from formulajoint.results.joint_tests.joint_test import joint_tests
        from formulajoint.results.joint_tests.questions import hypotheses
        from formulajoint.results.joint_tests.table import joint_table

        said = hypotheses(self.model.plan, hypothesis, against)
        return joint_table(joint_tests(self.draws, said, rope, at_least, standardized))

    def sensitivity(
        self, hypothesis: str | None = None, factors: float | Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0)
    ) -> pd.DataFrame:
        """Return the Bayes factor under narrower and wider priors of the coefficients tested.

        Parameters
        ----------
        hypothesis : str, optional
            As for `test`.
        factors : float or sequence of float
            Multiply the prior sds of the terms tested; their means and all other priors stay.

        Returns
        -------
        DataFrame
            One row per hypothesis and factor: prior_sd as text, log_bf10 and its error, or a note why there is none.
        """
        from formulajoint.results.joint_tests.bayes_factor.sensitivity import sensitivity_table
        from formulajoint.results.joint_tests.questions import hypotheses

        return sensitivity_table(self.draws, hypotheses(self.model.plan, hypothesis), factors)

    def bands(self, hypothesis: str | None = None, prob: float = PROB) -> pd.DataFrame:
        """Return simultaneous intervals, which show the groups that differ from the null, all judged at once.

        Parameters
        ----------
        hypothesis : str, optional
            As for `test`.
        prob : float
            Probability that every quantity lies within its interval.

        Returns
        -------
        DataFrame
            One row per quantity, such as ``treatment[A] - treatment[B]``: mean, sd, low and high with their Monte Carlo
            standard errors low_mcse and high_mcse, and a note if there is no band, or too few draws for it.
        """
        from formulajoint.results.joint_tests.bands import band_table
        from formulajoint.results.joint_tests.questions import hypotheses

        found = hypotheses(self.model.plan, hypothesis)
        return pd.concat([band_table(self.draws, each, prob) for each in found])

    def coefficients(self, factor: str | None = None, prob: float = PROB) -> pd.DataFrame:
        """Return the coefficients of every group: what all rows share plus what varies (``coef()`` in lme4).

        Parameters
        ----------
        factor : str, optional
            The factor of the groups, such as ``"school"``; may be left out where there is one.
        prob : float
            Probability of the highest-density intervals.

        Returns
        -------
        DataFrame
            One row per group and coefficient: mean, sd, hdi_low, hdi_high of the group's coefficient; deviation,
            deviation_low, deviation_high of what varies by itself (``ranef()`` in lme4), NaN where groups are not
            pooled; ess_bulk, r_hat.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment + (1 | school)", fj.tutoring(), seed=1)
        >>> fit.coefficients("school").index[0]
        ('A', 'Intercept')
        """
        from formulajoint.results.draws.group_coefficients import group_coefficients

        return group_coefficients(self.draws, factor, prob)

    @cached_property
    def plot(self) -> Plots:
        """The plots, such as ``fit.plot.forest()``; each returns a matplotlib Figure."""
        from formulajoint.api.plotting import Plots  # loads matplotlib

        return Plots(self.draws)

    def weights(self, name: str) -> pd.Series:
        """Return the weight of each group in the contrast `name`; they sum to one."""
        return tables.weights_of(self.draws, name)

    def _findings(self, prob: float = PROB) -> Findings:
        tables.check_prob(prob)
        return self._found.setdefault(prob, Findings(self.draws, prob))

    @cached_property
    def _found(self) -> dict[float, Findings]:
        return {}

    def diagnostics(self) -> tuple[str, ...]:
        """Return sentences on problems with the draws and what to do; empty if there are none."""
        return self._findings().diagnostics

    def report(self, path: str | PathLike[str], prob: float = PROB) -> Path:
        """Write the fit as one HTML page that opens without a network, and return its path.

        It begins with answers: is there an effect in any group, how large is it over all, how sure is that?

        Parameters
        ----------
        path : path
            Such as ``"report.html"``. An existing file is replaced once the new one is complete.
        prob : float

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        from formulajoint.report.write import place, write  # loads Jinja

        place(path)  # before anything is computed
        return write(path, self._findings(prob))

    def record(self, prob: float = PROB) -> dict[str, Any]:
        """Return tables, joint tests, weights and diagnostics as plain data, ready for JSON."""
        from formulajoint.results.text.json import fit_record

        return fit_record(self._findings(prob))

    @known_arguments
    def update(self, new: object, **settings: Any) -> Fit:
        """Return the fit of the data so far and new rows together, with the priors of this fit.

        Default priors of this fit are kept as they are: the new formula states them as numbers. A fit of all rows from
        the start would have others, scaled by all rows. What columns learnt, such as the mean in ``center(x)``, is
        kept, too. The new fit holds sums in place of rows, also where this one holds rows: residuals, `loo` and
        predictive checks need a fit of all rows, and comparisons and slopes take rows by ``new_data=``.

        Parameters
        ----------
        new : data frame or Moments
            Further rows with the same columns, or their moments, made with ``like=`` those of the first rows.
        **settings
            As for `JointModel.fit`: draws, seed, ...

        Raises
        ------
        DataError
            If the fit was loaded from a file and made of sums, which the file does not hold: save the moments, too.
        """
        from formulajoint.api.update import updated

        return updated(self.model, new).fit(**settings)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fit to one NetCDF file, from which ``fj.load`` restores it to the bit.

        The file holds the draws, the formula, priors and versions, and the rows and columns of the data that the
        formula uses: anyone with the file can read these. ``arviz.from_netcdf`` opens it, too.

        Parameters
        ----------
        path : path
            Ends in ``.nc``. An existing file is replaced once the new one is complete.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        from formulajoint.results.saved import store  # loads xarray

        store.save(self.draws, path)

    def text(self, prob: float = PROB) -> str:
        """Return the printed text, with intervals of probability `prob`."""
        from formulajoint.results.text.printing import fit_text

        return fit_text(self._findings(prob))

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from formulajoint.results.text.html import fit_html

        return fit_html(self._findings())

    def __repr__(self) -> str:
        return str(self)

    def __rich__(self) -> RichText:
        from formulajoint.results.text.terminal import styled  # loads Rich

        return styled(str(self))
