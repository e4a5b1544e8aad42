"""Categories without an order: density, coefficients and contrasts of each category, words, a saved fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytest
from scipy import special

import formulajoint as fj
from formulajoint.results.predictions.replicate import Predictions

WAYS = ("car", "bus", "train")
X = np.array([0.0, 1.0, 0.4, -0.3, 0.8, 0.1, -2.0, 0.5])
Y = np.array([0, 1, 2, 2, 0, 0, 1, 2])
G = np.array([0, 0, 1, 1, 1, 0, 0, 1])
FRAME = pd.DataFrame(
    {
        "way": pd.Categorical([WAYS[k] for k in Y], categories=WAYS),
        "x": X,
        "g": np.array(list("AB"))[G],
        "arm": list("uvwuvwuv"),
        "o": X / 2,
        "w": [1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0, 1.0],
    }
)


def log_density(model: fj.JointModel, values: dict[str, Any]) -> Any:
    built = model.pymc
    logp = built.logp(vars=[built["way"]], sum=False)[0]
    inputs = {built.rvs_to_values[built[name]]: np.asarray(value) for name, value in values.items()}
    return pytensor.function(list(inputs), logp, mode="FAST_COMPILE")(*inputs.values())


def expected(eta: np.ndarray) -> np.ndarray:
    every = np.column_stack([np.zeros(len(eta)), eta])
    return special.log_softmax(every, axis=1)


def test_density() -> None:
    """A predictor for each category but the first, with factors, offsets, row weights and groups."""
    a, b, c = np.array([0.3, -0.5]), np.array([0.8, 0.1]), np.array([[0.2, -0.2], [1.0, 0.5]])
    model = fj.model("way ~ x + arm + offset(o), family(categorical), weights(w)", FRAME)
    arms = np.stack([FRAME["arm"] == "v", FRAME["arm"] == "w"], axis=1) @ c
    log_p = expected(a + X[:, None] * b + arms + X[:, None] / 2)[range(len(Y)), Y]
    found = log_density(model, {"Intercept": a, "x": b, "arm": c})
    np.testing.assert_allclose(found, log_p * FRAME["w"], rtol=1e-9)
    both = {"Intercept": np.array([a, a + 1]), "x": np.array([b, -b])}
    log_p = expected(both["Intercept"][G] + X[:, None] * both["x"][G])[range(len(Y)), Y]
    np.testing.assert_allclose(
        log_density(fj.model("way ~ x | g, family(categorical)", FRAME), both), log_p, rtol=1e-9
    )


def test_two_categories_are_a_logistic_regression() -> None:
    data = FRAME.assign(way=np.where(X > 0.2, "yes", "no"))
    unordered, event = (fj.model(f"way ~ x, family({name})", data) for name in ("categorical", "bernoulli"))
    assert unordered.priors == event.priors
    np.testing.assert_allclose(
        log_density(unordered, {"x": [0.6], "Intercept": [0.3]}),
        log_density(event, {"x": 0.6, "Intercept": 0.3}),
        rtol=1e-9,
    )


def test_names_and_words() -> None:
    model = fj.model("way ~ x | g, family(categorical), joint(x)", FRAME)
    text = model.explain()
    assert "way: car (3), bus (2), train (3)" in text
    assert "log(P(way = way_dim) / P(way = car)) = mu[way_dim]" in text
    assert "2 coefficients (bus, train) per g, not pooled" in text
    assert model.record()["scale"] == "log odds of way against car"
    drawn = fj.model("way ~ x + (x | g), family(categorical)", FRAME)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        prior = drawn.prior_predictive(draws=20, seed=1)
    assert prior["prior"]["x_by_g"].dims == ("chain", "draw", "g", "way_dim")
    assert set(np.unique(prior["prior_predictive"]["way"])) == {0, 1, 2}


@pytest.mark.parametrize(
    ("clause", "hint"),
    [
        ("pairwise(x)", r"`pairwise\(x, over=g\)`"),
        ("reference(x, over=way)", r"`reference\(x, over=g\)`"),
        ("joint(x, scale=sigma)", "needs a residual sd"),
    ],
)
def test_contrasts_name_the_category_or_say_how(clause: str, hint: str) -> None:
    with pytest.raises(fj.FormulaError, match=hint):
        fj.model(f"way ~ x | g, family(categorical), {clause}", FRAME)
    with pytest.raises(fj.FormulaError, match=r"contrast\(x\[bus\] - x\[train\]\)"):
        fj.model("way ~ x, family(categorical), pairwise(x)", FRAME)


def test_a_fit_is_tested_printed_saved_and_replicated(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    formula = "way ~ x | g, family(categorical), joint(x), pairwise(x, over=g), test(x == 0)"
    model = fj.model(formula, FRAME)
    made = {name: 0.5 + 0.3 * rng.standard_normal((2, 50, 2, 2)) for name in ("Intercept", "x")}
    fit = model.fit_from(made)
    text = str(fit)
    assert "coefficients: log odds of way against car; exp() of an effect is an odds ratio" in text
    table = fit.contrasts()
    assert {"joint_x[bus]", "joint_x[train]", "pairwise_x[A - B, bus]"} <= set(table.index)
    assert table.loc["joint_x[bus]", "odds_ratio"] == pytest.approx(np.exp(table.loc["joint_x[bus]", "mean"]))
    both = made["x"][..., 0, 0] > made["x"][..., 1, 1]
    assert fit.test("x[A, bus] > x[B, train]").iloc[0]["p_all_positive"] == pytest.approx(both.mean())
    assert fit.contrast("contrast(x[A, bus] - x[A, train])").iloc[0]["mean"] == pytest.approx(
        np.mean(made["x"][..., 0, 0] - made["x"][..., 0, 1])
    )
    assert fit.test().loc["x == 0", "rank"] == 4
    assert json.loads(json.dumps(fit.record()))["family"] == "categorical"
    assert fit.plot.ppc(count=20)
    fit.save(tmp_path / "fit.nc")
    assert str(fj.load(tmp_path / "fit.nc")) == text


def test_replicated_categories_have_the_model_s_probabilities() -> None:
    law, eta = (
        fj.model("way ~ x, family(categorical)", FRAME).plan.family.distribution,
        np.outer(X, [1.0, -0.5]),
    )
    made = Predictions(law, {"mu": np.tile(eta, (4_000, 1, 1))}).responses(np.random.default_rng(1))
    shares, p = np.stack([(made == k).mean(axis=0) for k in range(3)], axis=1), np.exp(expected(eta))
    assert (abs(shares - p) < 4.5 * np.sqrt(p * (1 - p) / 4_000)).all()


@pytest.mark.parametrize("name", ["cumulative", "categorical"])
def test_what_families_of_categories_do_not_take_is_refused(name: str) -> None:
    family = f"family({name})"
    with pytest.raises(fj.FormulaError, match=f"the family `{name}` has no link `log`"):
        fj.model(f"way ~ x, family({name}, link=log)", FRAME)
    if name == "categorical":
        with pytest.raises(fj.DataError, match="nothing shows that the posterior"):
            fj.model(f"way ~ x, {family}", FRAME, priors="flat")
    with pytest.raises(fj.FormulaError, match="coefficients are on the logit"):
        fj.model(f"way ~ x | g, {family}, joint(x, scale=sd)", FRAME)
    for option in ("scale=sigma", "weights=precision"):
        with pytest.raises(fj.FormulaError, match="needs a residual sd"):
            fj.model(f"way ~ x | g, {family}, joint(x, {option})", FRAME)
    with pytest.raises(fj.FormulaError, match="categories are the values of a column"):
        fj.model(f"log(w) ~ x, {family}", FRAME)
    with pytest.raises(fj.DataError, match="is car in all 3 rows used: it does not vary"):
        fj.model(f"way ~ x, {family}", FRAME[FRAME["way"] == "car"])
