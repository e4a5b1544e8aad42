"""NUTS on the PyMC model, by any of the samplers that PyMC can call."""

from __future__ import annotations

import importlib.util
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pymc as pm
from xarray import DataTree

from formulajoint.errors import InferenceError, did_you_mean, listed
from formulajoint.inference.dims import name_dims

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
        hint = did_you_mean(engine, ("auto", *SAMPLERS)) or f"There are {listed(('auto', *SAMPLERS))}."
        raise InferenceError(f"There is no engine `{engine}`. {hint}")
    if name != "pymc" and importlib.util.find_spec(name) is None:
        raise InferenceError(f"`{name}` is not installed: pip install 'formulajoint[{name}]'.")
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
        Where the sampler cannot start or fails.
    """
    for name, value, least in (("draws", draws, 1), ("tune", tune, 0), ("chains", chains, 1)):
        if value < least:
            raise InferenceError(f"`{name}` must be at least {least}, not {value}.")
    if not 0 < target_accept < 1:
        raise InferenceError(f"`target_accept` must lie between 0 and 1, not {target_accept}.")
    sampler = choose(engine)
    started = time.perf_counter()
    with _quiet():
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
        except (RuntimeError, ValueError, FloatingPointError, pm.exceptions.SamplingError) as error:
            raise InferenceError(f"{sampler} could not sample this model: {error}") from error
    tree.attrs["engine"] = sampler
    log.info("%s drew %d x %d in %.1f s", sampler, chains, draws, time.perf_counter() - started)
    return name_dims(tree, model)


def _is_watched() -> bool:
    """Tell whether somebody can see a progress bar: in a terminal or a notebook, not in a log."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the samplers' own log lines and warnings from users: diagnostics come from us, in words."""
    pymc_log = logging.getLogger("pymc")
    level = pymc_log.level
    pymc_log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        pymc_log.setLevel(level)
