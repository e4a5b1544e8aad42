"""Joint Bayes factors of whole models: the seed data, dense evidences, Savage and Dickey."""

from __future__ import annotations

from math import log

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, hypothesis
from formulajoint.errors import FormulaError
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.bayes_factor import equalities
from formulajoint.spec.read import parse_hypotheses

type Array = NDArray[np.float64]

LINE = "test_score ~ treatment | school"


def read(plan: Plan, text: str) -> Hypothesis:
    return hypothesis(plan.design, parse_hypotheses(text))


def equality(formula: str, data: pd.DataFrame, text: str, priors: str | None = None) -> LogIntegral | Missing:
    plan = fj.model(formula, data, priors=priors).plan
    return equalities.equality(plan, read(plan, text))


def value(formula: str, data: pd.DataFrame, text: str) -> float:
    found = equality(formula, data, text)
    assert isinstance(found, LogIntegral), found
    assert found.error < 1e-8
    return found.value


# --- the seed data


def test_the_seed_data_under_the_default_priors(tutoring: pd.DataFrame) -> None:
    """s_x is 1/2 for a 0/1 column."""
    assert value(LINE, tutoring, "treatment == 0") == pytest.approx(9.934, abs=5e-4)


def test_the_seed_data_under_priors_scaled_by_the_sd_of_the_treatment(tutoring: pd.DataFrame) -> None:
    s_y, s_x = tutoring["test_score"].std(), tutoring["treatment"].std()
    slope = 2.5 * s_y / s_x
    intercept = np.hypot(2.5 * s_y, slope * tutoring["treatment"].mean())
    mean = tutoring["test_score"].mean()
    priors = f"prior(treatment ~ normal(0, {slope}), Intercept ~ normal({mean}, {intercept}))"
    assert value(f"{LINE}, {priors}", tutoring, "treatment == 0") == pytest.approx(10.02, abs=5e-3)


def test_the_null_keeps_the_intercepts_prior(tutoring: pd.DataFrame) -> None:
    """Without the term the default prior of the intercept would be another, and the Bayes factor with it."""
    s0 = np.hypot(2.5, 2.5) * tutoring["test_score"].std()  # slope sd 5 s_y, mean 1/2
    written = (
        f"prior(treatment ~ normal(0, {5 * tutoring['test_score'].std()}), Intercept ~ normal(8.7, {s0}))"
    )
    assert value(LINE, tutoring, "treatment == 0") == pytest.approx(
        value(f"{LINE}, {written}", tutoring, "treatment == 0"), abs=1e-9
    )


# --- whole models against dense evidences

RNG = np.random.default_rng(1)
ROWS = 24
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(1, 2, ROWS),
        "age": RNG.normal(40, 9, ROWS).round(),
        "arm": ["a", "b", "c"] * (ROWS // 3),
        "g": np.repeat(list("PQR"), ROWS // 3),
        "base": RNG.normal(0, 5, ROWS),
        "w": [1, 2, 1, 3] * (ROWS // 4),
    }
)
FRAME["y"] = 3 + 0.4 * FRAME["x"] + 0.1 * FRAME["age"] + FRAME["base"] + RNG.normal(0, 1, ROWS)

WRITTEN = "Intercept ~ normal(4, 6), x ~ normal(0.2, 1.5), sigma ~ half_cauchy(2)"


def dummies(column: str, data: pd.DataFrame = FRAME) -> Array:
    return pd.get_dummies(data[column], dtype=float).to_numpy()


def design(data: pd.DataFrame = FRAME) -> Array:
    """Return the columns of ``x | g``: three intercepts, three slopes."""
    groups = dummies("g", data)
    return np.hstack([groups, groups * data[["x"]].to_numpy()])


def dense_evidence(columns: Array, y: Array, mean: Array, covariance: Array) -> float:
    """Return log p(y) with sigma ~ half_cauchy(2), by quadrature of dense multivariate normals."""
    spread, left = columns @ covariance @ columns.T, y - columns @ mean

    def log_density(sigma: float) -> float:
        likelihood = stats.multivariate_normal.logpdf(left, cov=spread + sigma**2 * np.eye(len(y)))
        return float(likelihood + stats.halfcauchy.logpdf(sigma, scale=2))

    top = max(log_density(s) for s in np.geomspace(0.2, 8, 40))
    found, _ = integrate.quad(lambda s: np.exp(log_density(s) - top), 0.02, 80, limit=300, epsrel=1e-9)
    return top + log(found)


def dense(columns: Array, y: Array, mean: Array, sd: Array, rows: Array, null: Array) -> float:
    """Return log BF10, the null's prior conditioned by the textbook."""
    s0 = np.diag(sd**2)
    gain = s0 @ rows.T @ np.linalg.inv(rows @ s0 @ rows.T)
    null_mean, null_covariance = mean - gain @ (rows @ mean - null), s0 - gain @ rows @ s0
    return dense_evidence(columns, y, mean, s0) - dense_evidence(columns, y, null_mean, null_covariance)


MEAN, SD = np.repeat([4.0, 0.2], 3), np.repeat([6.0, 1.5], 3)
HYPOTHESES = {
    "x == 0": (np.eye(6)[3:], np.zeros(3)),
    "x == x[P]": (np.eye(6)[4:] - np.eye(6)[3], np.zeros(2)),
    "x == x[P], x[Q] == x[R]": (np.eye(6)[4:] - np.eye(6)[3], np.zeros(2)),  # of rank 2
    "x[P] - 2 * x[Q] == 1": (np.array([[0, 0, 0, 1.0, -2, 0]]), np.ones(1)),
    "x == 0, Intercept == 4": (np.eye(6), np.repeat([4.0, 0], 3)),
}


@pytest.mark.parametrize("text", HYPOTHESES)
def test_lines_by_group(text: str) -> None:
    expected = dense(design(), FRAME["y"].to_numpy(), MEAN, SD, *HYPOTHESES[text])
    assert value(f"y ~ x | g, prior({WRITTEN})", FRAME, text) == pytest.approx(expected, abs=1e-7)


def test_shared_terms_and_an_offset() -> None:
    columns = np.hstack([design(), FRAME[["age"]].to_numpy()])
    y = (FRAME["y"] - FRAME["base"]).to_numpy()
    mean, sd = np.append(MEAN, 0), np.append(SD, 0.3)
    formula = f"y ~ x + common(age) + offset(base) | g, prior({WRITTEN}, age ~ normal(0, 0.3))"
    for text, rows in {
        "x == x[P]": np.eye(7)[4:6] - np.eye(7)[3],
        "age == 0": np.eye(7)[6:],
        "x == age": np.eye(7)[3:6] - np.eye(7)[6],
    }.items():
        expected = dense(columns, y, mean, sd, rows, np.zeros(len(rows)))
        assert value(formula, FRAME, text) == pytest.approx(expected, abs=1e-7)


def test_a_factor_has_a_prior_for_each_of_its_columns() -> None:
    groups, arms = dummies("g"), dummies("arm")[:, 1:]
    # arm:x of arms b and c, each with s_x of its own
    own = np.einsum("ng,na->nga", groups, arms * FRAME[["x"]].to_numpy()).reshape((ROWS, -1))
    columns = np.hstack([design(), own])
    plan = fj.model(f"y ~ x + arm:x | g, prior({WRITTEN})", FRAME).plan
    sds = 2.5 * FRAME["y"].std() / (arms * FRAME[["x"]].to_numpy()).std(axis=0, ddof=1)
    assert sds[0] != pytest.approx(sds[1], rel=1e-3)
    rows = np.eye(12)[6:]
    found = equalities.equality(plan, read(plan, "arm:x == 0"))
    expected = dense(
        columns, FRAME["y"].to_numpy(), np.append(MEAN, np.zeros(6)), np.append(SD, np.tile(sds, 3)), rows, np.zeros(6)
    )  # fmt: skip
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(expected, abs=1e-7)


def test_row_weights_are_repeated_rows() -> None:
    repeated = FRAME.loc[FRAME.index.repeat(FRAME["w"])].reset_index(drop=True)
    formula = f"y ~ x + common(age) + offset(base) | g, prior({WRITTEN}, age ~ normal(0, 0.3))"
    weighted = value(f"{formula}, weights(w)", FRAME, "x == 0")
    assert weighted == pytest.approx(value(formula, repeated, "x == 0"), abs=1e-9)
    assert weighted != pytest.approx(value(formula, FRAME, "x == 0"), abs=0.01)


def test_a_prior_of_sigma_that_ends() -> None:
    """It would like to be larger."""
    columns, y = design(), (FRAME["y"] - FRAME["base"]).to_numpy()

    def evidence(mean: Array, covariance: Array) -> float:
        spread = columns @ covariance @ columns.T
        s = np.linspace(0.3, 0.9, 501)
        values = [
            stats.multivariate_normal.logpdf(y - columns @ mean, cov=spread + v**2 * np.eye(ROWS)) for v in s
        ]
        top = max(values)
        return top + log(integrate.simpson(np.exp(np.array(values) - top), x=s))

    prior = WRITTEN.replace("half_cauchy(2)", "uniform(0.3, 0.9)")
    null = np.append(MEAN[:3], np.zeros(3)), np.diag(np.append(SD[:3], np.zeros(3)) ** 2)
    expected = evidence(MEAN, np.diag(SD**2)) - evidence(*null)
    formula = f"y ~ x + offset(base) | g, prior({prior})"
    assert value(formula, FRAME, "x == 0") == pytest.approx(expected, abs=1e-7)


def test_the_ratio_of_savage_and_dickey_is_the_same_number(tutoring: pd.DataFrame) -> None:
    """The prior's density at the null over the posterior's, integrated over sigma."""
    groups = dummies("school", tutoring)
    columns = np.hstack([groups, groups * tutoring[["treatment"]].to_numpy()])
    y = tutoring["test_score"].to_numpy(float)
    mean, sd = np.repeat([8.0, 0], 2), np.repeat([20.0, 30], 2)
    rows = np.array([[0.0, 0, 1, -1]])
    s0 = np.diag(sd**2)

    def posterior(sigma: float) -> tuple[float, float]:
        """Return log p(y | sigma) p(sigma), and the log density of R b at 0 given sigma and y."""
        precision = columns.T @ columns / sigma**2 + np.linalg.inv(s0)
        centre = np.linalg.solve(precision, columns.T @ y / sigma**2 + np.linalg.solve(s0, mean))
        covariance = rows @ np.linalg.solve(precision, rows.T)
        likelihood = stats.multivariate_normal.logpdf(
            y, columns @ mean, columns @ s0 @ columns.T + sigma**2 * np.eye(len(y))
        )
        at_null = stats.multivariate_normal.logpdf(np.zeros(1), rows @ centre, covariance)
        return float(likelihood + stats.halfnorm.logpdf(sigma, scale=2)), float(at_null)

    top = max(posterior(s)[0] for s in np.geomspace(0.2, 5, 40))
    weight, _ = integrate.quad(lambda s: np.exp(posterior(s)[0] - top), 0.1, 12, limit=200)
    density, _ = integrate.quad(lambda s: np.exp(sum(posterior(s)) - top), 0.1, 12, limit=200)
    prior = stats.norm.logpdf(0, 0, np.sqrt(2) * 30)
    formula = f"{LINE}, prior(Intercept ~ normal(8, 20), treatment ~ normal(0, 30), sigma ~ half_normal(2))"
    found = value(formula, tutoring, "treatment[A] == treatment[B]")
    assert found == pytest.approx(prior - log(density / weight), abs=1e-6)


@pytest.mark.parametrize(("shift", "scale"), [(1e6, 1.0), (1e9, 1.0), (0.0, 1e-9), (0.0, 1e12), (-1e8, 1e3)])
def test_units_and_origin_of_the_response_do_not_matter(
    tutoring: pd.DataFrame, shift: float, scale: float
) -> None:
    moved = tutoring.assign(test_score=tutoring["test_score"] * scale + shift)
    for text in ("treatment == 0", "treatment[A] == treatment[B]"):
        assert value(LINE, moved, text) == pytest.approx(value(LINE, tutoring, text), abs=1e-5)


# --- what has no Bayes factor


@pytest.mark.parametrize(
    ("formula", "priors", "reason"),
    [
        (LINE, "flat", "no Bayes factor: flat priors have no density"),
        (
            f"{LINE}, family(laplace)",
            None,
            "no Bayes factor: the response is laplace, which no exact engine covers",
        ),
        (
            f"{LINE}, sigma ~ treatment | school, hierarchy(sigma)",
            None,
            "no Bayes factor: coefficients of sigma are pooled",
        ),
        (
            f"{LINE}, prior(treatment ~ cauchy(0, 5))",
            None,
            "no Bayes factor: the prior of `treatment` is cauchy, not normal",
        ),
    ],
)
def test_reasons(tutoring: pd.DataFrame, formula: str, priors: str | None, reason: str) -> None:
    found = equality(formula, tutoring, "treatment == 0", priors)
    assert isinstance(found, Missing)
    assert found.reason == reason


def test_too_many_coefficients() -> None:
    data = pd.DataFrame({"y": np.arange(1600) % 7 * 1.0, "x": np.arange(1600) % 5, "g": np.arange(1600) // 2})
    reason = "no Bayes factor: a hypothesis about some groups must state that they are equal"
    found = equality("y ~ x | g", data, "x[0] == 0")
    assert isinstance(found, Missing)
    assert found.reason == reason


def test_a_known_sigma() -> None:
    """y has then a normal density: its covariance is sigma^2 and what the prior makes of the columns."""
    rng = np.random.default_rng(8)
    x, group = rng.normal(size=40), np.repeat([0, 1], 20)
    data = pd.DataFrame({"y": 0.4 * x + rng.normal(size=40), "x": x, "g": np.array(["A", "B"])[group]})
    line = "y ~ x | g, prior(Intercept ~ normal(0, 2), x ~ normal(0, 3), sigma ~ constant(1.5))"
    own = np.stack([(group == g) * c for g in (0, 1) for c in (np.ones(40), x)], axis=1)

    def log_evidence(sds: list[float]) -> float:
        covariance = 1.5**2 * np.eye(40) + (own * np.square(sds)) @ own.T
        return float(stats.multivariate_normal(np.zeros(40), covariance).logpdf(data["y"]))

    for text, null in (("x == 0", [2.0, 0, 2, 0]), ("x[B] == 0", [2.0, 3, 2, 0])):
        found = equality(line, data, text)
        assert isinstance(found, LogIntegral)
        assert found.value == pytest.approx(log_evidence([2.0, 3, 2, 3]) - log_evidence(null), abs=1e-9)
        assert found.error < 1e-9


# --- the stated error, over repeats


def evidence_by_trapezoids(y: Array, mean: Array, covariance: Array) -> float:
    """Return log p(y) with sigma ~ half_normal(2) by another rule: eigenvalues, and trapezoids over log sigma, which
    converge faster than any power for what falls off at both ends.
    """
    values, vectors = np.linalg.eigh(covariance)
    along = (vectors.T @ (y - mean)) ** 2
    t = np.linspace(-6, 3, 3001)
    spread = np.maximum(values, 0) + np.exp(2 * t)[:, None]
    logs = -0.5 * np.sum(np.log(2 * np.pi * spread) + along / spread, axis=1)
    logs += stats.halfnorm.logpdf(np.exp(t), scale=2) + t
    top = logs.max()
    return float(top + log(integrate.trapezoid(np.exp(logs - top), x=t)))


@pytest.mark.parametrize("groups", [2, 5, 20])
@pytest.mark.parametrize("text", ["x == 0", "x == x[a]"])
def test_the_error_stated_covers_the_error_made(groups: int, text: str) -> None:
    rng, labels, misses = np.random.default_rng(groups), "abcdefghijklmnopqrst"[:groups], []
    for _ in range(12):
        data = pd.DataFrame({"g": np.repeat(list(labels), 5), "x": rng.normal(size=5 * groups)})
        data["y"] = 1 + 0.4 * data["x"] * rng.normal() + rng.normal(size=len(data))
        found = equality(
            "y ~ x | g, prior(Intercept ~ normal(0, 3), x ~ normal(0, 1), sigma ~ half_normal(2))", data, text
        )
        assert isinstance(found, LogIntegral)
        one = dummies("g", data)
        slope = one * data[["x"]].to_numpy()
        base, y = 9 * one @ one.T, data["y"].to_numpy()
        shared = (
            data["x"].to_numpy()[:, None] @ data["x"].to_numpy()[None] / groups
        )  # given that all are equal
        null = base if text == "x == 0" else base + shared
        nothing = np.zeros(len(data))
        expected = evidence_by_trapezoids(y, nothing, base + slope @ slope.T) - evidence_by_trapezoids(
            y, nothing, null
        )
        misses.append(abs(found.value - expected) / found.error)
        assert found.error < 1e-10
    assert np.mean(np.array(misses) < 1) >= 0.9, misses


# --- many groups


@pytest.mark.parametrize("text", ["x == 0", "x == x[0]", "x[0] == x[1] == x[2], x[4] == x[3]"])
def test_many_groups_go_by_evidences_to_the_same_figure(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    rng = np.random.default_rng(7)
    data = pd.DataFrame({"g": np.arange(600) % 60, "x": rng.normal(size=600)})
    data["y"] = 2 + 0.3 * data["x"] + rng.normal(size=600)
    formula = "y ~ x | g, prior(x ~ normal(0, 0.5))"
    dense = equality(formula, data, text)
    monkeypatch.setattr(equalities, "MOST_DENSE", 100)
    found = equality(formula, data, text)
    assert isinstance(found, LogIntegral)
    assert isinstance(dense, LogIntegral)
    assert found != dense  # it is another figure
    assert found.value == pytest.approx(dense.value, abs=4 * found.error)


# --- under a hierarchy


SCALED = (
    f"{LINE}, hierarchy(treatment), prior(Intercept ~ normal(0, 10), treatment.mean ~ normal(0, 20), "
    "treatment.sd ~ half_normal(15), sigma ~ half_normal(2))"
)


def evidence_over_tau(data: pd.DataFrame, null: str) -> float:
    """Return log p(y) of `SCALED`, or of a null model, with tau by trapezoids over its log, too."""
    y = data["test_score"].to_numpy(float)
    inside = (data["school"].to_numpy()[:, None] == ["A", "B"]).astype(float)
    slopes = inside * data["treatment"].to_numpy()[:, None]
    nothing, base = np.zeros(len(y)), 100.0 * inside @ inside.T
    if null == "zero":
        return evidence_by_trapezoids(y, nothing, base)
    base = base + 400.0 * slopes.sum(axis=1, keepdims=True) @ slopes.sum(axis=1, keepdims=True).T
    if null == "equal":
        return evidence_by_trapezoids(y, nothing, base)
    t = np.linspace(-8, 5, 261)
    logs = [evidence_by_trapezoids(y, nothing, base + np.exp(2 * x) * slopes @ slopes.T) for x in t]
    logs = np.array(logs) + stats.halfnorm.logpdf(np.exp(t), scale=15) + t
    return float(logs.max() + log(integrate.trapezoid(np.exp(logs - logs.max()), x=t)))


@pytest.mark.parametrize(
    ("text", "null"), [("treatment == 0", "zero"), ("treatment == treatment[A]", "equal")]
)
def test_under_a_hierarchy_it_is_a_ratio_of_evidences(tutoring: pd.DataFrame, text: str, null: str) -> None:
    """The prior's density is infinite where all are zero or equal: no ratio of densities would give this number."""
    found = equality(SCALED, tutoring, text)
    assert isinstance(found, LogIntegral)
    expected = evidence_over_tau(tutoring, "") - evidence_over_tau(tutoring, null)
    assert found.error < 0.01
    assert found.value == pytest.approx(expected, abs=4 * found.error + 1e-4)


def test_a_single_coefficient_under_a_hierarchy_has_none_and_says_why(tutoring: pd.DataFrame) -> None:
    found = equality(SCALED, tutoring, "treatment[A] == 0")
    assert isinstance(found, Missing)
    assert found.reason == "no Bayes factor: a hypothesis about some groups must state that they are equal"


def test_some_groups_of_a_hierarchy_and_the_scale_of_its_prior() -> None:
    data = fj.tutoring()
    data = pd.concat([data, data.assign(school="C", test_score=data["test_score"] + 1)])
    fit = fj.fit(SCALED, data, draws=200, seed=1)
    (row,) = fit.test("treatment[A] == treatment[C]").to_dict("records")
    table = fit.sensitivity("treatment[A] == treatment[C]", factors=(0.5, 1.0, 2.0))
    low, middle, high = table["log_bf10"]
    assert row["log_bf10"] == middle
    assert row["log_bf10_mcse"] < 0.02
    assert row["note"] == (
        "prior sd 20 of treatment_mean and 15 of treatment_sd: "
        f"with half of it log BF10 is {low:.2f}, with twice {high:.2f}"
    )
    for factor, known in ((0.5, low), (2.0, high)):
        own = SCALED.replace("normal(0, 20)", f"normal(0, {20 * factor:g})")
        own = own.replace("half_normal(15)", f"half_normal({15 * factor:g})")
        found = equality(own, data, "treatment[A] == treatment[C]")
        assert isinstance(found, LogIntegral)
        error = table.loc[("treatment[A] == treatment[C]", factor), "log_bf10_mcse"]
        assert abs(found.value - known) < 4.5 * np.hypot(found.error, error)


def test_flat_means_of_a_hierarchy_have_none(tutoring: pd.DataFrame) -> None:
    found = equality(f"{LINE}, hierarchy()", tutoring, "treatment == 0", priors="flat")
    assert found == Missing("flat", "no Bayes factor: flat priors have no density")


def test_ratios_of_coefficients_are_no_hypothesis(tutoring: pd.DataFrame) -> None:
    """Their Bayes factor would depend on how they are written (Borel's paradox)."""
    with pytest.raises(FormulaError, match="is not linear in the coefficients"):
        equality(LINE, tutoring, "treatment[A] / treatment[B] == 1")


# --- known standard errors


@pytest.mark.parametrize(
    "text", ["treatment == 0", "treatment[A] == treatment[B]", "treatment[A] == 2 * treatment[B]"]
)
def test_known_standard_errors_leave_normal_densities(tutoring: pd.DataFrame, text: str) -> None:
    """Savage and Dickey's ratio in closed form: everything is normal."""
    data = tutoring.assign(s=1 + np.arange(10) % 4)
    plan = fj.model(f"{LINE}, se(s), prior(Intercept ~ normal(3, 10), treatment ~ normal(5, 8))", data).plan
    x = np.zeros((10, 4))  # intercepts of A and B, slopes of A and B
    code = (data["school"] == "B").to_numpy().astype(int)
    x[np.arange(10), code], x[np.arange(10), 2 + code] = 1.0, data["treatment"]
    precisions = 1 / data["s"].to_numpy() ** 2
    before, mean = np.diag([100.0, 100.0, 64.0, 64.0]), np.array([3.0, 3.0, 5.0, 5.0])
    after = np.linalg.inv(np.linalg.inv(before) + (x.T * precisions) @ x)
    updated = after @ (np.linalg.solve(before, mean) + (x.T * precisions) @ data["test_score"].to_numpy())
    rows = {
        "treatment == 0": np.eye(4)[2:],
        "treatment[A] == treatment[B]": np.array([[0, 0, 1.0, -1]]),
        "treatment[A] == 2 * treatment[B]": np.array([[0, 0, 1.0, -2]]),
    }[text]
    prior, posterior = (
        stats.multivariate_normal.logpdf(np.zeros(len(rows)), rows @ m, rows @ cov @ rows.T)
        for m, cov in ((mean, before), (updated, after))
    )
    found = equalities.equality(plan, read(plan, text))
    assert isinstance(found, LogIntegral), found
    assert found.value == pytest.approx(prior - posterior, abs=1e-9)
    assert found.error < 1e-8


@pytest.mark.parametrize("clauses", ["", ", hierarchy()"])
@pytest.mark.parametrize("text", ["treatment == 0", "treatment == treatment[A]"])
def test_several_scales_at_once_are_each_scale_alone(tutoring: pd.DataFrame, clauses: str, text: str) -> None:
    plan = fj.model(f"{LINE}{clauses}", tutoring).plan
    both = equalities.equalities(plan, read(plan, text), (1.0, 2.0))
    assert both == [equalities.equalities(plan, read(plan, text), (factor,))[0] for factor in (1.0, 2.0)]
