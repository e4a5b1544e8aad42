"""The answer from a joint test: is there an effect in any group?"""

from __future__ import annotations

import math

from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.draws.tables import Estimates
from formulajoint.results.joint_tests.bayes_factor.verdict import COSTS, POSITIVE, Verdict
from formulajoint.results.joint_tests.disagreements import DISAGREE as DISAGREEMENT
from formulajoint.results.joint_tests.disagreements import WEAK
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.shares import FEW_DRAWS, NO_CONTOUR
from formulajoint.results.text.figures import classical_text, share_text
from formulajoint.results.text.sentences import Answer, Apart, Subject, side_of_zero
from formulajoint.wording import sentence

GRADES = (
    (0.001, "Yes, beyond reasonable doubt"),
    (0.01, "Yes, by strong evidence"),
    (0.05, "Probably, by moderate evidence"),
)
"""The answer for a contour probability below each limit; the limits are those in use for p-values."""

OPEN = "Not shown by these data"

EDGE = "At the edge of moderate evidence"
"""The answer where the Monte Carlo error of the contour probability leaves open whether it is below the last limit."""

FOR_NONE = "The data favour no effect"

DISAGREE = "The figures disagree"

NOT_ANSWERED = "Not answered here"

ODDS, BY_GRADE = (150, 20, 3), tuple(grade for _, grade in GRADES)
"""Kass & Raftery's limits for very strong, strong and positive evidence, with the answers for these."""

BY_MEAN = "Yes by the weighted mean, not by the joint test"

BY_BANDS = "By simultaneous bands alone, not by the joint test"

AT_EDGE = {
    BY_MEAN: "Yes by the weighted mean, at the edge by the joint test",
    BY_BANDS: "By simultaneous bands, and at the edge by the joint test",
}
"""The same where the joint test is at the edge."""

ERRORS = 2.0
"""Within so many Monte Carlo standard errors of a limit a contour probability is at its edge."""

LEANS, SURE = 0.95, 0.995
"""Shares of a weighted mean's draws on one side of zero: above the first the data are not said to favour no effect,
above the second the mean itself shows one, though a test that looks in every direction does not."""

LARGEST_ODDS = 1e6
"""Larger odds are given as more than these."""

VERDICT = "whether the Bayes factor holds under other priors takes a while: fit.test() tells"
"""What is said where the Bayes factor is of one scale of the prior: others take too long for a printed fit."""

LATER = (
    "the Bayes factor of effects of one kind, which may show more, takes a while: test() and report() have it"
)
"""What is said where the Bayes factor that answers takes too long for a printed fit."""


def any_effect(
    about: Subject, test: JointTest, means: Estimates | None = None, apart: Apart | Missing | None = None
) -> Answer:
    """Return the answer from the joint test that every group's coefficient is zero.

    The contour probability answers where it shows an effect; where it does not, the verdict of the Bayes factor does,
    if that holds whatever the scale of the prior. Neither denies what the weighted mean shows.

    Parameters
    ----------
    about : Subject
    test : JointTest
    means : Estimates, optional
        Of the weighted mean.
    apart : Apart or Missing, optional
        The groups whose simultaneous interval excludes zero.
    """
    leaning, sure = ("" if means is None else side_of(means, share) for share in (LEANS, SURE))
    grade, verdict = by_contour(*_contour(test)), test.verdict
    decided = by_verdict(verdict) if isinstance(verdict, Verdict) else ""
    short, told = (
        grade or decided or _without_either(test),
        [_contour_text(about, test), _factor_text(test)],
    )
    by_bayes = grade in (OPEN, EDGE) and bool(decided)
    if by_bayes:  # the figure that answers stands first
        short, told = decided, told[::-1]
    bands = f"by simultaneous bands {apart.told}" if isinstance(apart, Apart) and apart.count else ""
    if decided == FOR_NONE and (grade in BY_GRADE or leaning or bands):
        short = DISAGREE
        told.append(f"Yet {leaning or bands}." if leaning or bands else "")
    elif short in (OPEN, EDGE, NOT_ANSWERED) and (sure or (bands and short != NOT_ANSWERED)):
        other = BY_MEAN if sure else BY_BANDS
        short = AT_EDGE[other] if short == EDGE else other
        told.append(f"Yet {sure or bands}.")
    later = _later(test) if short not in (*BY_GRADE, NOT_ANSWERED) else ""
    if later:
        told.append(sentence(later))
    elif short == OPEN:
        told.append("This is not evidence of no effect.")
    told += [sentence(note.text) for note in test.notes if note.code in (DISAGREEMENT, WEAK)]
    told += _cautions(test)
    if not grade:
        told.append(_reason(test))
    return Answer(
        asked(about),
        short,
        _with_figures(short, test, by_bayes, later),
        " ".join(part for part in told if part),
    )


def _is_pending(test: JointTest) -> bool:
    """Return whether the verdict of the Bayes factor was left out because it takes a while."""
    return isinstance(test.verdict, Missing) and test.verdict.code == COSTS


def _later(test: JointTest) -> str:
    """Return what `fit.test()` tells beyond a printed fit; empty if that is nothing."""
    if not _is_pending(test):
        return ""
    return LATER if isinstance(test.one_kind, Missing) and test.one_kind.code == COSTS else VERDICT


def _without_either(test: JointTest) -> str:
    """Return the answer without a contour probability and a verdict."""
    if _is_pending(test):
        return NOT_ANSWERED
    depends = isinstance(test.verdict, Verdict)
    return OPEN if depends else by_factor(_factor(test))


def side_of(means: Estimates, share: float) -> str:
    """Return on which side of zero a weighted mean is: ``the weighted mean is above zero with probability 0.98``.

    Empty if it is on neither by more than `share` of its draws.
    """
    known = [(effect.place, row) for effect, row in means.each() if row["p_direction"] > share]
    told = (f"{f'of {place} ' if place else ''}is {side_of_zero('', row).lower()}" for place, row in known)
    return f"the weighted mean {' and that '.join(told)}" if known else ""


def not_tested(about: Subject, groups: int) -> Answer:
    """Return the answer where there are too many groups for a test that nobody asked for."""
    short, how = "Not tested here", f"for {groups} groups the test takes a while: fit.test() runs it"
    return Answer(asked(about), short, f"{short}; {how}", sentence(how))


def asked(about: Subject) -> str:
    """Return the first question."""
    place = f"{about.place}," if about.place else ""
    return f"Is there an effect of {about.words}{place} in any {about.group}?"


def _with_figures(short: str, test: JointTest, by_bayes: bool, later: str) -> str:
    """Return the answer with the figures it rests on: contour probability and Bayes factor, or the classical test.

    That which answers stands first, the Bayes factor if `by_bayes`; `later` says what takes a while.
    """
    shown, factor = share_text(test, "contour"), _factor(test)
    edge = at_edge(*_contour(test))
    near = "" if math.isnan(edge) else f", too near {edge:g} for these draws to tell"
    figures = [f"contour probability {shown}{near}"] if shown else []
    if isinstance(test.verdict, Verdict):
        depends = test.verdict.kind == "depends"
        figures.append("the Bayes factor depends on the prior" if depends else f"log BF10 {factor:.1f}")
    told = ", ".join(figures[::-1] if by_bayes else figures) or classical_text(test)
    line = f"{short} ({told})" if told else short
    if short == NOT_ANSWERED:
        return f"{line}; the test of so many effects takes a while: fit.test() runs it"
    return f"{line}; {later}" if later else line


def by_contour(contour: float, mcse: float) -> str:
    """Return the first grade whose limit is above the contour probability plus its Monte Carlo error.

    Without any draw beyond the null the standard error is itself the bound.
    """
    if math.isnan(contour):
        return ""
    if math.isnan(mcse):
        return "Too few draws to tell"
    beyond = contour + (ERRORS if contour else 1) * mcse
    last, _ = GRADES[-1]
    open_or_edge = EDGE if at_edge(contour, mcse) == last else OPEN
    return next((grade for limit, grade in GRADES if beyond < limit), open_or_edge)


def at_edge(contour: float, mcse: float) -> float:
    """Return the largest limit of a grade that is within the Monte Carlo error of a contour probability, else NaN."""
    near = (limit for limit, _ in GRADES if contour and abs(contour - limit) <= ERRORS * mcse)
    return max(near, default=math.nan)


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
    if math.isnan(factor) or _is_pending(test):
        return ""
    if isinstance(test.verdict, Verdict) and test.verdict.kind == "depends":
        low, high = test.verdict.low, test.verdict.high
        return (
            f"The Bayes factor depends on the scale of the prior: log BF10 is from {low:.2f} to {high:.2f}, "
            "and favours neither side by itself."
        )
    kind, apart = _kind(test)
    odds = float(f"{math.exp(min(abs(factor), 700)):.3g}")
    shown = (
        f"more than {LARGEST_ODDS:,.0f}" if odds > LARGEST_ODDS else f"{odds:,.{0 if odds >= 100 else 1}f}"
    )
    if abs(factor) < POSITIVE:
        return f"The Bayes factor{kind}, {math.exp(factor):.2g}, favours neither side.{apart}"
    if factor > 0:
        return f"By the Bayes factor{kind} the data favour an effect by {shown} to 1.{apart}"
    over = "effects of the size that the prior expects"
    return f"By the Bayes factor{kind} the data favour no effect by {shown} to 1 over {over}.{apart}"


def _kind(test: JointTest) -> tuple[str, str]:
    """Return of which effects the Bayes factor is, and that of the model's own prior where it points elsewhere."""
    if not isinstance(test.one_kind, Against):
        return "", ""
    own = test.bayes_factor.value if isinstance(test.bayes_factor, LogIntegral) else math.nan
    elsewhere = not test.hypothesis.against and own * test.one_kind.value.value < 0
    more = f" For effects that each have the model's own prior log BF10 is {own:.2f}." if elsewhere else ""
    return " of effects of one kind (one for all groups, or all from one distribution)", more


def _cautions(test: JointTest) -> list[str]:
    """Return the test's notes on too few draws for the contour probability."""
    few = (note for note in test.notes if note.code == FEW_DRAWS and "contour" in note.about)
    return [f"Caution: {note.text}." for note in few]


def _reason(test: JointTest) -> str:
    """Return the reason why there is no contour probability, and the classical test."""
    reasons = [f"There is {note.text}." for note in test.notes if note.code == NO_CONTOUR]
    classical = classical_text(test)
    return " ".join(reasons + ([f"The classical test: {classical}."] if classical else []))
