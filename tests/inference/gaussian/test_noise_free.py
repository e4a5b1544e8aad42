"""Nearly noise-free data: every digit that double precision has, and a refusal in words where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.errors import DataError
from formulajoint.inference.evidence import log_evidence
from formulajoint.inference.gaussian.marginal import kernel, log_likelihood
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing

type Array = NDArray[np.float64]

RESIDUALS = [1e-5, 1e-7, 1e-10, 1e-11]
"""Sizes of the noise where the response's sd is about 1.5."""

CODES = np.repeat(np.arange(3), 8)
X, NOISE = np.random.default_rng(101).normal(size=(2, 24))


def lines(residual: float) -> pd.DataFrame:
    """Return three groups of 8 rows on lines of different slopes, but for noise."""
    y = 3 + np.array([1.0, 2.0, -1.0])[CODES] * X + residual * NOISE
    return pd.DataFrame({"y": y, "x": X, "g": np.array(list("ABC"))[CODES]})


# --- the density, in 60 digits

type Exact = list[list[Decimal]]


def exact(values: Array) -> Exact:
    return [[Decimal(float(value)) for value in row] for row in values]


def product(one: Exact, other: Exact) -> Exact:
    return [
        [sum((a * b for a, b in zip(u, v, strict=True)), Decimal(0)) for v in zip(*other, strict=True)]
        for u in one
    ]


def squared(root: Exact) -> Exact:
    return product(root, [list(column) for column in zip(*root, strict=True)])


def log_normal_density(y: list[Decimal], covariance: Exact) -> float:
    """Return the log density of N(0, covariance) by Cholesky's decomposition."""
    total, root, solved = Decimal(0), [[Decimal(0)] * len(y) for _ in y], []
    for i in range(len(y)):
        for j in range(i + 1):
            rest = covariance[i][j] - sum((root[i][k] * root[j][k] for k in range(j)), Decimal(0))
            root[i][j] = rest.sqrt() if i == j else rest / root[j][j]
        rest = y[i] - sum((root[i][k] * solved[k] for k in range(i)), Decimal(0))
        solved.append(rest / root[i][i])
        total -= root[i][i].ln() + solved[i] ** 2 / 2
    return float(total) - len(y) / 2 * float(np.log(2 * np.pi))


POOLED = "prior(Intercept.mean ~ normal(0, 4), x.mean ~ normal(0, 2))"
SINGLE = "prior(Intercept ~ normal(0, 4), x ~ normal(0, 2))"
DENSITIES = {
    f"y ~ x | g, hierarchy(), {POOLED}": ("of phi", [4.0, 2.0]),
    f"y ~ x | g, hierarchy(cor=false), {POOLED}": ("of phi", [4.0, 2.0]),
    f"y ~ x | g, {SINGLE}": ([4.0, 2.0], [0.0, 0.0]),
    f"y ~ 1 + common(x) | g, sigma ~ 1 | g, {SINGLE}": ([4.0, 0.0], [0.0, 2.0]),
}
"""Formulas, with the roots of the covariance of intercept and slope within groups, and in all of them."""


@pytest.mark.parametrize("formula", DENSITIES)
@pytest.mark.parametrize("residual", RESIDUALS)
def test_the_density_is_that_of_exact_arithmetic(formula: str, residual: float) -> None:
    """Its accuracy is eps / residual, the share of the residuals that is lost in rounding.

    With a sigma each, the first is of the size of the residuals, so that one group alone says what the slope is.
    """
    data, (within, everywhere) = lines(residual), DENSITIES[formula]
    reduction = reduce(fj.model(formula, data).plan)
    point = np.full((1, len(reduction.structure.scales.coordinates)), -0.2)
    point[0, 0] = np.log(residual)
    values = reduction.structure.scales.values(point)
    root = reduction.structure.root(values)[0] if within == "of phi" else np.diag(within)
    sigmas = values[0, reduction.structure.sigma_of_group] * np.ones(3)
    with localcontext() as context:
        context.prec = 60
        rows = exact(np.stack([np.ones(24), X], axis=1))
        own, shared = (squared(product(rows, exact(each))) for each in (root, np.diag(everywhere)))
        covariance = [
            [a + (b if CODES[i] == CODES[j] else 0) for j, (a, b) in enumerate(zip(*both, strict=True))]
            for i, both in enumerate(zip(shared, own, strict=True))
        ]
        for i, group in enumerate(CODES):
            covariance[i][i] += Decimal(float(sigmas[group])) ** 2
        known = log_normal_density([Decimal(float(y)) for y in data["y"]], covariance)
    found = log_likelihood(kernel(reduction), point)[0]
    assert found == pytest.approx(known, abs=1e-8 + 1e-14 / residual)


# --- a one-way hierarchy, by quadrature


@dataclass(frozen=True)
class OneWay:
    """What quadrature over log sigma and log tau says of y ~ N(b_g, sigma), b_g ~ N(mu, tau), mu ~ N(5, 3)."""

    log_evidence: float
    sigma: float
    sigma_sd: float
    first: float
    first_sd: float


def one_way(groups: list[Array], near: float, scale: float, nodes: int = 500) -> OneWay:
    """Return the posterior under sigma ~ HalfCauchy(scale), tau ~ HalfNormal(scale), sigma being about `near`."""
    log_sigma, log_tau = np.linspace(-3, 5, nodes) + np.log(near), np.linspace(-7, 7, nodes)
    sigma, tau = np.exp(log_sigma)[:, None], np.exp(log_tau)
    logs = np.log(2 / np.pi / scale) - np.log1p((sigma / scale) ** 2) + log_sigma[:, None]
    logs = logs + 0.5 * np.log(2 / np.pi) - np.log(scale) - 0.5 * (tau / scale) ** 2 + log_tau
    precision, pull, square = np.zeros((3, nodes, nodes))
    for y in groups:
        n, left = len(y), y - y.mean()
        variance = tau**2 + sigma**2 / n
        logs = logs - 0.5 * ((n - 1) * np.log(2 * np.pi * sigma**2) + left @ left / sigma**2 + np.log(n))
        logs = logs - 0.5 * np.log(2 * np.pi * variance)
        precision, pull = precision + 1 / variance, pull + (y.mean() - 5) / variance
        square = square + (y.mean() - 5) ** 2 / variance
    precision = precision + 1 / 9
    mu = pull / precision
    logs = logs - np.log(3) - 0.5 * (np.log(precision) + square - pull * mu)
    weights = np.exp(logs - logs.max())
    steps = (log_sigma[1] - log_sigma[0]) * (log_tau[1] - log_tau[0])
    evidence = float(logs.max() + np.log(weights.sum() * steps))
    weights = weights / weights.sum()
    n, mean = len(groups[0]), groups[0].mean()
    shrunk = sigma**2 / n / (tau**2 + sigma**2 / n)  # of the first group's mean, towards mu
    away = shrunk * (mu + 5 - mean)
    variance = tau**2 * shrunk + shrunk**2 / precision
    expected = float(np.sum(weights * away))
    return OneWay(
        evidence,
        float(np.sum(weights * sigma)),
        float(np.sqrt(np.sum(weights * sigma**2) - np.sum(weights * sigma) ** 2)),
        mean + expected,
        float(np.sqrt(np.sum(weights * (variance + (away - expected) ** 2)))),
    )


@pytest.mark.parametrize("residual", RESIDUALS)
def test_a_one_way_hierarchy_is_that_of_quadrature(residual: float) -> None:
    """4,000 draws: the mean to 5 of its standard errors, an sd to 6 %."""
    rng = np.random.default_rng(101)
    groups = [mean + residual * rng.normal(size=n) for mean, n in ((5, 6), (7, 5), (4, 7))]
    data = pd.DataFrame({"y": np.concatenate(groups), "g": np.repeat(list("ABC"), [6, 5, 7])})
    priors = "Intercept.mean ~ normal(5, 3), Intercept.sd ~ half_normal(1.5), sigma ~ half_cauchy(1.5)"
    fit = fj.fit(f"y ~ 1 | g, hierarchy(), prior({priors})", data, engine="exact", seed=1)
    known = one_way(groups, residual, 1.5)
    assert abs(fit.log_evidence.value - known.log_evidence) < 5 * fit.log_evidence.error + 1e-3
    sigma, first = (fit.posterior[name].to_numpy().reshape(4000, -1)[:, 0] for name in ("sigma", "Intercept"))
    assert abs(sigma.mean() - known.sigma) < 5 * known.sigma_sd / np.sqrt(4000)
    assert abs(first.mean() - known.first) < 5 * known.first_sd / np.sqrt(4000)
    assert sigma.std() == pytest.approx(known.sigma_sd, rel=0.06)
    assert first.std() == pytest.approx(known.first_sd, rel=0.06)


# --- lines by group, as least squares has them

LINES = {
    "flat": ("y ~ x | g", "flat"),
    "not pooled": ("y ~ x | g", None),
    "a sigma each": ("y ~ x | g, sigma ~ 1 | g", None),
    "pooled": ("y ~ x | g, hierarchy()", None),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("residual", RESIDUALS)
def test_slopes_have_the_sds_of_least_squares(name: str, residual: float) -> None:
    """Sigma's prior is flat so near to zero: rss / sigma^2 is chi-square with one degree of freedom less than residual.

    Given all other priors, too wide to matter, slopes are t. The tolerance is five standard errors of the sd of 4,000
    draws of t with 17 degrees of freedom or, with a sigma for each group, 5.
    """
    formula, priors = LINES[name]
    data = lines(residual)
    fit = fj.fit(formula, data, priors=priors, engine="exact", seed=1)
    left, spread = np.zeros(3), np.zeros(3)
    for group in range(3):
        x, noise = (values[CODES == group] for values in (X, data["y"].to_numpy()))
        x, noise = x - x.mean(), noise - noise.mean()
        spread[group] = x @ x
        left[group] = np.sum((noise - x * (x @ noise) / (x @ x)) ** 2)
    variance = left / (5 - 2) if "sigma" in formula else np.sum(left) / (17 - 2)
    sds = fit.posterior["x"].to_numpy().std(axis=(0, 1))
    assert sds == pytest.approx(np.sqrt(variance / spread), rel=0.13 if "sigma" in formula else 0.065)


# --- beyond


@pytest.mark.parametrize("residual", [3e-13, 0.0])
@pytest.mark.parametrize("name", LINES)
def test_residuals_that_are_rounding_errors_are_refused_in_words(name: str, residual: float) -> None:
    formula, priors = LINES[name]
    with pytest.raises(DataError, match=r"perfectly|the residual sum of squares is"):
        fj.model(formula, lines(residual), priors=priors)


def test_far_from_zero_the_rounding_of_the_response_counts() -> None:
    near = lines(1e-9)
    fj.model("y ~ x | g", near)
    with pytest.raises(DataError, match="perfectly, as far as double precision can tell"):
        fj.model("y ~ x | g", near.assign(y=near["y"] + 1e7))


def test_a_prior_that_keeps_sigma_from_zero_does_so_to_the_rounding_errors() -> None:
    """The log normal one has a posterior beside a perfect fit, near e^-34; but not its computation."""
    formula = "y ~ x | g, hierarchy(), prior(sigma ~ {})"
    exact = lines(0.0)
    found = fj.fit(formula.format("inverse_gamma(3, 2)"), exact, engine="exact", seed=1, draws=100)
    assert found.posterior["sigma"].min() > 0.02
    for engine in ("auto", "exact"):
        with pytest.raises(
            DataError, match=r"Sigma is as small as .* but residuals of `y` below .* are rounding"
        ):
            fj.fit(formula.format("log_normal(0, 10)"), exact, engine=engine, seed=1, draws=100)
    missing = log_evidence(fj.model(formula.format("log_normal(0, 10)"), exact).plan)
    assert isinstance(missing, Missing)
    assert "are rounding errors" in missing.reason
    assert isinstance(
        log_evidence(fj.model(formula.format("log_normal(0, 1)"), lines(1e-3)).plan), LogIntegral
    )


def test_standard_errors_smaller_than_rounding_are_refused_in_words() -> None:
    data = lines(1e-3).assign(s=1e-16)
    with pytest.raises(DataError, match="The standard errors are smaller than the rounding errors of `y`"):
        fj.fit("y ~ x | g, hierarchy(), se(s)", data, engine="exact", seed=1, draws=100)
