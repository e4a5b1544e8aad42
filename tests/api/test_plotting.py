"""``fit.plot``: each method hands its arguments to its plot, and nothing is loaded before a plot is asked for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.compiler.pymc.build import build_model
from formulajoint.results.draws.posterior import Posterior

FORMULA = "test_score ~ treatment | school, hierarchy(treatment), joint(weights=n)"


def noise(formula: str) -> fj.Fit:
    """Return a fit whose draws are noise."""
    rng = np.random.default_rng(1)
    model = fj.model(formula, fj.tutoring())
    pymc, coords = build_model(model.plan), model.plan.coords
    dims = {v.name: tuple(pymc.named_vars_to_dims.get(v.name, ())) for v in pymc.unobserved_RVs}
    draws = {
        name: (("chain", "draw", *ds), abs(rng.normal(size=(2, 100, *(len(coords[d]) for d in ds)))))
        for name, ds in dims.items()
    }
    tree = DataTree.from_dict(
        {"posterior": Dataset(draws, {d: list(labels) for d, labels in coords.items()})}
    )
    return fj.Fit(model, Posterior(model.plan, tree, "nutpie"))


@pytest.fixture(scope="module")
def fit() -> fj.Fit:
    return noise(FORMULA)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("forest", {"variable": "Intercept", "prob": 0.8, "sort": "weight"}),
        ("contrast", {"name": "joint_treatment", "prob": 0.5, "rope": 0.1}),
        ("contrast", {"name": "pairwise(treatment)"}),
        ("joint", {"hypothesis": "treatment[A] == treatment[B]"}),
        ("shrinkage", {"variable": "treatment"}),
        ("ppc", {"kind": "hist", "count": 5, "seed": 2}),
        ("trace", {"names": ["sigma"]}),
        ("pairs", {"names": ["sigma", "treatment"]}),
        ("prior_posterior", {"names": ["sigma"], "draws": 50, "seed": 1}),
    ],
)
def test_each_returns_its_figure_in_the_size_asked_for(
    fit: fj.Fit, name: str, arguments: dict[str, Any]
) -> None:
    plots = {
        "forest": fit.plot.forest,
        "contrast": fit.plot.contrast,
        "joint": fit.plot.joint,
        "shrinkage": fit.plot.shrinkage,
        "ppc": fit.plot.ppc,
        "trace": fit.plot.trace,
        "pairs": fit.plot.pairs,
        "prior_posterior": fit.plot.prior_posterior,
    }
    figure = plots[name](**arguments, figsize=(6.5, 5.5))
    assert isinstance(figure, Figure)
    assert figure.get_size_inches().tolist() == [6.5, 5.5]
    assert all(isinstance(ax, Axes) for ax in figure.axes)
    assert figure.axes
    plots[name]()  # and without any


def test_sensitivity_is_the_table_drawn() -> None:
    fit = noise("test_score ~ treatment | school")
    (ax,) = fit.plot.sensitivity("treatment == 0", factors=(0.5, 1, 2), figsize=(6, 4)).axes
    table = fit.sensitivity("treatment == 0", factors=(0.5, 1, 2))
    (drawn,) = [line.get_ydata() for line in ax.lines if line.get_label() == "treatment == 0"]
    assert drawn.tolist() == table["log_bf10"].tolist()


def test_the_first_of_several_says_that_there_are_others() -> None:
    fit = noise("test_score ~ treatment | school, joint(), rms(), test(treatment[A] == treatment[B])")
    titles = [" ".join(figure.get_suptitle().split()) for figure in (fit.plot.contrast(), fit.plot.joint())]
    assert titles[0].endswith("(1 of 2 contrasts; name=... chooses)")
    assert titles[1].endswith("(1 of 2 tests; hypothesis=... chooses)")
    for figure in (fit.plot.contrast("joint_treatment"), fit.plot.joint("treatment == 0"), fit.plot.forest()):
        assert "chooses" not in figure.get_suptitle()


def test_a_wrong_hypothesis_is_pointed_at(fit: fj.Fit) -> None:
    with pytest.raises(fj.FormulaError, match="tretment"):
        fit.plot.joint("tretment == 0")


@pytest.mark.slow
def test_a_fit_without_plots_loads_no_matplotlib() -> None:
    code = (
        "import sys, formulajoint as fj; fj.Fit; assert not {'matplotlib', 'arviz_plots'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
