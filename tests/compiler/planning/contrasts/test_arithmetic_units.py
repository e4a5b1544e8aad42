"""Arithmetic that adds residual sds to units of the response is refused, with what to write instead."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

POOLED = "y ~ x | school, hierarchy(x, scale=sigma)"
EACH, BY_TEST = f"{POOLED}, sigma ~ 1 | school", f"{POOLED}, sigma ~ 1 | test"


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    school = np.repeat(["A", "B", "New York"], 8)
    return pd.DataFrame(
        {
            "school": school,
            "test": np.where(school == "A", "maths", "English, oral"),
            "x": np.tile([0, 1], 12),
            "arm": np.tile(list("abcc"), 6),
            "y": rng.normal(5, 2, 24),
        }
    )


@pytest.mark.parametrize(
    ("model", "contrast", "instead"),
    [
        (EACH, "«x[A] - x.mean»", "x[A] / sigma[A] - x.mean"),
        (EACH, "«x - x.mean»", "x / sigma - x.mean"),
        (EACH, "x.mean / 2 + 2 * («x.mean - x['New York']»)", 'x.mean - x["New York"] / sigma["New York"]'),
        (
            EACH,
            "«(x[A] + x[B]) / 2 - x.mean»",
            "(x[A] / sigma[A] + x[B] / sigma[B]) / 2 - x.mean",
        ),
        (EACH, "(«x[A] + x.sd»)^2", "x[A] / sigma[A] + x.sd"),
        (BY_TEST, "«x[A] - x.mean»", "x[A] / sigma[maths] - x.mean"),
        (BY_TEST, "«-x[B] + x.mean»", '-(x[B] / sigma["English, oral"]) + x.mean'),
        (POOLED, "«x[A] - x.mean»", "x[A] / sigma - x.mean"),
        (POOLED, "«x - x.mean»", "x / sigma - x.mean"),
    ],
)
def test_sums_of_two_units_are_refused_and_the_hint_is_in_one(
    model: str, contrast: str, instead: str
) -> None:
    start, end = contrast.index("«"), contrast.index("»") - 1
    text = f"{model}, contrast({contrast.replace('«', '').replace('»', '')})"
    with pytest.raises(fj.FormulaError, match="is in residual sds, but") as caught:
        fj.model(text, frame())
    assert caught.value.hint is not None
    found = re.match(r"write `(.*)`, which is in residual sds", caught.value.hint)
    assert found is not None
    assert found[1] == instead
    assert caught.value.span.start == len(f"{model}, contrast(") + start
    assert caught.value.span.end == len(f"{model}, contrast(") + end
    fj.model(f"{model}, contrast({instead})", frame())


@pytest.mark.parametrize(
    "contrast", ["x - x.mean", "sigma[maths] - x.mean", "x[A] / sigma[maths]^2 + x.mean"]
)
def test_what_no_name_divides_is_refused_with_advice(contrast: str) -> None:
    with pytest.raises(
        fj.FormulaError, match="divide the effect of one group by the residual sd of its rows"
    ):
        fj.model(f"{BY_TEST}, contrast({contrast})", frame())


@pytest.mark.parametrize(
    "formula",
    [
        f"{EACH}, contrast(x[A] / sigma[A] - x.mean, x.mean * sigma[A] - x[A], x.mean / 2 + 1, x.mean^2 - x.sd^2)",
        f"{EACH}, contrast(x[A] - x[B], x[A] / x[B] - x.mean, x - 1, 2^x.mean - x.mean)",
        f"{EACH}, contrast((x[A] / sigma[A])^2 - x.mean, x.mean + 1 / sigma[A] * x[A])",
        "y ~ x | school, hierarchy(x), sigma ~ 1 | school, contrast(x[A] - x.mean, x[A]^2 - x[B])",
        "y ~ arm | school, hierarchy(arm, scale=sigma), contrast(arm.mean[c] - arm.mean[b])",
        "y ~ x | school, hierarchy(x, scale=sigma), family(student), contrast(x.mean - nu)",
    ],
)
def test_sums_in_one_unit_are_as_before(formula: str) -> None:
    assert fj.model(formula, frame()).plan.contrasts
