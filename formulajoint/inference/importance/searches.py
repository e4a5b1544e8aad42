"""Proposals found by two independent searches, and whether they agree.

One climbs to modes from many starts and fits a mixture about them. The other starts far away: particles move from a
broad distribution to the density, and a mixture is fitted to where they arrive. Each gives its own integral. If these
differ by more than their errors, one search has missed what the other has found: both continue from the union of what
they found, until they agree or the disagreement is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.importance.mode import Modes, Target, distinct, find_modes
from formulajoint.inference.importance.proposal import (
    Fitted,
    Mixture,
    cut,
    effective,
    fit_proposal,
    fitted_to,
    integral,
    mixed,
    normalised,
    scattered,
    share_by,
    weighted,
)
from formulajoint.inference.importance.sampled import DISAGREE, LOST
from formulajoint.inference.importance.tempering import tempered

PLAUSIBLE = 60
"""Number of candidate starts from the broad distribution: this times (coordinates + 1)."""

CLIMBS = 10
"""Most starts from which a mode is climbed."""

APART = 1.0
"""Smallest distance between two starts, in the coordinate in which they differ most."""

DEEP = 20.0
"""A mode lower than the highest by more than this in log density is left out: it matters only if it is very wide."""

WIDTHS = np.array([0.7, 1.0, 2.0, 4.0])
"""Widths of the first proposal about each mode, in sds from the curvature there."""

MOST_COMPONENTS = 6
"""Most components of a proposal with one mode; with several modes it has at least two per mode."""

PARTICLES, MOST_PARTICLES = 64, 1000
"""Number of particles: the first times (coordinates + 1), at most the second."""

ROUNDS, REFINED = 1, 2
"""Rounds of adaptation of each search, and of their union."""

TURNS = 3
"""Most turns of both searches; each later turn starts from what they have found together."""

AS_GOOD = 0.9
"""A proposal is as good as another if its draws are worth more than this share of the other's."""

GAIN = 1.02
"""The union is adapted while its effective share grows by this factor."""

BROAD = 0.03
"""Share of the broad distribution in the proposal, so that weights are bounded."""

KEPT = 0.04
"""Share of mixtures about the modes in the proposal, if there are several: adaptation may lose one of small weight."""

USUAL_MOVES, USUAL_ROUNDS = 35, 6
"""How often each particle usually moves, and how many rounds of draws there usually are: for a forecast of time."""

FLOOR = 0.01
"""Smallest standard error of the difference of two log integrals."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Computing effort for a density.

    Attributes
    ----------
    draws : int
        Draws of each round of adaptation.
    enough : int
        Effective size of a pool, as a multiple of the draws that are taken from it.
    growth : int
        Largest size of a pool, as a multiple of its first size. Pools grow so that no point is worth many draws.
    repeats : int
        Until it has doubled, a pool grows if a point is worth more draws than this.
    """

    draws: int
    enough: int
    growth: int
    repeats: int = 1


CHEAP, COSTLY = Effort(1200, 5, 12), Effort(1200, 2, 2)
"""Effort if a point costs microseconds, and if it costs a tenth of a millisecond."""

DEAR, DEAREST = Effort(1000, 6, 2), Effort(500, 2, 2)
"""Effort if a point costs many integrals, and if it costs hundreds of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Regions to search for a density.

    Attributes
    ----------
    starts : (n, d) array
        Points from which modes may be reached.
    broad : Mixture
        A distribution that is above zero wherever the density is not negligible.
    effort : Effort
    """

    starts: FloatArray
    broad: Mixture
    effort: Effort = CHEAP

    @property
    def particles(self) -> int:
        """Points at which a search that starts far away begins."""
        return int(min(PARTICLES * (self.starts.shape[1] + 1), MOST_PARTICLES))

    @property
    def expected_points(self) -> int:
        """At about how many points two searches that agree evaluate a density."""
        return USUAL_MOVES * self.particles + USUAL_ROUNDS * self.effort.draws


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Result of two searches.

    Attributes
    ----------
    proposal : Mixture
        Their union.
    share : float
        Effective sample size per draw from it.
    modes : int
    disagreement : float
        See `Sampled`.
    """

    proposal: Mixture
    share: float
    modes: int
    disagreement: float


def search(target: Target, look: Look, rngs: tuple[np.random.Generator, np.random.Generator]) -> Found:
    """Return a proposal for the target.

    Parameters
    ----------
    target : callable
    look : Look
    rngs : pair of Generator
        One for each search.

    Raises
    ------
    InferenceError
        If no density above zero is found, or all of it is at one point.
    """
    modes = _modes(target, look, rngs[0])
    draws, cost, union = look.effort.draws, 1, None
    for _ in range(TURNS):
        found = None if union is None else union.proposal
        one = _climbed(target, modes, found, draws, cost, rngs[0])
        two = _arrived(target, look, modes, found, cost, rngs[1])
        both = [each for each in (one, two) if each is not None]
        if not both:
            raise InferenceError(LOST)
        disagreement = _disagreement(both)
        union = _united(both)
        if disagreement < DISAGREE:
            break
        cost *= 2
    assert union is not None  # TURNS is at least 1
    final = _refined(target, union, _components(modes) * cost, 3 * draws * cost // 2, rngs[0])
    parts = [(BROAD, look.broad)]
    if len(modes.heights) > 1:
        parts.append((KEPT, about(modes)))
    own = 1 - sum(share for share, _ in parts)
    return Found(mixed([(own, final.proposal), *parts]), own * final.share, len(modes.heights), disagreement)


def _united(both: list[Fitted]) -> Fitted:
    """Return the union of proposals in even shares, with the draws of all: together they are draws from it."""
    union = mixed([(1 / len(both), each.proposal) for each in both])
    points = np.concatenate([each.points for each in both])
    heights = np.concatenate([each.logs + each.proposal.log_density(each.points) for each in both])
    return Fitted(union, points, heights - union.log_density(points))


def _disagreement(both: list[Fitted]) -> float:
    if len(both) < 2:
        return np.inf
    (one, one_error), (two, two_error) = (integral(each.logs) for each in both)
    return abs(one - two) / float(np.hypot(np.hypot(one_error, two_error), FLOOR))


def _modes(target: Target, look: Look, rng: np.random.Generator) -> Modes:
    """Return the distinct modes reached from the best of many starts."""
    d = look.starts.shape[1]
    tried = np.concatenate([look.starts, look.broad.draw(rng, PLAUSIBLE * (d + 1))])
    heights = target(tried)
    order = [int(at) for at in np.argsort(-np.nan_to_num(heights, nan=-np.inf)) if np.isfinite(heights[at])]
    if not order:
        raise InferenceError(LOST)
    chosen: list[int] = []
    for at in order:
        if all(np.max(abs(tried[at] - tried[other])) > APART for other in chosen):
            chosen.append(at)
        if len(chosen) == CLIMBS:
            break
    return distinct(find_modes(target, tried[chosen]), DEEP)


def _climbed(
    target: Target,
    modes: Modes,
    union: Mixture | None,
    draws: int,
    cost: int,
    rng: np.random.Generator,
) -> Fitted | None:
    """Return a proposal about modes, or moved on from the union of what was found."""
    union = about(modes) if union is None else union
    try:
        first = weighted(target, union, draws * cost, rng)
        start = thinned(first, _components(modes) * cost, rng)
        return fit_proposal(target, start, ROUNDS, draws * cost, rng)
    except np.linalg.LinAlgError:  # all weight is on one point
        return None


def about(modes: Modes) -> Mixture:
    """Return a mixture about modes, of several widths."""
    d, k = modes.at.shape[1], len(modes.at) * len(WIDTHS)
    roots = np.linalg.cholesky(modes.covariances)[:, None] * WIDTHS[:, None, None]
    means = np.repeat(modes.at, len(WIDTHS), axis=0)
    return Mixture(np.full(k, 1 / k), means, roots.reshape(k, d, d))


def _components(modes: Modes) -> int:
    count, d = modes.at.shape
    return int(max(min(MOST_COMPONENTS, 1 + 2 * d), 2 * count))


def _refined(target: Target, union: Fitted, components: int, draws: int, rng: np.random.Generator) -> Fitted:
    """Return a proposal of fewer components than the union if it is as good, else the union."""
    try:
        final = fit_proposal(target, thinned(union, components, rng), REFINED, draws, rng, GAIN)
    except np.linalg.LinAlgError:
        return union
    worth = min(final.share, share_by(final.proposal, union))
    return final if worth > AS_GOOD * union.share else union


def thinned(first: Fitted, components: int, rng: np.random.Generator) -> Mixture:
    """Return a mixture of `components` components, fitted to weighted draws."""
    weights = cut(normalised(first.logs))
    size = max(200, int(effective(weights)))
    points = first.points[rng.choice(len(weights), size, p=weights)]
    points = points + 1e-3 * np.std(points, axis=0) * rng.standard_normal(points.shape)
    return fitted_to(scattered(points, components, rng), first.points, weights)


def _arrived(
    target: Target, look: Look, modes: Modes, union: Mixture | None, cost: int, rng: np.random.Generator
) -> Fitted | None:
    """Return a proposal fitted to particles that started far away."""
    broad = look.broad if union is None else mixed([(0.5, look.broad), (0.5, union)])
    points = tempered(target, broad, cost * look.particles, rng)
    if points is None:
        return None
    try:
        start = scattered(points, _components(modes) * cost, rng)
        first = fitted_to(start, points, np.full(len(points), 1 / len(points)))
        return fit_proposal(target, first, ROUNDS, look.effort.draws * cost, rng)
    except np.linalg.LinAlgError:
        return None
