"""The arithmetic on groups: any library of arrays, any block, one sum."""

from __future__ import annotations

from dataclasses import replace

import array_api_strict
import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.inference.exact.coefficients import draw_coefficients
from formulajoint.inference.exact.device import NUMPY
from formulajoint.inference.exact.marginal import kernel, log_likelihood
from formulajoint.inference.exact.reduction import Reduction, reduce

FORMULAS = [
    "y ~ x + common(z) | g, hierarchy()",
    "y ~ x | g, sigma ~ 1 | g",
    "y ~ x + z | g, hierarchy(x, dist=student), hierarchy(z)",
    "y ~ x * z",
]


def reduction_of(formula: str) -> Reduction:
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(size=(50, 3)), columns=list("xzy")).assign(g=np.arange(50) % 4)
    return reduce(fj.model(formula, data).plan)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_array_api_is_all_that_is_used(formula: str) -> None:
    reduction = reduction_of(formula)
    points = np.random.default_rng(1).normal(0, 0.5, (7, len(reduction.scales.coordinates)))
    strict = replace(NUMPY, xp=array_api_strict, at=None)
    one, other = kernel(reduction), kernel(reduction, strict)
    assert np.allclose(log_likelihood(one, points), log_likelihood(other, points), rtol=1e-13)
    drawn = [draw_coefficients(core, points, np.random.default_rng(2)) for core in (one, other)]
    assert np.allclose(drawn[0][0], drawn[1][0], rtol=1e-12)
    assert np.allclose(drawn[0][1], drawn[1][1], rtol=1e-12)


@pytest.mark.parametrize("formula", FORMULAS)
def test_blocks_change_nothing(formula: str) -> None:
    reduction = reduction_of(formula)
    points = np.random.default_rng(1).normal(0, 0.5, (20, len(reduction.scales.coordinates)))
    whole, cut = (
        log_likelihood(kernel(reduction, device), points) for device in (NUMPY, replace(NUMPY, pairs=12))
    )
    assert np.allclose(cut, whole, rtol=1e-14)


def test_the_groups_terms_sum_to_the_whole() -> None:
    reduction = reduction_of("y ~ x | g, sigma ~ 1 | g")
    points = np.random.default_rng(1).normal(0, 0.5, (5, 4))
    by_group = log_likelihood(kernel(reduction), points, by_group=True)
    assert by_group.shape == (5, 4)
    assert np.allclose(by_group.sum(axis=1), log_likelihood(kernel(reduction), points))


def test_rounding_is_no_density() -> None:
    data = pd.DataFrame({"g": [0, 1, 2, 3], "x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 3.0, 2.0, 5.0]})
    reduction = reduce(fj.model("y ~ x | g, hierarchy(cor=false)", data).plan)
    found = log_likelihood(kernel(reduction), np.array([[-40.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]))
    assert np.isnan(found[0])
    assert np.isfinite(found[1])


@pytest.mark.parametrize("term", ["x", "x + common(z)"])
def test_where_the_rows_fit_exactly_rounding_is_no_density(term: str) -> None:
    """What is left of the squares is zero but for rounding, which a sigma of e^-34 would blow up to any size."""
    data = pd.DataFrame({"g": list("aaabbbbb"), "x": [0, 1, 3, 1, 3, 3, 2, 4], "z": [0, 2, 1, 0, 0, 2, 5, 1]})
    data["y"] = np.where(data.g == "a", 0.1 + 0.7 * data.x, [0, 0, 0, 4, 1, 7, 2, 2])
    formula = f"y ~ {term} | g, sigma ~ 1 | g, prior(sigma ~ inverse_gamma(3, 2))"
    core = kernel(reduce(fj.model(formula, data).plan))
    tiny = np.stack([np.linspace(-60, -20, 50), np.zeros(50)], axis=1)
    found = [log_likelihood(core, tiny)]
    if term == "x":
        found.append(log_likelihood(core, tiny, by_group=True)[:, 0])
    assert not any(np.any(each > 100) for each in found)  # NaN, or about 1 / sigma
