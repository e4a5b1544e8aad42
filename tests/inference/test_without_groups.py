"""Densities of a group given all others: against quadrature by hand, and against fits to the data without the group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logsumexp

import formulajoint as fj
from formulajoint.inference.groupwise.engine import Groupwise
from formulajoint.inference.groupwise.rules import rules
from formulajoint.inference.importance.sampled import K_HAT, SHRINKS
from formulajoint.inference.without_groups import smoothed, without

EIGHT = pd.DataFrame(
    {
        "school": list("ABCDEFGH"),
        "y": [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0],
        "s": [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0],
    }
)
DRAWS = 2000
PRIORS = "prior(Intercept.mean ~ normal(8, 20), Intercept.sd ~ half_normal(15))"


def evidence_of_eight(keep: np.ndarray) -> float:
    """Return log p(y) of some of the eight schools, by the trapezium rule over the sd of schools."""
    tau = np.linspace(0, 120, 2001)[:, None]
    away, variances = EIGHT["y"].to_numpy()[keep] - 8.0, EIGHT["s"].to_numpy()[keep] ** 2
    precision = 1 / (variances + tau**2)
    total = 1 / 20**2 + precision.sum(axis=1)  # the mean is integrated in closed form
    squares = (precision * away**2).sum(axis=1) - (precision * away).sum(axis=1) ** 2 / total
    logs = -0.5 * (squares - np.log(precision / (2 * np.pi)).sum(axis=1) + np.log(total * 20**2))
    return float(np.log(np.trapezoid(np.exp(logs) * stats.halfnorm(scale=15).pdf(tau[:, 0]), tau[:, 0])))


def test_the_eight_schools_are_those_of_quadrature() -> None:
    formula = f"y ~ 1 | school, hierarchy(), se(s), {PRIORS}"
    fit = fj.fit(formula, EIGHT, seed=1)
    found = fit.loo(over="school").table
    everyone = np.ones(8, dtype=bool)
    whole = evidence_of_eight(everyone)
    expected = [whole - evidence_of_eight(np.arange(8) != g) for g in range(8)]
    assert list(found.index) == list("ABCDEFGH")
    assert np.all(found["error"] < 0.01)
    assert np.all(abs(found["elpd"] - expected) < 5 * found["error"])


def test_where_weights_cannot_be_trusted_the_model_is_fitted_without_the_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fit = fj.fit(f"y ~ 1 | school, hierarchy(), se(s), {PRIORS}", EIGHT, seed=1)
    monkeypatch.setattr("formulajoint.inference.without_groups.K_HAT", -np.inf)
    found = fit.loo(over="school")
    expected = evidence_of_eight(np.ones(8, dtype=bool)) - evidence_of_eight(np.arange(8) != 0)
    assert found.table.loc["A", "elpd"] == pytest.approx(expected, abs=1e-5)
    assert found.table["k_hat"].isna().all()
    assert "For 8 of them the model was fitted without the group." in str(found)


def test_groups_with_nothing_in_common_are_those_of_quadrature() -> None:
    data = pd.DataFrame({"g": list("aaaabbb"), "hit": [1, 0, 1, 1, 0, 0, 1]})
    text = "hit ~ 1 | g, family(bernoulli), prior(Intercept ~ normal(0, 1.5))"
    found = fj.fit(text, data, seed=1).loo(over="g").table
    at = np.linspace(-12, 12, 4001)
    for group, (hits, misses) in {"a": (3, 1), "b": (1, 2)}.items():
        density = expit(at) ** hits * expit(-at) ** misses * stats.norm(scale=1.5).pdf(at)
        assert found.loc[group, "elpd"] == pytest.approx(np.log(np.trapezoid(density, at)), abs=1e-6)
    assert np.all(found["error"] < 1e-6)
    assert found["k_hat"].isna().all()


def simulated() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(7), 8)
    data = pd.DataFrame(
        {"school": [f"s{k}" for k in g], "rater": [f"r{k}" for k in np.tile(np.arange(4), 14)]}
    )
    data["x"] = rng.normal(size=56)
    data["y"] = 1 + rng.normal(size=7)[g] + (0.5 + rng.normal(size=7))[g] * data["x"] + rng.normal(size=56)
    data["z"] = rng.normal(size=7)[g] + np.tile(rng.normal(size=4), 14) + rng.normal(size=56)
    data["n"] = rng.poisson(np.exp(0.5 + 0.6 * rng.normal(size=7)[g]))
    return data


def draws_of(fit: fj.Fit, name: str) -> np.ndarray:
    return fit.posterior[name].to_numpy().reshape(DRAWS, -1)


def log_normal(away: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the log density at `away` from the mean (D, n) under covariances (D, n, n)."""
    squares = np.einsum("di,dij,dj->d", away, np.linalg.inv(covariance), away)
    return -0.5 * (squares + np.linalg.slogdet(2 * np.pi * covariance)[1])


def of_slopes(fit: fj.Fit, rows: pd.DataFrame) -> np.ndarray:
    """Return log p(rows) of a new group at each draw, its intercept and slope integrated out."""
    columns = np.stack([np.ones(len(rows)), rows["x"]], axis=1)
    mean = np.hstack([draws_of(fit, "Intercept_mean"), draws_of(fit, "x_mean")]) @ columns.T
    sds = np.hstack([draws_of(fit, "Intercept_sd"), draws_of(fit, "x_sd")])
    covariance = np.einsum("ik,dk,jk->dij", columns, sds**2, columns)
    covariance += draws_of(fit, "sigma")[:, :, None] ** 2 * np.eye(len(rows))
    return log_normal(rows["y"].to_numpy() - mean, covariance)


def of_raters(fit: fj.Fit, rows: pd.DataFrame) -> np.ndarray:
    """Return log p(rows) of a new school rated by known raters, at each draw."""
    rater = fit.posterior["Intercept|rater"].sel(rater=rows["rater"].tolist()).to_numpy().reshape(DRAWS, -1)
    away = rows["z"].to_numpy() - draws_of(fit, "Intercept") - rater
    between, within = draws_of(fit, "Intercept|school_sd"), draws_of(fit, "sigma")
    covariance = between[..., None] ** 2 + within[..., None] ** 2 * np.eye(len(rows))
    return log_normal(away, covariance)


def of_counts(fit: fj.Fit, rows: pd.DataFrame) -> np.ndarray:
    """Return log p(rows) of a new group's counts at each draw, its log rate integrated out."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    rate = np.exp(draws_of(fit, "Intercept_mean") + draws_of(fit, "Intercept_sd") * nodes)
    logs = stats.poisson(rate[..., None]).logpmf(rows["n"].to_numpy()).sum(axis=-1)
    return logsumexp(logs, axis=1, b=weights / weights.sum())


@pytest.mark.parametrize(
    ("formula", "priors", "density"),
    [
        (
            "y ~ x | school, hierarchy(cor=false)",
            "Intercept.mean ~ normal(1, 3), Intercept.sd ~ half_normal(2), x.mean ~ normal(0, 3), "
            "x.sd ~ half_normal(2), sigma ~ half_normal(3)",
            of_slopes,
        ),
        (
            "z ~ 1 + (1 | school) + (1 | rater)",
            "Intercept ~ normal(0, 3), sigma ~ half_normal(3)), prior(Intercept.sd ~ half_normal(2), over=school), "
            "prior(Intercept.sd ~ half_normal(2), over=rater",
            of_raters,
        ),
        (
            "n ~ 1 | school, hierarchy(), family(poisson)",
            "Intercept.mean ~ normal(0, 1), Intercept.sd ~ half_normal(1)",
            of_counts,
        ),
    ],
)
def test_groups_left_out_are_those_of_fits_without_them(formula: str, priors: str, density) -> None:  # type: ignore[no-untyped-def]
    data, text = simulated(), f"{formula}, prior({priors})"
    found = fj.fit(text, data, draws=DRAWS // 4, seed=1).loo(over="school").table
    rows = data[data["school"] == "s4"]
    logs = density(fj.fit(text, data[data["school"] != "s4"], draws=DRAWS // 4, seed=2), rows)
    expected = logsumexp(logs) - np.log(len(logs))
    error = np.exp(logs - expected).std() / np.sqrt(len(logs))
    assert found.loc["s4", "error"] < 0.1
    assert abs(found.loc["s4", "elpd"] - expected) < 4 * np.hypot(error, found.loc["s4", "error"])


def test_heavy_weights_are_seen_and_light_ones_have_a_small_error() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=4000)
    light = smoothed(-0.05 * x**2, 1.0)
    assert light[2] < K_HAT
    assert light[0] == pytest.approx(-np.log(np.sqrt(1 / (1 - 0.1))), abs=4 * light[1])  # E exp(0.05 x^2)
    assert smoothed(-0.05 * x**2, 4.0)[1] == pytest.approx(2 * light[1])
    assert smoothed(-0.6 * x**2, 1.0)[2] > K_HAT  # E exp(0.6 x^2) is infinite


def test_what_a_coarse_rule_of_quadrature_leaves_out_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = fj.model("n ~ 1 | school, hierarchy(), family(poisson)", simulated()).plan
    part = without(plan, np.asarray(simulated()["school"] == "s4"))

    def of_group() -> tuple[np.ndarray, float]:
        found = Groupwise().log_likelihoods(plan, [part], 0, 100)
        other = next(found.others)
        return found.whole.logs - other.logs, found.whole.moved - other.moved

    fine, _ = of_group()
    monkeypatch.setattr("formulajoint.inference.groupwise.engine.fine_enough", lambda *_: rules(1)[0])
    coarse, moved = of_group()  # three nodes
    assert abs(moved) > 1e-5
    assert abs(np.mean(coarse - fine)) < abs(moved) / SHRINKS
