"""The samplers by name: the same seed, the same draws; a wrong wish, a clear answer; and nothing said meanwhile."""

from __future__ import annotations

import logging
import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
import pymc as pm
import pytest
from numpy.typing import NDArray
from xarray import DataTree

from formulajoint.errors import InferenceError
from formulajoint.inference.nuts.engine import SAMPLERS
from formulajoint.inference.nuts.sampling import sample
from formulajoint.inference.settings import Settings

FAST = ("nutpie", "pymc")
SETTINGS: dict[str, Any] = {
    "draws": 40,
    "tune": 40,
    "chains": 2,
    "seed": 1,
    "target_accept": 0.9,
    "progress": False,
}


@pytest.fixture(scope="module")
def model() -> pm.Model:
    with pm.Model() as model:
        x = pm.Normal("x")
        pm.Normal("y", x, 1, observed=np.array([1.0, 2.0]))
    return model


@pytest.fixture(scope="module")
def impossible() -> pm.Model:
    with pm.Model() as model:
        pm.Potential("nowhere", pm.math.log(-1 - pm.Normal("x") ** 2))
    return model


def draw(model: pm.Model, engine: str, **settings: Any) -> DataTree:
    return sample(model, engine, Settings(**SETTINGS | settings))


def x(tree: DataTree) -> NDArray[np.float64]:
    return np.asarray(tree["posterior"]["x"])


# --- what they give


def check_tree(tree: DataTree, engine: str) -> None:
    assert dict(tree["posterior"].sizes) == {"chain": 2, "draw": 40}
    assert {"posterior", "sample_stats", "observed_data"} <= set(tree.children)
    assert tree["sample_stats"]["diverging"].shape == (2, 40)
    assert tree.attrs["engine"] == tree["posterior"].attrs["inference_library"] == engine
    assert 0 < x(tree).mean() < 2  # the posterior is normal with mean 1 and sd 0.58


@pytest.mark.parametrize("engine", FAST)
def test_a_seed_gives_the_same_draws_to_the_bit_and_another_seed_others(model: pm.Model, engine: str) -> None:
    first, again, other = (draw(model, engine, seed=seed) for seed in (1, 1, 2))
    check_tree(first, engine)
    assert np.array_equal(x(first), x(again))
    assert not np.array_equal(x(first), x(other))
    assert not np.array_equal(x(first)[0], x(first)[1]), "the chains are copies of one another"


def test_a_higher_target_means_smaller_steps(model: pm.Model) -> None:
    low, high = (draw(model, "pymc", tune=200, target_accept=target) for target in (0.6, 0.99))
    assert 1.5 * high["sample_stats"]["step_size"].mean() < low["sample_stats"]["step_size"].mean()


@pytest.mark.slow
def test_numpyro_samples_and_repeats_itself(model: pm.Model) -> None:
    pytest.importorskip("numpyro")
    first, again = (draw(model, "numpyro") for _ in range(2))
    check_tree(first, "numpyro")
    assert np.array_equal(x(first), x(again))


@pytest.mark.slow
def test_blackjax_samples(model: pm.Model, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("blackjax")
    if tuple(map(int, version("blackjax").split(".")[:2])) >= (1, 6):
        reason = "PyMC passes an argument that BlackJAX 1.6 removed: github.com/pymc-devs/pymc/pull/8373"
        request.applymarker(pytest.mark.xfail(reason=reason, raises=InferenceError, strict=True))
    check_tree(draw(model, "blackjax"), "blackjax")


# --- what they refuse


def test_numbers_of_numpy_are_numbers(model: pm.Model) -> None:
    tree = draw(model, "pymc", draws=np.int64(5), tune=np.int32(5), chains=np.int64(1), seed=np.uint8(1))
    assert dict(tree["posterior"].sizes) == {"chain": 1, "draw": 5}


@pytest.mark.parametrize("engine", FAST)
def test_a_model_that_cannot_start_says_so_in_words(impossible: pm.Model, engine: str) -> None:
    with pytest.raises(InferenceError) as error:
        draw(impossible, engine)
    text = str(error.value)
    assert text.startswith(f"{engine} could not sample this model: ")
    assert "backtrace" not in text
    assert "<unknown>" not in text
    assert error.value.__cause__ is not None


# --- what they say meanwhile


@pytest.mark.parametrize("engine", FAST)
def test_nothing_is_printed_logged_or_warned_without_progress(
    model: pm.Model, engine: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        draw(model, engine, draws=2, tune=0)  # far too few: PyMC and its samplers would like to say so
    assert not caught
    assert not caplog.records
    out, err = capfd.readouterr()
    assert out + err == ""


def test_the_time_taken_is_logged_for_those_who_ask(
    model: pm.Model, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="formulajoint"):
        draw(model, "pymc")
    (record,) = caplog.records
    assert record.getMessage().startswith("pymc drew 2 x 40 in ")


@pytest.mark.parametrize("name", ["model", "impossible"])
def test_the_log_of_pymc_is_given_back_as_it_was(name: str, request: pytest.FixtureRequest) -> None:
    log = logging.getLogger("pymc")
    before, log.level = log.level, logging.INFO
    try:
        draw(request.getfixturevalue(name), "pymc")
    except InferenceError:
        assert name == "impossible"
    after, log.level = log.level, before
    assert after == logging.INFO


def test_every_engine_of_the_documentation_is_tested() -> None:
    assert set(SAMPLERS) == {*FAST, "numpyro", "blackjax"}
