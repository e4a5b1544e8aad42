"""Labels of the quantities of a test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.over import plan_over
from formulajoint.results.joint_tests.quantities import coefficient_labels


@pytest.mark.parametrize(
    ("formula", "factor", "labels"),
    [
        ("y ~ x + (0 + x | a)", "a", ["x[s]", "x[t]"]),
        ("y ~ x + (0 + x | a) + (1 | b)", "a", ["x[a=s]", "x[a=t]"]),
        ("y ~ x | a", "", ["x[s]", "x[t]"]),
        ("y ~ 0 + x + (1 | b) | a", "", ["x[a=s]", "x[a=t]"]),
    ],
)
def test_labels_name_the_factor_where_there_are_several(formula: str, factor: str, labels: list[str]) -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"y": rng.normal(size=24), "x": rng.normal(size=24), "a": list("st") * 12})
    design = plan_over(fj.model(formula, data.assign(b=list("uvw") * 8)).plan, factor).design
    assert [label for label in coefficient_labels(design) if label.startswith("x[")] == labels
