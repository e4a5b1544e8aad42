"""F tests against R, and against statsmodels where terms are shared and rows have weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import chi2, f, norm, t
from statsmodels.stats.meta_analysis import combine_effects

import formulajoint as fj
from formulajoint.contrasts.hypotheses import all_zero, hypothesis
from formulajoint.contrasts.layout import layout
from formulajoint.data.data import Data
from formulajoint.data.layout import unknown
from formulajoint.design.bind import bind
from formulajoint.design.schema import Design
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.classical import (
    CHI_SQUARE,
    F_TEST,
    SCORES,
    Classical,
    classical_test,
    f_test,
)
from formulajoint.results.regressions.joint import regression
from formulajoint.spec.read import parse, parse_hypotheses

HERE = Path(__file__).parents[2]
REFERENCES = json.loads((HERE / "reference" / "f_tests.json").read_text())


def data(name: str) -> pd.DataFrame:
    return fj.tutoring() if name == "tutoring" else pd.read_csv(HERE / "data" / f"{name}.csv")


def data_of(design: Design) -> Data:
    return Data(design, design.predictor, unknown(design.predictor))


def the_test(design: Design, text: str) -> Classical:
    found = f_test(data_of(design), hypothesis(design, parse_hypotheses(text)))
    assert isinstance(found, Classical), found
    assert (found.name, found.note) == (F_TEST, "")
    return found


type Figures = tuple[float, float, float, float]


def figures(found: Classical) -> Figures:
    return found.statistic, found.df_num, found.df_denom, found.p_value


def matches(found: Classical, expected: Figures, rel: float = 1e-8) -> bool:
    return figures(found) == pytest.approx(expected, rel=rel, nan_ok=True)


def known_figures(known: dict[str, float]) -> Figures:
    return known["statistic"], known["df_num"], known["df_denom"], known["p_value"]


# --- R


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("question", ["zero", "equal", "intercepts equal"])
def test_f_tests_are_those_of_r(name: str, question: str) -> None:
    known = REFERENCES[name]
    x, expected = known["predictor"], known_figures(known[question])
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
    found = f_test(data_of(design), all_zero(design, design.predictor.per_group[1]))
    assert isinstance(found, Classical)
    assert matches(found, known_figures(REFERENCES["pigs"]["zero"]))


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
    assert matches(found, (expected.fvalue, expected.df_num, expected.df_denom, expected.pvalue))
    assert found.df_denom == FRAME["w"].sum() - 13


def test_without_groups() -> None:
    design = bind(parse("y ~ x + age"), FRAME)
    fit = sm.OLS(FRAME["y"], sm.add_constant(FRAME[["x", "age"]])).fit()
    expected = fit.f_test(np.eye(3)[1:])
    found = the_test(design, "x == 0, age == 0")
    assert matches(found, (fit.fvalue, 2, 45, fit.f_pvalue))
    assert matches(found, (expected.fvalue, 2, 45, expected.pvalue))


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
        assert matches(the_test(moved, text), figures(the_test(plain, text)), rel)


@pytest.mark.parametrize("clauses", ["", ", sigma ~ 1 | g", ", se(s)"])
@pytest.mark.parametrize("unit", [1e15, 1e12, 1e-15])
def test_the_unit_of_a_predictor_does_not_matter(clauses: str, unit: float) -> None:
    """Dollars in place of thousands of billions: the same statistic and p-value, whatever else is in the model."""
    frame = FRAME.assign(s=1.5)
    for formula in ("y ~ x + arm | g", "y ~ x + arm + common(age) | g"):
        for text in ("x == 0", "x == x[P]", "x[P] == 0, arm[g=Q] == 0", "x[P] - 2 * x[Q] == 0"):
            one = twin(formula + clauses, frame, text)
            other = twin(formula + clauses, frame.assign(x=unit * frame["x"]), text)
            if isinstance(one, Missing):
                assert (one, "sigma" in clauses and "common" in formula) == (other, True)
                continue
            assert isinstance(other, Classical)
            assert matches(other, figures(one), 1e-9)


def test_a_restriction_may_combine_coefficients_in_very_different_units() -> None:
    plain, small = bind(parse("y ~ x + age | g"), FRAME), FRAME.assign(x=1e12 * FRAME["x"])
    found = the_test(
        bind(parse("y ~ x + age | g"), small), "1e12 * x[P] == 3 * age[P], age[Q] == 2e12 * x[R]"
    )
    assert matches(found, figures(the_test(plain, "x[P] == 3 * age[P], age[Q] == 2 * x[R]")), 1e-9)


# --- what least squares does not determine


@pytest.mark.parametrize(
    ("formula", "rows", "reason"),
    [
        ("y ~ x | g", slice(11, None), "the data do not determine `x[P]`"),  # one row of group P
        ("y ~ x + {2 * x} | g", slice(None), "the data do not determine `x[P]`"),
        ("y ~ x + common({x / 2}) | g", slice(None), "the data do not determine `x[P]`"),
        ("y ~ x + common(age) | g", [0, 1, 12, 13, 28, 29], "no rows are left over for a residual sd"),
        ("y ~ x | g", [0, 1, 12, 13, 28, 29], "no rows are left over for a residual sd"),
    ],
)
def test_no_f_test(formula: str, rows: object, reason: str) -> None:
    design = bind(parse(formula), FRAME.iloc[rows])
    found = f_test(data_of(design), hypothesis(design, parse_hypotheses("x[P] == 0")))
    assert isinstance(found, Missing)
    assert found.reason == f"no F test: {reason}"


def test_what_is_not_determined_is_named_and_nothing_else() -> None:
    design = bind(parse("y ~ x | g"), FRAME.iloc[11:])
    text = "x[Q] == x[P], x[R] == x[Q], x[R] == Intercept[P]"
    found = f_test(data_of(design), hypothesis(design, parse_hypotheses(text)))
    assert isinstance(found, Missing)
    assert found.reason == "no F test: the data do not determine `Intercept[P]`, `x[P]`"


def nested(full: str, reduced: str, frame: pd.DataFrame) -> Figures:
    """Return the comparison of two regressions, by statsmodels, which needs no coefficient to be determined."""
    large, small = (smf.ols(f"y ~ {right}", frame).fit() for right in (full, reduced))
    statistic, p_value, df = large.compare_f_test(small)
    return statistic, df, large.df_resid, p_value


def test_what_is_tested_alone_has_to_be_determined() -> None:
    """Group P has one row, which its own coefficients fit: it says nothing of the others."""
    frame = FRAME.iloc[11:]
    found = the_test(bind(parse("y ~ x | g"), frame), "x[Q] == x[R]")
    assert matches(found, nested("0 + g + g:x", "0 + g + x", frame[frame["g"] != "P"]))


def test_a_combination_may_be_determined_where_its_coefficients_are_not() -> None:
    """The mean of group P at its one row's x."""
    frame = FRAME.iloc[11:].assign(x=np.round(FRAME["x"].iloc[11:], 1))
    at = frame["x"].iloc[0]
    design = bind(parse("y ~ x | g"), frame)
    found = the_test(design, f"Intercept[P] + {at} * x[P] == 1")
    fit = smf.ols("y ~ 0 + g + g:x", frame[frame["g"] != "P"]).fit()
    away = frame["y"].iloc[0] - 1
    assert found.statistic == pytest.approx(away**2 / (fit.ssr / fit.df_resid), rel=1e-8)
    assert found.df_denom == fit.df_resid == 32


def test_a_column_that_repeats_another_leaves_the_rest_as_it_is() -> None:
    frame = FRAME.assign(twice=2e9 * FRAME["x"])
    found = the_test(bind(parse("y ~ x + twice + arm | g"), frame), "arm == 0")
    assert matches(found, nested("g * (x + arm)", "g * x", frame))
    assert not isinstance(twin("y ~ x + twice + arm | g", frame, "x[P] == 0"), Classical)


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_no_f_test_of_a_perfect_fit(far: float) -> None:
    design = bind(parse("y ~ x | g"), FRAME.assign(y=3 * FRAME["x"] + far))
    found = f_test(data_of(design), hypothesis(design, parse_hypotheses("x == 0")))
    assert isinstance(found, Missing)
    assert found.reason == "no F test: the residuals are zero"


def test_no_f_test_of_too_many_coefficients() -> None:
    many = pd.DataFrame({"y": np.arange(3200) % 7, "x": np.arange(3200) % 5, "g": np.arange(3200) // 4})
    design = bind(parse("y ~ x | g"), many)
    found = f_test(data_of(design), hypothesis(design, parse_hypotheses("x[0] == 0")))
    assert isinstance(found, Missing)
    assert found.reason == "no classical test for more than 1500 coefficients"


# --- the rows that say the same


def test_a_triangle_a_group_has_the_cross_products_of_its_rows() -> None:
    design = bind(parse(FORMULA), FRAME)
    found = regression(data_of(design))
    assert found is not None
    x, w = columns(FRAME), FRAME["w"].to_numpy()[:, None]
    y = (FRAME["y"] - FRAME["base"]).to_numpy()
    np.testing.assert_allclose(found.columns.T @ found.columns, x.T @ (w * x), atol=1e-8)
    np.testing.assert_allclose(found.columns.T @ found.y, x.T @ (w[:, 0] * y), atol=1e-8)
    assert found.y @ found.y == pytest.approx(w[:, 0] @ y**2)
    assert found.rows == w.sum()
    assert len(found.y) <= 3 * (6 + 1)  # four own columns, age and y: no more rows a group
    assert sum(block.size for block in layout(design)) == 13 == found.columns.shape[1]


# --- a sigma for each group: normal scores of each group's F test


def twin(formula: str, frame: pd.DataFrame, text: str) -> Classical | Missing:
    plan = fj.model(formula, frame).plan
    return classical_test(plan, hypothesis(plan.design, parse_hypotheses(text)))


def the_scores(formula: str, frame: pd.DataFrame, text: str) -> Classical:
    found = twin(f"{formula}, sigma ~ 1 | g", frame, text)
    assert isinstance(found, Classical), found
    assert found.name == SCORES
    assert np.isnan(found.df_denom)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, found.df_num), rel=1e-12)
    return found


def own_tests(frame: pd.DataFrame, right: str, tested: str) -> float:
    """Return the sum of chi-squares as rare as each group's own F test, by statsmodels and SciPy."""
    total = 0.0
    for _, own in frame.groupby("g"):
        fit = smf.ols(f"y ~ {right}", own).fit()
        names = [name for name in fit.params.index if tested in name]
        found = fit.f_test(np.eye(len(fit.params))[[fit.params.index.get_loc(name) for name in names]])
        total += chi2.isf(float(found.pvalue), len(names))
    return total


@pytest.mark.parametrize(("tested", "count"), [("x", 3), ("arm", 6)])
def test_scores_are_those_of_each_groups_own_f_test(tested: str, count: int) -> None:
    frame = FRAME.assign(arm=np.random.default_rng(3).choice(list("abc"), len(FRAME)))
    found = the_scores("y ~ x + arm | g", frame, f"{tested} == 0")
    assert found.statistic == pytest.approx(own_tests(frame, "x + arm", tested), rel=1e-8)
    assert (found.df_num, found.note) == (count, "")


def test_scores_do_not_depend_on_how_a_hypothesis_is_written() -> None:
    one = the_scores("y ~ x | g", FRAME, "x == 0")
    other = the_scores("y ~ x | g", FRAME, "x[P] + x[Q] == 0, x[P] == 2 * x[Q], x[R] == 0, x[Q] == x[R]")
    assert figures(one) == pytest.approx(figures(other), nan_ok=True)
    one = the_scores("y ~ x | g", FRAME, "x == x[P]")
    other = the_scores("y ~ x | g", FRAME, "2 * x[P] - x[Q] == x[R], 3 * x[Q] == 3 * x[R]")
    assert figures(one) == pytest.approx(figures(other), nan_ok=True)


def test_scores_of_rows_with_weights_are_those_of_repeated_rows() -> None:
    frame = FRAME.assign(w=np.arange(len(FRAME)) % 3 + 1)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    for text in ("x == 0", "x[P] - 2 * x[Q] == 0.3"):
        weighted = the_scores("y ~ x + offset(base) | g, weights(w)", frame, text)
        plain = the_scores("y ~ x + offset(base) | g", repeated, text)
        assert figures(weighted) == pytest.approx(figures(plain), nan_ok=True)


def smallest_sum(frame: pd.DataFrame, multiples: dict[str, float], shift: float = 0.0) -> float:
    """Return the smallest sum of squared normal scores over slopes multiple * theta + shift, on a fine grid."""
    theta, total = np.linspace(-30, 30, 600_001), 0.0
    for label, multiple in multiples.items():
        own = frame[frame["g"] == label]
        fit = smf.ols("y ~ x", own).fit()
        away = (fit.params["x"] - multiple * theta - shift) / fit.bse["x"]
        total = total + norm.isf(t.sf(abs(away), fit.df_resid)) ** 2
    return float(np.min(total))


@pytest.mark.parametrize("effects", [(0, 0, 0), (0, 1, -1), (9, -9, 9), (20, 20, -20)])
def test_scores_of_one_common_slope_are_the_smallest_sum(effects: tuple[float, ...]) -> None:
    """With far groups there are several local minima."""
    slopes = dict(zip("PQR", effects, strict=True))
    frame = FRAME.assign(y=FRAME["y"] + FRAME["g"].map(slopes) * FRAME["x"])
    found = the_scores("y ~ x | g", frame, "x == x[P]")
    assert found.statistic == pytest.approx(smallest_sum(frame, dict.fromkeys("PQR", 1.0)), abs=1e-6)
    assert found.df_num == 2
    found = the_scores("y ~ x | g", frame, "x[P] - 2 * x[Q] == 0.3")
    assert found.statistic == pytest.approx(
        smallest_sum(
            frame.assign(y=frame["y"] - 0.3 * frame["x"] * (frame["g"] == "P")), {"P": 2.0, "Q": 1.0}
        ),
        abs=1e-6,
    )
    assert found.df_num == 1


def test_scores_of_several_common_values_are_the_smallest_sum() -> None:
    """Two groups of one residual sd each, two common values: no point nearby, nor far off, has a smaller sum."""
    frame = FRAME.assign(arm=np.random.default_rng(3).choice(list("abc"), len(FRAME)))
    found = the_scores("y ~ arm | g", frame, "arm == arm[g=P]")
    fits = [smf.ols("y ~ arm", own).fit() for _, own in frame.groupby("g")]

    def total(theta: NDArray[np.float64]) -> float:
        out = 0.0
        for fit in fits:
            away = fit.params.to_numpy()[1:] - theta
            squares = away @ np.linalg.solve(fit.cov_params().to_numpy()[1:, 1:], away)
            out += chi2.isf(f.sf(squares / 2, 2, fit.df_resid), 2)
        return out

    starts = [fit.params.to_numpy()[1:] for fit in fits]
    least = min(minimize(total, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}).fun for start in starts)  # fmt: skip
    assert found.statistic == pytest.approx(least, rel=1e-6)
    assert found.df_num == 4


def test_groups_without_rows_to_spare_are_left_out_and_named() -> None:
    frame = FRAME.iloc[10:]  # two rows of group P
    found = the_scores("y ~ x | g", frame, "x == 0")
    rest = the_scores("y ~ x | g", frame, "x[Q] == 0, x[R] == 0")
    assert found.note == "classical test without g `P`: too few rows"
    assert figures(found) == pytest.approx(figures(rest), nan_ok=True)
    assert the_scores("y ~ x | g", frame, "x == x[P]").df_num == 1
    found = twin("y ~ x | g, sigma ~ 1 | g", frame, "x[P] == x[Q]")
    assert isinstance(found, Missing)
    assert found.reason == "no classical test: no group has rows enough for what is tested and a residual sd"


def test_groups_may_share_a_sigma_with_their_district() -> None:
    frame = FRAME.assign(d=np.where(FRAME["g"] == "R", "east", "west"))
    found = twin("y ~ x | g, sigma ~ 1 | d", frame, "x == 0")
    west, east = (frame[frame["d"] == name] for name in ("west", "east"))
    one = smf.ols("y ~ 0 + g + g:x", west).fit().f_test("g[P]:x = 0, g[Q]:x = 0")
    other = smf.ols("y ~ x", east).fit().f_test("x = 0")
    assert isinstance(found, Classical)
    assert found.statistic == pytest.approx(chi2.isf(one.pvalue, 2) + chi2.isf(other.pvalue, 1), rel=1e-8)
    assert found.df_num == 3


def test_scores_of_effects_beyond_any_doubt_are_numbers() -> None:
    """Each group's own p-value is far below the smallest floating-point number."""
    frame = FRAME.assign(y=FRAME["y"] + 0 * FRAME["x"]).loc[FRAME.index.repeat(200)]
    frame = frame.assign(y=frame["y"] + np.random.default_rng(1).normal(0, 1, len(frame)) + 9 * frame["x"])
    found = the_scores("y ~ x | g", frame, "x == 0")
    expected = 0.0
    for _, own in frame.groupby("g"):
        fit = smf.ols("y ~ x", own).fit()
        wallace = (8 * fit.df_resid + 1) / (8 * fit.df_resid + 3)
        expected += wallace**2 * fit.df_resid * np.log1p(fit.tvalues["x"] ** 2 / fit.df_resid)
    assert found.statistic == pytest.approx(expected, rel=1e-3)
    assert found.statistic > 5000


SHARED = "no classical test: a coefficient is shared by groups that have a sigma each"
NO_TWIN = {
    "y ~ x | g, family(student)": (
        "no likelihood ratio test for family(student): it is for generalised linear models"
    ),
    "y ~ x | g, sigma ~ x": "no F test: it needs a Gaussian response with one sigma, or one per group",
    "y ~ x + common(age) | g, sigma ~ 1 | g": SHARED,
    "y ~ x, sigma ~ 1 | g": SHARED,
    "y ~ x | arm, sigma ~ 1 | g": SHARED,
    "y ~ x + {2 * x} | g": "no F test: the data do not determine `x[P]`, `x[Q]`, `x[R]`",
    "y ~ x + {2 * x} | g, sigma ~ 1 | g": (
        "no classical test: no group has rows enough for what is tested and a residual sd"
    ),
}


@pytest.mark.parametrize("formula", NO_TWIN)
def test_models_without_a_classical_twin_say_why(formula: str) -> None:
    found = twin(formula, FRAME, "x == 0")
    assert isinstance(found, Missing)
    assert found.reason == NO_TWIN[formula]


@pytest.mark.parametrize("text", ["x[P] + x[Q] + x[R] == 0", "x[P] == x[Q] + x[R]"])
def test_no_scores_of_hypotheses_that_mix_groups_otherwise(text: str) -> None:
    found = twin("y ~ x | g, sigma ~ 1 | g", FRAME, text)
    assert isinstance(found, Missing)
    assert found.reason == (
        "no classical test: with one sigma per group it needs a hypothesis about each group separately, or coefficients "
        "that are equal in several groups"
    )


def test_no_scores_where_a_group_has_no_residuals() -> None:
    frame = FRAME.assign(y=np.where(FRAME["g"] == "Q", 2 * FRAME["x"], FRAME["y"]))
    plan = fj.model("y ~ x | g, sigma ~ 1 | g", FRAME).plan
    design = bind(parse("y ~ x | g, sigma ~ 1 | g"), frame)
    data = replace(plan.data, design=design, predictor=design.predictor)
    found = classical_test(
        replace(plan, design=design, data=data), hypothesis(design, parse_hypotheses("x == 0"))
    )
    assert isinstance(found, Missing)
    assert found.reason == "no classical test: the residuals of g `Q` are zero"


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
    assert matches(found, nested(full, reduced, frame))


# --- known standard errors

SCHOOLS = pd.read_csv(HERE / "data" / "eight_schools.csv")


def chi_square(formula: str, frame: pd.DataFrame, text: str) -> Classical:
    plan = fj.model(formula, frame).plan
    found = classical_test(plan, hypothesis(plan.design, parse_hypotheses(text)))
    assert isinstance(found, Classical), found
    return found


def test_equal_intercepts_of_single_rows_are_cochrans_q() -> None:
    known = combine_effects(SCHOOLS["y"].to_numpy(), SCHOOLS["sigma"].to_numpy() ** 2)
    expected = (known.q, 7, np.nan, float(chi2.sf(known.q, 7)))
    for clauses in ("", ", hierarchy()"):
        found = chi_square(f"y ~ 1 | school, se(sigma){clauses}", SCHOOLS, "Intercept == Intercept[A]")
        assert matches(found, expected, 1e-10)
        assert found.name == CHI_SQUARE


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
    assert isinstance(found, Missing)
    assert found.reason == (
        "no chi-square test: the data do not determine `x[A]`, `x[B]`, `x[C]`, `x[D]`, `x[E]`, `x[F]` and 2 more"
    )


def test_a_chi_square_needs_only_what_is_tested() -> None:
    """One row of group P says nothing of the slopes of the others."""
    frame = FRAME.iloc[11:].assign(s=2.0)
    found = chi_square("y ~ x | g, se(s)", frame, "x[Q] == x[R]")
    statistic, df, df_resid, _ = nested("0 + g + g:x", "0 + g + x", frame[frame["g"] != "P"])
    residual = smf.ols("y ~ 0 + g + g:x", frame[frame["g"] != "P"]).fit().ssr / df_resid
    assert found.statistic == pytest.approx(statistic * df * residual / 4, rel=1e-8)
