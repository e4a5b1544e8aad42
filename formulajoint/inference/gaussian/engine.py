"""The engine for Gaussian models: coefficients in closed form given phi, phi by importance sampling or quadrature."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import Plan
from formulajoint.errors import DataError
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.gaussian.applies import MOST_SCALES, lost_digits, why_not
from formulajoint.inference.gaussian.draws import measure_scales, sample_phi
from formulajoint.inference.gaussian.marginal import at_values, kernel
from formulajoint.inference.gaussian.naming import all_draws, kept_draws, noise_of_contrasts, packed
from formulajoint.inference.gaussian.reduction import reduce, with_ties
from formulajoint.inference.importance.forecast import tell
from formulajoint.inference.importance.sampled import POOLS, AtDraws, Heights, evidence_of, repeats
from formulajoint.inference.latent.device import NUMPY, Device
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.inference.settings import ALL, Settings
from formulajoint.remarks import Missing
from formulajoint.wording import sentence

if TYPE_CHECKING:
    from formulajoint.inference.latent.ties import Equal

log = logging.getLogger("formulajoint")


@dataclass(frozen=True, slots=True)
class Gaussian:
    """The engine for Gaussian models, which computes on `device`."""

    device: Device = NUMPY

    @property
    def name(self) -> str:
        """The engine as users name it."""
        return "exact"

    def why_not(self, plan: Plan) -> Missing | None:
        """Return the reason the engine does not cover a plan; None if it does."""
        return why_not(by_bar(plan))

    def draw(self, plan: Plan, settings: Settings) -> NamedDraws:
        """Return draws for a plan that the engine covers."""
        started = time.perf_counter()
        log.info("exact: coefficients in closed form, sigmas and the like by importance sampling")
        if self.device is not NUMPY:
            log.info("exact: on %s", self.device.name)
        seen = by_bar(plan)
        reduction = reduce(seen)
        told = partial(tell, shown=settings.progress)
        rng = noise_of_contrasts(settings)
        with self.device.scope():
            phi = sample_phi(
                reduction, int(settings.draws), int(settings.chains), settings.seed, self.device, told
            )
            if lost := lost_digits(seen, reduction, phi.values()):  # NUTS has the same number of digits
                raise DataError(sentence(lost.reason))
            found = (all_draws if settings.keep == ALL else kept_draws)(seen, phi, rng)
        return packed(seen, found, phi.found, settings, started)

    def log_evidence(self, plan: Plan, seed: int, equal: Equal | None = None) -> LogIntegral | Missing:
        """Return log p(y) of a plan that the engine covers, with its standard error, or the reason it is unavailable.

        Parameters
        ----------
        plan : Plan
        seed : int
        equal : Equal, optional
            Coefficients that some groups share.
        """
        plan = by_bar(plan)
        reduction = reduce(plan) if equal is None else with_ties(plan, reduce(plan), equal)
        scales = reduction.structure.scales
        count = len(scales.coordinates)
        if equal is not None and reduction.structure.sigma_pool is not None:
            return Missing("engine", "with equal groups, sigmas with a hierarchy are not integrated out")
        if equal is not None and count > MOST_SCALES:  # `why_not` assumes groups that share nothing
            return Missing("engine", f"with equal groups, {count} sigmas are more than {MOST_SCALES} at once")
        return evidence_of(
            lambda draws, pools: measure_scales(
                kernel(reduction), draws, pools, np.random.SeedSequence(seed)
            ),
            lambda found: lost_digits(plan, reduction, scales.values(found.points[0])),
        )

    def log_likelihoods(self, plan: Plan, others: Iterable[Plan], seed: int, draws: int) -> AtDraws:
        """Return log p(y | phi) of a plan, and of others with other row weights, at `draws` draws of phi by pool."""
        phi = sample_phi(reduce(by_bar(plan)), draws, POOLS, seed, self.device)
        values = phi.values()
        points = values.reshape(-1, values.shape[-1])

        def at_draws(each: Plan) -> Heights:
            return Heights(at_values(kernel(reduce(by_bar(each)), self.device), points))

        return AtDraws(at_draws(plan), map(at_draws, others), repeats(phi.found))
