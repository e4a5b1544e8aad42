"""Plots of effects: what is drawn is what is predicted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import FillBetweenPolyCollection, LineCollection

import formulajoint as fj
from formulajoint.plots.comparisons import comparisons
from formulajoint.plots.effects import effects

ROWS = np.arange(120)
DATA = pd.DataFrame(
    {
        "y": 5.0 + ROWS * 11 % 17,
        "x": np.cos(ROWS),
        "t": ROWS % 2,
        "arm": np.array(["a", "b", "c"])[ROWS % 3],
        "school": [f"s{group:02d}" for group in ROWS * 7 % 20],
    }
)


@pytest.fixture(scope="module")
def fit() -> fj.Fit:
    return fj.fit("y ~ x * arm + t + (1 | school)", DATA, seed=1, draws=100, progress=False)


def test_a_number_has_a_curve_with_its_band(fit: fj.Fit) -> None:
    (axes,) = effects(fit.draws, "x").axes
    (line,) = axes.get_lines()
    grid = fj.grid(fit, x=line.get_xdata(), school="s00").assign(school="new")
    table = fit.predict(grid, new_groups="mean")
    assert line.get_ydata() == pytest.approx(table["mean"].to_numpy())
    (band,) = (each for each in axes.collections if isinstance(each, FillBetweenPolyCollection))
    assert band.get_datalim(axes.transData).y0 == pytest.approx(table["hdi_low"].min())
    assert "school at the mean of the hierarchy" in axes.figure.get_suptitle()
    assert len(effects(fit.draws, "x", data=False).axes[0].collections) == len(axes.collections) - 1


def test_a_factor_has_intervals_and_levels_their_colours(fit: fj.Fit) -> None:
    (axes,) = effects(fit.draws, "arm", by="t").axes
    intervals = [each for each in axes.collections if isinstance(each, LineCollection)]
    assert [len(each.get_segments()) for each in intervals] == [3, 3]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c"]
    assert len(effects(fit.draws).axes) == 3


def test_the_curve_of_a_level_stays_within_its_rows() -> None:
    data = DATA.assign(x=DATA["x"] + 3 * (DATA["arm"] == "b"))
    data.loc[data["arm"] == "c", "x"] = 0.25
    fit = fj.fit("y ~ x + arm", data, seed=1, draws=100, progress=False)
    (axes,) = effects(fit.draws, "x", by="arm").axes
    for line, (_, own) in zip(axes.get_lines(), data.groupby("arm"), strict=True):
        assert (min(line.get_xdata()), max(line.get_xdata())) == pytest.approx(
            (own["x"].min(), own["x"].max())
        )
    point = axes.get_lines()[-1]
    table = fit.predict(fj.grid(fit, x=0.25, arm="c"))
    assert point.get_ydata() == pytest.approx(table["mean"].to_numpy())


def test_many_groups_are_thin_lines(fit: fj.Fit) -> None:
    (axes,) = effects(fit.draws, "x", by="school").axes
    assert len(axes.get_lines()) == 20


def test_categories_have_a_panel_each_with_a_curve_for_each_level() -> None:
    rating = pd.Categorical.from_codes(ROWS * 7 % 3, ["bad", "fair", "good"], ordered=True)
    data = DATA.assign(rating=rating)
    fit = fj.fit("rating ~ x + t, family(cumulative)", data, seed=1, draws=100, progress=False)
    axes = effects(fit.draws, "x", by="t").axes
    assert [own.get_title(loc="left") or own.get_title() for own in axes] == ["bad", "fair", "good"]
    for own, level in zip(axes, rating.categories, strict=True):
        for line, t in zip(own.get_lines(), (0, 1), strict=True):
            table = fit.predict(fj.grid(fit, x=line.get_xdata(), t=t)).xs(level, level="category")
            assert line.get_ydata() == pytest.approx(table["mean"].to_numpy())
    (alone,) = effects(fit.draws, "x").axes
    assert len(alone.get_lines()) == 3


def test_labels_of_levels_have_room(fit: fj.Fit) -> None:
    figure = effects(fit.draws, "school", by="t")
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].get_xticklabels()]
    assert len(boxes) == 20
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "t"


def test_comparisons_are_those_of_the_table(fit: fj.Fit) -> None:
    (axes,) = comparisons(fit.draws, "arm").axes
    table = fit.comparisons("arm", simultaneous=True)
    band, interval = (each for each in axes.collections if isinstance(each, LineCollection))
    ends = [segment[:, 0].tolist() for segment in band.get_segments()]
    assert ends == pytest.approx(table[["band_low", "band_high"]].to_numpy())
    ends = [segment[:, 0].tolist() for segment in interval.get_segments()]
    assert ends == pytest.approx(table[["hdi_low", "hdi_high"]].to_numpy())
    assert [text.get_text() for text in axes.get_yticklabels()] == ["b - a", "c - a"]
    assert len(comparisons(fit.draws).axes[0].get_yticks()) == 4
    several = comparisons(fit.draws, ["t", "arm"]).axes[0].get_yticklabels()
    assert [text.get_text() for text in several] == ["t: 1 - 0", "arm: b - a", "arm: c - a"]


def test_the_only_comparison_stands_at_the_axis(fit: fj.Fit) -> None:
    (axes,) = comparisons(fit.draws, "t", by="arm").axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b", "c"]
    assert axes.get_xlabel() == "difference of mean of y (t: 1 - 0)"


def test_dots_are_of_the_group_whose_curve_is_drawn() -> None:
    """And a panel for each column says where the others are."""
    school = np.repeat(["p", "q", "r"], [20, 30, 10])
    x, t = np.cos(np.arange(60)), np.arange(60) % 2
    data = pd.DataFrame({"school": school, "x": x, "t": t, "y": 3 * x + t + (school == "q") * 50})
    fit = fj.fit("y ~ x + t | school", data.assign(y=data["y"] + np.sin(np.arange(60.0))), draws=50, seed=1)
    one, *_ = effects(fit.draws, "x", by="t").axes
    assert sorted(one.collections[0].get_offsets()[:, 0]) == pytest.approx(sorted(x[school == "q"]))
    figure = effects(fit.draws)
    assert "(otherwise x at" in figure.get_suptitle()
    assert "t at 0, school at q)" in figure.get_suptitle().replace("\n", " ")
    assert "data of school q" in [text.get_text() for text in figure.legends[0].get_texts()]
    every, *_ = effects(fit.draws, "school").axes
    assert len(every.collections[0].get_offsets()) == 60
