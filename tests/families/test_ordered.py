"""Ordered categories: density, thresholds and their prior, what stands for the intercept, words, a saved fit."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytest
from scipy import special, stats

import formulajoint as fj
from formulajoint.results.predictions.replicate import Predictions

LEVELS = ("low", "mid", "high", "top")
X = np.array([0.0, 1.0, 0.4, -0.3, 0.8, 0.1, -2.0, 0.5])
Y = np.array([0, 1, 2, 3, 3, 0, 1, 2])
DATA: dict[str, Any] = {
    "r": pd.Categorical([LEVELS[k] for k in Y], categories=LEVELS, ordered=True),
    "x": X,
    "g": list("AABBBAAB"),
    "w": [1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0, 1.0],
}
CUTS = np.array([-0.7, 0.2, 1.9])

LAWS = {"logit": special.expit, "probit": stats.norm.cdf, "cloglog": lambda u: -np.expm1(-np.exp(u))}


def frame(**more: Any) -> pd.DataFrame:
    return pd.DataFrame({**DATA, **more})


def log_density(model: fj.JointModel, values: dict[str, Any], names: tuple[str, ...] = ("r",)) -> Any:
    built = model.pymc
    logp = built.logp(vars=[built[name] for name in names], sum=False)
    inputs = {built.rvs_to_values[built[name]]: value for name, value in values.items()}
    backward = {
        var: built.rvs_to_transforms[built[name]]
        .forward(np.asarray(values[name]), *built[name].owner.inputs)
        .eval()
        if built.rvs_to_transforms[built[name]] is not None
        else np.asarray(values[name])
        for name in values
        for var in [built.rvs_to_values[built[name]]]
    }
    compiled = pytensor.function(list(inputs), logp, mode="FAST_COMPILE", on_unused_input="ignore")
    return compiled(*backward.values())


def probabilities(link: str, mu: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    below = LAWS[link](cuts - mu[:, None])
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


@pytest.mark.parametrize("link", LAWS)
def test_density_under_each_link_with_the_same_thresholds_or_by_group(link: str) -> None:
    family = f"family(cumulative, link={link})"
    expected = np.log(probabilities(link, 0.6 * X, CUTS)[range(len(Y)), Y])
    (found,) = log_density(fj.model(f"r ~ x, {family}", frame()), {"x": 0.6, "threshold": CUTS})
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    (found,) = log_density(fj.model(f"r ~ x, {family}, weights(w)", frame()), {"x": 0.6, "threshold": CUTS})
    np.testing.assert_allclose(found, expected * DATA["w"], rtol=1e-9)
    each, codes = np.array([CUTS, CUTS + np.array([0, 0.4, 0.3])]), np.array([0, 0, 1, 1, 1, 0, 0, 1])
    model = fj.model(f"r ~ x | g, {family}", frame())
    expected = np.log(probabilities(link, np.array([0.6, -1.0])[codes] * X, each[codes])[range(len(Y)), Y])
    (found,) = log_density(model, {"x": [0.6, -1.0], "threshold": each})
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("link", LAWS)
def test_density_and_gradient_keep_their_digits_far_from_the_thresholds(link: str) -> None:
    model = fj.model(f"r ~ x, family(cumulative, link={link})", frame(x=[*X[:-2], 3.0, -3.0]))
    built = model.pymc
    at = {**built.initial_point(), "x": np.array(4.0)}
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        density, slope = built.compile_logp(), built.compile_dlogp()
    assert np.isfinite(density(at))
    assert np.isfinite(slope(at)).all()
    step = 1e-4
    finite = (density({**at, "x": at["x"] + step}) - density({**at, "x": at["x"] - step})) / (2 * step)
    order = [v.name for v in built.value_vars]
    np.testing.assert_allclose(slope(at)[order.index("x")], finite, rtol=1e-5)


def test_two_categories_are_a_logistic_regression() -> None:
    """Its intercept is minus the threshold, with the same prior."""
    data = frame(e=np.where(X > 0.2, "yes", "no"))
    ordered = fj.model("e ~ x, family(cumulative)", data)
    event = fj.model("e ~ x, family(bernoulli)", data)
    assert ordered.priors["threshold"] == event.priors["Intercept"]
    assert ordered.priors["x"] == event.priors["x"]
    found = log_density(ordered, {"x": 0.6, "threshold": np.array([0.3])}, ("x", "threshold", "e"))
    expected = log_density(event, {"x": 0.6, "Intercept": -0.3}, ("x", "Intercept", "e"))
    np.testing.assert_allclose([part.sum() for part in found], [part.sum() for part in expected], rtol=1e-9)


def test_thresholds_are_sorted_draws_of_their_prior() -> None:
    """The k-th of three sorted normal numbers is the normal quantile of a Beta(k, 4 - k) number."""
    data = {"r": [LEVELS.index(level) for level in DATA["r"]] * 100, "g": range(800)}
    model = fj.model("r ~ 1 | g, family(cumulative), prior(threshold ~ normal(1, 2))", data)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        drawn = model.prior_predictive(draws=2, seed=1)
    prior = drawn["prior"]["threshold"]
    assert prior.dims == ("chain", "draw", "g", "cut")
    assert prior["cut"].values.tolist() == ["0|1", "1|2", "2|3"]
    for k in range(3):
        u = stats.norm.cdf(prior.values[0, :, :, k], 1, 2).ravel()
        assert stats.kstest(u, stats.beta(k + 1, 3 - k).cdf).pvalue > 0.005
    assert set(np.unique(drawn["prior_predictive"]["r"])) == {0, 1, 2, 3}
    (found,) = log_density(model, {"threshold": np.tile(CUTS, (800, 1))}, ("threshold",))
    jacobian = np.log(np.diff(CUTS)).sum()
    np.testing.assert_allclose(
        found, [stats.norm.logpdf(CUTS, 1, 2).sum() + np.log(6) + jacobian] * 800, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([1, 2, 4, 2, 1, 4, 2, 2], ("1", "2", "4")),
        (list("babcabca"), ("a", "b", "c")),
        (pd.Categorical(list("babcabca"), categories=["c", "b", "a"]), ("c", "b", "a")),
        (["10", "9", "10", "2", "9", "2", "2", "2"], ("2", "9", "10")),
    ],
)
def test_categories_are_in_the_order_of_the_data(values: Any, levels: tuple[str, ...]) -> None:
    model = fj.model("y ~ x, family(cumulative)", frame(y=values))
    assert model.design.response.levels == levels
    labels = np.array([str(value) for value in values])
    assert [levels[int(place)] for place in model.design.response.values] == labels.tolist()
    sizes = " < ".join(f"{level} ({np.sum(labels == level)})" for level in levels)
    assert f"y: {sizes}" in model.explain()
    assert ("as text is sorted" in model.explain()) == (levels == ("a", "b", "c"))


def test_the_formula_can_give_the_order_of_categories() -> None:
    rows = frame(y=list("babcabca"))
    formula = "y ~ x, family(cumulative, levels=[c, a, b])"
    model = fj.model(formula, rows)
    assert model.design.response.levels == ("c", "a", "b")
    assert "as text is sorted" not in model.explain()
    assert str(fj.parse(formula)) == formula
    for wrong, said in (
        ("[c, a]", "leaves out `b`"),
        ("[c, a, b, a]", "names a level twice"),
        ("[c, a, d]", "no level `d`"),
        ("a", "must be a list of levels"),
    ):
        with pytest.raises(fj.FormulaError, match=said):
            fj.model(f"y ~ x, family(cumulative, levels={wrong})", rows)
    with pytest.raises(fj.FormulaError, match="order of categories"):
        fj.model("x ~ 1, family(student, levels=[1, 2])", rows)


@pytest.mark.parametrize(
    ("formula", "dims", "intercepts"),
    [
        ("r ~ x", ["cut"], ()),
        ("r ~ x | g", ["g", "cut"], ()),
        ("r ~ 0 + common(1) + x | g", ["cut"], ()),
        ("r ~ x | g, threshold ~ 1", ["cut"], ()),
        ("r ~ x, threshold ~ 1 | g", ["g", "cut"], ()),
        ("r ~ x | g, hierarchy(x)", ["g", "cut"], ()),
        ("r ~ x | g, hierarchy()", ["cut"], ("Intercept",)),
        ("r ~ x + (1 | g)", ["cut"], ("Intercept|g",)),
        ("r ~ 1", ["cut"], ()),
    ],
)
def test_thresholds_stand_for_the_intercept(
    formula: str, dims: list[str], intercepts: tuple[str, ...]
) -> None:
    model = fj.model(f"{formula}, family(cumulative)", frame())
    assert list(model.plan.scale("threshold").dims) == dims
    said = {
        name
        for name in ("Intercept", "Intercept|g")
        if re.search(rf"^{re.escape(name)} ", model.explain(), re.M)
    }
    assert said == set(intercepts)
    assert "logit(P(r <= cut)) = threshold[" in model.explain()
    assert "\\le" in model.explain("latex")


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("r ~ 0 + x", "stand for the intercept"),
        ("r ~ x, threshold ~ x", "can differ by group, but has no other predictors"),
        ("r ~ x, threshold ~ 1 | g, hierarchy(threshold)", "thresholds cannot be pooled"),
        ("r ~ x, prior(threshold ~ constant(1))", "have no constant in common"),
        (
            "r ~ x | g, hierarchy(), prior(Intercept.mean ~ normal(0, 1))",
            "cannot have a prior|can have a prior",
        ),
        ("I(x + 1) ~ w", "categories are the values of a column"),
        ("r ~ x, sigma ~ x", "has no parameter `sigma`"),
    ],
)
def test_what_has_no_meaning_is_refused(formula: str, said: str) -> None:
    with pytest.raises(fj.FormulaError, match=said):
        fj.model(f"{formula}, family(cumulative)", frame())


def test_responses_that_are_no_categories_are_refused() -> None:
    with pytest.raises(fj.DataError, match="looks continuous"):
        fj.model("y ~ x, family(cumulative)", frame(y=X + 0.13))
    with pytest.raises(fj.DataError, match="is a in all 8 rows used: it does not vary"):
        fj.model("y ~ x, family(cumulative)", frame(y=["a"] * 8))
    with pytest.raises(fj.DataError, match="60 different values, more than 50 categories"):
        fj.model("y ~ x, family(cumulative)", {"y": range(60), "x": np.tile([0.0, 1.0], 30)})


def test_a_fit_names_categories_and_scale_and_can_be_saved(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    model = fj.model("r ~ x | g, family(cumulative), joint(x), test(x == 0), pairwise(x)", frame())
    made = {
        "x": 0.5 + 0.3 * rng.standard_normal((2, 50, 2)),
        "threshold": np.sort(rng.standard_normal((2, 50, 2, 3)), axis=-1),
    }
    fit = model.fit_from(made)
    text = str(fit)
    assert "coefficients: log odds of higher r; exp() of an effect is an odds ratio" in text
    assert "threshold[A, low|mid]" in fit.summary().index
    joint = fit.contrasts().loc["joint_x"]
    assert joint["odds_ratio"] == pytest.approx(np.exp(joint["mean"]))
    assert "pairwise_x[A - B]" in fit.contrasts().index
    assert fit.test("x[A] > x[B]").loc["x[A] > x[B]", "p_all_positive"] == pytest.approx(
        np.mean(made["x"][..., 0] > made["x"][..., 1])
    )
    assert json.loads(json.dumps(fit.record()))["scale"] == "log odds of higher r"
    assert fit.plot.ppc(count=20)
    fit.save(tmp_path / "fit.nc")
    back = fj.load(tmp_path / "fit.nc")
    assert str(back) == text
    pd.testing.assert_frame_equal(back.summary(), fit.summary())


def test_replicated_categories_have_the_model_s_probabilities() -> None:
    model = fj.model("r ~ x, family(cumulative, link=probit)", frame())
    law = model.plan.family.distribution
    parameters = {"mu": np.tile(0.6 * X, (4_000, 1)), "threshold": np.tile(CUTS, (4_000, len(X), 1))}
    made = Predictions(law, parameters).responses(np.random.default_rng(1))
    shares = np.stack([(made == k).mean(axis=0) for k in range(4)], axis=1)
    expected = probabilities("probit", 0.6 * X, CUTS)
    assert (abs(shares - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 4_000) + 1e-9).all()


def test_an_order_that_nothing_states_comes_first_with_what_to_write() -> None:
    text = str(fj.fit("y ~ x, family(cumulative)", frame(y=list("babcabca")), seed=1, draws=200))
    assert text.startswith("warning: The categories of y are in the order a < b < c, as text is sorted.")
    assert "`family(cumulative, levels=[a, b, c])`" in text


def test_with_flat_priors_a_note_says_that_thresholds_keep_theirs() -> None:
    rows = frame(y=[1, 2, 3, 2, 1, 3, 2, 2])
    with_note = fj.model("y ~ x, family(cumulative)", rows, priors="flat").explain()
    assert 'With priors="flat" threshold keeps the prior normal(0, ' in " ".join(with_note.split())
    assert "keeps the prior" not in fj.model("y ~ x, family(cumulative)", rows).explain()
