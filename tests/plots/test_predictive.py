"""Data among replicated data, and posterior over prior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr
from xarray import Dataset

from formulajoint.errors import InferenceError
from formulajoint.plots.predictive import ppc
from formulajoint.plots.prior_posterior import prior_posterior
from formulajoint.plots.style import BLUE, GREY
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.predictive_check import predictive_check

type Schools = Callable[..., pd.DataFrame]
type ByGroup = Callable[..., Posterior]


def middles(ax: Axes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median curves of replicated data and of the data."""
    new, data = (line for line in ax.lines if line.get_color() in (GREY, BLUE))
    return np.array(new.get_xydata()), np.array(data.get_xydata())


def test_quantiles_of_the_residuals_are_drawn_against_normal_ones(eight: Posterior) -> None:
    (ax,) = ppc(eight, count=200, seed=5).axes
    new, data = middles(ax)
    rows = eight.plan.design.rows.used
    assert ndtr(new[:, 0]) == pytest.approx((np.arange(rows) + 0.5) / rows)
    # The median of the least of n normal values; that of so many sets has an error of 0.5 / sqrt(200).
    least = stats.norm.isf(0.5 ** (1 / rows))
    assert new[0, 1] == pytest.approx(least, abs=4 * 0.5 / np.sqrt(200))
    design, named = eight.plan.design, eight.named
    codes, x = design.predictor.grouping.codes, design.predictor.per_group[1].columns[:, 0]
    eta = named.values("Intercept")[..., codes] + named.values("treatment")[..., codes] * x
    z = ((design.response.values - eta) / named.values("sigma")[..., None]).reshape(-1, rows)
    assert data[:, 1] == pytest.approx(np.median(np.sort(z, axis=1), axis=0), abs=0.1)
    assert ax.get_ylabel() == "residuals, in residual sds"


def test_of_many_rows_some_quantiles_are_drawn(by_group_of: ByGroup, schools: Schools) -> None:
    _, data = middles(ppc(by_group_of("score ~ treatment | school", schools(60)), count=20).axes[0])
    assert len(data) == 400
    assert data[:, 1] == pytest.approx(data[:, 0], abs=0.6)


def test_cumulative_distribution(eight: Posterior) -> None:
    (ax,) = ppc(eight, "ecdf").axes
    for curve in middles(ax):
        assert (np.diff(curve[:, 1]) >= 0).all()
        assert curve[[0, -1], 1].tolist() == [0, 1]
        assert np.interp(0.0, *curve.T) == pytest.approx(0.5, abs=0.15)


def test_density_and_histogram(eight: Posterior) -> None:
    (ax,) = ppc(eight, "kde").axes
    for curve in middles(ax):
        assert np.trapezoid(curve[:, 1], curve[:, 0]) == pytest.approx(1, abs=0.1)
    (ax,) = ppc(eight, "hist").axes
    for curve in middles(ax):
        assert curve[:-1, 1].sum() == pytest.approx(eight.plan.design.rows.used, rel=0.15)
    assert all(tick == round(tick) for tick in ax.get_yticks())  # rows are counted


def test_the_title_is_the_verdict(eight: Posterior) -> None:
    title = " ".join(ppc(eight).get_suptitle().split())
    assert title == f"score: {predictive_check(eight).verdict}"
    assert "are like those of the model's replications" in title
    tree = eight.tree.copy(deep=True)
    tree["posterior"]["sigma"] = 5 * tree["posterior"]["sigma"]
    title = " ".join(ppc(Posterior(eight.plan, tree, "nutpie")).get_suptitle().split())
    assert title == (
        "score: the model's replications have a larger sd, a higher largest value and a lower smallest value than the "
        "data (p < 0.0001)"
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
