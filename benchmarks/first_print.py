"""What the first print of a fit costs: this checkout beside another one, in turn, on the same data.

    git worktree add ../before <commit>
    OMP_NUM_THREADS=1 python benchmarks/first_print.py ../before [--turns 3] [--only NAME ...]

Each turn is a fresh process of either checkout. It fits a model and prints the fit to warm up, then times another
`model.fit()` and its first `str(fit)`. Printed are the medians of the turns. A print may cost a tenth of its
fit, or 0.15 seconds; exits with 1 where it costs more.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

from before_after import HERE, POOLED, UNPOOLED, run
from cases import simulated

CASES = {
    f"{name}, {'pooled' if formula == POOLED else 'not pooled'}": (formula, rows, groups)
    for name, rows, groups in (
        ("459 rows", 459, 32),
        ("8,437 rows", 8437, 369),
        ("500,000 rows", 500_000, 50),
        ("1e6 rows", 1_000_000, 2000),
    )
    for formula in (POOLED, UNPOOLED)
}
"""Formula, rows and groups of each case."""

MOST_SECONDS, MOST_SHARE = 0.15, 0.1
"""Most seconds of a first print, and most as a share of the fit's: the larger of the two holds."""


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--child", choices=list(CASES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(*seconds(*CASES[given.child]))
        return
    checkouts = given.before.resolve(), HERE.parents[1]
    kept = [line(name, *in_turn(checkouts, name, given.turns)) for name in given.only]
    sys.exit(not all(kept))


def seconds(formula: str, rows: int, groups: int) -> tuple[float, float]:
    """Return the seconds of a fit, and of its first print."""
    import formulajoint as fj

    model = fj.model(formula, simulated(rows, groups)())
    str(model.fit(seed=0))
    started = time.perf_counter()
    fit = model.fit(seed=1)
    fitted = time.perf_counter()
    str(fit)
    return fitted - started, time.perf_counter() - fitted


def in_turn(checkouts: tuple[Path, Path], name: str, turns: int) -> list[tuple[float, float]]:
    """Return the medians of each checkout's seconds, timed in turn."""
    found: list[list[tuple[float, ...]]] = [[], []]
    for _ in range(turns):
        for own, checkout in zip(found, checkouts, strict=True):
            out = run(checkout, str(Path(__file__).resolve()), ".", "--child", name)
            own.append(tuple(map(float, out.splitlines()[-1].split())))
    return [(median(fit for fit, _ in own), median(first for _, first in own)) for own in found]


def line(name: str, before: tuple[float, float], after: tuple[float, float]) -> bool:
    """Print what a case costs; return whether its bound is kept."""
    fit, first = after
    bound = max(MOST_SECONDS, MOST_SHARE * fit)
    word = "pass" if first <= bound else "FAIL"
    print(
        f"{word}  {name:24s} fit {before[0]:7.3f} -> {fit:7.3f} s   "
        f"first print {before[1]:7.3f} -> {first:7.3f} s <= {bound:.3f}",
        flush=True,
    )
    return first <= bound


if __name__ == "__main__":
    main()
