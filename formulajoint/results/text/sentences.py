"""The sentences that answer the question: is there an effect in any group, how large is it over all, how sure is that?

No sentence claims more than the figure it rests on. A share of draws is given as a bound where the number of draws
supports no more; for a figure that is not defined the reason is given; "not shown" is never "none".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.draws.tables import Estimates
from formulajoint.results.joint_tests.bayes_factor.verdict import POSITIVE, Verdict
from formulajoint.results.joint_tests.disagreements import DISAGREE as DISAGREEMENT
from formulajoint.results.joint_tests.disagreements import WEAK
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.shares import FEW_DRAWS, NO_CONTOUR
from formulajoint.results.text.figures import centre, classical_text, direction, numbers, share_text
from formulajoint.wording import sentence, shortened

GRADES = (
    (0.001, "Yes, beyond reasonable doubt"),
    (0.01, "Yes, by strong evidence"),
    (0.05, "Probably, by moderate evidence"),
)
"""The answer for a contour probability below each limit; the limits are those in use for p-values."""

HOW_SURE = "How sure is that?"

OPEN = "Not shown by these data"

FOR_NONE = "The data favour no effect"

DISAGREE = "The figures disagree"

ODDS, BY_GRADE = (150, 20, 3), tuple(grade for _, grade in GRADES)
"""Kass & Raftery's limits for very strong, strong and positive evidence, with the answers for these."""

CANNOT_TELL = "the effect cannot be told from zero"

MOST_NAMED = 3
"""An answer names at most this many levels of a factor."""

LONGEST = 40
"""Longest name of a level in a short answer, in characters; of longer ones both ends are kept."""

LARGEST_ODDS = 1e6
"""Larger odds are given as more than these."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A question with its answer.

    Attributes
    ----------
    question : str
    short : str
        The answer in a few words.
    line : str
        The same with its first figure, for a line of a terminal.
    text : str
        Sentences with the figures that the answer rests on.
    """

    question: str
    short: str
    line: str
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of the answers, in the data's own names.

    Attributes
    ----------
    term : str
        The predictor, as a formula writes it.
    words : str
        The same in words: ``pre (standardised)``.
    group : str
        The grouping.
    prob : float
        Probability of the intervals.
    unit : str
        Of the effects: ``points of score``.
    place : str
        Where the test is: ``, where sex is f``; or empty.
    means : str
        Where the weighted mean is, if that is at the means of other columns.
    """

    term: str
    words: str
    group: str
    prob: float
    unit: str
    place: str = ""
    means: str = ""


# --- is there an effect in any group?


def any_effect(about: Subject, test: JointTest) -> Answer:
    """Return the answer from the joint test that every group's coefficient is zero.

    The contour probability answers where it shows an effect; where it does not, the verdict of the Bayes factor does,
    if that holds whatever the scale of the prior.
    """
    grade, verdict = by_contour(*_contour(test)), test.verdict
    decided = by_verdict(verdict) if isinstance(verdict, Verdict) else ""
    short, told = (
        grade or decided or by_factor(_factor(test)),
        [_contour_text(about, test), _factor_text(test)],
    )
    by_bayes = grade == OPEN and bool(decided)
    if by_bayes:  # the figure that answers stands first
        short, told = decided, told[::-1]
    elif grade in BY_GRADE and decided == FOR_NONE:
        short = DISAGREE
    if short == OPEN:
        told.append("This is not evidence of no effect.")
    told += [sentence(note.text) for note in test.notes if note.code in (DISAGREEMENT, WEAK)]
    told += _cautions(test)
    if not grade:
        told.append(_reason(test))
    return Answer(
        asked(about), short, _with_figures(short, test, by_bayes), " ".join(part for part in told if part)
    )


def not_tested(about: Subject, groups: int) -> Answer:
    """Return the answer where there are too many groups for a test that nobody asked for."""
    line = f"for {groups} groups the test takes a while: run fit.test()"
    return Answer(asked(about), "Not tested here", sentence(line).rstrip("."), sentence(line))


def asked(about: Subject) -> str:
    """Return the first question."""
    place = f"{about.place}," if about.place else ""
    return f"Is there an effect of {about.words}{place} in any {about.group}?"


def _with_figures(short: str, test: JointTest, by_bayes: bool) -> str:
    """Return the answer with the figures it rests on: contour probability and Bayes factor, or the classical test.

    That which answers stands first, the Bayes factor if `by_bayes`.
    """
    shown, factor = share_text(test, "contour"), _factor(test)
    figures = [f"contour probability {shown}"] if shown else []
    if isinstance(test.verdict, Verdict):
        depends = test.verdict.kind == "depends"
        figures.append("the Bayes factor depends on the prior" if depends else f"log BF10 {factor:.1f}")
    told = ", ".join(figures[::-1] if by_bayes else figures) or classical_text(test)
    return f"{short} ({told})" if told else short


def by_contour(contour: float, mcse: float) -> str:
    """Return the first grade whose limit is above the contour probability plus its Monte Carlo error."""
    if math.isnan(contour):
        return ""
    if math.isnan(mcse):
        return "Too few draws to tell"
    return next((grade for limit, grade in GRADES if contour + mcse < limit), OPEN)


def by_verdict(verdict: Verdict) -> str:
    """Return the answer by a verdict, with its least log BF10; empty if the verdict depends on the prior."""
    if verdict.kind == "depends":
        return ""
    return FOR_NONE if verdict.kind == "against" else by_factor(verdict.low)


def by_factor(factor: float) -> str:
    """Return the answer by a log Bayes factor."""
    if math.isnan(factor):
        return "Not answered by this fit"
    return next((grade for odds, grade in zip(ODDS, BY_GRADE, strict=True) if factor > math.log(odds)), OPEN)


def _factor(test: JointTest) -> float:
    """Return the log Bayes factor, that of effects of one kind if there is one; NaN if there is none."""
    if isinstance(test.one_kind, Against):
        return test.one_kind.value.value
    return test.bayes_factor.value if isinstance(test.bayes_factor, LogIntegral) else math.nan


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


def _factor_text(test: JointTest) -> str:
    """Return the Bayes factor as odds, and whether it depends on the prior."""
    factor = _factor(test)
    if math.isnan(factor):
        return ""
    if isinstance(test.verdict, Verdict) and test.verdict.kind == "depends":
        low, high = test.verdict.low, test.verdict.high
        return (
            f"The Bayes factor depends on the scale of the prior: log BF10 is from {low:.2f} to {high:.2f}, "
            "and favours neither side by itself."
        )
    odds = float(f"{math.exp(min(abs(factor), 700)):.3g}")
    shown = (
        f"more than {LARGEST_ODDS:,.0f}" if odds > LARGEST_ODDS else f"{odds:,.{0 if odds >= 100 else 1}f}"
    )
    if abs(factor) < POSITIVE:
        return f"The Bayes factor, {math.exp(factor):.2g}, favours neither side."
    return f"By the Bayes factor the data favour {'an' if factor > 0 else 'no'} effect by {shown} to 1."


def _cautions(test: JointTest) -> list[str]:
    """Return the test's notes on too few draws for the contour probability."""
    few = (note for note in test.notes if note.code == FEW_DRAWS and "contour" in note.about)
    return [f"Caution: {note.text}." for note in few]


def _reason(test: JointTest) -> str:
    """Return the reason why there is no contour probability, and the classical test."""
    reasons = [f"There is {note.text}." for note in test.notes if note.code == NO_CONTOUR]
    classical = classical_text(test)
    return " ".join(reasons + ([f"The classical test: {classical}."] if classical else []))


# --- how large is it over all groups?


def of_size(about: Subject) -> str:
    """Return the second question."""
    return f"How large is it over all of them{about.means}?"


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
        Of the groups with the smallest and the largest effect.
    """
    shown = [(effect.place, *centre(row)) for effect, row in rows.each()]
    few, rest = shown[:MOST_NAMED], len(shown) - MOST_NAMED
    intervals = ", ".join(f"{level} {interval}".strip() for level, _, _, interval in few)
    named = shortened([level for level, *_ in few], LONGEST)
    few = [(level, *row[1:]) for level, row in zip(named, few, strict=True)]
    short = ", ".join(f"{level} {middle}".strip() for level, middle, _, _ in few) + f" {about.unit}"
    each = ", ".join(f"{level} {middle} {interval}".strip() for level, middle, _, interval in few)
    line = (
        f"{short}, {about.prob:.0%} HDI {few[0][-1]}"
        if len(shown) == 1
        else f"{each} {about.unit}, each with its {about.prob:.0%} HDI"
    )
    more = f" Further levels, {rest}, are in the table." if rest > 0 else ""
    text = f"{about.prob:.0%} HDI {intervals}. It is the {meaning}. {_range(about, groups)}{more}"
    return Answer(of_size(about), short, f"{line}; {rest} more levels below" if rest > 0 else line, text)


def how_large_without(about: Subject, groups: Estimates) -> Answer:
    """Return the answer if the formula has no contrast over the groups."""
    ask = f"joint({about.term})"
    text = f"{_range(about, groups)} The formula asks for no mean over them: add {ask} for one."
    ends = _ends(groups)
    line = (
        f"By {about.group} {ends}, {about.unit}; for a mean write {ask}"
        if ends
        else f"For a mean write {ask}"
    )
    return Answer(of_size(about), "No average over groups was requested", line, text.strip())


def _range(about: Subject, groups: Estimates) -> str:
    """Return a sentence on the groups with the smallest and the largest effect."""
    ends = _ends(groups)
    return f"By {about.group} it goes {ends}." if ends else ""


def _ends(groups: Estimates) -> str:
    """Return ``from -2.5 in A to 6.7 in E``; empty if they are not known."""
    if not groups.effects:
        return ""
    (least, low), (most, high) = ((effect.place, numbers(row)[0]) for effect, row in groups.each())
    return f"from {low} in {least} to {high} in {most}"


# --- how sure is that?


def how_sure(about: Subject, rows: Estimates, apart: Apart | Missing) -> Answer:
    """Return the answer from the sign of the weighted mean, and the groups whose band excludes zero.

    Parameters
    ----------
    about : Subject
    rows : Estimates
        Of the weighted mean, none if the formula has none.
    apart : Apart or Missing
        Or the reason that the groups have no band.
    """
    named = shortened([effect.place for effect in rows.effects], LONGEST)
    each = zip(named, (row for _, row in rows.each()), strict=True)
    signs = [_sign(place, row) for place, row in each if not math.isnan(row["p_direction"])]
    counted = ""
    if isinstance(apart, Missing):
        text = sentence(apart.reason)
    else:
        text = f"Judged together ({about.prob:.0%} simultaneous bands), {apart.told}."
        counted = f"{'judged' if signs else 'Judged'} together, {apart.told}"
        if signs and apart.above and apart.below:
            text += " Their mean hides that they point both ways."
            counted += ": the mean hides that they point both ways"
    short = "; ".join(signs[:MOST_NAMED]) or (
        "Not told by this fit"
        if isinstance(apart, Missing)
        else f"Different from zero in {apart.count} of {apart.total}"
    )
    line = "; ".join([*signs[:MOST_NAMED], *([counted] if counted else [])]) or short
    return Answer(HOW_SURE, short, line, text)


@dataclass(frozen=True, slots=True)
class Apart:
    """The groups whose simultaneous interval excludes zero.

    Attributes
    ----------
    above, below : tuple of str
        Those with an effect above zero, and below.
    total : int
        All.
    """

    above: tuple[str, ...]
    below: tuple[str, ...]
    total: int

    @property
    def count(self) -> int:
        """Their number."""
        return len(self.above) + len(self.below)

    @property
    def told(self) -> str:
        """Both in words: ``the effect is above zero in 2 and below zero in 1 of 8``."""
        if not self.count:
            return (
                f"none of the {self.total} effects can be told from zero" if self.total > 1 else CANNOT_TELL
            )
        sides = [
            f"{side} zero in {len(groups)}"
            for side, groups in (("above", self.above), ("below", self.below))
            if groups
        ]
        return f"the effect is {' and '.join(sides)} of {self.total}{self.names}"

    @property
    def names(self) -> str:
        """Their names in parentheses, if they are few and not all."""
        named = (*self.above, *self.below)
        comma = "; " if any("," in name for name in named) else ", "
        return f" ({comma.join(named)})" if 0 < len(named) <= MOST_NAMED and self.count < self.total else ""


def _sign(place: str, row: pd.Series) -> str:
    share = direction(row["p_direction"], row["ess_bulk"])
    side = "above" if row["median"] > 0 else "below"
    told = f"{place} {side} zero with probability {share}".strip()
    return told if place else f"{told[0].upper()}{told[1:]}"
