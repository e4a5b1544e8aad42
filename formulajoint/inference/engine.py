"""Choose an engine, run it, and record why the exact one was not used."""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.errors import DataError, InferenceError
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.gaussian.applies import lost_digits, why_not
from formulajoint.inference.gaussian.draws import draw
from formulajoint.inference.gaussian.evidence import why_not_trusted
from formulajoint.inference.gaussian.naming import posterior
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.inference.latent.device import NUMPY, Device, find_device
from formulajoint.inference.settings import Settings
from formulajoint.wording import did_you_mean, listed

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

SAMPLERS = ("nutpie", "pymc", "numpyro", "blackjax")
"""Samplers by NUTS: names of ``engine=``, besides ``auto`` and ``exact``."""

ENGINES = ("auto", "exact", *SAMPLERS)

log = logging.getLogger("formulajoint")


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
        _check_installed(engine)


def _check_installed(sampler: str) -> None:
    if importlib.util.find_spec(sampler) is None:
        extra = sampler if sampler == "nutpie" else f"'formulajoint[{sampler}]'"
        raise InferenceError(f"`{sampler}` is not installed: pip install {extra}.")


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
        _check_no_device(engine, settings)
        return _by_nuts(plan, build, engine, settings)
    device, reason = find_device(settings.device), why_not(plan)
    if reason and engine == "exact":
        raise InferenceError(f"The exact engine does not apply: {reason}. Use engine='auto'.")
    if not reason:
        try:
            draws = exact(plan, settings, device)
        except InferenceError as error:
            if engine == "exact":
                raise
            reason = str(error)[0].lower() + str(error)[1:].rstrip(".")
        else:
            reason = why_not_trusted(draws.k_hat, draws.disagreement)
            if not reason or engine == "exact" or draws.modes > 1:  # NUTS would stay in one of the modes
                return Drawn(draws, "exact")
    if device is not NUMPY:
        reason += f"; nutpie does not draw on {device.name}"
    log.info("not by the exact engine: %s", reason)
    return _by_nuts(plan, build, "nutpie", settings, reason)


def _all_known(plan: Plan) -> bool:
    """Return whether every parameter is a constant; a coefficient under a hierarchy is not."""
    pooled = any(part.pool if isinstance(part, ScalePlan) else part.pools for part in plan.parameters)
    return not pooled and all(prior.constant is not None for _, prior in plan.priors)


def _check_no_device(engine: str, settings: Settings) -> None:
    if settings.device is not None:
        raise InferenceError(f"`device` is for the exact engine, not for {engine}. Leave one of the two out.")


def exact(plan: Plan, settings: Settings, device: Device = NUMPY) -> NamedDraws:
    """Return draws by the exact engine, for a plan that it covers."""
    started = time.perf_counter()
    log.info("exact: coefficients in closed form, sigmas and the like by importance sampling")
    if device is not NUMPY:
        log.info("exact: on %s", device.name)
    reduction = reduce(plan)
    draws = draw(reduction, int(settings.draws), int(settings.chains), settings.seed, device)
    lost = lost_digits(plan, reduction, draws.values)
    if lost:  # NUTS has the same number of digits
        raise DataError(lost[0].upper() + lost[1:] + ".")
    seconds = time.perf_counter() - started
    log.info(
        "exact drew %d x %d in %.2f s, k-hat %.2f", settings.chains, settings.draws, seconds, draws.k_hat
    )
    shares_seed = None if settings.seed is None else [int(settings.seed), 1]
    rng = np.random.default_rng(shares_seed)
    return posterior(plan, reduction.structure, draws, rng, seconds, settings.to_say_again("exact"))


def _by_nuts(
    plan: Plan, build: Callable[[], pm.Model], sampler: str, settings: Settings, why: str = ""
) -> Drawn:
    log.info("%s: loading PyMC and compiling the model, which takes some seconds", sampler)
    from formulajoint.inference.draws.datatree import with_observed  # loads xarray
    from formulajoint.inference.nuts import sample  # loads PyMC: seconds

    _check_installed(sampler)
    tree = with_observed(sample(build(), sampler, settings), plan)
    tree.attrs |= settings.to_say_again(sampler)
    return Drawn(tree, sampler, why)
