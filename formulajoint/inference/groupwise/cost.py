"""What a point psi costs, and so how psi is sampled: known before anything is computed.

The seconds are those of one core of 2024, from counts of operations: a seed gives the same draws everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.importance.searches import Look

USUAL_NODES = {0: 0, 1: 5, 2: 25, 3: 125, 4: 400}
"""Nodes of a rule that is usually fine enough, by the number of columns."""

CHEAP = 1.0
"""A stand-in must save as many seconds."""

MOST_SECONDS = 600.0
"""If it costs more seconds, the engine refuses."""

FEWEST, MOST = 2, 15
"""Fewest and most parameters psi for a stand-in."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds.

    Attributes
    ----------
    rough, fine : float
        Of a point by Laplace's approximation, and by quadrature.
    direct : float
        Of all, without a stand-in.
    stand_in : float
        Of all, with a stand-in; infinite where it is not for such models.
    """

    rough: float
    fine: float
    direct: float
    stand_in: float


def cost_of(model: Model, where: Look, points: int, draws: int) -> Cost:
    """Return what it costs to sample psi, and coefficients given psi.

    Parameters
    ----------
    model : Model
    where : Look
    points : int
        Points of all pools.
    draws : int
        Of all chains.
    """
    p, d = len(model.structure.base), model.size
    rows, groups = model.rows, sum(len(batch.members) for batch in model.batches)
    nodes = USUAL_NODES[p]
    rough = 1e-9 * (rows * (70 + 15 * p + 5 * p**2) + groups * (60 + 60 * p + 25 * p**2) + 20_000)
    fine = rough + 1e-9 * nodes * (rows * (10 + 2 * p) + groups * (15 + 8 * p))
    terms = (d + 1) * (d + 2) // 2
    given = draws * 1e-9 * (100 * rows + 400 * groups) if p else 0.0
    direct = rough * where.expected_points + fine * points + given
    if not FEWEST <= d <= MOST:
        return Cost(rough, fine, direct, float("inf"))
    return Cost(rough, fine, direct, (40 * terms + 1000) * rough + (5 * terms + 400) * fine + 1.0 + given)
