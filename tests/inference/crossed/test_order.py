"""The order in which factors are taken out."""

from __future__ import annotations

import numpy as np

from formulajoint.inference.crossed.order import MOST_LEFT, Groups, order_of, orders_of


def groups(codes: np.ndarray, width: int = 1) -> Groups:
    return Groups(codes, int(np.max(codes)) + 1, width)


ROWS = np.arange(24_000)
PUPIL, CLASS, SCHOOL, TEST = ROWS // 4, ROWS // 40, ROWS // 400, ROWS % 4


def test_a_chain_is_taken_out_from_the_inside_out() -> None:
    order = order_of([groups(SCHOOL), groups(PUPIL), groups(CLASS)], shared=2)
    assert order.chain == (1, 2, 0)
    assert order.remaining == ()
    assert order.left == order.shared == 2
    assert order.met == (6000 * 3, 600, 0)


def test_factors_that_cross_the_chain_remain() -> None:
    order = order_of([groups(TEST, width=2), groups(CLASS), groups(PUPIL)], shared=1)
    assert order.chain == (2, 1)
    assert order.remaining == (0,)
    assert order.left == 4 * 2 + 1


def test_the_chain_is_that_with_most_coefficients() -> None:
    order = order_of([groups(CLASS), groups(TEST), groups(SCHOOL, width=3)], shared=1)
    assert order.chain == (0, 2)
    crossed = ROWS % 7 * 100 + ROWS % 100
    orders = orders_of([groups(CLASS), groups(crossed), groups(ROWS % 100)], shared=1)
    assert [order.chain for order in orders] == [(1,), (1, 2)]


def test_a_factor_whose_groups_meet_many_others_remains() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 20, 60_000), rng.integers(0, 1_000, 60_000)
    _, cell = np.unique(one * 1_000 + other, return_inverse=True)
    order = order_of([groups(cell), groups(one), groups(other)], shared=1)
    assert order.chain in {(0,), (0, 2)}
    assert order.left <= MOST_LEFT


def test_no_more_than_the_limit_remain_where_that_is_possible() -> None:
    pair = ROWS // 2
    order = order_of([groups(pair), groups(pair // 2), groups(TEST)], shared=1)
    assert order.chain == (0, 1)
