"""Some groups of one of several factors with equal coefficients: the null's density, and Bayes factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

import formulajoint as fj
from formulajoint.compiler.over import plan_of
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, of_test
from formulajoint.inference.crossed.engine import Crossed
from formulajoint.inference.crossed.marginal import log_likelihood
from formulajoint.inference.crossed.model import model_of
from formulajoint.inference.crossed.sums import sums_of
from formulajoint.inference.crossed.ties import tied
from formulajoint.inference.evidence import log_bayes_factor
from formulajoint.inference.gaussian.engine import Gaussian
from formulajoint.inference.latent.columns import location_and_scale
from formulajoint.inference.latent.ties import Equal, equal_groups
from formulajoint.inference.quadrature import LogIntegral

type Array = NDArray[np.float64]

PRIORS = "prior(Intercept ~ normal(1, 2), x ~ normal(0, 1))"
CLASSES = ((0, 1), (2, 4))


def rows() -> pd.DataFrame:
    """Return rows in five groups of one factor and four of another."""
    rng = np.random.default_rng(5)
    g, h = rng.integers(0, 5, 40), rng.integers(0, 4, 40)
    x, z = rng.normal(1, 1, (2, 40))
    y = 1 + x * np.array([1.0, 1.1, -0.5, 2.0, -0.4])[g] + rng.normal(0, 1, 4)[h] + rng.normal(size=40)
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": [f"g{i}" for i in g], "h": [f"h{i}" for i in h]})


DATA = rows()


def asked(formula: str, statement: str) -> tuple[Plan, Hypothesis]:
    """Return the plan as the groups that a test is about see it, and its hypothesis."""
    plan = fj.model(f"{formula}, {PRIORS}, test({statement})", DATA).plan
    question = of_test(plan.design, plan.design.spec.tests[0])
    return plan_of(plan, question), question


def written(term: str, over: bool) -> str:
    """Return that the coefficients of two pairs of groups are equal."""
    name = f"{term}[g={{}}]" if over else f"{term}[{{}}]"
    return f"{name.format('g0')} == {name.format('g1')}, {name.format('g2')} == {name.format('g4')}"


def labels() -> Array:
    out = np.arange(5)
    for one, other in CLASSES:
        out[other] = one
    return out


def together(columns: Array, covariance: Array, shared: list[int]) -> Array:
    """Return the covariance of rows where groups of a class have one draw of some columns' coefficients."""
    group = DATA["g"].str[1:].astype(int).to_numpy()
    same, one_class = group[:, None] == group, labels()[group][:, None] == labels()[group]
    slope = covariance[:, shared] @ np.linalg.inv(covariance[np.ix_(shared, shared)])
    of_shared = slope @ covariance[shared]
    return one_class * (columns @ of_shared @ columns.T) + same * (
        columns @ (covariance - of_shared) @ columns.T
    )


def null_density(plan: Plan, question: Hypothesis, points: Array) -> tuple[Array, Array]:
    equal = equal_groups(plan.design, question)
    assert isinstance(equal, Equal)
    assert [tuple(each) for each in equal.classes] == list(CLASSES)
    model = tied(model_of(plan), "g", equal)
    return log_likelihood(sums_of(model), points), model.scales.values(points)


@pytest.mark.parametrize(
    ("term", "shared", "columns"),
    [("x", [1], ["1", "x"]), ("Intercept", [0], ["1", "x"]), ("z", [2], ["1", "x", "z"])],
)
def test_the_density_of_hierarchies_is_that_of_one_draw_per_class(
    term: str, shared: list[int], columns: list[str]
) -> None:
    inside = " + ".join(columns)
    plan, question = asked(f"y ~ x + ({inside} | g) + (1 | h)", written(term, over=True))
    k = len(columns)
    points = np.random.default_rng(1).normal(0, 0.6, (4, 2 + k + k * (k - 1) // 2))
    found, values = null_density(plan, question, points)
    wide = np.column_stack([np.ones(40), DATA["x"], DATA["z"]])[:, :k]
    same_h = DATA["h"].to_numpy()[:, None] == DATA["h"].to_numpy()
    order = [
        *shared,
        *(j for j in range(k) if j not in shared),
    ]  # LKJ is the same in any order, T comes first
    for value, each in zip(found, values, strict=True):
        sds, shares, (of_h,) = each[1 : 1 + k], each[1 + k : -1], each[-1:]
        root = sds[:, None] * cholesky_of(k, shares)
        covariance = np.empty((k, k))
        covariance[np.ix_(order, order)] = root @ root.T
        whole = each[0] ** 2 * np.eye(40) + 4.0 + np.outer(DATA["x"], DATA["x"]) + of_h**2 * same_h
        whole = whole + together(wide, covariance, shared)
        known = multivariate_normal.logpdf(DATA["y"], np.ones(40), whole)
        assert np.isclose(value, known, rtol=1e-10, atol=0)


def cholesky_of(k: int, shares: Array) -> Array:
    """Return the root of a correlation matrix from its partial correlations given earlier columns."""
    out, left, at = np.eye(k), np.ones(k), 0
    for j in range(k):
        for i in range(j + 1, k):
            out[i, j] = (2 * shares[at] - 1) * np.sqrt(left[i])
            left[i] -= out[i, j] ** 2
            at += 1
    out[np.diag_indices(k)] = np.sqrt(left)
    return out


def test_the_density_of_groups_of_a_bar_is_that_of_priors_given_equality() -> None:
    own = "prior(x[g0] ~ normal(1, 0.5), x[g2] ~ normal(-1, 2))"
    plan, question = asked(f"y ~ x + (1 | h) | g, {own}", written("x", over=False))
    points = np.random.default_rng(1).normal(0, 0.6, (4, 2))
    found, values = null_density(plan, question, points)
    (prior,) = (c.prior for c in plan.mean.coefficients if c.term.name == "x")
    assert prior is not None
    mean, sd, _ = location_and_scale(prior, (5,))
    group = DATA["g"].str[1:].astype(int).to_numpy()
    for one, other in CLASSES:
        some = np.array([one, other])
        mean, sd = mean.copy(), sd.copy()
        mean[some] = np.sum(mean[some] / sd[some] ** 2) / np.sum(sd[some] ** -2)
        sd[some] = np.sum(sd[some] ** -2) ** -0.5
    x = DATA["x"].to_numpy()
    one_class = labels()[group][:, None] == labels()[group]
    same_h = DATA["h"].to_numpy()[:, None] == DATA["h"].to_numpy()
    for value, each in zip(found, values, strict=True):
        covariance = each[0] ** 2 * np.eye(40) + each[1] ** 2 * same_h + 4.0 * (group[:, None] == group)
        covariance += one_class * np.outer(x * sd[group], x * sd[group])
        known = multivariate_normal.logpdf(DATA["y"], 1 + x * mean[group], covariance)
        assert np.isclose(value, known, rtol=1e-10, atol=0)


FORMULA = "y ~ x + (0 + x | g) + (1 | h), prior(sigma ~ constant(1)), prior(x.sd ~ constant(1.5), over=g), "
FORMULA += "prior(Intercept.sd ~ constant(0.8), over=h)"


def density(slopes: Array) -> float:
    """Return the density where g's slopes have this covariance, and x an sd of one."""
    group = DATA["g"].str[1:].astype(int).to_numpy()
    same_h = DATA["h"].to_numpy()[:, None] == DATA["h"].to_numpy()
    x = DATA["x"].to_numpy()
    covariance = np.eye(40) + 4.0 + 0.64 * same_h + np.outer(x, x) * (1 + slopes[np.ix_(group, group)])
    return float(multivariate_normal.logpdf(DATA["y"], np.ones(40), covariance))


def test_bayes_factors_of_equal_groups_and_of_all_groups_are_those_of_dense_matrices() -> None:
    full = density(2.25 * np.eye(5))
    some = density(2.25 * (labels()[:, None] == labels()))
    everywhere = " == ".join(f"x[g=g{i}]" for i in range(5))
    for statement, null in [(written("x", over=True), some), (everywhere, density(np.zeros((5, 5))))]:
        plan, question = asked(FORMULA, statement)
        found = log_bayes_factor(plan, question)
        assert isinstance(found, LogIntegral)
        assert np.isclose(found.value, full - null, atol=1e-8)


def test_with_one_factor_the_evidence_is_that_of_the_other_engine() -> None:
    plan, question = asked("y ~ x + (1 + x | g)", written("x", over=True))
    equal = equal_groups(plan.design, question)
    assert isinstance(equal, Equal)
    one, other = (engine.log_evidence(plan, 0, equal) for engine in (Crossed(), Gaussian()))
    assert isinstance(one, LogIntegral)
    assert isinstance(other, LogIntegral)
    assert abs(one.value - other.value) < 4 * np.hypot(one.error, other.error)
