"""Flat priors of coefficients, against closed forms, integrals over grids, and maximum likelihood with many rows."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special, stats

import formulajoint as fj
from formulajoint.arrays import FloatArray

DRAWS = 4_000


def fitted(formula: str, data: pd.DataFrame) -> fj.Fit:
    fit = fj.fit(formula, data, priors="flat", engine="exact", draws=DRAWS // 4, seed=1)
    assert fit.engine == "exact"
    return fit


def draws(fit: fj.Fit, name: str) -> FloatArray:
    """Return draws of a variable, (S, ...)."""
    found = np.asarray(fit.idata.posterior[name])
    return found.reshape(-1, *found.shape[2:])


def agree(found: FloatArray, mean: FloatArray, sd: FloatArray) -> None:
    """Check means and sds of draws (S, ...) against known ones, to 4.5 Monte Carlo errors."""
    away = (found - mean) / sd
    assert np.max(abs(np.mean(away, axis=0))) < 4.5 / np.sqrt(len(found))
    error = np.sqrt((np.mean(away**4, axis=0) - 1) / len(found))
    assert np.max(abs(np.mean(away**2, axis=0) - 1) / error) < 4.5


GROUPS = pd.DataFrame(
    {
        "g": np.repeat(list("ABC"), 10),
        "y": [1] + 9 * [0] + 9 * [1] + [0] + 3 * [1] + 7 * [0],
        "c": [1] + 9 * [0] + [3, 4, 5, 3, 4, 5, 9, 0, 0, 2] + [2, 1] + 8 * [0],
    }
)
"""One event of ten, and one count, are nearly separated and nearly all zero."""


def test_log_odds_of_beta_distributions() -> None:
    events = GROUPS.groupby("g")["y"].sum().to_numpy()
    found, others = draws(fitted("y ~ 1 | g, family(bernoulli)", GROUPS), "Intercept"), 10 - events
    mean = special.digamma(events) - special.digamma(others)
    agree(found, mean, np.sqrt(special.polygamma(1, events) + special.polygamma(1, others)))
    for at in range(3):
        assert (
            stats.kstest(special.expit(found[:, at]), stats.beta(events[at], others[at]).cdf).pvalue > 0.005
        )


def test_log_rates_of_gamma_distributions() -> None:
    counts = GROUPS.groupby("g")["c"].sum().to_numpy()
    found = draws(fitted("c ~ 1 | g, family(poisson)", GROUPS), "Intercept")
    agree(found, special.digamma(counts) - np.log(10), np.sqrt(special.polygamma(1, counts)))


def events_of(rows: int, groups: int, offset: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    codes, x, z = np.repeat(np.arange(groups), rows), *rng.normal(size=(2, rows * groups))
    eta = np.linspace(-0.5, 0.5, groups)[codes] + 0.7 * x
    y = rng.binomial(1, special.expit(eta + 0.4 * z))
    t = eta + 0.5 * rng.standard_t(4, len(x))
    made = pd.DataFrame({"y": y, "x": x + offset, "z": z, "g": [f"g{code}" for code in codes]})
    return made.assign(a=rng.gamma(1.5, np.exp(eta)), t=t)


CHANCES = {"logit": stats.logistic.cdf, "probit": stats.norm.cdf, "cloglog": lambda e: -np.expm1(-np.exp(e))}


@pytest.mark.parametrize("link", CHANCES)
def test_two_coefficients_of_events_by_a_grid(link: str) -> None:
    data = events_of(12, 1)
    found = fitted(f"y ~ x, family(bernoulli, link={link})", data)
    axis = np.linspace(-12, 12, 481)
    places = np.array(list(product(axis, axis)))
    p = np.clip(CHANCES[link](places[:, :1] + places[:, 1:] * data["x"].to_numpy()), 1e-300, 1 - 1e-16)
    logs = np.sum(np.where(data["y"] == 1, np.log(p), np.log1p(-p)), axis=1)
    shares = np.exp(logs - np.max(logs))
    mean = shares @ places / np.sum(shares)
    sd = np.sqrt(shares @ (places - mean) ** 2 / np.sum(shares))
    agree(np.stack([draws(found, "Intercept"), draws(found, "x")], axis=1), mean, sd)


def test_amounts_with_a_shape_by_a_grid() -> None:
    """The integral over a group's intercept, in closed form, gives the density of the shape."""
    data = events_of(5, 3)
    found = fitted("a ~ 1 | g, family(gamma)", data)
    shape, logs = np.exp(np.linspace(-4, 5, 2_000)), 0.0
    logs = stats.norm.logpdf(np.log(shape), 1.0, 1.5)
    for _, rows in data.groupby("g"):
        y, n = rows["a"].to_numpy(), len(rows)
        logs = logs + (shape - 1) * np.sum(np.log(y)) - n * special.gammaln(shape)
        logs = logs + special.gammaln(n * shape) - n * shape * np.log(np.sum(y))
    shares = np.exp(logs - np.max(logs)) / np.sum(np.exp(logs - np.max(logs)))
    mean = shares @ shape
    agree(draws(found, "shape"), mean, np.sqrt(shares @ (shape - mean) ** 2))


def test_a_student_response_of_few_rows_by_a_grid() -> None:
    data = events_of(4, 2)
    found = draws(
        fitted("t ~ 1 | g, family(student), prior(sigma ~ constant(0.7), nu ~ constant(6))", data),
        "Intercept",
    )
    axis = np.linspace(-8, 8, 20_001)
    for at, (_, rows) in enumerate(data.groupby("g")):
        logs = np.sum(stats.t.logpdf((rows["t"].to_numpy()[:, None] - axis) / 0.7, 6), axis=0)
        shares = np.exp(logs - np.max(logs)) / np.sum(np.exp(logs - np.max(logs)))
        mean = shares @ axis
        agree(found[:, at], mean, np.sqrt(shares @ (axis - mean) ** 2))


def test_the_mean_of_a_hierarchy_by_a_grid() -> None:
    """Groups without events beside others: only the mean is flat."""
    data = GROUPS.assign(y=np.where(GROUPS["g"] == "A", 0, GROUPS["y"]))
    fit = fitted("y ~ 1 | g, hierarchy(), prior(Intercept.sd ~ half_normal(1)), family(bernoulli)", data)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    mean, sd = np.linspace(-15, 15, 601), np.exp(np.linspace(-8, 1.6, 300))
    logs = -0.5 * sd**2 + np.log(sd) + np.zeros((len(mean), 1))
    for events in data.groupby("g")["y"].sum():
        e = mean[:, None, None] + sd[:, None] * nodes
        density = special.expit(e) ** events * special.expit(-e) ** (10 - events)
        logs = logs + np.log(density @ weights)
    shares = np.exp(logs - np.max(logs)) / np.sum(np.exp(logs - np.max(logs)))
    for name, axis, of in (
        ("Intercept_mean", mean, shares.sum(axis=1)),
        ("Intercept_sd", sd, shares.sum(axis=0)),
    ):
        middle = of @ axis
        agree(draws(fit, name), middle, np.sqrt(of @ (axis - middle) ** 2))


def test_estimates_of_many_rows_are_those_of_maximum_likelihood() -> None:
    """By group, and with a slope in common; also with x far from zero, where intercepts and slopes are alike."""
    data, far = events_of(500, 3), events_of(500, 3, offset=1e3)
    columns = np.column_stack([*(data["g"] == g for g in ("g0", "g1", "g2")), data["x"], data["z"]]).astype(
        float
    )
    known = sm.GLM(data["y"], columns, family=sm.families.Binomial()).fit()
    fit = fitted("y ~ 1 + common(x + z) | g, family(bernoulli)", data)
    found = np.column_stack([draws(fit, "Intercept"), draws(fit, "x"), draws(fit, "z")])
    assert np.max(abs(np.mean(found, axis=0) - known.params) / known.bse) < 0.1
    np.testing.assert_allclose(np.std(found, axis=0), known.bse, rtol=0.06)
    slopes = [draws(fitted("y ~ x | g, family(bernoulli)", each), "x") for each in (data, far)]
    for at, name in enumerate(("g0", "g1", "g2")):
        rows = data[data["g"] == name]
        one = sm.GLM(rows["y"], sm.add_constant(rows["x"]), family=sm.families.Binomial()).fit()
        for each in slopes:
            assert abs(np.mean(each[:, at]) - one.params["x"]) < 0.1 * one.bse["x"]
            assert np.std(each[:, at]) == pytest.approx(one.bse["x"], rel=0.06)


def test_there_is_no_evidence_and_no_bayes_factor() -> None:
    fit = fitted("y ~ x | g, hierarchy(), family(bernoulli)", events_of(30, 4))
    with pytest.raises(fj.InferenceError, match="flat priors have no density"):
        _ = fit.log_evidence
    tested = fit.test("x == 0")
    assert np.isnan(tested["log_bf10"]).all()
    assert 0 < tested["contour"].iloc[0] < 1
    not_pooled = fitted("y ~ x | g, family(bernoulli)", events_of(30, 4))
    assert "takes a while" not in str(not_pooled)
