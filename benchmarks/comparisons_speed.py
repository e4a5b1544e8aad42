"""Time and memory of average comparisons and predictions of many rows, by the processor's time.

The posterior is 4,000 draws of random numbers, so that nothing is sampled: `hit ~ t * x + (1 + t | g)` with a logit
link, 100,000 rows in 2,000 groups, `x` with a value of its own in each row, so that no two rows are alike.

    python benchmarks/comparisons_speed.py [--rows 100000] [--groups 2000] [--predict 0]
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from prediction_tables import record

import formulajoint as fj
from formulajoint.api.model import JointModel
from formulajoint.compiler.evaluate.contrast_nodes import variable_dims
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.results.draws.posterior import Posterior


def made_up_data(rows: int, groups: int) -> pd.DataFrame:
    """Return rows of which no two are alike."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"g": rng.permutation(np.arange(rows) % groups).astype(str), "x": rng.normal(size=rows)}
    )
    data["t"], data["hit"] = rng.integers(0, 2, rows), rng.integers(0, 2, rows)
    return data


def made_up(rows: int, groups: int) -> fj.Fit:
    """Return a fit whose draws are random numbers."""
    data, rng = made_up_data(rows, groups), np.random.default_rng(2)
    plan = fj.model("hit ~ t * x + (1 + t | g), family(bernoulli)", data).plan
    variables = {}
    for name, dims in variable_dims(plan).items():
        shape = (4, 1000, *(len(plan.coords[dim]) for dim in dims))
        variables[name] = (dims, 0.3 * rng.normal(size=shape))
    coords = {dim: np.array(labels) for dim, labels in plan.coords.items()}
    return fj.Fit(JointModel(plan), Posterior(plan, NamedDraws(variables, coords, {}, {}, {}), "made up"))


def timed(size: str, what: str, function: Callable[[], object]) -> None:
    """Print and record the processor's seconds and the peak of memory so far."""
    start = time.process_time()
    function()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{size}, {what}: {seconds:.1f} s of the processor, peak {peak:.2f} GB", flush=True)
    record("speed", f"{size}, {what}", {"size": size, "what": what, "seconds": seconds, "peak_gb": peak})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--groups", type=int, default=2_000)
    parser.add_argument("--predict", type=int, default=0, help="also predict so many rows")
    given = parser.parse_args()
    fit = made_up(given.rows, given.groups)
    size = f"{given.rows:,} rows, {given.groups:,} groups"
    timed(size, "comparisons", lambda: fit.comparisons("t"))
    timed(size, "comparisons by group", lambda: fit.comparisons("t", by="g"))
    if given.predict:
        rows = given.predict
        some = {"g": ["1"] * rows, "t": np.zeros(rows), "x": np.linspace(0, 1, rows)}
        timed(size, f"{rows:,} rows predicted", lambda: fit.predict(some))
