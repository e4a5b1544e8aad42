"""Hypotheses about groups known by their labels only."""

from __future__ import annotations

import numpy as np
import pytest

import formulajoint as fj

DRAWS = np.random.default_rng(1).normal(size=(2, 200, 3))


@pytest.mark.parametrize("hypothesis", ["1 == 2", "1 > 2 > 3", "1 - 2 == 3"])
def test_numbers_that_name_groups(hypothesis: str) -> None:
    with pytest.raises(fj.FormulaError) as error:
        fj.joint_test(DRAWS, hypothesis, groups=[1, 2, 3])
    assert "for the groups write `draws[1]`, `draws[2]`" in str(error.value)
    fj.joint_test(DRAWS, "draws[1] == draws[2]", groups=[1, 2, 3])


def test_numbers_that_name_no_group() -> None:
    with pytest.raises(fj.FormulaError, match="has no coefficient"):
        fj.joint_test(DRAWS, "8 == 9", groups=[1, 2, 3])
