"""Choose an engine, run it, and record why the exact one was not used."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from formulajoint.compiler.over import only_factor
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.errors import InferenceError
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.gaussian.engine import Gaussian
from formulajoint.inference.importance.sampled import AtDraws
from formulajoint.inference.latent.device import NUMPY, Device, find_device
from formulajoint.inference.memory import keep_freed_memory
from formulajoint.inference.nuts.engine import SAMPLERS, Nuts, check_installed
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.inference.settings import Settings
from formulajoint.remarks import Missing
from formulajoint.wording import did_you_mean, listed, phrase

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

    from formulajoint.inference.latent.ties import Equal

EXACT = "exact"
"""What users call every engine of our own."""

ENGINES = ("auto", EXACT, *SAMPLERS)

log = logging.getLogger("formulajoint")


class Engine(Protocol):
    """A way to draw from the posterior of a plan."""

    @property
    def name(self) -> str:
        """The engine as users name it."""

    def why_not(self, plan: Plan) -> Missing | None:
        """Return the reason the engine does not cover a plan; None if it does."""

    def draw(self, plan: Plan, settings: Settings) -> NamedDraws | DataTree:
        """Return draws for a plan that the engine covers."""


class ExactEngine(Engine, Protocol):
    """An engine of our own, which has the evidence, too."""

    def draw(self, plan: Plan, settings: Settings) -> NamedDraws:
        """Return draws for a plan that the engine covers."""

    def log_evidence(self, plan: Plan, seed: int, equal: Equal | None = None) -> LogIntegral | Missing:
        """Return log p(y) of a plan that the engine covers, or the reason it is unavailable."""

    def log_likelihoods(self, plan: Plan, others: Iterable[Plan], seed: int, draws: int) -> AtDraws:
        """Return log p(y | phi) of a plan, and of others with other weights of rows, at draws of the plan's phi."""


def exact_engine(plan: Plan, device: Device = NUMPY) -> ExactEngine | Missing:
    """Return the exact engine for a plan, or the reason it does not cover it."""
    engine: ExactEngine = Gaussian(device)
    by_numpy = ""
    if plan.family.affine is not None or plan.family.smooth is not None:
        # a dozen modules for other families
        from formulajoint.inference.groupwise.applies import why_by_numpy
        from formulajoint.inference.groupwise.engine import Groupwise

        engine, by_numpy = Groupwise(device), why_by_numpy(plan)
    elif plan.mean.varying and not only_factor(plan):
        from formulajoint.inference.crossed.engine import Crossed  # loads SciPy

        engine, by_numpy = Crossed(), "With several grouping factors the exact engine computes on the CPU."
    missing = engine.why_not(plan)
    keep_freed_memory()
    if missing is None and by_numpy and device is not NUMPY:
        raise InferenceError(f"{by_numpy} Leave `device` out.")
    return missing or engine


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Draws, the engine that produced them, and why not the exact one (empty if it was, or another was requested)."""

    draws: NamedDraws | DataTree
    engine: str
    why: str = ""


def check_engine(engine: str) -> None:
    """Raise an InferenceError if there is no such engine, or it is not installed."""
    if engine not in ENGINES:
        hint = did_you_mean(str(engine), ENGINES) or f"there are {listed(ENGINES)}."
        raise InferenceError(f"There is no engine `{engine}`: {hint}")
    if engine in SAMPLERS:
        check_installed(engine)


def run(plan: Plan, build: Callable[[], pm.Model], engine: str, settings: Settings) -> Drawn:
    """Return posterior draws of a plan.

    Parameters
    ----------
    plan : Plan
    build : callable
        Returns the PyMC model; called for NUTS only.
    engine : str
        ``auto`` is the exact engine where it applies and its importance weights can be trusted, else nutpie.
    settings : Settings

    Raises
    ------
    InferenceError
        If there is no such engine or device, it is not installed, it does not apply, or it fails.
    """
    check_engine(engine)
    settings.check()
    if _all_known(plan):
        raise InferenceError("There is nothing to draw: every coefficient and sigma is a constant.")
    if engine in SAMPLERS:
        if settings.device is not None:
            raise InferenceError(
                f"`device` is for the exact engine, not for {engine}. Leave one of the two out."
            )
        return _drawn(Nuts(engine, build), plan, settings)
    device = find_device(settings.device)
    exact = exact_engine(plan, device)
    if settings.sampler and (engine == EXACT or not isinstance(exact, Missing)):
        raise InferenceError(
            "The exact engine draws this model, and takes no arguments of a sampler: leave out "
            f"{listed(settings.sampler)}, or choose a sampler, such as engine='nutpie'."
        )
    if engine == EXACT:
        if isinstance(exact, Missing):
            raise InferenceError(f"The exact engine does not apply: {exact.reason}. Use engine='auto'.")
        return _drawn(exact, plan, settings)
    found = exact if isinstance(exact, Missing) else _if_trusted(exact, plan, settings)
    if isinstance(found, Drawn):
        return found
    why = found.reason + (f"; nutpie does not draw on {device.name}" if device is not NUMPY else "")
    log.info("not by the exact engine: %s", why)
    return _drawn(Nuts("nutpie", build), plan, settings, why)


def _all_known(plan: Plan) -> bool:
    """Return whether every parameter is a constant; a coefficient under a hierarchy is not."""
    pooled = any(
        part.pool if isinstance(part, ScalePlan) else part.pools or part.varying for part in plan.parameters
    )
    return not pooled and all(prior.constant is not None for _, prior in plan.priors)


def _drawn(engine: Engine, plan: Plan, settings: Settings, why: str = "") -> Drawn:
    return Drawn(engine.draw(plan, settings), engine.name, why)


def _if_trusted(engine: ExactEngine, plan: Plan, settings: Settings) -> Drawn | Missing:
    """Return draws, or the reason to draw by NUTS instead."""
    try:
        draws = engine.draw(plan, settings)
    except InferenceError as error:
        return Missing("engine", phrase(str(error)))
    missing = draws.trust.why_not()
    if missing is None or draws.trust.modes > 1:  # NUTS would stay in one of the modes
        return Drawn(draws, engine.name)
    return missing
