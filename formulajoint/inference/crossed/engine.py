"""The exact engine for several grouping factors."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from formulajoint.compiler.plan import Plan
from formulajoint.errors import InferenceError
from formulajoint.inference.crossed.applies import why_not
from formulajoint.inference.crossed.coefficients import ahead_of, draw_coefficients
from formulajoint.inference.crossed.cost import last_points
from formulajoint.inference.crossed.marginal import log_likelihood
from formulajoint.inference.crossed.model import model_of
from formulajoint.inference.crossed.naming import Draws, read_of, variables, with_offsets
from formulajoint.inference.crossed.sampling import sample_scales
from formulajoint.inference.crossed.sums import Sums, sums_of
from formulajoint.inference.crossed.ties import tied
from formulajoint.inference.draws.kept import read_by_contrasts
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.gaussian.naming import named_draws
from formulajoint.inference.importance.sampled import POOLS, AtDraws, Heights, Sampled, evidence_of, repeats
from formulajoint.inference.latent.ties import Equal
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.inference.settings import ALL, Settings
from formulajoint.remarks import Missing
from formulajoint.wording import sentence

LOST_DIGITS = 1e-3
"""Largest error of the log density from rounding in the sum of squares."""

log = logging.getLogger("formulajoint")


@dataclass(frozen=True, slots=True)
class Crossed:
    """The exact engine for Gaussian models with several grouping factors."""

    @property
    def name(self) -> str:
        """The engine as users name it."""
        return "exact"

    def why_not(self, plan: Plan) -> Missing | None:
        """Return the reason the engine does not cover a plan; None if it does."""
        return why_not(plan)

    def draw(self, plan: Plan, settings: Settings) -> NamedDraws:
        """Return draws for a plan that the engine covers."""
        started = time.perf_counter()
        log.info("exact: coefficients in closed form, sigmas and the like by importance sampling")
        model = model_of(plan)
        sums = sums_of(model)
        scales_seed, coefficients_seed, ahead_seed = np.random.SeedSequence(settings.seed).spawn(3)
        draws, chains = int(settings.draws), int(settings.chains)
        ahead = ahead_of(sums, last_points(sums, draws * chains), draws * chains, ahead_seed)
        found = sample_scales(sums, draws, chains, scales_seed, ahead)
        if lost := _lost_digits(sums, found):
            raise InferenceError(sentence(lost.reason))
        values = model.scales.values(found.points[0].reshape(chains * draws, found.points.shape[-1]))
        rng = np.random.default_rng(coefficients_seed)
        kept = range(len(model.factors)) if settings.keep == ALL else read_of(model, read_by_contrasts(plan))
        offsets = with_offsets(model) if settings.keep == ALL else ()
        coefficients = draw_coefficients(sums, values, rng, kept, offsets, ahead)
        made = variables(plan, model, Draws(values.reshape(chains, draws, -1), coefficients))
        return named_draws(plan, made, found, settings, started)

    def log_evidence(self, plan: Plan, seed: int, equal: Equal | None = None) -> LogIntegral | Missing:
        """Return log p(y) of a plan that the engine covers, with its standard error, or the reason it is unavailable.

        Parameters
        ----------
        plan : Plan
        seed : int
        equal : Equal, optional
            Coefficients that some groups share.
        """
        model, seen_by = model_of(plan), plan.design.predictor.grouping
        if equal is not None and seen_by is not None:
            model = tied(model, seen_by.name, equal)
        sums = sums_of(model)
        return evidence_of(
            lambda draws, pools: sample_scales(sums, draws, pools, np.random.SeedSequence(seed)),
            lambda found: _lost_digits(sums, found),
        )

    def log_likelihoods(self, plan: Plan, others: Iterable[Plan], seed: int, draws: int) -> AtDraws:
        """Return log p(y | phi) of a plan, and of others with other row weights, at `draws` draws of phi by pool."""
        sums = sums_of(model_of(plan))
        found = sample_scales(sums, draws, POOLS, np.random.SeedSequence(seed))
        points = found.points[0].reshape(draws * POOLS, -1)
        each = (Heights(log_likelihood(sums_of(model_of(other)), points)) for other in others)
        return AtDraws(Heights(log_likelihood(sums, points)), each, repeats(found))


def _lost_digits(sums: Sums, found: Sampled) -> Missing | None:
    """Return the reason draws of phi are invalid: sigma is small against what the coefficients explain."""
    sigma = np.min(sums.model.scales.values(found.points[0])[..., : sums.model.sigmas.count], axis=-1)
    errors = np.finfo(float).eps * float(sums.rest[-1, -1]) / sigma**2
    if np.mean(errors > LOST_DIGITS) <= 0.01:
        return None
    return Missing(
        "digits",
        f"sigma is as small as {np.min(sigma):.1g} in the posterior, too small for double precision beside what the "
        "coefficients explain",
    )
