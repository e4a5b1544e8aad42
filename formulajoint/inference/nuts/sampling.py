"""NUTS on the PyMC model, by any of the samplers that PyMC can call."""

from __future__ import annotations

import logging
import sys
import time

import pymc as pm
from pytensor.configdefaults import config
from xarray import DataTree

from formulajoint.errors import InferenceError
from formulajoint.inference.draws.dims import name_dims
from formulajoint.inference.settings import Settings, quiet

log = logging.getLogger("formulajoint")


def sample(model: pm.Model, sampler: str, settings: Settings) -> DataTree:
    """Return posterior draws of every variable of `model`, with sample statistics and observed data.

    The same seed and sampler on the same machine give the same draws to the bit.

    Raises
    ------
    InferenceError
        If the sampler cannot start or fails.
    """
    started = time.perf_counter()
    # Numba's fast arithmetic rounds differently when it compiles and when it finds its own cache.
    with quiet(), config.change_flags(numba__fastmath=False):
        try:
            tree: DataTree = pm.sample(
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                random_seed=settings.seed,
                nuts_sampler=sampler,
                nuts={"target_accept": settings.target_accept},
                model=model,
                progressbar=settings.progress and _is_watched(),
                compute_convergence_checks=False,
            )
        except Exception as error:  # four packages, each with its own errors
            reason = str(error).partition("Stack backtrace")[0].strip()  # nutpie's, of no use to a reader
            raise InferenceError(f"{sampler} could not sample this model: {reason}") from error
    tree.attrs["engine"] = sampler
    log.info(
        "%s drew %d x %d in %.1f s", sampler, settings.chains, settings.draws, time.perf_counter() - started
    )
    return name_dims(tree, model)


def _is_watched() -> bool:
    """Return whether a progress bar is visible: in a terminal or a notebook, not in a log."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules
