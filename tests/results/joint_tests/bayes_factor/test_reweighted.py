"""Evidences under other scales of the prior from a fit's draws, beside those that are computed anew."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, inf

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.api.fit import Fit
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.widened_priors import with_scaled
from formulajoint.contrasts.hypotheses import Hypothesis, hypothesis
from formulajoint.inference.evidence import log_evidence
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.joint_tests.bayes_factor import reweighted
from formulajoint.results.joint_tests.bayes_factor.equalities import equalities
from formulajoint.spec.read import parse_hypotheses

FACTORS = (0.5, 1.0, 2.0)


def lines(groups: int, rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    x = rng.normal(size=len(g))
    b = rng.normal(1, 0.7, groups)
    y = rng.normal(3, 1, groups)[g] + b[g] * x + rng.normal(0, 1.5, len(g))
    return pd.DataFrame({"y": y, "x": x, "g": [f"g{k}" for k in g]})


def scaled(plan: Plan, tested: Hypothesis, factor: float) -> Plan:
    found = with_scaled(plan, tested.terms, factor)
    assert isinstance(found, Plan)
    return found


def asked(fit: Fit) -> Hypothesis:
    return hypothesis(fit.model.plan.design, parse_hypotheses("x == 0"))


def from_draws(fit: Fit, *factors: float) -> list[LogIntegral | None]:
    plan, tested = fit.model.plan, asked(fit)
    return reweighted.evidences(fit.draws, [scaled(plan, tested, factor) for factor in factors], tested)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("formula", "groups", "rows"),
    [
        ("y ~ x | g, hierarchy()", 12, 8),
        ("y ~ x | g, hierarchy(cor=false)", 12, 8),
        ("y ~ x | g, hierarchy(), prior(x.mean ~ cauchy(0, 2), x.sd ~ half_student_t(4, 1))", 12, 8),
        ("y ~ x | g, hierarchy(x, dist=student, df=4)", 8, 8),
        ("y ~ x | g, hierarchy(), sigma ~ 1 | g", 5, 8),
        ("y ~ x | g, hierarchy(), prior(x.mean ~ normal(0, 1), x.sd ~ half_normal(0.5))", 3, 2),  # wide
    ],
)
def test_evidences_from_draws_agree_with_those_computed_anew(
    formula: str, groups: int, rows: int, seed: int
) -> None:
    fit = fj.fit(formula, lines(groups, rows, seed), seed=seed, progress=False)
    tested = asked(fit)
    own, *others = from_draws(fit, 1.0, 0.5, 2.0)
    assert own == fit.log_evidence
    for factor, found in zip((0.5, 2.0), others, strict=True):
        if found is None and rows == 2:
            continue  # too uneven
        assert found is not None
        anew = log_evidence(scaled(fit.model.plan, tested, factor), seed=99)
        assert isinstance(anew, LogIntegral)
        assert abs(found.value - anew.value) < 4.5 * hypot(found.error, anew.error) + 1e-6


def test_the_printed_figures_are_those_of_the_table_and_of_the_fits_own_evidence() -> None:
    data = lines(12, 8)
    fit, null = (fj.fit(f, data, seed=1) for f in ("y ~ x | g, hierarchy()", "y ~ 1 | g, hierarchy()"))
    table = fit.sensitivity("x == 0", factors=FACTORS)
    low, middle, high = table["log_bf10"]
    row = fit.test("x == 0").iloc[0]
    assert row["log_bf10"] == middle
    assert row["log_bf10_mcse"] == table["log_bf10_mcse"].iloc[1]
    assert f"with half of it log BF10 is {low:.2f}, with twice {high:.2f}" in row["note"]
    known = equalities(fit.model.plan, asked(fit), (1.0,))[0]
    assert isinstance(known, LogIntegral)
    assert abs(middle - known.value) < 4.5 * hypot(row["log_bf10_mcse"], known.error)
    found = fit.compare(null)  # the null's hierarchy of intercepts alone is the same model
    assert abs(middle - found.value) < 4.5 * hypot(row["log_bf10_mcse"], found.error)


@pytest.mark.parametrize(
    ("clauses", "known"),
    [
        ("hierarchy(), prior(x.sd ~ uniform(0, 5))", False),  # draws say nothing of where it had no density
        ("hierarchy(), prior(x.sd ~ exponential(1))", True),
        ("hierarchy(), prior(x.sd ~ constant(0.5))", False),
        ("se(s), hierarchy(x), prior(x.sd ~ half_normal(1))", False),  # one number: quadrature
        ("sigma ~ 1 | g", False),  # a number for each group
    ],
)
def test_other_scales_are_known_where_a_density_changes_on_the_same_interval(
    clauses: str, known: bool
) -> None:
    fit = fj.fit(f"y ~ x | g, {clauses}", lines(8, 6).assign(s=1.5), seed=1, progress=False)
    half, own, double = from_draws(fit, *FACTORS)
    assert own == fit.log_evidence
    assert (half is not None) == (double is not None) == known


def test_draws_of_another_engine_or_not_to_be_trusted_tell_no_evidence() -> None:
    fit = fj.fit("y ~ x | g, hierarchy()", lines(8, 6), seed=1, progress=False)
    named = fit.draws.named
    for statistics in ({}, {**named.statistics, "k_hat": ((), 0.8)}):
        other = replace(fit.draws, source=replace(named, statistics=statistics))
        assert from_draws(Fit(fit.model, other), *FACTORS) == [None, None, None]


@pytest.mark.parametrize("sd", [0.01, 0.1, 0.3])
def test_the_mean_of_even_weights_and_its_error(sd: float) -> None:
    logs = np.random.default_rng(1).normal(0, sd, 4000)
    found = reweighted._log_mean(logs, inf)
    assert found is not None
    assert found.error == pytest.approx(sd / 4000**0.5, rel=0.1)
    assert abs(found.value - sd**2 / 2) < 4 * found.error
    poor = reweighted._log_mean(logs, 4000)
    assert poor is not None
    assert poor.error == pytest.approx(2**0.5 * found.error)


def test_uneven_weights_have_no_mean() -> None:
    rng = np.random.default_rng(1)
    for logs in (
        0.7 * rng.exponential(size=4000),  # k-hat 0.7
        rng.normal(0, 2, 4000),
        rng.normal(0, 0.1, 30) + 10 * (np.arange(30) == 3),
        np.full(4000, -inf),
        np.append(np.zeros(4000), np.nan),
    ):
        assert reweighted._log_mean(logs, inf) is None
