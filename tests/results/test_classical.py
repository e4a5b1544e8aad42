"""F tests against R, and against statsmodels where terms are shared and rows have weights."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.typing import NDArray
from scipy.stats import chi2
from statsmodels.stats.meta_analysis import combine_effects

import formulajoint as fj
from formulajoint.contrasts.hypotheses import all_zero, hypothesis, layout
from formulajoint.design.bind import bind
from formulajoint.design.schema import Design
from formulajoint.language.parse import parse, parse_hypotheses
from formulajoint.results.classical import Classical, classical_test, f_test
from formulajoint.results.regression import regression

HERE = Path(__file__).parents[1]
REFERENCES = json.loads((HERE / "reference" / "f_tests.json").read_text())


def data(name: str) -> pd.DataFrame:
    return fj.tutoring() if name == "tutoring" else pd.read_csv(HERE / "data" / f"{name}.csv")


def the_test(design: Design, text: str) -> Classical:
    found = f_test(design, hypothesis(design, parse_hypotheses(text), text))
    assert found is not None
    return found


def matches(found: Classical, expected: Classical, rel: float = 1e-8) -> bool:
    return astuple(found) == pytest.approx(astuple(expected), rel=rel)


# --- R


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("question", ["zero", "equal", "intercepts equal"])
def test_f_tests_are_those_of_r(name: str, question: str) -> None:
    known = REFERENCES[name]
    x, expected = known["predictor"], Classical(**known[question])
    design = bind(parse(f"{known['response']} ~ {x} | {known['group']}"), data(name))
    first, *others = design.predictor.grouping.labels
    texts = {
        "zero": [f"{x} == 0", ", ".join(f"{x}[{g}] == 0" for g in (first, *others))],
        "equal": [f"{x} == {x}[{others[-1]}]", " == ".join(f"{x}[{g}]" for g in (first, *others))],
        "intercepts equal": [f"Intercept == Intercept[{first}]"],
    }
    for text in texts[question]:
        assert matches(the_test(design, text), expected)


def test_all_zero_is_the_first_of_them() -> None:
    design = bind(parse("logconc ~ percent | source"), data("pigs"))
    found = f_test(design, all_zero(design, design.predictor.per_group[1]))
    assert found is not None
    assert matches(found, Classical(**REFERENCES["pigs"]["zero"]))


# --- statsmodels

RNG = np.random.default_rng(1)
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(3, 2, 48),
        "age": RNG.normal(40, 9, 48),
        "base": RNG.normal(0, 3, 48),
        "arm": ["a", "b", "c", "a"] * 12,
        "g": np.repeat(list("PQR"), [12, 16, 20]),
        "w": [1, 2, 3, 1, 4, 1] * 8,
    }
)
FRAME["y"] = 2 + 0.3 * FRAME["x"] + 0.05 * FRAME["age"] + FRAME["base"] + RNG.normal(0, 1, 48)
FORMULA = "y ~ x + arm + common(age) + offset(base) | g, weights(w)"


def columns(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return the columns of `FORMULA`: intercepts, slopes, arms b and c by group, age."""
    groups = pd.get_dummies(frame["g"], dtype=float).to_numpy()
    arms = pd.get_dummies(frame["arm"], dtype=float).to_numpy()[:, 1:]
    own = np.einsum("ng,na->nga", groups, arms).reshape((len(frame), -1))
    return np.column_stack([groups, groups * frame[["x"]].to_numpy(), own, frame["age"]])


ROWS = {
    "x == 0": (np.eye(13)[3:6], np.zeros(3)),
    "x == x[Q], age == 0.1": (
        np.vstack([np.eye(13)[[3, 5]] - np.eye(13)[4], np.eye(13)[12]]),
        np.array([0, 0, 0.1]),
    ),
    "arm == 0": (np.eye(13)[6:12], np.zeros(6)),
    "arm[g=P] == arm[g=Q] == arm[g=R]": (
        np.vstack([np.eye(13)[6:8] - np.eye(13)[8:10], np.eye(13)[8:10] - np.eye(13)[10:12]]),
        np.zeros(4),
    ),
    "x[P] - 2 * x[Q] == 1": ((np.eye(13)[3] - 2 * np.eye(13)[4])[None], np.ones(1)),
    "x[P] == x[Q], x[Q] == x[R], x[P] == x[R]": (-np.diff(np.eye(13)[3:6], axis=0), np.zeros(2)),
}


@pytest.mark.parametrize("text", ROWS)
def test_f_tests_are_those_of_statsmodels_on_repeated_rows(text: str) -> None:
    repeated = FRAME.loc[FRAME.index.repeat(FRAME["w"])]
    fit = sm.OLS((repeated["y"] - repeated["base"]).to_numpy(), columns(repeated)).fit()
    expected = fit.f_test(ROWS[text])
    found = the_test(bind(parse(FORMULA), FRAME), text)
    assert matches(found, Classical(expected.fvalue, expected.df_num, expected.df_denom, expected.pvalue))
    assert found.df_denom == FRAME["w"].sum() - 13


def test_without_groups() -> None:
    design = bind(parse("y ~ x + age"), FRAME)
    fit = sm.OLS(FRAME["y"], sm.add_constant(FRAME[["x", "age"]])).fit()
    expected = fit.f_test(np.eye(3)[1:])
    found = the_test(design, "x == 0, age == 0")
    assert matches(found, Classical(fit.fvalue, 2, 45, fit.f_pvalue))
    assert matches(found, Classical(expected.fvalue, 2, 45, expected.pvalue))


@pytest.mark.parametrize(
    ("shift", "scale", "far", "rel"),
    [(1e9, 1.0, 0.0, 1e-6), (0.0, 1e-9, 0.0, 1e-8), (0.0, 1e12, 0.0, 1e-8), (0, 1, 1e6, 1e-7), (5e6, 1e3, -1e7, 1e-6)],
)  # fmt: skip
def test_units_and_origins_do_not_matter_to_a_test_of_slopes(
    shift: float, scale: float, far: float, rel: float
) -> None:
    plain = bind(parse("y ~ x | g"), FRAME)
    moved = bind(parse("y ~ x | g"), FRAME.assign(y=FRAME["y"] * scale + shift, x=FRAME["x"] + far))
    for text in ("x == 0", "x == x[P]"):
        assert matches(the_test(moved, text), the_test(plain, text), rel)


# --- what least squares does not determine


@pytest.mark.parametrize(
    ("formula", "rows"),
    [
        ("y ~ x | g", slice(0, 13)),  # one row of group Q
        ("y ~ x + {2 * x} | g", slice(None)),
        ("y ~ x + common({x / 2}) | g", slice(None)),
        ("y ~ x + common(age) | g", [0, 1, 12, 13, 28, 29]),  # seven coefficients, six rows
        ("y ~ x | g", [0, 1, 12, 13, 28, 29]),  # nothing left for sigma
    ],
)
def test_no_f_test(formula: str, rows: object) -> None:
    design = bind(parse(formula), FRAME.iloc[rows])
    assert f_test(design, hypothesis(design, parse_hypotheses("x[P] == 0"), "x[P] == 0")) is None


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_no_f_test_of_a_perfect_fit(far: float) -> None:
    design = bind(parse("y ~ x | g"), FRAME.assign(y=3 * FRAME["x"] + far))
    assert f_test(design, hypothesis(design, parse_hypotheses("x == 0"), "x == 0")) is None


def test_no_f_test_of_too_many_coefficients() -> None:
    many = pd.DataFrame({"y": np.arange(3200) % 7, "x": np.arange(3200) % 5, "g": np.arange(3200) // 4})
    design = bind(parse("y ~ x | g"), many)
    assert f_test(design, hypothesis(design, parse_hypotheses("x[0] == 0"), "x[0] == 0")) is None


# --- the rows that say the same


def test_a_triangle_a_group_has_the_cross_products_of_its_rows() -> None:
    design = bind(parse(FORMULA), FRAME)
    found = regression(design)
    assert found is not None
    x, w = columns(FRAME), FRAME["w"].to_numpy()[:, None]
    y = (FRAME["y"] - FRAME["base"]).to_numpy()
    np.testing.assert_allclose(found.columns.T @ found.columns, x.T @ (w * x), atol=1e-8)
    np.testing.assert_allclose(found.columns.T @ found.y, x.T @ (w[:, 0] * y), atol=1e-8)
    assert found.y @ found.y == pytest.approx(w[:, 0] @ y**2)
    assert found.rows == w.sum()
    assert len(found.y) <= 3 * (6 + 1)  # four own columns, age and y: no more rows a group
    assert sum(block.size for block in layout(design)) == 13 == found.columns.shape[1]


# --- a sigma for each group: the Wald chi-square of each group's own least squares

AVERAGES = json.loads((HERE / "reference" / "averages.json").read_text())


def twin(formula: str, frame: pd.DataFrame, text: str) -> Classical | str:
    plan = fj.model(formula, frame).plan
    return classical_test(plan, hypothesis(plan.design, parse_hypotheses(text), text))


@pytest.mark.parametrize("name", AVERAGES)
def test_wald_tests_are_those_of_r(name: str) -> None:
    known = AVERAGES[name]
    x, group = known["predictor"], known["group"]
    found = twin(f"{known['response']} ~ {x} | {group}, sigma ~ 1 | {group}", data(name), f"{x} == 0")
    assert isinstance(found, Classical)
    assert found.statistic == pytest.approx(known["wald"]["statistic"], rel=1e-8)
    assert found.df_num == known["wald"]["df_num"]
    assert np.isnan(found.df_denom)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, found.df_num), rel=1e-12)


def test_a_wald_test_of_a_difference_with_row_weights_is_that_of_repeated_rows() -> None:
    frame = FRAME.assign(w=np.arange(len(FRAME)) % 3 + 1)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    estimate, variance = [], []
    for _, own in repeated.groupby("g"):
        fit = sm.OLS(own["y"] - own["base"], sm.add_constant(own[["x"]])).fit()
        estimate.append(fit.params["x"])
        variance.append(fit.bse["x"] ** 2)
    formula = "y ~ x + offset(base) | g, sigma ~ 1 | g"
    first, second = sorted(frame["g"].unique())[:2]
    text = f"x[{first}] - 2 * x[{second}] == 0.3"
    found = twin(f"{formula}, weights(w)", frame, text)
    assert isinstance(found, Classical)
    expected = (estimate[0] - 2 * estimate[1] - 0.3) ** 2 / (variance[0] + 4 * variance[1])
    assert found.statistic == pytest.approx(expected, rel=1e-8)


NO_TWIN = {
    "y ~ x | g, family(student)": "no F test: it needs a Gaussian response with one sigma, or one a group",
    "y ~ x | g, sigma ~ x": "no F test: it needs a Gaussian response with one sigma, or one a group",
    "y ~ x + common(age) | g, sigma ~ 1 | g": "no Wald test: it needs groups with a regression and a sigma of their own, and nothing shared",
    "y ~ x, sigma ~ 1 | g": "no Wald test: it needs groups with a regression and a sigma of their own, and nothing shared",
    "y ~ x + {2 * x} | g": "no F test: least squares does not determine every coefficient and a residual sd",
    "y ~ x + {2 * x} | g, sigma ~ 1 | g": "no Wald test: least squares does not determine every coefficient and a residual sd in each group",
}


@pytest.mark.parametrize("formula", NO_TWIN)
def test_models_without_a_classical_twin_say_why(formula: str) -> None:
    assert twin(formula, FRAME, "x == 0") == NO_TWIN[formula]


# --- a factor's omnibus test


@pytest.mark.parametrize(
    ("formula", "text", "full", "reduced"),
    [
        ("y ~ x * arm", "x:arm == 0", "x * C(arm)", "x + C(arm)"),
        ("y ~ x + arm", "arm == 0", "x + C(arm)", "x"),
        ("y ~ x + common(arm) | g", "arm == 0", "C(g) + C(g):x + C(arm)", "C(g) + C(g):x"),
        ("y ~ arm | g", "arm == 0", "C(g) * C(arm)", "C(g)"),
        ("y ~ 0 + arm", "arm == arm[a]", "C(arm)", "1"),
    ],
)
def test_omnibus_tests_of_a_factor_are_those_of_nested_regressions(
    formula: str, text: str, full: str, reduced: str
) -> None:
    frame = pd.concat([FRAME] * 2, ignore_index=True)
    rng = np.random.default_rng(11)
    frame = frame.assign(arm=rng.choice(list("abc"), len(frame)), y=rng.normal(size=len(frame)))
    found = twin(formula, frame, text)
    assert isinstance(found, Classical)
    large, small = (smf.ols(f"y ~ {right}", frame).fit() for right in (full, reduced))
    statistic, p_value, df = large.compare_f_test(small)
    assert found.statistic == pytest.approx(statistic, rel=1e-8)
    assert found.p_value == pytest.approx(p_value, rel=1e-8)
    assert (found.df_num, found.df_denom) == (df, large.df_resid)


# --- known standard errors

SCHOOLS = pd.read_csv(HERE / "data" / "eight_schools.csv")


def chi_square(formula: str, frame: pd.DataFrame, text: str) -> Classical:
    plan = fj.model(formula, frame).plan
    found = classical_test(plan, hypothesis(plan.design, parse_hypotheses(text), text))
    assert isinstance(found, Classical), found
    return found


def test_equal_intercepts_of_single_rows_are_cochrans_q() -> None:
    known = combine_effects(SCHOOLS["y"].to_numpy(), SCHOOLS["sigma"].to_numpy() ** 2)
    expected = Classical(known.q, 7, np.nan, float(chi2.sf(known.q, 7)))
    for clauses in ("", ", hierarchy()"):
        found = chi_square(f"y ~ 1 | school, se(sigma){clauses}", SCHOOLS, "Intercept == Intercept[A]")
        assert astuple(found) == pytest.approx(astuple(expected), rel=1e-10, nan_ok=True)


@pytest.mark.parametrize("text", ROWS)
def test_known_standard_errors_give_the_chi_square_of_weighted_least_squares(text: str) -> None:
    frame = FRAME.assign(s=0.5 + np.arange(48) % 5 / 4)
    rows, null = ROWS[text]
    fit = sm.WLS(frame["y"] - frame["base"], columns(frame), weights=frame["w"] / frame["s"] ** 2).fit(
        cov_type="fixed scale", cov_kwds={"scale": 1.0}
    )
    away = rows @ fit.params.to_numpy() - null
    covariance = rows @ fit.normalized_cov_params @ rows.T
    statistic, rank = float(away @ np.linalg.pinv(covariance) @ away), np.linalg.matrix_rank(rows)
    found = chi_square(f"{FORMULA}, se(s)", frame, text)
    assert (found.statistic, found.df_num) == (pytest.approx(statistic, rel=1e-8), rank)
    assert np.isnan(found.df_denom)
    assert found.p_value == pytest.approx(chi2.sf(statistic, rank), rel=1e-8)


def test_what_least_squares_does_not_determine_has_no_chi_square() -> None:
    frame = SCHOOLS.assign(x=np.arange(8) % 3)
    plan = fj.model("y ~ x | school, se(sigma)", frame).plan
    found = classical_test(plan, all_zero(plan.design, plan.design.predictor.per_group[1]))
    assert found == "no chi-square test: least squares does not determine every coefficient"
