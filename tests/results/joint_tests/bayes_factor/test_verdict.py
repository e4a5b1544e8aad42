"""What a Bayes factor says whatever the scale of the prior."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.bayes_factor.verdict import AROUND, NARROWER, Verdict, judged


def at(value: Callable[[float], float]) -> Callable[[Sequence[float]], list[LogIntegral | Missing]]:
    return lambda factors: [LogIntegral(value(factor), 0.0) for factor in factors]


def verdict(value: Callable[[float], float]) -> Verdict | Missing:
    scales = at(value)
    return judged(scales(AROUND), scales)


def test_narrower_scales_reach_down_to_a_hundred_thousandth() -> None:
    assert NARROWER[0] == 0.25
    assert NARROWER[-1] >= 1e-5 > NARROWER[-1] / 2


def test_an_effect_shows_at_all_three_scales() -> None:
    assert verdict(lambda f: 3 - math.log(f)) == Verdict("for", 3 - math.log(2), 3 + math.log(2))
    assert verdict(lambda f: 1.5 - math.log(f)) == Verdict("depends", 1.5 - math.log(2), 1.5 + math.log(2))


def test_none_shows_where_no_narrower_prior_favours_one() -> None:
    found = verdict(lambda f: -3 * f**0.5)
    assert isinstance(found, Verdict)
    assert found.kind == "against"
    assert (found.low, found.high) == pytest.approx((-3 * 2**0.5, -3 * 0.5**0.5))


@pytest.mark.parametrize("scale", [2.0**-3, 2.0**-9, 2.0**-16])
def test_a_narrower_prior_that_favours_an_effect_is_found(scale: float) -> None:
    """Between the wide prior that favours none and the narrow one that favours an effect, log BF10 crosses zero."""
    found = verdict(lambda f: 1.5 if f <= scale * 1.01 else -2.5 - math.log(f / scale) / 10)
    assert isinstance(found, Verdict)
    assert (found.kind, found.high) == ("depends", 1.5)


def test_scales_that_tell_nothing_more_are_not_computed() -> None:
    asked: list[float] = []

    def scales(factors: Sequence[float]) -> list[LogIntegral | Missing]:
        asked.extend(factors)
        return at(lambda f: -5 * f / (f + 0.02))(factors)

    found = judged(at(lambda f: -5.0)(AROUND), scales)
    assert isinstance(found, Verdict)
    assert found.kind == "against"
    assert min(asked) > 1e-4


def test_what_costs_or_cannot_be_computed_is_missing() -> None:
    none = Missing("engine", "no")
    assert judged([LogIntegral(-5.0, 0.0)] * 3, None) != none
    costs = judged([LogIntegral(-5.0, 0.0)] * 3, None)
    assert isinstance(costs, Missing)
    assert costs.code == "costs"
    assert judged([LogIntegral(-5.0, 0.0), none, none], None) == none
    assert judged([LogIntegral(-5.0, 0.0)] * 3, lambda factors: [none]) == none
    assert isinstance(judged([LogIntegral(2.0, 0.0)] * 3, None), Verdict)
