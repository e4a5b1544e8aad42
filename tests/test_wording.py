"""Characters that do not show are escapes where they are printed; labels that are cut stay different."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import formulajoint as fj
from formulajoint.wording import counted, shortened, visible

HOSTILE = ["\x1b]0;owned\x07\x1b[2J", "\u202eabc", "b\tc", "a\u200b", "a\u00a0b", "\x85", "\u2028"]


@pytest.mark.parametrize("text", ["größe 身高", "e\u0301", "😀", "a\nb", ""])
def test_what_shows_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", [*HOSTILE, "\ud800"])
def test_what_does_not_show_is_an_escape(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(text).encode().decode("unicode-escape") == text


def shown(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_and_names_are_escaped_where_they_are_printed(label: str) -> None:
    """In tables columns stay under their heads; the data and JSON keep the text as it is."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"y": rng.normal(size=12), "x": rng.normal(size=12), "g": [label, "b"] * 6}, dtype=object
    )
    frame = frame.astype({"y": float, "x": float}).rename(columns={"x": label})
    model = fj.model(f"y ~ `{label}` | g, joint(), pairwise()", frame)
    fit = model.fit(draws=50, chains=2, seed=1, engine="exact")
    for text in (model.explain(), model.explain("latex"), str(fit)):
        assert shown(text)
    assert visible(label) in str(fit)
    lines = str(fit).split("\n")
    head = next(i for i, line in enumerate(lines) if line.startswith("parameter "))
    column = lines[head].index("mean")
    rows = lines[head + 2 : head + 6]
    assert all(line[column - 1] == " " != line[column] for line in rows)
    assert model.record()["groups"]["labels"] == sorted([label, "b"])


@pytest.mark.parametrize("label", HOSTILE)
def test_errors_are_escaped_and_their_carets_stay_in_place(label: str) -> None:
    frame = pd.DataFrame({"y": [1.0, 2], label: [1.0, 2]})
    with pytest.raises(fj.FormulaError) as caught:
        fj.model(f"y ~ `{label}` + z", frame)
    text = str(caught.value)
    assert shown(text)
    line, carets = text.split("\n")[2:4]
    assert line[carets.index("^")] == "z"
    with pytest.raises(fj.DataError, match="4 in all 2 rows") as wrong:
        fj.model(f"y ~ `{label}`", frame.assign(**{label: 4.0}))
    assert shown(str(wrong.value))


# --- labels and counts


ARMS = [
    "phonics intervention with weekly coaching, online",
    "phonics intervention with weekly coaching, in person",
]


def test_of_long_labels_both_ends_are_kept() -> None:
    for longest in (16, 24, 32):
        first, second = shortened(ARMS, longest)
        assert first.startswith("phonics")
        assert first.endswith("online")
        assert second.endswith("person")
        assert max(len(first), len(second)) <= longest


def test_a_difference_in_the_middle_is_shown() -> None:
    labels = [
        f"the intervention of {year} with weekly coaching in every school" for year in (2019, 2020, 2021)
    ]
    short = shortened(labels, 24)
    assert [year in text for year, text in zip(("2019", "2020", "2021"), short, strict=True)] == [True] * 3
    assert max(map(len, short)) <= 24


@given(st.lists(st.text(alphabet="ab", min_size=1, max_size=40), min_size=1, max_size=8), st.integers(6, 30))
def test_labels_that_differ_stay_different(labels: list[str], longest: int) -> None:
    short = shortened(labels, longest)
    assert len(set(short)) == len(set(labels))
    assert [text for text, label in zip(short, labels, strict=True) if len(label) <= longest] == [
        label for label in labels if len(label) <= longest
    ] or short == labels


@pytest.mark.parametrize(
    ("count", "name", "expected"),
    [
        (60, "school", "60 schools"),
        (1, "school", "1 school"),
        (3, "class", "3 classes"),
        (3, "study", "3 studies"),
        (3, "a:b", "3 groups of a:b"),
        (3, "school_id", "3 groups of school_id"),
    ],
)
def test_groups_are_counted_in_their_own_word(count: int, name: str, expected: str) -> None:
    assert counted(count, name) == expected


def test_what_is_kept_of_a_long_label_begins_with_a_word() -> None:
    name = "phonics intervention with weekly coaching, online - control"
    assert shortened([name], 40) == ["phonics intervention…online - control"]
