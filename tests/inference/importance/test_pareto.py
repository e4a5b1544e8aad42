"""k-hat is ArviZ's, and finds the shape of weights that are drawn from a Pareto distribution."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from formulajoint.inference.importance.pareto import k_hat


@pytest.mark.parametrize("n", [30, 225, 226, 4000, 60_000])
@pytest.mark.parametrize("shape", [0.1, 0.5, 0.8, 1.5])
def test_k_hat_is_arviz_s(n, shape):
    """`psislw` wants log weights with the other sign, as it has log likelihoods."""
    rng = np.random.default_rng(3)
    for logs in (
        shape * rng.exponential(size=n),
        shape * rng.normal(size=n) - 1e4,
        -rng.gamma(2.0, shape, n),
    ):
        assert k_hat(logs) == pytest.approx(float(array_stats.psislw(-logs)[1]), rel=1e-9)


def test_heavy_tails_are_seen():
    """The log of a Pareto weight of shape k is k times an exponential draw."""
    rng = np.random.default_rng(4)
    for shape in (0.3, 0.8, 1.2):
        assert k_hat(shape * rng.exponential(size=100_000)) == pytest.approx(shape, abs=0.12)


def test_weights_that_hardly_differ_have_no_tail():
    assert k_hat(np.random.default_rng(5).uniform(0, 1e-3, 10_000)) < 0


@pytest.mark.parametrize("logs", [np.zeros(1000), np.append(np.full(999, -800.0), 0.0), np.arange(20.0)])
def test_without_a_tail_nothing_is_trusted(logs):
    """All weights are one, all but one are nothing, or they are too few."""
    assert k_hat(logs) == np.inf
