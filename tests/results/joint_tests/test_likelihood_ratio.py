"""Likelihood ratio tests of generalised linear models against statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import gammaln
from scipy.stats import chi2, poisson

import formulajoint as fj
from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.classical import RATIO, Classical, classical_test
from formulajoint.spec.read import parse_hypotheses

RNG = np.random.default_rng(3)
N = 150
G = np.resize([0, 0, 1, 1, 2], N)
X, W, T = RNG.normal(size=N), RNG.normal(size=N), RNG.uniform(0.5, 3, N)
ETA = 0.3 * X - 0.4 * W + np.array([-0.3, 0.1, 0.4])[G]
TRIALS = RNG.integers(1, 9, N)
DATA = pd.DataFrame(
    {
        "g": np.array(list("ABC"))[G],
        "x": X,
        "w": W,
        "t": T,
        "n": TRIALS,
        "event": RNG.random(N) < 1 / (1 + np.exp(-ETA)),
        "s": RNG.binomial(TRIALS, 1 / (1 + np.exp(-ETA))),
        "count": RNG.poisson(T * np.exp(ETA)),
        "over": RNG.negative_binomial(2, 2 / (2 + T * np.exp(ETA))),
        "amount": RNG.gamma(2.0, np.exp(ETA) / 2),
        "f": RNG.integers(1, 4, N),
    }
)
OWN = pd.get_dummies(DATA["g"]).to_numpy(dtype=float)
WHOLE = np.hstack([OWN, OWN * X[:, None], W[:, None]])
ZERO, EQUAL = np.hstack([OWN, W[:, None]]), np.hstack([OWN, X[:, None], W[:, None]])
TESTED = {"x == 0": (ZERO, 3), "x[A] == x[B] == x[C]": (EQUAL, 2)}


def found(formula: str, text: str, **options: Any) -> Classical | Missing:
    model = fj.model(formula, DATA, **options)
    return classical_test(model.plan, hypothesis(model.design, parse_hypotheses(text)))


def compare(formula: str, text: str, whole: float, null: float, rtol: float = 1e-6) -> None:
    test = found(formula, text)
    assert isinstance(test, Classical), test
    assert (test.name, test.df_num, test.note) == (RATIO, TESTED[text][1], "")
    assert test.statistic == pytest.approx(2 * (whole - null), rel=rtol)
    assert test.p_value == pytest.approx(chi2.sf(test.statistic, test.df_num))


FAMILIES = sm.families
GLMS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "bernoulli": ("event", FAMILIES.Binomial(), {}),
    "bernoulli, link=probit": ("event", FAMILIES.Binomial(FAMILIES.links.Probit()), {}),
    "bernoulli, link=cloglog": ("event", FAMILIES.Binomial(FAMILIES.links.CLogLog()), {}),
    "poisson": ("count", FAMILIES.Poisson(), {"offset": np.log(T)}),
}


@pytest.mark.parametrize("text", TESTED)
@pytest.mark.parametrize("family", GLMS)
def test_events_and_counts(family: str, text: str) -> None:
    y, own, options = GLMS[family]
    response = np.asarray(DATA[y], dtype=float)
    fits = [sm.GLM(response, x, own, **options).fit(tol=1e-12).llf for x in (WHOLE, TESTED[text][0])]
    offset = " + offset(log(t))" if options else ""
    compare(f"{y} ~ x + common(w){offset} | g, family({family})", text, *fits)
    compare(f"{y} ~ x + common(w){offset} | g, hierarchy(x), family({family})", text, *fits)


def test_successes_among_trials_and_rows_of_several() -> None:
    both = np.column_stack([DATA["s"], DATA["n"] - DATA["s"]])
    fits = [sm.GLM(both, x, FAMILIES.Binomial()).fit(tol=1e-12).llf for x in (WHOLE, ZERO)]
    compare("prop(s, n) ~ x + common(w) | g, family(binomial)", "x == 0", *fits)
    event = np.asarray(DATA["event"], dtype=float)
    fits = [
        sm.GLM(event, x, FAMILIES.Binomial(), freq_weights=DATA["f"]).fit(tol=1e-12).llf
        for x in (WHOLE, ZERO)
    ]
    compare("event ~ x + common(w) | g, family(bernoulli), weights(f)", "x == 0", *fits)


def test_shapes_are_estimated_in_both_models() -> None:
    fits = [
        sm.NegativeBinomial(DATA["over"], x, offset=np.log(T)).fit(disp=0, maxiter=500, gtol=1e-6).llf
        for x in (WHOLE, ZERO)
    ]
    compare(
        "over ~ x + common(w) + offset(log(t)) | g, family(negative_binomial)", "x == 0", *fits, rtol=1e-5
    )

    y = DATA["amount"].to_numpy()

    def gamma(columns: np.ndarray) -> float:
        """The means do not depend on the shape, whose likelihood is then maximised on a grid."""
        mean = sm.GLM(y, columns, FAMILIES.Gamma(FAMILIES.links.Log())).fit(tol=1e-12).mu
        shapes = np.linspace(1.0, 4.0, 30_001)
        rest = np.sum(np.log(y / mean) - y / mean)
        total = N * (shapes * np.log(shapes) - gammaln(shapes)) + shapes * rest
        return float(total.max() - np.sum(np.log(y)))

    compare("amount ~ x + common(w) | g, family(gamma)", "x == 0", gamma(WHOLE), gamma(ZERO), rtol=1e-5)


def test_a_value_that_is_not_zero_and_no_free_coefficients() -> None:
    y = DATA["count"]
    fits = [np.sum(poisson.logpmf(y, rate)) for rate in (y.mean(), np.exp(0.2))]
    test = found("count ~ 1, family(poisson)", "Intercept == 0.2")
    assert isinstance(test, Classical)
    assert test.statistic == pytest.approx(2 * (fits[0] - fits[1]), rel=1e-6)


def test_cautions_where_the_chi_square_is_a_poor_guide() -> None:
    data = pd.DataFrame(
        {"y": [0, 0, 1, 1, *[0, 1, 0, 1, 1] * 6], "x": [0, 1, 2, 3, *range(30)], "g": ["A"] * 4 + ["B"] * 30}
    )
    model = fj.model("y ~ x | g, family(bernoulli), test(x == 0)", data)
    test = classical_test(model.plan, model.plan.tests[0])
    assert isinstance(test, Classical)
    assert "estimates are infinite in g A" in test.note
    assert "a g has 4 rows for 2 coefficients" in test.note
    apart = sm.GLM(data["y"][4:], sm.add_constant(data["x"][4:]), FAMILIES.Binomial()).fit()
    assert test.statistic == pytest.approx(2 * 4 * np.log(2) + 2 * (apart.llf - apart.llnull), rel=1e-5)


@pytest.mark.parametrize(
    ("formula", "text", "why"),
    [
        ("event ~ x + (x | g), family(bernoulli)", "x == 0", "no classical test beside group terms"),
        ("amount ~ x | g, family(weibull)", "x == 0", "no likelihood ratio test for family(weibull)"),
        ("over ~ x | g, family(negative_binomial), shape ~ 1 | g", "x == 0", "differs by row"),
    ],
)
def test_what_has_no_classical_test_says_why(formula: str, text: str, why: str) -> None:
    test = found(formula, text)
    assert isinstance(test, Missing)
    assert why in test.reason


def test_it_is_named_in_print_and_table() -> None:
    rng = np.random.default_rng(1)
    model = fj.model("event ~ x | g, family(bernoulli), test(x == 0)", DATA)
    fit = model.fit_from({"Intercept": rng.normal(size=(2, 50, 3)), "x": rng.normal(size=(2, 50, 3))})
    table = fit.test()
    assert table.loc["x == 0", "classical"] == "likelihood ratio"
    assert f"LR chi2(3) = {table.loc['x == 0', 'statistic']:.4g}, p = " in str(fit)


def test_successes_among_trials_get_no_caution_where_rows_of_events_get_none() -> None:
    """Two rows of 20 trials are forty rows of 0 and 1: the same test, with the same cautions."""
    made = pd.DataFrame({"g": list("AABB"), "t": [0, 1, 0, 1], "n": [50, 50, 20, 20], "s": [10, 20, 10, 8]})
    rows = made.loc[made.index.repeat(made["n"])]
    rows = rows.assign(y=(rows.groupby(level=0).cumcount() < rows["s"]).astype(int))
    by_frame = (("prop(s, n) ~ t | g, family(binomial)", made), ("y ~ t | g, family(bernoulli)", rows))
    tests = []
    for text, frame in by_frame:
        model = fj.model(text, frame.reset_index(drop=True))
        tests.append(classical_test(model.plan, hypothesis(model.design, parse_hypotheses("t == 0"))))
    counted, single = tests
    assert isinstance(counted, Classical)
    assert isinstance(single, Classical)
    assert counted.statistic == pytest.approx(single.statistic)
    assert counted.note == single.note == ""
    few = fj.model("prop(s, n) ~ t | g, family(binomial)", made.assign(n=[50, 50, 8, 9], s=[10, 20, 3, 2]))
    cautious = classical_test(few.plan, hypothesis(few.design, parse_hypotheses("t == 0")))
    assert isinstance(cautious, Classical)
    assert "a g has 17 trials for 2 coefficients" in cautious.note
