"""The table of joint tests: one row per hypothesis; a figure that is not defined is empty, and a note says why."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.errors import InferenceError
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.draws.existing_moments import degrees_of_freedom
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests import figures
from formulajoint.results.joint_tests.bayes_factor import equalities
from formulajoint.results.joint_tests.bayes_factor.orders import order
from formulajoint.results.joint_tests.classical import Classical, classical_test
from formulajoint.results.joint_tests.codings import coding_note
from formulajoint.results.joint_tests.figures import Figure, Holds
from formulajoint.results.joint_tests.quantities import Rope, quantities, ropes, row_labels
from formulajoint.results.joint_tests.score_contour import Quantities, score_contour, scored

log = logging.getLogger("formulajoint")

NONE = float("nan")

SHARES = ["contour", "gbpv", "p_all_positive", "p_all_negative", "p_at_least", "p_in_rope", "p_out_of_rope"]
"""Figures that are shares of draws; the Monte Carlo standard error of each stands beside it."""

COLUMNS = [
    "rank",
    *(column for share in SHARES for column in (share, f"{share}_mcse")),
    "log_bf10",
    "log_bf10_mcse",
    "classical",
    "statistic",
    "df_num",
    "df_denom",
    "p_value",
    "note",
]


BY_SCORES = "by scores, group by group"
"""Words of a note: the contour probability comes from those of each group."""

UPPER_BOUND = "an upper bound"
"""Words of a note: the contour probability may be smaller."""


@dataclass(frozen=True, slots=True)
class Question:
    """Options of a test: the region of no effect, and the number of quantities for ``p_at_least``."""

    rope: FloatArray | float | None = None
    at_least: int | None = None


def joint_table(
    posterior: Posterior,
    hypotheses: Iterable[Hypothesis],
    rope: Rope = None,
    at_least: int | None = None,
    standardized: bool = False,
) -> pd.DataFrame:
    """Return one row per hypothesis with the columns of `COLUMNS`; its name or text is in the index.

    Parameters
    ----------
    posterior : Posterior
    hypotheses : iterable of Hypothesis
    rope : float or mapping of term to float, optional
        Half-width of the region of practical equivalence about the null, in the coefficients' units.
    at_least : int, optional
        Number of quantities that must be above zero for ``p_at_least``.
    standardized : bool
        Whether `rope` is in sds of the response per s_x of the predictor.

    Raises
    ------
    InferenceError
        If `rope` or `at_least` is invalid.
    """
    rows = {}
    for h in hypotheses:
        log.info("testing %s", h.label)  # with hundreds of groups a Bayes factor takes seconds
        asked = Question(ropes(posterior.plan, h, rope, standardized), at_least)
        rows[h.label] = _row(posterior, h, asked)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)
    return table.rename_axis("hypothesis")


def _row(posterior: Posterior, hypothesis: Hypothesis, asked: Question) -> dict[str, Any]:
    draws = quantities(posterior, hypothesis)
    effective = figures.effective_draws(draws)
    shares = shares_of(draws, asked)
    notes = [hypothesis.text] if hypothesis.name else []
    rest: dict[str, Any] = {"rank": draws.shape[2]}
    by_scores = False
    if hypothesis.order:
        holds = shares["p_all_positive"]
        factor = order(posterior.plan, hypothesis, holds.value, holds.mcse)
        notes.append("an order: p_all_positive is its probability, log_bf10 for it against no order")
    else:
        kept = independent(hypothesis.rows)
        rest["rank"] = len(kept)
        missing = _no_covariance(posterior, hypothesis)
        tested = scored(posterior, hypothesis)
        if tested is None:
            shares = distances(draws, draws[:, :, kept], effective, notes, missing) | shares
        else:
            by_scores, shares = True, _by_scores(draws, tested, notes, missing) | shares
        rest |= _classical(posterior, hypothesis, notes)
        factor = equalities.equality(posterior.plan, hypothesis)
    if isinstance(factor, LogIntegral):
        rest |= {"log_bf10": factor.value, "log_bf10_mcse": factor.error}
        notes += _priors(posterior.plan, hypothesis, factor, shares)
    else:
        notes.append(factor)
    counts = {name: share for name, share in shares.items() if name != "contour" or not by_scores}
    notes += figures.counting_notes(counts, effective)
    counted = figures.with_errors(shares, effective)
    return dict.fromkeys(COLUMNS, NONE) | {"classical": ""} | counted | rest | {"note": "; ".join(notes)}


def _priors(
    plan: Plan, hypothesis: Hypothesis, factor: LogIntegral, shares: Mapping[str, Figure]
) -> list[str]:
    """Return notes on how a Bayes factor depends on the prior."""
    coding = coding_note(plan, hypothesis)
    if not hypothesis.order:
        return [equalities.scale_note(plan, hypothesis), *([f"log BF10 {coding}"] if coding else [])]
    prior = f"{shares['p_all_positive'].value / math.exp(factor.value):.3g}"
    return [f"its prior probability, {prior}, {coding}" if coding else f"its prior probability is {prior}"]


def shares_of(draws: FloatArray, asked: Question) -> dict[str, Figure]:
    """Return the shares of draws (C, S, q) in which quantities meet each condition."""
    held: dict[str, Holds] = {"p_all_positive": figures.all_positive, "p_all_negative": figures.all_negative}
    if asked.at_least is not None:
        held["p_at_least"] = figures.at_least(_count(asked.at_least, draws.shape[2]))
    if asked.rope is not None:
        held |= {
            "p_in_rope": figures.all_within(asked.rope),
            "p_out_of_rope": figures.all_beyond(asked.rope),
        }
    return {name: figures.probability_of(holds, draws) for name, holds in held.items()}


def _count(given: int, most: int) -> int:
    if not (isinstance(given, Integral) and not isinstance(given, bool) and 1 <= given <= most):
        raise InferenceError(
            f"`at_least` is a whole number from 1 to the {most} quantities tested, not {given!r}."
        )
    return int(given)


def distances(
    draws: FloatArray, kept: FloatArray, effective: float, notes: list[str], missing: str = ""
) -> dict[str, Figure]:
    """Return the figures of equalities by their distance from the null, and note which are missing.

    Parameters
    ----------
    draws : (C, S, q) array
    kept : (C, S, rank) array
        Quantities that do not follow from the others.
    effective : float
        Effective draws.
    notes : list of str
        Notes are appended to it.
    missing : str
        Why there is no covariance; empty if there is one.
    """
    rank = kept.shape[2]
    if draws.shape[0] * draws.shape[1] <= 2 * rank:
        notes.append(f"no contour or band: {rank} dimensions need more draws")
        return {}
    if missing:
        notes.append(missing)
        return {}
    if effective < figures.DRAWS_PER_RANK * rank:
        notes.append(f"{effective:.0f} effective draws are few for a covariance of rank {rank}: draw more")
    return {"contour": figures.contour_probability(kept), "gbpv": figures.global_p_value(draws)}


def _by_scores(
    draws: FloatArray, tested: Sequence[Quantities], notes: list[str], missing: str
) -> dict[str, Figure]:
    """Return the same figures for strata that are independent a posteriori: each needs its own covariance at most."""
    most = max(np.unique(each.strata, return_counts=True)[1].max() for each in tested)
    if most > 1 and (missing or draws.shape[0] * draws.shape[1] <= 2 * most):
        notes.append(missing or f"no contour or band: {most} dimensions need more draws")
        return {}
    found = score_contour(tested)
    notes.append(f"contour {BY_SCORES}" + _bound(found.saturated))
    if missing:
        notes.append("no band: the posterior has no covariance")
        return {"contour": found.figure}
    return {"contour": found.figure, "gbpv": figures.global_p_value(draws)}


def _bound(saturated: int) -> str:
    where = "one group" if saturated == 1 else f"{saturated} groups"
    return f", {UPPER_BOUND}: in {where} no draw is beyond the null" if saturated else ""


def _no_covariance(posterior: Posterior, hypothesis: Hypothesis) -> str:
    tails = degrees_of_freedom(posterior.plan)
    names = [c.name for c in posterior.plan.mean.coefficients if c.term.name in hypothesis.terms]
    exists = all(float(np.min(tails[name])) > 2 for name in names if name in tails)
    return "" if exists else "no contour or band: the posterior has no covariance"


def _classical(posterior: Posterior, hypothesis: Hypothesis, notes: list[str]) -> dict[str, Any]:
    twin = classical_test(posterior.plan, hypothesis)
    if not isinstance(twin, Classical):
        notes.append(twin)
        return {}
    notes += [twin.note] if twin.note else []
    return {
        "classical": twin.name,
        "statistic": twin.statistic,
        "df_num": twin.df_num,
        "df_denom": twin.df_denom,
        "p_value": twin.p_value,
    }


# --- which groups differ


def band_table(posterior: Posterior, hypothesis: Hypothesis, prob: float) -> pd.DataFrame:
    """Return one row per quantity of the hypothesis: mean, sd and simultaneous interval of its value less the null.

    With probability `prob` all quantities lie within their intervals at once, so an interval without zero shows
    which groups differ.
    """
    draws, labels = quantities(posterior, hypothesis), row_labels(posterior.plan, hypothesis)
    return bands(draws, labels, prob, _no_covariance(posterior, hypothesis))


def bands(draws: FloatArray, labels: Sequence[str], prob: float, missing: str = "") -> pd.DataFrame:
    """Return simultaneous intervals of draws (C, S, q), with their Monte Carlo standard errors and a note."""
    if not (isinstance(prob, Real) and 0 < prob < 1):
        raise InferenceError(f"`prob` must lie between 0 and 1, not {prob!r}: 95 % is 0.95.")
    flat = draws.reshape((-1, draws.shape[2]))
    index = pd.Index(labels, name="quantity")
    columns: dict[str, Any] = {"mean": flat.mean(axis=0), "sd": flat.std(axis=0, ddof=1)}
    if missing:
        blank = dict.fromkeys(("low", "low_mcse", "high", "high_mcse"), NONE)
        return pd.DataFrame(columns | blank | {"note": missing}, index=index)
    band = figures.simultaneous_band(draws, prob)
    columns |= {"low": band.low, "low_mcse": band.low_mcse, "high": band.high, "high_mcse": band.high_mcse}
    beyond = (1 - prob) * figures.effective_draws(draws)
    few = f"{beyond:.0f} effective draws are beyond the band, too few to say how far it reaches: draw more"
    return pd.DataFrame(columns | {"note": few if beyond < figures.FEW else ""}, index=index)


# --- how much the prior matters


def sensitivity_table(
    posterior: Posterior, hypotheses: Sequence[Hypothesis], factors: float | Sequence[float]
) -> pd.DataFrame:
    """Return one row per hypothesis and factor: prior_sd, log_bf10, log_bf10_mcse, or a note why there are none."""
    several: list[Any] = list(np.ravel(np.asarray(factors, dtype=object)))
    if not several or not all(isinstance(f, Real) and 0 < float(f) < math.inf for f in several):
        raise InferenceError(f"`factors` are numbers above zero such as (0.5, 1, 2), not {factors!r}.")
    rows = []
    for hypothesis in hypotheses:
        for factor in several:
            rows.append({"hypothesis": hypothesis.label, "factor": factor})
            rows[-1] |= _at_scale(posterior, hypothesis, float(factor))
    return pd.DataFrame(rows).set_index(["hypothesis", "factor"])


def _probability(posterior: Posterior, hypothesis: Hypothesis) -> tuple[float, float]:
    """Return the probability of an order and its Monte Carlo standard error."""
    holds = figures.probability_of(figures.all_positive, quantities(posterior, hypothesis))
    return holds.value, holds.mcse


def _at_scale(posterior: Posterior, hypothesis: Hypothesis, factor: float) -> dict[str, Any]:
    found: LogIntegral | str = "an order's Bayes factor under another prior needs a fit with that prior"
    if hypothesis.order and factor == 1.0:
        found = order(posterior.plan, hypothesis, *_probability(posterior, hypothesis))
    elif not hypothesis.order:
        found = equalities.equality(posterior.plan, hypothesis, factor)
    if not isinstance(found, LogIntegral):
        return {"prior_sd": "", "log_bf10": NONE, "log_bf10_mcse": NONE, "note": found}
    sd = equalities.tested_scale(posterior.plan, hypothesis, factor)
    return {"prior_sd": sd, "log_bf10": found.value, "log_bf10_mcse": found.error, "note": ""}
