"""Identities that make the engine exact with several grouping factors, nested, crossed and neither.

log p(y | phi) is that of the multivariate normal distribution of all rows, written out; and at any point

    p(phi, b, v, y) = p(phi) p(y | phi) p(b, v | phi, y),

where the left side is PyMC's, the first two on the right are the engine's, and the third is written out with dense
matrices.
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
from scipy.stats import multivariate_normal

import formulajoint as fj
from formulajoint.compiler.coefficients import Pool
from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import Plan
from formulajoint.inference.crossed.applies import why_not
from formulajoint.inference.crossed.coefficients import Ahead, Coefficients, draw_coefficients
from formulajoint.inference.crossed.engine import Crossed
from formulajoint.inference.crossed.marginal import eliminate, log_likelihood
from formulajoint.inference.crossed.model import model_of
from formulajoint.inference.crossed.naming import Draws, variables
from formulajoint.inference.crossed.order import Groups, orders_of
from formulajoint.inference.crossed.sums import OneSigma, Sums, sums_of
from formulajoint.inference.gaussian.marginal import kernel
from formulajoint.inference.gaussian.marginal import log_likelihood as by_one_factor
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.inference.latent.columns import location_and_scale
from formulajoint.inference.quadrature import LogIntegral

type Array = NDArray[np.float64]


def frame_of(seed: int, rows: int = 40) -> pd.DataFrame:
    """Return rows in groups of several factors: unbalanced, with empty cells and groups of one row."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 8, rows)
    a[:2] = [20, 21]  # alone
    return pd.DataFrame(
        {
            "a": [f"a{i}" for i in a],
            "b": [f"b{i}" for i in rng.integers(0, 5, rows) ** 2 // 4],
            "c": [f"c{i}" for i in a % 3],
            "d": [f"d{i}" for i in a % 3 // 2],
            "x": rng.normal(2, 1, rows),
            "z": rng.normal(size=rows),
            "arm": rng.choice(["control", "low", "high"], rows),
            "y": rng.normal(5, 2, rows),
            "s": rng.uniform(0.5, 2, rows),
            "times": rng.integers(1, 4, rows),
        }
    )


@dataclass(frozen=True)
class Block:
    """Columns (N, p) that vary over groups, and D (p, p), the root of their covariance in a group."""

    columns: Array
    codes: NDArray[np.int64]
    groups: int
    root: Array


def blocks(plan: Plan, values: Array) -> list[Block]:
    """Return what varies given phi: the sigmas and their coefficients, then sds and shares pool by pool."""
    out, at = [], first_of(plan)
    for pool in (*plan.mean.pools, *plan.mean.varying):
        columns = np.hstack([term.coefficient.term.columns for term in pool.terms])
        p = columns.shape[1]
        sd, shares = values[at : at + p], values[at + p : at + p + _pairs(pool)]
        at += p + _pairs(pool)
        out.append(Block(columns, pool.grouping.codes, len(pool.grouping), sd[:, None] * _root(p, shares)))
    for c in plan.mean.coefficients:
        if c.grouping is not None and c.prior is not None:
            _, sds, _ = location_and_scale(c.prior, (1, *c.term.shape))
            out.append(Block(c.term.columns, c.grouping.codes, len(c.grouping), np.diag(np.ravel(sds))))
    return out


def first_of(plan: Plan) -> int:
    """Return how many parameters the sigmas are, with their coefficients."""
    linear = plan.linear_spread
    sigmas = 1 if plan.data.sigma is None else len(plan.data.sigma)
    return sigmas + (0 if linear is None else sum(c.term.columns.shape[1] for c in linear.coefficients))


def sds_of_rows(plan: Plan, values: Array) -> Array:
    """Return the residual sd of each row, from the coefficients of its predictors."""
    linear, sigma = plan.linear_spread, plan.spread
    if linear is None:
        rows = plan.design.rows.used
        own = None if sigma is None else sigma.grouping
        return np.full(rows, values[0]) if own is None else values[own.codes]
    columns = np.hstack([c.term.columns for c in linear.coefficients])
    return np.exp(columns @ values[len(plan.data.sigma) : first_of(plan)])


def _pairs(pool: Pool) -> int:
    p = len(pool.correlation.labels) if pool.correlation else 0
    return p * (p - 1) // 2


def _root(p: int, shares: Array) -> Array:
    """Return the root of a correlation matrix from its partial correlations, which are those given earlier columns."""
    partial = np.eye(p)
    places = [(j, i) for j in range(p) for i in range(j + 1, p)]
    for (j, i), share in zip(places, shares, strict=False):
        partial[i, j] = 2 * share - 1
    out = np.zeros((p, p))
    for i in range(p):
        left = 1.0
        for j in range(i):
            out[i, j] = partial[i, j] * np.sqrt(left)
            left -= out[i, j] ** 2
        out[i, i] = np.sqrt(left)
    return out


@dataclass(frozen=True)
class Rows:
    """The rows written out: y less what is known, shared columns, their means and sds, variances of rows."""

    y: Array
    columns: Array
    mean: Array
    sd: Array
    variances: Array


def rows_of(plan: Plan, values: Array) -> Rows:
    design = plan.design
    y, columns, means, sds = design.response.values.copy(), [], [], []
    shared = [(c.term, c.prior) for c in plan.mean.coefficients if c.grouping is None]
    shared += [(t.coefficient.term, t.mean) for pool in plan.mean.pools for t in pool.terms]
    for c in plan.mean.coefficients:
        if c.grouping is not None and c.prior is not None:
            y -= c.term.columns @ np.ravel(location_and_scale(c.prior, c.term.shape)[0])
    for term, prior in shared:
        mean, sd, _ = location_and_scale(prior, term.shape)
        if not np.any(sd):
            y -= term.columns @ np.ravel(mean)
            continue
        columns.append(term.columns)
        means.append(np.ravel(mean))
        sds.append(np.ravel(sd))
    errors = design.standard_errors
    variances = sds_of_rows(plan, values) ** 2 if errors is None else errors**2
    k = np.hstack(columns) if columns else np.empty((len(y), 0))
    return Rows(y, k, np.concatenate([*means, []]), np.concatenate([*sds, []]), variances)


def brute_force(plan: Plan, values: Array) -> float:
    """Return log p(y | phi) by the covariance of all rows."""
    rows = rows_of(plan, values)
    covariance = np.diag(rows.variances) + (rows.columns * rows.sd**2) @ rows.columns.T
    for block in blocks(plan, values):
        together = block.codes[:, None] == block.codes
        scaled = block.columns @ block.root
        covariance += together * (scaled @ scaled.T)
    return float(multivariate_normal.logpdf(rows.y, rows.columns @ rows.mean, covariance))


def points_of(sums: Sums, count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(0, 0.8, (count, len(sums.model.scales.coordinates)))


def every_order(plan: Plan) -> list[Sums]:
    """Return the sums of a plan in every order in which its factors may be taken out."""
    model = model_of(plan)
    sizes = [Groups(each.codes, each.groups, each.width) for each in model.factors]
    return [sums_of(model, order) for order in orders_of(sizes, len(model.mean))]


def disagreement(formula: str, data: pd.DataFrame, seed: int = 0) -> float:
    """Return the largest difference between the engine and brute force, as a share of the log density."""
    plan = fj.model(formula, data).plan
    several = every_order(plan)
    points = points_of(several[0], 5, seed)
    known = np.array([brute_force(plan, values) for values in several[0].model.scales.values(points)])
    found = np.array([log_likelihood(sums, points) for sums in several])
    return float(np.max(abs(found - known) / np.maximum(1.0, abs(known))))


WRITTEN = [
    "y ~ x + (1 | a) + (1 | b)",
    "y ~ x + (1 | c/a)",
    "y ~ x + (1 | c/a) + (1 | b)",
    "y ~ x + (1 | d/c/a)",
    "y ~ x + (1 + x | d/c/a) + (0 + z | b)",
    "y ~ x + (z || d/c) + (arm | d:c:a), se(s)",
    "y ~ x + (1 + x | a) + (1 | b) + (0 + z | c)",
    "y ~ x * z + (1 + x + z | a) + (x || b)",
    "y ~ arm + (arm | a) + (1 | b)",
    "y ~ 0 + x + (1 | a) + (1 | b)",
    "y ~ x + z + (1 + z | a) | b, hierarchy(x)",
    "y ~ x + common(z) + (1 | a) | b",
    "y ~ x + (1 | a) + (1 | b), se(s)",
    "y ~ x + (1 | a) + (1 | b), sigma ~ arm",
    "y ~ arm + (arm | a) + (1 | b), sigma ~ 0 + arm",
    "y ~ x + (1 + x | d/c/a) + (0 + z | b), sigma ~ arm",
    "y ~ x + common(z) + (1 | a) | b, sigma ~ arm",
    "y ~ x + (1 + x | a) + (1 | b), sigma ~ 1 | arm",
    "y ~ x + (1 | a) + (1 | b), prior(x ~ constant(0.4), Intercept ~ normal(3, 0.1))",
]


@pytest.mark.parametrize("formula", WRITTEN)
def test_the_density_is_that_of_the_multivariate_normal(formula: str) -> None:
    assert disagreement(formula, frame_of(0)) < 1e-10


def frame_of_alike_groups() -> pd.DataFrame:
    """Return rows in twenty-four groups of a, of two sizes, each with as many of both arms as another of its size."""
    rng = np.random.default_rng(0)
    a = np.concatenate([np.repeat(np.arange(12), 2), np.repeat(np.arange(12, 24), 4)])
    arm = np.where(np.arange(len(a)) % 2 == 0, "control", "treated")
    named = {"a": a, "b": rng.integers(0, 5, len(a)), "c": a % 7, "d": a % 7 // 3}
    rest = {"y": rng.normal(size=len(a)), "x": rng.normal(size=len(a)), "arm": arm}
    return pd.DataFrame({name: [f"{name}{code}" for code in codes] for name, codes in named.items()} | rest)


ALIKE = [
    "y ~ x + (1 | a) + (1 | b)",
    "y ~ x * arm + (1 | d/c/a) + (1 | b)",
    "y ~ x + (arm | a) + (1 | b)",
    "y ~ arm + (arm | c/a) + (x | b)",
]


@pytest.mark.parametrize("formula", ALIKE)
def test_groups_that_are_alike_are_taken_out_as_one_with_the_same_density(formula: str) -> None:
    data = frame_of_alike_groups()
    plan = fj.model(formula, data).plan
    products = every_order(plan)[0].products
    assert isinstance(products, OneSigma)
    assert products.alike is not None
    assert len(products.alike.counts) < 6
    assert disagreement(formula, data) < 1e-10


@st.composite
def formulas(draw: Any) -> str:
    """Return a formula with group terms over two or three factors."""
    factors = draw(
        st.lists(
            st.sampled_from(["a", "b", "c", "c/a", "b:c", "d/c", "d"]), min_size=2, max_size=3, unique=True
        )
    )
    inside = st.sampled_from(["1", "1 + x", "0 + x", "x + z", "0 + arm"])
    terms = [f"({draw(inside)} {draw(st.sampled_from(['|', '||']))} {factor})" for factor in factors]
    shared = draw(st.sampled_from(["1", "x", "0 + x", "x * arm", "z + offset(x)"]))
    return f"y ~ {shared} + {' + '.join(terms)}"


@settings(max_examples=15)
@given(formulas(), st.integers(0, 50))
def test_the_density_is_that_of_the_multivariate_normal_for_random_formulas(formula: str, seed: int) -> None:
    assume(not ("c/a" in formula and ("| a)" in formula or "| c)" in formula)))
    assume(not ("d/c" in formula and "| d)" in formula))
    if "offset" in formula:
        data = frame_of(seed)
        moved = data.assign(y=data["y"] - data["x"])
        without = formula.replace(" + offset(x)", "")
        plan, same = fj.model(formula, data).plan, fj.model(without, moved).plan
        assert np.allclose(model_of(plan).y, model_of(same).y)
        return
    assert disagreement(formula, frame_of(seed), seed) < 1e-10


def test_the_evidence_with_known_scales_is_that_of_the_multivariate_normal() -> None:
    known = "prior(sigma ~ constant(1.5)), prior(Intercept.sd ~ constant(0.8), over=a), "
    known += "prior(Intercept.sd ~ constant(0.3), over=b), prior(Intercept.sd ~ constant(2), over=c)"
    plan = fj.model(f"y ~ x + (1 | a) + (1 | b) + (1 | c), {known}", frame_of(1)).plan
    found = Crossed().log_evidence(plan, 0)
    assert isinstance(found, LogIntegral)
    assert np.isclose(found.value, brute_force(plan, np.array([1.5, 0.8, 0.3, 2.0])), rtol=1e-10, atol=0)


@pytest.mark.parametrize("zero", [1, 2, 3])
def test_a_scale_may_be_zero(zero: int) -> None:
    plan = fj.model("y ~ x + (1 | a) + (1 | b) + (1 | c)", frame_of(1)).plan
    values = np.array([1.5, 0.8, 0.3, 2.0])
    values[zero] = 0.0
    found = eliminate(sums_of(model_of(plan)), values[None]).log_likelihood[0]
    assert np.isclose(found, brute_force(plan, values), rtol=1e-10, atol=0)


def test_rows_of_weight_w_count_as_w_rows() -> None:
    data = frame_of(2)
    many = data.loc[data.index.repeat(data["times"])].reset_index(drop=True)
    priors = "prior(Intercept ~ normal(5, 3), x ~ normal(0, 2))"
    weighted = fj.model(f"y ~ x + (1 | a) + (x | b), weights(times), {priors}", data).plan
    repeated = fj.model(f"y ~ x + (1 | a) + (x | b), {priors}", many).plan
    one, two = sums_of(model_of(weighted)), sums_of(model_of(repeated))
    points = points_of(one, 5)
    assert np.allclose(log_likelihood(one, points), log_likelihood(two, points), rtol=1e-11, atol=0)


@pytest.mark.parametrize(
    "formula", ["y ~ x + (1 + x | a)", "y ~ x + z + (x || b)", "y ~ arm + (0 + arm | c)"]
)
def test_one_factor_gives_what_the_other_kernel_gives(formula: str) -> None:
    plan = fj.model(formula, frame_of(3)).plan
    sums, other = sums_of(model_of(plan)), kernel(reduce(by_bar(plan)))
    points = points_of(sums, 8)
    assert np.allclose(log_likelihood(sums, points), by_one_factor(other, points), rtol=1e-10, atol=0)


@pytest.mark.parametrize("formula", ["y ~ x + (1 + x | d/c/a)", "y ~ x + (x || c/a) + (1 + z | b)"])
def test_nested_factors_taken_out_one_by_one_give_what_a_dense_matrix_gives(formula: str) -> None:
    dense, *others = every_order(fj.model(formula, frame_of(3)).plan)
    points = points_of(dense, 8)
    assert others
    for sums in others:
        assert len(sums.levels) > 0
        assert np.allclose(log_likelihood(sums, points), log_likelihood(dense, points), rtol=1e-12, atol=0)


def test_the_same_groups_under_two_names_are_two_factors() -> None:
    data = frame_of(3).assign(again=lambda d: "the same " + d["a"])
    assert disagreement("y ~ x + (1 | a) + (0 + z | again)", data) < 1e-10


def test_many_nested_groups_have_the_density_of_each_outermost_group() -> None:
    rng = np.random.default_rng(0)
    school = np.arange(2500) % 2100  # most have one class
    district, code = np.arange(2100) % 50, np.repeat(np.arange(2500), 2)
    names = {"district": district[school[code]], "school": school[code], "class": code}
    data = pd.DataFrame({"y": rng.normal(size=5000)} | {key: each.astype(str) for key, each in names.items()})
    formula = "y ~ 1 + (1 | district/school/class), prior(Intercept ~ constant(0.1))"
    plan = fj.model(formula, data).plan
    assert why_not(plan) is None
    sums = sums_of(model_of(plan))
    values = np.array([0.7, 0.3, 0.5, 0.4])  # sigma, district, school, class
    known = 0.0
    for rows in (np.flatnonzero(district[school[code]] == at) for at in range(50)):
        same = [names[each][rows][:, None] == names[each][rows] for each in ("district", "school", "class")]
        covariance = 0.49 * np.eye(len(rows)) + 0.09 * same[0] + 0.25 * same[1] + 0.16 * same[2]
        known += multivariate_normal.logpdf(data["y"].to_numpy()[rows], np.full(len(rows), 0.1), covariance)
    assert np.isclose(eliminate(sums, values[None]).log_likelihood[0], known, rtol=1e-10, atol=0)


@pytest.mark.parametrize("flat", [None, "flat"])
def test_a_response_and_columns_far_from_zero_lose_no_digits(flat: str | None) -> None:
    data = frame_of(4)
    formula = "y ~ x + (1 | a) + (1 | b), prior(sigma ~ half_normal(2)), prior(Intercept.sd ~ half_normal(2), over=a), "
    formula += "prior(Intercept.sd ~ half_normal(2), over=b)"
    here = fj.model(formula, data, priors="flat").plan
    there = fj.model(formula, data.assign(y=data["y"] + 1e6, x=data["x"] + 1e4), priors="flat").plan
    one, two = sums_of(model_of(here)), sums_of(model_of(there))
    points = points_of(one, 5)
    assert np.allclose(log_likelihood(one, points), log_likelihood(two, points), rtol=0, atol=1e-6)


# --- draws, and PyMC


def dense(plan: Plan, values: Array) -> tuple[Array, Array, Array]:
    """Return columns of all coefficients (b, then v block by block), and precision and mean of their prior."""
    rows = rows_of(plan, values)
    parts, count = [rows.columns], 0
    for block in blocks(plan, values):
        for group in range(block.groups):
            parts.append((block.columns @ block.root) * (block.codes == group)[:, None])
            count += block.columns.shape[1]
    precision = np.concatenate([rows.sd**-2, np.ones(count)])
    return np.hstack(parts), precision, np.concatenate([rows.mean, np.zeros(count)])


def conditional(plan: Plan, values: Array) -> tuple[Array, Array]:
    """Return mean and precision of all coefficients given phi and y."""
    rows, (columns, precision, mean) = rows_of(plan, values), dense(plan, values)
    scaled = columns.T / rows.variances
    posterior = np.diag(precision) + scaled @ columns
    return np.linalg.solve(posterior, precision * mean + scaled @ rows.y), posterior


def draw_all(sums: Sums, values: Array, rng: Any) -> Coefficients:
    every = range(len(sums.model.factors))
    return draw_coefficients(sums, values, rng, every, every)


def in_a_row(plan: Plan, sums: Sums, found: Any, draw: int) -> Array:
    """Return a draw as (b, then v block by block)."""
    parts = [found.shared[draw]]
    for each in sums.model.hierarchies:
        parts.append(np.ravel(found.standard[each.factor][draw][:, each.block.columns]))
    for _, columns in sums.model.own:
        parts.append(np.ravel(found.standard[0][draw][:, columns]))
    return np.concatenate(parts)


class Noise:
    """A generator whose standard normal numbers are given."""

    def __init__(self, numbers: Array) -> None:
        self.numbers = numbers

    def standard_normal(self, shape: tuple[int, ...]) -> Array:
        count = int(np.prod(shape))
        taken, self.numbers = self.numbers[:count], self.numbers[count:]
        return taken.reshape(shape).copy()


@pytest.mark.parametrize(
    ("formula", "data"),
    [(f, frame_of(0)) for f in WRITTEN if "constant" not in f]
    + [(f, frame_of_alike_groups()) for f in ALIKE],
)
def test_coefficients_have_the_mean_and_covariance_of_the_dense_conditional(
    formula: str, data: pd.DataFrame
) -> None:
    plan = fj.model(formula, data).plan
    sums = every_order(plan)[-1]
    values = sums.model.scales.values(points_of(sums, 1, 1))
    size = len(dense(plan, values[0])[1])

    def w(noise: Array) -> Array:
        return in_a_row(plan, sums, draw_all(sums, values, Noise(noise)), 0)

    mean = w(np.zeros(size))
    root = np.array([w(unit) - mean for unit in np.eye(size)]).T
    known, precision = conditional(plan, values[0])
    assert np.allclose(mean, known, rtol=1e-8, atol=1e-8)
    assert np.allclose(root @ root.T @ precision, np.eye(size), atol=1e-8)


@pytest.mark.parametrize("made", [1000, 2000])
def test_several_draws_of_one_phi_are_from_its_conditional(made: int) -> None:
    plan = fj.model("y ~ x + (x | a) + (1 | b)", frame_of(0)).plan
    sums = sums_of(model_of(plan))
    points = points_of(sums, 2, 1)
    values = sums.model.scales.values(points)
    which = np.random.default_rng(1).permutation(np.repeat([0, 1], 2000))
    every, ahead = range(len(sums.model.factors)), Ahead(sums, made, np.random.default_rng(2))
    assert np.allclose(ahead.log_likelihood(points), log_likelihood(sums, points), rtol=1e-13)
    assert ahead.has(values[1], made)
    assert not ahead.has(values[1], made + 1)
    found = draw_coefficients(sums, values[which], np.random.default_rng(0), every, every, ahead)
    for at in range(2):
        known, precision = conditional(plan, values[at])
        some = [in_a_row(plan, sums, found, int(draw)) for draw in np.flatnonzero(which == at)]
        away = np.linalg.cholesky(precision).T @ (np.array(some) - known).T
        assert np.max(abs(np.mean(away, axis=1))) < 5 / np.sqrt(2000)
        assert np.max(abs(np.var(away, axis=1) - 1)) < 5 * np.sqrt(2 / 2000)


def test_factors_that_are_not_asked_for_change_nothing() -> None:
    plan = fj.model("y ~ x + (x | d/c/a) + (1 | b)", frame_of(0)).plan
    sums = every_order(plan)[-1]
    values = sums.model.scales.values(points_of(sums, 3, 1))
    whole = draw_all(sums, values, np.random.default_rng(0))
    for away in ([], [0], [0, 1], [3]):
        some = draw_coefficients(sums, values, np.random.default_rng(0), away)
        assert np.array_equal(some.shared, whole.shared)
        assert list(some.away) == away
        assert all(np.array_equal(some.away[at], whole.away[at]) for at in away)


def unconstrained(name: str, value_name: str, value: Array) -> Array:
    return {"": lambda: value, "_log__": lambda: np.log(value), "_logodds__": lambda: logit(value)}[
        value_name.removeprefix(name)
    ]()


def centred_logs(plan: Plan, values: Array) -> float:
    """Return what turns the density of v into that of PyMC's variables: centred coefficients are those themselves."""
    total = 0.0
    for pool, block in zip((*plan.mean.pools, *plan.mean.varying), blocks(plan, values), strict=False):
        at = 0
        for term in pool.terms:
            k = term.coefficient.term.columns.shape[1]
            if term.centered:
                total -= block.groups * float(np.sum(np.log(np.diagonal(block.root)[at : at + k])))
            at += k
    return total


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + (1 + x | a) + (1 | b)",
        "y ~ x + (1 + x | d/c/a) + (0 + arm | b)",
        "y ~ x + (1 + z | a) | b, hierarchy(x), prior(Intercept ~ normal(0, 3))",
        "y ~ x + (1 + x | a) + (1 | b), sigma ~ arm",
    ],
)
def test_pymc_has_the_same_density(formula: str) -> None:
    model = fj.model(formula, frame_of(5))
    plan = model.plan
    sums = every_order(plan)[-1]
    points = points_of(sums, 4)
    all_values = sums.model.scales.values(points)
    found = draw_all(sums, all_values, np.random.default_rng(0))
    named = {name: v[0] for name, _, v in variables(plan, sums.model, Draws(all_values[None], found))}
    logp = model.pymc.compile_logp(mode=Mode(linker="py", optimizer=None))
    free = {rv.name: v.name for rv, v in model.pymc.rvs_to_values.items() if rv in model.pymc.free_RVs}
    out = []
    for i, values in enumerate(all_values):
        at = {value: unconstrained(name, value, named[name][i]) for name, value in free.items()}
        mean, precision = conditional(plan, values)
        away = in_a_row(plan, sums, found, i) - mean
        own = [c for c, _ in sums.model.own]
        fixed = sum(
            len(c.grouping or ()) * float(np.sum(np.log(location_and_scale(c.prior, c.term.shape)[1])))
            for c in own
            if c.prior is not None
        )
        given_phi = 0.5 * (np.linalg.slogdet(precision)[1] - away @ precision @ away) + centred_logs(
            plan, values
        )
        right = (
            sums.model.scales.log_prior(points[i]) + log_likelihood(sums, points[i : i + 1])[0] + given_phi
        )
        out.append([float(logp(at)), right - fixed])
    left, right_ = np.array(out).T
    assert np.ptp(left - right_) < 1e-8 * np.max(abs(left))
