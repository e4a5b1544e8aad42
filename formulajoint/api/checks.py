"""A fit beside its data and other fits: evidence, predictions of what was left out, residuals, explained variance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import pandas as pd

from formulajoint.errors import InferenceError
from formulajoint.inference.settings import check_seed
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import PROB

if TYPE_CHECKING:
    from xarray import DataArray, DataTree

    from formulajoint.api.fit import Fit
    from formulajoint.inference.quadrature import LogIntegral
    from formulajoint.results.checks.loo import Loo
    from formulajoint.results.joint_tests.bayes_factor.comparison import Comparison
    from formulajoint.results.text.table import FitTable


class Checks:
    """The checks of a fit, which `Fit` inherits."""

    draws: Posterior

    @cached_property
    def log_evidence(self) -> LogIntegral:
        """The log of the probability density of the response under the model, log p(y), and its standard error.

        Raises
        ------
        InferenceError
            If a prior is flat, or the exact engine does not cover the model.
        """
        from formulajoint.results.joint_tests.bayes_factor.evidence import evidence

        return evidence(self.draws)

    def compare(self, other: Fit) -> Comparison:
        """Return the log Bayes factor of this model against another of the same response; printed, it says which wins.

        Several fits, also by what they predict of rows or groups left out: `formulajoint.compare`.

        Parameters
        ----------
        other : Fit
            A fit to the same rows.

        Raises
        ------
        InferenceError
            If the two have different data, or one has no evidence.

        Examples
        --------
        >>> import formulajoint as fj
        >>> one = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> none = fj.fit("test_score ~ 1 | school", fj.tutoring(), seed=1)
        >>> str(none.compare(one))[:33]
        'The data favour the second model:'
        """
        from formulajoint.results.joint_tests.bayes_factor.comparison import compared

        if not isinstance(other, Checks):
            raise InferenceError(f"A fit is compared with another fit, not with {type(other).__name__}.")
        return compared(self.draws, other.draws)

    def log_likelihood(self) -> DataTree:
        """Return `idata` with a group log_likelihood, one value for each draw and row, for ArviZ's functions.

        Raises
        ------
        InferenceError
            If it would take more than 4 GB, or the family's distribution is not known in NumPy.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> dict(fit.log_likelihood()["log_likelihood"]["test_score"].sizes)
        {'chain': 4, 'draw': 1000, 'obs': 10}
        """
        from formulajoint.results.checks.pointwise import with_log_likelihood  # loads xarray

        return with_log_likelihood(self.draws)

    def posterior_predictive(self, draws: int | None = None, seed: int | None = None) -> DataTree:
        """Return new responses at the rows of the data, drawn from the posterior.

        Parameters
        ----------
        draws : int, optional
            Draws of the posterior, chosen at random; all of them by default, by chain.
        seed : int, optional

        Returns
        -------
        DataTree
            With groups posterior_predictive and observed_data, for arviz-plots.
        """
        from formulajoint.results.checks.pointwise import posterior_predictive  # loads xarray

        check_seed(seed)
        return posterior_predictive(self.draws, draws, seed)

    def loo(self, over: str | None = None, seed: int = 0) -> Loo:
        """Return how well the model predicts each row given all others, or each group given all other groups.

        Parameters
        ----------
        over : str, optional
            A grouping factor of the model, such as ``"school"``: each group is left out whole. Its coefficients are
            integrated out under the hierarchy, as for a group that was never seen. Needs a model that the exact engine
            covers, whichever engine drew the fit. Default: single rows.
        seed : int
            Of the draws behind `over`.

        Returns
        -------
        Loo
            With elpd, its standard error se, and a table with one row for each row, by its place in the data as given,
            or group. Printed, it says what it found.

        Raises
        ------
        InferenceError
            If there is no such factor, or its groups cannot be left out.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school, hierarchy()", fj.tutoring(), seed=1)
        >>> len(fit.loo().table), list(fit.loo(over="school").table.index)
        (10, ['A', 'B'])
        """
        from formulajoint.results.checks.loo import leave_out, leave_rows_out  # loads ArviZ

        return leave_rows_out(self.draws) if over is None else leave_out(self.draws, over, seed)

    def residuals(
        self, kind: Literal["response", "pearson", "quantile"] = "response", seed: int = 0
    ) -> pd.DataFrame:
        """Return the residual of each row.

        Parameters
        ----------
        kind : {"response", "pearson", "quantile"}
            ``response`` is the response less its mean, ``pearson`` that in sds of the response at the row: means and
            sds over the draws; of successes among trials both are of the share. ``quantile`` is the normal score of
            the response in its posterior predictive distribution, which is standard normal where the model is right;
            of whole numbers at a random point of the step (Dunn & Smyth, JCGS 1996).
        seed : int
            Of these random points.

        Returns
        -------
        DataFrame
            One row for each row of the data that was used: residual and, of the first two kinds, its sd. The index
            `row` is the row's place in the data as given, from 0, as from `predict` without new data.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> list(fit.residuals().columns)
        ['residual', 'sd']
        """
        from formulajoint.results.checks.residuals import residuals  # loads SciPy

        return residuals(self.draws, kind, seed)

    def r2(self, prob: float = PROB) -> pd.DataFrame:
        """Return the share of the response's variance that the model explains (Gelman et al. 2019).

        At each draw it is the variance of the rows' means, over that plus the mean of the rows' residual variances,
        for any family; `r2_draws` has them.

        Parameters
        ----------
        prob : float
            Probability of the highest-density interval.

        Returns
        -------
        DataFrame
            One row: mean, sd, median, hdi_low, hdi_high, ess_bulk, r_hat.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> bool(fit.r2().loc["r2", "mean"] > 0.8)
        True
        """
        from formulajoint.results.checks.residuals import r2_table  # loads SciPy

        return r2_table(self.draws, prob)

    def r2_draws(self) -> DataArray:
        """Return the draws of `r2`, with dims chain and draw."""
        from formulajoint.results.checks.residuals import r2_draws  # loads SciPy

        return r2_draws(self.draws)

    def table(self, title: str = "", prob: float = PROB) -> FitTable:
        """Return the fit as a table for papers, which goes to Markdown, LaTeX, HTML and Word.

        Several fits side by side: `formulajoint.table`.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school, joint()", fj.tutoring(), seed=1)
        >>> print(fit.table().to_markdown().splitlines()[0])
        |                  | estimate             |
        """
        from formulajoint.results.text.table import fit_table  # loads xarray

        return fit_table({"estimate": self.draws}, prob, title)


def table(*fits: Fit, title: str = "", prob: float = PROB, **named: Fit) -> FitTable:
    """Return fits side by side as a table for papers: one column for each, one row for each coefficient or contrast.

    Parameters
    ----------
    *fits : Fit
        In the order of the columns, which are headed (1), (2), ...
    title : str
    prob : float
        Probability of the highest-density intervals.
    **named : Fit
        Further fits, whose columns are headed by their names.

    Returns
    -------
    FitTable
        Printed, it is Markdown; `to_markdown`, `to_latex`, `to_html`, and `save` to ``.md``, ``.tex``, ``.html`` or
        ``.docx``. For all but Markdown: ``pip install formulajoint[tables]``.

    Examples
    --------
    >>> import formulajoint as fj
    >>> data = fj.tutoring()
    >>> one = fj.fit("test_score ~ treatment | school", data, seed=1)
    >>> pooled = fj.fit("test_score ~ treatment | school, hierarchy()", data, seed=1)
    >>> fj.table(own=one, pooled=pooled).columns
    ('', 'own', 'pooled')
    """
    from formulajoint.results.text.table import fit_table  # loads xarray

    every = {f"({place})": fit for place, fit in enumerate(fits, start=1)} | named
    if not all(isinstance(fit, Checks) for fit in every.values()):
        raise InferenceError(
            "A table is of fits: fj.table(one, other), or with names, fj.table(a=one, b=other)."
        )
    return fit_table({name: fit.draws for name, fit in every.items()}, prob, title)


def compare(
    fits: Mapping[str, Fit], by: Literal["loo", "evidence"] = "loo", over: str | None = None, seed: int = 0
) -> pd.DataFrame:
    """Return several fits to the same rows side by side, the best first.

    Parameters
    ----------
    fits : mapping of str to Fit
    by : {"loo", "evidence"}
        By the expected log density of rows or groups left out, or by log p(y), for which every prior must be proper.
    over : str, optional
        A grouping factor whose groups are left out whole, as for `Fit.loo`.
    seed : int
        As for `Fit.loo`.

    Returns
    -------
    DataFrame
        By loo: elpd, se, difference from the best and its standard error, stacking weight, effective number of
        parameters, and how many rows or groups are doubtful (k-hat above `Loo.good_k`). By evidence: log_evidence and
        its error, log_bf against the best, and probability where all are equally probable beforehand; a note where
        variables of both models have different priors, as default ones of intercepts, which `Fit.test` keeps.

    Raises
    ------
    InferenceError
        If there are fewer than two, they are of different data, or one has no such figure.

    Examples
    --------
    >>> import formulajoint as fj
    >>> one = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
    >>> none = fj.fit("test_score ~ 1 | school", fj.tutoring(), seed=1)
    >>> fj.compare({"treatment": one, "none": none}).index[0]
    'treatment'
    """
    from formulajoint.results.checks.comparison import by_evidence, by_loo, check_same_data

    if not isinstance(fits, Mapping) or not all(isinstance(fit, Checks) for fit in fits.values()):
        raise InferenceError("Fits are given by name: fj.compare({'a': one, 'b': another}).")
    if by not in ("loo", "evidence"):
        raise InferenceError(f"`by` is 'loo' or 'evidence', not {by!r}.")
    if by == "evidence" and over is not None:
        raise InferenceError("`over` leaves groups out: it is for by='loo'.")
    posteriors = {str(name): fit.draws for name, fit in fits.items()}
    check_same_data(posteriors)
    if by == "evidence":
        return by_evidence(posteriors)
    return by_loo({name: fit.loo(over, seed) for name, fit in fits.items()})
