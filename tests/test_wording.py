"""What does not show, and would change how a terminal shows the rest, is an escape in errors and in printed text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.wording import visible

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
