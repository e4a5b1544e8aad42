"""Likelihoods through cells are those of the rows, constant included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytest

import formulajoint as fj
from formulajoint.compiler.pymc.build import build_model
from formulajoint.compiler.pymc.likelihood_by_cells import alike
from formulajoint.compiler.pymc.likelihood_by_sums import by_sums

N = 400
RNG = np.random.default_rng(1)
DATA = pd.DataFrame(
    {
        "g": RNG.choice(list("ABC"), N),
        "arm": RNG.choice(["new", "old", "none"], N),
        "x": RNG.integers(0, 2, N),
        "t": RNG.choice([1.0, 2.5], N),
        "n": RNG.choice([4, 9], N),
        "w": RNG.choice([1.0, 2.0], N),
        "event": RNG.integers(0, 2, N),
        "count": RNG.poisson(1.0, N),
        "rating": RNG.integers(1, 4, N),
        "s": RNG.integers(0, 4, N),
    }
)

FORMULAS = {
    "event ~ x + arm | g, hierarchy(), family(bernoulli)": "bernoulli",
    "event ~ x | g, family(bernoulli, link=probit), weights(w)": "weights",
    "prop(s, n) ~ x + common(arm) | g, family(binomial)": "binomial",
    "count ~ x + offset(log(t)) + (1 | g), family(poisson)": "poisson",
    "count ~ x, family(zero_inflated_poisson), zi ~ 1 | g": "zeros",
    "rating ~ x | g, family(cumulative)": "thresholds",
}


@pytest.mark.parametrize("formula", FORMULAS, ids=FORMULAS.values())
def test_the_log_density_is_that_of_the_rows(formula: str) -> None:
    plan, rng = fj.model(formula, DATA).plan, np.random.default_rng(2)
    found = alike(plan)
    assert found is not None
    assert len(found.y) < N / 2
    assert found.weights.sum() == (DATA["w"].sum() if "weights" in formula else N)
    densities: list[Any] = []
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        models = [build_model(plan, how) for how in ("rows", "sums")]
        start = models[0].initial_point()
        point = {name: value + 0.3 * rng.standard_normal(np.shape(value)) for name, value in start.items()}
        densities = [float(model.compile_logp()(point)) for model in models]
    assert densities[1] == pytest.approx(densities[0], rel=1e-9)


def test_auto_takes_cells_where_there_are_clearly_fewer() -> None:
    plan = fj.model("event ~ x | g, family(bernoulli)", DATA).plan
    assert by_sums(plan, "auto")
    assert by_sums(plan, "sums")
    assert not by_sums(plan, "rows")
    continuous = fj.model("event ~ z, family(bernoulli)", DATA.assign(z=RNG.normal(size=N))).plan
    assert not by_sums(continuous, "auto")
    assert alike(continuous, 100) is None
    measured = fj.model("z ~ x, family(student)", DATA.assign(z=RNG.normal(size=N))).plan
    assert not by_sums(measured, "auto")
    with pytest.raises(
        fj.InferenceError, match="the response is student, of which hardly two rows are alike"
    ):
        by_sums(measured, "sums")
