"""Bayes factors of orders: prior probabilities by counting, by closed form, by quadrature; and where there are none."""

from __future__ import annotations

from itertools import pairwise
from math import factorial, inf, log

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, hypothesis
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.bayes_factor import orders
from formulajoint.results.joint_tests.questions import hypotheses
from formulajoint.spec.read import parse_hypotheses


def read(plan: Plan, text: str) -> Hypothesis:
    return hypothesis(plan.design, parse_hypotheses(text))


def order(formula: str, text: str, probability: float = 0.5, mcse: float = 0.01) -> LogIntegral | Missing:
    plan = fj.model(formula, MANY).plan
    return orders.order(plan, read(plan, text), probability, mcse)


LETTERS = "abcdefghijklmn"
MANY = pd.DataFrame(
    {
        "y": np.arange(70) * 17 % 23 + 0.5,
        "x": np.arange(70) * 7 % 11,
        "z": np.arange(70) * 5 % 13 * 100,
        "g": list(LETTERS) * 5,
    }
)
NORMAL = "y ~ x | g, prior(x ~ normal(0, 2))"


def chain(letters: str, end: str = "") -> str:
    return " > ".join([*(f"x[{letter}]" for letter in letters), *([end] if end else [])])


@pytest.mark.parametrize("length", [2, 3, 5, 14])
def test_an_order_of_like_coefficients_is_one_of_all_orders(length: int) -> None:
    found = order(NORMAL, chain(LETTERS[:length]))
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(log(0.5 * factorial(length)), rel=1e-12)
    assert found.error == 0.02


@pytest.mark.parametrize("length", [1, 2, 4, 14])
def test_an_order_that_ends_in_zero_is_one_of_all_signs_too(length: int) -> None:
    expected = log(0.5 * 2**length * factorial(length))
    for text in (chain(LETTERS[:length], "0"), f"0 < {chain(LETTERS[:length]).replace('>', '<')}"):
        found = order(NORMAL, text)
        assert isinstance(found, LogIntegral)
        assert found.value == pytest.approx(expected, rel=1e-12)


def test_the_middle_of_the_prior_is_zero_for_a_chain() -> None:
    found = order(NORMAL.replace("(0, 2)", "(3, 2)"), "x[a] > x[b] > 3")
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(log(0.5 * 8), rel=1e-12)


SIMULATED = {
    "x[a] > x[b], x[a] > x[c]": 1 / 3,  # the largest of three
    "x[a] > x[b], x[b] > x[c], x[a] > x[c]": 1 / 6,  # the last says nothing new
    "x[b] > x[c], x[a] > x[b]": 1 / 6,  # in another order
    "x[a] > 0, x[b] > 0, x[c] > 0": 1 / 8,
    "x[a] > x[b], x[c] > x[d]": 1 / 4,
    "x[a] > 2": float(stats.norm.sf(1)),
    "x[a] > x[b] + 2": float(stats.norm.sf(1 / np.sqrt(2))),
    "x[a] > 2, x[b] > 2": float(stats.norm.sf(1)) ** 2,
    "(x[a] + x[b]) / 2 > x[c]": 1 / 2,
    "x[a] > x[b], x[b] > x[c], x[a] + x[c] > 0": 1 / 12,  # neighbours as in a chain, but no chain
    "2 * x[a] > x[b] > 0": float(np.arctan2(2, 1) / (2 * np.pi)),
}


@pytest.mark.parametrize("text", SIMULATED)
def test_other_orders_by_their_probability(text: str) -> None:
    found = order(NORMAL, text, mcse=0.0)
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(log(0.5 / SIMULATED[text]), abs=4 * found.error + 1e-9)
    assert found.error < 3e-4


def test_groups_with_numbers_of_their_own_are_not_exchangeable() -> None:
    """x[a] - x[b] ~ N(1, 4 + 9), and with a chain of three the groups' priors count, too."""
    formula = "y ~ x | g, prior(x ~ normal(0, 2), x[b] ~ normal(-1, 3))"
    found = order(formula, "x[a] > x[b]")
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(log(0.5) - stats.norm.logcdf(1 / 13**0.5), abs=1e-9)
    three = order(formula, "x[b] > x[a] > x[c]")
    assert isinstance(three, LogIntegral)
    at = np.linspace(-20, 20, 4001)
    middle = stats.norm.pdf(at, 0, 2) * stats.norm.sf(at, -1, 3) * stats.norm.cdf(at, 0, 2)
    assert three.value == pytest.approx(log(0.5) - log(np.trapezoid(middle, at)), abs=0.02)


def test_unlike_coefficients_are_no_chain_of_like_ones() -> None:
    """Of sds 2 and 4 at zero, the chain a > z > 0 has probability atan(2 / 4) / 2 pi."""
    plan = fj.model("y ~ x + z | g, prior(x ~ normal(0, 2), z ~ normal(0, 4))", MANY).plan
    found = orders.order(plan, read(plan, "x[a] > z[a] > 0"), 0.5, 0.0)
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(log(0.5 * 2 * np.pi / np.arctan(0.5)), abs=1e-9)


@pytest.mark.parametrize("turn", [1, 2, 4])
def test_the_steps_of_a_chain_may_stand_in_any_order(turn: int) -> None:
    steps = [f"x[{a}] > x[{b}]" for a, b in pairwise(LETTERS[:6])]
    found = order(NORMAL, ", ".join([*steps[turn:], *steps[:turn], "x[f] > 0"]))
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(log(0.5 * 2**6 * factorial(6)), rel=1e-12)


def test_a_step_that_says_nothing_new_costs_the_chain_its_closed_form_only() -> None:
    """Genz's rule then; its error is honest."""
    misses = []
    for length in (5, 6, 7, 8):
        for skip in (2, 3):
            steps = [f"x[{a}] > x[{b}]" for a, b in pairwise(LETTERS[:length])]
            found = order(NORMAL, ", ".join([*steps, f"x[a] > x[{LETTERS[skip]}]"]), mcse=0.0)
            assert isinstance(found, LogIntegral)
            misses.append((found.value - log(0.5 * factorial(length))) / found.error)
            assert 1e-6 < found.error < 0.1
    assert 0.4 < np.sqrt(np.mean(np.square(misses))) < 2.5


def test_both_errors_are_in_the_error() -> None:
    text = "x[a] > x[b], x[a] > x[c], x[a] > x[d]"
    alone, both = order(NORMAL, text, mcse=0.0), order(NORMAL, text, mcse=1e-5)
    assert isinstance(alone, LogIntegral)
    assert isinstance(both, LogIntegral)
    assert both.error == pytest.approx(np.hypot(alone.error, 2e-5))
    assert alone.error > 1e-7


@pytest.mark.parametrize(
    ("formula", "text", "probability", "reason"),
    [
        (NORMAL, "x > 0", 0.0, "no Bayes factor: no draw has the order"),
        (
            "y ~ x | g, prior(x ~ normal(0, 0.01))",
            "x[a] + x[b] > 5, x[b] + x[c] > 5",
            0.5,
            "no Bayes factor: the order's prior probability is too near zero to be known",
        ),
        (
            "y ~ x | g, hierarchy(x), prior(x.mean ~ normal(0, 0.01), x.sd ~ half_normal(0.01))",
            "x[a] > x[b] > 5",
            0.5,
            "no Bayes factor: the order's prior probability is too near zero to be known",
        ),
        (
            "y ~ x | g, hierarchy(x), prior(x.mean ~ flat())",
            "x[a] > x[b]",
            0.5,
            "no Bayes factor: flat priors give the order no prior probability",
        ),
        (
            "y ~ x | g, prior(x ~ flat())",
            "x[a] > x[b]",
            0.5,
            "no Bayes factor: flat priors give the order no prior probability",
        ),
    ],
)
def test_orders_without_a_bayes_factor(formula: str, text: str, probability: float, reason: str) -> None:
    found = order(formula, text, probability)
    assert isinstance(found, Missing)
    assert found.reason == reason


def test_one_improbable_step_keeps_its_logarithm() -> None:
    found = order("y ~ x | g, prior(x ~ normal(0, 0.01))", "x[a] > 5", 0.5)
    assert isinstance(found, LogIntegral)
    assert found.value == pytest.approx(log(0.5) - stats.norm.logsf(500))


# --- priors that are not normal


def prior_of(formula: str, text: str) -> LogIntegral:
    """Return the log prior probability of an order, and its error."""
    plan = fj.model(formula, MANY).plan
    return orders.log_prior_probability(plan, read(plan, text))


STUDENT, CAUCHY = "prior(x ~ student_t(3, 0, 2))", "prior(x ~ cauchy(1, 2))"


@pytest.mark.parametrize(
    ("formula", "text", "expected"),
    [
        (f"y ~ x | g, {CAUCHY}", "x[a] > x[b]", 1 / 2),
        (f"y ~ x | g, {CAUCHY}", "x[a] > x[b] > x[c] > 1", 1 / 8 / 6),
        (f"y ~ x | g, {CAUCHY}", "x[a] > 3", 1 / 4),
        (f"y ~ x | g, {CAUCHY}", "x > 1", 2.0**-14),
        (f"y ~ x | g, {STUDENT}", "4 > x[a] > x[b] > 0", (stats.t.cdf(2, 3) - 0.5) ** 2 / 2),
        (f"y ~ x | g, {STUDENT}", "0 > x[a] > x[b]", 1 / 8),
        (NORMAL, "x > 0", 2.0**-14),
        (NORMAL, "x[a] > x[b], x[c] > 0, x[d] > x[e] > 0", 1 / 2 * 1 / 2 * 1 / 8),
        ("y ~ x | g, prior(x ~ uniform(0, 2))", "x[a] > x[b] > 1", 1 / 8),
        ("y ~ x | g, prior(x ~ laplace(0, 1))", "x[a] > 1", np.exp(-1) / 2),
    ],
)
def test_exact_probabilities_under_other_priors(formula: str, text: str, expected: float) -> None:
    found = prior_of(formula, text)
    assert found.value == pytest.approx(log(expected), rel=1e-10)
    assert found.error == 0


@pytest.mark.parametrize(
    ("formula", "text", "expected"),
    [
        (f"y ~ x | g, {STUDENT}", "x[a] > x[b], x[a] > x[c]", 1 / 3),
        ("y ~ x | g, prior(x ~ exponential(1))", "x[a] > 2 * x[b]", 1 / 3),
        ("y ~ x | g, prior(x ~ half_normal(2))", "x[a] > 2 * x[b]", 2 * np.arctan(0.5) / np.pi),
        ("y ~ x | g, prior(x ~ gamma(2, 3))", "x[a] > x[b], x[a] > x[c]", 1 / 3),
    ],
)
def test_other_probabilities_by_draws_from_the_prior(formula: str, text: str, expected: float) -> None:
    found = prior_of(formula, text)
    assert 1e-4 < found.error < 0.02
    assert abs(found.value - log(expected)) < 4 * found.error


# --- hierarchies


def both_above_zero(law: str) -> float:
    """Return P(two groups' coefficients are above zero) for mean ~ N(0, 1), sd ~ half-normal(1), by quadrature."""
    cdf = {"normal": stats.norm.cdf, "student": lambda u: stats.t.cdf(u, 4), "cauchy": stats.cauchy.cdf}[law]

    def given(angle: float) -> float:  # mean over sd = tan(angle), uniform over the half circle
        return float(cdf(np.tan(angle)) ** 2 / np.pi)

    found, _ = integrate.quad(given, -np.pi / 2, np.pi / 2, epsabs=1e-12)
    return found


@pytest.mark.parametrize("law", ["normal", "student", "cauchy"])
def test_a_chain_above_zero_under_a_hierarchy_is_more_probable_than_one_of_eight(law: str) -> None:
    formula = f"y ~ x | g, hierarchy(x, dist={law})"
    expected = both_above_zero(law) / 2
    assert law != "normal" or expected == pytest.approx(0.188, abs=5e-4)
    found = prior_of(formula, "x[a] > x[b] > 0")
    assert found.error < 0.005
    assert abs(found.value - log(expected)) < 4 * found.error
    # one hypothesis that is no chain, so that groups are drawn
    found = prior_of(formula, "x[a] > 0, x[b] > 0")
    assert abs(found.value - log(2 * expected)) < 4 * found.error < 0.05


def test_pure_orders_under_a_hierarchy_are_one_of_all_orders() -> None:
    for formula in ("y ~ x | g, hierarchy()", "y ~ x | g, hierarchy(x, dist=cauchy)"):
        found = prior_of(formula, "x[a] > x[b] > x[c]")
        assert (found.value, found.error) == (pytest.approx(-log(6)), 0)


def test_orders_across_the_columns_of_a_hierarchy_know_its_correlations() -> None:
    """Of centred columns with sd one, P(x_a > 0, z_a > 0) = 1/4 + E[asin(rho)] / 2 pi, which is 1/4 by symmetry;
    P(x_a > 0, z_a > 0, x_b > 0, z_b > 0) is more than 1/16 since both groups share rho.
    """
    fixed = "x.mean ~ constant(0), z.mean ~ constant(0), x.sd ~ constant(1), z.sd ~ constant(1)"
    formula = f"y ~ x + z | g, hierarchy(x, z), prior({fixed}, cor ~ lkj(1))"
    found = prior_of(formula, "x[a] > 0, z[a] > 0")
    assert abs(found.value - log(1 / 4)) < 4 * found.error < 0.05
    share, _ = integrate.quad(lambda rho: (1 / 4 + np.arcsin(rho) / 2 / np.pi) ** 2 / 2, -1, 1)
    found = prior_of(formula, "x[a] > 0, z[a] > 0, x[b] > 0, z[b] > 0")
    assert share > 1.15 / 16
    assert abs(found.value - log(share)) < 4 * found.error < 0.05


def test_an_impossible_order_is_not_known() -> None:
    """Below its lower end a uniform prior has no mass."""
    found = prior_of("y ~ x | g, prior(x ~ uniform(0, 2))", "x[a] < -1")
    assert (found.value, found.error) == (-inf, inf)


@pytest.mark.parametrize(("text", "least"), [("x[a] > 0.1", 0.1), ("x[a] > x[b]", None), ("x[a] > 0", 0.0)])
def test_an_order_of_effects_on_the_response_is_a_share_of_the_priors_draws(
    text: str, least: float | None
) -> None:
    """Differences in probability of two groups, by hand from normal priors of the coefficients."""
    data = pd.DataFrame({"y": np.arange(40) * 7 % 3 % 2, "x": np.arange(40) % 2, "g": list("aabb") * 10})
    priors = "prior(Intercept ~ normal(0.5, 1), x ~ normal(0.3, 0.8))"
    plan = fj.model(f"y ~ x | g, family(bernoulli), {priors}", data).plan
    said = hypotheses(plan, f"{text}, scale=response")[0]
    rng = np.random.default_rng(5)
    intercept, x = rng.normal(0.5, 1, (2, 400_000)), rng.normal(0.3, 0.8, (2, 400_000))
    first, second = 1 / (1 + np.exp(-intercept - x)) - 1 / (1 + np.exp(-intercept))
    share = np.mean(first > (second if least is None else least))
    found = orders.order(plan, said, 0.5, 0.0)
    assert isinstance(found, LogIntegral)
    assert found.error < 0.02
    assert found.value == pytest.approx(log(0.5 / share), abs=4 * found.error)


def test_an_order_of_effects_that_depend_on_further_parameters_has_no_bayes_factor() -> None:
    data = pd.DataFrame({"y": np.arange(40) * 7 % 5, "x": np.arange(40) % 2, "g": list("aabb") * 10})
    plan = fj.model("y ~ x | g, family(zero_inflated_poisson)", data).plan
    found = orders.order(plan, hypotheses(plan, "x[a] > x[b], scale=response")[0], 0.5, 0.0)
    assert isinstance(found, Missing)
    assert "depends on one predictor" in found.reason
