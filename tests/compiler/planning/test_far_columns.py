"""Notes on columns far from zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

RNG = np.random.default_rng(3)
SCHOOL = np.repeat(list("ABCD"), 10)
AGE = np.repeat([-60.0, -20.0, 20.0, 60.0], 10) + np.tile(np.linspace(-1.5, 1.5, 10), 4)
DATA = pd.DataFrame({"age": AGE, "school": SCHOOL, "score": RNG.normal(size=40)})


def found(formula: str, frame: pd.DataFrame) -> list[str]:
    return [note for note in fj.model(formula, frame).plan.notes if "far from zero" in note]


def test_a_column_far_from_zero_within_the_groups_is_named_with_its_moments() -> None:
    (note,) = found("score ~ age | school", DATA)
    sd = np.std(np.linspace(-1.5, 1.5, 10))
    assert note == (
        f"Within each school age is far from zero (mean -60, sd {sd:.4g} in A), so Intercept is an extrapolation: "
        "consider center(age, by=school)."
    )


@pytest.mark.parametrize(
    "formula",
    [
        "score ~ center(age, by=school) | school",  # as advised
        "score ~ 1 + common(age) | school",  # one slope for all
        "score ~ 0 + age | school",  # no intercept to extrapolate
    ],
)
def test_no_note_where_nothing_is_extrapolated(formula: str) -> None:
    assert not found(formula, DATA)


def test_a_column_far_from_zero_over_all_rows_is_named_once() -> None:
    (note,) = found("score ~ age | school", DATA.assign(age=DATA["age"] + 1000))
    assert note.startswith("age is far from zero (mean 1000, ")


def test_most_groups_must_be_far_and_two_codes_never_are() -> None:
    assert not found(
        "score ~ age | school", DATA.assign(age=np.where(SCHOOL == "A", AGE, RNG.normal(size=40)))
    )
    rare = np.tile([*[1] * 9, 0], 4)  # a share of 0.9 is three sds from zero, and of 0.99 ten
    many = pd.concat([DATA.assign(age=1)] * 9 + [DATA.assign(age=rare)])
    assert not found("score ~ age | school", many)


def test_row_weights_count_as_rows() -> None:
    weighted = DATA.assign(w=np.tile([1, 2], 20))
    repeated = DATA.loc[np.repeat(DATA.index, weighted["w"])]
    one, other = found("score ~ age | school, weights(w)", weighted), found("score ~ age | school", repeated)
    assert one == other
    assert one
