"""Posteriors of several modes: the answer is right, whatever the seed, or the fit says that it may not be.

Groups that disagree about what they share while each has a sigma; a prior that contradicts the data; two clusters of
groups under a narrow hierarchy. Every figure is held against a quadrature that shares nothing with the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq
from scipy.special import logsumexp

import formulajoint as fj

type Array = NDArray[np.float64]

DATA = Path(__file__).parents[2] / "data"
SEEDS = range(1, 6)
DRAWS, CHAINS = 250, 4


def fits(formula: str, data: pd.DataFrame, seeds: Sequence[int] = SEEDS) -> Iterator[fj.Fit]:
    model = fj.model(formula, data)
    for seed in seeds:
        yield model.fit(DRAWS, chains=CHAINS, seed=seed, engine="exact")


def priors(data: pd.DataFrame, y: str, x: str | None = None) -> str:
    """Return a clause with priors that are scaled by all rows, whatever the groups of sigma."""
    scale, away, slope = data[y].std(), 0.0, ""
    if x is not None:
        size = 2.5 * scale / data[x].std()
        away, slope = size * data[x].mean(), f", `{x}` ~ normal(0, {size:.17g})"
    intercept = f"Intercept ~ normal({data[y].mean():.17g}, {np.hypot(2.5 * scale, away):.17g})"
    return f"prior({intercept}{slope}, sigma ~ half_student_t(4, {scale:.17g}))"


def assert_evidence(fit: fj.Fit, truth: float) -> None:
    found = fit.log_evidence
    assert found.value == pytest.approx(truth, abs=max(5 * found.error, 1e-3))


def assert_share(found: NDArray[np.bool_], truth: float) -> None:
    """See that a share of independent draws is what it should be, to five standard errors."""
    error = np.sqrt(max(truth * (1 - truth), 1 / found.size) / found.size)
    assert found.mean() == pytest.approx(truth, abs=5 * error)


def assert_mean(found: Array, mean: float, sd: float) -> None:
    """See that the mean of independent draws is what it should be, to five standard errors."""
    assert found.mean() == pytest.approx(mean, abs=5 * sd / np.sqrt(found.size))


def sigmas(scale: float, nodes: int = 600) -> tuple[Array, Array]:
    """Return sigmas and their log weights: the default prior, half-Student with 4 df, times steps of log sigma."""
    steps = np.linspace(np.log(1e-4 * scale), np.log(1e3 * scale), nodes)
    sigma = np.exp(steps)
    return sigma, np.log(2) + stats.t.logpdf(sigma, 4, scale=scale) + steps + np.log(steps[1] - steps[0])


def moments(at: Array, log_density: Array) -> tuple[Array, float]:
    """Return the shares of equally spaced points, and the log of the integral over them."""
    total = logsumexp(log_density)
    return np.exp(log_density - total), float(total + np.log(at[1] - at[0]))


def common_mean(groups: Sequence[Array], at: Array) -> tuple[Array, float]:
    """Return the posterior of the mean of `y ~ 1, sigma ~ 1 | g` at equally spaced points, and the log evidence.

    Given the mean the groups are independent, and each sigma is an integral of its own.
    """
    y = np.concatenate(groups)
    scale = y.std(ddof=1)
    sigma, weights = sigmas(scale)
    total = stats.norm.logpdf(at, y.mean(), 2.5 * scale)
    for own in groups:
        squares = ((own[:, None] - at) ** 2).sum(0)
        terms = weights - 0.5 * len(own) * np.log(2 * np.pi * sigma**2) - squares[:, None] / (2 * sigma**2)
        total += logsumexp(terms, axis=1)
    return moments(at, total)


def test_three_species_with_a_sigma_each_and_one_mean() -> None:
    data = pd.read_csv(DATA / "iris.csv")
    groups = [own.to_numpy() for _, own in data.groupby("Species")["Petal.Length"]]
    at = np.linspace(1, 7, 3001)
    shares, evidence = common_mean(groups, at)
    mean = shares @ at
    sd = np.sqrt(shares @ (at - mean) ** 2)
    for fit in fits(f"`Petal.Length` ~ 1, sigma ~ 1 | Species, {priors(data, 'Petal.Length')}", data):
        assert_evidence(fit, evidence)
        assert_mean(fit.posterior["Intercept"].to_numpy(), mean, sd)


@pytest.mark.parametrize(
    ("rows", "sd", "apart", "labs"),
    [(20, 0.1, 2, 2), (10, 0.1, 2, 2), (15, 0.2, 3, 2), (10, 0.1, 2, 4), (12, 0.2, 3, 8)],
)
def test_labs_that_disagree_about_one_mean(rows: int, sd: float, apart: float, labs: int) -> None:
    """Of two that are mirror images each has half of the posterior."""
    rng = np.random.default_rng(7)
    noise = [rng.normal(size=rows) for _ in range(labs)]
    groups = [10 + apart * lab + sd * (e - e.mean()) / e.std() for lab, e in enumerate(noise)]
    if labs == 2:
        groups[1] = 20 + apart - groups[0]
    data = pd.DataFrame({"y": np.concatenate(groups), "lab": np.repeat(np.arange(labs), rows)})
    at = np.linspace(10 - apart, 10 + apart * labs, 6001)
    shares, evidence = common_mean(groups, at)
    for fit in fits(f"y ~ 1, sigma ~ 1 | lab, {priors(data, 'y')}", data):
        assert_evidence(fit, evidence)
        mean = fit.posterior["Intercept"].to_numpy()
        for centre in 10 + apart * np.arange(labs):
            assert_share(abs(mean - centre) < apart / 2, shares[abs(at - centre) < apart / 2].sum())
        if labs == 2:
            assert_share(mean < 10 + apart / 2, 0.5)


def common_slope(data: pd.DataFrame, at: Array) -> tuple[Array, float]:
    """Return the posterior of the slope of `y ~ 1 + common(x) | g, sigma ~ 1 | g`, and the log evidence.

    Given slope and sigma a group's n residuals are n - 1 of variance sigma^2, and a mean of variance S0^2 + sigma^2 / n.
    """
    scale, slopes = data["y"].std(), 2.5 * data["y"].std() / data["x"].std()
    intercepts = np.hypot(2.5 * scale, slopes * data["x"].mean())
    sigma, weights = sigmas(scale)
    total = stats.norm.logpdf(at, 0, slopes)
    for _, own in data.groupby("g"):
        residuals = (own["y"] - data["y"].mean()).to_numpy()[:, None] - own["x"].to_numpy()[:, None] * at
        mean, n = residuals.mean(0)[:, None], len(own)
        within = ((residuals - residuals.mean(0)) ** 2).sum(0)[:, None]
        terms = weights - 0.5 * (n - 1) * np.log(2 * np.pi * sigma**2) - within / (2 * sigma**2)
        terms += stats.norm.logpdf(mean, 0, np.sqrt(intercepts**2 + sigma**2 / n)) - 0.5 * np.log(n)
        total += logsumexp(terms, axis=1)
    return moments(at, total)


@pytest.mark.parametrize("name", ["three_groups", "four_groups", "10_rows_a_group"])
def test_groups_that_disagree_about_a_common_slope(name: str) -> None:
    data = pd.read_csv(DATA / f"common_slope_{name}.csv")
    at = np.linspace(-20, 15, 5001)
    shares, evidence = common_slope(data, at)
    mean = shares @ at
    sd = np.sqrt(shares @ (at - mean) ** 2)
    for fit in fits(f"y ~ 1 + common(x) | g, sigma ~ 1 | g, {priors(data, 'y', 'x')}", data):
        assert_evidence(fit, evidence)
        slopes = fit.posterior["x"].to_numpy()
        assert_mean(slopes, mean, sd)
        for limit in np.interp([0.025, 0.5, 0.975], np.cumsum(shares), at):
            assert_share(slopes < limit, shares[at < limit].sum())


def one_regression(y: Array, x: Array, g: Array, nodes: int = 90) -> tuple[list[float], list[float], float]:
    """Return means and sds of intercept and slope of `y ~ x, sigma ~ 1 | g`, and the log evidence.

    Given the sigmas all is normal, with the precisions of the groups' cross-products: a grid over their logs.
    """
    scale, slope = y.std(ddof=1), 2.5 * y.std(ddof=1) / x.std(ddof=1)
    y = y - y.mean()
    prior = np.array([1 / ((2.5 * scale) ** 2 + (slope * x.mean()) ** 2), 1 / slope**2])
    steps = np.linspace(np.log(0.02 * scale), np.log(30 * scale), nodes)
    sigma = np.exp(steps)
    weight = np.log(2) + stats.t.logpdf(sigma, 4, scale=scale) + steps + np.log(steps[1] - steps[0])
    groups = np.unique(g)
    grid = np.meshgrid(*[np.arange(nodes)] * len(groups), indexing="ij")
    total, p00, p01, p11, h0, h1 = 0.5 * np.log(prior.prod()), prior[0], 0.0, prior[1], 0.0, 0.0
    for where, label in zip(grid, groups, strict=True):
        own, s = g == label, 1 / sigma[where] ** 2
        a, b, n = x[own], y[own], own.sum()
        p00, p01, p11 = p00 + n * s, p01 + a.sum() * s, p11 + (a @ a) * s
        h0, h1 = h0 + b.sum() * s, h1 + (a @ b) * s
        total = total + weight[where] - 0.5 * n * np.log(2 * np.pi / s) - 0.5 * (b @ b) * s
    det = p00 * p11 - p01**2
    b0, b1 = (p11 * h0 - p01 * h1) / det, (p00 * h1 - p01 * h0) / det
    total = total - 0.5 * np.log(det) + 0.5 * (h0 * b0 + h1 * b1)
    evidence = logsumexp(total)
    shares = np.exp(total - evidence)
    means = [float((shares * b).sum()) for b in (b0, b1)]
    squares = [(shares * (b**2 + v)).sum() for b, v in ((b0, p11 / det), (b1, p00 / det))]
    return means, [float(np.sqrt(s - m**2)) for s, m in zip(squares, means, strict=True)], float(evidence)


@pytest.mark.parametrize(
    ("file", "y", "x", "g"),
    [
        ("iris", "Petal.Length", "Sepal.Length", "Species"),
        ("pigs", "logconc", "percent", "source"),
        ("mtcars", "mpg", "wt", "cyl"),
    ],
)
def test_one_regression_of_three_groups_with_a_sigma_each(file: str, y: str, x: str, g: str) -> None:
    data = pd.read_csv(DATA / f"{file}.csv")
    means, sds, evidence = one_regression(*(data[name].to_numpy() for name in (y, x, g)))
    for fit in fits(f"`{y}` ~ `{x}`, sigma ~ 1 | {g}, {priors(data, y, x)}", data):
        assert_evidence(fit, evidence)
        found = fit.posterior[x].to_numpy()
        assert_mean(found, means[1], sds[1])
        assert found.std() == pytest.approx(sds[1], rel=0.15)  # 5 / sqrt(2000), and more for two modes


def one_sigma(y: Array, sd: float, scale: float) -> tuple[Array, Array, float]:
    """Return sigmas, their shares and the log evidence of y ~ N(b, sigma), b ~ N(0, sd), sigma ~ half-Cauchy(scale)."""
    steps = np.linspace(np.log(1e-4), np.log(1e4), 20_001)
    sigma, n = np.exp(steps), len(y)
    total = -0.5 * (n - 1) * np.log(2 * np.pi * sigma**2) - ((y - y.mean()) ** 2).sum() / (2 * sigma**2)
    total += stats.norm.logpdf(y.mean(), 0, np.sqrt(sd**2 + sigma**2 / n)) - 0.5 * np.log(n)
    total += stats.halfcauchy.logpdf(sigma, scale=scale) + steps
    shares, evidence = moments(steps, total)
    return sigma, shares, evidence


@pytest.mark.parametrize(("rows", "noise"), [(12, 0.01), (20, 0.1), (40, 1.0), (200, 2.0)])
def test_a_prior_against_the_data_has_half_of_the_posterior(rows: int, noise: float) -> None:
    """Either the data are exact and the prior is wrong, or sigma is large and the prior is right."""
    e = np.random.default_rng(1).normal(size=rows)
    y, between = 10 + noise * (e - e.mean()) / e.std(), np.sqrt(noise * 10)

    def excess(log_sd: float) -> float:
        sigma, shares, _ = one_sigma(y, np.exp(log_sd), 5)
        return float(shares[sigma < between].sum() - 0.5)

    sd = float(f"{np.exp(brentq(excess, np.log(0.1), np.log(20))):.6g}")
    sigma, shares, evidence = one_sigma(y, sd, 5)
    formula = f"y ~ 1, prior(Intercept ~ normal(0, {sd}), sigma ~ half_cauchy(5))"
    for fit in fits(formula, pd.DataFrame({"y": y})):
        assert_evidence(fit, evidence)
        assert_share(fit.posterior["sigma"].to_numpy() < between, shares[sigma < between].sum())


def right_or_said(formula: str, data: pd.DataFrame, right: Callable[[fj.Fit], None]) -> None:
    """See that a fit is right, or refused, or says what is wrong; and that some seed is right."""
    model, seen = fj.model(formula, data), 0
    for seed in SEEDS:
        try:
            fit = model.fit(DRAWS, chains=CHAINS, seed=seed, engine="exact")
        except fj.InferenceError:
            continue
        if not any("mode" in said or "k-hat" in said for said in fit.diagnostics()):
            right(fit)
            seen += 1
    assert seen


def test_a_correlated_hierarchy_against_narrow_priors() -> None:
    """The slopes differ by 0.3 and sigma is 0.1, or by nothing, and it is 0.45.

    The figures are a sum over 93 x 46 x 154 x 25 nodes of log sigma, of both log sds (those of x.sd from 0.22 to 0.45
    one sixtieth apart) and of the correlation, with the closed form of a 2 x 2 matrix a group; a grid of half as many
    nodes has -84.8452, 0.9515 and 0.1061.
    """

    def right(fit: fj.Fit) -> None:
        assert_evidence(fit, -84.8450)
        assert_share(fit.posterior["x_sd"].to_numpy() > 0.08, 0.9515)
        assert fit.posterior["sigma"].to_numpy().mean() == pytest.approx(0.1060, abs=5 * 0.08 / np.sqrt(1000))

    formula = """y ~ x | g, hierarchy(), prior(Intercept.mean ~ normal(-1.46, 0.0238), x.mean ~ normal(0, 0.035),
        Intercept.sd ~ half_cauchy(0.0134), x.sd ~ exponential(213), sigma ~ log_normal(-0.25, 0.5))"""
    right_or_said(formula, pd.read_csv(DATA / "hierarchy_against_narrow_priors.csv"), right)


@pytest.mark.parametrize(
    ("groups", "apart", "error", "law", "near", "middle", "evidence"),
    [
        (6, 10, 0.5, "student", 0.2656, 0.4625, -32.5560),
        (6, 10, 0.5, "cauchy", 0.4873, 0.0237, -25.2979),
        (4, 10, 0.5, "student", 0.3129, 0.3670, -23.5867),
        (6, 10, 0.2, "student", 0.4971, 0.0055, -42.4068),
        (8, 6, 0.3, "student", 0.2112, 0.5770, -36.9480),
    ],
)
def test_two_clusters_under_a_narrow_hierarchy(
    groups: int, apart: float, error: float, law: str, near: float, middle: float, evidence: float
) -> None:
    """The mean is in one cluster or the other, which is half of the posterior each way.

    `near` one cluster is 0.2 of their distance, in the `middle` 0.3 of it. The figures are sums over 1,201 means and 161
    log sds, each study's density by 401 nodes of the log mixing variance; on a grid of three quarters of the nodes
    evidences are the same, shares differ by less than 0.003.
    """
    half = np.linspace(-0.3, 0.3, groups // 2)
    data = pd.DataFrame({"y": np.r_[half, apart + half], "s": error, "g": np.arange(groups)})

    def right(fit: fj.Fit) -> None:
        assert_evidence(fit, evidence)
        mean = fit.posterior["Intercept_mean"].to_numpy()
        assert_share(mean < apart / 2, 0.5)
        assert_share(abs(mean) < 0.2 * apart, near)
        assert_share(abs(mean - apart) < 0.2 * apart, near)
        assert_share(abs(mean - apart / 2) < 0.3 * apart, middle)

    priors = f"Intercept.mean ~ normal({apart / 2}, {2 * apart}), Intercept.sd ~ half_normal({error})"
    right_or_said(f"y ~ 1 | g, hierarchy(dist={law}), se(s), prior({priors})", data, right)
