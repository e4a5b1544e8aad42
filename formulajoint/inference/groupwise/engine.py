"""The exact engine for responses other than Gaussian, with one grouping factor.

Given what the groups share, psi, they are independent: each group's few coefficients are integrated out by adaptive
quadrature, psi is drawn by importance sampling, and the coefficients are drawn exactly given psi. Nothing is compiled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import Plan
from formulajoint.inference.draws.kept import read_by_contrasts
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.gaussian.draws import Draws
from formulajoint.inference.gaussian.naming import named_draws
from formulajoint.inference.groupwise.all_rows import added
from formulajoint.inference.groupwise.applies import MOST_NUMBERS, why_not
from formulajoint.inference.groupwise.coefficients import draw_coefficients
from formulajoint.inference.groupwise.compression import with_cells
from formulajoint.inference.groupwise.declared import check_density
from formulajoint.inference.groupwise.forecast import Forecast, forecast
from formulajoint.inference.groupwise.marginal import CHOSEN_AT, fine_enough, log_likelihood
from formulajoint.inference.groupwise.model import Model, model_of
from formulajoint.inference.groupwise.naming import variables
from formulajoint.inference.groupwise.peaks import check_peaks
from formulajoint.inference.groupwise.sampling import onwards, sample_psi
from formulajoint.inference.importance.forecast import tell
from formulajoint.inference.importance.sampled import POOLS, AtDraws, Heights, Sampled, evidence_of, repeats
from formulajoint.inference.latent.device import NUMPY, Device
from formulajoint.inference.latent.ties import Equal
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.inference.settings import ALL, Settings
from formulajoint.remarks import Missing

log = logging.getLogger("formulajoint")


@dataclass(frozen=True, slots=True)
class Groupwise:
    """The engine for responses whose log density is affine or smooth (``families/affine.py``, ``smooth.py``).

    Integrals over the groups' coefficients are computed on `device`, affine log densities only; the coefficients
    themselves are drawn by NumPy.
    """

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
        log.info("exact: coefficients by quadrature group by group, what groups share by importance sampling")
        if self.device is not NUMPY:
            log.info("exact: integrals on %s", self.device.name)
        check_density(plan)
        seen = by_bar(plan)
        model = replace(model_of(seen), device=self.device)
        psi_seed, coefficients_seed = np.random.SeedSequence(settings.seed).spawn(2)
        draws, chains = int(settings.draws), int(settings.chains)
        with self.device.scope():
            near, found = sample_psi(model, draws, chains, psi_seed, partial(tell, shown=settings.progress))
        points = found.points[0].reshape(chains * draws, -1)
        check_peaks(near, points)
        own = _of_groups(seen, settings)
        beta = np.empty((len(points), len(model.structure.base), 0))
        if own:
            beta = draw_coefficients(near, model, points, np.random.default_rng(coefficients_seed))
        values, theta = model.parts(found.points[0])
        made = Draws(
            values=values,
            theta=theta,
            beta=beta.reshape(chains, draws, *beta.shape[1:]),
            k_hat=found.k_hat,
            ess=np.min(found.ess, axis=0),
            log_evidence=found.log_integral,
            error=found.error,
            modes=found.modes,
            disagreement=found.disagreement,
        )
        return named_draws(seen, variables(seen, model, made, own), found, settings, started)

    def log_evidence(self, plan: Plan, seed: int, equal: Equal | None = None) -> LogIntegral | Missing:
        """Return log p(y) of a plan that the engine covers, with its standard error, or the reason it is unavailable.

        Parameters
        ----------
        plan : Plan
        seed : int
        equal : Equal, optional
            Coefficients that some groups share.
        """
        check_density(plan)
        seen = by_bar(plan)
        model = model_of(seen, equal)
        if (numbers := model.size) > MOST_NUMBERS:
            return Missing(
                "engine", f"under it the groups share {numbers} parameters, more than {MOST_NUMBERS}"
            )

        def sampled(draws: int, pools: int) -> Sampled:
            near, found = sample_psi(model, draws, pools, np.random.SeedSequence(seed))
            check_peaks(near, found.points[0].reshape(draws * pools, -1))
            return found

        return evidence_of(sampled, lambda found: None)

    def log_likelihoods(self, plan: Plan, others: Iterable[Plan], seed: int, draws: int) -> AtDraws:
        """Return log p(y | psi) of a plan, and of others with other row weights, at `draws` draws of psi by pool.

        Where cells stand for rows, they do in all of them: those of rows whose weights are the same are the same.
        """
        model = model_of(by_bar(plan))
        near, found = sample_psi(model, draws, POOLS, np.random.SeedSequence(seed))
        points = found.points[0].reshape(draws * POOLS, -1)
        some = slice(None, None, len(points) // CHOSEN_AT)
        rule, finer = next(onwards(fine_enough(near, points[some]), model))

        def heights(near: Forecast, whole: Model) -> Heights:
            logs, moved = log_likelihood(near, points, rule)[0], 0.0
            if finer is not None:
                moved = float(np.mean(log_likelihood(near, points[some], finer)[0] - logs[some]))
            if near.model is not whole:
                moved += float(np.mean(added(near, whole, points[some])))
            return Heights(logs + moved, moved)

        def at_draws(each: Plan) -> Heights:
            whole = replace(
                model_of(by_bar(each)), centre=model.centre, turn=model.turn
            )  # the same coordinates
            nodes = near.model.nodes
            return heights(forecast(with_cells(whole, nodes) if nodes else whole, points[0]), whole)

        return AtDraws(heights(near, model), map(at_draws, others), repeats(found))


def _of_groups(plan: Plan, settings: Settings) -> bool:
    """Return whether coefficients of single groups are drawn: they are kept, or contrasts are computed from them."""
    grouped = {each.name for each in plan.mean.coefficients if each.grouped}
    return settings.keep == ALL or not grouped.isdisjoint(read_by_contrasts(plan))
