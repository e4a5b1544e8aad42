"""What is wrong with draws is said in words, with what to do; what is right is not mentioned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.api.fit import Fit
from formulajoint.api.model import JointModel
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.results.draws.posterior import Posterior

type MadeUp = Callable[..., Posterior]

ONE = "test_score ~ treatment | school, joint(weights=n)"


def said(posterior: Posterior) -> tuple[str, ...]:
    return Fit(JointModel(posterior.plan), posterior).diagnostics()


def good(chains: int = 4, draws: int = 1000, groups: int = 2) -> NDArray[np.float64]:
    return np.random.default_rng(2).normal(size=(chains, draws, groups))


def test_of_good_draws_nothing_is_said(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    assert said(made_up(ONE, tutoring, draws=2000)) == ()


@pytest.mark.parametrize(
    ("formula", "cure"),
    [
        (ONE, "raise target_accept"),
        ("test_score ~ treatment | school, hierarchy(centered=true)", "raise target_accept (0.99), or give"),
        ("test_score ~ treatment | school, hierarchy(centered=false)", "raise target_accept (0.99), or give"),
        (
            "test_score ~ treatment | school, hierarchy()",
            "raise target_accept (0.99), or write the other form of the hierarchy, "
            "`hierarchy(Intercept, treatment, centered=false)`, or give",
        ),
        (
            "test_score ~ treatment | school, hierarchy(Intercept, centered=true), hierarchy(treatment)",
            "raise target_accept (0.99), or write the other form of the hierarchy, `hierarchy(treatment, centered=false)`, or",
        ),
        (
            "test_score ~ treatment + (1 | school)",
            "raise target_accept (0.99), or write the other form of the hierarchy, "
            "`hierarchy(Intercept, over=school, centered=false)`, or give",
        ),
        (
            "test_score ~ treatment | school, sigma ~ 1 | school, hierarchy(sigma)",
            "raise target_accept (0.99), or write the other form of the hierarchy, `hierarchy(sigma, centered=true)`, or",
        ),
    ],
)
def test_divergences_are_counted_with_the_cure_that_the_model_has(
    made_up: MadeUp, tutoring: pd.DataFrame, formula: str, cure: str
) -> None:
    (sentence,) = said(made_up(formula, tutoring, draws=2000, diverging=7))
    assert sentence.startswith(
        "7 of 8000 draws diverged, so parts of the posterior may be missing: " + cure
    ), sentence


def test_an_engine_that_does_not_know_divergences_has_none(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up(ONE, tutoring, draws=2000, diverging=7)
    del posterior.tree["sample_stats"]
    assert said(posterior) == ()


def test_one_chain_is_not_enough(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    (sentence,) = said(made_up(ONE, tutoring, chains=1, draws=2000))
    assert sentence == "There is one chain only, so r_hat cannot tell whether chains agree: use chains=4."


def test_chains_that_disagree_are_named_by_the_worst(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    apart = good()
    apart[0, :, 1] += 0.5
    sentences = said(made_up(ONE, tutoring, draws=1000, treatment=apart))
    (sentence,) = [s for s in sentences if "r_hat" in s]
    assert "for 1 of 6 parameters (worst: treatment[B], 1.0" in sentence
    assert sentence.endswith("Draw more (tune=2000, draws=2000).")


def test_centring_comes_before_more_draws(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    far = tutoring.assign(treatment=tutoring["treatment"] + 2000)
    apart = good()
    apart[0, :, 1] += 0.5
    sentences = said(made_up(ONE, far, draws=1000, treatment=apart))
    (sentence,) = [s for s in sentences if "r_hat" in s]
    assert sentence.endswith("Write center(treatment), or draw more (tune=2000, draws=2000).")


def test_contrasts_are_judged_too(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    walk = good()[..., 0].cumsum(axis=1)
    sentences = said(made_up(ONE, tutoring, draws=1000, joint_treatment=walk))
    assert any("r_hat" in s and "worst: joint_treatment" in s for s in sentences)


def test_draws_that_repeat_one_another_are_counted_as_fewer(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    few = np.repeat(good(draws=50), 20, axis=1)  # each draw 20 times
    sentences = said(made_up(ONE, tutoring, draws=1000, treatment=few))
    (sentence,) = [s for s in sentences if "effective sample size" in s]
    assert sentence.startswith(
        "The effective sample size is below 400 for 2 of 6 parameters (worst: treatment["
    )
    assert sentence.endswith("intervals are imprecise. Draw more (draws=4000).")


def test_the_tails_count(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    draws = np.sort(good(), axis=1)
    ends = draws[
        :, np.arange(1000) // 2 * np.where(np.arange(1000) % 2, -1, 1) - np.arange(1000) % 2
    ]  # low, high, ..
    shuffled = np.random.default_rng(5).permutation(ends[:, 120:], axis=1)
    tails_first = np.concatenate([ends[:, :120], shuffled], axis=1)
    sentences = said(made_up(ONE, tutoring, draws=1000, treatment=tails_first))
    (sentence,) = [s for s in sentences if "effective sample size" in s]
    assert "for 2 of 6 parameters (worst: treatment[" in sentence


@pytest.mark.parametrize("draws", [1, 3])
def test_draws_too_few_to_judge_are_said_to_be(made_up: MadeUp, tutoring: pd.DataFrame, draws: int) -> None:
    (sentence,) = said(made_up(ONE, tutoring, draws=draws))
    assert sentence == f"{draws} draws a chain are too few to judge them by. Draw more (draws=1000)."


def test_draws_that_share_points_of_the_sds_say_so() -> None:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"y": rng.normal(size=40), "g": np.arange(40) % 8})
    fit = fj.fit("y ~ 1 + (1 | g)", data, seed=1, draws=200)
    assert not fit.draws.named.repeats
    source = fit.draws.source
    assert isinstance(source, NamedDraws)
    few = {**source.statistics, "importance_ess": (("chain",), np.full(4, 49.0))}
    shared = replace(fit.draws, source=replace(source, statistics=few))
    assert "worth 196 independent draws" in " ".join(said(shared))
    assert "sd divided by 14" in " ".join(said(shared))
    assert "196 independent draws of sds and correlations" in shared.drawn_by
