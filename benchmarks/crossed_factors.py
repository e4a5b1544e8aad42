"""Two crossed factors by the exact engine: seconds of a whole fit, and how many independent draws of the sds it has.

The data are simulated: `y ~ x + (1 | a) + (1 | b)`, rows at random in both factors. The largest is of the size of the
ratings of lecturers by students that lme4 has as `InstEval`.

    python benchmarks/crossed_factors.py [--sizes small large ...] [--draws 1000]

Prints a line a size: seconds of the wall and of the processor for planning and drawing (four chains), independent draws
of sds, log evidence with its error, and peak memory.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd

import formulajoint as fj

SIZES = {"small": (24, 6, 144), "medium": (1_000, 200, 20_000), "large": (2_000, 1_000, 70_000)}


def crossed(a: int, b: int, rows: int, seed: int = 0) -> pd.DataFrame:
    """Return rows with random groups of both factors."""
    rng = np.random.default_rng(seed)
    one, other, x = rng.integers(0, a, rows), rng.integers(0, b, rows), rng.normal(size=rows)
    level = rng.normal(0, 1, a)[one] + rng.normal(0, 0.5, b)[other]
    y = level + 0.3 * x + rng.normal(0, 1.2, rows)
    return pd.DataFrame({"y": y, "x": x, "a": one.astype(str), "b": other.astype(str)})


def line(name: str, draws: int) -> str:
    """Return the line of a size."""
    data = crossed(*SIZES[name])
    wall, processor = time.perf_counter(), time.process_time()
    fit = fj.fit("y ~ x + (1 | a) + (1 | b)", data, seed=1, draws=draws, engine="exact")
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    a, b, rows = SIZES[name]
    evidence = fit.log_evidence
    return (
        f"{a:>5,} x {b:>5,}, {rows:>6,} rows: {wall:6.2f} s, {processor:6.2f} s of the processor, "
        f"{fit.draws.named.importance_ess:6.0f} independent draws of sds, log evidence {evidence.value:.3f} "
        f"({evidence.error:.3f}), {memory:.0f} MB"
    )


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="*", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--draws", type=int, default=1000)
    given = parser.parse_args()
    for name in given.sizes:
        print(line(name, given.draws), flush=True)


if __name__ == "__main__":
    main()
