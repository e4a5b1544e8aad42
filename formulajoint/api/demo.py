"""The question this package began with, answered three ways on its ten rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from formulajoint.api.datasets import tutoring
from formulajoint.api.fit import Fit
from formulajoint.api.verbs import fit


@dataclass(frozen=True, slots=True)
class Chapter:
    """One formula of the demo, its title, and a function that returns a sentence on its result."""

    title: str
    formula: str
    reading: Callable[[Fit], str]


def _row(fit: Fit, name: str) -> tuple[float, float, float]:
    table = fit.contrasts() if name in fit.contrasts().index else fit.summary()
    mean, low, high = table.loc[[name], ["mean", "hdi_low", "hdi_high"]].to_numpy(float)[0]
    return mean, low, high


def _span(low: float, high: float) -> str:
    return f"{low:.1f} to {high:.1f}"


def _read_not_pooled(fit: Fit) -> str:
    mean, low, high = _row(fit, "joint_treatment")
    a, b = (_row(fit, f"treatment[{school}]")[0] for school in "AB")
    odds = math.exp(fit.test()["log_bf10"].loc["treatment == 0"])
    return (
        f"Is there an effect in any school? The data favour an effect by {odds:,.0f} to 1. How large is it? "
        f"Tutoring adds {a:.0f} points in school A and {b:.0f} in school B; over the pupils of both, "
        f"{mean:.1f} ({_span(low, high)})."
    )


def _read_hierarchy(fit: Fit) -> str:
    mean, low, high = _row(fit, "treatment_mean")
    joint, joint_low, joint_high = _row(fit, "joint_treatment")
    includes = "includes" if low < 0 < high else "excludes"
    return (
        f"The hierarchy's mean, {mean:.1f} ({_span(low, high)}), is about a next school and {includes} zero; "
        f"the joint contrast, {joint:.1f} ({_span(joint_low, joint_high)}), is about these two."
    )


def _read_standardised(fit: Fit) -> str:
    mean, low, high = _row(fit, "joint_treatment")
    return (
        f"If the schools gave different tests, points cannot be averaged: in residual sds of each school's own test "
        f"the effect over both is {mean:.1f} ({_span(low, high)})."
    )


CHAPTERS = (
    Chapter(
        "Each school by itself: is there an effect in any, and how large is it over both, weighted by pupils?",
        "test_score ~ treatment | school, joint(weights=n)",
        _read_not_pooled,
    ),
    Chapter(
        "The same with a Cauchy hierarchy, whose mean answers another question",
        "test_score ~ treatment | school, hierarchy(treatment, dist=cauchy), "
        "prior(treatment.mean ~ cauchy(0, 10), treatment.sd ~ constant(10), "
        "Intercept ~ normal(0, 100), sigma ~ half_cauchy(10)), joint(weights=n)",
        _read_hierarchy,
    ),
    Chapter(
        "Two different tests, each with a residual sd of its own",
        "test_score ~ treatment | school, sigma ~ 1 | school, joint(weights=n, scale=sigma)",
        _read_standardised,
    ),
)


def demo(show: Callable[[str], None], seed: int = 1, progress: bool = True) -> None:
    """Fit the three models of the question and show each with a sentence on its result.

    Parameters
    ----------
    show : callable
        Receives each piece of text, such as ``print``.
    seed : int
    progress : bool
        Whether to show progress bars.
    """
    data = tutoring()
    show(
        "Ten pupils of two schools, some of them tutored. Is there an effect, and how large over both schools?\n"
    )
    show(data.to_string(index=False))
    for number, chapter in enumerate(CHAPTERS, start=1):
        heading = f"{number}. {chapter.title}"
        show(f"\n{heading}\n{'=' * len(heading)}\n")
        result = fit(chapter.formula, data, seed=seed, progress=progress)
        show(f"{result}\n\n=> {chapter.reading(result)}")
