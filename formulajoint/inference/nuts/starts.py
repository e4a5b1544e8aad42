"""Whether a sampler can start: the log density of a model at points like those that samplers start from."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
from pymc.logprob.utils import ParameterValueError
from pytensor.compile.mode import Mode

from formulajoint.arrays import BoolArray
from formulajoint.compiler.plan import Plan
from formulajoint.errors import InferenceError
from formulajoint.inference.settings import quiet
from formulajoint.wording import listed

TRIES = 100
"""Points at which the log density is computed before a model is refused."""

MOST_SHOWN = 3
"""An error shows at most this many responses."""

type Point = Mapping[str, Any]


def check_starts(model: pm.Model, plan: Plan, seed: int | None) -> None:
    """Raise an InferenceError if the log density of `model` is finite at no start point, as far as tries show.

    Samplers start at the model's initial point, each number moved by up to 1. Where the log density is nowhere finite
    they say so without a reason, and threads of nutpie go on.
    """
    with quiet():
        log_density = _log_density(model, None)
        rng, centre = np.random.default_rng(seed), model.initial_point()
        points = [centre, *(_moved(centre, rng) for _ in range(TRIES))]
        if any(np.isfinite(log_density(point)) for point in points):
            return
        never = _never_possible(model, plan, points)
    raise InferenceError(f"The sampler cannot start: {_reason(plan, never)}")


def wait_at_exit() -> None:
    """Let threads that nutpie leaves behind when it fails end before the interpreter does, which would crash."""
    atexit.unregister(_wait)
    atexit.register(_wait)


def _wait(longest: float = 20.0, step: float = 0.05) -> None:
    until = time.monotonic() + longest
    while _are_workers_left() and time.monotonic() < until:
        time.sleep(step)


def _are_workers_left() -> bool:
    """Return whether a thread of nutpie is at work, on systems that tell the names of threads."""
    names = Path("/proc/self/task").glob("*/comm")
    try:
        return any(name.read_text().startswith("nutpie") for name in names)
    except OSError:  # it ended meanwhile
        return True


def _moved(centre: Point, rng: np.random.Generator) -> Point:
    return {name: value + rng.uniform(-1, 1, np.shape(value)) for name, value in centre.items()}


def _log_density(model: pm.Model, variable: Any) -> Callable[[Point], Any]:
    """Return the log density of a model, or of one variable for each of its elements, without compiling it.

    Where a parameter is out of its range, it is that of an impossible value.
    """
    function = model.compile_logp(variable, sum=variable is None, mode=Mode("py", "fast_compile"))

    def at(point: Point) -> Any:
        try:
            found = function(point)
        except ParameterValueError:
            return np.array(-np.inf)
        return found if variable is None else found[0]

    return at


def _never_possible(model: pm.Model, plan: Plan, points: list[Point]) -> BoolArray:
    """Return which rows have a density above zero at none of the points; none where the rows do not stand alone."""
    rows = plan.design.rows.used
    if plan.response_name not in {each.name for each in model.observed_RVs}:
        return np.zeros(rows, dtype=np.bool_)
    log_density = _log_density(model, model[plan.response_name])
    found = [np.broadcast_to(np.isfinite(log_density(point)), (rows,)) for point in points]
    never: BoolArray = ~np.any(found, axis=0)
    return never


def _reason(plan: Plan, never: BoolArray) -> str:
    """Return why the log density is finite nowhere, and what to do."""
    family, mean = plan.family, plan.family.mean
    usual, link = mean.links[0] if mean.links else mean.link, plan.mean.link
    if link.low < usual.low or link.high > usual.high or (link is not usual and link.in_units):
        bounds = [f"above {usual.low:g}"] * bool(np.isfinite(usual.low))
        bounds += [f"below {usual.high:g}"] * bool(np.isfinite(usual.high))
        return (
            f"with the {link.name} link the {mean.meaning} of `{family.name}` must be {' and '.join(bounds)} in every "
            f"row, and at none of {TRIES} start points it is. Use the {usual.name} link, which takes any predictor: "
            f"`family({family.name})`. With the {link.name} link the predictors need an intercept, or coefficients "
            "that their priors keep in range."
        )
    if never.any() and not never.all():
        values = np.unique(plan.design.response.values[never])[:MOST_SHOWN]
        shown = listed(f"{value:g}" for value in values)
        return (
            f"`{plan.design.response.name}` is impossible under the family `{family.name}` in {never.sum()} of the "
            f"{len(never)} rows, where it is {shown}: its density is zero at each of {TRIES} start points. Drop these "
            "rows, or take a family that allows such values."
        )
    return (
        f"the log density is not a finite number at any of {TRIES} start points. Look for priors that exclude what "
        f"the data show, and for responses that the family `{family.name}` does not allow."
    )
