"""A note on averages in residual sds that rest on few rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj


def data(*sizes: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    school = np.repeat([f"s{i}" for i in range(len(sizes))], sizes)
    treated = np.concatenate([np.arange(size) % 2 for size in sizes])
    test = np.repeat(["maths" if i % 2 else "english" for i in range(len(sizes))], sizes)
    score = rng.normal(size=len(school)) + 0.3 * treated
    return pd.DataFrame({"score": score, "treated": treated, "school": school, "test": test})


def found(formula: str, frame: pd.DataFrame) -> list[str]:
    return [note for note in fj.model(formula, frame).plan.notes if "degrees of freedom" in note]


IN_SDS = "score ~ treated | school, sigma ~ 1 | school, joint(scale=sigma)"


def test_small_groups_and_their_weight_are_named() -> None:
    (note,) = found(IN_SDS, data(9, 40, 9, 6, 8))
    assert note.startswith(
        "In joint_treated groups whose residual sd has fewer than 8 degrees of freedom, s0, s2, s3 and s4, carry 44% "
        "of the weight"
    )
    assert "hierarchy(treated, scale=sigma), or let" in note


def test_the_model_that_the_note_advises_has_no_such_note() -> None:
    frame = data(9, 40, 9, 6, 8)
    assert not found(IN_SDS + ", hierarchy(treated, scale=sigma)", frame)
    assert not found("score ~ treated | school, sigma ~ 1 | test, joint(scale=sigma)", frame)


@pytest.mark.parametrize(
    ("formula", "sizes"),
    [
        (IN_SDS, (10, 40, 10, 12)),  # 8 degrees of freedom
        (IN_SDS, (9, 40, 40)),  # a tenth of the weight
        (IN_SDS.replace("scale=sigma", "weights=n"), (9, 9, 9)),  # in points
        ("score ~ treated | school, joint(scale=sigma)", (9, 9, 9)),  # one sigma for all
        (
            IN_SDS.replace("joint(", "joint(weights={s0: 0, s1: 1, s2: 0}, "),
            (9, 40, 9),
        ),  # small groups have no weight
    ],
)
def test_an_average_that_rests_on_enough_has_no_note(formula: str, sizes: tuple[int, ...]) -> None:
    assert not found(formula, data(*sizes))


def test_the_rank_counts_and_not_the_number_of_columns() -> None:
    frame = data(10, 10, 10).assign(treated=[*[0, 1] * 5, *[1] * 10, *[0, 1] * 5])  # s1: 9 degrees of freedom
    extra = frame.assign(age=np.tile(np.arange(10.0), 3))
    (note,) = found("score ~ treated + age | school, sigma ~ 1 | school, joint(treated, scale=sigma)", extra)
    assert "s0 and s2, carry 67%" in note
