"""Integrals over the groups' coefficients on any device are those of NumPy, and so are draws; what is refused there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import array_api_strict
import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import Plan
from formulajoint.errors import InferenceError
from formulajoint.inference import engine
from formulajoint.inference.engine import exact_engine, run
from formulajoint.inference.groupwise import marginal
from formulajoint.inference.groupwise.block import Block, at_points, block_of
from formulajoint.inference.groupwise.cells import MOST_NUMBERS, blocks
from formulajoint.inference.groupwise.engine import Groupwise
from formulajoint.inference.groupwise.forecast import forecast
from formulajoint.inference.groupwise.inner import find_modes
from formulajoint.inference.groupwise.marginal import log_likelihood
from formulajoint.inference.groupwise.model import model_of
from formulajoint.inference.groupwise.rules import rules
from formulajoint.inference.groupwise.starts import plausible
from formulajoint.inference.latent.device import GPU_PAIRS, NUMPY, Device, find_device
from formulajoint.inference.settings import Settings
from formulajoint.remarks import Missing

# Arrays in two places of array-api-strict cannot be combined, and those of the second cannot be read by NumPy.
FIRST, SECOND = (array_api_strict.Device(name) for name in ("CPU_DEVICE", "device1"))
ELSEWHERE = Device("elsewhere", array_api_strict, SECOND, lambda array: np.asarray(array.to_device(FIRST)))

SETTINGS = Settings(draws=30, tune=0, chains=2, seed=1, target_accept=0.9, progress=False)

FORMULAS = {
    "bernoulli": "y ~ common(x) | g, hierarchy(Intercept), family(bernoulli)",
    "two coefficients": "y ~ x | g, hierarchy(), family(bernoulli)",
    "binomial": "prop(y, 4) ~ 1 | g, hierarchy(Intercept), family(binomial)",
    "poisson": "y ~ x + common(z) + offset(z) | g, hierarchy(), family(poisson), weights(w)",
    "negative_binomial": "y ~ common(x) | g, hierarchy(Intercept), family(negative_binomial)",
    "two coefficients, dispersed": "y ~ x | g, hierarchy(Intercept), family(negative_binomial)",
    "dispersed by row": "y ~ 1 | g, hierarchy(), family(negative_binomial), shape ~ x",
    "gamma": "y ~ x | g, hierarchy(Intercept), prior(x ~ flat()), family(gamma)",
    "exponential": "y ~ 1 | g, hierarchy(Intercept), family(exponential)",
    "no groups": "y ~ x, family(bernoulli)",
}


def plan_of(name: str) -> Plan:
    """Return a plan with groups of two sizes, two of them alike."""
    rng = np.random.default_rng(3)
    sizes = [4, 4, 9, 9, 9]
    g = np.repeat(np.arange(5), sizes)
    x, z = rng.normal(size=(2, len(g))).round(1)
    eta = 0.2 + 0.6 * rng.normal(size=5)[g] + 0.4 * x
    if "bernoulli" in FORMULAS[name]:
        y = rng.binomial(1, 1 / (1 + np.exp(-eta)))
    elif "binomial)" in FORMULAS[name] and "negative" not in FORMULAS[name]:
        y = rng.binomial(4, 1 / (1 + np.exp(-eta)))
    elif "gamma" in FORMULAS[name] or "exponential" in FORMULAS[name]:
        y = rng.gamma(2, np.exp(eta) / 2)
    else:
        y = rng.poisson(np.exp(eta))
    data = pd.DataFrame({"y": y, "x": x, "z": z, "w": rng.integers(1, 3, len(g)), "g": g})
    return fj.model(FORMULAS[name], data).plan


def assert_same(plan: Plan, device: Device) -> None:
    """Hold log p(y | psi) on a device to be that of NumPy, but for rounding."""
    model = model_of(by_bar(plan))
    near = forecast(model, plausible(model))
    points = plausible(model) + 0.5 * np.random.default_rng(1).normal(size=(9, model.size))
    every = rules(len(model.structure.base))
    for rule in (None, every[0], every[len(every) // 2]):
        known = log_likelihood(near, points, rule)
        with device.scope():
            there = forecast(replace(model, device=device), plausible(model))
            found = log_likelihood(there, points, rule)
        np.testing.assert_allclose(found[0], known[0], rtol=1e-11, atol=1e-11)
        np.testing.assert_array_equal(found[1], known[1])


@pytest.mark.parametrize("name", FORMULAS)
def test_integrals_are_the_same_in_the_place_that_is_asked_for(name: str) -> None:
    assert_same(plan_of(name), replace(ELSEWHERE, pairs=100))


def test_a_library_that_compiles_is_given_arrays_of_few_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(plan_of("bernoulli"), replace(ELSEWHERE, compiles=True))
    model = model_of(by_bar(plan_of("bernoulli")))
    near = forecast(replace(model, device=replace(NUMPY, compiles=True)), plausible(model))
    shapes = set()

    def noted(*arguments: Any) -> Block:
        made = block_of(*arguments)
        shapes.add(made.shape[1])
        return made

    monkeypatch.setattr(marginal, "block_of", noted)
    points = plausible(model) + np.zeros((64, model.size))
    for count in (5, 9, 16, 17, 40, 64):
        assert len(log_likelihood(near, points[:count], None)[0]) == count
    assert shapes == {16, 64}


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_a_library_that_is_installed_finds_the_same(library: str) -> None:
    pytest.importorskip(library)
    if library == "torch":
        pytest.importorskip("array_api_compat")
    assert_same(plan_of("negative_binomial"), find_device(f"{library}:cpu"))


@pytest.mark.parametrize("name", ["bernoulli", "poisson", "negative_binomial", "two coefficients, dispersed"])
def test_draws_and_evidence_are_the_same(name: str) -> None:
    plan = plan_of(name)
    one, other = (Groupwise(device).draw(plan, SETTINGS) for device in (NUMPY, ELSEWHERE))
    for key, (_, draws) in one.variables.items():
        np.testing.assert_allclose(other.variables[key][1], draws, rtol=1e-9, atol=1e-9)
    assert other.log_evidence.value == pytest.approx(one.log_evidence.value, rel=1e-10)


def test_pairs_that_have_stopped_stay_where_they_are() -> None:
    """Modes are those of each pair alone, though all pairs take as many steps as the slowest."""
    model = model_of(by_bar(plan_of("two coefficients")))
    points = plausible(model) + np.random.default_rng(1).normal(size=(20, model.size))
    batch, at = model.batches[0].on(ELSEWHERE), at_points(model, points)

    def modes(some: slice) -> np.ndarray:
        block = block_of(model, batch, at.of(some), ELSEWHERE)
        found = find_modes(block, 0.01, [ELSEWHERE.zeros(block.shape)] * 2)
        return np.array([ELSEWHERE.get(each) for each in found.centre])

    together = modes(slice(None))
    for at_ in range(20):
        np.testing.assert_array_equal(modes(slice(at_, at_ + 1))[:, :, 0], together[:, :, at_])


def test_blocks_are_larger_on_a_gpu() -> None:
    (batch, *_) = model_of(by_bar(plan_of("bernoulli"))).batches
    gpu = replace(NUMPY, pairs=GPU_PAIRS)
    ((groups, points),) = blocks(batch, 10_000, gpu)
    assert len(groups) * batch.cells * (points.stop - points.start) <= GPU_PAIRS
    assert points == slice(0, 10_000)
    for groups, points in blocks(batch, 10_000):
        assert len(groups) * batch.cells * (points.stop - points.start) <= MOST_NUMBERS


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("y ~ 1 | g, hierarchy(), family(student)", "that is student and the identity link"),
        ("e ~ 1 | g, hierarchy(), family(bernoulli, link=probit)", "that is bernoulli and the probit link"),
    ],
)
def test_what_only_numpy_computes_is_refused(formula: str, why: str) -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.normal(size=20), "e": np.arange(20) % 2, "g": np.arange(20) // 5})
    plan = fj.model(formula, data).plan
    assert not isinstance(exact_engine(plan), Missing)
    with pytest.raises(InferenceError, match=why) as error:
        exact_engine(plan, ELSEWHERE)
    assert "`bernoulli`, `binomial`, `poisson`, `negative_binomial`, each with its usual link" in str(
        error.value
    )
    assert str(error.value).endswith("Leave `device` out.")


def test_a_fit_takes_a_device_with_every_engine_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_device", lambda name: ELSEWHERE if name else NUMPY)
    plan = plan_of("no groups")
    drawn = run(plan, lambda: None, "auto", replace(SETTINGS, device="elsewhere"))
    assert drawn.engine == "exact"
