"""Levels that look alike get a note, and blanks at an end are seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj


def explained(formula: str, levels: Sequence[str]) -> str:
    data = pd.DataFrame({"y": np.arange(24.0) % 5, "x": np.arange(24.0) % 7, "g": np.resize(levels, 24)})
    return " ".join(fj.model(formula, data).explain().split())


@pytest.mark.parametrize("formula", ["y ~ x | g", "y ~ g", "y ~ x + (1 | g)"])
@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (["a", "a ", "b"], '"a" and "a "'),
        (["no effect", "no  effect"], '"no  effect" and "no effect"'),
        (["A", "\u0410", "\u0391"], r'"A" and "\u0391" and "\u0410"'),
        (["low", "l\u200bow"], r'"low" and "l\u200bow"'),
        (["1", "\uff11"], r'"1" and "\uff11"'),
        (["a", "a\u00a0", "b", "b ", "c", "c ", "d", "d "], '"c" and "c " and 1 more'),
    ],
)
def test_levels_that_look_alike(formula: str, levels: list[str], said: str) -> None:
    text = explained(formula, levels)
    assert "g has levels that look alike" in text
    assert " ".join(said.split()) in text


@pytest.mark.parametrize("levels", [["a", "A"], ["a b", "ab"], ["a.", "a"], ["\u0430", "b"], ["B", "8"]])
def test_levels_that_differ(levels: list[str]) -> None:
    assert "look alike" not in explained("y ~ x | g", levels)


def test_numbers_do_not_look_alike() -> None:
    data = pd.DataFrame(
        {"y": np.arange(24.0) % 5, "x": np.arange(24.0) % 7, "g": np.resize([1, 11, 1111], 24)}
    )
    assert "look alike" not in fj.model("y ~ x | g", data).explain()


def test_outer_blanks_are_seen_in_the_list_of_groups() -> None:
    data = pd.DataFrame({"y": np.arange(24.0) % 5, "x": np.arange(24.0) % 7, "g": np.resize(["a", "a "], 24)})
    assert '2 groups of g (a 12, "a " 12)' in fj.model("y ~ x | g", data).explain()
