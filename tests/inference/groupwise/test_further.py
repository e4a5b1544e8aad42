"""Further parameters with predictors, or one for each group: evidences, estimates and names against references."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import scipy.special
import scipy.stats
from statsmodels.othermod.betareg import BetaModel

import formulajoint as fj

type Array = np.ndarray


def checked(formula: str, data: pd.DataFrame, exact: float) -> None:
    """Check the evidence of a model against one known from a grid."""
    fit = fj.fit(formula, data, engine="exact", draws=250, seed=0)
    found = fit.log_evidence
    assert found.error < 0.02
    assert abs(found.value - exact) < 4 * found.error + 0.002


def test_the_evidence_of_counts_with_a_shape_by_arm() -> None:
    data = pd.DataFrame({"y": [2, 0, 0, 7, 3, 5, 4, 1], "arm": list("ababbaab")})
    mean, first, arm = np.meshgrid(*[np.linspace(-4, 4, 65)] * 3, indexing="ij", sparse=True)
    logs = sum(scipy.stats.norm.logpdf(each) for each in (mean, first, arm))
    for y, which in zip(data["y"], data["arm"] == "b", strict=True):
        log_shape = first + arm * which
        p = scipy.special.expit(log_shape - mean)
        logs = logs + scipy.stats.nbinom(np.exp(log_shape), p).logpmf(y)
    exact = scipy.special.logsumexp(logs) + 3 * np.log(8 / 64)
    priors = "prior(Intercept ~ normal(0, 1), shape.Intercept ~ normal(0, 1), shape.arm ~ normal(0, 1))"
    checked(f"y ~ 1, family(negative_binomial), shape ~ arm, {priors}", data, exact)


def test_the_evidence_of_counts_whose_chance_of_zero_has_a_slope() -> None:
    data = pd.DataFrame({"y": [2, 0, 0, 0, 3, 5], "x": [0.5, -1, 0, 1.5, -0.5, 1], "g": list("abbbcc")})
    axes = np.linspace(-4, 4, 41), np.linspace(-5, 5, 31), np.linspace(-5, 5, 31), np.linspace(-6, 6, 37)
    mean, first, slope, u = np.meshgrid(*axes, indexing="ij", sparse=True)
    rate = np.exp(mean + 0.8 * u)
    logs = sum(scipy.stats.norm.logpdf(each)[..., 0] for each in (mean, first, slope))
    for _, rows in data.groupby("g"):
        inner = scipy.stats.norm.logpdf(u)
        for y, x in zip(rows["y"], rows["x"], strict=True):
            share = scipy.special.expit(first + slope * x)
            inner = inner + np.log(share * (y == 0) + (1 - share) * scipy.stats.poisson(rate).pmf(y) + 1e-300)
        logs = logs + scipy.special.logsumexp(inner, axis=-1) + np.log(12 / 36)
    exact = scipy.special.logsumexp(logs) + np.log(8 / 40) + 2 * np.log(10 / 30)
    priors = """prior(Intercept.mean ~ normal(0, 1), Intercept.sd ~ constant(0.8), zi.Intercept ~ normal(0, 1),
        zi.x ~ normal(0, 1))"""
    checked(f"y ~ 1 | g, hierarchy(), family(zero_inflated_poisson), zi ~ x, {priors}", data, exact)


def test_the_evidence_of_amounts_with_a_shape_for_each_group() -> None:
    """Groups share nothing: each has an integral of two dimensions."""
    data = pd.DataFrame({"y": [2.0, 0.3, 0.4, 1.2, 3.0, 5.0, 4.0], "g": list("abbbccc")})
    mean, shape = np.meshgrid(*[np.linspace(-8, 8, 401)] * 2, indexing="ij", sparse=True)
    exact = 0.0
    for _, rows in data.groupby("g"):
        logs = scipy.stats.norm.logpdf(mean) + scipy.stats.norm(0.5, 0.8).logpdf(shape)
        for y in rows["y"]:
            logs = logs + scipy.stats.gamma(np.exp(shape), scale=np.exp(mean - shape)).logpdf(y)
        exact += scipy.special.logsumexp(logs) + 2 * np.log(16 / 400)
    priors = "prior(Intercept ~ normal(0, 1), shape ~ log_normal(0.5, 0.8))"
    checked(f"y ~ 1 | g, family(gamma), shape ~ 1 | g, {priors}", data, exact)


def test_estimates_of_many_rows_are_those_of_maximum_likelihood() -> None:
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, 1500))
    mean, phi = scipy.special.expit(0.3 + 0.5 * x), np.exp(2 + 0.6 * z)
    data = pd.DataFrame({"y": rng.beta(mean * phi, (1 - mean) * phi), "x": x, "z": z})
    priors = "prior(Intercept ~ normal(0, 50), x ~ normal(0, 50), phi.Intercept ~ normal(0, 50), phi.z ~ normal(0, 50))"
    fit = fj.fit(f"y ~ x, family(beta), phi ~ z, {priors}", data, engine="exact", draws=1000, seed=1)
    known = BetaModel.from_formula("y ~ x", data, exog_precision=np.column_stack([np.ones(len(x)), z])).fit(
        disp=0
    )
    for name, estimate, error in zip(
        ("Intercept", "x", "phi_Intercept", "phi_z"), known.params, known.bse, strict=True
    ):
        draws = fit.draws.named.values(name)
        assert abs(np.mean(draws) - estimate) < 0.1 * error, name
        assert np.std(draws) == pytest.approx(error, rel=0.06), name


# --- names


@cache
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    g, x = np.repeat(list("abcd"), 10), rng.normal(size=40)
    rate = np.exp(0.5 + 0.3 * x)
    more = {"c": rng.poisson(rate * rng.gamma(2, 0.5, 40)), "amount": rng.gamma(2, rate / 2)}
    return pd.DataFrame(
        {"g": g, "x": x, "arm": np.tile(list("stu"), 14)[:40], "real": x + rng.standard_t(4, 40)} | more
    )


FORMULAS = (
    "c ~ x | g, hierarchy(), family(zero_inflated_negative_binomial), shape ~ arm, zi ~ x",
    "amount ~ 1 + (1 | g), family(gamma), shape ~ x | arm",
    "real ~ 1 | g, family(student), sigma ~ 1 | g, nu ~ 0 + arm, joint(Intercept, weights=n), test(Intercept == 0)",
)


@pytest.mark.parametrize("formula", FORMULAS)
def test_names_dims_and_coords_are_those_of_the_pymc_model(formula: str) -> None:
    model = fj.model(formula, frame())
    fit = model.fit(draws=50, seed=1, engine="exact")
    built, posterior = model.pymc, fit.idata["posterior"].dataset
    wanted = {each.name for each in (*built.free_RVs, *built.deterministics)}
    assert set(posterior.data_vars) == wanted
    for name in wanted:
        dims = built.named_vars_to_dims.get(name, ())
        assert posterior[name].dims[2:] == tuple(dims), name
        for dim in dims:
            assert list(posterior[dim].values) == list(built.coords[dim]), name


@pytest.mark.parametrize("formula", FORMULAS[1:])
@pytest.mark.filterwarnings("ignore:The new rows have the same sums")
def test_what_is_read_from_such_a_fit(formula: str, tmp_path) -> None:
    fit = fj.fit(formula, frame(), draws=100, seed=1, engine="exact")
    fit.save(tmp_path / "fit.nc")
    again = fj.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(again.summary(), fit.summary())
    assert len(fit.predict(frame())) == len(frame())
    assert np.isfinite(fit.loo().elpd)
    assert again.update(frame()).engine == "exact"
    assert "exact" in str(fit)
