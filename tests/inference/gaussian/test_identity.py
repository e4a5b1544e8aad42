"""The identity that makes the engine exact: at any point, the density of the PyMC model is the product of three.

    p(phi, theta, u, y) = p(phi) p(y | phi) p(theta, u | phi, y)

The left side is PyMC's, in its own unconstrained coordinates. On the right the first two are the engine's, and the third
is written out here with dense matrices, one row for each row of the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytensor.compile.mode import Mode
from scipy.special import logit

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.inference.gaussian.applies import why_not
from formulajoint.inference.gaussian.coefficients import draw_coefficients
from formulajoint.inference.gaussian.marginal import kernel, log_likelihood
from formulajoint.inference.gaussian.reduction import Reduction, reduce

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class Dense:
    """y ~ N(mean + columns w, diag(variances)), with w, all u and theta, ~ N(prior_mean, 1 / precision)."""

    columns: Array
    mean: Array
    variances: Array
    prior_mean: Array
    precision: Array
    weights: Array

    def posterior(self, y: Array) -> tuple[Array, Array]:
        """Return mean and precision of w given y; rows of weight w count as w rows."""
        scaled = self.columns.T * (self.weights / self.variances)
        precision = np.diag(self.precision) + scaled @ self.columns
        pull = self.precision * self.prior_mean + scaled @ (y - self.mean)
        return np.linalg.solve(precision, pull), precision

    def log_conditional(self, w: Array, y: Array) -> float:
        mean, precision = self.posterior(y)
        away = w - mean
        return float(0.5 * (np.linalg.slogdet(precision)[1] - away @ precision @ away))


def roots(reduction: Reduction, values: Array) -> Array:
    """Return D of each group (G, p, p) at phi."""
    fixed = reduction.structure.fixed.T[:, None, :]
    return np.asarray(reduction.structure.root(values) * np.where(fixed != 0, fixed, 1.0))


def dense(plan: Plan, reduction: Reduction, values: Array) -> Dense:
    """Return the model given phi = `values` (cells,), read from the plan's rows: w is u by group, then theta."""
    design, sigma = plan.design, plan.scale("sigma")
    rows = design.rows.used
    mean = np.zeros(rows) if design.predictor.offset is None else design.predictor.offset.copy()
    own, shared = [], []
    pooled = {t.coefficient.name: t for pool in plan.mean.pools for t in pool.terms}
    for c in plan.mean.coefficients:
        for j in range(c.term.columns.shape[1]):
            column = c.term.columns[:, j]
            if c.prior is not None and c.prior.constant is not None:
                mean += column * np.ravel(c.prior.args["value"])[min(j, np.size(c.prior.args["value"]) - 1)]
            elif c.grouped:
                own.append((column, c.name in pooled))
            else:
                shared.append(column)
    root = roots(reduction, values)
    groups = reduction.structure.groups
    codes = design.predictor.grouping.codes if own else np.zeros(rows, int)
    x = np.array([column for column, _ in own]).T if own else np.empty((rows, 0))
    if own:
        x = x * units(reduction, values)[:, codes].T
    per_group = [(x @ root[g]) * (codes == g)[:, None] for g in range(groups)] if own else []
    theta_columns = [x[:, i] for i in range(len(own)) if reduction.structure.theta_of_column[i] >= 0] + shared
    columns = np.hstack([*per_group, *(c[:, None] for c in theta_columns)])
    mean = mean + x @ reduction.structure.base
    s = values[: len(reduction.rows)]
    if plan.linear_spread is not None:
        sds = sds_of_rows(plan, values)
    elif sigma is None:
        sds = design.standard_errors
    else:
        sds = np.full(rows, s[0]) if sigma.grouping is None else s[sigma.grouping.codes]
    return Dense(
        columns=columns,
        mean=mean,
        variances=sds**2,
        prior_mean=np.concatenate(
            [
                reduction.structure.u_mean.T.ravel(),
                reduction.structure.reference + reduction.structure.theta_mean,
            ]
            if own
            else [reduction.structure.reference + reduction.structure.theta_mean]
        ),
        precision=np.concatenate(
            [
                np.tile(1.0 - reduction.structure.flat, groups) if own else [],
                reduction.structure.theta_precision,
            ]
        ),
        weights=np.ones(rows) if design.row_weights is None else design.row_weights,
    )


def sigma_coefficients(plan: Plan, values: Array) -> dict[str, Array]:
    """Return the coefficients of log sigma, constants included: they stand behind the sigmas, term by term."""
    out, at = {}, len(plan.data.sigma)
    for c in plan.linear_spread.coefficients:
        shape = (*([len(c.grouping)] if c.grouped else []), *c.term.shape)
        out[c.name] = values[at : at + int(np.prod(shape))].reshape(shape)
        at += int(np.prod(shape))
    return out


def sds_of_rows(plan: Plan, values: Array) -> Array:
    """Return the sd of each row, from the columns of sigma's predictor."""
    offset, given_ = plan.linear_spread.predictor.offset, sigma_coefficients(plan, values)
    logs = np.zeros(plan.design.rows.used) if offset is None else offset.copy()
    for c in plan.linear_spread.coefficients:
        own = given_[c.name][c.grouping.codes] if c.grouped else given_[c.name][None]
        logs += np.sum(c.term.columns * own.reshape(len(own), -1), axis=1)
    return np.exp(logs)


def units(reduction: Reduction, values: Array) -> Array:
    """Return the unit of each column's coefficients in each group (p, G): sigma, or 1."""
    structure = reduction.structure
    unit = structure.unit(values)
    out = np.ones((len(structure.base), structure.groups))
    if unit is not None:
        out[structure.in_sds] = unit
    return out


def w_of(reduction: Reduction, values: Array, theta: Array, beta: Array) -> Array:
    """Return u by group, then theta, from coefficients theta (t,) and beta (p, G)."""
    mean = (
        np.array([theta[k] if k >= 0 else 0.0 for k in reduction.structure.theta_of_column])
        + reduction.structure.base
    )
    beta = beta / units(reduction, values)
    u = np.linalg.solve(roots(reduction, values), (beta - mean[:, None]).T[:, :, None]) if len(beta) else beta
    return np.concatenate([u.ravel(), theta])


def pymc_variables(
    plan: Plan, reduction: Reduction, values: Array, theta: Array, beta: Array
) -> dict[str, Array]:
    """Return the value of every free variable of the PyMC model."""
    out: dict[str, Array] = {}
    sigma = plan.scale("sigma")
    if sigma is not None:
        s = values[: len(reduction.rows)]
        out[sigma.name] = s if sigma.dims else s[0]
    if plan.linear_spread is not None:
        out |= sigma_coefficients(plan, values)
    own, shared = 0, int(np.sum(reduction.structure.theta_of_column >= 0))
    cells: dict[str, Array] = {}
    for c in plan.mean.coefficients:
        k = c.term.columns.shape[1]
        if c.prior is not None and c.prior.constant is not None:
            continue
        if c.grouped:
            cells[c.name] = beta[own : own + k].T  # (G, k)
            out[c.name] = cells[c.name].reshape((-1, *c.term.shape))
            own += k
        else:
            out[c.name] = theta[shared : shared + k].reshape(c.term.shape)
            shared += k
    for pool, block in zip(plan.mean.pools, reduction.structure.blocks, strict=True):
        means = np.array(
            [theta[k] if k >= 0 else 0.0 for k in reduction.structure.theta_of_column[block.columns]]
        )
        means = means + reduction.structure.base[block.columns]
        root = reduction.structure.root(values)[np.ix_(block.columns, block.columns)]
        in_units = (beta / units(reduction, values))[block.columns]
        u = np.linalg.solve(root, in_units - means[:, None])
        at = 0
        for term in pool.terms:
            k, shape = term.coefficient.term.columns.shape[1], term.coefficient.term.shape
            out[term.mean_name] = means[at : at + k].reshape(shape)
            out[term.sd_name] = values[block.sds][at : at + k].reshape(shape)
            if term.offset_name is not None:
                out[term.offset_name] = u[at : at + k].T.reshape((-1, *shape))
            for j, name in enumerate(term.column_names):
                out[name] = cells[term.coefficient.name][:, j]
            at += k
        if pool.correlation is not None:
            out[pool.correlation.partial_name] = values[block.partials]
    return out


def unconstrained(name: str, value_name: str, value: Array, plan: Plan) -> Array:
    match value_name.removeprefix(name):
        case "":
            return value
        case "_log__":
            return np.log(value)
        case "_logodds__":
            return logit(value)
        case "_interval__":
            args = dict(plan.priors)[name].args
            return logit((value - args["lower"]) / (args["upper"] - args["lower"]))
    raise AssertionError(value_name)


def log_jacobian(plan: Plan, reduction: Reduction, values: Array) -> float:
    """Return what turns the density of u into that of the variables: centred coefficients are beta itself."""
    total, root = 0.0, reduction.structure.root(values)
    for pool, block in zip(plan.mean.pools, reduction.structure.blocks, strict=True):
        at = 0
        for term in pool.terms:
            k = term.coefficient.term.columns.shape[1]
            for i in block.columns[at : at + k]:
                scales = root[i, i] * units(reduction, values)[i]
                total -= np.sum(np.log(scales)) if term.centered else 0.0
            at += k
    pooled = {int(i) for block in reduction.structure.blocks for i in block.columns}
    alone = [i for i in range(len(root)) if i not in pooled]  # constant factors but for the unit
    return total - float(np.sum(np.log(units(reduction, values)[alone])))


def disagreement(model: Any, points: int = 4, seed: int = 0) -> float:
    """Return how much left less right side differs between random points, as a share of the log density."""
    plan = model.plan
    reduction = reduce(plan)
    core = kernel(reduction)
    rng = np.random.default_rng(seed)
    phi = rng.normal(0, 0.7, (points, len(reduction.structure.scales.coordinates)))
    theta, beta = draw_coefficients(core, phi, rng)
    all_values = reduction.structure.scales.values(phi)
    logp = model.pymc.compile_logp(mode=Mode(linker="py", optimizer=None))
    names = {
        rv.name: value.name for rv, value in model.pymc.rvs_to_values.items() if rv in model.pymc.free_RVs
    }
    y = plan.design.response.values
    out = []
    for i in range(points):
        values = all_values[i]
        given_ = pymc_variables(plan, reduction, values, theta[i], beta[i])
        at = {v: unconstrained(n, v, np.asarray(given_[n]), plan) for n, v in names.items()}
        conditional = dense(plan, reduction, values).log_conditional(
            w_of(reduction, values, theta[i], beta[i]), y
        )
        right = (
            reduction.structure.scales.log_prior(phi[i])
            + log_likelihood(core, phi[i : i + 1])[0]
            + conditional
        )
        out.append([float(logp(at)), right + log_jacobian(plan, reduction, values)])
    left, right_ = np.array(out).T
    return float(np.ptp(left - right_) / np.max(abs(left)))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return frame_of(0)


def frame_of(seed: int) -> pd.DataFrame:
    """Return 36 rows: four schools in two towns, a row alone in its school, two numeric columns, a factor, weights."""
    rng = np.random.default_rng(seed)
    school = np.concatenate([["d"], rng.choice(list("abc"), 35)])
    return pd.DataFrame(
        {
            "school": school,
            "town": np.where(np.isin(school, ["a", "b"]), "north", "south"),
            "x": rng.normal(2, 1, 36),
            "z": rng.normal(size=36),
            "arm": rng.choice(["control", "low", "high"], 36),
            "times": rng.integers(1, 4, 36),
            "late": np.where(np.arange(36) < 20, 3.0, 3.5),
            "base": rng.normal(size=36),
            "y": rng.normal(5, 2, 36),
            "s": rng.uniform(0.5, 2, 36),
        }
    )


WRITTEN = {
    "laws of scales": """y ~ x | school, hierarchy(cor=false), prior(sigma ~ inverse_gamma(3, 2), Intercept.sd ~ exponential(0.5),
                         x.sd ~ gamma(2, 1))""",
    "more laws": """y ~ x | school, hierarchy(), prior(sigma ~ log_normal(0, 1), Intercept.sd ~ half_cauchy(2),
                    x.sd ~ half_student_t(3, 2), cor ~ lkj(1))""",
    "bounded": """y ~ x | school, hierarchy(cor=false), prior(sigma ~ uniform(0, 20), Intercept.sd ~ uniform(0, 30),
                  x.sd ~ beta(2, 2))""",
    "constants": """y ~ x + z + arm | school, hierarchy(x, z), prior(x.mean ~ constant(2), z.sd ~ constant(1.5),
                    arm ~ constant(0.5), sigma ~ half_normal(3))""",
    "sigma by town": "y ~ x | school, hierarchy(x), sigma ~ 1 | town",
    "in residual sds": "y ~ x | school, hierarchy(x, scale=sigma), sigma ~ 1 | school",
    "in the sd of all": "y ~ x + common(arm) | school, hierarchy(x, scale=sigma)",
    "in sds by town, correlated": "y ~ x + z + common(arm) | school, hierarchy(x, z, scale=sigma), sigma ~ 1 | town",
    "in sds and in points": """y ~ x + z | school, hierarchy(x, scale=sigma, centered=true), hierarchy(Intercept, z),
                               sigma ~ 1 | school""",
    "known means in sds": """y ~ x + z + common(arm) | school, hierarchy(x, scale=sigma), sigma ~ 1 | school,
                             prior(x.mean ~ constant(0.4), x.sd ~ constant(0.5), z ~ normal(1, 2))""",
    "not pooled, in residual sds": """y ~ x + arm + common(z) | school, sigma ~ 1 | school,
                                      prior(x ~ normal(0.5, 0.7, scale=sigma), arm ~ normal(0, 2, scale=sigma))""",
    "not pooled, in the sd of all": "y ~ x + z | school, hierarchy(z), prior(x ~ normal(0.5, 0.7, scale=sigma))",
    "numbers by group": """y ~ x + arm | school, prior(x ~ normal(0, 2), x[a] ~ normal(1, 3), x[c] ~ normal(-2, 0.5),
                           Intercept[b] ~ normal(4, 2), arm[a, low] ~ normal(1, 4))""",
    "sigmas with numbers by group": """y ~ x | school, sigma ~ 1 | school, prior(sigma[a] ~ half_student_t(3, 0.5),
                                       sigma[b] ~ half_student_t(7, 2), x[c] ~ normal(0, 0.5))""",
    "numbers by group beside a hierarchy": """y ~ x + z | school, hierarchy(x), sigma ~ 1 | school,
                                              prior(z[a] ~ normal(1, 3), Intercept[c] ~ normal(4, 2))""",
    "sigma by arm": "y ~ x + common(z) | school, hierarchy(x), sigma ~ arm",
    "sigma by arm, all pooled": "y ~ x + arm + common(z) | school, hierarchy(), sigma ~ 0 + arm, weights(times)",
    "sigma by arm, as the effect": "y ~ arm | school, hierarchy(arm, centered=true), sigma ~ arm",
    "sigma by arm, no groups": "y ~ arm + x, sigma ~ arm",
    "sigma by town and arm": "y ~ x | school, sigma ~ arm | town",
    "sigma of a covariate of two values": "y ~ x | school, hierarchy(), sigma ~ late + offset(late)",
    "sigma of the town's predictors": "y ~ x | school, hierarchy(), sigma ~ town",
    "sigma with priors as written": """y ~ x | school, hierarchy(cor=false), sigma ~ arm,
        prior(sigma.Intercept ~ constant(0.4), sigma.arm ~ student_t(3, 0.5, 1), sigma.arm[low] ~ student_t(9, 0, 0.1))""",
    "sigma by town across schools": "y ~ x + common(z) | arm, hierarchy(x), sigma ~ 1 | town",
    "sigma by town across schools, not pooled": "y ~ x | arm, sigma ~ 1 | town, weights(times)",
    "known standard errors": "y ~ x + z + common(arm) | school, hierarchy(), se(s), prior(z.mean ~ constant(2))",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_identity_holds_for_priors_as_written(name: str, frame: pd.DataFrame) -> None:
    found = disagreement(fj.model(WRITTEN[name], frame))
    assert found < 1e-8


def test_the_identity_holds_for_priors_of_very_different_widths(frame: pd.DataFrame) -> None:
    priors = "prior(Intercept ~ normal(0, 1e9), x ~ normal(0, 1e-3), z ~ normal(0, 1))"
    assert disagreement(fj.model(f"y ~ x + z | school, {priors}", frame)) < 1e-8


@st.composite
def formulas(draw: Any) -> str:
    """Return a formula that the engine covers."""
    terms = draw(st.sets(st.sampled_from(["x", "z", "arm", "x:z"]), min_size=1, max_size=2))
    shared = (
        draw(st.sets(st.sampled_from(sorted({"z", "arm"} - terms)), max_size=1))
        if {"z", "arm"} - terms
        else set()
    )
    left = " + ".join(sorted(terms) + [f"common({name})" for name in sorted(shared)])
    left += draw(st.sampled_from(["", " + offset(base)"]))
    rows = draw(
        st.sampled_from(
            [[], ["sigma ~ 1 | school"], ["weights(times)"], ["se(s)"], ["se(s)", "weights(times)"]]
        )
    )
    pooled = sorted(draw(st.sets(st.sampled_from(["Intercept", *sorted(terms)]))))
    clauses = [f"hierarchy({', '.join(pooled)}, {draw(options(rows))})"] if pooled else []
    if len(pooled) > 1 and draw(st.booleans()):
        clauses = [f"hierarchy({name}, {draw(options(rows))})" for name in pooled]
    return ", ".join([f"y ~ {left} | school", *clauses, *rows])


def options(rows: list[str]) -> st.SearchStrategy[str]:
    known = ["cor=true", "cor=false", "centered=true", "centered=false", "cor=false, centered=true"]
    of_sigma = [] if "se(s)" in rows else ["scale=sigma", "scale=sigma, centered=true"]
    return st.sampled_from(known + of_sigma)


@settings(max_examples=25)
@given(formulas(), st.integers(0, 50), st.booleans())
def test_the_identity_holds_for_random_formulas(formula: str, seed: int, flat: bool) -> None:
    model = fj.model(formula, frame_of(seed))
    if flat and "sigma ~" not in formula and model.design.predictor.hierarchies:
        pooled = {term for h in model.design.predictor.hierarchies for term in h.terms}
        if pooled >= {term.name for term in model.design.predictor.per_group}:
            model = fj.model(formula, frame_of(seed), priors="flat")
    assume(not why_not(model.plan))
    found = disagreement(model, seed=seed)
    assert found < 1e-8


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + common(z) | school",
        "y ~ x + common(z) | school, sigma ~ arm",
        "y ~ x + z | school, hierarchy(x), sigma ~ arm",
    ],
)
def test_the_identity_holds_with_flat_priors(formula: str, frame: pd.DataFrame) -> None:
    several = frame[frame["school"] != "d"]
    found = disagreement(fj.model(formula, several, priors="flat"))
    assert found < 1e-8


# --- the draws are from the conditional of the identity


class Noise:
    """A generator whose standard normal numbers are given."""

    def __init__(self, numbers: Array) -> None:
        self.numbers = numbers

    def standard_normal(self, shape: tuple[int, ...]) -> Array:
        count = int(np.prod(shape))
        taken, self.numbers = self.numbers[:count], self.numbers[count:]
        return taken.reshape(shape)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + common(z) | school, hierarchy(x), sigma ~ arm",
        "y ~ arm | school, sigma ~ 0 + arm",
        "y ~ x + z | school, sigma ~ arm, prior(x ~ flat())",
        "y ~ x + common(z) | school, hierarchy()",
        "y ~ x + arm | school, sigma ~ 1 | school",
        "y ~ x + z | school, hierarchy(x), hierarchy(z, cor=false)",
        "y ~ x * z",
        "y ~ x + common(z) | school, hierarchy(x), se(s)",
        "y ~ x + common(z) | school, hierarchy(scale=sigma), sigma ~ 1 | town",
        "y ~ x + z | school, hierarchy(x, scale=sigma), sigma ~ 1 | school, prior(x.mean ~ constant(0.4))",
    ],
)
def test_coefficients_have_the_mean_and_covariance_of_the_dense_conditional(
    formula: str, frame: pd.DataFrame
) -> None:
    plan = fj.model(formula, frame).plan
    reduction = reduce(plan)
    phi = np.random.default_rng(1).normal(0, 0.5, (1, len(reduction.structure.scales.coordinates)))
    values = reduction.structure.scales.values(phi)[0]
    p, groups = len(reduction.structure.base), reduction.structure.groups
    size = len(reduction.structure.reference) + p * groups

    def w(noise: Array) -> Array:
        theta, beta = draw_coefficients(kernel(reduction), phi, Noise(noise))
        return w_of(reduction, values, theta[0], beta[0])

    mean = w(np.zeros(size))
    root = np.array([w(unit) - mean for unit in np.eye(size)]).T
    known, precision = dense(plan, reduction, values).posterior(plan.design.response.values)
    assert np.allclose(mean, known, rtol=1e-8, atol=1e-8)
    assert np.allclose(root @ root.T @ precision, np.eye(size), atol=1e-8)
