"""Integrals over the groups' coefficients, against brute force and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

import formulajoint as fj
from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import LinearPlan, ParameterPlan, ScalePlan
from formulajoint.distributions.links import NUMPY
from formulajoint.families.affine import EXP, SOFTPLUS, Convex
from formulajoint.inference.groupwise.block import Block, at_points, block_of
from formulajoint.inference.groupwise.densities import Affinely
from formulajoint.inference.groupwise.forecast import Forecast, forecast
from formulajoint.inference.groupwise.further import Numbers
from formulajoint.inference.groupwise.inner import find_modes
from formulajoint.inference.groupwise.marginal import fine_enough, log_integrals, log_likelihood
from formulajoint.inference.groupwise.model import Model, model_of
from formulajoint.inference.groupwise.rules import rules
from formulajoint.inference.groupwise.sampling import sample_psi
from formulajoint.inference.groupwise.starts import plausible

type Array = NDArray[np.float64]

NODES = 301

DRAWN: dict[str, Callable[[np.random.Generator, Array], Array]] = {
    "bernoulli": lambda rng, eta: rng.binomial(1, 1 / (1 + np.exp(-eta))),
    "poisson": lambda rng, eta: rng.poisson(np.exp(eta)),
    "negative_binomial": lambda rng, eta: rng.poisson(np.exp(eta) * rng.gamma(2, 0.5, len(eta))),
    "gamma": lambda rng, eta: rng.gamma(2, np.exp(eta) / 2),
    "exponential": lambda rng, eta: rng.exponential(np.exp(eta)),
    "binomial": lambda rng, eta: rng.binomial(4, 1 / (1 + np.exp(-eta))),
    "student": lambda rng, eta: eta + 0.5 * rng.standard_t(4, len(eta)),
    "beta": lambda rng, eta: rng.uniform(0.1, 0.9, len(eta)),
}
LIKE = {
    "skew_normal": "student",
    "weibull": "gamma",
    "lognormal": "gamma",
    "inverse_gaussian": "gamma",
    "beta_binomial": "binomial",
    "zero_inflated_poisson": "poisson",
    "zero_inflated_negative_binomial": "poisson",
    "zero_inflated_binomial": "binomial",
    "hurdle_poisson": "poisson",
    "hurdle_negative_binomial": "poisson",
    "hurdle_binomial": "binomial",
    "hurdle_gamma": "gamma",
    "hurdle_lognormal": "gamma",
}
"""Families whose responses are drawn from another."""


def frame(family: str, sizes: tuple[int, ...] = (4, 1, 3), seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    x, z, base = rng.normal(size=(3, len(codes)))
    eta = 0.3 + 0.5 * rng.normal(size=len(sizes))[codes] + 0.4 * x
    y = DRAWN[LIKE.get(family, family)](rng, eta)
    y[:2] = (0, 1) if family == "bernoulli" else y[:2]
    if "hurdle" in family or "inflated" in family:
        y[1] = 0
    return pd.DataFrame({"g": [f"g{code}" for code in codes], "x": x, "z": z, "base": base, "y": y})


def near(formula: str, data: pd.DataFrame) -> Forecast:
    model = model_of(by_bar(fj.model(formula, data).plan))
    return forecast(model, plausible(model))


def at_rows(part: ParameterPlan, model: Model, values: Array, theta: Array) -> Array:
    """Return a further parameter: one number, thresholds, or a number for each row."""
    made = model.further[part.parameter]
    if isinstance(made, Numbers):
        assert isinstance(part, ScalePlan)
        own = made.of(values)
        return own if part.grouping is None else own[part.grouping.codes]
    assert isinstance(part, LinearPlan)
    offset = 0.0 if part.predictor.offset is None else part.predictor.offset
    columns = np.hstack([each.term.columns for each in part.coefficients])
    return part.link.inverse(NUMPY, columns @ theta[made.coefficients] + offset)


def brute_force(formula: str, data: pd.DataFrame, psi: Array) -> float:
    """Return log p(y | psi), group by group with SciPy's densities on a fine grid."""
    plan = by_bar(fj.model(formula, data).plan)
    model = model_of(plan)
    values, theta = model.parts(psi)
    root, structure = model.structure.root(values), model.structure
    further = {part.parameter: at_rows(part, model, values, theta) for part in plan.further}
    own = [c.term.columns for c in plan.mean.coefficients if c.grouped]
    shared = [c.term.columns for c in plan.mean.coefficients if not c.grouped]
    x, z = np.hstack(own), np.hstack([*shared, np.empty((len(data), 0))])
    gamma = theta[structure.means : structure.means + z.shape[1]]
    offset = 0.0 if plan.design.predictor.offset is None else plan.design.predictor.offset
    total = 0.0
    every = further
    for group in range(structure.groups):
        rows = plan.design.predictor.grouping.codes == group
        scale = root * np.where(structure.fixed[:, group] != 0, structure.fixed[:, group], 1.0)
        mean = structure.base + structure.u_mean[:, group] * structure.fixed[:, group]
        mean = np.where(
            structure.theta_of_column >= 0, np.append(theta, 0.0)[structure.theta_of_column], mean
        )
        rest = (z @ gamma + offset)[rows]
        y = plan.design.response.values[rows]
        further = {
            name: each if np.size(each) == 1 or model.thresholds else each[rows]
            for name, each in every.items()
        }

        grid = np.linspace(-9, 9, NODES)  # the trapezium rule is exact for such functions, to twelve digits
        u = np.stack(np.meshgrid(*[grid] * len(scale)), axis=-1).reshape(-1, len(scale))
        eta = (mean + u @ scale.T) @ x[rows].T + rest
        known = further | {"mu": plan.mean.link.inverse(NUMPY, eta), "trials": 4}
        law = plan.family.distribution.scipy(
            scipy.stats, *(known[name] for name in plan.family.distribution.args)
        )
        with np.errstate(all="ignore"):  # far out densities are zero
            each = law.logpmf(y) if plan.family.distribution.whole else law.logpdf(y)
        logs = np.sum(np.where(np.isnan(each), -np.inf, each), axis=1)
        density = logs + np.sum(scipy.stats.norm.logpdf(u), axis=1)
        total += np.logaddexp.reduce(density) + len(scale) * np.log(grid[1] - grid[0])
    return total


@pytest.mark.parametrize(
    ("family", "link"),
    [(name, "") for name in (*DRAWN, *LIKE)]
    + [(name, link) for name in ("bernoulli", "binomial", "beta") for link in ("probit", "cloglog")],
)
def test_one_coefficient_a_group(family: str, link: str) -> None:
    left = "prop(y, 4)" if "binomial" in family and "negative" not in family else "y"
    more = f", link={link}" if link else ""
    formula = f"{left} ~ common(x) | g, hierarchy(Intercept), family({{}}{more})"
    data, rng = frame(family), np.random.default_rng(1)
    made = near(formula.format(family), data)
    psi = plausible(made.model) + 0.7 * rng.normal(size=(2, made.model.size))
    found, converged = log_likelihood(made, psi, rules(1)[-1])
    assert np.all(converged)
    wanted = [brute_force(formula.format(family), data, each) for each in psi]
    np.testing.assert_allclose(found, wanted, atol=1e-5)


FURTHER = {
    "negative_binomial": "shape ~ z + offset(base)",
    "gamma": "shape ~ 1 | g",
    "student": "sigma ~ z, nu ~ 1 | g",
    "beta": "phi ~ z",
    "beta_binomial": "phi ~ 1 | g",
    "skew_normal": "sigma ~ z, alpha ~ z",
    "weibull": "shape ~ z",
    "inverse_gaussian": "shape ~ 1 | g",
    "zero_inflated_negative_binomial": "shape ~ 1 | g, zi ~ z",
    "zero_inflated_binomial": "zi ~ 1 | g",
    "hurdle_poisson": "hu ~ z",
    "hurdle_gamma": "shape ~ z, hu ~ 1 | g",
    "hurdle_lognormal": "sigma ~ z + offset(base), hu ~ z",
}
"""Predictors of further parameters."""


@pytest.mark.parametrize("family", FURTHER)
def test_further_parameters_that_differ_between_rows(family: str) -> None:
    left = "prop(y, 4)" if family.endswith("_binomial") and "negative" not in family else "y"
    formula = f"{left} ~ common(x) | g, hierarchy(Intercept), family({family}), {FURTHER[family]}"
    data, rng = frame(family), np.random.default_rng(1)
    made = near(formula, data)
    psi = plausible(made.model) + 0.5 * rng.normal(size=(2, made.model.size))
    found, converged = log_likelihood(made, psi, rules(1)[-1])
    assert np.all(converged)
    np.testing.assert_allclose(found, [brute_force(formula, data, each) for each in psi], atol=1e-5)


def test_rows_are_alike_if_further_columns_are_too() -> None:
    data = frame("poisson", (6, 6)).assign(arm=list("aabbba") * 2, x=0.5)
    formula = "y ~ 1 | g, hierarchy(), family(negative_binomial)"
    assert near(formula, data).model.rows == 2
    by_arm = near(f"{formula}, shape ~ arm", data)
    assert by_arm.model.rows == 4
    psi = plausible(by_arm.model) + 0.5 * np.random.default_rng(2).normal(size=(3, by_arm.model.size))
    shuffled = near(f"{formula}, shape ~ arm", data.sample(frac=1, random_state=3))
    rule = rules(1)[4]
    np.testing.assert_allclose(
        log_likelihood(shuffled, psi, rule)[0], log_likelihood(by_arm, psi, rule)[0], atol=1e-9
    )
    cells = data.groupby(["g", "arm", "y"], as_index=False).size().assign(x=0.5)
    by_weight = near(f"{formula}, shape ~ arm, weights(size)", cells)
    np.testing.assert_allclose(
        log_likelihood(by_weight, psi, rule)[0], log_likelihood(by_arm, psi, rule)[0], atol=1e-9
    )


def test_two_coefficients_a_group() -> None:
    formula = "y ~ x + offset(base) | g, hierarchy(Intercept), prior(x ~ normal(0.2, 0.7)), family(poisson)"
    data = frame("poisson", (3, 1))
    made = near(formula, data)
    psi = plausible(made.model)[None] + 0.3
    found = log_likelihood(made, psi, rules(2)[-1])[0]
    np.testing.assert_allclose(found, brute_force(formula, data, psi[0]), atol=2 * 1e-5)


def test_correlated_coefficients() -> None:
    formula = "y ~ x | g, hierarchy(), family(bernoulli)"
    data = frame("bernoulli", (2, 3))
    made = near(formula, data)
    psi = plausible(made.model)[None] + np.linspace(-0.5, 0.5, made.model.size)
    found = log_likelihood(made, psi, rules(2)[-1])[0]
    np.testing.assert_allclose(found, brute_force(formula, data, psi[0]), atol=2 * 1e-5)


def alone(linear: float, convex: float, curve: Convex, sd: float) -> Block:
    """Return one cell of one group at one point, with a coefficient ~ N(0, sd)."""

    def number(value: float) -> Array:
        return np.full((1, 1, 1), float(value))

    return Block(
        number(0), [number(sd)], Affinely(number(linear), number(convex), curve), [np.zeros((1, 1))],
        [[np.full((1, 1), sd)]], np.empty((0, 1)), (False,),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("linear", "convex", "curve", "exact", "close"),
    [
        (4.5, 14.0, SOFTPLUS, betaln(4.5, 9.5), 1e-6),
        (0.5, 6.0, SOFTPLUS, betaln(0.5, 5.5), 2e-4),  # no success
        (6.0, 3.7, EXP, gammaln(6.0) - 6 * np.log(3.7), 1e-6),
        (0.5, 3.7, EXP, gammaln(0.5) - 0.5 * np.log(3.7), 2e-4),  # a count of zero
        (1e5, 3.0, EXP, gammaln(1e5) - 1e5 * np.log(3.0), 1e-6),
    ],
)
def test_closed_forms(linear: float, convex: float, curve: Convex, exact: float, close: float) -> None:
    block = alone(linear, convex, curve, 1e4)
    modes = find_modes(block, 0.1, [np.zeros((1, 1))])
    assert np.all(modes.converged)
    found = log_integrals(block, modes, rules(1)[-1])[0, 0] + np.log(1e4 * np.sqrt(2 * np.pi))
    mode = np.log(linear / convex) / 1e4 if curve is EXP else 0.0  # the prior is not quite flat
    assert abs(found + 0.5 * mode**2 - exact) < close


def test_order_and_repetition_do_not_matter() -> None:
    formula = "y ~ x + common(z) | g, hierarchy(), family(poisson)"
    data = frame("poisson", (5, 2, 6, 1))
    made = near(formula, data)
    psi = plausible(made.model) + 0.5 * np.random.default_rng(2).normal(size=(7, made.model.size))
    psi_one = psi[3:4]
    rule = rules(2)[-1]
    whole = log_likelihood(made, psi, rule)[0]
    assert log_likelihood(made, psi_one, rule)[0][0] == pytest.approx(whole[3], abs=1e-12)
    counted = data.assign(n=1 + np.arange(len(data)) % 2)
    twice = counted.loc[counted.index.repeat(counted["n"])].sample(frac=1, random_state=1)
    by_weight = near(formula + ", weights(n)", counted)
    by_row = near(formula, twice)
    assert by_row.model.rows == len(data)
    theta, scales = by_weight.model.parts(psi)[1], psi[:, : len(by_weight.model.scales.coordinates)]
    z = np.linalg.solve(by_row.model.turn, (theta - by_row.model.centre).T).T
    same = np.concatenate([scales, z], axis=1)
    np.testing.assert_allclose(
        log_likelihood(by_row, same, rule)[0], log_likelihood(by_weight, psi, rule)[0], atol=1e-7
    )


def test_groups_that_are_alike_are_computed_once() -> None:
    data = frame("poisson", (3, 2))
    formula = "y ~ 1 | g, hierarchy(), family(poisson)"
    double = pd.concat([data, data.assign(g=data["g"] + "b")])
    one, two = near(formula, data), near(formula, double)
    assert sum(len(batch.members) for batch in two.model.batches) == 2
    psi = np.array([[0.2, 0.1]])
    theta = one.model.parts(psi)[1]
    other = np.concatenate([psi[:, :1], (theta - two.model.centre) / two.model.turn[0]], axis=1)
    first, second = (log_likelihood(m, at, rules(1)[-1])[0][0] for m, at in ((one, psi), (two, other)))
    assert second == pytest.approx(2 * first, abs=1e-7)


def test_the_rule_moves_means_by_little_beside_their_monte_carlo_errors() -> None:
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(6), 8)
    mean = np.exp(rng.normal(0.5, 0.7, 6)[codes])
    data = pd.DataFrame({"y": rng.negative_binomial(2, 2 / (2 + mean)), "g": codes})
    model = model_of(by_bar(fj.model("y ~ 1 | g, hierarchy(), family(negative_binomial)", data).plan))
    near, found = sample_psi(model, 500, 4, np.random.SeedSequence(1))
    points = found.points[0].reshape(-1, model.size)
    chosen, finest = fine_enough(near, points[::400]), rules(1)[-1]
    off = log_likelihood(near, points, finest)[0] - log_likelihood(near, points, chosen)[0]
    weights = np.exp(off) / np.sum(np.exp(off))
    values = model.parts(points)[0][:, 1:]  # the first is constant
    error = values.std(axis=0) / len(points) ** 0.5
    assert np.all(abs(weights @ values - values.mean(axis=0)) < 0.1 * error)


def test_modes_are_found_from_far_away() -> None:
    """Far from the mode a Weibull density is so steep that steps hardly gain."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {"g": np.repeat(list("abc"), 4), "x": rng.normal(size=12), "y": 10.0 ** rng.uniform(-4, 3.5, 12)}
    )
    model = model_of(by_bar(fj.model("y ~ x | g, hierarchy(), family(weibull)", data).plan))
    at = at_points(model, plausible(model) + rng.normal(size=(40, model.size)))
    for batch in model.batches:
        block = block_of(model, batch, at)
        near, far = (find_modes(block, 1e-3, [np.full(block.shape, each)] * 2) for each in (0.0, -4.0))
        assert np.mean(near.converged) > 0.95
        np.testing.assert_array_equal(far.converged[near.converged], True)
        for one, other in zip(near.centre, far.centre, strict=True):
            np.testing.assert_allclose(other[near.converged], one[near.converged], atol=1e-4)
