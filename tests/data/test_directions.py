"""Directions along which no density vanishes, against a search over all directions of two coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from formulajoint.arrays import FloatArray
from formulajoint.data import directions
from formulajoint.data.directions import are_settled, free_direction, free_shared_direction
from formulajoint.families.tails import OF_COUNTS, OF_SUCCESSES, Tails, Vanishing, with_zeros

ANGLES = np.linspace(0, 2 * np.pi, 5041)[:-1]
"""Those of ratios of small whole numbers are met only about; so are tested directions widened by a hair."""


def found_by_search(columns: FloatArray, vanishing: Vanishing) -> bool:
    """Return whether some direction is free: where moves are of rows with small whole columns, by their bounds."""
    normals = np.concatenate([np.stack([-columns[:, 1], columns[:, 0]], axis=1), columns, np.eye(2)])
    tried = np.concatenate([normals, -normals, np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)])
    tried = tried[np.any(tried != 0, axis=1)]
    return bool(np.any([_is_free(columns, vanishing, each) for each in tried]))


def _is_free(columns: FloatArray, vanishing: Vanishing, direction: FloatArray) -> bool:
    moves = columns @ direction / np.max(abs(direction))
    return bool(np.all(moves[vanishing.falling] > -1e-7) and np.all(moves[vanishing.rising] < 1e-7))


LAWS = {
    "successes": (OF_SUCCESSES, 1),
    "counts": (OF_COUNTS, 9),
    "zero inflated": (with_zeros(OF_COUNTS, False), 9),
    "hurdle": (with_zeros(OF_COUNTS, True), 9),
}


@pytest.mark.parametrize("law", LAWS)
def test_free_directions_are_those_of_a_search(law: str) -> None:
    (tails, most), rng, free = LAWS[law], np.random.default_rng(1), 0
    for _ in range(120):
        n = rng.integers(3, 9)
        columns = np.stack([np.ones(n), rng.integers(-3, 4, n)], axis=1)
        y = np.minimum(rng.poisson(0.7, n), most).astype(float)
        vanishing = tails.vanishing(y, np.ones(n))
        found = free_direction(columns, vanishing)
        assert (found is not None) == found_by_search(columns, vanishing)
        free += found is not None
        if found is not None:
            assert _is_free(columns, vanishing, found)
    assert 20 < free < 115


def test_many_rows_are_first_looked_at_in_part() -> None:
    rng = np.random.default_rng(2)
    columns = np.column_stack([np.ones(5_000), 1e4 + 1e3 * rng.normal(size=(5_000, 2))])
    apart = columns @ [0.0, 1.0, -2.0] > -1e4
    assert free_direction(columns, _events(apart)) is not None
    apart[np.argmax(apart)] = False
    direction = free_direction(columns, _events(apart))
    assert direction is None or _is_free(columns, _events(apart), direction)
    assert free_direction(columns, _events(rng.random(5_000) < 0.5)) is None


def _events(y: np.ndarray) -> Vanishing:
    return OF_SUCCESSES.vanishing(y.astype(float), np.ones(len(y)))


@pytest.mark.parametrize("asked_alone", [5, 0])
def test_shared_coefficients_beside_those_of_groups(
    monkeypatch: pytest.MonkeyPatch, asked_alone: int
) -> None:
    """Events that x separates within each group, but not over all of them, as its intercepts differ."""
    monkeypatch.setattr(directions, "FEW_GROUPS", asked_alone)
    codes, x = np.repeat(np.arange(3), 4), np.tile([0.0, 1.0, 2.0, 3.0], 3) + np.repeat([0.0, 10.0, 20.0], 4)
    own, columns = np.ones((12, 1)), x[:, None]
    apart = np.tile([0, 0, 1, 1], 3)
    found = free_shared_direction(own, columns, codes, _events(apart))
    assert found is not None
    assert found[0] > 0
    assert free_direction(np.hstack([own, columns]), _events(apart)) is None  # one intercept
    apart[1:3] = [1, 0]
    assert free_shared_direction(own, columns, codes, _events(apart)) is None
    constant = np.hstack([columns, (codes == 1)[:, None]])  # a column that groups have to themselves
    assert free_shared_direction(own, constant, codes, _events(apart)) is not None


def test_rows_of_which_the_density_vanishes_on_both_sides_settle_coefficients() -> None:
    codes, x, both = np.repeat([0, 1], 3), np.arange(6.0)[:, None], Tails(OF_COUNTS.vanishing, ())
    own, shared = np.ones((6, 1)), x**2
    y = np.array([1.0, 2, 0, 0, 3, 0])
    assert are_settled(own, shared, codes, both.vanishing(y, y))
    assert not are_settled(own, shared, codes, both.vanishing(np.where(codes == 1, 0.0, y), y))
    assert not are_settled(own, shared, codes, both.vanishing(np.array([1.0, 0, 0, 0, 3, 0]), y))
