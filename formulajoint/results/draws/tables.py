"""Tables of a fit: one row per coefficient, one row per contrast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.compiler.contrast_plans import AveragePlan, ContrastPlan, FamilyPlan
from formulajoint.compiler.evaluate.contrast_nodes import node_dims
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.errors import InferenceError
from formulajoint.results.draws.convergence import ess_bulk_and_r_hat, ess_tail, hdi
from formulajoint.results.draws.existing_moments import degrees_of_freedom
from formulajoint.results.draws.full_width import Table
from formulajoint.results.draws.posterior import Effect, Posterior, reported_cells, variables_of
from formulajoint.wording import did_you_mean, listed, span

if TYPE_CHECKING:  # SciPy, needed only for tests
    from formulajoint.contrasts.hypotheses import Hypothesis

PROB = 0.95
"""Default probability of intervals, as for classical ones."""

TAILS = (0.05, 0.95)
"""Quantiles of ess_tail, the smaller of their effective sample sizes."""

SUMMARY = ["mean", "sd", "hdi_low", "hdi_high", "ess_bulk", "ess_tail", "r_hat"]
CONTRASTS = ["mean", "sd", "median", "hdi_low", "hdi_high", "p_direction", "ess_bulk", "r_hat", "weights"]
"""Columns of the summary, and of the table of contrasts."""

MOST_WEIGHTS = 8
"""A table lists the weights of at most this many groups; of more it gives their range."""


def summary(posterior: Posterior, prob: float = PROB) -> pd.DataFrame:
    """Return the summary table: one row per coefficient and parameter, without contrasts.

    Parameters
    ----------
    posterior : Posterior
    prob : float
        Probability of the highest-density interval, between 0 and 1.

    Returns
    -------
    DataFrame
        Columns mean, sd, hdi_low, hdi_high, ess_bulk, ess_tail, r_hat; in the index ``treatment[A]``. A mean or sd that
        does not exist is NaN.
    """
    return estimates(coefficient_draws(posterior), prob).table[SUMMARY]


def contrasts(posterior: Posterior, prob: float = PROB) -> pd.DataFrame:
    """Return the table of contrasts, one row each.

    Returns
    -------
    DataFrame
        Columns mean, sd, median, hdi_low, hdi_high, p_direction (the probability of the sign that is more probable),
        ess_bulk, r_hat and weights; in the index the node's name, with its entry or what a factor's coefficient
        compares. A mean or sd that does not exist, as that of a ratio, is NaN, and so is the p_direction of a root
        mean square or an sd, which are never below zero. A constant has no r_hat.
    """
    return contrast_estimates(posterior, contrast_draws(posterior), prob).table


def with_rope(posterior: Posterior, table: pd.DataFrame, rope: float | None) -> pd.DataFrame:
    """Return a copy of a table of contrasts; with `rope`, the probability that each is within it of zero is added.

    Raises
    ------
    InferenceError
        If `rope` is not above zero.
    """
    if rope is None:
        return table.copy()
    if not (isinstance(rope, Real) and not isinstance(rope, bool) and 0 < rope < math.inf):
        raise InferenceError(f"`rope` must be above zero, not {rope!r}.")
    shares = [float(np.mean(abs(own.draws) < rope)) for own in contrast_draws(posterior)]
    out = table.copy()
    out.insert(list(table.columns).index("p_direction") + 1, "p_in_rope", shares)
    return out


def contrast_estimates(posterior: Posterior, of: Sequence[EffectDraws], prob: float) -> Estimates:
    """Return the figures of the contrasts, with the columns of `contrasts`."""
    texts = {c.name: weights_text(posterior, c) for c in posterior.plan.contrasts}
    found = estimates(of, prob)
    if not found.effects:
        return Estimates((), Table(columns=CONTRASTS, index=pd.Index([], dtype=str, name="contrast")))
    never = unsigned(posterior.plan)
    signed = np.array([effect.variable not in never for effect in found.effects])
    table = found.table.assign(
        weights=[texts[effect.variable] for effect in found.effects],
        p_direction=found.table["p_direction"].where(signed),
    )
    return Estimates(found.effects, table[CONTRASTS].rename_axis("contrast"))


def unsigned(plan: Plan) -> frozenset[str]:
    """Return the names of the contrasts that are never below zero, such as a root mean square."""
    averages = (c for c in plan.contrasts if isinstance(c, AveragePlan))
    return frozenset(average.name for average in averages if not average.function.signed)


# --- one row per effect


@dataclass(frozen=True, slots=True, eq=False)
class EffectDraws:
    """An effect with its draws.

    Attributes
    ----------
    effect : Effect
    draws : (chain, draw) array
    df : float
        Degrees of freedom of its tails: without a mean up to 1, without an sd up to 2.
    """

    effect: Effect
    draws: FloatArray
    df: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Figures of effects: a row of `table` for each, with its label in the index."""

    effects: tuple[Effect, ...]
    table: pd.DataFrame

    def of(self, variable: str) -> Estimates:
        """Return the rows of a variable."""
        return self.at([place for place, effect in enumerate(self.effects) if effect.variable == variable])

    def at(self, places: list[int]) -> Estimates:
        """Return some rows."""
        return Estimates(tuple(self.effects[place] for place in places), self.table.iloc[places])

    def each(self) -> Iterator[tuple[Effect, pd.Series]]:
        """Yield each effect with its row."""
        yield from zip(self.effects, (row for _, row in self.table.iterrows()), strict=True)


def coefficient_draws(posterior: Posterior) -> list[EffectDraws]:
    """Return every coefficient and parameter in the order of the summary; those of group terms are not in it."""
    tails, asked = degrees_of_freedom(posterior.plan), node_dims(posterior.plan)
    apart = frozenset[str]().union(
        *(p.of_groups for p in posterior.plan.parameters if isinstance(p, LinearPlan))
    )
    names = [name for name in posterior.named.variables if name not in asked and name not in apart]
    order = {name: position for position, name in enumerate(_reading_order(posterior))}
    ranks = _ranks(posterior.plan)
    names.sort(key=lambda name: (ranks.get(name, 1), order.get(name, len(order))))
    return [own for name in names for own in draws_of(posterior, name, tails)]


def contrast_draws(posterior: Posterior) -> list[EffectDraws]:
    """Return every entry of the contrasts."""
    tails = degrees_of_freedom(posterior.plan)
    return [own for c in posterior.plan.contrasts for own in draws_of(posterior, c.name, tails)]


def _reading_order(posterior: Posterior) -> list[str]:
    """Return names in the order of the table: coefficients, means and sds of their hierarchies, their correlations."""
    plan = posterior.plan
    order = [c.name for c in plan.mean.coefficients]
    pools = (*plan.mean.pools, *plan.mean.varying)
    order += [name for pool in pools for t in pool.terms for name in (t.mean_name, t.sd_name)]
    return order + [pool.correlation.name for pool in pools if pool.correlation is not None]


def _ranks(plan: Plan) -> dict[str, int]:
    """Return 0 for what the formula asks about and 2 for intercepts; all else has rank 1.

    The names are those of coefficients, and of the means and sds of their hierarchies.
    """
    asked = asked_about(plan)
    pooled = plan.mean.pooled
    out: dict[str, int] = {}
    for coefficient in plan.mean.coefficients if asked else ():
        member = pooled.get(coefficient.name)
        names = [coefficient.name, *([] if member is None else [member.mean_name, member.sd_name])]
        rank = 0 if asked & set(names) else 2 if not coefficient.term.parts else 1
        out |= dict.fromkeys(names, rank)
    return out


def asked_about(plan: Plan) -> frozenset[str]:
    """Return the names of the coefficients, or of their means and sds, that contrasts and tests of the formula name."""
    found = {term for test in plan.tests for term in test.terms}
    names = {c.name for c in plan.mean.coefficients if c.term.name in found}
    return frozenset(names.union(*map(variables_of, plan.contrasts)))


def is_asked_about(plan: Plan, hypothesis: Hypothesis) -> bool:
    """Return whether the formula has a contrast or test of what a hypothesis is about; true if it has none at all."""
    asked = asked_about(plan)
    names = {c.name for c in plan.mean.coefficients if c.term.name in hypothesis.terms}
    return not asked or bool(names & asked)


def draws_of(posterior: Posterior, name: str, tails: Mapping[str, FloatArray]) -> list[EffectDraws]:
    """Return the cells of a variable, given the degrees of freedom of those with t tails."""
    found = list(reported_cells(posterior, name))
    df = _df_of_cells(tails.get(name), len(found))
    return [EffectDraws(effect, draws, float(own)) for (effect, draws), own in zip(found, df, strict=True)]


def estimates(found: Sequence[EffectDraws], prob: float) -> Estimates:
    """Return the figures of effects; a mean or sd that does not exist is NaN."""
    effects = tuple(own.effect for own in found)
    if not effects:
        return Estimates((), describe(["none"], [np.zeros((1, 1))], prob).iloc[:0])
    table = describe([effect.label for effect in effects], [own.draws for own in found], prob)
    df = np.array([own.df for own in found])
    return Estimates(effects, table.assign(mean=table["mean"].where(df > 1), sd=table["sd"].where(df > 2)))


def describe(labels: Sequence[str], draws: Sequence[FloatArray], prob: float) -> pd.DataFrame:
    """Return one row per label with mean, sd, interval, p_direction and diagnostics of its draws (chain, draw)."""
    check_prob(prob)
    return Table(_statistics(np.stack(draws), prob), index=pd.Index(labels, name="parameter"))


def check_prob(prob: float) -> None:
    """Raise an InferenceError unless `prob`, the probability of an interval, lies between 0 and 1."""
    if not (isinstance(prob, Real) and 0 < prob < 1):
        raise InferenceError(f"`prob` must lie between 0 and 1, not {prob!r}: 95 % is 0.95.")


def _df_of_cells(df: FloatArray | None, count: int) -> FloatArray:
    """Return degrees of freedom, one or one per group, for each cell of a variable whose first axis is the group."""
    if df is None:
        return np.full(count, np.inf)
    return np.repeat(df, count // df.size)


def _statistics(draws: FloatArray, prob: float) -> dict[str, FloatArray]:
    """Return the columns of a table from draws (cell, chain, draw); NaN for a cell with a draw that is not finite."""
    known = np.isfinite(draws).all(axis=(1, 2))
    if not known.all():
        found = _statistics(np.where(known[:, None, None], draws, 0.0), prob)
        return {name: np.where(known, values, np.nan) for name, values in found.items()}
    flat = draws.reshape((len(draws), -1))
    interval = hdi(flat, prob)
    above = (flat > 0).mean(axis=1)
    ess, larger = ess_bulk_and_r_hat(draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "mean": flat.mean(axis=1),
            "sd": flat.std(axis=1, ddof=1) if flat.shape[1] > 1 else np.full(len(flat), np.nan),
            "median": np.median(flat, axis=1),
            "hdi_low": interval[:, 0],
            "hdi_high": interval[:, 1],
            "p_direction": np.maximum(above, (flat < 0).mean(axis=1)),
            "ess_bulk": ess,
            "ess_tail": ess_tail(draws, TAILS),
            "r_hat": larger,
        }


def weights_of(posterior: Posterior, name: str) -> pd.Series:
    """Return the weight of each group in the contrast `name`.

    Raises
    ------
    InferenceError
        If the model has no such contrast, or it has no weights.
    """
    known = {contrast.name: contrast for contrast in posterior.plan.contrasts}
    if name not in known:
        hint = f"there are {listed(known)}." if known else "the formula asks for none, such as `joint()`."
        raise InferenceError(f"There is no contrast `{name}`: {did_you_mean(str(name), known) or hint}")
    if known[name].weights is None:
        raise InferenceError(
            f"In `{name}` nothing is weighted: `{known[name].text}` takes no average of groups."
        )
    return weights(posterior, known[name])


def weights(posterior: Posterior, contrast: ContrastPlan) -> pd.Series:
    """Return the weight of each group; its posterior mean where it differs from draw to draw.

    The series has a second index level where a factor's columns differ in weight; it is empty for a contrast without
    weights.
    """
    if contrast.weights is None:
        return pd.Series([], dtype=float, index=pd.Index([], dtype=str), name=contrast.name)
    values = contrast.weights.values
    if contrast.weights_name is not None:
        values = posterior.named.values(contrast.weights_name).mean(axis=(0, 1))
    if isinstance(contrast, FamilyPlan) and contrast.of_levels:
        return pd.Series(values, index=pd.Index(contrast.levels, name=contrast.over), name=contrast.name)
    dims = contrast.coefficient.dims[: values.ndim]
    index = pd.MultiIndex.from_product([posterior.plan.coords[dim] for dim in dims], names=dims)
    flat = index.get_level_values(0) if values.ndim == 1 else index
    return pd.Series(values.ravel(), index=flat, name=contrast.name)


def weights_text(posterior: Posterior, contrast: ContrastPlan) -> str:
    """Return the weights as text: ``n: A 0.4, B 0.6``."""
    return describe_weights(contrast, weights(posterior, contrast))


def describe_weights(contrast: ContrastPlan, series: pd.Series) -> str:
    """Return the scheme and each group's weight, or their range if there are many; empty without weights."""
    if contrast.weights is None:
        return ""
    mean = " (posterior mean)" if contrast.weights_name is not None else ""
    if len(series) > MOST_WEIGHTS:
        return f"{contrast.weights.scheme}{mean}: {len(series)} weights, {span(series.to_numpy())} each"
    named = ", ".join(
        f"{' '.join(key) if isinstance(key, tuple) else key} {value:.3g}" for key, value in series.items()
    )
    return f"{contrast.weights.scheme}{mean}: {named}"
