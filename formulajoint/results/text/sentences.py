"""The sentences that answer the question: is there an effect in any group, how large is it over all, how sure is that?

No sentence claims more than the figure it rests on. A share of draws is given as a bound where the number of draws
supports no more; for a figure that is not defined the reason is given; "not shown" is never "none".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from formulajoint.remarks import Missing
from formulajoint.results.draws.tables import Estimates
from formulajoint.results.text.figures import centre, direction, numbers
from formulajoint.results.text.ratios import ratio_text
from formulajoint.wording import sentence, shortened

HOW_SURE = "How sure is that?"

CANNOT_TELL = "the effect cannot be told from zero"

MOST_NAMED = 3
"""An answer names at most this many levels of a factor."""

LONGEST = 40
"""Longest name of a level in a short answer, in characters; of longer ones both ends are kept."""


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
    ratio : str
        What the exponential of an effect is: ``odds ratio``; empty if it has no name.
    """

    term: str
    words: str
    group: str
    prob: float
    unit: str
    place: str = ""
    means: str = ""
    ratio: str = ""


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
    factors = [ratio_text(row) for _, row in rows.each()] if about.ratio else []
    each = ", ".join(f"{level} {factor}".strip() for level, factor in zip(named, factors, strict=False))
    ratio = f"; {about.ratio} {each}" if each else ""
    line += ratio
    more = f" Further levels, {rest}, are in the table." if rest > 0 else ""
    text = f"{about.prob:.0%} HDI {intervals}{ratio}. It is the {meaning}. {_range(about, groups)}{more}"
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
    signs = [side_of_zero(place, row) for place, row in each if not math.isnan(row["p_direction"])]
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
                f"none of the {self.total} effects can be told from zero by itself"
                if self.total > 1
                else CANNOT_TELL
            )
        sides = [
            f"{side} zero in {len(groups)}"
            for side, groups in (("above", self.above), ("below", self.below))
            if groups
        ]
        if self.total == 1:
            return f"the effect is {'above' if self.above else 'below'} zero"
        return f"the effect is {' and '.join(sides)} of {self.total}{self.names}"

    @property
    def names(self) -> str:
        """Their names in parentheses, if they are few and not all."""
        named = (*self.above, *self.below)
        comma = "; " if any("," in name for name in named) else ", "
        return f" ({comma.join(named)})" if 0 < len(named) <= MOST_NAMED and self.count < self.total else ""


def side_of_zero(place: str, row: pd.Series) -> str:
    """Return on which side of zero a mean is: ``Above zero with probability 0.98``, with its level where it has one."""
    share = direction(row["p_direction"], row["ess_bulk"])
    side = "above" if row["median"] > 0 else "below"
    told = f"{place} {side} zero with probability {share}".strip()
    return told if place else f"{told[0].upper()}{told[1:]}"
