"""Bayes factors against effects of one kind, against integrals of dense multivariate normals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.inference.one_kind import (
    Against,
    OneKind,
    _by_evidence,
    at_once,
    log_bayes_factors,
    one_kind,
    why_not,
)
from formulajoint.remarks import Missing
from formulajoint.spec.read import parse_hypotheses

type Array = NDArray[np.float64]


def frame(groups: int, rows: int, effect: float, seed: int = 0) -> pd.DataFrame:
    """Return rows whose effect of a 0/1 treatment differs by group."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    x = np.tile(np.arange(rows) % 2, groups)
    slopes = effect + 0.8 * rng.normal(size=groups)
    y = 3 + rng.normal(size=groups)[g] + slopes[g] * x + rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "age": rng.normal(40, 9, len(g)), "s": 0.5 + rng.random(len(g)),
                         "g": [f"g{each}" for each in g]})  # fmt: skip


def kind(plan: Plan, text: str = "x == 0") -> OneKind | Missing:
    return one_kind(plan, hypothesis(plan.design, parse_hypotheses(text)))


def found(plan: Plan, text: str = "x == 0", factors: tuple[float, ...] = (1.0,)) -> list[Against]:
    made = kind(plan, text)
    assert isinstance(made, OneKind), made
    out = log_bayes_factors(made, factors)
    assert not isinstance(out, Missing), out
    return out


# --- brute force


def dense(plan: Plan, data: pd.DataFrame, mean_sd: float, sd: float) -> float:
    """Return log p(y) of ``y ~ x | g`` with effects from N(mu, sd), mu ~ N(0, mean_sd), other priors as in the plan."""
    groups = pd.get_dummies(data["g"], dtype=float).to_numpy()
    x, y = data["x"].to_numpy(float), data["y"].to_numpy(float)
    (intercept,) = [c.prior for c in plan.mean.coefficients if c.term.name == "Intercept"]
    assert intercept is not None
    assert intercept.normal is not None
    location, spread = intercept.normal
    slopes = groups * x[:, None]
    known = spread**2 * groups @ groups.T + sd**2 * slopes @ slopes.T + mean_sd**2 * np.outer(x, x)
    left = y - location
    values, vectors = np.linalg.eigh(known)
    along = (vectors.T @ left) ** 2
    assert plan.spread is not None
    logs = np.linspace(math.log(0.1), math.log(30), 600)  # of sigma
    variance = values + np.exp(2 * logs)[:, None]
    prior = stats.t.logpdf(np.exp(logs), 4, scale=float(data["y"].std())) + math.log(2)
    np.testing.assert_allclose(prior, plan.spread.prior.log_density(np.exp(logs)))
    density = -0.5 * np.sum(np.log(2 * np.pi * variance) + along / variance, axis=1) + prior + logs
    return float(np.logaddexp.reduce(density) + math.log(logs[1] - logs[0]))


def averaged(plan: Plan, data: pd.DataFrame, mean_sd: float, scale: float) -> float:
    """Return the same averaged over sd ~ HalfNormal(scale), by Gauss-Legendre in the sd."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    sds = 3 * scale * (1 + nodes)  # 0 to 6 scales
    logs = [dense(plan, data, mean_sd, each) + stats.halfnorm.logpdf(each, scale=scale) for each in sds]
    return float(np.logaddexp.reduce(logs + np.log(3 * scale * weights)))


@pytest.mark.parametrize(("effect", "factor"), [(0.0, 1.0), (0.7, 1.0), (0.7, 0.25)])
def test_effects_of_one_kind_are_one_effect_or_effects_about_zero(effect: float, factor: float) -> None:
    data = frame(5, 8, effect)
    plan = fj.model("y ~ x | g", data).plan
    unit = data["y"].std() / 0.5  # s_y / s_x of a 0/1 column
    zero = dense(plan, data, 0.0, 0.0)
    shared = dense(plan, data, 0.5 * unit * factor, 0.0) - zero
    varying = averaged(plan, data, 0.0, 0.25 * unit * factor) - zero
    (one,) = found(plan, factors=(factor,))
    assert one.shared is not None
    assert one.varying is not None
    assert one.shared.value == pytest.approx(shared, abs=1e-4)
    assert one.varying.value == pytest.approx(varying, abs=1e-4)
    assert one.value.value == pytest.approx(np.logaddexp(shared, varying) - math.log(2), abs=1e-4)


def test_equality_is_against_effects_from_one_distribution() -> None:
    data = frame(5, 8, 0.7)
    plan = fj.model("y ~ x | g", data).plan
    unit = data["y"].std() / 0.5
    known = averaged(plan, data, 0.5 * unit, 0.25 * unit) - dense(plan, data, 0.5 * unit, 0.0)
    (one,) = found(plan, "x == x[g0]")
    assert one.shared is None
    assert one.varying is None
    assert one.value.value == pytest.approx(known, abs=1e-4)


# --- one curve for all scales, or an evidence for each


@pytest.mark.parametrize(
    "formula",
    ["y ~ x | g", "y ~ x + common(age) | g", "y ~ x | g, se(s)", "y ~ x | g, prior(sigma ~ uniform(0.1, 4))"],
)
@pytest.mark.parametrize("text", ["x == 0", "x == x[g0]"])
def test_the_curve_agrees_with_the_evidence_of_each_plan(formula: str, text: str) -> None:
    plan = fj.model(formula, frame(6, 7, 0.5)).plan
    made = kind(plan, text)
    assert isinstance(made, OneKind)
    one_by_one = _by_evidence(made, (1.0, 0.1))
    assert not isinstance(one_by_one, Missing)
    for each, other in zip(found(plan, text, (1.0, 0.1)), one_by_one, strict=True):
        assert each.value.value == pytest.approx(other.value.value, abs=1e-3 + 4 * other.value.error)
        assert each.value.error < 1e-3


def test_columns_of_a_factor_have_a_mean_and_an_sd_each() -> None:
    data = frame(4, 9, 0.5)
    data["arm"] = ["a", "b", "c"] * 12
    plan = fj.model("y ~ arm | g", data).plan
    made = kind(plan, "arm == 0")
    assert isinstance(made, OneKind)
    assert made.mean == pytest.approx([data["y"].std()] * 2)  # 0.5 s_y / (1 / 2)
    (one,) = found(plan, "arm == 0")
    hierarchy = fj.model(
        f"y ~ arm | g, hierarchy(arm, cor=false), prior(arm.mean ~ constant(0), "
        f"arm.sd ~ half_normal({made.sd[0]})), prior(Intercept ~ normal({plan.mean.coefficients[0].prior.args['mu']}, "
        f"{plan.mean.coefficients[0].prior.args['sigma']}))",
        data,
    )
    none = fj.model(
        f"y ~ 1 | g, prior(Intercept ~ normal({plan.mean.coefficients[0].prior.args['mu']}, "
        f"{plan.mean.coefficients[0].prior.args['sigma']}))",
        data,
    )
    known = hierarchy.fit(seed=1, draws=500).compare(none.fit(seed=1))
    assert one.varying is not None
    assert one.varying.value == pytest.approx(known.value, abs=4 * (known.error + one.varying.error))


def test_flat_priors_of_the_rest_cancel() -> None:
    """Flat priors are the limit of wide ones, whose constants are the same in both hypotheses."""
    data = frame(6, 7, 0.5)
    (flat,) = found(fj.model("y ~ x | g", data, priors="flat").plan)
    wide = "prior(Intercept ~ normal(0, 1e4), x ~ normal(0, 1e4), sigma ~ log_normal(0, 1e3))"
    (proper,) = found(fj.model(f"y ~ x | g, {wide}", data).plan)
    assert flat.value.value == pytest.approx(proper.value.value, abs=1e-3)


def test_narrow_scales_leave_nothing_to_tell() -> None:
    plan = fj.model("y ~ x | g", frame(30, 10, 0.0)).plan
    values = [each.value.value for each in found(plan, factors=tuple(10.0**-k for k in range(1, 6)))]
    assert abs(values[-1]) < 1e-4
    assert np.all(np.diff(np.abs(values)) < 0)


# --- a sigma for each group: effects in residual sds


def dense_of_one(data: pd.DataFrame, plan: Plan, effect: Array) -> Array:
    """Return log p(y_g | b_g = sigma_g d) of one group for each d (n,), its own sigma and intercept integrated out."""
    intercept = next(c.prior for c in plan.mean.coefficients if c.term.name == "Intercept")
    assert intercept is not None
    assert plan.spread is not None
    (location, spread), x, y = intercept.normal, data["x"].to_numpy(float), data["y"].to_numpy(float)  # type: ignore[misc]
    logs = np.linspace(math.log(0.05), math.log(60), 400)
    sigma = np.exp(logs)[None, :]
    left = y[:, None, None] - float(location) - sigma * effect[:, None] * x[:, None, None]
    n, total = len(y), np.sum(left, axis=0)
    share = float(spread) ** 2 / (sigma**2 + n * float(spread) ** 2)
    squares = (np.sum(left**2, axis=0) - share * total**2) / sigma**2
    logdet = (n - 1) * np.log(sigma**2) + np.log(sigma**2 + n * float(spread) ** 2)
    density = (
        -0.5 * (n * math.log(2 * math.pi) + logdet + squares) + plan.spread.prior.log_density(sigma) + logs
    )
    return np.asarray(np.logaddexp.reduce(density, axis=1) + math.log(logs[1] - logs[0]))


def test_with_a_sigma_each_effects_are_of_one_kind_in_residual_sds() -> None:
    data = frame(5, 12, 0.7)
    data["y"] *= data["g"].map({"g0": 1.0, "g1": 2.0, "g2": 0.6, "g3": 1.0, "g4": 1.5})
    priors = "prior(Intercept ~ normal(3, 6), sigma ~ half_normal(4))"
    plan = fj.model(f"y ~ x | g, sigma ~ 1 | g, {priors}", data).plan
    d = np.linspace(-12.0, 12.0, 4001)  # in residual sds
    lines = np.array([dense_of_one(own, plan, d) for _, own in data.groupby("g")])
    zero = float(np.sum(lines[:, 2000]))
    step = math.log(d[1] - d[0])

    def about(centre: float, sd: float) -> Array:
        return stats.norm.logpdf(d, centre, sd)

    shared = float(np.logaddexp.reduce(np.sum(lines, axis=0) + about(0.0, 1.0)) + step)
    taus = np.geomspace(0.02, 4.0, 160)  # scale 0.25 / s_x is 0.5
    varying = np.array([np.sum(np.logaddexp.reduce(lines + about(0.0, tau), axis=1) + step) for tau in taus])
    weights = stats.halfnorm.logpdf(taus, scale=0.5) + np.log(np.gradient(taus))
    below = zero + stats.halfnorm.logcdf(taus[0], scale=0.5)
    known = np.logaddexp(np.logaddexp.reduce(varying + weights), below)
    (one,) = found(plan)
    assert one.shared is not None
    assert one.varying is not None
    assert one.shared.value == pytest.approx(shared - zero, abs=2e-3)
    assert one.varying.value == pytest.approx(known - zero, abs=5e-3)


def test_in_other_units_of_a_group_the_bayes_factor_is_the_same() -> None:
    priors = "prior(Intercept ~ normal(0, 1e4), sigma ~ half_cauchy(1e4))"
    data = frame(6, 10, 0.4)
    other = data.assign(y=data["y"] * np.where(data["g"] == "g2", 100.0, 1.0))
    values = [
        found(fj.model(f"y ~ x | g, sigma ~ 1 | g, {priors}", each).plan)[0].value.value
        for each in (data, other)
    ]
    assert values[0] == pytest.approx(values[1], abs=2e-3)


@pytest.mark.parametrize(
    "formula", ["y ~ x | g, sigma ~ 1 | g", "y ~ x | g, sigma ~ 1 | g, hierarchy(sigma)"]
)
def test_lines_agree_with_the_evidence_of_each_plan(formula: str) -> None:
    made = kind(fj.model(formula, frame(5, 12, 0.5)).plan)
    assert isinstance(made, OneKind)
    one_by_one = _by_evidence(made, (1.0, 0.1))
    assert not isinstance(one_by_one, Missing)
    once = at_once(made, (1.0, 0.1))
    assert (once is None) == ("hierarchy" in formula)
    for each, other in zip(once or [], one_by_one, strict=once is not None):
        assert each.value.value == pytest.approx(other.value.value, abs=1e-3)
        assert each.value.error < 1e-3


# --- where there is none


@pytest.mark.parametrize(
    ("formula", "text", "code"),
    [
        ("y ~ x | g", "x[g0] == 0", "hypothesis"),
        ("y ~ x | g", "x == 1", "hypothesis"),
        ("y ~ x | g", "x[g0] > 0", "hypothesis"),
        ("y ~ x | g", "Intercept == 0", "level"),
        ("y ~ x + age | g", "x == 0, age == 0", "hypothesis"),
        ("y ~ x", "x == 0", "hypothesis"),
        ("y ~ x | g, hierarchy(x)", "x == 0", "pooled"),
        ("y ~ x | g, sigma ~ 1 | g", "x == x[g0]", "null"),
    ],
)
def test_other_hypotheses_have_no_such_alternative(formula: str, text: str, code: str) -> None:
    made = kind(fj.model(formula, frame(4, 8, 0.5)).plan, text)
    assert isinstance(made, Missing)
    assert made.code == code


def test_fractional_weights_have_no_likelihood() -> None:
    data = frame(4, 8, 0.5)
    made = kind(fj.model("y ~ x | g, weights(s)", data).plan)
    assert isinstance(made, OneKind)
    assert isinstance(why_not(made), Missing)
