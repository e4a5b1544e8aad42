"""``scale=response`` against means computed by hand, row by row: in NumPy, in the PyMC model, after a fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytensor
import pytest
import statsmodels.api as sm
from scipy.special import expit, ndtr

import formulajoint as fj
from formulajoint.compiler.evaluate.contrast_nodes import on_draws, variable_dims
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.compiler.pymc.build import build_model

RNG = np.random.default_rng(8)
ROWS, DRAWS = 90, 6
SCHOOL = np.repeat([0, 1, 2], (20, 30, 40))
DATA = pd.DataFrame(
    {
        "school": np.array(list("ABC"))[SCHOOL],
        "town": np.array(["t1", "t2", "t3", "t4"])[RNG.integers(0, 4, ROWS)],
        "treated": RNG.integers(0, 2, ROWS),
        "twice": RNG.choice([1, 3], ROWS),
        "age": RNG.normal(1, 0.5, ROWS),
        "arm": RNG.choice(["a", "b", "c"], ROWS),
        "sex": RNG.choice(["f", "m"], ROWS),
        "time": RNG.uniform(1, 3, ROWS),
        "n": RNG.integers(3, 9, ROWS),
        "w": RNG.integers(1, 4, ROWS),
    }
)
DATA["y"] = RNG.integers(0, 2, ROWS)
DATA["k"] = RNG.binomial(DATA["n"], 0.4)
DATA["count"] = RNG.poisson(2, ROWS)
DATA["amount"] = RNG.gamma(2, 1, ROWS)
DATA["score"] = DATA["treated"] + RNG.normal(size=ROWS)
TOWN, ARM = (np.unique(DATA[name], return_inverse=True)[1] for name in ("town", "arm"))
SIZES = np.bincount(SCHOOL)

type Read = Callable[[str], Any]


def drawn(plan: Plan) -> dict[str, np.ndarray]:
    """Return made-up draws of every variable; those of parameters with bounds are within them."""
    rng = np.random.default_rng(1)
    shape = {name: (*(len(plan.coords[d]) for d in own), DRAWS) for name, own in variable_dims(plan).items()}
    values = {name: rng.normal(0, 0.6, own) for name, own in shape.items()}
    bounded = [part.name for part in plan.further if isinstance(part, ScalePlan)]
    shares = [own.name for own in plan.shares]
    values |= {name: rng.uniform(0.1, 0.6, shape[name]) for name in bounded}
    return values | {name: rng.dirichlet([2, 3, 4], DRAWS).T for name in shares}


def column(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy(float)[:, None]


def levels(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return the columns of a factor's levels after the first, (N, k, 1)."""
    found = np.unique(DATA[name])[1:]
    return (frame[name].to_numpy()[:, None] == found)[..., None].astype(float)


def bernoulli(v: Read, d: pd.DataFrame) -> np.ndarray:
    eta = v("Intercept")[SCHOOL] + (levels(d, "arm") * v("arm")[None]).sum(axis=1)
    slope = v("treated")[SCHOOL] + v("treated:age")[SCHOOL] * column(d, "age")
    return expit(eta + column(d, "treated") * slope + column(d, "age") * v("age")[SCHOOL])


def binomial(v: Read, d: pd.DataFrame) -> np.ndarray:
    slopes = column(d, "treated") * v("treated")[SCHOOL] + column(d, "age") * v("age")
    return ndtr(v("Intercept")[SCHOOL] + slopes)


def poisson(v: Read, d: pd.DataFrame) -> np.ndarray:
    eta = v("Intercept")[SCHOOL] + v("Intercept|town")[TOWN] + np.log(column(d, "time"))
    by_sex = levels(d, "sex")[:, 0] * v("sex")[SCHOOL, 0] if v("sex").ndim == 3 else 0
    return np.exp(eta + column(d, "treated") * v("treated")[SCHOOL] + by_sex)


def gamma(v: Read, d: pd.DataFrame) -> np.ndarray:
    return np.exp(v("Intercept")[SCHOOL] + column(d, "twice") * v("twice") + column(d, "age") * v("age"))


def lognormal(v: Read, d: pd.DataFrame) -> np.ndarray:
    sigma = np.exp(v("sigma_Intercept") + column(d, "treated") * v("sigma_treated"))
    return np.exp(v("Intercept")[SCHOOL] + column(d, "treated") * v("treated")[SCHOOL] + sigma**2 / 2)


def student(v: Read, d: pd.DataFrame) -> np.ndarray:
    arms = (levels(d, "arm") * v("arm")[SCHOOL]).sum(axis=1)
    return v("Intercept")[SCHOOL] + arms + column(d, "age") * v("age")


def inflated(v: Read, d: pd.DataFrame) -> np.ndarray:
    zi = expit(v("zi_Intercept") + column(d, "treated") * v("zi_treated"))
    return (1 - zi) * np.exp(v("Intercept")[SCHOOL] + column(d, "treated") * v("treated")[SCHOOL])


def hurdle(v: Read, d: pd.DataFrame) -> np.ndarray:
    mu = np.exp(v("Intercept")[SCHOOL] + column(d, "treated") * v("treated")[SCHOOL])
    return (1 - v("hu")) * mu / -np.expm1(-mu)


MODELS: dict[str, tuple[str, str, Callable[[Read, pd.DataFrame], np.ndarray]]] = {
    "bernoulli": ("y ~ treated*age + common(arm) | school, family(bernoulli)", "treated", bernoulli),
    "binomial": (
        "prop(k, n) ~ treated + common(age) | school, hierarchy(treated), family(binomial, link=probit)",
        "treated",
        binomial,
    ),
    "poisson": (
        "count ~ treated + sex + (1 | town) + offset(log(time)) | school, family(poisson), hierarchy()",
        "treated",
        poisson,
    ),
    "gamma, a shared step": ("amount ~ common(twice + age) | school, family(gamma)", "age", gamma),
    "gamma, two values": ("amount ~ common(twice + age) | school, family(gamma)", "twice", gamma),
    "lognormal": (
        "amount ~ treated | school, sigma ~ treated, family(lognormal), weights(w)",
        "treated",
        lognormal,
    ),
    "student, a factor": ("score ~ arm + common(age) | school, family(student)", "arm", student),
    "zero-inflated": (
        "count ~ treated | school, zi ~ treated, family(zero_inflated_poisson)",
        "treated",
        inflated,
    ),
    "hurdle": ("count ~ treated | school, family(hurdle_poisson)", "treated", hurdle),
}
VALUES = {"treated": [(0, 1)], "twice": [(1, 3)], "arm": [("a", "b"), ("a", "c")]}


def by_hand(v: Read, mean: Callable[..., np.ndarray], name: str, counts: np.ndarray) -> np.ndarray:
    """Return the effects in each school, (G, c, S)."""
    out = []
    for low, high in VALUES[name] if name in VALUES else [(DATA[name], DATA[name] + 1)]:
        gap = mean(v, DATA.assign(**{name: high})) - mean(v, DATA.assign(**{name: low}))
        out.append([np.average(gap[SCHOOL == g], axis=0, weights=counts[SCHOOL == g]) for g in range(3)])
    return np.array(out).transpose((1, 0, 2))


def node_of(formula: str, clause: str) -> tuple[Plan, dict[str, np.ndarray], np.ndarray]:
    """Return the plan of a formula with one contrast, made-up draws, and the contrast of these."""
    plan = fj.model(f"{formula}, {clause}", DATA).plan
    (contrast,), values = plan.contrasts, drawn(plan)
    return plan, values, on_draws(plan.contrasts, values)[contrast.name]


@pytest.mark.parametrize("model", MODELS)
def test_a_weighted_mean_is_that_of_differences_by_hand(model: str) -> None:
    formula, name, mean = MODELS[model]
    plan, values, node = node_of(formula, f"joint({name}, weights=n, scale=response)")
    counts = DATA["w"].to_numpy(float) if "weights(w)" in formula else np.ones(ROWS)
    effects = by_hand(values.__getitem__, mean, name, counts)
    weights = np.bincount(SCHOOL, counts)
    wanted = np.einsum("g,gcs->cs", weights / weights.sum(), effects)
    assert node == pytest.approx(wanted if plan.contrasts[0].dims else wanted[0])


@pytest.mark.parametrize("model", MODELS)
def test_the_node_of_the_model_is_the_same(model: str) -> None:
    formula, name, _ = MODELS[model]
    plan, values, wanted = node_of(formula, f"joint({name}, weights=n, scale=response)")
    built = build_model(plan)
    node, read = built[plan.contrasts[0].name], plan.contrasts[0].response[name].variables
    inputs = {own: built[own].type() for own in sorted(read)}
    graph = pytensor.graph.replace.graph_replace(node, {built[own]: new for own, new in inputs.items()})
    at = pytensor.function(list(inputs.values()), graph, mode="FAST_COMPILE")
    for draw in (0, DRAWS - 1):
        found = at(*(values[own][..., draw] for own in inputs))
        assert found == pytest.approx(wanted[..., draw], rel=1e-10)


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ("equal", [1, 1, 1]),
        ("n", SIZES),
        ("{A: 1, B: 2, C: 5}", [1, 2, 5]),
        ("sum(time)", np.bincount(SCHOOL, DATA["time"])),
        ("dirichlet(n)", None),
    ],
)
def test_weights_combine_the_groups(weights: str, shares: Any) -> None:
    formula, name, mean = MODELS["bernoulli"]
    plan, values, node = node_of(formula, f"joint({name}, weights={weights}, scale=response)")
    effects = by_hand(values.__getitem__, mean, name, np.ones(ROWS))[:, 0]
    own = values[plan.shares[0].name] if shares is None else np.asarray(shares, float)[:, None]
    assert node == pytest.approx((effects * own).sum(axis=0) / own.sum(axis=0))


@pytest.mark.parametrize(
    ("clause", "of"),
    [
        ("rms(treated, weights=equal, scale=response)", lambda e: np.sqrt((e**2).mean(axis=0))),
        ("spread(treated, weights=equal, scale=response)", lambda e: e.std(axis=0)),
        ("pairwise(treated, scale=response)", lambda e: np.array([e[0] - e[1], e[0] - e[2], e[1] - e[2]])),
        ("meandev(treated, weights=equal, scale=response)", lambda e: e - e.mean(axis=0)),
        ("contrast(treated[A] / treated[B] - 2, scale=response)", lambda e: e[0] / e[1] - 2),
    ],
)
def test_other_contrasts_take_the_same_effects(clause: str, of: Callable[..., np.ndarray]) -> None:
    formula, name, mean = MODELS["bernoulli"]
    _, values, node = node_of(formula, clause)
    assert node == pytest.approx(of(by_hand(values.__getitem__, mean, name, np.ones(ROWS))[:, 0]))


@pytest.mark.parametrize("coding", ["treatment", "sum", "helmert"])
def test_levels_are_compared_whatever_the_coding(coding: str) -> None:
    term = "C(arm, coding=sum)" if coding == "sum" else f"C(arm, coding={coding})"
    plan, values, node = node_of(f"y ~ {term} + age, family(bernoulli)", f"pairwise({term}, scale=response)")
    factor = plan.mean.coefficients[1].term.factors[0]
    eta = values["Intercept"] + column(DATA, "age") * values["age"]
    means = [expit(eta + row @ values[plan.mean.coefficients[1].name]).mean(axis=0) for row in factor.coding]
    assert factor.levels == ("a", "b", "c")
    assert node == pytest.approx(np.array([means[0] - means[1], means[0] - means[2], means[1] - means[2]]))


def test_with_the_identity_it_is_the_plain_contrast() -> None:
    formula = "score ~ treated + arm + common(age) | school, sigma ~ age"
    for clause in (
        "joint(treated",
        "joint(arm",
        "rms(treated",
        "pairwise(arm",
        "contrast(treated[A] - treated[B]",
    ):
        _, _, plain = node_of(formula, f"{clause})")
        _, _, found = node_of(formula, f"{clause}, scale=response)")
        assert found == pytest.approx(plain)


def test_rows_that_are_alike_are_one() -> None:
    rows = pd.concat([DATA[["school", "treated", "arm", "y"]]] * 50, ignore_index=True)
    plan = fj.model(
        "y ~ treated + arm | school, family(bernoulli), joint(treated, scale=response)", rows
    ).plan
    assert len(plan.contrasts[0].response["treated"].rows.cells) <= 3 * 3
    linear = fj.model("y ~ treated + arm | school, joint(treated, scale=response)", rows).plan
    assert len(linear.contrasts[0].response["treated"].rows.cells) == 3


# --- after a fit


@pytest.fixture(scope="module")
def fit() -> fj.Fit:
    clauses = "joint(treated, weights=n, scale=response), pairwise(arm, scale=response)"
    return fj.fit(
        f"y ~ treated*age + common(arm) | school, family(bernoulli), {clauses}", DATA, draws=200, seed=1
    )


def test_comparisons_agree_draw_for_draw(fit: fj.Fit) -> None:
    cells = fit.comparisons("treated", by="school", draws=True).to_numpy()
    assert fit.engine == "exact"
    found = fit.posterior["joint_treated_response"].to_numpy()
    wanted = np.tensordot(np.squeeze(cells), SIZES / ROWS, axes=([-1], [0]))
    assert found == pytest.approx(wanted)


def test_a_loaded_fit_has_the_same_contrasts(fit: fj.Fit, tmp_path: Any) -> None:
    fit.save(tmp_path / "fit.nc")
    loaded = fj.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(loaded.contrasts(), fit.contrasts())
    clause = "joint(age, weights=equal, scale=response)"
    pd.testing.assert_frame_equal(loaded.contrast(clause), fit.contrast(clause))


def test_group_terms_have_effects_in_each_of_their_groups() -> None:
    formula = "y ~ treated + (1 | town), family(bernoulli), joint(treated, over=town, weights=equal, scale=response)"
    fit = fj.fit(formula, DATA, draws=100, seed=1)
    cells = np.squeeze(fit.comparisons("treated", by="town", draws=True).to_numpy())
    assert fit.posterior["joint_treated_response"].to_numpy() == pytest.approx(cells.mean(axis=-1))
    assert cells.std(axis=-1).min() > 0  # one coefficient, and yet other effects in other towns


def test_with_contrasts_only_kept_the_node_is_there() -> None:
    formula = "y ~ treated + common(age) | school, family(bernoulli), joint(treated, scale=response)"
    some = fj.fit(formula, DATA, draws=50, seed=1, keep="contrasts")
    assert some.posterior["joint_treated_response"].shape[1] == 50
    with pytest.raises(fj.InferenceError, match="were not kept"):
        some.contrast("joint(treated, scale=response, weights=equal)")


def test_average_marginal_effects_of_statsmodels_with_wide_priors() -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"school": rng.choice(list("AB"), 3000), "treated": rng.integers(0, 2, 3000)})
    rows["age"] = rng.choice([-1.0, 0.0, 1.0], 3000)
    rows["y"] = (rng.random(3000) < expit(-0.5 + 0.7 * rows["treated"] + 0.4 * rows["age"])).astype(int)
    priors = ", ".join(f"{name} ~ normal(0, 100)" for name in ("Intercept", "treated", "age"))
    formula = f"y ~ common(treated + age) | school, family(bernoulli), prior({priors})"
    found = fj.fit(f"{formula}, joint(treated, weights=n, scale=response)", rows, seed=1).contrasts().iloc[0]
    design = np.column_stack([rows["school"] == "A", rows["school"] == "B", rows["treated"], rows["age"]])
    margins = sm.Logit(rows["y"], design.astype(float)).fit(disp=0).get_margeff(dummy=True)
    effect, error = margins.margeff[2], margins.margeff_se[2]
    assert found["mean"] == pytest.approx(effect, abs=0.1 * error)
    assert found["sd"] == pytest.approx(error, rel=0.05)


# --- tests of effects on the response


def test_a_null_is_that_of_the_coefficients(fit: fj.Fit) -> None:
    plain = fj.fit("y ~ treated + common(arm) | school, family(bernoulli)", DATA, draws=200, seed=1)
    one, other = plain.test("treated == 0"), plain.test("treated == 0, scale=response")
    assert list(other.index) == ["treated == 0, scale=response"]
    for name in ("contour", "log_bf10", "classical"):
        assert other[name].iloc[0] == one[name].iloc[0]
    assert "is zero where the coefficient is" in other["note"].iloc[0]
    bands = plain.bands("treated == 0, scale=response")
    effects = np.squeeze(plain.comparisons("treated", by="school", draws=True).to_numpy())
    assert bands["mean"].to_numpy() == pytest.approx(effects.mean(axis=(0, 1)))


def test_a_region_is_on_the_response(fit: fj.Fit) -> None:
    effects = np.squeeze(fit.comparisons("treated", by="school", draws=True).to_numpy())
    found = fit.test("treated > -1, scale=response", rope=2.0)
    assert found["p_in_rope"].iloc[0] == 1.0
    found = fit.test("treated[B] > 0, scale=response", rope=0.1)
    assert found["p_in_rope"].iloc[0] == pytest.approx((abs(effects[..., 1]) < 0.1).mean())
    with pytest.raises(fj.InferenceError, match="on the scale of the response"):
        fit.test("treated > 0, scale=response", rope=0.1, standardized=True)


def test_an_order_is_a_share_of_draws(fit: fj.Fit) -> None:
    effects = np.squeeze(fit.comparisons("treated", by="school", draws=True).to_numpy())
    found = fit.test("treated[C] > treated[A] > -0.1, scale=response")
    holds = (effects[..., 2] > effects[..., 0]) & (effects[..., 0] > -0.1)
    assert found["p_all_positive"].iloc[0] == pytest.approx(holds.mean())
    assert np.isfinite(found["log_bf10"].iloc[0])
    assert "prior probability" in found["note"].iloc[0]


# --- what has no meaning


@pytest.mark.parametrize(
    ("clause", "said", "advice"),
    [
        ("joint(treated:age, scale=response)", "is an interaction", "name the column"),
        ("joint(Intercept, scale=response)", "intercept compares nothing", "fit.means"),
        ("joint(log(time), scale=response)", "function of columns", "fit.comparisons"),
        ("joint(ns(time, df=3), scale=response)", "function of columns", "fit.slopes"),
        ("joint(treated, scale=response, at=mean)", "each with its own values", "leave `at=` out"),
        ("joint(treated, weights=precision, scale=response)", "precision weights", "weights=n"),
        (
            "contrast(treated[A] / shape, scale=response)",
            "not a coefficient of the mean",
            "coefficients only",
        ),
        ("contrast(sex.mean, scale=response)", "not a coefficient of the mean", "coefficients only"),
        (
            "test(treated == treated[A], scale=response)",
            "`treated == 0`, of",
            "`contrast(treated[B] - treated[A], scale",
        ),
        (
            "test(2 * treated[A] == treated[B], scale=response)",
            "`treated == 0`, of",
            "(2 * treated[A] - treated[B], scale",
        ),
        (
            "test(treated == 0, scale=response)",
            "`treated == 0`, of",
            "`contrast(treated[A], scale=response)`",
        ),
        ("test(sex.mean > 0, scale=response)", "mean of a hierarchy", "name the groups' coefficients"),
        ("pairwise(treated, scale=sigma)", "`scale` is one of", ""),
    ],
)
def test_what_has_no_meaning_is_refused(clause: str, said: str, advice: str) -> None:
    formula = "amount ~ treated*age + sex + log(time) + common(ns(time, df=3)) | school, hierarchy(sex), family(gamma)"
    with pytest.raises(fj.FormulaError) as error:
        fj.model(f"{formula}, {clause}", DATA)
    assert said in str(error.value)
    assert advice in str(error.value)


@pytest.mark.filterwarnings("ignore:The new rows have the same sums")
def test_categories_and_sums_have_no_effects_on_the_response(fit: fj.Fit) -> None:
    with pytest.raises(fj.FormulaError, match="categories, whose numbers have no mean"):
        fj.model("arm ~ treated | school, family(categorical), contrast(treated, scale=response)", DATA)
    sums = fj.moments("score ~ treated | school, joint(treated)", DATA)
    with pytest.raises(fj.FormulaError, match="which this fit does not hold"):
        fj.fit("score ~ treated | school, joint(treated)", sums, draws=20).contrast(
            "joint(treated, scale=response)"
        )
    with pytest.raises(fj.FormulaError, match="which this fit does not hold"):
        fit.update(DATA)
    with pytest.raises(fj.FormulaError, match="makes the groups"):
        fj.model("y ~ town + (1 | town), family(bernoulli), pairwise(town, scale=response)", DATA)
