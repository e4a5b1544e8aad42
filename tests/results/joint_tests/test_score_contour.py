"""Contour probabilities by scores, on posteriors known exactly: groups are independent t or normal distributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2, norm
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.joint_test import JointTest, joint_tests
from formulajoint.results.joint_tests.score_contour import Quantities, score_contour, sum_of_scores
from formulajoint.results.joint_tests.strata import independent_strata
from formulajoint.results.joint_tests.table import joint_table
from formulajoint.results.text.figures import share_text
from formulajoint.spec.read import parse_hypotheses

type Array = NDArray[np.float64]

RNG = np.random.default_rng(6)
FRAME = pd.DataFrame({"x": RNG.normal(3, 2, 60), "arm": RNG.choice(list("abc"), 60)})
FRAME = FRAME.assign(g=np.repeat(list("PQRS"), [5, 11, 20, 24]), y=RNG.normal(size=60))


def flat(right: str, frame: pd.DataFrame, draws: int = 1000, seed: int = 1) -> Posterior:
    """Return independent draws of ``y ~ right | g, sigma ~ 1 | g`` under flat priors, group by group."""
    plan = fj.model(f"y ~ {right} | g, sigma ~ 1 | g", frame, priors="flat").plan
    rng, predictor = np.random.default_rng(seed), plan.design.predictor
    x = np.hstack([term.columns for term in predictor.per_group])
    groups = []
    for code in range(len(predictor.grouping)):
        own = predictor.grouping.codes == code
        estimate, (rss,), *_ = np.linalg.lstsq(x[own], frame["y"].to_numpy()[own])
        sigma = np.sqrt(rss / rng.chisquare(own.sum() - x.shape[1], (4, draws, 1)))
        root = np.linalg.inv(np.linalg.qr(x[own], mode="r"))
        groups.append(estimate + sigma * (rng.normal(size=(4, draws, x.shape[1])) @ root.T))
    values = np.stack(groups, axis=2)  # chain, draw, group, column
    variables, start = {}, 0
    for coefficient in plan.mean.coefficients:
        count = coefficient.term.columns.shape[1]
        own = values[..., start : start + count]
        variables[coefficient.name] = (("chain", "draw", *coefficient.dims), own if len(coefficient.dims) > 1 else own[..., 0])  # fmt: skip
        start += count
    dataset = Dataset(variables, {dim: list(labels) for dim, labels in plan.coords.items()})
    return Posterior(plan, DataTree.from_dict({"posterior": dataset}), "exact")


def joint_test_of(posterior: Posterior, text: str) -> JointTest:
    (found,) = joint_tests(posterior, [hypothesis(posterior.plan.design, parse_hypotheses(text))])
    return found


def row(posterior: Posterior, text: str) -> pd.Series:
    return joint_table([joint_test_of(posterior, text)]).iloc[0]


def apart(draws: Array) -> Quantities:
    """Return one quantity a group, tested for zero."""
    return Quantities(draws, np.arange(draws.shape[2]), np.empty((draws.shape[2], 0)))


def together(draws: Array) -> Quantities:
    """Return one quantity a group, tested for being equal."""
    return Quantities(draws, np.arange(draws.shape[2]), np.ones((draws.shape[2], 1)))


# --- flat priors: the classical test comes back


@pytest.mark.parametrize("effect", [0.0, 0.15, 0.3])
@pytest.mark.parametrize(
    ("right", "text"),
    [
        ("x", "x == 0"),
        ("x", "x == x[P]"),
        ("x", "x[Q] - 2 * x[R] == 0.2"),
        ("x", "x[P] + x[S] == 0.1, x[P] - x[S] == 0"),
        ("x", "x[P] == x[Q], x[R] == 0.1"),
        ("arm", "arm[g=R] == 0, arm[g=S] == 0"),
        ("arm", "arm[g=R] == 0, arm[g=S, arm=b] == 0"),
    ],
)
def test_the_contour_is_the_p_value_of_the_scores(right: str, text: str, effect: float) -> None:
    frame = FRAME.assign(y=FRAME["y"] + effect * np.where(FRAME["g"] == "R", FRAME["x"], 0))
    if right == "arm":
        frame = frame[frame["g"].isin(["R", "S"])]
    found = row(flat(right, frame), text)
    assert found["classical"] == "normal scores"
    assert "contour by scores, group by group" in found["note"].split("; ")
    assert (
        abs(found["contour"] - found["p_value"]) < 4 * found["contour_mcse"] < 0.2 * found["p_value"] + 0.03
    )


def test_a_contour_needs_no_covariance_but_a_band_does() -> None:
    """Groups of four rows: the slope's posterior is a t on two degrees of freedom."""
    frame = FRAME.groupby("g").head(4)
    found = row(flat("x", frame), "x == 0")
    assert abs(found["contour"] - found["p_value"]) < 4 * found["contour_mcse"]
    assert np.isnan(found["gbpv"])
    assert "no band: the posterior has no covariance" in found["note"].split("; ")
    frame = FRAME.assign(arm=list("abc") * 20).groupby("g").head(5)
    found = row(flat("arm", frame), "arm == 0")
    assert np.isnan(found["contour"])
    assert "no contour or band: the posterior has no covariance" in found["note"].split("; ")


def test_several_coefficients_that_are_equal_keep_the_ellipsoid() -> None:
    found = row(flat("arm", FRAME[FRAME["g"].isin(["R", "S"])]), "arm == arm[g=R]")
    assert "by scores" not in found["note"]
    assert found["contour"] == pytest.approx(found["p_value"], abs=0.05)


# --- sums of scores


def test_normal_posteriors_have_their_chi_square() -> None:
    means = np.array([0.5, -1.0, 1.5])
    draws = np.random.default_rng(2).normal(means, 1.0, (4, 5000, 3))
    found = score_contour([apart(draws)])
    assert found.saturated == 0
    assert abs(found.figure.value - chi2.sf(np.sum(means**2), 3)) < 4 * found.figure.mcse < 0.03
    found = score_contour([together(draws)])
    assert abs(found.figure.value - chi2.sf(3 * np.var(means), 2)) < 4 * found.figure.mcse < 0.03


@pytest.mark.parametrize("tested", [apart, together])
def test_the_monte_carlo_error_is_that_over_repeated_draws(tested: object) -> None:
    rng, means = np.random.default_rng(3), np.array([0.8, -0.5, 1.5])
    found = [score_contour([tested(means + rng.standard_t(4, (4, 250, 3)))]).figure for _ in range(40)]
    spread, stated = np.std([f.value for f in found]), np.mean([f.mcse for f in found])
    assert stated == pytest.approx(spread, rel=0.35)


def test_units_and_origin_do_not_matter() -> None:
    draws = np.random.default_rng(4).normal([0.3, 1.0], [1.0, 2.0], (4, 500, 2))
    for tested in (apart, together):
        one = score_contour([tested(draws)]).figure
        for scaled in (1e-12 * draws, -3 * draws):
            assert score_contour([tested(scaled)]).figure.value == pytest.approx(one.value, rel=1e-6)
    moved = Quantities(draws * [1, 4], np.arange(2), np.array([[1.0], [4.0]]))
    assert score_contour([moved]).figure.value == pytest.approx(one.value, rel=1e-6)


def test_the_common_value_is_found_among_several_minima() -> None:
    means = np.array([0.0, 0.0, 40.0, 40.5, 41.0])
    draws = means + np.random.default_rng(5).standard_t(2, (4, 1000, 5))
    found = chi2.isf(score_contour([together(draws)]).figure.value, 4)
    flat_draws = draws.reshape((-1, 5))
    theta = np.linspace(-60, 120, 20_001)
    shares = (np.sum(flat_draws[..., None] < theta, axis=0) + 0.5) / (len(flat_draws) + 1)
    sums = np.sum(norm.ppf(shares) ** 2, axis=0)
    assert found == pytest.approx(np.min(sums), abs=1)  # effective draws are fewer
    assert np.min(sums[theta < 20]) > np.min(sums) + 5


# --- what no draw contradicts


def test_a_null_beyond_all_draws_gives_an_upper_bound() -> None:
    draws = np.random.default_rng(7).normal([12.0, 0.1, -12.0], 1.0, (4, 500, 3))
    found = score_contour([apart(draws)])
    assert found.saturated == 2
    bound = chi2.sf(2 * norm.ppf(0.5 / 2001) ** 2, 3)
    assert chi2.sf(288, 3) < found.figure.value
    assert found.figure.value == pytest.approx(bound, rel=0.15)


def test_the_bound_counts_effective_draws() -> None:
    """Each draw stands there fifty times."""
    draws = np.repeat(np.random.default_rng(8).normal(12.0, 1.0, (4, 100, 1)), 50, axis=1)
    found = score_contour([apart(draws)]).figure.value
    assert found > 0.5 * chi2.sf(norm.ppf(0.5 / 401) ** 2, 1)


def test_a_bound_is_noted_and_printed_as_one() -> None:
    found = joint_test_of(flat("x", FRAME.assign(y=FRAME["y"] + 30 * FRAME["x"])), "x[R] == 0, x[S] == 0")
    contour = found.shares["contour"].value
    assert found.is_bound
    assert "an upper bound: in 2 groups no draw is beyond the null" in found.note
    assert share_text(found, "contour") == f"< {contour:.2g}"
    assert 0 < contour < 1e-5
    assert not any(note.text.startswith("contour") and "ESS" in note.text for note in found.notes)


def test_constants_are_zero_or_they_are_not() -> None:
    draws = np.random.default_rng(9).normal(0.5, 1.0, (4, 500, 2))
    zero, one = np.zeros((4, 500, 1)), np.ones((4, 500, 1))
    alone = score_contour([apart(draws)]).figure.value
    assert score_contour([apart(np.concatenate([draws, zero], axis=2))]).figure.value == pytest.approx(alone)
    assert score_contour([apart(np.concatenate([draws, one], axis=2))]).figure.value == 0
    assert score_contour([apart(zero)]).figure.value == 1
    assert not together(np.concatenate([draws, zero], axis=2)).defined


# --- calibration: benchmarks/levels.py has the long version


def test_contours_of_true_hypotheses_keep_their_level() -> None:
    """Six groups of four rows; the sum is exact, and the smallest sum keeps below its level."""
    rng, count = np.random.default_rng(10), 600
    below = {apart: 0, together: 0}
    for _ in range(count):
        errors = np.sqrt(rng.chisquare(2, 6) / 2)
        draws = rng.normal(size=6) + errors * rng.standard_t(2, (4, 100, 6))
        for tested, df in ((apart, 6), (together, 5)):
            total, _ = sum_of_scores([tested(draws)])(draws.reshape((-1, 6)))
            below[tested] += chi2.sf(total, df) < 0.05
    assert below[apart] / count == pytest.approx(0.05, abs=0.027)  # three binomial errors
    assert below[together] / count < 0.06


# --- which groups share nothing


@pytest.mark.parametrize(
    ("formula", "independent"),
    [
        ("y ~ x | g, sigma ~ 1 | g", True),
        ("y ~ x | g, sigma ~ 1 | d", True),
        ("y ~ x | g, prior(sigma ~ constant(2))", True),
        ("y ~ x | g, se(s)", True),
        ("y ~ x | g, sigma ~ 1 | g, family(student), prior(nu ~ constant(4))", True),
        ("y ~ x | g", False),
        ("y ~ x", False),
        ("y ~ x + common(arm) | g, sigma ~ 1 | g", False),
        ("y ~ x | g, sigma ~ 1 | g, hierarchy()", False),
        ("y ~ x | g, sigma ~ 1 | g, hierarchy(sigma)", False),
        ("y ~ x | g, sigma ~ 1 | g, family(student)", False),
        ("y ~ x | d, sigma ~ 1 | g", False),
        ("y ~ x | g, sigma ~ x", False),
    ],
)
def test_groups_are_independent_where_they_share_nothing(formula: str, independent: bool) -> None:
    frame = FRAME.assign(d=np.where(FRAME["g"] < "R", "east", "west"), s=1.0)
    found = independent_strata(fj.model(formula, frame).plan)
    assert (found is not None) == independent
    if found is not None and "sigma ~ 1 | d" in formula:
        assert found.of_groups.tolist() == [0, 0, 1, 1]
        assert found.of_coefficients.tolist() == [0, 0, 1, 1] * 2
