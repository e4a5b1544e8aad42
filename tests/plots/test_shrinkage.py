"""What the picture of pooling draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from formulajoint.errors import InferenceError
from formulajoint.plots.shrinkage import shrinkage
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import summary
from formulajoint.results.regressions.by_group import not_pooled


def points(ax: Axes, label: str) -> Any:
    return next(c for c in ax.collections if c.get_label() == label).get_offsets()


def test_marks_are_least_squares_and_posterior_means(pooled: Posterior) -> None:
    (ax,) = shrinkage(pooled).axes
    names = [text.get_text() for text in ax.get_yticklabels()]
    own = dict(
        zip(pooled.plan.coords["school"], not_pooled(pooled.plan.data)["treatment"][:, 0], strict=True)
    )
    table = summary(pooled)
    assert points(ax, "not pooled")[:, 0].tolist() == [own[name] for name in names]
    assert np.asarray(points(ax, "pooled"))[:, 0] == pytest.approx(
        [table.loc[f"treatment[{n}]", "mean"] for n in names]
    )
    assert (np.diff(points(ax, "not pooled")[:, 0]) < 0).all()
    (mean,) = [line for line in ax.lines if line.get_label() == "mean"]
    assert mean.get_xdata()[0] == pytest.approx(table.loc["treatment_mean", "mean"])


def test_the_title_says_how_much_of_the_spread_is_taken(pooled: Posterior) -> None:
    title = shrinkage(pooled).get_suptitle()  # the draws are the regressions', drawn together by 0.4
    assert title == "treatment by school: pooling takes 40% off the groups' spread"


def test_where_nothing_is_pooled_this_is_said(eight: Posterior) -> None:
    with pytest.raises(InferenceError, match=r"Nothing is pooled.*write `hierarchy\(\)`"):
        shrinkage(eight)


def test_what_is_not_pooled_is_named(pooled: Posterior) -> None:
    with pytest.raises(InferenceError, match="`Intercept` is not pooled: `treatment` is"):
        shrinkage(pooled, "Intercept")
