"""Spellings of R: what they mean, in the rows of the fit and in others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import formulajoint as fj
from formulajoint.design.evaluate_numpy import columns_of
from formulajoint.design.frame import read_frame
from formulajoint.design.rows import used_rows


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(48, 3)), columns=["y", "x", "z"])
    return frame.assign(
        a=np.tile(list("pqr"), 16),
        b=np.repeat(list("uv"), 24),
        k=np.tile([1, 2, 3, 4], 12),
        w=rng.uniform(1, 3, 48),
    )


def terms(formula: str, data: pd.DataFrame) -> list[tuple[np.ndarray, tuple]]:
    found = fj.model(formula, data).design.predictor.terms
    return [(term.columns, tuple(factor.labels for factor in term.factors)) for term in found]


def assert_same(one: str, other: str, data: pd.DataFrame) -> None:
    for (ours, labels), (theirs, named) in zip(terms(one, data), terms(other, data), strict=True):
        assert np.array_equal(ours, theirs)
        assert labels == named


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("y ~ factor(k)", "y ~ C(k)"),
        ("y ~ as.factor(k)*x", "y ~ C(k)*x"),
        ("y ~ 0 + factor(a):factor(b)", "y ~ 0 + C(a):C(b)"),
        ("y ~ scale(x) + scale(log(w))", "y ~ standardize(x) + standardize(log(w))"),
        ("y ~ scale(x), weights(w)", "y ~ standardize(x), weights(w)"),
        ("y ~ a %in% b", "y ~ a:b"),
        ("y ~ b + x + a %in% b %in% x", "y ~ b + x + a:b:x"),
        ("y ~ b + (a + x) %in% b", "y ~ b + (a + x):b"),
        ("y ~ x - 1", "y ~ 0 + x"),
        ("y ~ a + x + 0", "y ~ 0 + a + x"),
        ("y ~ (a + b)^2", "y ~ a + b + a:b"),
        ("y ~ a*b*x", "y ~ a + b + x + a:b + a:x + b:x + a:b:x"),
        ("y ~ .", "y ~ x + z + a + b + k + w"),
        ("y ~ . - w", "y ~ x + z + a + b + k"),
    ],
)
def test_a_spelling_is_ours(written: str, ours: str, data: pd.DataFrame) -> None:
    assert_same(written, ours, data)


NAMES = st.sampled_from(["x", "z", "a", "b", "k"])


@given(st.lists(NAMES, min_size=2, max_size=4, unique=True), st.lists(NAMES, max_size=2, unique=True))
@settings(max_examples=30, deadline=None)
def test_in_is_a_colon_among_any_terms(data: pd.DataFrame, within: list[str], others: list[str]) -> None:
    more = "".join(f" + {name}" for name in others)
    assert_same(f"y ~ {' %in% '.join(within)}{more}", f"y ~ {':'.join(within)}{more}", data)


def test_ave_is_the_mean_of_the_group(data: pd.DataFrame) -> None:
    (_, (own, _), (rest, _), (cells, _)) = terms("y ~ ave(x, a) + I(x - ave(x, a)) + ave(x, a:b)", data)
    np.testing.assert_allclose(own[:, 0], data.groupby("a")["x"].transform("mean"), atol=1e-14)
    np.testing.assert_allclose(rest[:, 0], data["x"] - own[:, 0], atol=1e-15)
    np.testing.assert_allclose(cells[:, 0], data.groupby(["a", "b"])["x"].transform("mean"), atol=1e-14)
    assert_same("y ~ I(x - ave(x, a))", "y ~ center(x, by=a)", data)


def test_ave_counts_rows_by_their_weights(data: pd.DataFrame) -> None:
    found = terms("y ~ ave(x, a), weights(w)", data)[1][0][:, 0]
    means = data.assign(product=data.x * data.w).groupby("a")[["product", "w"]].sum()
    np.testing.assert_allclose(found, (means["product"] / means.w)[data.a], atol=1e-14)


def test_other_rows_have_what_the_fit_learnt(data: pd.DataFrame) -> None:
    other = read_frame({"x": [100.0, -3.0], "z": [1.0, 2.0], "a": ["r", "p"], "k": [4, 1]})
    table = used_rows(other, ("x", "z", "a", "k"))[0]
    terms = fj.model("y ~ ave(x, a) + scale(z) + factor(k)", data).design.predictor.terms
    ave, scaled, factor = (columns_of(term.recipe, table) for term in terms[1:])
    means = data.groupby("a")["x"].mean()
    np.testing.assert_allclose(ave[:, 0], means[["r", "p"]], atol=1e-14)
    np.testing.assert_allclose(scaled[:, 0], (np.array([1.0, 2.0]) - data.z.mean()) / data.z.std())
    assert factor.tolist() == [[0, 0, 1], [0, 0, 0]]


def test_elementwise_functions(data: pd.DataFrame) -> None:
    found = terms("y ~ pmax(x, 0) + pmin(x, z) + asin(sqrt(I(1 / w))) + cos(x) + atan(x)", data)
    wanted = [
        data.x.clip(lower=0),
        data[["x", "z"]].min(axis=1),
        np.arcsin(np.sqrt(1 / data.w)),
        np.cos(data.x),
    ]
    for (columns, _), values in zip(found[1:], [*wanted, np.arctan(data.x)], strict=True):
        np.testing.assert_allclose(columns[:, 0], values)


def test_a_response_in_parentheses_is_arithmetic(data: pd.DataFrame) -> None:
    assert_same("(y > 0) ~ x", "I(y > 0) ~ x", data)
    response = fj.model("(y > 0) ~ x", data).design.response
    assert np.array_equal(response.values, (data.y > 0).astype(float))


def test_successes_are_read_with_their_trials(data: pd.DataFrame) -> None:
    for written in ("cbind(k, 9 - k) ~ x", "prop(k, 9) ~ x"):
        response = fj.model(f"{written}, family(binomial)", data).design.response
        assert np.array_equal(response.values, data.k)
        assert set(response.trials) == {9.0}
