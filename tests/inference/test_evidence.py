"""The evidence against closed forms, quadrature and dense matrices; Bayes factors against what they must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, hypothesis
from formulajoint.inference.evidence import log_bayes_factor, log_evidence
from formulajoint.inference.null_plan import null_plan
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.bayes_factor.equalities import equality
from formulajoint.spec.read import parse_hypotheses

NOT_POOLED = "test_score ~ treatment | school"
POOLED = "test_score ~ treatment | school, hierarchy(cor=false)"


def plan_of(formula: str, data: pd.DataFrame | None = None, priors: str | None = None) -> Plan:
    return fj.model(formula, fj.tutoring() if data is None else data, priors=priors).plan


def asked(plan: Plan, text: str) -> Hypothesis:
    return hypothesis(plan.design, parse_hypotheses(text))


def number(found: LogIntegral | str) -> LogIntegral:
    assert isinstance(found, LogIntegral), found
    assert 0 <= found.error < 0.02
    return found


def agrees(found: LogIntegral | str, value: float) -> bool:
    known = number(found)
    return abs(known.value - value) < 4.5 * known.error + 1e-9


def test_all_scales_known_is_a_normal_density() -> None:
    formula = """test_score ~ treatment | school, hierarchy(Intercept), prior(sigma ~ constant(1), Intercept.sd ~ constant(2),
                 Intercept.mean ~ normal(1, 3), treatment ~ normal(10, 5))"""
    data = fj.tutoring()
    same = data["school"].to_numpy()[:, None] == data["school"].to_numpy()[None]
    x = data["treatment"].to_numpy()
    covariance = np.eye(10) + 9 + 4 * same + 25 * same * np.outer(x, x)
    known = stats.multivariate_normal.logpdf(data["test_score"], 1 + 10 * x, covariance)
    assert log_evidence(plan_of(formula)) == LogIntegral(pytest.approx(known, abs=1e-9), 0.0)


def test_known_standard_errors_make_a_normal_density() -> None:
    formula = """test_score ~ treatment | school, hierarchy(Intercept), se(s), prior(Intercept.sd ~ constant(2),
                 Intercept.mean ~ normal(1, 3), treatment ~ normal(10, 5))"""
    data = fj.tutoring().assign(s=1 + np.arange(10) % 4)
    same = data["school"].to_numpy()[:, None] == data["school"].to_numpy()[None]
    x = data["treatment"].to_numpy()
    covariance = np.diag(data["s"] ** 2) + 9 + 4 * same + 25 * same * np.outer(x, x)
    known = stats.multivariate_normal.logpdf(data["test_score"], 1 + 10 * x, covariance)
    assert log_evidence(plan_of(formula, data)) == LogIntegral(pytest.approx(known, abs=1e-9), 0.0)
    doubled = pd.concat([data, data])
    counted, written = (
        log_evidence(plan_of(f"{formula}, weights(w)", data.assign(w=2))),
        log_evidence(plan_of(formula, doubled)),
    )
    assert number(counted).value == pytest.approx(number(written).value, abs=1e-9)


def test_one_sd_is_an_integral_that_scipy_can_do() -> None:
    formula = """test_score ~ 1 | school, hierarchy(Intercept),
                 prior(sigma ~ constant(8), Intercept.mean ~ normal(5, 5), Intercept.sd ~ half_cauchy(3))"""
    data = fj.tutoring()
    same = data["school"].to_numpy()[:, None] == data["school"].to_numpy()[None]

    def integrand(tau: float) -> float:
        covariance = 64 * np.eye(10) + 25 + tau**2 * same
        density = stats.multivariate_normal.pdf(data["test_score"], np.full(10, 5.0), covariance)
        return float(density * stats.halfcauchy.pdf(tau, scale=3))

    parts = [
        integrate.quad(integrand, *ends, epsabs=0, epsrel=1e-11)[0]
        for ends in ((0, 3), (3, 30), (30, np.inf))
    ]
    assert agrees(log_evidence(plan_of(formula)), np.log(sum(parts)))


def test_sigmas_by_group_are_a_product_of_the_groups() -> None:
    formula = """test_score ~ treatment | school, sigma ~ 1 | school, prior(Intercept ~ normal(0, 10),
                 treatment ~ normal(0, 20), sigma ~ half_cauchy(5))"""
    data, total = fj.tutoring(), 0.0
    for _, own in data.groupby("school"):
        alone = "test_score ~ treatment, prior(Intercept ~ normal(0, 10), treatment ~ normal(0, 20), sigma ~ half_cauchy(5))"
        total += number(log_evidence(plan_of(alone, own))).value
    found = number(log_evidence(plan_of(formula)))
    assert abs(found.value - total) < 4.5 * 2 * found.error


def test_another_seed_is_another_estimate_within_the_error() -> None:
    found = [number(log_evidence(plan_of(POOLED), seed)) for seed in range(6)]
    spread = np.std([each.value for each in found], ddof=1)
    assert 0.3 < spread / np.mean([each.error for each in found]) < 2.2  # chi with 5 degrees of freedom


# --- no evidence


def test_flat_priors_have_none() -> None:
    assert log_evidence(plan_of(NOT_POOLED, priors="flat")) == Missing("flat", "flat priors have no density")


def test_rows_that_count_as_fractions_have_none_and_frequencies_have() -> None:
    data = fj.tutoring().assign(w=0.5)
    formula = f"{POOLED}, weights(w)"
    assert log_evidence(plan_of(formula, data)) == Missing(
        "weights",
        "fractional row weights define no likelihood",
    )
    doubled = number(log_evidence(plan_of(formula, data.assign(w=2))))
    priors = (
        "prior("
        + ", ".join(
            [
                "sigma ~ half_normal(5)",
                "Intercept.mean ~ normal(0, 10)",
                "Intercept.sd ~ half_normal(5)",
                "treatment.mean ~ normal(0, 10)",
                "treatment.sd ~ half_normal(5)",
            ]
        )
        + ")"
    )
    counted = number(log_evidence(plan_of(f"{formula}, {priors}", data.assign(w=2))))
    written = number(log_evidence(plan_of(f"{POOLED}, {priors}", pd.concat([data, data]))))
    assert doubled.value != counted.value
    assert abs(counted.value - written.value) < 1e-6  # the same seed, the same points


def test_what_the_engine_does_not_cover_has_none() -> None:
    found = log_evidence(plan_of(f"{NOT_POOLED}, family(laplace)"))
    assert found == Missing("engine", "the response is laplace, which no exact engine covers")


# --- Bayes factors


@pytest.mark.parametrize(
    "text", ["treatment == 0", "treatment == 5", "treatment == treatment[A]", "Intercept == 0"]
)
def test_not_pooled_they_are_those_of_quadrature(text: str) -> None:
    plan = plan_of(NOT_POOLED)
    known = equality(plan, asked(plan, text))
    assert isinstance(known, LogIntegral)
    assert agrees(log_bayes_factor(plan, asked(plan, text)), known.value)
    data = fj.tutoring().assign(s=1 + np.arange(10) % 4)
    plan = plan_of(f"{NOT_POOLED}, se(s)", data)
    known = equality(plan, asked(plan, text))
    assert agrees(log_bayes_factor(plan, asked(plan, text)), number(known).value)


def test_all_zero_is_the_model_without_the_term() -> None:
    priors = (
        """prior(Intercept.mean ~ normal(0, 10), Intercept.sd ~ half_normal(5), sigma ~ half_normal(5){})"""
    )
    full = plan_of(
        f"{POOLED}, {priors.format(', treatment.mean ~ normal(0, 10), treatment.sd ~ half_normal(5)')}"
    )
    without = plan_of(f"test_score ~ 1 | school, hierarchy(cor=false), {priors.format('')}")
    known = number(log_evidence(full)).value - number(log_evidence(without)).value
    assert agrees(log_bayes_factor(full, asked(full, "treatment == 0")), known)


def test_all_equal_is_common_with_the_prior_of_the_mean() -> None:
    priors = "prior(Intercept.mean ~ normal(0, 10), Intercept.sd ~ half_normal(5), sigma ~ half_normal(5){})"
    full = plan_of(
        f"{POOLED}, {priors.format(', treatment.mean ~ normal(0, 10), treatment.sd ~ half_normal(5)')}"
    )
    shared = plan_of(
        f"test_score ~ 1 + common(treatment) | school, hierarchy(Intercept), {priors.format(', treatment ~ normal(0, 10)')}"
    )
    known = number(log_evidence(full)).value - number(log_evidence(shared)).value
    assert agrees(log_bayes_factor(full, asked(full, "treatment == treatment[B]")), known)


def test_correlations_that_stay_keep_their_prior() -> None:
    data = fj.tutoring().assign(z=np.arange(10) % 3)
    plan = plan_of("test_score ~ treatment + z | school, hierarchy()", data)
    null = null_plan(plan, asked(plan, "treatment == 0"))
    assert isinstance(null, Plan)
    (pool,) = null.mean.pools
    assert pool.correlation is not None
    assert pool.correlation.eta == 2.5  # that of one correlation of three under LKJ(2): Beta(2.5, 2.5)
    both = null_plan(plan, asked(plan, "treatment == 0, z == 0"))
    assert isinstance(both, Plan)
    assert both.mean.pools[0].correlation is None


def test_a_null_of_all_terms_is_one_of_constants() -> None:
    plan = plan_of(POOLED)
    null = null_plan(plan, asked(plan, "treatment == 10, Intercept == 2"))
    assert isinstance(null, Plan)
    assert not null.mean.pools
    simple = plan_of("test_score ~ treatment, prior(Intercept ~ constant(2), treatment ~ constant(10))")
    simple = replace(simple, further=plan.further)
    assert abs(number(log_evidence(null)).value - number(log_evidence(simple)).value) < 0.01


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("treatment[A] == 0", "a hypothesis about some groups must state that they are equal"),
        (
            "treatment[A] == 1, treatment[B] == 2",
            "it fixes coefficients at different values in different groups",
        ),
        (
            "treatment[A] == 2 * treatment[B]",
            "it must fix all coefficients of a term, or make them equal in all groups",
        ),
        (
            "treatment[A] - treatment[B] == 1",
            "it must fix all coefficients of a term, or make them equal in all groups",
        ),
        (
            "treatment == Intercept",
            "it must fix all coefficients of a term, or make them equal in all groups",
        ),
        (
            "treatment[A] - treatment[B] == Intercept[A] - Intercept[B]",
            "it compares coefficients of different terms",
        ),
    ],
)
def test_what_has_no_null_model_says_why(text: str, reason: str) -> None:
    plan = plan_of(POOLED)
    assert log_bayes_factor(plan, asked(plan, text)) == Missing("null", reason)


@pytest.mark.parametrize(
    ("formula", "text", "reason"),
    [
        ("y ~ f", "f[b] == f[c]", "it must fix all coefficients of a term"),
        ("y ~ f", "f[b] == f[c], f[c] == f[d]", "it must fix all coefficients of a term"),
        ("y ~ f", "f[b] == 0", "it must fix all coefficients of a term"),
        ("y ~ f | g", "f[f=b, g=A] == 0, f[f=b, g=B] == 0", "it must fix all coefficients of a term"),
        (
            "y ~ f | g",
            "f[f=b, g=A] == f[f=c, g=A]",
            "a hypothesis about some groups must state that they are equal",
        ),
    ],
)
def test_some_levels_of_a_factor_have_no_null_model_and_say_why(formula: str, text: str, reason: str) -> None:
    data = pd.DataFrame({"y": np.arange(16) % 5 * 1.0, "f": list("abcd") * 4, "g": list("A" * 8 + "B" * 8)})
    plan = plan_of(formula, data)
    assert log_bayes_factor(plan, asked(plan, text)) == Missing("null", reason)


def test_labels_in_another_order_are_the_same_model() -> None:
    """A sigma by group, where sigma's own factor names the groups in another order."""
    rng = np.random.default_rng(0)
    y = np.concatenate([100 + rng.normal(0, sd, 30) for sd in (1, 5, 25)])
    data = pd.DataFrame({"y": y, "g": np.repeat(["a", "b", "c"], 30), "h": np.repeat(["z", "y", "x"], 30)})
    formula = "y ~ 1 | g, sigma ~ 1 | {}, prior(Intercept ~ normal(0, 10))"
    one, other = (number(log_evidence(plan_of(formula.format(by), data))) for by in ("g", "h"))
    assert abs(one.value - other.value) < 4.5 * other.error + 1e-9
