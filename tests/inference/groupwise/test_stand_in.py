"""A stand-in for the density of psi: it agrees with the density, or is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.compiler.over import by_bar
from formulajoint.errors import InferenceError
from formulajoint.inference.groupwise import cost, sampling, stand_in
from formulajoint.inference.groupwise.block import at_points, block_of
from formulajoint.inference.groupwise.forecast import forecast
from formulajoint.inference.groupwise.inner import find_modes
from formulajoint.inference.groupwise.model import Model, model_of
from formulajoint.inference.groupwise.moments import moments_of
from formulajoint.inference.groupwise.natural import natural_coordinates
from formulajoint.inference.groupwise.starts import look, plausible
from formulajoint.inference.importance.sampled import Sampled

type Array = NDArray[np.float64]

FORMULA = "y ~ x | g, hierarchy(), prior(Intercept.mean ~ normal(0, 1), Intercept.sd ~ half_normal(1)), family(poisson)"


@cache
def made(groups: int = 12, formula: str = FORMULA) -> Model:
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(groups), 5)
    x = rng.normal(size=len(codes))
    y = rng.poisson(np.exp(0.5 + 0.6 * rng.normal(size=groups)[codes] + 0.4 * x))
    data = pd.DataFrame({"y": y, "x": x, "g": [f"g{code:02d}" for code in codes]})
    return model_of(by_bar(fj.model(formula, data).plan))


def sampled(monkeypatch: pytest.MonkeyPatch, cheap: float, formula: str = FORMULA) -> Sampled:
    monkeypatch.setattr(sampling, "CHEAP", cheap)
    return sampling.sample_psi(made(formula=formula), 250, 4, np.random.SeedSequence(5)).sampled


def watched(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list to which is added how far each stand-in is off."""
    tests: list[float] = []
    tested = sampling._tested

    def seen(*args: object) -> sampling.Tested:
        tests.append((found := tested(*args)).far)
        return found

    monkeypatch.setattr(sampling, "_tested", seen)
    return tests


def test_it_agrees_with_the_density_that_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it, without = sampled(monkeypatch, -np.inf), sampled(monkeypatch, np.inf)
    assert abs(with_it.log_integral - without.log_integral) < 4 * np.hypot(with_it.error, without.error)
    assert with_it.error > 0.002
    one, other = (each.points[0].reshape(-1, made().size) for each in (with_it, without))
    spread = np.std(other, axis=0) * np.sqrt(2 / 1000)
    assert np.all(abs(np.mean(one, axis=0) - np.mean(other, axis=0)) < 4 * spread)
    assert np.all(abs(np.log(np.std(one, axis=0) / np.std(other, axis=0))) < 0.15)


def test_where_an_interpolant_is_off_laplace_s_approximation_is_computed_at_every_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stand_in, "DEPTH", 1.0)  # lower values are compressed: no good interpolant
    tests = watched(monkeypatch)
    with_it, without = sampled(monkeypatch, -np.inf), sampled(monkeypatch, np.inf)
    one, other = tests
    assert one > sampling.MOST_MOVED
    assert other < 0.01
    assert abs(with_it.log_integral - without.log_integral) < 4 * np.hypot(with_it.error, without.error)
    means = [np.mean(each.points[0], axis=(0, 1)) for each in (with_it, without)]
    spread = np.std(without.points[0].reshape(-1, made().size), axis=0) * np.sqrt(2 / 1000)
    assert np.all(abs(means[0] - means[1]) < 4 * spread)


def test_a_hierarchy_may_have_no_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under effects about zero, against which effects of one kind are tested."""
    formula = "y ~ x | g, hierarchy(x), prior(x.mean ~ constant(0)), family(negative_binomial)"
    with_it, without = (sampled(monkeypatch, cheap, formula) for cheap in (-np.inf, np.inf))
    assert abs(with_it.log_integral - without.log_integral) < 4 * np.hypot(with_it.error, without.error)


def test_it_is_about_the_mode_of_quadrature_where_errors_of_many_groups_add_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(6)
    x = np.tile([-1.0, -1.0, 0.0, 1.0, 1.0], 5000)  # of groups with the same columns few are different
    b = np.array([-0.3, 0.5]) + rng.normal(size=(5000, 2)) * [0.8, 0.6]
    y = rng.binomial(1, 1 / (1 + np.exp(-(np.repeat(b[:, 0], 5) + np.repeat(b[:, 1], 5) * x))))
    data = pd.DataFrame({"y": y, "x": x, "g": np.repeat(np.arange(5000), 5).astype(str)})
    model = model_of(by_bar(fj.model("y ~ x + (1 + x | g), family(bernoulli)", data).plan))
    monkeypatch.setattr(sampling, "CHEAP", -np.inf)
    tests = watched(monkeypatch)
    with_it = sampling.sample_psi(model, 250, 4, np.random.SeedSequence(5)).sampled
    assert len(tests) == 1
    monkeypatch.setattr(sampling, "CHEAP", np.inf)
    without = sampling.sample_psi(model, 250, 4, np.random.SeedSequence(5)).sampled
    assert abs(with_it.log_integral - without.log_integral) < 4 * np.hypot(with_it.error, without.error)


def test_one_that_is_off_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_MOVED", 1e-9)
    monkeypatch.setattr(sampling, "MOST_SECONDS", 1.0)
    monkeypatch.setattr(
        sampling, "cost_of", lambda *_: cost.Cost(rough=0.0, fine=0.0, direct=2.0, stand_in=0.5)
    )
    with pytest.raises(InferenceError, match=r"stand-in .* is off by 0"):
        sampling.sample_psi(made(), 250, 4, np.random.SeedSequence(5))


def test_what_would_take_too_long_is_refused_before_anything_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "MOST_SECONDS", 0.01)
    monkeypatch.setattr(sampling, "Marginal", None)
    told: list[float] = []
    with pytest.raises(InferenceError, match="would take about 10 seconds"):
        sampling.sample_psi(made(), 250, 4, np.random.SeedSequence(5), told.append)
    assert told == []


def test_the_cost_grows_with_rows_and_says_when_a_stand_in_pays() -> None:
    few = cost.cost_of(made(), look(made(), np.random.default_rng(0)), 4000, 4000)
    many = cost.cost_of(replace(made(), rows=60_000), look(made(), np.random.default_rng(0)), 4000, 4000)
    assert few.direct < few.stand_in + cost.CHEAP
    assert many.stand_in < many.direct / 3
    assert many.fine > 300 * few.fine


@pytest.mark.parametrize(
    "formula",
    [
        FORMULA,
        FORMULA.replace("hierarchy()", "hierarchy(cor=false)"),
        FORMULA.replace("hierarchy()", "hierarchy(), prior(x.mean ~ constant(0.3), x.sd ~ constant(0.5))"),
        "y ~ common(x) | g, hierarchy(Intercept), family(negative_binomial)",
    ],
)
def test_natural_coordinates_have_an_inverse(formula: str) -> None:
    model = made(formula=formula)
    middle = plausible(model)
    natural = natural_coordinates(forecast(model, middle), middle)
    steps = 1e-5 * np.eye(model.size)
    slopes = (natural(middle + steps) - natural(middle - steps)) / 2e-5
    assert abs(np.linalg.det(slopes)) > 1e-4
    shrunk = middle.copy()
    shrunk[0] -= 12.0  # the log of an sd, nearly zero
    far = shrunk - 5 * np.eye(model.size)[0]
    np.testing.assert_allclose(natural(shrunk[None]), natural(far[None]), atol=1e-6)


def test_moments_of_coefficients_are_those_of_a_fine_grid() -> None:
    model = made()
    psi = plausible(model)
    at = at_points(model, psi[None])
    block = block_of(model, model.batches[0], at)
    modes = find_modes(block, 1e-3, [np.zeros(block.shape) for _ in block.loads])
    found = moments_of(block, modes)
    axis = np.linspace(-6, 6, 241)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij")).reshape(2, 1, -1)
    one = block.pairs(np.zeros(grid.shape[2], dtype=int))  # the first group at each point of the grid
    logs = one.height(list(grid))[0]
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    means = grid[:, 0] @ weights
    covariance = (grid[:, 0] * weights) @ grid[:, 0].T - np.outer(means, means)
    root = np.array([[found.root[0][0][0, 0], 0.0], [each[0, 0] for each in found.root[1]]])
    np.testing.assert_allclose([each[0, 0] for each in found.mean], means, atol=2e-3)
    np.testing.assert_allclose(np.linalg.inv(root @ root.T), covariance, rtol=0.03, atol=1e-3)
    total = np.logaddexp.reduce(logs) + 2 * np.log(axis[1] - axis[0]) - np.log(2 * np.pi)
    assert found.log_integral[0, 0] == pytest.approx(total, abs=2e-3)


def test_a_smooth_family_is_dearer_and_dear_points_have_more_tries() -> None:
    where = look(made(), np.random.default_rng(0))
    hurdle = made(formula=FORMULA.replace("family(poisson)", "family(hurdle_poisson)"))
    one = cost.cost_of(made(), where, 4000, 4000)
    dear, smooth = (cost.cost_of(replace(each, rows=60_000), where, 4000, 4000) for each in (made(), hurdle))
    assert 2 * dear.rough < smooth.rough < 10 * dear.rough
    assert (one.tries, dear.tries) == (2, 5)


def test_more_time_is_told_of_with_many_parameters() -> None:
    """Seconds of real models under `cost_of` and as they took, of 2, 5, 11, 17 and 22 parameters."""
    for cost_in_seconds, parameters, took in [
        (0.5, 2, 0.5),
        (0.6, 5, 0.6),
        (17.5, 11, 78),
        (6.6, 17, 28),
        (1.4, 22, 6.4),
    ]:
        assert 1 / 3 < cost.expected_seconds(cost_in_seconds, parameters) / took < 3
