"""Data among replicated data, and posterior over prior."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from xarray import Dataset

from formulajoint.errors import InferenceError
from formulajoint.plots.predictive import ppc
from formulajoint.plots.prior_posterior import prior_posterior
from formulajoint.results.posterior import Posterior
from formulajoint.results.replicates import replicates


def test_data_and_replicates_are_drawn_as_cumulative_distributions(eight: Posterior) -> None:
    figure = ppc(eight, count=20, seed=5)
    (ax,) = figure.axes
    y = np.sort(eight.plan.design.response.values)
    new = np.sort(replicates(eight, 400, 5)[:20], axis=1)
    assert len(ax.lines) == 21
    ends = sorted((line.get_xdata().min(), line.get_xdata().max()) for line in ax.lines)
    assert np.array(ends) == pytest.approx(np.array(sorted((values[0], values[-1]) for values in (y, *new))))
    assert ax.get_xlabel() == "score"


@pytest.mark.parametrize("kind", ["kde", "hist"])
def test_other_kinds_draw_as_many(eight: Posterior, kind: str) -> None:
    (ax,) = ppc(eight, kind, count=10).axes
    assert len(ax.lines) + len(ax.patches) + len(ax.collections) >= 11


def test_the_title_says_whether_the_data_are_usual(eight: Posterior) -> None:
    assert "are like those of replicated data" in ppc(eight).get_suptitle()
    tree = eight.tree.copy(deep=True)
    tree["posterior"]["sigma"] = 5 * tree["posterior"]["sigma"]
    title = " ".join(ppc(Posterior(eight.plan, tree, "nutpie")).get_suptitle().split())
    assert (
        title
        == "score: the smallest value and the largest value and the sd lie outside 95% of replicated data"
    )


@pytest.mark.parametrize(
    ("arguments", "reason"), [({"kind": "violin"}, "`kind` is one of"), ({"count": 0}, "1 or more")]
)
def test_mistakes_are_answered_in_words(eight: Posterior, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(InferenceError, match=reason):
        ppc(eight, **arguments)


def heavy_prior(posterior: Posterior) -> Dataset:
    """Return Cauchy draws of every variable: a prior whose range says nothing."""
    rng = np.random.default_rng(4)
    return posterior.dataset.map(lambda v: v.copy(data=50 * rng.standard_cauchy(v.shape)))


def test_posterior_stays_visible_beside_a_prior_with_heavy_tails(eight: Posterior) -> None:
    figure = prior_posterior(eight, heavy_prior(eight), ["joint_treatment", "sigma"])
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["joint_treatment", "sigma"]
    for ax, name in zip(figure.axes, ("joint_treatment", "sigma"), strict=True):
        draws = eight.dataset[name].to_numpy()
        low, high = ax.get_xlim()
        assert low < draws.min() < draws.max() < high
        assert high - low < 10 * np.ptp(draws)


def test_the_prior_has_its_own_mass_within_the_axis(eight: Posterior) -> None:
    prior = heavy_prior(eight)
    (ax,) = prior_posterior(eight, prior, ["sigma"]).axes
    x, height = next(line for line in ax.lines if line.get_label() == "prior").get_data()
    low, high = ax.get_xlim()
    share = float(((prior["sigma"] >= low) & (prior["sigma"] <= high)).mean())
    assert share < 0.5
    assert np.trapezoid(height, x) == pytest.approx(share, rel=0.15)
