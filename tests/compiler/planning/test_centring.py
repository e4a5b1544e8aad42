"""``centered=auto``: the rule by hand, and that the plan follows it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.compiler.planning.centring import (
    centered_columns,
    centered_sigma,
    centered_terms,
    is_informative,
)
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.data.data import Data
from formulajoint.data.layout import unknown
from formulajoint.design.bind import bind
from formulajoint.spec.read import parse

INF = np.inf


@pytest.mark.parametrize(
    ("estimates", "variances", "centred"),
    [
        # variance between the estimates less the mean sampling variance, against the median sampling variance
        ([0, 10, 20], [1, 1, 1], True),  # 100 - 1 > 1
        ([0, 1, 2], [1, 1, 1], False),  # 1 - 1 < 1
        ([0, 2, 4], [1.9, 1.9, 1.9], True),  # 4 - 1.9 = 2.1 > 1.9
        ([0, 2, 4], [2.1, 2.1, 2.1], False),  # 4 - 2.1 = 1.9 < 2.1
        ([0, 10, 20], [1, 1, 95], True),  # 100 - 32.3 > 1: the median, not the mean
        ([0, 10, 20], [1, 70, 95], False),  # 100 - 55.3 < 70
        ([0, 10, 20], [1, 1, INF], True),  # of two groups: 50 - 1 > 1
        ([0, 10, 20, 0], [1, 1, INF, INF], False),  # more than a tie knows nothing: the median is infinite
        ([0, 10, 20], [1, INF, INF], False),
        ([0, 10], [1, INF], False),
        ([0, 0, 0], [1, 1, 1], False),
    ],
)
def test_rule(estimates, variances, centred):
    assert is_informative(np.array(estimates, float), np.array(variances, float)) is centred


def data_of(design):
    return Data(design, design.predictor, unknown(design.predictor))


def frame(slopes, rows, noise, seed=0):
    """Groups of `rows` rows with these slopes, x in [0, 1]."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(len(slopes)), rows)
    x = np.tile(np.linspace(0, 1, rows), len(slopes))
    y = 5 + np.array(slopes)[g] * x + noise * rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "g": g.astype(str), "w": 1 + np.arange(len(g)) % 3})


def design(formula, data):
    return bind(parse(formula), data)


def by_hand(data):
    """The rule on intercept and slope, from each group's own regression and one residual variance."""
    estimates, variances, rss = [], [], 0.0
    for _, part in data.groupby("g"):
        columns = np.column_stack([np.ones(len(part)), part["x"]])
        coefficients, squares, *_ = np.linalg.lstsq(columns, part["y"])
        estimates.append(coefficients)
        variances.append(np.diag(np.linalg.inv(columns.T @ columns)))
        rss += squares[0]
    estimates = np.array(estimates)
    variances = np.array(variances) * rss / (len(data) - 2 * len(estimates))
    between = estimates.var(axis=0, ddof=1) - variances.mean(axis=0)
    return (np.median(variances, axis=0) < between).tolist()


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5, 0.7, 0.9, 1.2, 1.5, 2.0, 3.0])
def test_against_each_groups_own_regression(noise):
    data = frame([1, 2, 3, 4, 5], 8, noise)
    assert centered_columns(data_of(design("y ~ x | g", data))).tolist() == by_hand(data)
    rows = data.loc[np.repeat(data.index, data["w"])].drop(columns="w")
    assert centered_columns(data_of(design("y ~ x | g, weights(w)", data))).tolist() == by_hand(rows)


def test_both_answers_occur():
    answers = {tuple(by_hand(frame([1, 2, 3, 4, 5], 8, noise))) for noise in (0.1, 0.7, 3.0)}
    assert (False, True) in answers
    assert (False, False) in answers


def form(formula, data):
    return {
        term.coefficient.name: term.centered
        for pool in make_plan(design(formula, data)).mean.pools
        for term in pool.terms
    }


def test_the_plan_follows_the_rule():
    data = frame([1, 2, 3, 4, 5], 8, 0.1)
    assert form("y ~ x | g, hierarchy()", data) == {"Intercept": False, "x": True}
    assert form("y ~ x | g, hierarchy(centered=true)", data) == {"Intercept": True, "x": True}
    assert form("y ~ x | g, hierarchy(centered=false)", data) == {"Intercept": False, "x": False}
    assert form("y ~ x | g, hierarchy(x)", frame([1, 2, 3, 4, 5], 8, 5.0)) == {"x": False}


def test_an_offset_is_taken_off_first():
    data = frame([1, 2, 3, 4, 5], 8, 0.1)
    less = frame([3, 3, 3, 3, 3], 8, 0.5, seed=2)
    data["o"] = data["y"] - less["y"]
    assert (
        centered_columns(data_of(design("y ~ x + offset(o) | g", data))).tolist()
        == by_hand(less)
        == [False, False]
    )
    assert form("y ~ x | g, hierarchy(x)", data) == {"x": True}
    assert form("y ~ x + offset(o) | g, hierarchy(x)", data) == {"x": False}


def test_a_term_is_centred_if_all_its_columns_suit():
    rng = np.random.default_rng(3)
    g, arm = np.repeat(np.arange(6), 12), np.tile([0, 1, 2], 24)
    effects = np.column_stack(
        [np.zeros(6), rng.normal(0, 5, 6), np.zeros(6)]
    )  # b differs by group, c does not
    data = pd.DataFrame(
        {"y": effects[g, arm] + rng.normal(0, 1, 72), "g": g.astype(str), "arm": np.array(list("abc"))[arm]}
    )
    assert centered_columns(data_of(design("y ~ arm | g", data))).tolist()[1:] == [True, False]
    assert centered_terms(data_of(design("y ~ arm | g", data)), ())["arm"] is False
    both = data.assign(y=data["y"] + (arm == 2) * rng.normal(0, 5, 6)[g])
    assert centered_terms(data_of(design("y ~ arm | g", both)), ())["arm"] is True


def test_pooled_sigma():
    """log s_g of d degrees of freedom has variance about 1 / (2 d)."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=240)
    g = np.repeat(np.arange(6), 40)

    def centred(sds):
        data = pd.DataFrame({"y": x + np.array(sds)[g] * rng.normal(size=240), "x": x, "g": g.astype(str)})
        moved = data.assign(o=g**2 * x**3, y=data["y"] + g**2 * x**3)
        made = design("y ~ x + offset(o) | g, sigma ~ 1 | g, hierarchy(sigma)", moved)
        expected = []
        for _, part in data.groupby("g"):
            columns = np.column_stack([np.ones(40), part["x"]])
            expected.append(np.log(np.linalg.lstsq(columns, part["y"])[1][0] / 38) / 2)
        by_rule = is_informative(np.array(expected), np.full(6, 1 / 76))
        found = centered_sigma(make_plan(made).data, made.parameters[0].grouping)
        assert found == by_rule == make_plan(made).further[0].pool.centered
        return found

    answers = [centred(step ** np.arange(6)) for step in np.linspace(1, 1.3, 25)]
    assert answers[-1]
    assert not answers[0]


def test_a_group_without_residuals_knows_no_sigma():
    data = frame([1, 2, 3], 2, 0.5)
    made = design("y ~ x | g, sigma ~ 1 | g, hierarchy(sigma)", data)
    assert not centered_sigma(make_plan(made).data, made.parameters[0].grouping)


def test_groups_of_one_row_show_no_residual_sd():
    data = pd.DataFrame({"y": [1.0, 2, 1], "x": [1.0, 2, 4], "g": list("ABC")})
    made = make_plan(design("y ~ 0 + x | g, hierarchy(x, scale=sigma)", data))
    assert not made.mean.pools[0].terms[0].centered


def test_known_standard_errors_are_the_sampling_sds():
    rng = np.random.default_rng(7)
    y, spread = 10 * rng.normal(size=9), rng.uniform(0.5, 2, 9)
    answers = []
    for noise in np.linspace(1, 6, 21):
        data = pd.DataFrame({"y": y, "s": noise * spread, "g": list("abcdefghi")})
        answers.append(is_informative(y, (noise * spread) ** 2))
        assert centered_columns(data_of(design("y ~ 1 | g, se(s)", data))).tolist() == answers[-1:]
    assert answers[0]
    assert not answers[-1]
