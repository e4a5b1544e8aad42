"""Thousands of groups: gathered where they are alike, cut into parts, interpolated; each agrees with the plain way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.over import by_bar
from formulajoint.inference.gaussian import cost, marginal
from formulajoint.inference.gaussian.coefficients import draw_coefficients, draw_shared
from formulajoint.inference.gaussian.draws import sample_scales
from formulajoint.inference.gaussian.fits import Fits
from formulajoint.inference.gaussian.marginal import Kernel, kernel, log_likelihood
from formulajoint.inference.gaussian.reduction import Reduction, reduce


def reduction(formula: str, groups: int = 1_200) -> Reduction:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(groups), rng.integers(2, 5, groups))
    treated, x = rng.integers(0, 2, len(g)), rng.normal(size=len(g))
    u = rng.normal(size=(2, groups)) * [[1.0], [0.4]]
    y = u[0, g] + (0.5 + u[1, g]) * treated + 0.3 * x + rng.normal(size=len(g))
    data = pd.DataFrame({"y": y, "treated": treated, "x": x, "g": g.astype(str)})
    return reduce(by_bar(fj.model(formula, data).plan))


def some_points(core: Kernel, count: int = 6) -> np.ndarray:
    return np.random.default_rng(1).normal(-0.3, 0.5, (count, len(core.structure.scales.coordinates)))


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ treated + x + (1 | g)",
        "y ~ treated + x + (1 + treated | g)",
        "y ~ treated + common(x) | g, hierarchy(scale=sigma), prior(treated.mean ~ constant(0.5))",
        "y ~ treated + common(x) | g, hierarchy(Intercept)",  # effects are not pooled
    ],
)
def test_groups_that_are_alike_are_gathered(formula: str) -> None:
    core = kernel(reduction(formula))
    points = some_points(core)
    plain = log_likelihood(replace(core, parts=core.whole), points)
    assert core.groups < 300
    assert log_likelihood(core, points) == pytest.approx(plain, rel=1e-12)


def test_groups_with_other_columns_are_not_gathered() -> None:
    core = kernel(reduction("y ~ x + (1 + x | g)"))
    assert core.parts is core.whole


def test_parts_of_groups_have_the_same_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    made = reduction("y ~ x + treated | g, hierarchy(x), prior(Intercept ~ flat())", 60)
    one = kernel(made)
    monkeypatch.setattr(marginal, "PART", 7)
    many = kernel(made)
    points = some_points(one)
    assert (len(one.whole), len(many.whole)) == (1, 9)
    assert log_likelihood(many, points) == pytest.approx(log_likelihood(one, points), rel=1e-13)
    drawn = [draw_coefficients(core, points, np.random.default_rng(2)) for core in (one, many)]
    for ours, other in zip(*drawn, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("formula", "groups"), [("y ~ x + (1 + x | g)", 40), ("y ~ x + (1 | g)", 300)])
def test_an_interpolated_likelihood_has_the_same_evidence(
    formula: str, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = kernel(reduction(formula, groups))
    plain = sample_scales(core, 500, 4, np.random.SeedSequence(1))
    monkeypatch.setattr(cost, "DEAR", 0.0)
    found = sample_scales(core, 500, 4, np.random.SeedSequence(1))
    assert found.modes == 1
    assert found.k_hat < 0.5
    assert np.sum(found.ess) < np.sum(plain.ess)  # another sample
    assert abs(found.log_integral - plain.log_integral) < 4 * np.hypot(found.error, plain.error)
    one, other = (each.points.reshape(2000, -1) for each in (found, plain))
    assert np.all(abs(np.mean(one, axis=0) - np.mean(other, axis=0)) < 0.15 * np.std(other, axis=0))
    assert np.std(one, axis=0) == pytest.approx(np.std(other, axis=0), rel=0.15)


def test_draws_by_the_fits_of_the_last_sample_are_those_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    core = kernel(reduction("y ~ treated + (1 + treated | g)", 300))
    monkeypatch.setattr(cost, "DEAR", 0.0)
    fits = Fits(core)
    found = sample_scales(core, 50, 4, np.random.SeedSequence(1), fits=fits)
    points = found.points[0].reshape(200, -1)
    assert fits.at(points) is not None
    assert fits.at(points + 1e-9) is None
    drawn = [
        (
            *draw_coefficients(core, points, np.random.default_rng(2), each),
            draw_shared(core, points, np.random.default_rng(3), each),
        )
        for each in (fits, None)
    ]
    for ours, other in zip(*drawn, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-12)
