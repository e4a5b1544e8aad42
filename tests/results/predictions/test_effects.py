"""Means, comparisons and slopes: averages of draws, against NumPy by hand, emmeans' figures and the delta method."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special

import formulajoint as fj
from formulajoint.api.model import JointModel
from formulajoint.design.derivatives import column_slopes
from formulajoint.design.evaluate_numpy import columns_of
from formulajoint.design.frame import read_frame
from formulajoint.design.model_rows import complete_rows
from formulajoint.results.draws.posterior import Posterior

type MadeUp = Callable[..., Posterior]

TESTS = Path(__file__).parents[2]
ROWS = np.arange(60)
DATA = pd.DataFrame(
    {
        "hit": (ROWS * 7 % 5 < 2).astype(int),
        "y": 5.0 + ROWS * 11 % 17,
        "k": ROWS * 5 % 7,
        "t": ROWS % 2,
        "x": np.cos(ROWS),
        "z": 1.0 + ROWS * 3 % 11,
        "arm": np.array(["b", "a", "c"])[ROWS % 3],
        "school": np.array(["p", "q", "r", "s"])[ROWS * 7 % 13 % 4],
        "size": 1 + ROWS * 3 % 4,
    }
)
T, X, SCHOOL = DATA["t"].to_numpy(), DATA["x"].to_numpy(), pd.Categorical(DATA["school"]).codes


def fit_of(posterior: Posterior) -> fj.Fit:
    return fj.Fit(JointModel(posterior.plan), posterior)


def flat(fit: fj.Fit, name: str) -> np.ndarray:
    """Return the draws of a variable, (S, ...)."""
    values = fit.draws.named.values(name)
    return values.reshape((-1, *values.shape[2:]))


def drawn(found: Any) -> np.ndarray:
    """Return the draws of effects, (S, effects)."""
    return found.to_numpy().reshape((-1, found.sizes["effect"]))


@pytest.fixture
def events(made_up: MadeUp) -> fj.Fit:
    return fit_of(made_up("hit ~ t * x + arm + (1 + t | school), family(bernoulli)", DATA))


def chances(
    fit: fj.Fit, t: Any, x: Any = X, arm: np.ndarray | None = None, groups: str = "data"
) -> np.ndarray:
    """Return the probability of each row with t and x set, (S, 60), by hand."""
    arms = np.pad(flat(fit, "arm"), ((0, 0), (1, 0)))[
        :, pd.Categorical(DATA["arm"]).codes if arm is None else arm
    ]
    b, bt, bx, btx = (flat(fit, name)[:, None] for name in ("Intercept", "t", "x", "t:x"))
    if groups == "data":
        b = b + flat(fit, "Intercept|school")[:, SCHOOL]
        bt = bt + flat(fit, "t|school")[:, SCHOOL]
    return np.asarray(special.expit(b + bt * t + bx * x + btx * t * x + arms))


def test_a_comparison_is_averaged_in_each_draw(events: fj.Fit) -> None:
    each = chances(events, 1) - chances(events, 0)
    assert drawn(events.comparisons("t", draws=True))[:, 0] == pytest.approx(each.mean(axis=1))
    row = events.comparisons("t").loc["1 - 0"]
    assert [row["mean"], row["sd"]] == pytest.approx([each.mean(), each.mean(axis=1).std(ddof=1)])
    assert row["p_direction"] == np.mean(np.sign(each.mean(axis=1)) == np.sign(np.median(each.mean(axis=1))))
    assert row["groups"] == "school: of the data"
    # The wrong value: averages of the intervals' ends are far wider than the interval of the average.
    ends = np.quantile(each, [0.025, 0.975], axis=0).mean(axis=1)
    assert row["hdi_high"] - row["hdi_low"] < 0.9 * (ends[1] - ends[0])


def test_by_cells_with_a_band_around_all_of_them(events: fj.Fit) -> None:
    each = chances(events, 1) - chances(events, 0)
    expected = np.stack([each[:, SCHOOL == g].mean(axis=1) for g in range(4)], axis=1)
    assert drawn(events.comparisons("t", by="school", draws=True)) == pytest.approx(expected)
    table = events.comparisons("t", by="school", simultaneous=True)
    assert table.index.tolist() == [(g, "1 - 0") for g in "pqrs"]
    assert table["rows"].tolist() == np.bincount(SCHOOL).tolist()
    inside = (table["band_low"].to_numpy() <= expected) & (expected <= table["band_high"].to_numpy())
    assert inside.all(axis=1).mean() == pytest.approx(0.95, abs=0.005)


def test_scales_compare_averages(events: fj.Fit) -> None:
    high, low = chances(events, 1).mean(axis=1), chances(events, 0).mean(axis=1)
    expected = {
        "ratio": high / low,
        "lift": high / low - 1,
        "odds_ratio": high / (1 - high) / (low / (1 - low)),
    }
    for scale, values in expected.items():
        assert drawn(events.comparisons("t", scale=scale, draws=True))[:, 0] == pytest.approx(values)
    table = events.comparisons("t", scale="ratio", rope=0.1)
    assert table["p_direction"].item() == max(np.mean(high > low), np.mean(high < low))
    assert table["p_in_rope"].item() == np.mean(abs(high / low - 1) < 0.1)


def test_levels_are_compared_with_the_reference_in_pairs_and_with_neighbours(events: fj.Fit) -> None:
    means = {level: chances(events, T, arm=np.full(60, at)).mean(axis=1) for at, level in enumerate("abc")}
    wanted = {
        "reference": ["b - a", "c - a"],
        "pairwise": ["a - b", "a - c", "b - c"],
        "sequential": ["b - a", "c - b"],
        ("c", "a"): ["a - c"],
    }
    for compare, labels in wanted.items():
        found = events.comparisons("arm", compare=compare, draws=True)
        assert found["effect"].to_numpy().tolist() == labels
        expected = [means[label[0]] - means[label[-1]] for label in labels]
        assert drawn(found).T == pytest.approx(np.array(expected))


def test_a_step_of_a_number_at_values_of_others(events: fj.Fit) -> None:
    found = drawn(events.comparisons("x", step=0.5, at={"t": [0, 1]}, draws=True))
    for at in (0, 1):
        expected = (chances(events, at, X + 0.5) - chances(events, at, X)).mean(axis=1)
        assert found[:, at] == pytest.approx(expected)


def test_several_columns_are_compared_one_at_a_time(events: fj.Fit) -> None:
    table = events.comparisons(["t", "arm", "x"], by="school", simultaneous=True)
    assert table.index.names == ["variable", "school", "contrast"]
    for name in ("t", "arm", "x"):
        alone = events.comparisons(name, by="school")
        assert table.loc[name].index.equals(alone.index)
        assert table.loc[name, alone.columns].equals(alone)
    draws = events.comparisons(["t", "arm", "x"], by="school", draws=True)
    assert draws["effect"].to_numpy()[[0, 4, 12]].tolist() == ["t, p, 1 - 0", "arm, p, b - a", "x, p, +1"]
    inside = (table["band_low"].to_numpy() <= drawn(draws)) & (drawn(draws) <= table["band_high"].to_numpy())
    assert inside.all(axis=1).mean() == pytest.approx(0.95, abs=0.005)
    slopes = events.slopes(["x"])
    assert slopes.index.tolist() == [("x", "x")]
    assert slopes.loc[("x", "x"), "method"] == "exact"


def test_a_step_beyond_the_range_of_a_column_is_warned_of(events: fj.Fit) -> None:
    with pytest.warns(fj.FormulaJointWarning, match=r"A step of 5 is longer than the range of `x`, -1 to 1"):
        events.comparisons("x", step=5)


def test_rows_beyond_the_data_of_a_spline_are_counted(made_up: MadeUp) -> None:
    fit = fit_of(made_up("y ~ ns(log(z), df=3) * arm", DATA))
    fit.predict(DATA)
    fit.comparisons("arm")
    fit.slopes("z")
    said = r"{} of {} rows lie beyond the data of `ns\(log\(z\), df=3\)`, where its argument goes from 0 to 2.398"
    with pytest.warns(fj.FormulaJointWarning, match=said.format(2, 3)):
        fit.predict(DATA.iloc[:3].assign(z=[0.5, 3.0, 30.0]))
    with pytest.warns(fj.FormulaJointWarning, match=said.format(int((DATA["z"] == 11).sum()), 60)) as caught:
        fit.comparisons("z")
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("variable", "arguments", "message"),
    [
        ([], {}, "no column to compare"),
        (["arm", "x"], {"step": 2}, "`arm` is compared between its values"),
        ("t", {"step": 1}, "leave it out, or write compare="),
        (
            "x",
            {"compare": "pairwise"},
            "`x` holds numbers, and compare='pairwise' is for levels: write step=",
        ),
        ("arm", {"step": 2}, "`arm` is compared between its values `a`, `b`, `c`, and a `step` is for other"),
        ("t", {"step": 2}, "leave it out, or write compare="),
        ("x", {"step": 2, "compare": (0, 1)}, "two values, and so there is no `step`"),
        ("t", {"scale": "ratio", "kind": "linear"}, "a ratio of values that are not all positive"),
    ],
)
def test_arguments_that_do_not_suit_a_column_are_refused(
    events: fj.Fit, variable: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(fj.FormulaJointError, match=message):
        events.comparisons(variable, **arguments)


def test_a_ratio_of_means_that_are_not_all_positive_is_refused() -> None:
    fit = fj.fit("y ~ t", DATA.assign(y=DATA["y"] - 12), seed=1, draws=50)
    for scale in ("ratio", "lift"):
        with pytest.raises(fj.InferenceError, match=r"a ratio of means .* choose scale='difference'"):
            fit.comparisons("t", scale=scale)


def test_of_the_mean_group_and_of_a_new_one(events: fj.Fit) -> None:
    expected = (chances(events, 1, groups="none") - chances(events, 0, groups="none")).mean(axis=1)
    assert drawn(events.comparisons("t", groups="mean", draws=True))[:, 0] == pytest.approx(expected)
    sds = np.full((4, 200), 1e-9)
    assert (events.comparisons("t", groups="mean")["groups"] == "school: mean of the hierarchy").all()
    one = replace_draws(events, {"Intercept|school_sd": sds, "t|school_sd": sds, "school_cor": np.eye(2)})
    assert drawn(one.comparisons("t", groups="new", draws=True))[:, 0] == pytest.approx(expected, abs=1e-7)
    with pytest.raises(fj.InferenceError, match="there are no cells by `school`"):
        events.comparisons("t", by="school", groups="new")


def test_values_that_are_set_are_labelled_with_few_digits(events: fj.Fit) -> None:
    (label,) = events.means(at={"x": "mean"}).index
    assert len(label) <= 10
    assert float(label) == pytest.approx(X.mean(), rel=1e-3)
    assert events.means(at={"x": [0.12345678, 2]}).index.tolist() == ["0.1235", "2"]
    alike = [0.12345678, 0.12345679]
    assert events.means(at={"x": alike}).index.tolist() == list(map(str, alike))


def test_new_groups_that_are_not_pooled_are_refused(made_up: MadeUp) -> None:
    own = fit_of(made_up("y ~ t | school", DATA))
    with pytest.raises(fj.DataError) as error:
        own.comparisons("t", groups="new")
    assert str(error.value) == (
        "`groups='new'` is of a school that the fit has not seen, and `Intercept`, `t` are not pooled: nothing is known "
        "of them in a new group. Pool them, `hierarchy()`, and fit again."
    )


def replace_draws(fit: fj.Fit, given: dict[str, np.ndarray]) -> fj.Fit:
    tree = fit.draws.tree.copy()
    data = tree["posterior"].to_dataset()
    new = {name: (data[name].dims, np.broadcast_to(value, data[name].shape)) for name, value in given.items()}
    tree["posterior"] = data.assign(new)
    return fit_of(Posterior(fit.draws.plan, tree, "nutpie"))


@pytest.mark.parametrize("weights", ["equal", "sum(size)", "{p: 1, q: 2, r: 3, s: 4}", "n"])
def test_weights_of_groups(events: fj.Fit, weights: str) -> None:
    each = chances(events, 1) - chances(events, 0)
    groups = np.stack([each[:, SCHOOL == g].mean(axis=1) for g in range(4)], axis=1)
    rows = np.bincount(SCHOOL)
    known = {"equal": np.ones(4), "sum(size)": np.bincount(SCHOOL, DATA["size"]), "n": rows}
    raw = known.get(weights, np.array([1.0, 2, 3, 4]))
    found = events.comparisons("t", weights=weights, draws=True)
    assert drawn(found)[:, 0] == pytest.approx(groups @ raw / raw.sum())


def test_errors_in_weights_quote_the_argument(events: fj.Fit) -> None:
    with pytest.raises(fj.FormulaError) as error:
        events.comparisons("t", weights="sum(sizes)")
    lines = str(error.value).splitlines()
    assert lines[2:4] == ["    weights=sum(sizes)", "                ^^^^^"]


def test_uncertain_and_precision_weights(made_up: MadeUp) -> None:
    fit = fit_of(made_up("y ~ t | school", DATA))
    slopes = flat(fit, "t")
    squares = [np.sum((T[SCHOOL == g] - T[SCHOOL == g].mean()) ** 2) for g in range(4)]
    found = drawn(fit.comparisons("t", weights="precision", draws=True))
    assert found[:, 0] == pytest.approx(slopes @ squares / np.sum(squares))
    uncertain = drawn(fit.comparisons("t", weights="dirichlet(n)", draws=True))[:, 0]
    shares = np.random.default_rng(0).dirichlet(np.bincount(SCHOOL), size=800)
    assert uncertain == pytest.approx((slopes * shares).sum(axis=1))


def test_rows_count_by_their_weights(made_up: MadeUp) -> None:
    fit = fit_of(made_up("k ~ t * x, family(poisson), weights(size)", DATA))
    b, bt, bx, btx = (flat(fit, name)[:, None] for name in ("Intercept", "t", "x", "t:x"))
    each = np.exp(b + bt + (bx + btx) * X) - np.exp(b + bx * X)
    expected = np.average(each, axis=1, weights=DATA["size"])
    assert drawn(fit.comparisons("t", draws=True))[:, 0] == pytest.approx(expected)


def test_means_over_rows_and_over_a_grid(events: fj.Fit) -> None:
    observed = chances(events, T)
    arm = pd.Categorical(DATA["arm"]).codes
    expected = np.stack([observed[:, arm == level].mean(axis=1) for level in range(3)], axis=1)
    assert drawn(events.means(by="arm", draws=True)) == pytest.approx(expected)
    standard = np.stack([chances(events, t).mean(axis=1) for t in (0, 1)], axis=1)
    for found in (
        events.means(at={"t": [0, 1]}, draws=True),
        events.means(by="t", new_data=fj.grid(events, "counterfactual", t=[0, 1]), draws=True),
    ):
        assert drawn(found) == pytest.approx(standard)
    assert np.isfinite(events.means(kind="linear")["mean"].item())


def test_grids() -> None:
    fit = fj.fit("y ~ t * x + arm | school", DATA, seed=1, progress=False, draws=20)
    typical = fj.grid(fit, x=[0, 1], school="all")
    assert typical["x"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert typical[["t", "arm"]].drop_duplicates().to_numpy().tolist() == [[0, "a"]]
    balanced = fj.grid(fit, "balanced", school="p")
    assert balanced[["t", "arm"]].to_numpy().tolist() == [[t, arm] for t in (0, 1) for arm in "abc"]
    assert balanced["x"].to_numpy() == pytest.approx(X.mean())
    own = (DATA["t"] == 1) & (DATA["arm"] == "c") & (DATA["school"] == "p")
    assert balanced["rows"].iloc[-1] == own.sum()
    whole = fj.grid(fit, "counterfactual", t=[0, 1], x="median")
    assert len(whole) == 120
    assert whole["arm"].tolist() == [*DATA["arm"], *DATA["arm"]]
    assert (whole["x"] == np.median(X)).all()
    assert fit.predict(whole).shape == (120, 4)
    with pytest.raises(fj.InferenceError, match=r"does not depend on a column `tt`: did you mean `t`\?"):
        fj.grid(fit, tt=1)
    with pytest.raises(fj.DataError, match="`arm` has levels, and so no mean"):
        fj.grid(fit, arm="mean")


@pytest.mark.parametrize("family", ["cumulative", "cumulative, link=probit"])
def test_ordered_categories_have_a_probability_each(made_up: MadeUp, family: str) -> None:
    data = DATA.assign(rating=pd.Categorical.from_codes(ROWS * 7 % 3, ["bad", "fair", "good"], ordered=True))
    cuts = np.sort(np.random.default_rng(2).normal(size=(4, 200, 2)), axis=2)
    fit = fit_of(made_up(f"rating ~ t * x, family({family})", data, threshold=cuts))
    inverse = special.ndtr if "probit" in family else special.expit

    def chances(t: Any) -> np.ndarray:
        mu = flat(fit, "t")[:, None] * t + flat(fit, "x")[:, None] * X + flat(fit, "t:x")[:, None] * t * X
        below = inverse(flat(fit, "threshold")[:, :, None] - mu[:, None])
        return np.diff(
            np.pad(below, ((0, 0), (1, 1), (0, 0)), constant_values=((0, 0), (0, 1), (0, 0))), axis=1
        )

    predicted = fit.predict(draws=True)
    assert predicted.to_numpy().reshape((800, 60, 3)) == pytest.approx(chances(T).transpose(0, 2, 1))
    assert fit.predict().loc[(0, "good"), "mean"] == pytest.approx(chances(T)[:, 2, 0].mean())
    found = fit.comparisons("t", draws=True)
    assert found["effect"].to_numpy().tolist() == [f"{level}, 1 - 0" for level in ("bad", "fair", "good")]
    assert drawn(found) == pytest.approx((chances(1) - chances(0)).mean(axis=2))
    new = fit.predict(kind="response", draws=True)
    assert set(np.unique(new)) == {"bad", "fair", "good"}
    shares = fit.predict(kind="response")
    assert list(shares.columns) == ["mean"]
    for level in ("bad", "fair", "good"):
        one = shares.xs(level, level="category")["mean"].to_numpy()
        assert one == pytest.approx((new == level).mean(("chain", "draw")).to_numpy())
        error = 5 * np.sqrt(0.25 / 800)
        assert one == pytest.approx(fit.predict().xs(level, level="category")["mean"].to_numpy(), abs=error)


# --- slopes


@pytest.mark.parametrize(
    "written",
    [
        "z",
        "log(z) * x",
        "I(2 * z^3 - z / (1 + z)) : arm",
        "standardize(sqrt(z)) + exp(z / 10)",
        "poly(z, 3) * arm",
        "poly(z, 2, raw=true)",
        "bs(z, df=5):x",
        "ns(log(z), df=3)",
        "center(z, by=school) + standardize(z, by=school)",
        "sin(z) + I(2^z) + log10(z) * atan(z)",
    ],
)
def test_derivatives_of_columns(written: str) -> None:
    design = fj.model(f"y ~ {written}", DATA).design
    table = complete_rows(read_frame(DATA), DATA.columns, design)
    step = 1e-5
    up, down = (
        complete_rows(read_frame(DATA.assign(z=DATA["z"] + h)), DATA.columns, design) for h in (step, -step)
    )
    for term in design.predictor.terms:
        assert term.recipe is not None
        numeric = (columns_of(term.recipe, up) - columns_of(term.recipe, down)) / (2 * step)
        assert column_slopes(term.recipe, "z", table) == pytest.approx(numeric, rel=1e-6, abs=1e-6)


def test_slopes_of_the_mean(made_up: MadeUp) -> None:
    fit = fit_of(
        made_up("hit ~ log(z) * t + offset(z / 9) + (1 | school), family(bernoulli, link=probit)", DATA)
    )
    z = DATA["z"].to_numpy()
    b, bt, bz, bzt = (flat(fit, name)[:, None] for name in ("Intercept", "t", "log(z)", "log(z):t"))
    eta = b + flat(fit, "Intercept|school")[:, SCHOOL] + bt * T + (bz + bzt * T) * np.log(z) + z / 9
    each = np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi) * ((bz + bzt * T) / z + 1 / 9)
    expected = np.stack([each[:, T == t].mean(axis=1) for t in (0, 1)], axis=1)
    assert drawn(fit.slopes("z", by="t", draws=True)) == pytest.approx(expected)
    assert (fit.slopes("z")["method"] == "exact").all()


def test_a_slope_at_the_edge_of_a_root_is_refused(made_up: MadeUp) -> None:
    fit = fit_of(made_up("y ~ sqrt(k)", DATA))
    with pytest.raises(
        fj.InferenceError, match=r"`k` has no slope in some rows.*fit.comparisons\('k', step=2\)"
    ):
        fit.slopes("k")


def test_numbers_that_name_groups_are_no_amounts(made_up: MadeUp) -> None:
    fit = fit_of(made_up("y ~ x + (1 | school)", DATA.assign(school=300 + 10 * SCHOOL.astype(int))))
    effects = flat(fit, "Intercept|school")
    table = fit.comparisons("school")
    assert table.index.tolist() == ["310 - 300", "320 - 300", "330 - 300"]
    assert table["mean"].to_numpy() == pytest.approx((effects[:, 1:] - effects[:, :1]).mean(axis=0))
    assert fj.grid(fit)["school"].tolist() == [300 + 10 * np.bincount(SCHOOL).argmax()]
    assert "school at the mean of the hierarchy" in fit.plot.effects("x").get_suptitle()
    with pytest.raises(fj.InferenceError, match="has levels and no slope"):
        fit.slopes("school")


def test_a_kink_has_a_symmetric_difference_that_the_table_states(made_up: MadeUp) -> None:
    fit = fit_of(made_up("hit ~ abs(x), family(bernoulli)", DATA))
    b, bx = (flat(fit, name)[:, None] for name in ("Intercept", "abs(x)"))
    chance = special.expit(b + bx * abs(X))
    expected = (chance * (1 - chance) * bx * np.sign(X)).mean(axis=1)
    half = 1e-4 * np.ptp(X)
    assert drawn(fit.slopes("x", draws=True))[:, 0] == pytest.approx(expected, abs=1e-4)
    assert fit.slopes("x")["method"].item() == f"difference over ±{half:.3g}"
    with pytest.raises(fj.InferenceError, match="has levels and no slope: comparisons compare"):
        fit_of(made_up("y ~ arm", DATA)).slopes("arm")


# --- other programs


@pytest.mark.parametrize(
    ("link", "family"), [("logit", sm.families.Binomial()), ("log", sm.families.Poisson())]
)
def test_glms_by_the_delta_method(made_up: MadeUp, link: str, family: Any) -> None:
    """With draws from the estimates' normal distribution an average has the delta method's standard error."""
    rng, n = np.random.default_rng(5), 1000
    data = pd.DataFrame({"t": rng.integers(0, 2, n), "x": rng.normal(size=n)})
    eta = -0.3 + 0.5 * data["t"] + 0.4 * data["x"]
    data["y"] = rng.binomial(1, special.expit(eta)) if link == "logit" else rng.poisson(np.exp(eta))
    columns = sm.add_constant(data[["t", "x"]])
    glm = sm.GLM(data["y"], columns, family=family).fit()
    b = rng.multivariate_normal(glm.params, glm.cov_params(), size=4000).reshape((4, 1000, 3))
    text = f"y ~ t + x, family({'bernoulli' if link == 'logit' else 'poisson'})"
    fit = fit_of(made_up(text, data, draws=1000, Intercept=b[..., 0], t=b[..., 1], x=b[..., 2]))
    inverse, slope = family.link.inverse, family.link.inverse_deriv
    one, none = columns.assign(t=1), columns.assign(t=0)
    changes = {
        "comparison": (
            inverse(one @ glm.params).mean() - inverse(none @ glm.params).mean(),
            (slope(one @ glm.params).to_numpy() @ one - slope(none @ glm.params).to_numpy() @ none) / n,
        )
    }
    margins = glm.get_margeff(at="overall") if link == "logit" else None
    at = columns @ glm.params
    step = 1e-5
    turned = (slope(at + step) - slope(at - step)) / (2 * step)
    gradient = glm.params["x"] * turned.to_numpy() @ columns / n + np.array([0, 0, slope(at).mean()])
    changes["slope"] = (slope(at).mean() * glm.params["x"], gradient)
    for name, (estimate, gradient) in changes.items():
        error = float(np.sqrt(np.asarray(gradient) @ glm.cov_params().to_numpy() @ np.asarray(gradient)))
        table = fit.comparisons("t") if name == "comparison" else fit.slopes("x")
        assert table["mean"].item() == pytest.approx(estimate, abs=5 * error / np.sqrt(4000) + 0.02 * error)
        assert table["sd"].item() == pytest.approx(error, rel=5 / np.sqrt(8000))
    if margins is not None:
        assert changes["slope"][0] == pytest.approx(margins.margeff[1])


def reference(data: str, name: str, key: str) -> pd.DataFrame:
    return pd.DataFrame(json.loads((TESTS / "reference/emmeans.json").read_text())[data][name]).set_index(key)


def test_means_of_emmeans(closed_form: MadeUp) -> None:
    data = pd.read_csv(TESTS / "data/pigs_raw.csv")
    fit = fit_of(closed_form("log(conc) ~ source + C(percent)", data, draws=4000))
    inflated = np.sqrt(23 / 21)  # the posterior is a t distribution
    grid = fj.grid(fit, "balanced")
    for name in ("source", "percent"):
        for weights, rows in (("equal", grid), ("proportional", None)):
            expected = reference("pigs", f"emm_{name}_{weights}", name)
            found = fit.means(by=name, new_data=rows) if rows is not None else fit.means(at={name: "all"})
            expected.index = expected.index.astype(str)
            expected = expected.loc[found.index]
            error = 5 * expected["SE"].to_numpy() / np.sqrt(16000)
            assert np.all(abs(found["mean"] - expected["emmean"]).to_numpy() <= inflated * error)
            assert found["sd"].to_numpy() == pytest.approx(inflated * expected["SE"].to_numpy(), rel=0.04)
    pairs = fit.comparisons("source", compare="pairwise")
    expected = reference("pigs", "pairs_source", "contrast")
    signs = {"fish - soy": "fish - soy", "fish - skim": "fish - skim", "skim - soy": "soy - skim"}
    for own, theirs in signs.items():
        sign = 1 if own == theirs else -1
        assert sign * pairs.loc[own, "mean"] == pytest.approx(expected.loc[theirs, "estimate"], abs=0.003)
        assert pairs.loc[own, "sd"] == pytest.approx(inflated * expected.loc[theirs, "SE"], rel=0.04)


def test_means_and_pairs_of_emmeans_in_each_level_of_another_factor(closed_form: MadeUp) -> None:
    data = pd.read_csv(TESTS / "data/warpbreaks.csv")
    fit = fit_of(closed_form("breaks ~ wool * tension", data, draws=4000))
    inflated = np.sqrt(48 / 46)  # the posterior is a t distribution
    grid = fj.grid(fit, "balanced")
    for name, key, found in (
        ("emm_wool_by_tension", "emmean", fit.means(by=["wool", "tension"], new_data=grid)),
        (
            "pairs_wool_by_tension",
            "estimate",
            fit.comparisons("wool", by="tension", new_data=grid, compare="pairwise").droplevel("contrast"),
        ),
    ):
        expected = reference("warpbreaks", name, "tension")
        if name.startswith("emm"):
            expected = expected.reset_index().set_index(["wool", "tension"])
        expected = expected.loc[found.index]
        error = 5 * inflated * expected["SE"].to_numpy() / np.sqrt(16000)
        assert np.all(abs(found["mean"] - expected[key]).to_numpy() <= error)
        assert found["sd"].to_numpy() == pytest.approx(inflated * expected["SE"].to_numpy(), rel=0.04)


@pytest.fixture(scope="module")
def both_fits() -> tuple[pd.DataFrame, fj.Fit, fj.Fit]:
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {"t": rng.integers(0, 2, 90), "x": rng.normal(size=90), "g": rng.choice(list("abc"), 90)}
    )
    data["y"] = 3 * data["t"] + data["x"] + rng.normal(size=90)
    formula = "y ~ t * x + (1 | g)"
    of_rows, of_sums = (
        fj.fit(formula, each, seed=1, draws=200, progress=False) for each in (data, fj.moments(formula, data))
    )
    return data, of_rows, of_sums


def test_a_fit_of_moments_has_effects_at_rows_that_are_given(
    both_fits: tuple[pd.DataFrame, fj.Fit, fj.Fit],
) -> None:
    data, of_rows, of_sums = both_fits
    for asked in (
        lambda fit: fit.comparisons("t", by="g", new_data=data),
        lambda fit: fit.comparisons("x", at={"t": "all"}, new_data=data),
        lambda fit: fit.slopes("x", by="g", weights="equal", new_data=data),
        lambda fit: fit.means(at={"x": "mean"}, new_data=data),
    ):
        expected, found = asked(of_rows), asked(of_sums)
        assert list(found.index) == list(expected.index)
        assert np.allclose(found[["mean", "sd"]], expected[["mean", "sd"]], rtol=1e-6)
    for kind in ("typical", "balanced", "counterfactual"):
        assert fj.grid(of_sums, kind, new_data=data, g="all").equals(fj.grid(of_rows, kind, g="all"))
    assert len(of_sums.plot.effects("x", by="t", new_data=data).axes) == 1
    assert len(of_sums.plot.comparisons(new_data=data).axes) == 1
    for refused in (
        lambda: of_sums.comparisons("t"),
        lambda: of_sums.slopes("x"),
        lambda: fj.grid(of_sums, t=1),
        of_sums.plot.effects,
    ):
        with pytest.raises(fj.DataError, match=r"give rows by `new_data=`, as in `fit.comparisons\("):
            refused()
