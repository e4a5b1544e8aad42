"""Gauss-Hermite product rules for the standard normal distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from formulajoint.arrays import FloatArray

NODES = {
    1: (3, 5, 7, 11, 15, 21, 31, 41),
    2: (3, 5, 7, 9, 11, 15, 21),
    3: (3, 5, 7, 9),
    4: (3, 5, 7),
}
"""Nodes per axis of the rules for p columns, from the coarsest to the finest."""

LIGHTEST = 1e-14
"""Nodes of two and more columns with less weight than this are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """Nodes (K, p), and the logs of the weights, plus half the squared distance of each node from zero (K,)."""

    nodes: FloatArray
    logs: FloatArray


@cache
def rules(columns: int) -> tuple[Rule, ...]:
    """Return the rules for `columns` columns, from the coarsest to the finest; without columns, one node."""
    if columns == 0:
        return (Rule(np.zeros((1, 0)), np.zeros(1)),)
    return tuple(_rule(count, columns) for count in NODES[columns])


def _rule(count: int, columns: int) -> Rule:
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    weights = weights / np.sum(weights)
    places = np.array(list(product(nodes, repeat=columns)))
    shares = np.prod(np.array(list(product(weights, repeat=columns))), axis=1)
    kept = shares > (0.0 if columns == 1 else LIGHTEST)
    logs = np.log(shares[kept]) + 0.5 * np.sum(places[kept] ** 2, axis=1)
    return Rule(places[kept], logs)
