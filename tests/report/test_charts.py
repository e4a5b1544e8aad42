"""Where marks stand, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from formulajoint.report.charts import LABEL, Axis, Estimate, axis, forest, histogram


def test_a_value_stands_at_its_share_of_the_axis() -> None:
    assert [Axis(-1.0, 3.0).at(v) for v in (-1, 0, 1, 3)] == [0, 25, 50, 100]
    assert Axis(0.0, 1.0).at(1e9) == 200  # far out, but not so that a browser would choke


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.1, 23.0, ["0", "5", "10", "15", "20"]),
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-2.4e-7, 3e-7, ["-2e-07", "-1e-07", "0", "1e-07", "2e-07", "3e-07"]),
        (-1200.0, 5300.0, ["0", "2000", "4000"]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[str]) -> None:
    ticks = Axis(low, high).ticks
    assert [tick.label for tick in ticks] == expected
    assert [tick.at for tick in ticks] == [Axis(low, high).at(float(label)) for label in expected]


def test_zero_is_always_seen() -> None:
    for found in (axis(np.array([5.0]), np.array([9.0])), axis(np.array([-9.0]), np.array([-5.0]))):
        assert found.low < 0 < found.high


def test_one_endless_interval_does_not_squash_the_others() -> None:
    low, high = np.array([-1.0] * 20 + [-1e6]), np.array([1.0] * 20 + [1e6])
    found = axis(low, high)
    assert found.high - found.low <= 4.3 * 2
    rows = forest(
        [("", [Estimate(f"{i}", "group", 0.0, a, b) for i, (a, b) in enumerate(zip(low, high, strict=True))])]
    ).rows
    assert [row.cut for row in rows[-2:]] == ["", "<>"]


def test_an_axis_of_nothing_is_an_axis() -> None:
    assert axis(np.array([math.nan]), np.array([math.nan])) == Axis(-1.0, 1.0)
    found = axis(np.array([0.0]), np.array([0.0]))
    assert found.low < 0 < found.high


def test_the_area_of_a_mark_is_its_weight() -> None:
    rows = forest([("", [Estimate("A", "group", 1, 0, 2, weight=w) for w in (0.16, 0.64)])]).rows
    small, large = (row.size - 3 for row in rows)
    assert large / small == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(
    ("groups", "labelled"), [(1, True), (8, True), (60, True), (120, True), (121, False), (1000, False)]
)
def test_labels_are_left_out_where_they_would_overlap(groups: int, labelled: bool) -> None:
    rows = [Estimate("A", "group", 1, 0, 2)] * groups + [Estimate("all", "joint", 1, 0, 2)]
    found = forest([("", rows)])
    assert found.labelled is labelled
    assert found.labelled == (found.height >= LABEL)
    assert found.height * groups <= (1440 if labelled else 400)


def test_parts_share_one_axis_and_a_diamond_is_as_wide_as_its_interval() -> None:
    parts = [("low", [Estimate("all", "joint", 2, 1, 5)]), ("high", [Estimate("all", "joint", 20, 10, 50)])]
    (low,), (high,) = (part.rows for part in forest(parts).parts)
    assert (low.share, high.share) == pytest.approx((25, 25), abs=0.2)
    assert high.high - high.low == pytest.approx(10 * (low.high - low.low), abs=0.1)


def test_bars_count_draws() -> None:
    draws = np.linspace(0, 1, 1000)
    found = histogram(draws, 0.25, 0.75, 0.0, reach=False)
    assert len(found.bars) == 40
    assert {bar.height for bar in found.bars} == {100.0}
    assert sum(bar.inside for bar in found.bars) == 20
    assert found.bars[0].tip == "2.5 % of the draws are between 0 and 0.025"


def test_a_mark_is_reached_where_it_must_be() -> None:
    draws = np.random.default_rng(1).normal(20, 1, 1000)
    assert not 0 <= histogram(draws, 18, 22, 0.0, reach=False).mark <= 100
    assert 0 <= histogram(draws, 18, 22, 0.0, reach=True).mark <= 100
    assert 0 <= histogram(draws - 18, 0, 4, 0.0, reach=False).mark <= 100


def test_draws_far_out_leave_room_for_the_others() -> None:
    draws = np.append(np.random.default_rng(1).normal(size=1000), [1e12, -1e12, math.nan])
    found = histogram(draws, -2, 2, 0.0, reach=False)
    assert found.axis.high - found.axis.low < 20
    assert len(found.bars) > 20


def test_a_constant_has_one_bar() -> None:
    (bar,) = histogram(np.full(100, 3.0), 3.0, 3.0, 0.0, reach=False).bars
    assert bar.height == 100


def test_a_school_that_is_all_prior_does_not_squash_eight_others() -> None:
    low, high = np.array([-4.0] * 7 + [-54.0]), np.array([10.0] * 7 + [48.0])
    found = axis(low, high)
    assert found.high - found.low < 2.2 * 14
    assert axis(low[:7], high[:7]).high - axis(low[:7], high[:7]).low == pytest.approx(1.06 * 14)
