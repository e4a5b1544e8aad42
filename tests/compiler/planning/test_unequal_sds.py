"""Notes on groups whose residual sds differ by far."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import formulajoint as fj
from formulajoint.compiler.planning.unequal_sds import _bartlett

RNG = np.random.default_rng(2)
SIZES = np.array([12, 20, 15, 30])
GROUP = np.repeat(list("ABCD"), SIZES)
NOISE = RNG.normal(size=SIZES.sum())
TREATED = RNG.integers(0, 2, SIZES.sum())


def data(*sds: float) -> pd.DataFrame:
    """Return four groups with exactly these residual sds of the regression by group."""
    frame = pd.DataFrame({"school": GROUP, "treated": TREATED, "test": np.where(GROUP < "C", "m", "e")})
    frame["half"] = np.arange(len(frame)) % 2
    y = np.zeros(len(frame))
    for label, sd in zip("ABCD", sds, strict=True):
        own = label == GROUP
        x = np.column_stack([np.ones(own.sum()), TREATED[own]])
        left = NOISE[own] - x @ np.linalg.lstsq(x, NOISE[own])[0]
        y[own] = 50 + 3 * TREATED[own] + left * sd / np.sqrt(left @ left / (own.sum() - 2))
    return frame.assign(score=y)


def found(formula: str, frame: pd.DataFrame) -> list[str]:
    return [note for note in fj.model(formula, frame).plan.notes if "residual sds differ" in note]


START = "The residual sds differ by school, 1 in C, 20 in B (Bartlett's p < 0.001), "


@pytest.mark.parametrize(
    ("clauses", "rest"),
    [
        ("", "but one sigma is shared by all. Write sigma ~ 1 | school."),
        (
            ", hierarchy(treated), joint(treated)",
            "but one sigma is shared by all. Write sigma ~ 1 | school; where tests or units differ, "
            "joint(treated, scale=sigma) and hierarchy(treated, scale=sigma), too.",
        ),
        (
            ", sigma ~ 1 | school, joint(treated), rms(treated)",
            "and joint_treated and rms_treated are in the response's own units. Where tests or units "
            "differ, write joint(treated, scale=sigma) and rms(treated, scale=sigma).",
        ),
        (
            ", sigma ~ 1 | test, joint(treated)",
            "and joint_treated is in the response's own units. Where tests or units differ, "
            "write joint(treated, scale=sigma).",
        ),
        (
            ", sigma ~ 1 | half, joint(treated)",
            "and joint_treated is in the response's own units. Where tests or units differ, "
            "write standardize(score, by=half) as the response.",
        ),
        (
            ", sigma ~ 1 | school, hierarchy(), joint(treated, scale=sigma)",
            "and hierarchy(treated) is in the response's own units. Where tests or units differ, "
            "write hierarchy(treated, scale=sigma).",
        ),
        (
            ", sigma ~ 1 | test, hierarchy(sigma), joint(treated)",
            "and joint_treated and hierarchy(sigma) are in the response's own units. Where tests or units differ, "
            "write standardize(score, by=test) as the response.",
        ),
    ],
)
def test_the_two_extreme_groups_and_what_to_write(clauses: str, rest: str) -> None:
    assert found(f"score ~ treated | school{clauses}", data(3, 20, 1, 3)) == [START + rest]


@pytest.mark.parametrize(
    ("clauses", "sds"),
    [
        (", joint(treated)", (3, 3, 3, 3)),
        (", joint(treated)", (4.9, 1, 2, 3)),
        (", sigma ~ 1 | school", (3, 20, 1, 3)),
        (", sigma ~ 1 | school, joint(treated, scale=sigma)", (3, 20, 1, 3)),
        (", sigma ~ 1 | school, joint(Intercept)", (3, 20, 1, 3)),
        (", sigma ~ 1 | school, hierarchy(treated, scale=sigma)", (3, 20, 1, 3)),
        (", sigma ~ 1 | school, hierarchy(Intercept)", (3, 20, 1, 3)),
        (", se(known), joint(treated)", (3, 20, 1, 3)),
        (", prior(sigma ~ constant(5))", (3, 20, 1, 3)),
    ],
)
def test_nothing_where_all_is_well(clauses: str, sds: tuple[float, ...]) -> None:
    assert found(f"score ~ treated | school{clauses}", data(*sds).assign(known=2.0)) == []


@pytest.mark.parametrize(
    ("formula", "rest"),
    [
        (
            "score ~ treated + common(half) | school, sigma ~ 1 | school, joint(treated, scale=sigma)",
            "and common(half) is in the response's own units. Where tests or units differ, write "
            "standardize(score, by=school) as the response.",
        ),
        (
            "score ~ treated + common(half) | school, joint(treated)",
            "but one sigma is shared by all. Write sigma ~ 1 | school; where tests or units differ, "
            "standardize(score, by=school) as the response instead.",
        ),
        (
            "score ~ half, sigma ~ 1 | school",
            "and half is in the response's own units. Where tests or units differ, write "
            "standardize(score, by=school) as the response.",
        ),
    ],
)
def test_what_all_groups_share_is_in_points(formula: str, rest: str) -> None:
    (note,) = found(formula, data(3, 20, 1, 3))
    assert note.startswith("The residual sds differ by school, ")
    assert note.endswith(f" in B (Bartlett's p < 0.001), {rest}")


def test_groups_are_written_as_a_formula_does() -> None:
    frame = data(3, 20, 1, 3).rename(columns={"school": "School ID"})
    (note,) = found("score ~ treated | `School ID`", frame)
    assert note.endswith("Write sigma ~ 1 | `School ID`.")
    fj.model("score ~ treated | `School ID`, sigma ~ 1 | `School ID`", frame)


def test_fivefold_by_chance_in_small_groups_is_nothing() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"school": np.repeat(np.arange(40), 4).astype(str), "y": rng.normal(size=160)})
    sds = frame.groupby("school")["y"].std()
    assert sds.max() > 5 * sds.min()
    assert found("y ~ 1 | school", frame) == []


def test_a_perfect_fit_is_left_out() -> None:
    frame = data(3, 3, 3, 3)
    own = frame["school"] == "A"
    frame.loc[own, "score"] = 40.0 + frame.loc[own, "treated"]
    assert found("score ~ treated | school", frame) == []


@pytest.mark.parametrize("scale", [1.0, 2.0, 4.0])
def test_bartletts_statistic(scale: float) -> None:
    rng = np.random.default_rng(2)
    samples = [rng.normal(size=n) * s for n, s in zip((8, 12, 30), (1.0, 1.0, scale), strict=True)]
    score = _bartlett(
        np.array([np.var(x, ddof=1) for x in samples]), np.array([len(x) - 1.0 for x in samples])
    )
    expected = scipy.stats.norm.isf(scipy.stats.bartlett(*samples).pvalue)
    assert score == pytest.approx(expected, abs=0.1, rel=0.1)  # the score is by a cube root


@pytest.mark.parametrize("family", ["student", "laplace", "skew_normal"])
def test_bartletts_test_is_for_normal_residuals(family: str) -> None:
    """Of a Student response a few values far outside are no reason for a residual sd of their own."""
    frame = data(3, 20, 1, 3)
    assert found("score ~ treated | school", frame)
    assert not found(f"score ~ treated | school, family({family})", frame)
