"""Which effects have their exponential beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj


def test_a_difference_of_two_levels_has_the_ratio_of_the_pair_and_other_arithmetic_none() -> None:
    data = pd.DataFrame(
        {"hit": np.arange(60) % 5 % 2, "f": ["high", "low", "mid"] * 20, "x": np.cos(np.arange(60))}
    )
    asked = {
        "pair": "f[low] - f[mid]",
        "reference": "f[low] - f[high]",
        "double": "2 * f[low] - f[mid]",
        "sum": "f[low] + f[mid]",
        "slopes": "x - f[low]",
    }
    clauses = ", ".join(f"contrast({text}, name={name})" for name, text in asked.items())
    fit = fj.fit(f"hit ~ f + x, family(bernoulli), pairwise(f), {clauses}", data, seed=1, draws=50)
    found = fit.contrasts()["odds_ratio"]
    assert found["pair"] == pytest.approx(found["pairwise_f[low - mid]"])
    exact = np.exp(fit.contrast("contrast(f[low])")["mean"].item())
    assert found["reference"] == pytest.approx(exact)
    assert found[["double", "sum", "slopes"]].isna().all()


def test_a_table_without_such_effects_has_no_columns_of_ratios() -> None:
    data = pd.DataFrame({"hit": np.arange(60) % 5 % 2, "x": np.cos(np.arange(60)), "g": ["a", "b", "c"] * 20})
    text = "hit ~ x + (1 + x | g), family(bernoulli)"
    fit = fj.fit(
        f"{text}, joint(x, over=g, scale=response), test(x == 0, over=g, scale=response)",
        data,
        seed=1,
        draws=50,
    )
    assert "odds_ratio" not in fit.contrasts()
    assert "odds_ratio" in fit.summary()
    assert "odds_ratio" in fit.contrast("joint(x, over=g)")
    printed = str(fit)
    assert printed.count("odds ratio ") == 1  # the column of the parameters
    assert "x == 0 in every g, scale=response" in printed
