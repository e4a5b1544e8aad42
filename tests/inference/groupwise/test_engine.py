"""Draws and evidences of models other than Gaussian, against references, and the gates that refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.special
import scipy.stats
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.compiler.over import by_bar
from formulajoint.errors import InferenceError
from formulajoint.inference.engine import exact_engine
from formulajoint.inference.groupwise import marginal, sampling
from formulajoint.inference.groupwise.forecast import forecast
from formulajoint.inference.groupwise.marginal import Marginal, log_likelihood
from formulajoint.inference.groupwise.model import model_of
from formulajoint.inference.groupwise.rules import rules
from formulajoint.inference.groupwise.starts import plausible
from formulajoint.inference.importance.sampled import Sampled
from formulajoint.inference.latent.ties import Equal
from formulajoint.inference.settings import Settings
from formulajoint.remarks import Missing

PRIORS = "prior(Intercept.mean ~ normal(0, 2.5), Intercept.sd ~ half_normal(2.5), x.mean ~ normal(0, 2.5), x.sd ~ half_normal(2.5))"


def generated(family: str, seed: int, groups: int, rows: int, mu: tuple[float, ...], tau: tuple[float, ...]):
    """Return the data of a long run of NUTS, in the order of its generator."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky([[1, 0.4], [0.4, 1]])
    b = np.array(mu) + (rng.normal(size=(groups, 2)) @ root.T) * np.array(tau)
    codes = np.repeat(np.arange(groups), rows)
    x = rng.normal(size=len(codes))
    eta = b[codes, 0] + b[codes, 1] * x
    y = (
        rng.binomial(1, 1 / (1 + np.exp(-eta)))
        if family == "bernoulli"
        else rng.gamma(1.5, np.exp(eta) / 1.5)
    )
    return pd.DataFrame({"y": y, "x": x, "g": [f"g{code}" for code in codes]})


@cache
def separated() -> pd.DataFrame:
    """Return data in whose groups the events are often separated by x, or all alike."""
    data = generated("bernoulli", 5, 30, 8, (0, 2), (1.5, 3))
    assert data["y"].sum() == 102
    return data


# Means and sds by NUTS, 4,000 draws of an effective size of about 1,000.
LONG_RUNS = {
    "bernoulli": {
        "Intercept_mean": (-0.475, 0.315),
        "x_mean": (0.401, 0.602),
        "Intercept_sd": (1.301, 0.400),
        "x_sd": (2.937, 0.720),
    },
    "gamma": {
        "Intercept_mean": (-0.555, 0.124),
        "x_mean": (0.476, 0.094),
        "Intercept_sd": (0.717, 0.096),
        "x_sd": (0.531, 0.083),
        "shape": (1.732, 0.125),
    },
}


@pytest.mark.parametrize("family", LONG_RUNS)
def test_draws_agree_with_a_long_run_of_nuts(family: str) -> None:
    data = separated() if family == "bernoulli" else generated(family, 9, 40, 10, (-0.3, 0.5), (0.8, 0.6))
    more = "" if family == "bernoulli" else ", prior(shape ~ gamma(2, 0.1))"
    fit = fj.fit(f"y ~ x | g, hierarchy(), {PRIORS}{more}, family({family})", data, draws=250, seed=1)
    assert fit.engine == "exact"
    for name, (mean, sd) in LONG_RUNS[family].items():
        draws = fit.draws.named.values(name)
        error = sd * np.sqrt(1 / 1000 + 1 / 900)
        assert abs(np.mean(draws) - mean) < 4 * error, name
        assert abs(np.std(draws) - sd) < 4 * error, name


@cache
def counts() -> pd.DataFrame:
    """Return three groups: one of one row, one of zeros."""
    return pd.DataFrame({"y": [2, 0, 0, 0, 3, 5], "g": list("abbbcc")})


COUNTS = "y ~ 1 | g, hierarchy(), prior(Intercept.mean ~ normal(0, 1), Intercept.sd ~ half_normal(1)), family(poisson)"


def test_the_evidence_is_that_of_brute_force() -> None:
    model = model_of(by_bar(fj.model(COUNTS, counts()).plan))
    near = forecast(model, plausible(model))
    taus, means = np.linspace(-14, 2, 161), np.linspace(-5, 5, 141)
    z = (means - model.centre) / model.turn[0]
    points = np.stack(np.meshgrid(taus, z, indexing="ij"), axis=-1).reshape(-1, 2)
    cell = np.log((taus[1] - taus[0]) * abs(z[1] - z[0]))
    exact = float(np.logaddexp.reduce(Marginal(near, rules(1)[-1])(points)) + cell)
    found = fj.fit(COUNTS, counts(), draws=250, seed=0).log_evidence
    assert found.error < 0.02
    assert abs(found.value - exact) < 4 * found.error


class Summed(NamedTuple):
    """A response of three groups, its density given eta and further parameters, and these on grids with their prior."""

    response: tuple[float, ...]
    prior: str
    density: Callable[..., np.ndarray]
    grids: tuple[np.ndarray, ...]
    log_prior: Callable[..., np.ndarray]


LOG_SHAPE = np.linspace(-2, 2, 17)
CUTS = np.linspace(-6, 6, 33)
WIDE = scipy.stats.norm(0, 1.5)


def ordered(y: float, eta: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the log probability of one of three ordered categories."""
    edges = [np.full_like(first, -np.inf), first, second, np.full_like(first, np.inf)]
    below, above = (scipy.special.expit(edges[int(y) + step] - eta) for step in (0, 1))
    return np.log(np.maximum(above - below, 1e-300))


def inflated(y: float, eta: np.ndarray, zi: np.ndarray) -> np.ndarray:
    """Return the log probability of a count that has more zeros than Poisson's."""
    return np.log(zi * (y == 0) + (1 - zi) * scipy.stats.poisson(np.exp(eta)).pmf(y))


SUMMED = {
    "negative_binomial": Summed(
        (2, 0, 0, 0, 3, 5),
        "shape ~ log_normal(0, 0.5)",
        lambda y, eta, r: scipy.stats.nbinom(np.exp(r), 1 / (1 + np.exp(eta - r))).logpmf(y),
        (LOG_SHAPE,),
        lambda r: scipy.stats.norm(0, 0.5).logpdf(r),
    ),
    "gamma": Summed(
        (2.0, 0.3, 0.4, 1.2, 3.0, 5.0),
        "shape ~ log_normal(0, 0.5)",
        lambda y, eta, r: scipy.stats.gamma(np.exp(r), scale=np.exp(eta - r)).logpdf(y),
        (LOG_SHAPE,),
        lambda r: scipy.stats.norm(0, 0.5).logpdf(r),
    ),
    "zero_inflated_poisson": Summed(
        (2, 0, 0, 0, 3, 5),
        "zi ~ beta(3, 3)",
        inflated,
        (np.linspace(0, 1, 21),),
        scipy.stats.beta(3, 3).logpdf,
    ),
    "cumulative": Summed(
        (2, 0, 0, 1, 1, 2),
        "threshold ~ normal(0, 1.5)",
        ordered,
        (CUTS, CUTS + (CUTS[1] - CUTS[0]) / 2),
        lambda first, second: np.where(  # numbers that are sorted
            first < second, np.log(2) + WIDE.logpdf(first) + WIDE.logpdf(second), -np.inf
        ),
    ),
}


@pytest.mark.parametrize("family", SUMMED)
def test_the_evidence_is_a_sum_over_grids(family: str) -> None:
    """The sum knows SciPy's densities, and nothing of this package; it is even in the hierarchy's sd."""
    case, groups = SUMMED[family], list("abbbcc")
    means = np.zeros(1) if family == "cumulative" else np.linspace(-5, 5, 41)
    taus, u = np.linspace(0, 5, 26), np.linspace(-7, 7, 43)
    axes = [taus, means, *case.grids]
    tau, mu, *further = np.meshgrid(*axes, indexing="ij", sparse=True)
    with np.errstate(divide="ignore"):
        logs = scipy.stats.halfnorm.logpdf(tau) - np.log(2) * (tau == 0) + case.log_prior(*further)
        logs = logs + (scipy.stats.norm.logpdf(mu) if len(means) > 1 else 0.0)
        inner = [each[..., None] for each in further]
        eta = (mu + 0 * tau)[..., None] + tau[..., None] * u
        for group in "abc":
            own = sum(
                case.density(y, eta, *inner) for y, g in zip(case.response, groups, strict=True) if g == group
            )
            logs = (
                logs
                + scipy.special.logsumexp(own + scipy.stats.norm.logpdf(u), axis=-1)
                + np.log(u[1] - u[0])
            )
    volume = sum(np.log(axis[1] - axis[0]) for axis in axes if len(axis) > 1)
    mean = "" if family == "cumulative" else "Intercept.mean ~ normal(0, 1), "
    formula = (
        f"y ~ 1 | g, hierarchy(), family({family}), prior({mean}Intercept.sd ~ half_normal(1), {case.prior})"
    )
    found = fj.fit(formula, {"y": np.array(case.response), "g": groups}, draws=250, seed=0).log_evidence
    assert found.error < 0.02
    assert abs(found.value - (scipy.special.logsumexp(logs) + volume)) < 4 * found.error + 0.002


def test_the_evidences_of_all_data_sets_sum_to_one() -> None:
    total = 0.0
    plan = fj.model(
        COUNTS.replace("poisson", "bernoulli"), pd.DataFrame({"y": [0, 1] * 2, "g": list("aabb")})
    ).plan
    engine = exact_engine(plan)
    assert not isinstance(engine, Missing)
    for first in ((0, 0), (0, 1), (1, 1)):
        for second in ((0, 0), (0, 1), (1, 1)):
            response = replace(plan.design.response, values=np.array([*first, *second], dtype=float))
            found = engine.log_evidence(replace(plan, design=replace(plan.design, response=response)), 0)
            assert not isinstance(found, Missing)
            total += (1 + (sum(first) == 1)) * (1 + (sum(second) == 1)) * np.exp(found.value)
    assert total == pytest.approx(1.0, abs=0.01)


def test_coefficients_given_the_rest_are_those_of_a_fine_grid() -> None:
    formula = "y ~ 1 | g, prior(Intercept ~ normal(0.5, 1.5)), family(poisson)"  # nothing is shared
    fit = fj.fit(formula, counts(), draws=2000, seed=2)
    grid = np.linspace(-9, 7, 4001)
    draws = fit.draws.named.values("Intercept")
    evidence = 0.0
    for at, group in enumerate("abc"):
        y = counts()["y"][counts()["g"] == group].to_numpy()
        logs = y.sum() * grid - len(y) * np.exp(grid) - 0.5 * ((grid - 0.5) / 1.5) ** 2
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        mean = float(weights @ grid)
        sd = float(np.sqrt(weights @ (grid - mean) ** 2))
        assert abs(np.mean(draws[..., at]) - mean) < 4 * sd / np.sqrt(8000)
        assert np.std(draws[..., at]) == pytest.approx(sd, rel=0.04)
        constant = np.log(grid[1] - grid[0]) - np.log(1.5 * np.sqrt(2 * np.pi))
        evidence += np.logaddexp.reduce(logs) + constant - sum(np.log(np.arange(1, n + 1)).sum() for n in y)
    assert fit.log_evidence.value == pytest.approx(evidence, abs=1e-4)


def test_bayes_factors_and_contrasts_are_those_of_other_models() -> None:
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=60), np.repeat(list("abc"), 20)
    data = pd.DataFrame({"y": rng.poisson(np.exp(0.3 + 0.8 * x)), "x": x, "g": g})
    common = "prior(Intercept ~ normal(0, 1)), family(poisson)"
    fit = fj.fit(
        f"y ~ x | g, joint(weights=n), test(x == 0), prior(x ~ normal(0, 1)), {common}", data, seed=3
    )
    null = fj.fit(f"y ~ 1 | g, {common}", data, seed=3)
    assert fit.compare(null).value == pytest.approx(fit.log_evidence.value - null.log_evidence.value)
    joint = fit.draws.named.values("joint_x")
    np.testing.assert_allclose(joint, fit.draws.named.values("x").mean(axis=-1), atol=1e-12)


def test_equal_groups_are_one_group() -> None:
    """Pooled they have one draw of the hierarchy; not pooled their prior is that of a mean of two, given equality."""
    equal = Equal((("Intercept", 0),), (np.array([0, 2]),))
    data, merged = counts(), counts().assign(g=list("abbbaa"))
    engine = exact_engine(plan := fj.model(COUNTS, data).plan)
    assert not isinstance(engine, Missing)
    found, other = engine.log_evidence(plan, 1, equal), engine.log_evidence(fj.model(COUNTS, merged).plan, 1)
    assert not isinstance(found, Missing)
    assert not isinstance(other, Missing)
    assert abs(found.value - other.value) < 4 * np.hypot(found.error, other.error)
    plan = fj.model("y ~ 1 | g, prior(Intercept ~ normal(0.5, 1.5)), family(poisson)", data).plan
    whole, wanted, grid = engine.log_evidence(plan, 1, equal), 0.0, np.linspace(-9, 7, 4001)
    for y, sd in (([2, 3, 5], 1.5 / np.sqrt(2)), ([0, 0, 0], 1.5)):
        logs = scipy.stats.poisson(np.exp(grid)).logpmf(np.array(y)[:, None]).sum(axis=0)
        logs += scipy.stats.norm(0.5, sd).logpdf(grid)
        wanted += float(np.logaddexp.reduce(logs)) + np.log(grid[1] - grid[0])
    assert not isinstance(whole, Missing)
    assert whole.value == pytest.approx(wanted, abs=1e-4)


def slopes() -> pd.DataFrame:
    """Return counts of three groups."""
    rng = np.random.default_rng(4)
    codes, x = np.repeat([0, 1, 2], 6), rng.normal(size=18)
    y = rng.poisson(np.exp(0.2 + np.array([0.5, 0.9, -0.6])[codes] * x))
    return pd.DataFrame({"y": y, "x": x, "g": np.array(list("abc"))[codes]})


def log_sum(logs: np.ndarray, axis: int | tuple[int, ...], *steps: float) -> np.ndarray:
    """Return the log of an integral over grids with such steps."""
    return np.asarray(scipy.special.logsumexp(logs, axis=axis) + np.sum(np.log(steps)))


def log_counts(data: pd.DataFrame, group: str, intercept: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the log probability of a group's counts."""
    own = data[data["g"] == group]
    return np.asarray(
        sum(
            scipy.stats.poisson.logpmf(y, np.exp(intercept + slope * x))
            for x, y in zip(own["x"], own["y"], strict=True)
        )
    )


def test_groups_may_be_equal_in_one_of_two_coefficients_that_are_not_pooled() -> None:
    data, equal = slopes(), Equal((("x", 0),), (np.array([0, 1]),))
    priors = "prior(Intercept ~ normal(0.2, 0.8), x ~ normal(0.1, 1.2))"
    engine = exact_engine(plan := fj.model(f"y ~ x | g, family(poisson), {priors}", data).plan)
    assert not isinstance(engine, Missing)
    found = engine.log_evidence(plan, 1, equal)
    assert not isinstance(found, Missing)
    grid = np.linspace(-6, 6, 601)
    step, (intercept, slope) = grid[1] - grid[0], np.meshgrid(grid, grid, indexing="ij")
    of_group = {
        group: log_sum(
            log_counts(data, group, intercept, slope) + scipy.stats.norm.logpdf(intercept, 0.2, 0.8), 0, step
        )
        for group in "abc"
    }
    wanted = log_sum(
        of_group["a"] + of_group["b"] + scipy.stats.norm.logpdf(grid, 0.1, 1.2 / 2**0.5), 0, step
    )
    wanted = wanted + log_sum(of_group["c"] + scipy.stats.norm.logpdf(grid, 0.1, 1.2), 0, step)
    assert abs(found.value - wanted) < 4 * found.error + 1e-3
    assert found.error < 0.02


def test_groups_may_be_equal_in_one_of_two_coefficients_that_are_correlated() -> None:
    """Of hierarchies with known means and sds, and a correlation that is summed over a grid."""
    data, equal = slopes(), Equal((("x", 0),), (np.array([0, 1]),))
    known = "Intercept.mean ~ constant(0.2), Intercept.sd ~ constant(0.8), x.mean ~ constant(0.1), x.sd ~ constant(0.7)"
    formula = f"y ~ x | g, hierarchy(), family(poisson), prior({known}, cor ~ lkj(2))"
    engine = exact_engine(plan := fj.model(formula, data).plan)
    assert not isinstance(engine, Missing)
    found = engine.log_evidence(plan, 1, equal)
    assert not isinstance(found, Missing)
    v, u, r = np.linspace(-6, 6, 61), np.linspace(-6, 6, 61), np.linspace(-0.999, 0.999, 200)
    step, (normal, shared, cor) = v[1] - v[0], np.meshgrid(v, u, r, indexing="ij")
    intercept = 0.2 + 0.8 * (cor * shared + np.sqrt(1 - cor**2) * normal)
    of_group = {
        group: log_sum(
            log_counts(data, group, intercept, 0.1 + 0.7 * shared) + scipy.stats.norm.logpdf(normal), 0, step
        )
        for group in "abc"
    }
    prior = scipy.stats.norm.logpdf(u)[:, None]
    given = log_sum(of_group["a"] + of_group["b"] + prior, 0, step) + log_sum(of_group["c"] + prior, 0, step)
    wanted = log_sum(given + np.log(0.75 * (1 - r**2)), 0, r[1] - r[0])
    assert abs(found.value - wanted) < 4 * found.error + 2e-3
    assert found.error < 0.02


def test_two_ordered_categories_are_an_event() -> None:
    data = separated().iloc[:60]
    priors = "prior({} ~ normal(0, 1.5)), prior(Intercept.sd ~ half_normal(1), over=g)"
    one = fj.fit(f"y ~ 1 + (1 | g), family(bernoulli), {priors.format('Intercept')}", data, draws=100, seed=1)
    two = fj.fit(
        f"y ~ 1 + (1 | g), family(cumulative), {priors.format('threshold')}", data, draws=100, seed=1
    )
    assert one.engine == two.engine == "exact"
    assert abs(one.log_evidence.value - two.log_evidence.value) < 4 * np.hypot(
        one.log_evidence.error, two.log_evidence.error
    )


def test_the_prior_of_thresholds_integrates_to_one() -> None:
    data = pd.DataFrame({"y": [1, 2, 3] * 4, "g": list("aabb") * 3})
    model = model_of(
        by_bar(fj.model("y ~ 1, family(cumulative), prior(threshold ~ normal(0.5, 2))", data).plan)
    )
    first, gap = np.linspace(-9, 9, 181), np.linspace(-15, 4, 381)
    points = np.stack(np.meshgrid(first, gap, indexing="ij"), axis=-1).reshape(-1, 2)
    total = np.sum(np.exp(model.log_prior(points))) * (first[1] - first[0]) * (gap[1] - gap[0])
    assert total == pytest.approx(1.0, abs=1e-4)


# --- gates


def sampled(**more: object) -> Sampled:
    return replace(Sampled(np.zeros((1, 2, 9, 2)), 0.1, np.full((1, 2), 100.0), -3.0, 0.01), **more)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"k_hat": 0.8}, "k-hat 0.80"),
        ({"disagreement": 5.0}, "two independent searches differ"),
        ({"ess": np.array([[100.0, 8.0]])}, "worth 8 draws"),
    ],
)
def test_gates_of_the_weights(more: dict[str, object], words: str) -> None:
    model = model_of(by_bar(fj.model(COUNTS, counts()).plan))
    target = Marginal(forecast(model, plausible(model)), None)
    sampling.check(sampled(), target, 9)
    with pytest.raises(InferenceError, match=f"(?i){words}"):
        sampling.check(sampled(**more), target, 9)


def test_gate_of_modes_not_found() -> None:
    model = model_of(by_bar(fj.model(COUNTS, counts()).plan))
    target = Marginal(forecast(model, plausible(model)), None, highest=-10.0, lost=-12.0)
    with pytest.raises(InferenceError, match="Newton"):
        sampling.check(sampled(), target, 9)


def test_modes_that_are_not_found_end_the_search_early(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(by_bar(fj.model(COUNTS, counts()).plan))
    points: list[int] = []

    def lost(*args: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        found, converged = log_likelihood(*args)
        points.append(len(found))
        return found, np.zeros_like(converged)

    monkeypatch.setattr(marginal, "log_likelihood", lost)
    with pytest.raises(InferenceError, match="Newton"):
        sampling.sample_psi(model, 1000, 4, np.random.SeedSequence(1))
    assert sum(points) - points[-1] <= sampling.PATIENCE
    monkeypatch.setattr(sampling, "PATIENCE", np.inf)  # of the search, but not of the pools
    points.clear()
    with pytest.raises(InferenceError, match="Newton"):
        sampling.sample_psi(model, 1000, 4, np.random.SeedSequence(1))
    assert points[-1] > 1000  # the first pool
    assert points[-2] < 1000


def test_gate_of_the_rule() -> None:
    data = pd.DataFrame({"y": [0] * 30 + [1], "g": [f"g{i}" for i in range(31)]})
    formula = COUNTS.replace("half_normal(1)", "half_normal(50)")
    model = model_of(by_bar(fj.model(formula, data).plan))
    near = forecast(model, plausible(model))
    points = np.stack(np.meshgrid(np.linspace(-1, 4, 9), np.zeros(1), np.zeros(5)), axis=-1)[..., [0, 1]]
    draws = Sampled(points.reshape(1, 1, -1, 2), 0.1, np.ones((1, 1)), -3.0, 0.01)
    rng = np.random.default_rng(0)
    assert sampling.moved_by(near, model, draws, rules(1)[:2], rng).far > sampling.MOST_MOVED
    mild = replace(draws, points=draws.points / 4)
    moved = sampling.moved_by(near, model, mild, rules(1)[-2:], rng)
    assert 0 < moved.far < sampling.MOST_MOVED
    assert moved.corrected(draws).log_integral == draws.log_integral + np.mean(moved.by_rule)


@pytest.mark.parametrize(("away", "several"), [(8.0, True), (0.6, False)])
def test_gate_of_several_modes(away: float, several: bool) -> None:
    """Two rows of a Student response far apart: their coefficient has a mode at each."""
    data = pd.DataFrame({"y": [-away, away, 0.1], "g": list("aab")})
    formula = (
        "y ~ 1 | g, prior(Intercept ~ normal(0, 5), sigma ~ constant(0.5), nu ~ constant(4)), family(student)"
    )
    engine = exact_engine(plan := fj.model(formula, data).plan)
    assert not isinstance(engine, Missing)
    if several:
        with pytest.raises(InferenceError, match="several modes"):
            engine.draw(plan, Settings(50, 0, 2, 1, 0.9, False))
        return
    found = engine.draw(plan, Settings(50, 0, 2, 1, 0.9, False))
    grid = np.linspace(-25, 25, 200_001)

    def log_integral(y: list[float]) -> float:
        rows = sum(scipy.stats.t(4, grid, 0.5).logpdf(each) for each in y)
        return float(
            np.logaddexp.reduce(rows + scipy.stats.norm(0, 5).logpdf(grid)) + np.log(grid[1] - grid[0])
        )

    exact = log_integral([-away, away]) + log_integral([0.1])
    assert float(found.statistics["log_evidence"][1]) == pytest.approx(exact, abs=0.01)


def test_gate_of_further_parameters_that_cost_digits() -> None:
    """One row says nothing of a slope under a vague prior: its group's coefficient makes up for any shape."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"y": rng.gamma(2, 1, 12), "x": [0.0] * 11 + [9.0], "g": list("aaaabbbbcccd")})
    formula = "y ~ 1 | g, family(gamma), shape ~ x, prior(shape.x ~ normal(0, {}))"
    model = model_of(fj.model(formula.format(1), data).plan)
    for far in (False, True):
        slope = 3.0 if far else 0.5
        z = np.linalg.solve(model.turn, np.array([1.0, slope]) - model.centre)
        if far:
            with pytest.raises(InferenceError, match="In some rows shape may be so large"):
                sampling.check_digits(model, z[None])
        else:
            sampling.check_digits(model, z[None])
    beyond = np.linalg.solve(model.turn, np.array([1.0, 4.0]) - model.centre)
    assert Marginal(forecast(model, plausible(model)), rules(1)[2])(beyond[None])[0] == -np.inf
    with pytest.raises(InferenceError, match="so large"):
        fj.fit(formula.format(50), data, engine="exact", draws=100)


def test_a_fit_that_fails_a_gate_goes_to_nuts_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_MOVED", -1.0)
    with pytest.raises(InferenceError, match="finer rule"):
        fj.fit(COUNTS, counts(), engine="exact", draws=50)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (
            "y ~ 1 | g, family(poisson, link=sqrt)",
            "with the sqrt link a rate needs a linear predictor above zero",
        ),
        ("y ~ 1 | g, hierarchy(dist=student), family(poisson)", "not normal"),
        ("y ~ 1 | g, family(negative_binomial), shape ~ 1 | g, hierarchy(shape)", "shape has a hierarchy"),
        ("y ~ 1 | g, family(negative_binomial), shape ~ x + (1 | g)", "coefficients of shape are pooled"),
        ("y ~ 1 | g, family(negative_binomial), shape ~ h * x | g", "the groups share 40 parameters"),
        ("level ~ x, family(cumulative), threshold ~ 1 | g", "threshold is by group"),
        ("x ~ 1 | g, family(student), sigma ~ 1 | g, prior(sigma ~ flat())", "the prior of `sigma` is flat"),
        (
            "x ~ 1 | g, family(student), sigma ~ share, prior(Intercept ~ flat(), sigma.share ~ student_t(3, 0, 1))",
            "the prior of `sigma_share` is not normal, and coefficients have flat priors",
        ),
        ("y ~ x + (1 | g) + (1 | h), family(poisson)", "several grouping factors"),
        ("y ~ 1 | g, prior(Intercept ~ student_t(4, 0, 1)), family(poisson)", "student_t, not normal"),
        ("y ~ poly(x, 4) | g, family(poisson)", "each group has 5 coefficients, more than 4"),
        ("x ~ 1 | g, family(laplace)", "the response is laplace, which no exact engine covers"),
    ],
)
def test_models_that_it_does_not_cover(formula: str, words: str) -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "y": rng.poisson(3, 40),
            "level": np.arange(40) % 3,
            "share": rng.uniform(0.1, 0.9, 40),
            "x": rng.normal(size=40),
            "g": np.repeat(list("abcd"), 10),
            "h": np.tile(list("pqrst"), 8),
        }
    )
    found = exact_engine(fj.model(formula, data).plan)
    assert isinstance(found, Missing)
    assert words in found.reason
