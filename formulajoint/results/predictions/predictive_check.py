"""Predictive check: figures of the residuals, compared with those of replicated data.

Replications y_rep of the response itself are not comparable with the data where coefficients were fitted: with many of
them the data's errors are in y_rep twice, once in the fit and once in the fit's uncertainty. Residuals at a draw of the
posterior are comparable: if the model is right, y and its posterior draw theta are jointly distributed like y_rep and
theta, so that the normal scores z_i = Phi^-1(F(y_i | theta)) are N(0, 1) and independent, whatever was fitted (Johnson,
Annals of Statistics 2004 and Bayesian Analysis 2007; Gosselin, PLoS ONE 2011). A figure of z thus has a known reference
distribution at each draw. Here each is turned into a standard normal h, positive where the data's is larger.

One p-value from many draws: 2 median(p) keeps the level, however the draws' p-values depend on each other (Rüger,
Metrika 1978), times 2 for the two sides. Over K figures the smallest p-value is multiplied by K (Bonferroni).

Shapes: D draws, N rows, G groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy import special, stats

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.design.schema import Grouping
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.replicate import in_blocks, some_draws

LEVEL = 0.05
"""At most this share of data sets from a right model is called unlike its replications."""

DRAWS = 200
"""Draws of the posterior at which residuals are taken."""

MOST_NAMED = 3
"""The verdict names at most this many figures."""

FEWEST_ROWS = 20
"""Fewest rows for the normal approximation of skewness and kurtosis."""

FIGURES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "sd": ("a larger sd", "a smaller sd"),
        "smallest": ("a higher smallest value", "a lower smallest value"),
        "largest": ("a higher largest value", "a lower largest value"),
        "skewness": ("a higher skewness", "a lower skewness"),
        "tails": ("heavier tails", "lighter tails"),
        "groups": ("sds that differ more by {groups}", "sds that differ less by {groups}"),
        "trend": ("an sd that rises more with the mean", "an sd that rises less with the mean"),
    }
)
"""Figures of the residuals, with phrases for replications whose figure is larger, or smaller, than the data's."""


@dataclass(frozen=True, slots=True)
class PredictiveCheck:
    """Result of the check.

    Attributes
    ----------
    scores : mapping of str to float
        For each of `FIGURES` that exists, the median of h: the data's figure among replicated ones, in sds.
    groups : str
        Name of the grouping.
    """

    scores: Mapping[str, float]
    groups: str

    @property
    def p_values(self) -> dict[str, float]:
        """The p-value of each figure by itself."""
        return {name: min(1.0, float(4 * special.ndtr(-abs(h)))) for name, h in self.scores.items()}

    @property
    def p_value(self) -> float:
        """The p-value of all figures together."""
        return min(1.0, len(self.scores) * min(self.p_values.values()))

    @property
    def is_usual(self) -> bool:
        """Whether the data are like replicated data."""
        return self.p_value > LEVEL

    @property
    def verdict(self) -> str:
        """The result as text: the figures in which replications differ most from the data."""
        p = "< 0.0001" if self.p_value < 1e-4 else f"= {self.p_value:.2g}"
        if self.is_usual:
            return f"the residuals are like those of the model's replications (p {p} for {len(self.scores)} figures)"
        each = self.p_values
        odd = [n for n in sorted(each, key=each.__getitem__) if each[n] * len(each) <= LEVEL]
        words = [FIGURES[n][int(self.scores[n] > 0)].format(groups=self.groups) for n in odd[:MOST_NAMED]]
        said = " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
        return f"the model's replications have {said} than the data (p {p})"


def predictive_check(posterior: Posterior, seed: int | None = 0) -> PredictiveCheck:
    """Return the comparison of figures of the residuals with those of replicated data.

    Parameters
    ----------
    posterior : Posterior
    seed : int, optional
        Seed of the choice of draws.

    Raises
    ------
    InferenceError
        As by `predictions`.
    """
    y, grouping = posterior.plan.design.response.values, _grouping(posterior.plan)
    rng = np.random.default_rng(seed)
    taken = some_draws(posterior, DRAWS, rng)
    found: dict[str, list[FloatArray]] = {}
    for predicted in in_blocks(posterior, taken):
        for name, h in _figures(predicted.scores(y, rng), predicted.mean, grouping):
            found.setdefault(name, []).append(h)
    medians = {name: float(np.median(np.concatenate(h))) for name, h in found.items()}
    return PredictiveCheck(medians, "" if grouping is None else grouping.name)


def _grouping(plan: Plan) -> Grouping | None:
    parts = [part.predictor for part in plan.parameters if isinstance(part, LinearPlan)]
    return next((part.grouping for part in parts if part.grouping is not None), None)


def _figures(z: FloatArray, mean: FloatArray, grouping: Grouping | None) -> Iterator[tuple[str, FloatArray]]:
    """Yield each figure as a standard normal, (D,), from residuals and means, (D, N)."""
    rows = z.shape[1]
    yield "sd", _chi_square_score(np.sum(z**2, axis=1), rows)
    yield "smallest", _smallest_score(z.min(axis=1), rows)
    yield "largest", -_smallest_score(-z.max(axis=1), rows)
    if rows >= FEWEST_ROWS:
        yield "skewness", np.asarray(stats.skewtest(z, axis=1).statistic)
        yield "tails", np.asarray(stats.kurtosistest(z, axis=1).statistic)
    if grouping is not None and len(grouping) > 1:
        yield "groups", _groups_score(z, grouping)
    if np.all(np.ptp(mean, axis=1) > 0):
        yield "trend", _trend_score(z, mean)


def _chi_square_score(total: FloatArray, df: FloatArray | float) -> FloatArray:
    """Return the normal scores of chi-square values."""
    below, above = (
        special.gammainc(np.divide(df, 2), total / 2),
        special.gammaincc(np.divide(df, 2), total / 2),
    )
    tail = special.ndtri(np.maximum(np.minimum(below, above), np.finfo(float).tiny))
    return np.where(below < above, tail, -tail)


def _smallest_score(least: FloatArray, rows: int) -> FloatArray:
    """Return the normal scores of the smallest of `rows` normal values: P(min > m) = (1 - Phi(m))^rows."""
    log_above = rows * special.log_ndtr(-least)
    log_below = np.log(-np.expm1(np.minimum(log_above, -np.finfo(float).tiny)))
    return np.where(log_above < log_below, -special.ndtri_exp(log_above), special.ndtri_exp(log_below))


def _groups_score(z: FloatArray, grouping: Grouping) -> FloatArray:
    """Return the differences among the groups' sds: the variance of their normal scores, as a normal score."""
    sizes = np.bincount(grouping.codes, minlength=len(grouping))
    sums = np.stack([np.bincount(grouping.codes, weights=row**2, minlength=len(grouping)) for row in z])
    h = _chi_square_score(sums, sizes.astype(float))
    return _chi_square_score(np.sum((h - h.mean(axis=1, keepdims=True)) ** 2, axis=1), len(grouping) - 1)


def _trend_score(z: FloatArray, mean: FloatArray) -> FloatArray:
    """Return the rise of the residuals' size with the ranks of the means: a linear contrast of normal scores."""
    sizes = -special.ndtri(np.maximum(2 * special.ndtr(-abs(z)), np.finfo(float).tiny))
    ranks = stats.rankdata(mean, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    return np.asarray(np.sum(sizes * ranks, axis=1) / np.linalg.norm(ranks, axis=1))
