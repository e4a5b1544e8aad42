"""How plots look: words that are readable, apart from each other and from the data, on light and on dark paper."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from formulajoint.contrasts.hypotheses import all_zero
from formulajoint.plots.contrast import contrast
from formulajoint.plots.draws import trace
from formulajoint.plots.forest import forest
from formulajoint.plots.joint import joint
from formulajoint.plots.shrinkage import shrinkage
from formulajoint.results.draws.posterior import Posterior

type ByGroup = Callable[..., Posterior]

LONG = "phonics intervention with weekly coaching"


@pytest.fixture
def arms(by_group_of: ByGroup, schools: Callable[..., pd.DataFrame]) -> Posterior:
    """Return schools with two arms whose long names differ only at their ends."""
    data = schools(4)
    data["arm"] = data["arm"].map(
        {"control": "control", "high": f"{LONG}, in person", "low": f"{LONG}, online"}
    )
    return by_group_of("score ~ arm | school, joint()", data)


def boxes(figure: Figure, texts: list[Text]) -> list[Bbox]:
    figure.draw_without_rendering()
    return [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]


def titles(figure: Figure) -> list[Text]:
    return [text for ax in figure.axes for text in (ax.title, ax._left_title) if text.get_text()]


@pytest.mark.parametrize("plot", [forest, trace])
def test_panels_of_long_names_differ_and_do_not_overlap(plot: Callable[..., Figure], arms: Posterior) -> None:
    figure = plot(arms)
    shown = titles(figure)
    assert len(shown) > 1
    assert len({text.get_text() for text in shown}) == len(shown)
    for one, other in combinations(boxes(figure, shown), 2):
        assert not one.overlaps(other)
    for box in boxes(figure, shown):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1 + 1


def test_values_of_long_names_have_labels_of_their_own(arms: Posterior) -> None:
    figure = contrast(arms, "arm")
    (ax,) = figure.axes
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert len(set(names)) == len(names) == 8
    assert max(map(len, names)) <= 32
    for box in boxes(figure, ax.get_yticklabels()):
        assert box.x0 >= figure.bbox.x0


def own_axes() -> Axes:
    return Figure(figsize=(6, 4)).subplots()


@pytest.mark.parametrize("name", ["forest", "contrast", "joint", "plane", "shrinkage"])
def test_on_axes_of_ones_own_the_legend_stands_above_the_data(
    name: str, eight: Posterior, pooled: Posterior, two: Posterior
) -> None:
    ax = own_axes()
    if name == "forest":
        forest(eight, ax=ax)
    elif name == "contrast":
        contrast(eight, ax=ax)
    elif name == "shrinkage":
        shrinkage(pooled, ax=ax)
    else:
        of = eight if name == "joint" else two
        joint(of, all_zero(of.plan.design, of.plan.mean.coefficients[1].term), ax=ax)
    ax.figure.draw_without_rendering()
    key = ax.get_legend().get_window_extent()
    assert key.y1 <= ax.bbox.y1 + 1
    points = [
        transform.transform(np.asarray(xy, dtype=float))
        for xy, transform in (
            *(
                (line.get_xydata(), line.get_transform())
                for line in ax.lines
                if line.get_transform() is ax.transData
            ),
            *((c.get_offsets(), ax.transData) for c in ax.collections if len(c.get_offsets()) > 1),
            *(
                (segment, ax.transData)
                for c in ax.collections
                if hasattr(c, "get_segments")
                for segment in c.get_segments()
            ),
        )
    ]
    highest = [found[:, 1].max() for found in points if len(found)]
    highest += [bar.get_window_extent().y1 for bars in ax.containers for bar in bars]
    assert max(highest) <= key.y0 + 1


def lightness(color: Any) -> float:
    return float(np.dot([0.2126, 0.7152, 0.0722], to_rgb(color)))


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_words_and_marks_stand_out_from_light_and_dark_paper(
    style: str, eight: Posterior, pooled: Posterior, two: Posterior
) -> None:
    with plt.style.context(style):  # what the user has chosen
        figures = [forest(pooled), contrast(eight), shrinkage(pooled)]
        figures.append(joint(two, all_zero(two.plan.design, two.plan.mean.coefficients[1].term)))
        saved = plt.rcParams["savefig.facecolor"]
    for figure in figures:
        paper = lightness(figure.get_facecolor())
        assert (paper < 0.1) == (style == "dark_background")
        if saved != "auto":
            assert to_rgb(saved) == to_rgb(figure.get_facecolor())
        (ax,) = figure.axes
        words = [ax.xaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels(), *figure.legends[0].get_texts()]
        assert all(abs(lightness(text.get_color()) - paper) > 0.6 for text in (*words, figure._suptitle))
        for line in ax.lines:
            assert abs(lightness(line.get_color()) - paper) > 0.15
