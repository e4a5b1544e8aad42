"""What a point psi costs, and so how psi is sampled: known before anything is computed.

The seconds are those of one core of 2024, from counts of operations: a seed gives the same draws everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from formulajoint.inference.groupwise.densities import Form, SmoothForm
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.importance.searches import Look

USUAL_NODES = {0: 0, 1: 5, 2: 25, 3: 125, 4: 400}
"""Nodes of a rule that is usually fine enough, by the number of columns."""

KNOWN_OF_ROW = 100
"""Nanoseconds of what the log density of a row has besides its linear predictor, where it differs between rows."""

CHEAP = 1.0
"""A stand-in must save as many seconds."""

KNOWN, SEARCHED = 50, 2e-10
"""Points that a stand-in knows, for each coefficient of a quadratic function, and seconds for the cube of their number:
systems of as many equations are solved for it, and it is searched."""

FEWEST_TRIES, MOST_TRIES = 2, 5
"""Stand-ins that are tried: more of them where a point is dearer."""

MOST_SECONDS = 600.0
"""If it costs more seconds, the engine refuses."""

SLOWER = 5
"""From so many parameters psi on it takes longer than it costs: searches take more turns, and pools grow."""

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

    @property
    def tries(self) -> int:
        """How many stand-ins are tried: the number that costs about as much as to go without."""
        share = self.direct / self.stand_in
        return round(min(max(share, FEWEST_TRIES), MOST_TRIES))


def expected_seconds(cost: float, parameters: int) -> float:
    """Return how many seconds of the processor it takes to sample psi at some cost: within a factor of about three."""
    return cost * max(1.0, parameters / SLOWER)


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
    nodes, value = USUAL_NODES[p], _value(model.form)
    rough = 1e-9 * (rows * (25 * value + 8 * p + 3 * p**2) + groups * (30 + 30 * p + 12 * p**2) + 8_000)
    if model.by_cell and not isinstance(model.form, SmoothForm):
        rough += 1e-9 * KNOWN_OF_ROW * len(model.weights)
    fine = rough + 1e-9 * nodes * (rows * (5 * value + p) + groups * (8 + 4 * p))
    terms = (d + 1) * (d + 2) // 2
    given = draws * 1e-9 * (rows * 25 * (1 + value) + 200 * groups) if p else 0.0
    direct = rough * where.expected_points + fine * points + given
    if not FEWEST <= d <= MOST:
        return Cost(rough, fine, direct, float("inf"))
    own = 0.3 + SEARCHED * (KNOWN * terms) ** 3
    return Cost(rough, fine, direct, (40 * terms + 1000) * rough + (5 * terms + 400) * fine + own + given)


def _value(form: Form) -> float:
    """Return what a log density costs, in those of an affine family."""
    return form.smooth.cost if isinstance(form, SmoothForm) else 1.0
