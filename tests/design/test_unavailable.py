"""Group terms as in lme4: the hint is the user's own formula with groups right of a bar, and that formula is accepted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    columns = pd.DataFrame(rng.normal(size=(120, 3)), columns=["y", "x", "z"])
    return columns.assign(c=np.tile(list("abcd"), 30), d=np.repeat(list("uvw"), 40))


@pytest.mark.parametrize(
    ("written", "proposed"),
    [
        ("y ~ x + (1 | c)", "y ~ 1 + common(x) | c, hierarchy()"),
        ("y ~ x*z + (1 + x | c)", "y ~ 1 + x + common(z + x:z) | c, hierarchy()"),
        ("y ~ (1 | c)", "y ~ 1 | c, hierarchy()"),
        ("y ~ x + z + (x || c)", "y ~ 1 + x + common(z) | c, hierarchy(cor=false)"),
        ("y ~ x + (0 + x | c)", "y ~ 0 + x + common(1) | c, hierarchy()"),
        ("y ~ x + offset(z) + (1 | c)", "y ~ 1 + common(x) + offset(z) | c, hierarchy()"),
        (
            "log(y + 9) ~ x + (1 | c), missing(error)",
            "log(y + 9) ~ 1 + common(x) | c, hierarchy(), missing(error)",
        ),
        ("y ~ x + (x | c), joint(x), prior(x ~ normal(0, 1))", "y ~ 1 + x | c, hierarchy()"),
        ("y ~ 1 + (1 | d/c)", "y ~ 1 | d, hierarchy()"),
    ],
)
def test_the_hint_is_the_users_own_formula(data: pd.DataFrame, written: str, proposed: str) -> None:
    with pytest.raises(fj.FormulaError, match="is not available yet") as raised:
        fj.model(written, data)
    assert f"write `{proposed}`" in raised.value.hint
    fj.model(proposed, data)


@pytest.mark.parametrize(
    "written",
    ["y ~ x + (1 | d) + (1 | c)", "y ~ x + (1 | c) | d", "y ~ . + (1 | c)", "y ~ x, sigma ~ z + (1 | c)"],
)
def test_what_has_no_such_form_gets_no_formula(data: pd.DataFrame, written: str) -> None:
    with pytest.raises(fj.FormulaError, match="is not available yet") as raised:
        fj.model(written, data)
    assert "write `y" not in raised.value.hint
