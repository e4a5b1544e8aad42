"""What the plug-in adds, in an environment in which it is installed."""

import numpy as np
import pytest
from formulajoint_robust import extension, trimmed

import formulajoint as fj


def test_it_is_found():
    formula = fj.parse("y ~ x | g, trimmed(x, cut=0.2, weights=root(power=2)), A vs B")
    assert formula.extensions == ("formulajoint-robust",)
    assert str(formula) == "y ~ x | g, trimmed(x, cut=0.2, weights=root(power=2)), contrast(.[A] - .[B])"


def test_the_plain_language_has_not_changed():
    assert extension.name not in fj.CORE.extensions
    with pytest.raises(fj.FormulaError, match="there is no clause `trimmed`"):
        fj.parse("y ~ x | g, trimmed(x)", language=fj.CORE)


@pytest.mark.parametrize(("cut", "mean"), [(0.0, 4.0), (0.25, 2.5), (0.4, 2.5)])
def test_trimmed_mean(cut, mean):
    effects = np.array([9.0, 2.0, 3.0, 2.0])
    assert trimmed(effects, np.full(4, 0.25), cut=cut).eval() == pytest.approx(mean)


def test_weights():
    data = {"y": [1.0, 2, 4, 3, 5], "x": [0, 1, 1, 0, 1], "g": list("AABBB")}
    model = fj.model("y ~ x | g, joint(x, weights=root(power=2))", data)
    assert model.plan.contrasts[0].weights.values == pytest.approx([4 / 13, 9 / 13])
