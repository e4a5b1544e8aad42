"""Curves of a column: the columns of R's poly, bs and ns, in the rows of the fit, in others, and with weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

import formulajoint as fj
from formulajoint.design.bases import BSplines, NaturalSplines, b_splines, knots, polynomials
from formulajoint.design.evaluate_numpy import columns_of
from formulajoint.design.frame import read_frame
from formulajoint.design.rows import used_rows

FROM_R = json.loads((Path(__file__).parents[1] / "reference" / "bases.json").read_text())
X, NEW, W = (np.array(FROM_R[name], dtype=float) for name in ("x", "new", "w"))
Y = np.cos(np.arange(len(X)))
CALLS = sorted(FROM_R["bases"])
TOLERANCE = 1e-10


def term(call: str, data: dict[str, np.ndarray], more: str = ""):
    return fj.model(f"y ~ {call}{more}", data).design.predictor.terms[-1]


def close(ours: np.ndarray, theirs: list) -> None:
    theirs = np.array(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE * np.abs(theirs).max())


@pytest.mark.parametrize("call", CALLS)
def test_the_columns_are_those_of_r(call: str) -> None:
    found = term(call, {"x": X, "y": Y})
    close(found.columns, FROM_R["bases"][call]["rows"])
    assert found.name == call
    assert found.factors[0].labels == tuple(str(place + 1) for place in range(found.columns.shape[1]))


@pytest.mark.parametrize("call", CALLS)
def test_other_rows_have_the_columns_that_r_predicts_with(call: str) -> None:
    table = used_rows(read_frame({"x": NEW}), ("x",))[0]
    close(columns_of(term(call, {"x": X, "y": Y}).recipe, table), FROM_R["bases"][call]["new"])


@pytest.mark.parametrize("call", CALLS)
def test_a_row_of_weight_w_counts_as_w_rows(call: str) -> None:
    close(term(call, {"x": X, "y": Y, "w": W}, ", weights(w)").columns, FROM_R["bases"][call]["weighted"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bs(x, 5)", "bs(x, df=5)"),
        ("bs(x)", "bs(x, df=3, degree=3)"),
        ("ns(x, 4)", "ns(x, df=4)"),
        ("poly(x, degree=2)", "poly(x, 2)"),
        ("poly(x, 2, raw=TRUE)", "poly(x, 2, raw=true)"),
        ("poly(x, 2, raw=FALSE)", "poly(x, 2)"),
    ],
)
def test_spellings(one: str, other: str) -> None:
    data = {"x": X, "y": Y}
    assert np.array_equal(term(one, data).columns, term(other, data).columns)


VALUES = st.lists(st.floats(-1e3, 1e3).map(lambda x: round(x, 3)), min_size=12, max_size=40, unique=True)


@given(VALUES, st.integers(1, 5), st.floats(-1e4, 1e4), st.data())
@settings(max_examples=60, deadline=None)
def test_polynomials_are_orthonormal_over_the_rows(values, degree, shift, data) -> None:
    x = np.array(values) + shift
    w = np.array(data.draw(st.lists(st.integers(1, 4), min_size=len(x), max_size=len(x))), dtype=float)
    columns = np.column_stack([np.ones(len(x)) / np.sqrt(w.sum()), polynomials(x, w, degree).columns(x)])
    np.testing.assert_allclose(columns.T @ (w[:, None] * columns), np.eye(degree + 1), atol=1e-8)
    assert np.all(polynomials(x, w, degree).columns(x.max() + 10 * np.ptp(x)[None]) > 0)  # R's signs


@given(VALUES, st.integers(1, 4), st.integers(0, 4), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_b_splines_sum_to_one_and_agree_with_scipy(values, degree, inner, derivative) -> None:
    x = np.array(values)
    at = knots(x, np.ones(len(x)), inner)
    every = b_splines(x, at, degree)
    np.testing.assert_allclose(every.sum(axis=1), 1.0, atol=1e-12)
    assert every.min() > -1e-12
    full = np.concatenate([np.repeat(at[0], degree), at, np.repeat(at[-1], degree)])
    inside = x[(x < x.max()) & ~np.isin(x, at)]  # SciPy's derivatives at a knot are from the left
    order = min(derivative, degree)
    theirs = (
        BSpline(full, np.eye(every.shape[1]), degree).derivative(order)(inside)
        if order
        else (BSpline.design_matrix(inside, full, degree).toarray())
    )
    np.testing.assert_allclose(
        b_splines(inside, at, degree, order),
        theirs,
        rtol=1e-8,
        atol=1e-8 * max(1.0, np.abs(theirs).max(initial=0)),
    )
    assert np.array_equal(BSplines(at, degree).columns(x), every[:, 1:])


@given(VALUES, st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_natural_splines_are_all_cubic_splines_that_are_straight_beyond_the_ends(values, df) -> None:
    x = np.array(values)
    curve = NaturalSplines(knots(x, np.ones(len(x)), df - 1))
    low, high = curve.knots[[0, -1]]
    width = high - low
    beyond = curve.columns(
        np.array([low, low - width, low - 2 * width, high, high + width, high + 2 * width])
    )
    scale = np.abs(beyond).max()
    np.testing.assert_allclose(beyond[0] - 2 * beyond[1] + beyond[2], 0, atol=1e-9 * scale)
    np.testing.assert_allclose(beyond[3] - 2 * beyond[4] + beyond[5], 0, atol=1e-9 * scale)
    dense = np.linspace(low, high, 200)
    columns = np.column_stack([np.ones(200), curve.columns(dense)])
    powers = [
        ((dense - low) / width)[:, None],
        *(_truncated(dense, low, high, at)[:, None] for at in curve.knots[1:-1]),
    ]
    fitted = np.linalg.lstsq(columns, np.hstack(powers), rcond=None)[0]
    np.testing.assert_allclose(columns @ fitted, np.hstack(powers), atol=1e-7)


def _truncated(x: np.ndarray, low: float, high: float, knot: float) -> np.ndarray:
    """Return a natural cubic spline with one inner knot: truncated powers, less those that straighten it at the ends."""
    u, width = (x - low) / (high - low), (knot - low) / (high - low)
    return np.clip(u - width, 0, None) ** 3 - (1 - width) * u**3


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(90, 3)), columns=["y", "x", "z"])
    return frame.assign(a=np.tile(list("pqr"), 30), g=np.repeat(list("ABC"), 30), k=np.tile([1, 2, 3], 30))


def test_an_interaction_has_the_products_in_the_order_written(data: pd.DataFrame) -> None:
    first, second = (term(text, data) for text in ("a*ns(x, df=3)", "ns(x, df=3)*a"))
    curve = term("ns(x, df=3)", data).columns
    coded = np.column_stack([data.a == "q", data.a == "r"]).astype(float)
    assert np.array_equal(first.columns, (coded[:, :, None] * curve[:, None, :]).reshape(90, -1))
    assert np.array_equal(second.columns, (curve[:, :, None] * coded[:, None, :]).reshape(90, -1))
    assert [factor.labels for factor in first.factors] == [("q", "r"), ("1", "2", "3")]


def test_full_rank_as_in_r(data: pd.DataFrame) -> None:
    terms = fj.model("y ~ a:poly(x, 2)", data).design.predictor.terms
    assert [t.shape for t in terms] == [(), (3, 2)]
    every = np.hstack([t.columns for t in fj.model("y ~ a*poly(x, 2)*z", data).design.predictor.terms])
    assert np.linalg.matrix_rank(every) == every.shape[1] == 18


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("y ~ poly(k, 3)", "more than 3 different values, and `k` has 3"),
        ("y ~ ns(k, df=3)", "more than 3 different values, and `k` has 3"),
        ("y ~ bs(x, df=2)", "a spline of degree 3 has at least 3 columns, not 2"),
        ("y ~ bs(x, df=3, degree=4)", "a spline of degree 4 has at least 4 columns, not 3"),
        ("y ~ ns(many, df=5)", "knots at quantiles of `many`, of which some are equal"),
        ("y ~ poly(a, 2)", "arithmetic needs numbers"),
        ("y ~ poly(x, 2), pairwise(poly(x, 2))", "no levels to compare"),
        ("y ~ a*g*poly(x, 2), pairwise(a:g:poly(x, 2))", "differ by curves, not by numbers"),
        ("y ~ poly(x, 2), test(poly(x, 2)[3] == 0)", "no level `3`"),
        ("y ~ x, test(poly(x) == 0)", "`poly(x)` is a clause"),
    ],
)
def test_refusals(formula: str, says: str, data: pd.DataFrame) -> None:
    many = data.assign(many=np.maximum(data.x, 0.5))
    with pytest.raises(fj.FormulaJointError) as caught:
        fj.model(formula, many)
    assert says in str(caught.value)


def test_the_hint_on_one_column_of_groups_is_accepted(data: pd.DataFrame) -> None:
    with pytest.raises(fj.FormulaError) as caught:
        fj.model("y ~ poly(x, 2) | g, prior(poly(x, 2)[2] ~ normal(0, 3))", data)
    assert caught.value.hint.startswith("write `poly(x, 2)[`poly(x, 2)`=2]` for every `g`")
    fj.model("y ~ poly(x, 2) | g, prior(poly(x, 2)[`poly(x, 2)`=2] ~ normal(0, 3))", data)


def test_flat_priors_give_least_squares(data: pd.DataFrame) -> None:
    """The fitted curve is that of least squares on powers of x; tests, contrasts and a saved fit go along."""
    formula = "y ~ poly(x, 2) + a:ns(z, df=2), test(poly(x, 2) == 0), contrast(poly(x, 2)[1] - poly(x, 2)[2])"
    fit = fj.fit(formula, data, priors="flat", draws=4000, seed=1)
    terms = fit.model.design.predictor.terms
    columns = np.hstack([t.columns for t in terms])
    b, (rss,), rank, _ = np.linalg.lstsq(columns, data.y.to_numpy(), rcond=None)
    assert rank == columns.shape[1]
    freedom = len(data) - rank
    summary = fit.summary()
    cov = np.linalg.inv(columns.T @ columns) * rss / freedom
    for place in (1, 2):
        row = summary.loc[f"poly(x, 2)[{place}]"]
        se = np.sqrt(cov[place, place])
        assert abs(row["mean"] - b[place]) < 5 * se / np.sqrt(4000)
    restricted = np.delete(columns, [1, 2], axis=1)
    rss0 = np.linalg.lstsq(restricted, data.y.to_numpy(), rcond=None)[1][0]
    row = fit.test().loc["poly(x, 2) == 0"]
    assert row["statistic"] == pytest.approx((rss0 - rss) / 2 / (rss / freedom), rel=1e-8)


def test_a_saved_fit_has_its_curves(data: pd.DataFrame, tmp_path: Path) -> None:
    fit = fj.fit("y ~ z*bs(x, df=4)", data, draws=50, seed=1)
    fit.save(tmp_path / "fit.nc")
    loaded = fj.load(tmp_path / "fit.nc")
    assert str(loaded) == str(fit)
    for ours, theirs in zip(
        loaded.model.design.predictor.terms, fit.model.design.predictor.terms, strict=True
    ):
        assert np.array_equal(ours.columns, theirs.columns)
        assert ours.factors == theirs.factors


def test_at_mean_takes_the_columns_of_a_curve_at_their_means(data: pd.DataFrame) -> None:
    fit = fj.fit("y ~ z*poly(x, 2) + z*ns(x, df=2) | g, joint(z, at=mean)", data, draws=20, seed=1)
    found = fit.idata.posterior
    curves = ["poly(x, 2)", "ns(x, df=2)"]
    terms = {t.name: t for t in fit.model.design.predictor.terms}
    effect = found["z"].values
    for curve in curves:
        effect = effect + found[f"z:{curve}"].values @ terms[curve].columns.mean(axis=0)
    np.testing.assert_allclose(found["joint_z_at_mean"].values, effect.mean(axis=-1), rtol=1e-9)


def test_the_exact_engine_needs_no_scipy_for_curves() -> None:
    code = (
        "import sys, numpy as np, formulajoint as fj\n"
        "rng = np.random.default_rng(1)\n"
        "data = {'y': rng.normal(size=40), 'x': rng.normal(size=40)}\n"
        "print(fj.fit('y ~ ns(x, df=3) + bs(x, df=4):x + poly(x, 2)', data, draws=50, seed=1))\n"
        "parts = {'scipy.interpolate', 'scipy.linalg', 'scipy.sparse', 'scipy.special', 'scipy.stats', 'patsy'}\n"
        "assert not parts & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("predictors", "noted"),
    [
        ("size", True),
        ("factor(size)", True),
        ("C(size, coding=poly)", False),
        ("C(size)", False),
        ("plain", False),
    ],
)
def test_an_ordered_category_keeps_treatment_coding_with_a_note(
    predictors, noted, data: pd.DataFrame
) -> None:
    size = pd.Categorical(
        data.a.map({"p": "low", "q": "mid", "r": "high"}), ["low", "mid", "high"], ordered=True
    )
    design = fj.model(f"y ~ {predictors}", data.assign(size=size, plain=data.a.astype("category"))).design
    said = [note for note in design.notes if "C(size, coding=poly)" in note]
    assert bool(said) == noted
    if predictors == "size":
        assert design.predictor.terms[-1].factors[0].labels == ("mid", "high")
