"""The sentences that answer the question: is there an effect in any group, how large is it over all, how sure is that?

No sentence claims more than the figure it rests on. A share of draws is given as a bound where the number of draws
supports no more; for a figure that is not defined the reason is given; "not shown" is never "none".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.draws.posterior import Effect
from formulajoint.results.draws.tables import Estimates
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.shares import FEW_DRAWS, NO_CONTOUR
from formulajoint.results.text.printing import centre, classical_text, direction, numbers, share_text

GRADES = (
    (0.001, "Yes, beyond reasonable doubt"),
    (0.01, "Yes, by strong evidence"),
    (0.05, "Probably, by moderate evidence"),
)
"""The answer for a contour probability below each limit; the limits are those in use for p-values."""

HOW_LARGE = "How large is it over all of them?"

OPEN = "Not shown by these data"

FOR_NONE = "The data speak for none, given this prior"

DISAGREE = "The figures disagree"

FAVOURS, STRONGLY = math.log(3), math.log(20)
"""A Bayes factor from 1/3 to 3 favours neither side, one of 20 is strong evidence (Kass & Raftery, JASA 1995)."""

ODDS, BY_GRADE = (150, 20, 3), tuple(grade for _, grade in GRADES)
"""Kass & Raftery's limits for very strong, strong and positive evidence, with the answers for these."""

MOST_NAMED = 3
"""An answer names at most this many levels of a factor."""

LARGEST_ODDS = 1e6
"""Larger odds are given as more than these."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, its answer in a few words, and the figures that this rests on."""

    question: str
    short: str
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of the answers, in the data's own names.

    Attributes
    ----------
    term, group : str
        The predictor and the grouping.
    prob : float
        Probability of the intervals.
    """

    term: str
    group: str
    prob: float


# --- is there an effect in any group?


def any_effect(about: Subject, test: JointTest) -> Answer:
    """Return the answer from the joint test that every group's coefficient is zero."""
    factor = test.bayes_factor.value if isinstance(test.bayes_factor, LogIntegral) else math.nan
    grade = by_contour(*_contour(test))
    short, text = (
        grade or by_factor(factor),
        [_contour_text(about, test), _factor_text(factor), *_cautions(test)],
    )
    if factor < -FAVOURS and grade == OPEN:
        short = FOR_NONE
    elif factor > STRONGLY and grade == OPEN:
        short = DISAGREE
        text.append("They weigh the prior differently: see below how much it matters.")
    elif grade == OPEN:
        text.append("This is not evidence of no effect.")
    elif factor < -FAVOURS and grade:
        short = DISAGREE
        text.append(
            "They disagree because the prior expects far larger effects: state the prior that you mean, such as "
            f"prior({about.term} ~ normal(0, ...))."
        )
    if not grade:
        text.append(_reason(test))
    return Answer(f"Is there an effect in any {about.group}?", short, " ".join(part for part in text if part))


def by_contour(contour: float, mcse: float) -> str:
    """Return the first grade whose limit is above the contour probability plus its Monte Carlo error."""
    if math.isnan(contour):
        return ""
    if math.isnan(mcse):
        return "Too few draws to tell"
    return next((grade for limit, grade in GRADES if contour + mcse < limit), OPEN)


def by_factor(factor: float) -> str:
    """Return the answer by a Bayes factor, if there is no contour probability."""
    if math.isnan(factor):
        return "Not answered by this fit"
    if factor < -FAVOURS:
        return FOR_NONE
    return next((grade for odds, grade in zip(ODDS, BY_GRADE, strict=True) if factor > math.log(odds)), OPEN)


def _contour(test: JointTest) -> tuple[float, float]:
    """Return the contour probability and its Monte Carlo standard error; NaN if there is none."""
    found = test.shares.get("contour")
    return (math.nan, math.nan) if found is None else (found.value, found.mcse)


def _contour_text(about: Subject, test: JointTest) -> str:
    contour, mcse = _contour(test)
    if math.isnan(contour) or math.isnan(mcse):
        return ""
    shown, where = share_text(test, "contour"), f"“no effect in every {about.group}”"
    if test.by_scores:
        return (
            f"The contour probability of {where}, from how far out it lies in the posterior of each {about.group}, "
            f"is {shown}."
        )
    if contour == 0:
        return f"No draw is as far from the centre of the posterior as {where}: contour probability {shown}."
    return (
        f"The share of draws that are as far from the centre of the posterior as {where}, "
        f"the contour probability, is {shown}."
    )


def _factor_text(factor: float) -> str:
    """Return the Bayes factor as odds."""
    if math.isnan(factor):
        return ""
    odds = float(f"{math.exp(min(abs(factor), 700)):.3g}")
    shown = (
        f"more than {LARGEST_ODDS:,.0f}" if odds > LARGEST_ODDS else f"{odds:,.{0 if odds >= 100 else 1}f}"
    )
    if abs(factor) < FAVOURS:
        return f"The Bayes factor, {math.exp(factor):.2g}, favours neither side."
    return f"By the Bayes factor the data favour {'an' if factor > 0 else 'no'} effect by {shown} to 1."


def _cautions(test: JointTest) -> list[str]:
    """Return the test's notes on too few draws for the contour probability."""
    few = (note for note in test.notes if note.code == FEW_DRAWS and "contour" in note.about)
    return [f"Mind: {note.text}." for note in few]


def _reason(test: JointTest) -> str:
    """Return the reason why there is no contour probability, and the classical test."""
    reasons = [f"There is {note.text}." for note in test.notes if note.code == NO_CONTOUR]
    classical = classical_text(test)
    return " ".join(reasons + ([f"The classical test: {classical}."] if classical else []))


# --- how large is it over all groups?


def how_large(about: Subject, rows: Estimates, meaning: str, groups: Estimates) -> Answer:
    """Return the answer from a weighted mean over the groups.

    Parameters
    ----------
    about : Subject
    rows : Estimates
        Of the contrast: one, or one per level of the factor.
    meaning : str
        Such as ``weighted mean of treatment over school; weights n: A 0.4, B 0.6``.
    groups : Estimates
        Of the coefficient: one per group.
    """
    shown = [(effect.place, *centre(row)) for effect, row in rows.each()]
    short = ", ".join(f"{middle} {level}".strip() for level, middle, _, _ in shown[:MOST_NAMED])
    intervals = ", ".join(f"{interval} {level}".strip() for level, _, _, interval in shown[:MOST_NAMED])
    more = f" Further levels, {len(shown) - MOST_NAMED}, are in the table." if len(shown) > MOST_NAMED else ""
    text = f"{about.prob:.0%} HDI {intervals}. It is the {meaning}. {_range(about, groups)}{more}"
    return Answer(HOW_LARGE, short, text)


def how_large_without(about: Subject, groups: Estimates) -> Answer:
    """Return the answer if the formula has no contrast over the groups."""
    text = f"{_range(about, groups)} The formula asks for no mean over them: add joint({about.term}) for one."
    return Answer(HOW_LARGE, "No average over groups was requested", text)


def _range(about: Subject, groups: Estimates) -> str:
    """Return a sentence on the groups with the smallest and the largest effect, by their means."""
    means = groups.table["mean"]
    if means.isna().any():
        return ""
    (least, low), (most, high) = (
        (groups.effects[at].place, numbers(groups.table.iloc[at])[0])
        for at in (int(means.argmin()), int(means.argmax()))
    )
    return f"By {about.group} it goes from {low} in {least} to {high} in {most}."


# --- how sure is that?


def how_sure(about: Subject, rows: Estimates, bands: pd.DataFrame) -> Answer:
    """Return the answer from the sign of the weighted mean, and the number of groups whose band excludes zero.

    Parameters
    ----------
    about : Subject
    rows : Estimates
        Of the weighted mean, none if the formula has none.
    bands : DataFrame
        From ``band_table``: low and high of every group.
    """
    above, below = int((bands["low"] > 0).sum()), int((bands["high"] < 0).sum())
    text = _several(about, above, below, bands)
    signs = [_sign(effect, row) for effect, row in rows.each() if not math.isnan(row["p_direction"])]
    if signs and above and below:
        text += " Their mean hides that they point both ways."
    short = "; ".join(signs[:MOST_NAMED]) or f"Apart from zero in {above + below} of {len(bands)}"
    return Answer("How sure is that?", short, text)


def _sign(effect: Effect, row: pd.Series) -> str:
    share = direction(row["p_direction"], row["ess_bulk"])
    return f"{'Above' if row['median'] > 0 else 'Below'} zero with probability {share} {effect.place}".strip()


def _several(about: Subject, above: int, below: int, bands: pd.DataFrame) -> str:
    total = len(bands)
    if bands["low"].isna().all():
        return f"There are no intervals that hold for every {about.group} at once."
    where = [f"above zero in {above}"] * (above > 0) + [f"below zero in {below}"] * (below > 0)
    found = f"{' and '.join(where)} of {total}" if where else f"apart from zero in none of {total}"
    return (
        f"Judged all at once, by intervals that hold together with probability {about.prob:.0%}, "
        f"the effect is {found}."
    )
