"""NUTS on the PyMC model, by any of the samplers that PyMC can call."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

import pymc as pm
from pytensor.configdefaults import config
from xarray import DataTree

from formulajoint.errors import InferenceError
from formulajoint.inference.draws.dims import name_dims
from formulajoint.inference.nuts.starts import wait_at_exit
from formulajoint.inference.settings import Settings, quiet
from formulajoint.wording import did_you_mean, listed

log = logging.getLogger("formulajoint")


def sample(model: pm.Model, sampler: str, settings: Settings) -> DataTree:
    """Return posterior draws of every variable of `model`, with sample statistics and observed data.

    The same seed and sampler on the same machine give the same draws to the bit.

    Raises
    ------
    InferenceError
        If the sampler cannot start or fails.
    """
    started, (of_sample, of_nuts) = time.perf_counter(), _sorted(settings.sampler, sampler)
    # Numba's fast arithmetic rounds differently when it compiles and when it finds its own cache.
    with quiet(), config.change_flags(numba__fastmath=False):
        try:
            tree: DataTree = pm.sample(
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                random_seed=settings.seed,
                nuts_sampler=sampler,
                nuts={"target_accept": settings.target_accept, **of_nuts},
                model=model,
                progressbar=settings.progress and _is_watched(),
                compute_convergence_checks=False,
                **of_sample,
            )
        except Exception as error:  # four packages, each with its own errors
            wait_at_exit()
            reason = str(error).partition("Stack backtrace")[0].strip()  # nutpie's, of no use to a reader
            if "initialization points failed" in reason:
                reason = (
                    "the log density is a finite number at none of its start points. Use narrower priors."
                )
            raise InferenceError(f"{sampler} could not sample this model: {reason}") from error
    tree.attrs["engine"] = sampler
    log.info(
        "%s drew %d x %d in %.1f s", sampler, settings.chains, settings.draws, time.perf_counter() - started
    )
    return name_dims(tree, model)


def _sorted(given: Mapping[str, object], sampler: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a sampler's arguments: those of ``pm.sample``, and those of its step, as in ``nuts={...}``."""
    top, of_sample, of_step = signature(pm.sample).parameters, dict[str, Any](), dict[str, Any]()
    for name, value in given.items():
        if name in ("nuts", "nuts_sampler_kwargs"):  # PyMC's name, and its older one
            if not isinstance(value, Mapping):
                raise InferenceError(f"`{name}` is a dict such as {{'max_treedepth': 12}}, not {value!r}.")
            of_step |= value
        else:
            (of_sample if name in top else of_step)[name] = value
    if sampler == "pymc":  # it drops others without a word
        known = [name for each in pm.NUTS.__mro__ for name in signature(each.__init__).parameters]
        if wrong := [name for name in of_step if name not in known]:
            hint = did_you_mean(wrong[0], known) or f"its NUTS takes {listed(_of_nuts(known))}."
            raise InferenceError(f"PyMC's sampler has no argument `{wrong[0]}`: {hint}")
    return of_sample, of_step


def _of_nuts(names: Iterable[str]) -> list[str]:
    return [n for n in dict.fromkeys(names) if n not in ("self", "vars", "args", "kwargs", "model", "rng")]


def _is_watched() -> bool:
    """Return whether a progress bar is visible: in a terminal or a notebook, not in a log."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules
