"""How often values occur in data and replications, and where responses lie in their predictions."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.errors import InferenceError
from formulajoint.plots.predictive import ppc
from formulajoint.plots.predictive_values import (
    draw_frequencies,
    frequencies,
    leaves_band,
    outside,
    outside_by_chance,
    uniform_band,
)


@pytest.fixture(scope="module")
def counts() -> dict[str, fj.Fit]:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat([f"g{k}" for k in range(30)], 5), "x": rng.normal(size=150)})
    data["y"] = rng.poisson(np.exp(0.8 + 0.3 * data["x"]))
    data["wide"] = rng.poisson(np.exp(0.8) * rng.gamma(0.5, 2, 150))
    clause = "~ x + (1 | g), family(poisson)"
    return {name: fj.fit(f"{name} {clause}", data, draws=250, seed=1) for name in ("y", "wide")}


def test_rows_with_each_value_are_counted() -> None:
    data, new = frequencies(np.array([0, 2, 2.0]), np.array([[1, 1, 9], [2, 0, 0.0]]), np.arange(3.0))
    assert data.tolist() == [1, 0, 2]
    assert new.tolist() == [[0, 2, 0], [2, 0, 1]]


def test_values_outside_replications_and_values_that_occur() -> None:
    new = np.tile([5.0, 3, 0, 0], (100, 1))
    unlike, there = outside(np.array([5.0, 4, 1, 0]), new)
    assert unlike.tolist() == [False, True, True, False]
    assert there.tolist() == [True, True, True, False]


@pytest.mark.parametrize("rows", [30, 500])
def test_uniform_numbers_leave_the_band_in_five_of_a_hundred_sets(rows: int) -> None:
    rng = np.random.default_rng(3)
    share = np.mean([leaves_band(rng.random(rows)).any() for _ in range(400)])
    assert 0.02 < share < 0.09
    assert leaves_band(rng.beta(5, 5, rows)).any()
    grid, low, high = uniform_band(rows)
    assert np.all((low <= grid) & (grid <= high))


def test_a_rootogram_has_the_data_as_bars_and_shows_what_is_wrong(counts: dict[str, fj.Fit]) -> None:
    (ax,) = ppc(counts["y"].draws, "rootogram").axes
    y = counts["y"].model.design.response.values
    heights = [bar.get_height() ** 2 for bar in ax.patches]
    assert heights[: int(y.max()) + 1] == pytest.approx(np.bincount(y.astype(int)))
    assert "occur unlike" not in ppc(counts["y"].draws, "bars").get_suptitle()
    (ax,) = ppc(counts["wide"].draws, "bars").axes
    assert ax.patches[0].get_height() == (counts["wide"].model.design.response.values == 0).sum()
    assert "values occur unlike replications" in ppc(counts["wide"].draws, "rootogram").get_suptitle()


def test_probabilities_given_all_other_rows(counts: dict[str, fj.Fit]) -> None:
    assert "predictions as expected" in " ".join(ppc(counts["y"].draws, "pit").get_suptitle().split())
    assert "not as expected" in " ".join(ppc(counts["wide"].draws, "pit").get_suptitle().split())


def test_one_panel_for_each_of_the_largest_groups(counts: dict[str, fj.Fit]) -> None:
    figure = ppc(counts["y"].draws, "rootogram", by="g")
    assert [ax.get_title(loc="left") for ax in figure.axes][:2] == ["g0", "g1"]
    assert "(the 24 largest of 30 groups)" in " ".join(figure.get_suptitle().split())
    assert len(figure.axes) == 24
    total = sum(bar.get_height() ** 2 for bar in figure.axes[0].patches)
    assert total == pytest.approx(5)


def test_kinds_that_do_not_suit_the_response_are_refused(counts: dict[str, fj.Fit]) -> None:
    fit = fj.fit("test_score ~ treatment", fj.tutoring(), seed=1)
    with pytest.raises(InferenceError, match="`rootogram` is for whole numbers and categories"):
        ppc(fit.draws, "rootogram")
    with pytest.raises(InferenceError, match="no groups of `h`"):
        ppc(counts["y"].draws, by="h")


def test_categories_without_an_order_have_no_residuals_to_draw() -> None:
    data = pd.DataFrame({"kind": list("abcab" * 6), "x": np.arange(30) % 4})
    fit = fj.fit("kind ~ x, family(categorical)", data, seed=1, draws=50, progress=False)
    for kind in ("qq", "ecdf", "kde", "hist", "pit"):
        with pytest.raises(InferenceError, match=r"have no order: there are no residuals.*ppc\('bars'\)"):
            fit.plot.ppc(kind)
    assert len(fit.plot.ppc("bars").axes) == 1


def test_the_values_that_chance_alone_puts_outside_are_counted() -> None:
    """Of 40 numbers from a Poisson distribution in each of 20 values, about 5 % of replications are outside."""
    new = np.random.default_rng(1).poisson(40, (2000, 20)).astype(float)
    ends = np.quantile(new, [0.025, 0.975], axis=0)
    expected = sum(
        np.mean((column < low) | (column > high)) for column, low, high in zip(new.T, *ends, strict=True)
    )
    assert outside_by_chance(new) == pytest.approx(expected)
    assert 0.4 < outside_by_chance(new) <= 1.0
    assert outside_by_chance(np.ones((100, 3))) == 0


def test_many_values_in_narrow_panels_stay_apart() -> None:
    """Marks are no wider than the room of a value, and there are few ticks."""
    rng = np.random.default_rng(2)
    values = np.arange(80.0)
    data, new = rng.poisson(4, 80).astype(float), rng.poisson(4, (50, 80)).astype(float)
    figure, (narrow, wide) = plt.subplots(1, 2, figsize=(6, 2), width_ratios=[1, 4])
    for ax in (narrow, wide):
        draw_frequencies(ax, values, data, new, (), True)
        room = 72 * ax.get_window_extent().width / figure.dpi / len(values)
        (marks,) = ax.get_lines()
        (intervals,) = ax.collections
        assert marks.get_markersize() <= room
        assert intervals.get_linewidth()[0] <= room / 2
        assert len(ax.get_xticks()) <= 8
    plt.close(figure)
