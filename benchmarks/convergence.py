"""Effective sample sizes and r_hat of many parameters: side by side here, one after the other in ArviZ.

    python benchmarks/convergence.py                       # 4,000 parameters, 4 chains of 1,000 draws
    python benchmarks/convergence.py --parameters 100

Prints seconds, the largest relative difference of the figures, and how long a fresh process takes to load each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np

MODULES = (
    "numpy",
    "pandas",
    "xarray",
    "scipy.stats",
    "arviz_stats",
    "formulajoint.results.draws.convergence",
)


def loading(module: str) -> float:
    """Return the seconds that a fresh process takes to load a module: the least of three."""
    command = [
        sys.executable,
        "-c",
        f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)",
    ]
    return min(
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(3)
    )


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parameters", type=int, default=4000)
    options = parser.parse_args()
    for module in MODULES:
        print(f"loading {module}: {loading(module):.2f} s")

    from arviz_stats.base.array import array_stats

    from formulajoint.results.draws.convergence import ess_bulk, ess_tail, r_hat

    draws = np.random.default_rng(1).normal(size=(options.parameters, 4, 1000))
    axes = {"chain_axis": 1, "draw_axis": 2}
    figures = {
        "ess_bulk": (ess_bulk, lambda x: array_stats.ess(x, method="bulk", **axes)),
        "ess_tail": (
            lambda x: ess_tail(x, (0.05, 0.95)),
            lambda x: array_stats.ess(x, method="tail", prob=(0.05, 0.95), **axes),
        ),
        "r_hat": (r_hat, lambda x: array_stats.rhat(x, **axes)),
    }
    for name, (own, theirs) in figures.items():
        started = time.perf_counter()
        one = own(draws)
        middle = time.perf_counter()
        other = theirs(draws)
        seconds = middle - started, time.perf_counter() - middle
        apart = np.max(abs(one - other) / other)
        print(f"{name}: {seconds[0]:.2f} s here, {seconds[1]:.2f} s in ArviZ, {apart:.1e} apart")


if __name__ == "__main__":
    main()
