"""Figures of a joint test on draws whose law is known: closed forms, invariance, and errors that tell the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from formulajoint.results.joint_tests.figures import (
    Figure,
    all_beyond,
    all_negative,
    all_positive,
    all_within,
    at_least,
    by_batches,
    contour_probability,
    distances,
    effective_draws,
    global_p_value,
    probability_of,
    simultaneous_band,
)

type Array = NDArray[np.float64]


def normal(rng: np.random.Generator, mean: Array, root: Array, chains: int = 4, draws: int = 1000) -> Array:
    """Return draws (chain, draw, q) of N(mean, root root')."""
    return mean + rng.normal(size=(chains, draws, len(mean))) @ root.T


def student(rng: np.random.Generator, df: float, mean: Array, root: Array, draws: int = 1000) -> Array:
    mixing = np.sqrt(df / rng.chisquare(df, size=(4, draws, 1)))
    return mean + rng.normal(size=(4, draws, len(mean))) @ root.T * mixing


def walk(rng: np.random.Generator, memory: float, draws: int, q: int) -> Array:
    """Return standard normal draws (4, draws, q) of which each remembers the one before."""
    out = rng.normal(size=(4, draws, q))
    for i in range(1, draws):
        out[:, i] = memory * out[:, i - 1] + np.sqrt(1 - memory**2) * out[:, i]
    return out


def placed(
    rng: np.random.Generator, q: int, tail: float, law: Callable[[float], float]
) -> tuple[Array, Array]:
    """Return a random mean and root such that zero lies where `law`, of q, has the given tail."""
    root = rng.normal(size=(q, q))
    direction = rng.normal(size=q)
    return root @ direction * np.sqrt(law(tail) / (direction @ direction)), root


def agrees(figure: Figure, value: float, times: float = 4) -> bool:
    return abs(figure.value - value) <= times * figure.mcse


# --- contour probability


@pytest.mark.parametrize("q", [1, 2, 5, 18])
@pytest.mark.parametrize("tail", [0.5, 0.05])
def test_contour_of_a_normal_is_the_tail_of_chi_squared(q: int, tail: float) -> None:
    rng = np.random.default_rng(q)
    mean, root = placed(rng, q, tail, lambda p: float(stats.chi2.isf(p, q)))
    figure = contour_probability(normal(rng, mean, root))
    assert agrees(figure, tail)
    assert figure.mcse < 0.04


@pytest.mark.parametrize(("q", "df"), [(1, 5), (3, 6), (5, 30)])
def test_contour_of_a_t_is_the_tail_of_f(q: int, df: int) -> None:
    rng = np.random.default_rng(q)
    mean, root = placed(rng, q, 0.1, lambda p: q * float(stats.f.isf(p, q, df)))
    figure = contour_probability(student(rng, df, mean, root, 2000))
    assert agrees(figure, 0.1)
    assert figure.mcse < 0.015
    assert not agrees(figure, float(stats.chi2.sf(q * stats.f.isf(0.1, q, 3), q)))


def test_contour_of_one_quantity_is_the_share_of_draws_as_far_from_the_mean_as_zero() -> None:
    draws = np.random.default_rng(2).gamma(3, 1, (4, 500, 1)) - 1.2
    away = abs(draws - draws.mean())
    assert contour_probability(draws).value == pytest.approx(np.mean(away >= abs(draws.mean())), abs=2e-3)


def test_contour_at_the_centre_and_far_from_it() -> None:
    draws = np.random.default_rng(3).normal(size=(4, 100, 3))
    assert contour_probability(draws - draws.mean(axis=(0, 1))).value == 1
    assert contour_probability(draws + 50) == Figure(0.0, 0.0)


@pytest.mark.parametrize("scale", [1.0, 1e7, 1e-9])
def test_contour_does_not_depend_on_the_coordinates(scale: float) -> None:
    rng = np.random.default_rng(4)
    draws = normal(rng, np.array([1.0, 0.5, -1]), rng.normal(size=(3, 3)), draws=250)
    mixed = draws @ rng.normal(size=(3, 3)) * [1, scale, scale**-0.5]
    one, other = contour_probability(draws), contour_probability(mixed)
    assert 0.01 < one.value < 0.99
    assert other.value == pytest.approx(one.value, abs=1e-12)
    assert other.mcse == pytest.approx(one.mcse, abs=1e-12)


def test_contour_of_quantities_that_nearly_agree() -> None:
    """An intercept far from the data and its slope: correlated to 1e-12, and still two dimensions."""
    rng = np.random.default_rng(5)
    draws = normal(rng, np.array([1.0, 2.0]), np.eye(2))
    far = np.stack([draws[..., 0] + 1e6 * draws[..., 1], draws[..., 1]], axis=-1)
    assert contour_probability(far).value == pytest.approx(contour_probability(draws).value, abs=1e-3)


def test_a_draw_is_measured_from_the_others() -> None:
    draws = np.random.default_rng(6).normal(size=(12, 3)) @ np.diag([1, 2, 5.0])
    own, null = distances(draws, np.array([1.0, 2, 3]))
    for i, draw in enumerate(draws):
        others = np.delete(draws, i, axis=0)
        away = draw - others.mean(axis=0)
        assert own[i] == pytest.approx(away @ np.linalg.solve(np.cov(others.T), away))
    away = [1.0, 2, 3] - draws.mean(axis=0)
    assert null == pytest.approx(away @ np.linalg.solve(np.cov(draws.T), away))


def test_contour_has_no_bias_where_draws_are_few() -> None:
    """Draws measured from a centre that they pulled their way would give 0.44."""
    rng = np.random.default_rng(7)
    mean = np.zeros(10)
    mean[0] = np.sqrt(stats.chi2.isf(0.5, 10))
    found = [
        np.mean(own >= null)
        for own, null in (distances(rng.normal(size=(200, 10)), mean) for _ in range(400))
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.015)


@pytest.mark.parametrize(
    ("constant", "expected"), [([2.0], 0.0), ([0.0], 1.0), ([0.0, 0.1], 0.0), ([0.0, 0.0], 1.0)]
)
def test_constants_are_zero_or_they_are_not(constant: list[float], expected: float) -> None:
    draws = np.broadcast_to(np.array(constant), (4, 100, len(constant)))
    assert contour_probability(draws) == Figure(expected, 0.0)
    assert global_p_value(draws) == Figure(expected, 0.0)


def test_a_constant_beside_a_quantity() -> None:
    moving = np.random.default_rng(8).normal(1, 1, (4, 250, 1))
    alone = contour_probability(moving)
    still = np.zeros_like(moving)
    assert contour_probability(np.concatenate([moving, still], axis=2)) == alone
    assert contour_probability(np.concatenate([moving, still + 0.1], axis=2)) == Figure(0.0, 0.0)
    # x and x + 3 cannot both be zero
    assert contour_probability(np.concatenate([moving, moving + 3], axis=2)) == Figure(0.0, 0.0)
    both = np.concatenate([moving, still], axis=2)
    assert global_p_value(both) == global_p_value(moving)
    band = simultaneous_band(both)
    assert band.low[1] == band.high[1] == 0


# --- Monte Carlo errors


def test_the_error_of_an_average_is_that_of_batch_means() -> None:
    draws = np.random.default_rng(9).gamma(2, 1, (4, 100, 1))
    figure = by_batches(lambda flat: float(flat.mean()), draws)
    means = draws.reshape((20, 20)).mean(axis=1)
    assert figure.value == pytest.approx(draws.mean())
    assert figure.mcse == pytest.approx(means.std(ddof=1) / np.sqrt(20))


def test_draws_left_over_by_the_batches_count_for_the_value() -> None:
    draws = np.zeros((1, 45, 1))
    draws[0, 40:] = 9
    figure = by_batches(lambda flat: float(flat.mean()), draws)
    assert (figure.value, figure.mcse) == (1.0, 0.0)


def test_too_few_draws_have_no_error() -> None:
    assert np.isnan(probability_of(all_positive, np.ones((4, 9, 1))).mcse)
    assert probability_of(all_positive, np.ones((4, 10, 1))).mcse == 0


def spreads(figures: list[Figure], value: float) -> float:
    """Return the mean square error of figures in units of the square of what they say of themselves."""
    return float(np.mean([((f.value - value) / f.mcse) ** 2 for f in figures]))


@pytest.mark.parametrize(("q", "draws", "tail"), [(2, 100, 0.5), (8, 100, 0.05), (18, 250, 0.2)])
def test_the_error_of_the_contour_is_honest(q: int, draws: int, tail: float) -> None:
    """The last two are those in which a batch has hardly more draws than dimensions."""
    rng = np.random.default_rng(10)
    mean = np.zeros(q)
    mean[0] = np.sqrt(stats.chi2.isf(tail, q))
    found = [contour_probability(normal(rng, mean, np.eye(q), draws=draws)) for _ in range(40)]
    assert 0.5 < spreads(found, tail) < 1.7
    binomial = np.sqrt(tail * (1 - tail) / (4 * draws))
    assert np.mean([f.mcse for f in found]) > 1.2 * binomial


def test_the_errors_of_draws_that_remember_each_other_are_larger() -> None:
    rng = np.random.default_rng(11)
    found, shares = [], []
    for _ in range(30):
        draws = walk(rng, 0.8, 500, 2) + np.array([1.0, 0])
        found.append(contour_probability(draws))
        shares.append(probability_of(all_positive, draws))
    assert 0.5 < spreads(found, float(stats.chi2.sf(1, 2))) < 1.8
    assert 0.5 < spreads(shares, float(stats.norm.cdf(1)) / 2) < 1.8


def test_the_error_of_the_band_is_honest() -> None:
    rng = np.random.default_rng(12)
    mean = np.array([1.8, 0, 0])
    true = 1 - (1 - 2 * stats.norm.sf(1.8)) ** 3
    found = [global_p_value(normal(rng, mean, np.eye(3), draws=100)) for _ in range(60)]
    assert 0.5 < spreads(found, true) < 1.6


# --- simultaneous bands

CORRELATION = np.array([[1, 0.6, 0.3], [0.6, 1, 0.5], [0.3, 0.5, 1]])
SD = np.array([1.0, 10, 0.1])
ROOT = SD[:, None] * np.linalg.cholesky(CORRELATION)
CENTRE = np.array([2.0, -3, 0.01])


@pytest.mark.parametrize("prob", [0.95, 0.5])
def test_the_band_of_a_normal_holds_what_it_says(prob: float) -> None:
    band = simultaneous_band(normal(np.random.default_rng(13), CENTRE, ROOT, draws=3000), prob)
    inside = stats.multivariate_normal.cdf(
        band.high, CENTRE, ROOT @ ROOT.T, lower_limit=band.low, rng=np.random.default_rng(0)
    )
    assert band.probability == prob
    assert inside == pytest.approx(prob, abs=0.02)
    np.testing.assert_allclose((band.high + band.low) / 2, CENTRE, atol=0.06 * SD[1])
    reach = (band.high - band.low) / 2 / SD
    np.testing.assert_allclose(reach, reach[0], rtol=0.04)  # the same number of sds each way


def test_the_band_of_a_t_holds_what_it_says() -> None:
    band = simultaneous_band(student(np.random.default_rng(14), 6, CENTRE, ROOT, 3000), 0.9)
    law = stats.multivariate_t(CENTRE, ROOT @ ROOT.T, df=6, seed=0)
    inside = law.cdf(band.high, lower_limit=band.low, random_state=0)
    assert inside == pytest.approx(0.9, abs=0.015)


def test_the_share_of_draws_in_the_band_is_its_probability() -> None:
    draws = np.random.default_rng(15).gamma(2, 1, (4, 500, 5))
    for prob in (0.3, 0.8, 0.95):
        band = simultaneous_band(draws, prob)
        within = np.all((draws >= band.low) & (draws <= band.high), axis=2)
        assert np.mean(within) == pytest.approx(prob, abs=1e-3)


def test_the_band_is_wider_than_each_interval_by_itself() -> None:
    draws = np.random.default_rng(16).normal(size=(4, 500, 6))
    together = simultaneous_band(draws)
    for i in range(6):
        alone = simultaneous_band(draws[:, :, [i]])
        assert together.low[i] < alone.low[0]
        assert alone.high[0] < together.high[i]


def test_gbpv_of_a_normal() -> None:
    """The probability that some quantity is as far from its mean as the farthest mean is from zero."""
    gbpv = global_p_value(normal(np.random.default_rng(17), CENTRE, ROOT, draws=3000))
    farthest = np.max(abs(CENTRE) / SD)
    box = farthest * np.ones(3)
    inside = stats.multivariate_normal.cdf(
        box, np.zeros(3), CORRELATION, lower_limit=-box, rng=np.random.default_rng(0)
    )
    assert agrees(gbpv, 1 - inside)
    assert gbpv.mcse < 0.006


def test_gbpv_is_where_the_first_interval_leaves_zero_out() -> None:
    draws = np.random.default_rng(18).normal([0.5, 2.2], 1, (4, 500, 2))
    gbpv = global_p_value(draws).value
    for off, outside in ((-0.01, False), (0.01, True)):
        band = simultaneous_band(draws, 1 - gbpv - off)
        assert bool(np.any((band.low > 0) | (band.high < 0))) == outside


# --- counts and effective draws

ROWS = np.array([[1.0, 2], [0, 1], [-1, -2], [-1, 3], [0.1, 0.2], [0.3, -0.3]])


def test_what_is_counted() -> None:
    assert all_positive(ROWS).tolist() == [True, False, False, False, True, False]
    assert all_negative(ROWS).tolist() == [False, False, True, False, False, False]
    assert all_within(0.3)(ROWS).tolist() == [False, False, False, False, True, False]
    assert all_within(1.5)(ROWS).tolist() == [False, True, False, False, True, True]


def test_the_share_of_draws() -> None:
    assert probability_of(all_positive, ROWS.reshape((2, 3, 2))).value == pytest.approx(1 / 3)


def test_effective_draws_are_those_of_the_worst_quantity() -> None:
    rng = np.random.default_rng(19)
    free = rng.normal(size=(4, 1000, 2))
    bound = walk(rng, 0.9, 1000, 1)
    assert effective_draws(free) == pytest.approx(4000, rel=0.1)
    assert effective_draws(bound) == pytest.approx(4000 / 19, rel=0.35)  # (1 - 0.9) / (1 + 0.9)
    assert effective_draws(np.concatenate([free, bound], axis=2)) == effective_draws(bound)


def test_effective_draws_of_what_is_constant_or_too_short() -> None:
    free = np.random.default_rng(20).normal(size=(4, 100, 1))
    assert effective_draws(np.concatenate([free, np.ones_like(free)], axis=2)) == effective_draws(free)
    assert effective_draws(np.ones((4, 100, 2))) == 400
    assert effective_draws(free[:, :3]) == 12


def test_the_errors_of_a_band_are_those_over_repeats() -> None:
    rng = np.random.default_rng(21)
    bands = [simultaneous_band(normal(rng, CENTRE, ROOT, draws=250), 0.9) for _ in range(60)]
    for end in ("low", "high"):
        over_repeats = np.std([getattr(band, end) for band in bands], axis=0)
        stated = np.sqrt(np.mean([getattr(band, f"{end}_mcse") ** 2 for band in bands], axis=0))
        ratio = stated / over_repeats  # the jackknife of a quantile is noisy, and errs on the safe side
        assert np.all((ratio > 0.75) & (ratio < 1.75)), ratio


# --- counts


def test_counts_of_draws() -> None:
    draws = np.array([[1.0, 2, -3], [0, 0.5, 4], [-1, -2, -3], [0.2, 0.1, -0.1]])
    assert list(at_least(2)(draws)) == [True, True, False, True]
    assert list(at_least(3)(draws)) == [False] * 4
    assert list(all_beyond(0.5)(draws)) == [True, False, True, False]
    assert list(all_within(np.array([2, 3, 3.5]))(draws)) == [True, False, True, True]
