"""How well a model predicts what it has not seen: each row given the others, or each group given the other groups.

For rows by Pareto-smoothed importance sampling (Vehtari, Gelman & Gabry, Statistics and Computing 2017), equal to
ArviZ's on the same draws. For groups their coefficients are integrated out (``inference/without_groups.py``): weights
of draws of a group's own coefficients would hardly ever be right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from arviz_stats import ess
from arviz_stats.base import array_stats

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.design.schema import Design, Grouping
from formulajoint.errors import InferenceError
from formulajoint.inference.evidence import why_no_probability
from formulajoint.inference.importance.sampled import K_HAT
from formulajoint.inference.without_groups import leave_groups_out
from formulajoint.remarks import Missing
from formulajoint.results.checks.pointwise import log_likelihoods
from formulajoint.results.checks.residuals import check_order, rows_index
from formulajoint.results.draws.full_width import Table
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.replicate import by_rows
from formulajoint.wording import did_you_mean, listed


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Loo:
    """The expected log density of new data, by leaving out rows or groups. Printed, it says what it is.

    Attributes
    ----------
    table : DataFrame
        One row for each row of the data that was used, by its place in the data as given, from 0, or for each group:
        elpd, the log density of it given all others; error, its Monte Carlo standard error, for groups; k_hat, the
        Pareto shape of the importance weights, NaN where the model was fitted without it.
    over : str
        The factor of the groups; empty for rows.
    effective : float
        The effective number of parameters; NaN for groups.
    design : Design
    good_k : float
        The largest k-hat that can be trusted: 0.7, and less with fewer than some 2,000 draws.
    """

    table: pd.DataFrame
    over: str
    effective: float
    design: Design
    good_k: float = K_HAT

    @property
    def elpd(self) -> float:
        """The expected log pointwise predictive density: the sum over rows or groups."""
        return float(self.table["elpd"].sum())

    @property
    def se(self) -> float:
        """Its standard error, from the variance among rows or groups."""
        return float(np.sqrt(len(self.table) * self.table["elpd"].var(ddof=1)))

    @property
    def doubtful(self) -> int:
        """How many rows or groups have a k-hat above `good_k`: their values cannot be trusted."""
        return int((self.table["k_hat"] > self.good_k).sum())

    def _heavy(self) -> int:
        """Return how many doubtful rows count as several."""
        weights = self.design.row_weights
        doubtful = self.table["k_hat"].to_numpy() > self.good_k
        return 0 if weights is None else int(np.sum(doubtful & (weights > 1)))

    def __repr__(self) -> str:
        count = len(self.table)
        what = f"{count} groups of {self.over}" if self.over else f"{count} rows"
        each = (
            "each group given all others, its coefficients integrated out"
            if self.over
            else "each row given all others"
        )
        lines = [f"Expected log density of {what}, {each}: {self.elpd:.1f} (standard error {self.se:.1f})."]
        if not self.over:
            lines.append(f"Effective number of parameters: {self.effective:.1f}.")
        again = int(self.table["k_hat"].isna().sum())
        if again:
            lines.append(f"For {again} of them the model was fitted without the group.")
        heavy = 0 if self.over else self._heavy()
        if heavy:
            lines.append(
                f"{heavy} of the {self.doubtful} rows whose k-hat is above {self.good_k:.2g} have a weight above 1: a "
                "row that counts as w rows is left out with all w of them, and so is missed by more than a single row. "
                "For one row at a time give the rows themselves in place of weights."
            )
        if self.doubtful > heavy:
            whose = "the others" if heavy else "them"
            lines.append(
                f"k-hat is above {self.good_k:.2g} for {self.doubtful - heavy} of {whose}: the sum cannot be trusted. "
                f"Such {'groups' if self.over else 'rows'} are far from what the others predict, or have coefficients "
                "of their own; the column `k_hat` of `table` tells which. Where groups have few rows, leave out whole "
                "groups: `fit.loo(over=...)`. Else compare models by `fit.log_evidence`, or try a family of heavier "
                "tails, such as student."
            )
        return "\n".join(lines)


def leave_rows_out(posterior: Posterior) -> Loo:
    """Return the expected log density of each row given all others."""
    chains, draws = posterior.named.shape
    efficiency, found = _efficiency(posterior), list[tuple[np.ndarray, ...]]()
    for _, logs in log_likelihoods(posterior):
        each = array_stats.loo(logs.reshape(chains, draws, -1), chain_axis=0, draw_axis=1, r_eff=efficiency)
        found.append(tuple(map(np.atleast_1d, each)))
    elpd, k_hat, effective = (np.concatenate(each) for each in zip(*found, strict=True))
    table = Table({"elpd": elpd, "k_hat": k_hat}, index=rows_index(posterior))
    return Loo(table, "", float(effective.sum()), posterior.plan.design, good_k(chains * draws))


def good_k(draws: int) -> float:
    """Return the largest k-hat that can be trusted with a number of draws (Vehtari et al., JMLR 2024)."""
    return min(1 - 1 / math.log10(draws), K_HAT)


def _efficiency(posterior: Posterior) -> float:
    """Return the mean over parameters of the effective share of draws; 1 for independent draws."""
    if posterior.named.trust.independent:
        return 1.0
    chains, draws = posterior.named.shape
    found = ess(posterior.tree["posterior"].to_dataset(), method="mean")
    values = np.concatenate([np.ravel(each) for each in found.data_vars.values()])
    return float(np.nanmean(values)) / (chains * draws)


def loo_pit(posterior: Posterior, seed: int = 0, most: int = 10_000) -> tuple[IntArray, FloatArray]:
    """Return rows, at most `most`, and the probability of less than each response given all other rows.

    For whole numbers, or amounts with zeros, at a random point of the step at the response. Where the model is right
    they are uniform, which those given all rows are not: these have seen the response itself.
    """
    check_order(posterior)
    rng, y = np.random.default_rng(seed), posterior.plan.design.response.values
    chosen = np.arange(len(y)) if len(y) <= most else np.sort(rng.choice(len(y), most, replace=False))
    efficiency, found = _efficiency(posterior), list[FloatArray]()
    for rows, predicted in by_rows(posterior, chosen=chosen):
        weights, _ = array_stats.psislw(predicted.log_density(y[rows]), r_eff=efficiency, axis=0)
        below, at_most = (np.sum(np.exp(weights) * each.T, axis=1) for each in predicted.steps(y[rows]))
        found.append(below + rng.random(len(rows)) * (at_most - below))
    return chosen, np.clip(np.concatenate(found), 0.0, 1.0)


def leave_out(posterior: Posterior, over: str, seed: int = 0) -> Loo:
    """Return the expected log density of each group of a factor given all other groups.

    Raises
    ------
    InferenceError
        If there is no such factor, no exact engine covers the model, or the other groups say nothing about one.
    """
    plan = posterior.plan
    grouping = grouping_of(plan, over)
    if alone := _alone(plan, grouping):
        raise InferenceError(
            f"The other groups say nothing about a group of `{over}`: {listed(alone)} "
            f"{'has' if len(alone) == 1 else 'have'} a flat prior there. Pool the groups with hierarchy(), or use the "
            "default priors."
        )
    found = why_no_probability(plan) or leave_groups_out(plan, grouping, seed)
    if isinstance(found, Missing):
        raise InferenceError(f"Groups of `{over}` cannot be left out: {found.reason}.")
    columns = {"elpd": found.values, "error": found.errors, "k_hat": found.k_hat}
    table = Table(columns, index=pd.Index(grouping.labels, name=over))
    return Loo(table, over, float("nan"), plan.design)


def grouping_of(plan: Plan, over: str) -> Grouping:
    """Return the groups of a factor of the model."""
    known = {grouping.name: grouping for grouping in _groupings(plan)}
    if over not in known:
        if not known:
            raise InferenceError(f"The model has no groups of `{over}`, or of any other factor.")
        hint = did_you_mean(str(over), list(known)) or f"there is {listed(list(known))}."
        raise InferenceError(f"The model has no groups of `{over}`: {hint}")
    return known[over]


def _groupings(plan: Plan) -> list[Grouping]:
    own = plan.design.predictor.grouping
    return [*([] if own is None else [own]), *(pool.grouping for pool in plan.mean.varying)]


def _alone(plan: Plan, grouping: Grouping) -> list[str]:
    """Return the variables with a value for each of the groups, and a flat prior."""
    out = []
    for part in plan.parameters:
        own = part.coefficients if isinstance(part, LinearPlan) else (part,)
        out += [
            each.name
            for each in own
            if each.grouping is not None
            and each.grouping.labels == grouping.labels
            and each.prior is not None
            and getattr(each, "pool", None) is None
            and not each.prior.proper
        ]
    return out
