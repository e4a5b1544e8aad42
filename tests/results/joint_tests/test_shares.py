"""Shares of draws: their errors, their notes, their columns."""

from __future__ import annotations

from formulajoint.results.joint_tests.figures import Figure
from formulajoint.results.joint_tests.shares import columns_of, counting_notes, with_errors


def test_a_share_of_no_draw_or_all_has_the_error_of_one() -> None:
    shares = {"a": Figure(0.0, 0.0), "b": Figure(1.0, 0.0), "c": Figure(0.3, 0.02)}
    found = with_errors(shares, 500.0)
    assert found == {"a": Figure(0.0, 0.002), "b": Figure(1.0, 0.002), "c": Figure(0.3, 0.02)}
    assert columns_of(found) == {
        "a": 0.0, "a_mcse": 0.002, "b": 1.0, "b_mcse": 0.002, "c": 0.3, "c_mcse": 0.02,
    }  # fmt: skip


def test_what_is_said_of_rare_counts() -> None:
    shares = {
        "a": Figure(0.0, 0.0),
        "b": Figure(0.009, 0.004),
        "c": Figure(0.011, 0.004),
        "d": Figure(0.0, 0.0),
    }
    found = counting_notes(shares, 1000)
    assert [note.text for note in found] == [
        "a, d: no such draw, so below 0.001",
        "b: fewer than 10 such draws, so only the order of magnitude is known: draw more",
    ]
    assert [note.about for note in found] == [("a", "d"), ("b",)]
    assert counting_notes({"c": Figure(0.5, 0.1)}, 1000) == []
