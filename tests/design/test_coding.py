"""Contrast matrices as R prints them, and how much of each factor the terms need."""

from __future__ import annotations

import numpy as np
import pytest

from formulajoint.design.coding import CODINGS, Piece, distance, full, pieces

# R: contr.treatment(3), contr.sum(4), contr.helmert(4), contr.poly(3)
MATRICES = {
    "treatment": (["a", "b", "c"], [[0, 0], [1, 0], [0, 1]], ("b", "c")),
    "sum": (["a", "b", "c", "d"], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]], ("a", "b", "c")),
    "helmert": (["a", "b", "c", "d"], [[-1, -1, -1], [1, -1, -1], [0, 2, -1], [0, 0, 3]], ("b", "c", "d")),
    "poly": (
        ["a", "b", "c"],
        [[-0.70710678, 0.40824829], [0, -0.81649658], [0.70710678, 0.40824829]],
        ("linear", "quadratic"),
    ),
}


@pytest.mark.parametrize("name", MATRICES)
def test_contrast_matrices_are_those_of_r(name: str) -> None:
    levels, expected, labels = MATRICES[name]
    matrix, seen = CODINGS[name](levels)
    np.testing.assert_allclose(matrix, expected, atol=1e-8)
    assert seen == labels


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_a_reduced_coding_and_the_constant_span_all_levels(name: str, count: int) -> None:
    matrix, labels = CODINGS[name]([f"l{i}" for i in range(count)])
    assert matrix.shape == (count, count - 1) == (count, len(labels))
    assert len(set(labels)) == len(labels)
    assert np.linalg.matrix_rank(np.column_stack([np.ones(count), matrix])) == count


# |det T|^(1/(k - 1)), T = levels less the first, by hand: sum has k, helmert k!, poly (orthonormal) sqrt(k)
DISTANCES = {
    "treatment": {2: 1, 3: 1, 5: 1},
    "sum": {2: 2, 3: 3 ** (1 / 2), 5: 5 ** (1 / 4)},
    "helmert": {2: 2, 3: 6 ** (1 / 2), 5: 120 ** (1 / 4)},
    "poly": {2: 2 ** (1 / 2), 3: 3 ** (1 / 4), 5: 5 ** (1 / 8)},
}


@pytest.mark.parametrize("name", DISTANCES)
def test_the_distance_of_levels(name: str) -> None:
    for count, expected in DISTANCES[name].items():
        levels = [f"l{i}" for i in range(count)]
        assert distance(CODINGS[name](levels)[0]) == pytest.approx(expected, rel=1e-12)
        assert distance(full(levels)[0]) == 1
    assert distance(CODINGS[name](["one"])[0]) == 1


def test_in_full_there_is_an_indicator_a_level() -> None:
    matrix, labels = full(["a", "b"])
    assert (matrix.tolist(), labels) == ([[1, 0], [0, 1]], ("a", "b"))


# Terms against the pieces of each. Letters are categorical columns, capitals where they are coded in full; digits
# are numeric columns, and "1" is the intercept.
PIECES = {
    "1 a": "1 a",
    "a": "A",
    "a b": "A b",
    "1 a b ab": "1 a b ab",
    "a b ab": "A b ab",
    "1 ab": "1 b+aB",
    "ab": "AB",
    "1 a ab": "1 a Ab",
    "1 b ab": "1 b aB",
    "b ab": "B aB",
    "1 a a2": "1 a A2",
    "1 2 a a2": "1 2 a a2",
    "2 a2": "2 a2",
    "a2": "A2",
    "1 ab2": "1 AB2",
    "1 2 ab2": "1 2 b2+aB2",
    "abc": "ABC",
    "1 a ab abc": "1 a Ab ABc",
    "1 a b ab abc": "1 a b ab ABc",
    "1 a2 a3": "1 A2 A3",
    "1 a2 a23": "1 A2 A23",
}


def asked(term: str) -> tuple[list[str], frozenset[str]]:
    return [c for c in term if c.isalpha()], frozenset(c for c in term if c.isdigit() and c != "1")


def drawn(term: str, found: list[Piece]) -> str:
    """Return the pieces of a term in the notation of the table."""
    factors, numeric = asked(term)
    coded = [
        "".join(f.upper() if p[f] else f for f in factors if f in p) + "".join(sorted(numeric)) for p in found
    ]
    return "+".join(text or "1" for text in coded)


@pytest.mark.parametrize("terms", PIECES)
def test_pieces(terms: str) -> None:
    names = terms.split()
    found = pieces([asked(name) for name in names])
    seen = [drawn(name, term) for name, term in zip(names, found, strict=True)]
    assert [sorted(s.split("+")) for s in seen] == [sorted(s.split("+")) for s in PIECES[terms].split()]
