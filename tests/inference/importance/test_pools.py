"""Importance sampling by itself: on densities that are known, and told when it does not work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray
from scipy import stats

import formulajoint as fj
from formulajoint.errors import InferenceError
from formulajoint.inference.gaussian import starts
from formulajoint.inference.gaussian.engine import Gaussian
from formulajoint.inference.gaussian.marginal import kernel
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.inference.gaussian.target import log_posterior
from formulajoint.inference.importance import pools
from formulajoint.inference.importance.mode import find_modes
from formulajoint.inference.importance.pools import Pools, sample
from formulajoint.inference.importance.proposal import (
    Fitted,
    Mixture,
    mixed,
    normalised,
    scattered,
    share_by,
    weighted,
)
from formulajoint.inference.importance.sampled import DISAGREE, K_HAT, Sampled
from formulajoint.inference.importance.searches import Look
from formulajoint.inference.settings import Settings

type Array = NDArray[np.float64]

MEAN = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 2.0, -0.3], [0.0, -0.3, 0.1]])


def normal(points: Array) -> Array:
    logs = stats.multivariate_normal.logpdf(points.reshape(-1, 3), MEAN, COVARIANCE)
    return np.asarray(logs).reshape(points.shape[:-1]) + 7.0


def look(d: int, *starts: float, wide: float = 3.0) -> Look:
    broad = Mixture(np.ones(1), np.zeros((1, d)), wide * np.eye(d)[None])
    return Look(np.array([np.full(d, at) for at in starts or (0.0,)]), broad)


def run(target: object, d: int, draws: int = 1000, seed: int = 1) -> Sampled:
    return sample(target, look(d), draws, 4, np.random.SeedSequence(seed))


def test_the_mode_and_curvature_of_a_normal_density() -> None:
    found = find_modes(normal, np.array([[30.0, 30.0, 30.0], [-9.0, 0.0, 0.0]]))
    assert np.allclose(found.at, MEAN, atol=1e-2)
    assert np.allclose(found.covariances, COVARIANCE, rtol=1e-4)


def test_the_mode_is_found_where_it_is_very_narrow() -> None:
    def target(points: Array) -> Array:
        return -0.5 * ((points[..., 0] - 3) / 1e-5) ** 2

    found = find_modes(target, np.zeros((1, 1)))
    assert abs(found.at[0, 0] - 3) < 1e-6
    assert found.covariances[0, 0, 0] == pytest.approx(1e-10, rel=0.01)


def test_moments_and_integral_of_a_normal_density() -> None:
    found = run(normal, 3)
    points = found.points.reshape(-1, 3)
    error = np.sqrt(np.diag(COVARIANCE) / 4000)
    assert np.all(abs(points.mean(axis=0) - MEAN) < 4.5 * error)
    assert np.allclose(np.cov(points.T), COVARIANCE, atol=0.2)
    assert abs(found.log_integral - 7.0) < 4.5 * found.error
    assert found.k_hat < 0.5
    assert np.all(found.ess > 5_000)


def test_tails_are_those_of_an_exponential() -> None:
    def target(points: Array) -> Array:  # log of an Exponential(1) variable: a long left tail
        return points[..., 0] - np.exp(points[..., 0])

    found = run(target, 1, draws=4000)
    draws = np.exp(found.points.ravel())
    for prob in (0.001, 0.01, 0.5, 0.99):
        share = np.mean(draws < stats.expon.ppf(prob))
        assert abs(share - prob) < 4.5 * np.sqrt(prob * (1 - prob) / draws.size)
    assert abs(found.log_integral) < 4.5 * found.error


def test_two_peaks_are_both_found() -> None:
    def target(points: Array) -> Array:
        x = points[..., 0]
        return np.logaddexp(stats.norm.logpdf(x, -2, 0.7), stats.norm.logpdf(x, 2, 0.7)) - np.log(2)

    draws = run(target, 1).points.ravel()
    assert abs(np.mean(draws > 0) - 0.5) < 0.05


def test_a_proposal_that_has_lost_a_mode_is_found_out_by_another() -> None:
    def target(points: Array) -> Array:  # nine in ten at zero, one in ten at sixty
        x = points[..., 0]
        return np.logaddexp(np.log(0.9) + stats.norm.logpdf(x), np.log(0.1) + stats.norm.logpdf(x, 60))

    rng = np.random.default_rng(1)
    one, two = (Mixture(np.ones(1), np.full((1, 1), at), np.ones((1, 1, 1))) for at in (0.0, 60.0))
    both = mixed([(0.9, one), (0.1, two)])
    lost, judge = weighted(target, one, 1000, rng), weighted(target, both, 1000, rng)
    assert lost.share > 0.9  # by its own draws it looks as good
    assert share_by(one, judge) < 0.01
    assert share_by(both, judge) == pytest.approx(judge.share, abs=0.02)


def test_no_draw_is_taken_twice_and_chains_are_their_own() -> None:
    points = run(normal, 3).points[0, :, :, 0]
    assert np.unique(points).size == points.size
    assert array_stats.rhat(points, chain_axis=0, draw_axis=1) < 1.005
    ess = array_stats.ess(points, chain_axis=0, draw_axis=1, method="bulk")
    assert ess > 3_200  # of independent draws: 3,930, sd 165


def test_means_scatter_as_independent_draws_would() -> None:
    means = [run(normal, 3, draws=100, seed=seed).points[0, 0].mean(axis=0) for seed in range(60)]
    ratio = np.std(means, axis=0, ddof=1) / np.sqrt(np.diag(COVARIANCE) / 100)
    assert np.all(abs(ratio - 1) < 0.3)  # the ratio's own error is 0.09


def test_a_seed_is_the_same_draws() -> None:
    one, again, other = (run(normal, 3, draws=50, seed=seed).points for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.any(one == other)


@pytest.mark.parametrize(("shape", "trusted"), [(0.8, False), (0.2, True)])
def test_heavy_weights_are_seen(shape: float, trusted: bool) -> None:
    """`psislw` takes minus the log weights; with the other sign it would see the smallest of them."""
    weights = stats.genpareto.rvs(shape, size=20_000, random_state=1)
    assert (Pools([], [(np.empty((20_000, 1)), np.log(weights))]).k_hat < 0.7) is trusted


def test_weights_that_are_almost_equal_have_no_tail() -> None:
    """Of many weights of one and some of two, the largest look heavy, and none can do harm."""
    weights = np.concatenate([np.full(20_000, 1.0), np.linspace(1.0, 2.0, 60)])
    assert Pools([], [(np.empty((20_060, 1)), np.log(weights))]).k_hat == 0.0


def test_points_without_density_are_never_drawn() -> None:
    def target(points: Array) -> Array:
        x = points[..., 0]
        with np.errstate(divide="ignore"):
            return np.where(x > -1, -x, np.nan)

    found = run(target, 1)
    assert np.all(found.points > -1)


@pytest.mark.parametrize("point", [[0.1], [0.3, 0.123, 5.7]])
def test_points_that_are_all_one_have_no_spread(point: list[float]) -> None:
    """Rounding gives 200 times 0.1 a spread that is not quite zero."""
    with pytest.raises(np.linalg.LinAlgError):
        scattered(np.tile(point, (200, 1)), 4, np.random.default_rng(0))


def test_a_density_that_is_nowhere_is_said() -> None:
    with pytest.raises(InferenceError, match="zero or not finite at every point tried"):
        run(lambda points: np.full(len(points), np.nan), 2)


def test_the_density_of_a_mixture_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    roots = np.linalg.cholesky(np.array([[[1.0, 0.5], [0.5, 2.0]], [[0.3, 0.0], [0.0, 4.0]]]))
    mixture = Mixture(np.array([0.3, 0.7]), rng.normal(size=(2, 2)), roots)
    points = rng.normal(0, 3, (50, 2))
    known = sum(
        w * stats.multivariate_t.pdf(points, m, r @ r.T, df=5)
        for w, m, r in zip(mixture.weights, mixture.means, roots, strict=True)
    )
    assert np.allclose(mixture.log_density(points), np.log(known))
    drawn = mixture.draw(rng, 200_000)
    assert np.allclose(drawn.mean(axis=0), mixture.weights @ mixture.means, atol=0.05)


def test_normalised_weights_sum_to_one() -> None:
    assert np.allclose([normalised(np.array(logs)).sum() for logs in ([-1000.0, -1001.0], [0.0, -np.inf])], 1)


def test_of_two_modes_far_apart_both_are_drawn_from() -> None:
    def two(points: Array) -> Array:
        heights = [
            np.log(share) - 0.5 * np.sum((points - at) ** 2, axis=1)
            for share, at in ((0.2, 0.0), (0.8, 40.0))
        ]
        return np.logaddexp(*heights)

    found = sample(two, look(2, 0.0, 38.0), 1000, 4, np.random.SeedSequence(1))
    assert found.k_hat < 0.5
    assert found.modes == 2
    assert abs(found.log_integral - np.log(2 * np.pi)) < 5 * found.error
    assert abs(np.mean(found.points[..., 0] < 20) - 0.2) < 0.01
    from_afar = sample(two, look(2, wide=20.0), 1000, 4, np.random.SeedSequence(1))
    assert (
        abs(from_afar.log_integral - np.log(2 * np.pi)) < 5 * from_afar.error
    )  # no start is near the second


def test_what_one_search_alone_finds_is_said_or_mended() -> None:
    """A narrow peak that only climbing finds: the particles from afar are led to the wide one."""

    def two(points: Array) -> Array:
        wide = stats.norm.logpdf(points, 0, 1).sum(axis=1) + np.log(0.5)
        narrow = stats.norm.logpdf(points, 6, 0.002).sum(axis=1) + np.log(0.5)
        return np.logaddexp(wide, narrow)

    found = sample(two, look(2, 0.0, 6.0), 1000, 4, np.random.SeedSequence(1))
    assert abs(found.log_integral) < 5 * found.error or found.disagreement > DISAGREE
    assert abs(np.mean(found.points[..., 0] > 5) - 0.5) < 0.02


@pytest.mark.parametrize("seed", [1012, 1022, 1034, 1036, 1048])
def test_long_tails_of_scales_that_may_be_zero_are_guarded(seed):
    """Correlated hierarchies in which an sd is hardly known: its log has a long tail to the left."""
    rng = np.random.default_rng(seed)
    groups, rows = int(rng.integers(2, 12)), int(rng.integers(2, 40))
    g, x, _ = (
        np.repeat(np.arange(groups), rows),
        rng.integers(0, 2, groups * rows),
        rng.normal(50, 10, groups * rows),
    )
    a, b, noise = 10 ** rng.uniform(-2, 1.3), 10 ** rng.uniform(-2, 1.3), 10 ** rng.uniform(-0.5, 1)
    y = (
        (50 + rng.normal(0, a, groups))[g]
        + (3 + rng.normal(0, b, groups))[g] * x
        + rng.normal(0, noise, len(g))
    )
    plan = fj.model("y ~ x | g, hierarchy()", {"y": y, "x": x, "g": g.astype(str)}).plan
    draws = Gaussian().draw(plan, Settings(1000, 0, 4, 1, 0.9, False))
    assert draws.statistics["k_hat"][1] < 0.5


@pytest.mark.parametrize(("groups", "most"), [(60, 240_000), (150, 300_000)])
def test_few_points_suffice_where_some_weigh_much(
    groups: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups of one row, whose sigma and sds are not known apart."""
    rng = np.random.default_rng(0)
    rows = {"y": rng.normal(size=groups) + np.arange(groups) % 2, "x": rng.normal(size=groups)}
    plan = fj.model("y ~ x | g, hierarchy()", pd.DataFrame(rows | {"g": np.arange(groups)})).plan
    target, points, fitted = log_posterior(kernel(reduce(plan))), list[int](), [0]
    again = pools.thinned

    def counted(at: Array) -> Array:
        points.append(len(at))
        return target(at)

    def thinned(first: Fitted, *others: Any) -> Mixture:
        fitted.append(len(first.points))
        return again(first, *others)

    monkeypatch.setattr(pools, "thinned", thinned)
    where = starts.look(reduce(plan), np.random.default_rng(1))
    found = sample(counted, where, 1000, 4, np.random.SeedSequence(1))
    assert found.k_hat < K_HAT
    assert np.all(found.ess > 5000)
    assert sum(points) < most
    assert max(fitted) <= pools.FITTED
    _, times = np.unique(found.points[0, :, :, 0], return_counts=True)
    assert np.max(times) <= pools.OFTEN + 1
