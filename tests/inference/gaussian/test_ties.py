"""Some groups with equal coefficients: the null's density against dense matrices, its evidence against merged groups."""

from __future__ import annotations

from collections.abc import Callable

import array_api_strict
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, hypothesis
from formulajoint.inference.evidence import log_bayes_factor, log_evidence
from formulajoint.inference.gaussian.marginal import kernel, log_likelihood
from formulajoint.inference.gaussian.reduction import Reduction, reduce, with_ties
from formulajoint.inference.latent.device import Device
from formulajoint.inference.latent.ties import Equal, equal_groups
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.spec.read import parse_hypotheses

type Array = NDArray[np.float64]
type Classes = tuple[tuple[int, ...], ...]

RNG = np.random.default_rng(11)
GROUPS, EACH = 4, 4
DATA = pd.DataFrame(
    {
        "g": np.repeat(list("ABCD"), EACH),
        "x": RNG.normal(0.5, 1, GROUPS * EACH),
        "z": RNG.normal(0, 1, GROUPS * EACH),
        "arm": ["a", "b", "c", "b"] * GROUPS,
        "s": RNG.uniform(0.5, 1.5, GROUPS * EACH),
    }
)
DATA["y"] = 1 + DATA["x"] * np.repeat([1.0, 1.2, 2.0, -1.0], EACH) + RNG.normal(size=GROUPS * EACH)


def plan_of(formula: str, data: pd.DataFrame = DATA) -> Plan:
    return fj.model(formula, data).plan


def asked(plan: Plan, text: str) -> Hypothesis:
    return hypothesis(plan.design, parse_hypotheses(text))


def null_of(plan: Plan, text: str) -> Reduction:
    equal = equal_groups(plan.design, asked(plan, text))
    assert isinstance(equal, Equal)
    return with_ties(plan, reduce(plan), equal)


def number(found: LogIntegral | str) -> LogIntegral:
    assert isinstance(found, LogIntegral), found
    assert 0 <= found.error < 0.02
    return found


def factor(formula: str, text: str, data: pd.DataFrame = DATA) -> LogIntegral:
    plan = plan_of(formula, data)
    return number(log_bayes_factor(plan, asked(plan, text)))


# --- dense matrices


def labels_of(classes: Classes) -> list[int]:
    """Return the first of the groups that each group is equal to."""
    return [min(next((c for c in classes if g in c), (g,))) for g in range(GROUPS)]


def drawn_together(covariance: Array, shared: list[int], classes: Classes) -> Array:
    """Return the covariance (G, m, G, m) of groups' coefficients, of which some columns are one draw in each class."""
    free = [j for j in range(len(covariance)) if j not in shared]
    slope = np.zeros((len(covariance), len(shared)))  # of all coefficients on those shared
    slope[shared] = np.eye(len(shared))
    inner = covariance[np.ix_(shared, shared)]
    slope[free] = covariance[np.ix_(free, shared)] @ np.linalg.inv(inner)
    left = covariance - slope @ inner @ slope.T  # zero where they are shared
    labels = np.array(labels_of(classes))
    same = (labels[:, None] == labels[None]).astype(float)
    both = np.einsum("gh,ij->gihj", same, slope @ inner @ slope.T)
    return np.asarray(both + np.einsum("gh,ij->gihj", np.eye(GROUPS), left))


def given_equal(sds: Array, shared: list[int], classes: Classes) -> Array:
    """Return the covariance of independent coefficients, some of them conditioned on equality."""
    m = len(sds)
    covariance = np.kron(np.eye(GROUPS), np.diag(sds**2))
    rows = []
    for g, leader in enumerate(labels_of(classes)):
        for j in shared if leader != g else ():
            row = np.zeros(GROUPS * m)
            row[g * m + j], row[leader * m + j] = 1.0, -1.0
            rows.append(row)
    r = np.array(rows)
    gain = covariance @ r.T @ np.linalg.inv(r @ covariance @ r.T)
    return (covariance - gain @ r @ covariance).reshape(GROUPS, m, GROUPS, m)


def dense(columns: Array, own: Array, shared: Array, noise: Array, mean: Array) -> float:
    """Return log p(y): columns (N, m), covariance of the groups' coefficients and of their common mean."""
    code = np.repeat(np.arange(GROUPS), EACH)
    rows = np.zeros((len(code), GROUPS, columns.shape[1]))
    rows[np.arange(len(code)), code] = columns
    spread = np.einsum("ngi,gihj,khj->nk", rows, own, rows) + columns @ shared @ columns.T
    return float(stats.multivariate_normal.logpdf(DATA["y"], columns @ mean, spread + np.diag(noise)))


def correlation_of(partials: Array) -> Array:
    """Return a correlation matrix of three from the partial correlations 21, 31 and 32 given 1."""
    a, b, c = partials
    out = np.eye(3)
    out[0, 1] = out[1, 0] = a
    out[0, 2] = out[2, 0] = b
    out[1, 2] = out[2, 1] = a * b + c * np.sqrt((1 - a**2) * (1 - b**2))
    return out


ONE = np.ones(GROUPS * EACH)
X, Z = DATA["x"].to_numpy(), DATA["z"].to_numpy()
MEANS = "Intercept.mean ~ normal(1, 2), x.mean ~ normal(0.5, 1)"
HYPOTHESES: dict[str, Classes] = {
    "{0}[A] == {0}[B]": ((0, 1),),
    "{0}[D] == {0}[B] == {0}[A]": ((0, 1, 3),),
    "{0}[A] == {0}[C], {0}[D] == {0}[B]": ((0, 2), (1, 3)),
}


def points_of(reduction: Reduction) -> Array:
    return np.random.default_rng(5).normal(0, 0.7, (6, len(reduction.structure.scales.coordinates)))


def agrees(reduction: Reduction, density: Callable[[Array], float]) -> None:
    points = points_of(reduction)
    expected = [density(values) for values in reduction.structure.scales.values(points)]
    assert log_likelihood(kernel(reduction), points) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("text", HYPOTHESES)
@pytest.mark.parametrize("cor", ["true", "false"])
@pytest.mark.parametrize("tested", ["x", "Intercept"])
def test_one_column_of_two(text: str, cor: str, tested: str) -> None:
    plan = plan_of(f"y ~ x | g, hierarchy(cor={cor}), prior({MEANS})")
    first = [X, ONE] if tested == "x" else [ONE, X]  # phi has the sd of what is tested first
    mean, variances = ([0.5, 1], [1.0, 4]) if tested == "x" else ([1, 0.5], [4.0, 1])

    def density(values: Array) -> float:
        sigma, one, other, *share = values
        r = 2 * share[0] - 1 if share else 0.0
        covariance = np.array([[one**2, r * one * other], [r * one * other, other**2]])
        own = drawn_together(covariance, [0], HYPOTHESES[text])
        return dense(np.stack(first, axis=1), own, np.diag(variances), sigma**2 * ONE, np.array(mean))

    agrees(null_of(plan, text.format(tested)), density)


@pytest.mark.parametrize("text", HYPOTHESES)
@pytest.mark.parametrize("tested", [("z",), ("x", "z")])
def test_some_columns_of_three(text: str, tested: tuple[str, ...]) -> None:
    plan = plan_of(f"y ~ x + z | g, hierarchy(), prior({MEANS}, z.mean ~ normal(0, 3))")
    said = ", ".join(text.format(name) for name in tested)
    own_order = ["Intercept", "x", "z"]
    names = [*(n for n in own_order if n in tested), *(n for n in own_order if n not in tested)]
    columns = {"Intercept": ONE, "x": X, "z": Z}
    means, variances = {"Intercept": 1.0, "x": 0.5, "z": 0.0}, {"Intercept": 4.0, "x": 1.0, "z": 9.0}

    def density(values: Array) -> float:
        sds = values[1:4]
        covariance = np.outer(sds, sds) * correlation_of(2 * values[4:] - 1)
        own = drawn_together(covariance, list(range(len(tested))), HYPOTHESES[text])
        return dense(
            np.stack([columns[n] for n in names], axis=1),
            own,
            np.diag([variances[n] for n in names]),
            values[0] ** 2 * ONE,
            np.array([means[n] for n in names]),
        )

    agrees(null_of(plan, said), density)


@pytest.mark.parametrize("text", HYPOTHESES)
def test_beside_a_hierarchy_what_is_not_pooled_is_conditioned(text: str) -> None:
    """With a sigma for each group."""
    plan = plan_of(
        "y ~ x | g, hierarchy(Intercept), sigma ~ 1 | g, prior(Intercept.mean ~ normal(1, 2), x ~ normal(0.5, 1.5))"
    )

    def density(values: Array) -> float:
        own = given_equal(np.array([1.5, values[GROUPS]]), [0], HYPOTHESES[text])
        noise = np.repeat(values[:GROUPS] ** 2, EACH)
        return dense(np.stack([X, ONE], axis=1), own, np.diag([0.0, 4]), noise, np.array([0.5, 1]))

    agrees(null_of(plan, text.format("x")), density)


def test_pooled_and_not_together_with_known_standard_errors() -> None:
    plan = plan_of("y ~ x | g, hierarchy(x), se(s), prior(Intercept ~ normal(1, 2), x.mean ~ constant(0.5))")
    text = "x[B] == x[C], Intercept[C] == Intercept[B]"

    def density(values: Array) -> float:
        own = np.zeros((GROUPS, 2, GROUPS, 2))
        own[:, :1, :, :1] = drawn_together(values[1:2, None] ** 2, [0], ((1, 2),))
        own[:, 1:, :, 1:] = given_equal(np.array([2.0]), [0], ((1, 2),))
        return dense(
            np.stack([X, ONE], axis=1), own, np.zeros((2, 2)), DATA["s"].to_numpy() ** 2, np.array([0.5, 1])
        )

    agrees(null_of(plan, text), density)


def test_one_column_of_a_factor() -> None:
    plan = plan_of("y ~ arm | g, hierarchy(arm), prior(Intercept ~ normal(1, 2), arm.mean ~ constant(0))")
    arms = pd.get_dummies(DATA["arm"], dtype=float).to_numpy()

    def density(values: Array) -> float:
        sigma, c, b, share = values  # that of c is tested
        cross = (2 * share - 1) * b * c
        own = np.zeros((GROUPS, 3, GROUPS, 3))
        own[:, :2, :, :2] = drawn_together(np.array([[c**2, cross], [cross, b**2]]), [0], ((0, 3),))
        own[range(GROUPS), 2, range(GROUPS), 2] = 4
        columns = np.stack([arms[:, 2], arms[:, 1], ONE], axis=1)
        return dense(columns, own, np.zeros((3, 3)), sigma**2 * ONE, np.array([0.0, 0, 1]))

    agrees(null_of(plan, "arm[A, c] == arm[D, c]"), density)


def test_the_array_api_is_all_that_is_used() -> None:
    reduction = null_of(plan_of("y ~ x + z | g, hierarchy()"), "x[A] == x[B], x[C] == x[D]")
    points = points_of(reduction)
    here, there = (array_api_strict.Device(name) for name in ("CPU_DEVICE", "device1"))
    device = Device("there", array_api_strict, there, lambda array: np.asarray(array.to_device(here)))
    one, other = kernel(reduction), kernel(reduction, device)
    assert np.allclose(log_likelihood(one, points), log_likelihood(other, points), rtol=1e-13)


# --- evidences


def test_all_scales_known_is_a_ratio_of_normal_densities() -> None:
    formula = f"""y ~ x | g, hierarchy(cor=false),
                  prior({MEANS}, sigma ~ constant(1), Intercept.sd ~ constant(2), x.sd ~ constant(0.7))"""
    columns, covariance = np.stack([X, ONE], axis=1), np.diag([0.49, 4])
    rest = np.diag([1.0, 4]), ONE, np.array([0.5, 1])
    known = dense(columns, drawn_together(covariance, [0], ()), *rest)
    known -= dense(columns, drawn_together(covariance, [0], ((1, 3),)), *rest)
    assert factor(formula, "x[B] == x[D]") == LogIntegral(pytest.approx(known, abs=1e-9), 0.0)


@pytest.mark.parametrize(
    ("text", "classes"), [("x[A] == x[B]", ((0, 1),)), ("x[A] == x[B], x[C] == x[D]", ((0, 1), (2, 3)))]
)
def test_a_correlated_hierarchy_on_a_grid(text: str, classes: Classes) -> None:
    formula = f"y ~ x | g, hierarchy(), prior({MEANS}, sigma ~ constant(1), Intercept.sd ~ constant(0.8), x.sd ~ half_normal(1))"
    columns = np.stack([X, ONE], axis=1)
    sds, shares = np.linspace(1e-3, 6, 61), np.linspace(0, 1, 42)[1:-1]

    def evidence(classes: Classes) -> float:
        logs = np.empty((len(sds), len(shares)))
        for i, sd in enumerate(sds):
            for j, share in enumerate(shares):
                cross = (2 * share - 1) * sd * 0.8
                own = drawn_together(np.array([[sd**2, cross], [cross, 0.64]]), [0], classes)
                logs[i, j] = dense(columns, own, np.diag([1.0, 4]), ONE, np.array([0.5, 1]))
        logs += stats.halfnorm.logpdf(sds)[:, None] + stats.beta.logpdf(shares, 2, 2)  # LKJ(2)
        over_shares = integrate.trapezoid(np.exp(logs), dx=shares[1] - shares[0], axis=1)
        return float(np.log(integrate.simpson(over_shares, x=sds)))

    found = factor(formula, text)
    assert found.error < 0.005
    assert abs(found.value - (evidence(()) - evidence(classes))) < 4.5 * found.error


def test_groups_with_all_in_common_are_one_group() -> None:
    """Of the same prior."""
    priors = f"prior({MEANS}, sigma ~ half_normal(2), Intercept.sd ~ half_normal(2), x.sd ~ half_normal(1))"
    formula = f"y ~ x | g, hierarchy(), {priors}"
    merged = plan_of(formula, DATA.assign(g=DATA["g"].replace("D", "B")))
    plan = plan_of(formula)
    null, one = null_of(plan, "Intercept[B] == Intercept[D], x[B] == x[D]"), reduce(merged)
    points = points_of(one)
    assert log_likelihood(kernel(null), points) == pytest.approx(
        log_likelihood(kernel(one), points), abs=1e-9
    )
    found = factor(formula, "Intercept[B] == Intercept[D], x[B] == x[D]")
    difference = number(log_evidence(plan)).value - number(log_evidence(merged)).value
    assert abs(found.value - difference) < 4.5 * found.error


def test_groups_of_a_student_hierarchy_share_a_draw_of_it() -> None:
    formula = """y ~ 1 | g, hierarchy(dist=student), prior(sigma ~ constant(1), Intercept.mean ~ constant(1),
                 Intercept.sd ~ constant(0.5))"""

    def integral(*groups: str) -> float:
        y = DATA["y"].to_numpy()[DATA["g"].isin(groups)]

        def integrand(b: float) -> float:
            return float(np.prod(stats.norm.pdf(y, b)) * stats.t.pdf(b, 4, 1, 0.5))

        return float(np.log(integrate.quad(integrand, -9, 11, points=[y.mean()], epsabs=0)[0]))

    known = integral("A") + integral("C") - integral("A", "C")
    found = factor(formula, "Intercept[A] == Intercept[C]")
    assert abs(found.value - known) < 4.5 * found.error


def test_groups_with_a_sigma_each_on_a_grid() -> None:
    """The other groups have no part in it."""
    formula = "y ~ x | g, sigma ~ 1 | g, prior(Intercept ~ normal(1, 2), x ~ normal(0.5, 1), sigma ~ half_normal(2))"
    sigmas = np.linspace(0.02, 8, 81)
    y, x = DATA["y"].to_numpy()[: 2 * EACH], X[: 2 * EACH]
    same = np.kron(np.eye(2), np.ones((EACH, EACH)))
    prior = stats.halfnorm.logpdf(sigmas, scale=2)

    def evidence(slopes: Array) -> float:
        spread = 4 * same + np.outer(x, x) * slopes
        logs = np.empty((len(sigmas), len(sigmas)))
        for i, one in enumerate(sigmas):
            for j, other in enumerate(sigmas):
                noise = np.repeat([one**2, other**2], EACH)
                logs[i, j] = stats.multivariate_normal.logpdf(y, 1 + 0.5 * x, spread + np.diag(noise))
        density = np.exp(logs + prior[:, None] + prior)
        return float(np.log(integrate.simpson(integrate.simpson(density, x=sigmas), x=sigmas)))

    found = factor(formula, "x[A] == x[B]")
    assert abs(found.value - (evidence(same) - evidence(np.full(same.shape, 0.5)))) < 4.5 * found.error


def test_names_and_sides_do_not_matter() -> None:
    formula = "y ~ x | g, hierarchy()"
    known = factor(formula, "x[A] == x[C]")
    assert factor(formula, "x[C] == x[A]") == known
    assert factor(formula, "2 * x[C] == 2 * x[A], x[A] == x[C]") == known
    renamed = DATA.assign(g=DATA["g"].map({"A": "Z", "B": "C", "C": "B", "D": "A"}))
    other = factor(formula, "x[Z] == x[B]", renamed)
    assert abs(other.value - known.value) < 4.5 * np.hypot(known.error, other.error)
    assert abs(factor(formula, "x[A] == x[B]").value - known.value) > 0.1


def test_the_order_of_terms_does_not_matter() -> None:
    """LKJ correlations are the same in any order of three columns."""
    one, other = (factor(f"y ~ {terms} | g, hierarchy()", "x[A] == x[C]") for terms in ("x + z", "z + x"))
    assert one != other
    assert abs(one.value - other.value) < 4.5 * np.hypot(one.error, other.error)


def test_what_is_constant_is_equal_as_it_is() -> None:
    formula = "y ~ x + z | g, hierarchy(Intercept), prior(x ~ constant(1))"
    assert factor(formula, "x[A] == x[B]").value == 0
    known = factor(formula, "z[A] == z[B]")
    assert factor(formula, "z[A] == z[B], x[A] == x[B]") == known


# --- which hypotheses


def test_classes_are_read_from_any_rows() -> None:
    plan = plan_of("y ~ x | g, hierarchy()")
    for text in (
        "x[D] == x[B], x[B] == x[A]",
        "x[A] == x[D] == x[A] == x[B]",
        "x[D] - x[A] == 0, x[B] == x[A]",
    ):
        equal = equal_groups(plan.design, asked(plan, text))
        assert isinstance(equal, Equal)
        assert equal.columns == (("x", 0),)
        assert [list(groups) for groups in equal.classes] == [[0, 1, 3]]


@pytest.mark.parametrize(
    "text",
    [
        "x == x[A]",
        "x[A] == 0",
        "x[A] == x[B] == 0",
        "x[A] - x[B] == 1",
        "x[A] == 2 * x[B]",
        "x[A] == Intercept[A]",
        "x[A] - x[B] == x[C] - x[D]",
        "x[A] == z",
        "z == 0",
    ],
)
def test_other_hypotheses_are_none_of_it(text: str) -> None:
    plan = plan_of("y ~ x + common(z) | g, hierarchy()")
    assert equal_groups(plan.design, asked(plan, text)) is None


def test_groups_that_are_equal_in_one_term_and_not_in_another_have_no_null_model() -> None:
    plan = plan_of("y ~ x | g, hierarchy()")
    found = log_bayes_factor(plan, asked(plan, "x[A] == x[B], Intercept[A] == Intercept[C]"))
    assert isinstance(found, Missing)
    assert found.reason == "it makes groups equal in one coefficient that it leaves different in another"


def test_too_many_sigmas_at_once() -> None:
    data = pd.concat([DATA.assign(g=DATA["g"] + str(part)) for part in range(4)])
    plan = plan_of("y ~ x | g, sigma ~ 1 | g", data)
    assert isinstance(log_bayes_factor(plan, asked(plan, "x == 0")), LogIntegral)
    found = log_bayes_factor(plan, asked(plan, "x[A0] == x[B0]"))
    assert found == Missing("engine", "with equal groups, 16 sigmas are more than 12 at once")
