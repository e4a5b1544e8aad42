"""Averages over groups: figures by hand, and what holds for all effects and weights."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from formulajoint.contrasts.averages import joint, rms, spread
from formulajoint.contrasts.registry import AVERAGES


@st.composite
def effects_and_weights(draw):
    """Up to 6 groups of up to 3 columns, some weights zero, never all."""
    groups, columns = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    effects = draw(arrays(float, (groups, columns), elements=st.floats(-1e6, 1e6)))
    raw = draw(arrays(float, (groups, 1), elements=st.one_of(st.just(0.0), st.floats(1e-3, 1e3))))
    raw[draw(st.integers(0, groups - 1))] = 1.0
    return effects, raw / raw.sum()


@pytest.mark.parametrize(
    ("effects", "weights", "mean", "size", "sd"),
    [
        ([20.0, 10.0], [0.4, 0.6], 14.0, np.sqrt(0.4 * 400 + 0.6 * 100), np.sqrt(0.4 * 36 + 0.6 * 16)),
        ([3.0, -3.0], [0.5, 0.5], 0.0, 3.0, 3.0),
        ([3.0, -1.0], [0.25, 0.75], 0.0, np.sqrt(3), np.sqrt(3)),
        ([-2.0, 100.0], [1.0, 0.0], -2.0, 2.0, 0.0),
        ([7.0], [1.0], 7.0, 7.0, 0.0),
    ],
)
def test_by_hand(effects, weights, mean, size, sd):
    effects, weights = np.array(effects), np.array(weights)
    assert joint(effects, weights) == pytest.approx(mean)
    assert rms(effects, weights) == pytest.approx(size)
    assert spread(effects, weights) == pytest.approx(sd)


def test_each_column_is_averaged_by_itself():
    effects = np.array([[1.0, 10.0], [3.0, -10.0]])
    np.testing.assert_allclose(joint(effects, np.array([[0.25], [0.75]])), [2.5, -5.0])
    np.testing.assert_allclose(joint(effects, np.array([[0.25, 0.5], [0.75, 0.5]])), [2.5, 0.0])


@given(effects_and_weights())
def test_rms_is_joint_and_spread(case):
    """rms^2 = joint^2 + spread^2: an identity to keep (statistics.md)."""
    effects, weights = case
    scale = 1 + abs(effects).max() ** 2
    whole = joint(effects, weights) ** 2 + spread(effects, weights) ** 2
    np.testing.assert_allclose(rms(effects, weights) ** 2 / scale, whole / scale, atol=1e-13)


@given(effects_and_weights(), st.floats(-1e3, 1e3))
def test_shift_and_stretch(case, by):
    effects, weights = case
    close = {"rtol": 1e-9, "atol": 1e-9 * (1 + abs(effects).max()) * (1 + abs(by))}
    np.testing.assert_allclose(joint(effects + by, weights), joint(effects, weights) + by, **close)
    np.testing.assert_allclose(
        spread(effects + by, weights), spread(effects, weights), **close | {"atol": 1e-5}
    )
    np.testing.assert_allclose(joint(by * effects, weights), by * joint(effects, weights), **close)
    np.testing.assert_allclose(spread(by * effects, weights), abs(by) * spread(effects, weights), **close)
    np.testing.assert_allclose(rms(by * effects, weights), abs(by) * rms(effects, weights), **close)


@given(effects_and_weights())
def test_bounds_and_order(case):
    effects, weights = case
    counted = effects[weights[:, 0] > 0]
    slack = 1e-9 * (1 + abs(effects).max())
    mean = joint(effects, weights)
    assert np.all(counted.min(axis=0) - slack <= mean)
    assert np.all(mean <= counted.max(axis=0) + slack)
    assert np.all(abs(mean) <= rms(effects, weights) + slack)
    assert np.all(rms(effects, weights) <= abs(counted).max(axis=0) + slack)
    for average in (joint, rms, spread):  # the order of the groups does not matter
        np.testing.assert_allclose(
            average(effects[::-1], weights[::-1]), average(effects, weights), atol=slack
        )


@pytest.fixture(scope="module")
def graphs():
    """Each average as a compiled PyTensor graph of the same Python function."""
    effects, weights = pt.matrix("effects"), pt.tensor("weights", shape=(None, 1))
    mode = pytensor.compile.Mode(linker="py", optimizer=None)
    outputs = [entry.function(effects, weights) for entry in AVERAGES.values()]
    return pytensor.function([effects, weights], outputs, mode=mode)


@given(case=effects_and_weights())
def test_numpy_and_pytensor_agree(graphs, case):
    expected = [entry.function(*case) for entry in AVERAGES.values()]
    for found, value in zip(graphs(*case), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-300)


def test_registry():
    assert {name: entry.function for name, entry in AVERAGES.items()} == {
        "joint": joint,
        "rms": rms,
        "spread": spread,
    }
    assert all(entry.name == name and entry.meaning for name, entry in AVERAGES.items())
