"""Posteriors that others computed, each as one formula (``benchmarks/known_posteriors.py``), with a fifth of its draws."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from known_posteriors import CASES, ERRORS, KNOWN, Figure, figures, fit_of, wrong


@pytest.mark.parametrize("name", CASES)
def test_means_sds_and_evidences_are_those_of_others(name: str) -> None:
    found = list(figures(name, fit_of(name, 0.2)))
    assert {each.label for each in found} >= {f"mean of {label}" for label in KNOWN[name]["exact"]}
    assert not [each for each in found if each.errors >= ERRORS]


def test_every_known_posterior_has_a_formula() -> None:
    assert KNOWN.keys() == CASES.keys()


def test_the_yardstick_sees_what_is_wrong() -> None:
    right = Figure("sd of x", 1.0, 0.01)
    assert not wrong([right, replace(right, label="mean of x", relative=0.1)])
    assert wrong([replace(right, errors=5.0)])
    assert wrong([replace(right, relative=0.05)])
