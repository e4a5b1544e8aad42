"""The answers of a fit, and what to distrust first: what the first lines say is what the tables have."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj


def schools(count: int = 4, pupils: int = 12, untreated: str = "") -> pd.DataFrame:
    rng = np.random.default_rng(5)
    school = np.repeat([f"S{number}" for number in range(count)], pupils)
    treated = np.tile([0, 1], count * pupils // 2) * (school != untreated)
    frame = pd.DataFrame({"school": school, "treated": treated, "pre": rng.normal(50, 10, len(school))})
    frame["arm"] = np.array(["app", "control", "tutor"])[np.arange(len(school)) % 3]
    frame["sex"] = np.array(["f", "m"])[np.arange(len(school)) // 2 % 2]
    return frame.assign(score=8 * (6 + 0.5 * treated + rng.normal(size=len(school))))


def first_lines(fit: fj.Fit) -> list[str]:
    top, _, _ = str(fit).partition("\n\n")
    return re.sub("\n +", " ", top).splitlines()


def test_the_first_lines_are_the_answers_with_the_figures_of_the_tables() -> None:
    fit = fj.fit("score ~ treated | school, joint(treated)", schools(), seed=1)
    any_effect, how_large, how_sure = first_lines(fit)
    row = fit.contrasts().loc["joint_treated"]
    assert any_effect.startswith("Is there an effect of treated in any school? ")
    assert how_large.startswith(
        f"How large is it over all of them? {row['mean']:.2f} points of score, 95% HDI ("
    )
    assert f"with probability {row['p_direction']:.3f}; judged together" in how_sure
    bands = fit.bands()
    apart = int(((bands["low"] > 0) | (bands["high"] < 0)).sum())
    assert f"zero in {apart or 'none'} of 4" in how_sure


def test_the_same_answers_stand_everywhere() -> None:
    fit = fj.fit("score ~ treated | school, joint(treated)", schools(untreated="S2"), seed=1)
    record = fit.record()
    printed, html = first_lines(fit), fit._repr_html_()
    assert [f"warning: {caution}" for caution in record["cautions"]] == printed[:1]
    assert [f"{answer['question']} {answer['line']}." for answer in record["answers"]] == printed[1:]
    for answer in record["answers"]:
        assert f"<strong>{answer['line'].replace('>', '&gt;')}.</strong>" in html


def test_a_school_without_variation_stands_first() -> None:
    fit = fj.fit("score ~ treated | school, joint(treated)", schools(untreated="S2"), seed=1)
    assert first_lines(fit)[0] == (
        "warning: treated does not vary in school S2: its effect is its prior; 25% of joint_treated rests on that."
    )
    named = schools(untreated="S2").assign(school=lambda frame: "School " + frame["school"])
    named_fit = fj.fit("score ~ treated | school", named, seed=1)
    assert (
        first_lines(named_fit)[0] == "warning: treated does not vary in School S2: its effect is its prior."
    )
    pooled = fj.fit(
        "score ~ treated | school, hierarchy(treated), joint(treated)", schools(untreated="S2"), seed=1
    )
    assert not pooled.record()["cautions"], "a hierarchy tells of the school"
    assert not fj.fit("score ~ treated | school", schools(), seed=1).record()["cautions"]


def test_groups_whose_units_differ_stand_first_and_are_told_once() -> None:
    frame = schools()
    frame["score"] *= np.where(frame["school"] == "S0", 100, 1)
    fit = fj.fit("score ~ treated | school, joint(treated)", frame, seed=1)
    first = first_lines(fit)[0]
    assert first.startswith("warning: The residual sds differ by school, ")
    assert (
        str(fit).count("The residual sds differ") == fit._repr_html_().count("The residual sds differ") == 1
    )
    scaled = "score ~ treated | school, sigma ~ 1 | school, joint(treated, scale=sigma)"
    assert not fj.fit(scaled, frame, seed=1).record()["cautions"]


def test_columns_that_follow_from_others_are_no_findings_either() -> None:
    frame = schools().assign(twice=lambda d: 2 * d["treated"] + (d["school"] != "S1") * d["pre"])
    (caution,) = fj.fit("score ~ treated + twice | school, joint(treated)", frame, seed=1).record()[
        "cautions"
    ]
    assert caution == (
        "The data of school S1 do not determine the effect of treated: the data tell its effect and other "
        "coefficients only together, and the priors divide them; 25% of joint_treated rests on that."
    )


def test_an_effect_that_the_intercept_shares_is_not_said_to_be_its_prior() -> None:
    """All of a school are treated: the data tell the sum of intercept and effect, which variances of priors divide."""
    frame = schools().assign(treated=lambda d: np.where(d["school"] == "S2", 1, d["treated"]))
    frame["score"] += np.where(frame["school"] == "S2", 60, 0)
    fit = fj.fit("score ~ treated | school, joint(treated)", frame, seed=1)
    assert fit.record()["cautions"] == [
        "treated does not vary in school S2: the data tell its effect and other coefficients only together, and the "
        "priors divide them; 25% of joint_treated rests on that."
    ]
    effect = fit.summary().loc["treated[S2]"]
    scale = 2.5 * frame["score"].std()
    slope = (scale / 0.5) ** 2  # in units of half the distance of 0 and 1
    intercept = scale**2 + slope * frame["treated"].mean() ** 2
    beyond = frame["score"][frame["school"] == "S2"].mean() - frame["score"].mean()
    assert effect["mean"] == pytest.approx(
        beyond * slope / (slope + intercept), abs=3 * effect["sd"] / 4000**0.5
    )


def test_a_default_prior_that_holds_an_effect_back_stands_first() -> None:
    frame = schools(8)
    within = np.where(frame["school"] == "S3", 0.01, 1.0)
    frame["x"] = within * np.random.default_rng(1).normal(size=len(frame))
    frame["score"] = frame["x"] * np.where(frame["school"] == "S3", 5000, 1) + frame["score"]
    cautions = fj.fit("score ~ x | school, joint(x)", frame, seed=1).record()["cautions"]
    assert any(
        caution
        == "The default prior holds the effect of x in school S3 far from least squares: see the note."
        for caution in cautions
    )


def test_what_was_not_asked_is_not_answered() -> None:
    for formula in ("score ~ treated", "score ~ 1 | school"):
        fit = fj.fit(formula, schools(), seed=1)
        assert fit.record()["answers"] == []
        assert str(fit).startswith(formula)
    (_, how_large, _) = first_lines(fj.fit("score ~ treated | school", schools(), seed=1))
    assert how_large.endswith("points of score; for a mean write joint(treated).")


def test_the_answers_are_about_the_slope_that_was_asked_about() -> None:
    data = schools()
    for clause in ("contrast(pre[S1] - pre[S2])", "test(pre[S1] == pre[S2])", "pairwise(pre)", "joint(pre)"):
        fit = fj.fit(f"score ~ treated + pre | school, {clause}", data, seed=1, draws=200)
        assert first_lines(fit)[0].startswith("Is there an effect of pre in any school?"), clause


def test_an_effect_beside_an_interaction_says_where_it_is() -> None:
    fit = fj.fit("score ~ treated * sex | school, joint(treated)", schools(), seed=1, draws=500)
    assert first_lines(fit)[0].startswith("Is there an effect of treated, where sex is f, in any school?")


@pytest.mark.parametrize(
    ("formula", "unit"),
    [
        ("score ~ treated | school, joint()", "points of score"),
        ("score ~ pre | school, joint()", "points of score per unit of pre"),
        ("score ~ standardize(pre) | school, joint()", "points of score per sd of pre"),
        ("score ~ center(pre) | school, joint()", "points of score per unit of pre"),
        ("standardize(score) ~ treated | school, joint()", "sds of score"),
        ("log(score) ~ treated | school, joint()", "points of log(score)"),
        ("score ~ treated | school, joint(scale=sigma)", "residual sds of score"),
        ("score ~ treated | school, joint(scale=sd)", "sds of score within each school"),
        ("score ~ pre | school, joint(scale=10)", "times 10 points of score per unit of pre"),
        ("score ~ treated:pre | school, joint()", "points of score per unit of treated and unit of pre"),
    ],
)
def test_the_size_has_its_unit(formula: str, unit: str) -> None:
    fit = fj.fit(formula, schools(), seed=1, draws=100, tune=100, progress=False)
    assert f" {unit}, 95% HDI (" in re.sub("\n +", " ", str(fit))


def test_of_too_many_groups_only_the_mean_is_judged() -> None:
    fit = fj.fit("score ~ treated | school, joint(treated)", schools(1100, pupils=4), seed=1, draws=50)
    any_effect, _, how_sure = first_lines(fit)[-3:]
    assert any_effect.endswith(
        "any school? Not tested here; for 1100 groups the test takes a while: fit.test() runs it."
    )
    assert "judged" not in how_sure
