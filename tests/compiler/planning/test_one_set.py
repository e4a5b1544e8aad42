"""A note where groups of several columns are pooled as one set."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj


@pytest.fixture
def nested() -> pd.DataFrame:
    rng = np.random.default_rng(16)
    rows = [(f"d{i}", f"s{j}") for i in range(3) for j in range(4) for _ in range(3)]
    data = pd.DataFrame(rows, columns=["district", "school"])
    return data.assign(y=rng.normal(size=len(data)), x=rng.normal(size=len(data)))


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("y ~ 1 | district/school, hierarchy()", True),
        ("y ~ x | district/school, hierarchy(x)", True),
        ("y ~ 1 | district:school, hierarchy()", True),
        ("y ~ 1 | district/school", False),
        ("y ~ 1 | district, hierarchy()", False),
    ],
)
def test_nested_groups_under_a_hierarchy_are_noted(nested: pd.DataFrame, formula: str, said: bool) -> None:
    model = fj.model(formula, nested)
    notes = [note for note in model.plan.notes if "pooled as one set" in note]
    assert len(notes) == said
    if said:
        assert "The 12 groups of district and school" in notes[0]
        fj.model(f"y ~ 1 {notes[0].split('`')[1]}", nested)  # what it proposes is a formula
