"""Draws of psi and of all coefficients, and the gates that they must pass.

Searches for modes take Laplace's approximation, draws are weighted by quadrature. Every gate refuses: nothing that
fails one is returned.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.groupwise.forecast import Forecast, forecast
from formulajoint.inference.groupwise.marginal import Marginal, log_likelihood
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.groupwise.rules import Rule, rules
from formulajoint.inference.groupwise.starts import look, plausible
from formulajoint.inference.importance.pools import draw_from, generators
from formulajoint.inference.importance.proposal import normalised, weighted
from formulajoint.inference.importance.sampled import Sampled, why_not_trusted
from formulajoint.inference.importance.searches import search

CHOSEN_AT, CHECKED_AT = 6, 40
"""Points at which the rule is chosen, and draws at which it is checked."""

STEADY, SHIFTED = 0.01, 0.05
"""A rule is fine enough if the next finer one moves log p(y | psi) by no more than this: sd over points, and mean."""

MOST_WORK = 300_000
"""Most rows times nodes of a point psi; there are some fifteen thousand points, and each row and node takes 15 ns."""

MOST_MOVED = 0.05
"""Largest sd, over draws, of the difference from the next finer rule."""

SHRINKS = 4
"""From one rule to the next the error shrinks by at least this factor."""

NEGLIGIBLE = 20.0
"""Points lower than the highest by this in log density do not matter."""


class Found(NamedTuple):
    """Draws of psi, and the model with parabolas about them."""

    forecast: Forecast
    sampled: Sampled


def sample_psi(model: Model, draws: int, chains: int, seed: np.random.SeedSequence) -> Found:
    """Return draws of psi (1, chains, draws, d) with the log evidence.

    Raises
    ------
    InferenceError
        If a gate is not passed.
    """
    looking, sampling = seed.spawn(2)
    if not model.size:
        return _known(model, draws, chains)
    searching, where = generators(sampling, chains), look(model, np.random.default_rng(looking))
    rough = Marginal(forecast(model, plausible(model)), None)
    found = search(rough, where, searching.of_search)
    first = weighted(rough, found.proposal, where.effort.draws, np.random.default_rng(looking.spawn(1)[0]))
    rng = searching.of_search[0]
    places = first.points[rng.choice(len(first.logs), CHOSEN_AT, p=normalised(first.logs))]
    near = forecast(model, first.points[np.argmax(first.logs + found.proposal.log_density(first.points))])
    rule = fine_enough(near, places)
    if (work := model.rows * len(rule.logs)) > MOST_WORK:
        raise InferenceError(
            f"The coefficients of the groups need {work} nodes to be integrated, more than {MOST_WORK}."
        )
    target = Marginal(near, rule)
    sampled = draw_from(target, found, where.effort, draws, searching)
    check(sampled, target, draws)
    return Found(near, corrected(near, sampled, rule, rng))


def _known(model: Model, draws: int, chains: int) -> Found:
    """Return the evidence of a model without parameters psi: that of the finest rule."""
    none, near = np.empty((1, 0)), forecast(model, np.empty(0))
    *_, before, rule = (None, *rules(len(model.structure.base)))
    value = float(Marginal(near, rule)(none)[0])
    error = 0.0 if before is None else abs(float(Marginal(near, before)(none)[0]) - value)
    if not np.isfinite(value) or error > MOST_MOVED:
        raise InferenceError("The coefficients of the groups cannot be integrated precisely enough.")
    ess = np.full((1, chains), np.inf)
    return Found(near, Sampled(np.empty((1, chains, draws, 0)), -np.inf, ess, value, error))


def fine_enough(near: Forecast, points: FloatArray) -> Rule:
    """Return the first rule that the next finer one hardly changes, or else the last but one."""
    every = rules(len(near.model.structure.base))
    if len(every) == 1:
        return every[0]
    before = log_likelihood(near, points, every[0])[0]
    for rule, finer in pairwise(every):
        after = log_likelihood(near, points, finer)[0]
        moved = after - before
        if np.std(moved) < STEADY and abs(np.mean(moved)) < SHIFTED:
            return rule
        before = after
    return every[-2]


def check(sampled: Sampled, target: Marginal, draws: int) -> None:
    """Raise an InferenceError unless the weights can be trusted and modes were found."""
    if reason := why_not_trusted(sampled.k_hat, sampled.disagreement):
        raise InferenceError(f"{reason.reason[0].upper()}{reason.reason[1:]}.")
    least = float(np.min(sampled.ess))
    if least < draws:
        raise InferenceError(
            f"The importance sample behind a chain is worth {least:.0f} draws, fewer than the {draws} asked for."
        )
    if target.lost > target.highest - NEGLIGIBLE:
        raise InferenceError("Newton's method did not find the mode of some group's coefficients.")


def corrected(near: Forecast, sampled: Sampled, rule: Rule, rng: np.random.Generator) -> Sampled:
    """Return the sample with the error of the rule, by the next finer one at some of the draws."""
    every = rules(len(near.model.structure.base))
    if len(every) == 1:
        return sampled
    finer = every[[each is rule for each in every].index(True) + 1]
    points = sampled.points[0].reshape(-1, near.model.size)
    some = points[rng.choice(len(points), min(CHECKED_AT, len(points)), replace=False)]
    moved = log_likelihood(near, some, finer)[0] - log_likelihood(near, some, rule)[0]
    if not np.std(moved) <= MOST_MOVED:
        raise InferenceError(
            f"A finer rule of integration over the groups' coefficients moves the log density by {np.std(moved):.2g}."
        )
    mean = float(np.mean(moved))
    error = float(np.hypot(sampled.error, mean / SHRINKS))
    return replace(sampled, log_integral=sampled.log_integral + mean, error=error)
