"""Links: their inverses and slopes, in NumPy and in PyTensor."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest

from formulajoint.distributions.links import LINKS, NUMPY
from formulajoint.language.vocabulary.core import LINK

MEANS = {
    "identity": -2.0,
    "log": 3.0,
    "logit": 0.3,
    "probit": 0.3,
    "cloglog": 0.3,
    "inverse": 4.0,
    "sqrt": 4.0,
}


@pytest.mark.parametrize("name", MEANS)
def test_inverse_and_slope(name: str) -> None:
    link, mean = LINKS[name], MEANS[name]
    eta = link.at(mean)
    assert float(link.inverse(NUMPY, eta)) == pytest.approx(mean, rel=1e-12)
    step = 1e-6
    rise = link.inverse(NUMPY, eta + step) - link.inverse(NUMPY, eta - step)
    assert float(link.slope(NUMPY, eta)) == pytest.approx(rise / (2 * step), rel=1e-8)


@pytest.mark.parametrize("name", MEANS)
def test_pytensor_computes_the_same(name: str) -> None:
    link, values = LINKS[name], np.array([-0.4, 0.7]) if name != "inverse" else np.array([0.2, 3])
    for function in (link.inverse, link.slope):
        np.testing.assert_allclose(
            function(pt, pt.constant(values)).eval(), function(NUMPY, values), rtol=1e-12
        )
    there = link.forward(pt, pt.constant(np.array(MEANS[name]))).eval()
    assert float(there) == pytest.approx(link.at(MEANS[name]), rel=1e-12)


def test_formulas_can_name_every_link() -> None:
    assert set(LINKS) == set(LINK.words) == MEANS.keys()
