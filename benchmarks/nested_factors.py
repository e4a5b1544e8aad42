"""Nested factors by the exact engine: seconds of a whole fit, and how many independent draws of the sds it has.

The data are simulated: `y ~ x + (1 | district/school/class)`, each class of six pupils, each school of four classes on
average, each district of twenty-five schools on average.

    python benchmarks/nested_factors.py [--sizes small medium large] [--draws 1000] [--keep all]

Prints a line a size: seconds of the wall and of the processor for planning and drawing (four chains), milliseconds of
the processor for a point of sigma and the sds, independent draws of these, log evidence with its error, peak memory.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd

import formulajoint as fj
from formulajoint.inference.crossed.marginal import log_likelihood
from formulajoint.inference.crossed.model import model_of
from formulajoint.inference.crossed.sums import sums_of

SIZES = {"small": (8, 200, 800), "medium": (50, 1_000, 4_000), "large": (200, 5_000, 20_000)}
FORMULA = "y ~ x + (1 | district/school/class)"


def nested(districts: int, schools: int, classes: int, seed: int = 0) -> pd.DataFrame:
    """Return pupils in classes, schools and districts."""
    rng = np.random.default_rng(seed)
    school = rng.integers(0, schools, classes)
    district = rng.integers(0, districts, schools)
    row = np.repeat(np.arange(classes), 6)
    x = rng.normal(size=len(row))
    y = 0.3 * x + rng.normal(0, 1.0, len(row)) + rng.normal(0, 0.5, classes)[row]
    y += rng.normal(0, 0.4, schools)[school[row]] + rng.normal(0, 0.3, districts)[district[school[row]]]
    names = {"district": district[school[row]], "school": school[row], "class": row}
    return pd.DataFrame({"y": y, "x": x} | {name: codes.astype(str) for name, codes in names.items()})


def line(name: str, draws: int, keep: str) -> str:
    """Return the line of a size."""
    data = nested(*SIZES[name])
    wall, processor = time.perf_counter(), time.process_time()
    fit = fj.fit(FORMULA, data, seed=1, draws=draws, engine="exact", keep=keep)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sums = sums_of(model_of(fit.model.plan))
    points = np.random.default_rng(0).normal(0, 0.1, (20, 4))
    one = time.process_time()
    log_likelihood(sums, points)
    one = (time.process_time() - one) / len(points)
    evidence = fit.log_evidence
    return (
        f"{SIZES[name][2]:>6,} classes: {wall:6.2f} s, {processor:6.2f} s of the processor, "
        f"{1e3 * one:.2f} ms a point, {fit.draws.named.importance_ess:.0f} independent draws of sds, "
        f"log evidence {evidence.value:.3f} ({evidence.error:.3f}), {memory:.0f} MB"
    )


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="*", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--keep", choices=["all", "contrasts"], default="all")
    given = parser.parse_args()
    for name in given.sizes:
        print(line(name, given.draws, given.keep), flush=True)


if __name__ == "__main__":
    main()
