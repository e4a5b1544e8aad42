"""What the picture of a joint test draws: its counts are the test's figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from formulajoint.contrasts.hypotheses import Hypothesis, all_zero, hypothesis
from formulajoint.errors import InferenceError
from formulajoint.plots.joint import joint
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.joint_test import joint_tests
from formulajoint.results.joint_tests.quantities import quantities
from formulajoint.results.joint_tests.table import joint_table
from formulajoint.results.text.figures import share_text
from formulajoint.spec.read import parse_hypotheses


def asked(posterior: Posterior, text: str | None = None) -> Hypothesis:
    design = posterior.plan.design
    if text is None:
        return all_zero(design, posterior.plan.mean.coefficients[1].term)
    return hypothesis(design, parse_hypotheses(text))


def points(ax: Axes, label: str) -> Any:
    return next(c for c in ax.collections if c.get_label() == label).get_offsets()


@pytest.fixture
def near(by_group_of: Callable[..., Posterior], schools: Any) -> Posterior:
    """Return two schools whose effects are not far from zero."""
    return by_group_of("score ~ treatment | school", schools(2, effect=1.0, spread=0.5))


def test_the_share_of_red_points_is_the_contour_probability(near: Posterior) -> None:
    (ax,) = joint(near, asked(near)).axes
    inside, outside = points(ax, "inside"), points(ax, "outside")
    row = joint_table(joint_tests(near, [asked(near)])).iloc[0]
    assert len(inside) + len(outside) == 1000
    assert 0.05 < row["contour"] < 0.95
    assert len(outside) / 1000 == row["contour"]


def test_a_contour_by_scores_is_named_in_the_title(
    by_group_of: Callable[..., Posterior], schools: Any
) -> None:
    """The ellipse is that of both schools together, so the share of red points is another figure."""
    posterior = by_group_of(
        "score ~ treatment | school, sigma ~ 1 | school", schools(2, effect=1.0, spread=0.5)
    )
    (test,) = joint_tests(posterior, [asked(posterior)])
    title = " ".join(joint(posterior, asked(posterior)).get_suptitle().split())
    assert f"contour probability {share_text(test, 'contour')}, by scores, group by group" in title


def test_the_ellipse_goes_through_the_null_about_the_mean(near: Posterior) -> None:
    (ax,) = joint(near, asked(near)).axes
    ellipse = next(line for line in ax.lines if line.get_label() == "contour").get_xydata()
    flat = quantities(near, asked(near)).reshape((-1, 2))
    away, inverse = ellipse - flat.mean(axis=0), np.linalg.inv(np.cov(flat, rowvar=False))
    distance = np.einsum("ij,jk,ik->i", away, inverse, away)
    null = flat.mean(axis=0) @ inverse @ flat.mean(axis=0)
    assert distance == pytest.approx(np.full(len(ellipse), null))
    assert min(np.linalg.norm(ellipse, axis=1)) < 0.05 * np.ptp(ellipse)


def test_outside_of_the_ellipse_is_shaded_and_inside_is_not(near: Posterior) -> None:
    (ax,) = joint(near, asked(near)).axes
    (shade,) = ax.patches
    flat = quantities(near, asked(near)).reshape((-1, 2))
    ring = shade.get_path()
    outer, hole = ring.to_polygons()
    assert len(outer) < len(hole)
    from matplotlib.path import Path

    inside = Path(hole).contains_points(flat)
    share = joint_table(joint_tests(near, [asked(near)]))["contour"].iloc[0]
    assert 1 - inside.mean() == pytest.approx(share, abs=0.01)  # a polygon is not quite an ellipse
    assert Path(outer).contains_points(flat).all()


def test_axes_are_called_as_the_quantities(near: Posterior) -> None:
    (ax,) = joint(near, asked(near)).axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("treatment[s000]", "treatment[s001]")


def test_a_cloud_is_thinned(near: Posterior, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formulajoint.plots.joint.MOST_POINTS", 300)
    (ax,) = joint(near, asked(near)).axes
    assert len(points(ax, "inside")) + len(points(ax, "outside")) == 250


@pytest.mark.parametrize("text", [None, "treatment[s000] == treatment[s001]", "treatment[s000] == 4"])
def test_the_bars_beyond_the_null_are_the_contour_probability(eight: Posterior, text: str | None) -> None:
    (ax,) = joint(eight, asked(eight, text)).axes
    (null,) = [line.get_xdata()[0] for line in ax.lines]
    bars = {bar.get_x(): bar.get_height() for bar in ax.containers[0]}
    row = joint_table(joint_tests(eight, [asked(eight, text)])).iloc[0]
    assert sum(bars.values()) == 1000
    beyond = sum(count for x, count in bars.items() if x >= null * (1 - 1e-9))
    assert beyond / 1000 == pytest.approx(row["contour"], abs=1e-12)


def test_a_hundred_groups_whose_null_is_out_of_reach(
    by_group_of: Callable[..., Posterior], schools: Any
) -> None:
    far = by_group_of("score ~ treatment | school", schools(100, effect=40.0))
    (ax,) = joint(far, asked(far)).axes
    assert ax.get_xscale() == "log"
    left, right = ax.get_xlim()
    (null,) = [line.get_xdata()[0] for line in ax.lines]
    assert left < null < right
    assert "100 quantities" in ax.get_xlabel()


def test_an_order_is_its_smallest_step(eight: Posterior) -> None:
    text = "treatment[s000] > treatment[s001] > 0"
    figure = joint(eight, asked(eight, text))
    (ax,) = figure.axes
    holds = sum(bar.get_height() for bar in ax.containers[0] if bar.get_x() >= -1e-9)
    assert holds / 1000 == joint_table(joint_tests(eight, [asked(eight, text)]))["p_all_positive"].iloc[0]
    assert text in figure.get_suptitle()


def test_too_few_draws_are_told(by_group_of: Callable[..., Posterior], schools: Any) -> None:
    posterior = by_group_of("score ~ treatment | school", schools(60))
    few = posterior.tree.isel(draw=slice(25))
    with pytest.raises(
        InferenceError, match="There is no joint test to draw: no contour or band: 60 dimensions"
    ):
        joint(Posterior(posterior.plan, few, "nutpie"), asked(posterior))


def test_the_title_has_the_figures(two: Posterior) -> None:
    figure = joint(two, asked(two))
    row = joint_table(joint_tests(two, [asked(two)])).iloc[0]
    assert " ".join(figure.get_suptitle().split()).startswith("treatment == 0: < 0.00")
    assert f"log BF10 {row['log_bf10']:.1f}" in " ".join(figure.get_suptitle().split())
