"""NUTS on the PyMC model, by any of the samplers that PyMC can call."""

from __future__ import annotations

import importlib.util
import logging
import sys
import time
from numbers import Real

import pymc as pm
import pytensor
from xarray import DataTree

from formulajoint.errors import InferenceError, did_you_mean, listed
from formulajoint.inference.dims import name_dims
from formulajoint.inference.settings import check_seed, check_whole, quiet

SAMPLERS = ("nutpie", "pymc", "numpyro", "blackjax")
"""Names of ``engine=``, besides ``auto``, which is nutpie."""

log = logging.getLogger("formulajoint")


def choose(engine: str) -> str:
    """Return the sampler that ``engine=`` means.

    Raises
    ------
    InferenceError
        Where there is no such engine, or it is not installed.
    """
    name = "nutpie" if engine == "auto" else engine
    if name not in SAMPLERS:
        hint = did_you_mean(str(engine), ("auto", *SAMPLERS)) or f"there are {listed(('auto', *SAMPLERS))}."
        raise InferenceError(f"There is no engine `{engine}`: {hint}")
    if importlib.util.find_spec(name) is None:
        extra = name if name == "nutpie" else f"'formulajoint[{name}]'"
        raise InferenceError(f"`{name}` is not installed: pip install {extra}.")
    return name


def sample(
    model: pm.Model,
    engine: str,
    draws: int,
    tune: int,
    chains: int,
    seed: int | None,
    target_accept: float,
    progress: bool,
) -> DataTree:
    """Return posterior draws of every variable of `model`, with sample statistics and observed data.

    The same seed and sampler on the same machine give the same draws to the bit.

    Raises
    ------
    InferenceError
        Where a setting makes no sense, or the sampler cannot start or fails.
    """
    sampler = choose(engine)
    check_whole("draws", draws, 1)
    check_whole("tune", tune, 0)
    check_whole("chains", chains, 1)
    check_seed(seed)
    if not (isinstance(target_accept, Real) and 0 < target_accept < 1):
        raise InferenceError(f"`target_accept` must lie between 0 and 1, not {target_accept!r}.")
    started = time.perf_counter()
    # Numba's fast arithmetic rounds differently when it compiles and when it finds its own cache.
    with quiet(), pytensor.config.change_flags(numba__fastmath=False):
        try:
            tree: DataTree = pm.sample(
                draws=draws,
                tune=tune,
                chains=chains,
                random_seed=seed,
                nuts_sampler=sampler,
                nuts={"target_accept": target_accept},
                model=model,
                progressbar=progress and _is_watched(),
                compute_convergence_checks=False,
            )
        except Exception as error:  # four packages, each with errors of its own
            reason = str(error).partition("Stack backtrace")[0].strip()  # nutpie's, of no use to a reader
            raise InferenceError(f"{sampler} could not sample this model: {reason}") from error
    tree.attrs["engine"] = sampler
    log.info("%s drew %d x %d in %.1f s", sampler, chains, draws, time.perf_counter() - started)
    return name_dims(tree, model)


def _is_watched() -> bool:
    """Tell whether somebody can see a progress bar: in a terminal or a notebook, not in a log."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules
