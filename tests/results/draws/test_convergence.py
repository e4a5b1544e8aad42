"""Effective sample sizes, r_hat and intervals are ArviZ's, which takes one parameter after the other."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from formulajoint.results.draws import convergence
from formulajoint.results.draws.convergence import ess_bulk, ess_tail, hdi, r_hat

TAILS = (0.05, 0.95)
AXES = {"chain_axis": 1, "draw_axis": 2}


def autoregressive(rho: float, shape: tuple[int, int], rng: np.random.Generator):
    noise = rng.normal(size=shape)
    for t in range(1, shape[1]):
        noise[:, t] += rho * noise[:, t - 1]
    return noise


def draws(chains: int, length: int):
    """Draws of many makes (K, C, S): alike, slow, alternating, with ties, heavy tails, chains apart, constant."""
    rng = np.random.default_rng(1)
    shape = (chains, length)
    alike = [autoregressive(rho, shape, rng) for rho in (0.0, 0.5, 0.95, 0.999, -0.5, -0.9)]
    tied = np.round(rng.normal(size=shape), 1)
    few = rng.integers(0, 2, shape).astype(float)
    apart = rng.normal(size=shape) + np.arange(chains)[:, None]
    wider = rng.normal(size=shape) * (1 + np.arange(chains))[:, None]
    infinite = np.where(rng.random(shape) < 0.1, np.inf, rng.normal(size=shape))
    trend = np.linspace(0, 1, length) + rng.normal(0, 1e-3, shape)
    return np.array(
        [*alike, tied, few, apart, wider, rng.standard_cauchy(shape), infinite, trend, np.ones(shape)]
    )


@pytest.mark.parametrize("shape", [(4, 1000), (4, 101), (1, 200), (3, 7), (2, 4), (4, 5)])
def test_figures_are_arviz_s(shape):
    sample = draws(*shape)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            ess_bulk(sample), array_stats.ess(sample, method="bulk", **AXES), rtol=1e-8
        )
        tail = array_stats.ess(sample, method="tail", prob=TAILS, **AXES)
        np.testing.assert_allclose(ess_tail(sample, TAILS), tail, rtol=1e-8)
        if shape[0] > 1:
            np.testing.assert_allclose(r_hat(sample), array_stats.rhat(sample, **AXES), rtol=1e-10)


@pytest.mark.parametrize("prob", [0.05, 0.5, 0.95, 0.999])
def test_intervals_are_arviz_s(prob):
    flat = draws(4, 250).reshape(14, -1)
    flat = flat[np.isfinite(flat).all(axis=1)]
    np.testing.assert_array_equal(hdi(flat, prob), array_stats.hdi(flat, axis=-1, prob=prob))


def test_many_parameters_are_looked_at_in_parts(monkeypatch):
    sample = draws(4, 100)
    whole = [ess_bulk(sample), ess_tail(sample, TAILS), r_hat(sample)]
    monkeypatch.setattr(convergence, "AT_ONCE", 1000)
    for one, other in zip(whole, [ess_bulk(sample), ess_tail(sample, TAILS), r_hat(sample)], strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_cannot_be_told_is_nan():
    rng = np.random.default_rng(2)
    sample = rng.normal(size=(3, 4, 50))
    sample[1, 2, 3] = np.nan
    for figure in (ess_bulk(sample), ess_tail(sample, TAILS), r_hat(sample)):
        assert np.isnan(figure).tolist() == [False, True, False]
    few = rng.normal(size=(2, 4, 3))
    assert np.isnan([ess_bulk(few), ess_tail(few, TAILS), r_hat(few)]).all()
    assert np.isnan(r_hat(rng.normal(size=(2, 1, 50)))).all()
