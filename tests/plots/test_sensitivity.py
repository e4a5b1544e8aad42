"""What the picture of a Bayes factor's dependence on the prior draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.errors import InferenceError
from formulajoint.plots.sensitivity import sensitivity

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


def table(**values: list[float]) -> pd.DataFrame:
    """Return a table of log Bayes factors, one list a hypothesis."""
    index = pd.MultiIndex.from_product([list(values), FACTORS], names=["hypothesis", "factor"])
    flat = np.concatenate(list(values.values()))
    return pd.DataFrame({"log_bf10": flat, "log_bf10_mcse": 0.1, "note": "no Bayes factor: why"}, index=index)


def test_each_hypothesis_is_a_line_of_its_figures() -> None:
    figure = sensitivity(table(a=[3, 2.5, 2, 1, 0.5], b=[1, 1, 1, 2, 3]))
    (ax,) = figure.axes
    drawn = {line.get_label(): line.get_xydata() for line in ax.lines}
    assert np.array_equal(drawn["a"], np.column_stack([FACTORS, [3, 2.5, 2, 1, 0.5]]))
    assert np.array_equal(drawn["b"], np.column_stack([FACTORS, [1, 1, 1, 2, 3]]))
    bars = ax.collections[0].get_segments()
    assert [np.ptp(bar[:, 1]) for bar in bars] == pytest.approx([0.4] * 5)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.25", "0.5", "1", "2", "4"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([3, 2, 1, 1, 1], "a: the data speak against it from 0.25 to 4 times the prior's scale"),
        ([-3, -2, -1, -1, -1], "a: the data speak for it from 0.25 to 4 times the prior's scale"),
        ([3, 2, 1, 0.5, -1], "a: what the data favour depends on the prior's scale"),
        (
            [float("nan")] * 2 + [0.69] + [float("nan")] * 2,
            "a: log BF10 is 0.69 at 1 times the prior's scale",
        ),
    ],
)
def test_the_title_says_whether_the_scale_matters(values: list[float], says: str) -> None:
    assert " ".join(sensitivity(table(a=values)).get_suptitle().split()) == says


def test_what_is_not_known_is_left_out_or_said() -> None:
    nan = [float("nan")] * 5
    (ax,) = sensitivity(table(a=[1, 2, 3, 4, 5], b=nan)).axes
    assert "b" not in [line.get_label() for line in ax.lines]
    with pytest.raises(InferenceError, match="There is no Bayes factor to draw: no Bayes factor: why"):
        sensitivity(table(b=nan))
