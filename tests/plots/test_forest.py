"""What the forest draws: every mark is a number of the tables."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.contrasts.hypotheses import all_zero
from formulajoint.errors import InferenceError
from formulajoint.plots.forest import forest
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import contrasts, summary, weights
from formulajoint.results.joint_tests.bands import band_table
from formulajoint.results.text.figures import numbers


def drawn(ax: Axes, label: str) -> Any:
    """Return the artist called `label`."""
    (found,) = [a for a in (*ax.collections, *ax.lines, *ax.patches) if a.get_label() == label]
    return found


def diamond(ax: Axes, label: str) -> tuple[list[float], float]:
    """Return low end, middle and high end of an average's diamond, and its height on the axis."""
    left, top, right, bottom = drawn(ax, label).get_xy()[:4]
    assert top[0] == bottom[0]
    assert left[1] == right[1] == pytest.approx((top[1] + bottom[1]) / 2)
    return [left[0], top[0], right[0]], left[1]


def ends(ax: Axes, label: str) -> NDArray[np.float64]:
    """Return the two ends of each horizontal line."""
    return np.array([segment[:, 0] for segment in drawn(ax, label).get_segments()])


def labels(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_yticklabels()]


def title(figure: Figure) -> str:
    return " ".join(figure.get_suptitle().split())


def rows(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table.index.str.startswith(f"{name}[")]


def test_means_and_intervals_are_those_of_the_summary(eight: Posterior) -> None:
    (ax,) = forest(eight, prob=0.8).axes
    table = rows(summary(eight, 0.8), "treatment")
    points = drawn(ax, "groups").get_offsets()
    assert np.array_equal(points[:, 0], table["mean"])
    assert np.array_equal(points[:, 1], np.arange(8))
    assert np.array_equal(ends(ax, "hdi"), table[["hdi_low", "hdi_high"]])


def test_the_first_of_two_slopes_says_that_there_is_another(
    by_group_of: Callable[..., Posterior], schools: Callable[..., pd.DataFrame]
) -> None:
    posterior = by_group_of("score ~ treatment + arm | school", schools(3))
    assert title(forest(posterior)).endswith("(1 of 2 terms; variable=... chooses)")
    assert "chooses" not in title(forest(posterior, "treatment"))


def test_the_slope_of_the_contrast_is_drawn_before_an_earlier_one(
    by_group_of: Callable[..., Posterior], schools: Callable[..., pd.DataFrame]
) -> None:
    posterior = by_group_of("score ~ arm + treatment | school, joint(treatment)", schools(3))
    assert title(forest(posterior)).startswith("treatment by school: ")


def test_the_thin_lines_are_the_simultaneous_band(eight: Posterior) -> None:
    (ax,) = forest(eight, prob=0.8).axes
    band = band_table(eight, all_zero(eight.plan.design, eight.plan.mean.coefficients[1].term), 0.8)
    assert np.allclose(ends(ax, "band"), band[["low", "high"]], rtol=1e-12)
    assert (np.diff(ends(ax, "band")) > np.diff(ends(ax, "hdi"))).all()


def test_areas_are_the_weights(eight: Posterior) -> None:
    (ax,) = forest(eight).axes
    series = weights(eight, eight.plan.contrasts[0])
    sizes = drawn(ax, "groups").get_sizes()
    assert sizes / sizes.max() == pytest.approx(series.to_numpy() / series.max())


def test_rows_are_named_and_the_joint_contrast_stands_below(pooled: Posterior) -> None:
    (ax,) = forest(pooled).axes
    groups = list(pooled.plan.coords["school"])
    assert labels(ax) == [*groups, "joint_treatment", "treatment_mean"]
    for name, table in (("joint_treatment", contrasts(pooled)), ("treatment_mean", summary(pooled))):
        assert diamond(ax, name)[0] == table.loc[name, ["hdi_low", "mean", "hdi_high"]].tolist()
    places = ax.get_yticks()
    assert (np.diff(places) > 0).all()
    assert diamond(ax, "joint_treatment")[1] == places[8]
    bottom, top = ax.get_ylim()
    assert bottom > places[-1]
    assert top < 0


@pytest.mark.parametrize(
    ("effect", "spread", "says"),
    [
        (60.0, 1.0, "treatment by school: every effect is above zero"),
        (-60.0, 1.0, "treatment by school: every effect is below zero"),
        (0.0, 0.01, "treatment by school: no single effect can be told from zero"),
    ],
)
def test_the_title_says_what_the_bands_say(
    by_group_of: Callable[..., Posterior], schools: Any, effect: float, spread: float, says: str
) -> None:
    data = schools(4, effect=effect, spread=spread)
    assert title(forest(by_group_of("score ~ treatment | school", data))) == says


def test_the_title_says_the_weighted_mean_before_the_groups(eight: Posterior) -> None:
    mean, _, interval = numbers(contrasts(eight).loc["joint_treatment"])
    assert title(forest(eight)).startswith(f"treatment by school: {mean} {interval} over all; ")


def test_the_title_counts_where_some_differ(eight: Posterior) -> None:
    band = band_table(eight, all_zero(eight.plan.design, eight.plan.mean.coefficients[1].term), 0.95)
    apart = int(((band["low"] > 0) | (band["high"] < 0)).sum())
    assert 1 < apart < 8
    assert title(forest(eight)).endswith(f"{apart} of 8 effects differ from zero (simultaneous bands)")


@pytest.mark.parametrize(
    ("sort", "key"), [("mean", "means"), ("weight", "sizes"), (None, "none"), (True, "none")]
)
def test_groups_are_sorted_as_asked(eight: Posterior, sort: Any, key: str) -> None:
    (ax,) = forest(eight, sort=sort).axes
    points = drawn(ax, "groups")
    keys = {"means": points.get_offsets()[:, 0], "sizes": points.get_sizes()}
    names = labels(ax)[:8]
    if key == "none":
        assert names == list(eight.plan.coords["school"])
    else:
        assert (np.diff(keys[key]) <= 0).all()
        means = rows(summary(eight), "treatment")["mean"]
        assert list(points.get_offsets()[:, 0]) == [means[f"treatment[{name}]"] for name in names]


def test_two_hundred_groups_are_sorted_thinned_and_fit_on_a_page(
    by_group_of: Callable[..., Posterior], schools: Any
) -> None:
    figure = forest(by_group_of("score ~ treatment | school, joint()", schools(200)))
    (ax,) = figure.axes
    means = drawn(ax, "groups").get_offsets()[:, 0]
    assert len(means) == 200
    assert (np.diff(means) <= 0).all()
    assert 30 < len(labels(ax)) < 101
    assert labels(ax)[-1] == "joint_treatment"
    assert figure.get_figheight() < 12
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.get_yticklabels()]
    assert all(a.y0 >= b.y1 - 1 for a, b in pairwise(boxes))  # none lies on the next


def test_nothing_is_clipped(pooled: Posterior) -> None:
    figure = forest(pooled)
    figure.draw_without_rendering()
    inside = figure.bbox
    for text in (
        *figure.axes[0].get_yticklabels(),
        figure.axes[0].xaxis.label,
        *figure.legends[0].get_texts(),
    ):
        box = text.get_window_extent()
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1
        assert inside.y0 <= box.y0
        assert box.y1 <= inside.y1


def test_a_factor_has_a_panel_for_each_level(by_group_of: Callable[..., Posterior], schools: Any) -> None:
    posterior = by_group_of("score ~ arm | school, joint()", schools(4))
    axes = forest(posterior).axes
    assert [ax.get_title(loc="left") for ax in axes] == ["high - control", "low - control"]
    table = summary(posterior)
    for ax, level in zip(axes, ("high - control", "low - control"), strict=True):
        means = [table.loc[f"arm[{school}, {level}]", "mean"] for school in posterior.plan.coords["school"]]
        assert drawn(ax, "groups").get_offsets()[:, 0].tolist() == means
        joint = contrasts(posterior).loc[f"joint_arm[{level}]", "mean"]
        assert diamond(ax, "joint_arm")[0][1] == joint


def test_an_interval_that_dwarfs_the_others_is_cut_and_ends_in_arrows(eight: Posterior) -> None:
    draws = eight.dataset["treatment"].copy(deep=True)
    draws[:, :, 2] = 100 * (draws[:, :, 2] - draws[:, :, 2].mean())
    tree = eight.tree.copy(deep=True)
    tree["posterior"]["treatment"] = draws
    (ax,) = forest(Posterior(eight.plan, tree, "nutpie")).axes
    left, right = ax.get_xlim()
    assert ends(ax, "band")[2, 0] < left < right < ends(ax, "band")[2, 1]
    arrows = [
        c.get_offsets() for c in ax.collections if c.get_label().startswith("_") and len(c.get_offsets())
    ]
    assert {tuple(point) for offsets in arrows for point in offsets} >= {(left, 2.0), (right, 2.0)}


def test_a_panel_is_drawn_on_axes_of_ones_own(eight: Posterior) -> None:
    figure = Figure(figsize=(8, 4))
    one, other = figure.subplots(1, 2)
    assert forest(eight, ax=other) is figure
    assert not one.collections
    assert "effects differ" in other.get_title(loc="left")


def test_several_panels_do_not_fit_on_one(by_group_of: Callable[..., Posterior], schools: Any) -> None:
    posterior = by_group_of("score ~ arm | school", schools(3))
    with pytest.raises(InferenceError, match="2 panels, which do not fit on one `ax`"):
        forest(posterior, ax=Figure().subplots())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"variable": "tretment"}, "No coefficient `tretment` differs by group: did you mean `treatment`?"),
        ({"sort": "name"}, "`sort` is 'mean', 'weight' or None, not 'name'"),
        ({"prob": 95}, "`prob` must lie between 0 and 1"),
    ],
)
def test_mistakes_are_answered_in_words(eight: Posterior, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(InferenceError) as error:
        forest(eight, **arguments)
    assert reason in str(error.value)


def test_a_posterior_without_a_mean_has_intervals_and_no_bands() -> None:
    """Two rows more than coefficients in each group: t distributions with one degree of freedom have no mean."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.normal(size=6), "x": rng.normal(size=6), "g": ["a", "b"] * 3})
    fit = fj.fit("y ~ x | g, sigma ~ 1 | g", data, priors="flat", seed=1, draws=200)
    assert fit.summary().loc["x[a]", "mean"] != fit.summary().loc["x[a]", "mean"]
    (ax,) = forest(fit.draws).axes
    lows = fit.summary().loc[["x[a]", "x[b]"], "hdi_low"]
    assert np.allclose(sorted(drawn(ax, "hdi").get_paths()[at].vertices[0, 0] for at in (0, 1)), sorted(lows))
    assert ax.get_xlim()[0] < min(lows)
    assert "without a band" in " ".join((ax.get_figure().get_suptitle() or ax.get_title(loc="left")).split())
