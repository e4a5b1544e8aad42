"""Families of contrasts: matrices written out by hand, and what holds for any levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from patsy.contrasts import Helmert, Poly

from formulajoint.contrasts import level_families
from formulajoint.contrasts.level_families import FAMILIES, ContrastMatrix

ABC = ("A", "B", "C")

BY_HAND = {
    "pairwise": {"A - B": [1, -1, 0], "A - C": [1, 0, -1], "B - C": [0, 1, -1]},
    "reference": {"B - A": [-1, 1, 0], "C - A": [-1, 0, 1]},
    "sequential": {"B - A": [-1, 1, 0], "C - B": [0, -1, 1]},
    "meandev": {
        "A - mean": [2 / 3, -1 / 3, -1 / 3],
        "B - mean": [-1 / 3, 2 / 3, -1 / 3],
        "C - mean": [-1 / 3, -1 / 3, 2 / 3],
    },
    "meanotherdev": {
        "A - others": [1, -0.5, -0.5],
        "B - others": [-0.5, 1, -0.5],
        "C - others": [-0.5, -0.5, 1],
    },
    "helmert": {"B - A": [-1, 1, 0], "C - mean(A, B)": [-0.5, -0.5, 1]},
    "poly": {
        "linear": [-np.sqrt(0.5), 0, np.sqrt(0.5)],
        "quadratic": [np.sqrt(1 / 6), -2 * np.sqrt(1 / 6), np.sqrt(1 / 6)],
    },
}


def test_a_family_may_take_the_levels_in_another_order():
    """B before C before A."""
    found = level_families.in_order(FAMILIES["helmert"].function, ABC, (1, 2, 0))
    assert found.labels == ("C - B", "A - mean(B, C)")
    np.testing.assert_array_equal(found.weights, [[0, -1, 1], [1, -0.5, -0.5]])


@pytest.mark.parametrize("name", FAMILIES)
def test_by_hand(name):
    found = FAMILIES[name].function(ABC)
    assert found.labels == tuple(BY_HAND[name])
    np.testing.assert_allclose(found.weights, list(BY_HAND[name].values()), atol=1e-14)


def test_every_family_says_what_it_is():
    assert all(family.meaning for family in FAMILIES.values())


def test_options():
    assert level_families.reference(ABC, ref=1).labels == ("A - B", "C - B")
    weighted = level_families.meandev(ABC, np.array([0.5, 0.25, 0.25]))
    np.testing.assert_allclose(weighted.weights[0], [0.5, -0.25, -0.25])
    assert level_families.poly("abcdefghij").labels == (
        "linear",
        "quadratic",
        "cubic",
        "degree 4",
        "degree 5",
        "degree 6",
    )
    assert level_families.poly("abcd", degree=1).labels == ("linear",)


def test_agrees_with_patsy():
    """Its polynomials are R's; its Helmert codes are k times the difference from the mean of those before."""
    levels = list("abcde")
    np.testing.assert_allclose(
        level_families.poly(levels).weights.T, Poly().code_without_intercept(levels).matrix, atol=1e-12
    )
    coded = Helmert().code_without_intercept(levels).matrix
    np.testing.assert_allclose(level_families.helmert(levels).weights.T * np.arange(1, 5), coded, atol=1e-12)


def test_polynomials_over_many_levels():
    matrix = level_families.poly([str(i) for i in range(500)]).weights
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(6), atol=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
@given(levels=st.lists(st.text(min_size=1), min_size=2, max_size=9, unique=True), shift=st.floats(-1e3, 1e3))
def test_equal_effects_have_no_contrast(name, levels, shift):
    """Rows sum to zero, labels are all different, and each level takes part."""
    found = FAMILIES[name].function(levels)
    np.testing.assert_allclose(found.weights @ np.full(len(levels), shift), 0, atol=1e-9)
    assert len(set(found.labels)) == len(found.labels)
    assert np.all(np.abs(found.weights).sum(axis=0) > 0)


def test_labels_that_would_be_misread_stand_in_parentheses():
    assert level_families.pairwise(["-1", "pre - post", "x"]).labels == (
        "(-1) - (pre - post)",
        "(-1) - x",
        "(pre - post) - x",
    )
    assert level_families.helmert("abcde").labels[-1] == "e - mean(a to d)"


@pytest.mark.parametrize(
    ("labels", "weights", "message"),
    [
        (("a",), np.zeros((2, 3)), "needs a row for each label"),
        (("a", "b"), np.zeros(2), "needs a row for each label"),
        (("a", "a"), np.zeros((2, 3)), "same label"),
        (("a",), np.array([[np.nan, 1.0]]), "missing or infinite"),
    ],
)
def test_a_matrix_is_checked(labels, weights, message):
    with pytest.raises(ValueError, match=message):
        ContrastMatrix(labels, weights)
