"""What a change costs: this checkout beside another one, in turn, on the same data.

    git worktree add ../before <commit>
    python benchmarks/before_after.py ../before [--turns 5] [--only NAME ...]

Each turn is a fresh process of either checkout. It times `model.fit()` with a few seeds, after a first one that warms
up, and keeps the fastest; ``fresh process`` is a whole process, from its start to the table. Printed are the medians of
the turns, their ratio, and the bound of the ratio. ``printed`` is a fresh process from a Polars frame in memory to the
printed answer, in seconds of the processor, the package's import included but that of pandas: the least of the turns,
and what reading, fit and print take of it. Exits with 1 where a bound is not kept.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from cases import CASES, Case, simulated

HERE = Path(__file__).resolve()
POOLED, UNPOOLED = "y ~ x | g, hierarchy(), joint(weights=n)", "y ~ x | g, joint(weights=n)"
SEEDS = 5


@dataclass(frozen=True)
class Costs:
    """What is timed, and how many times what it cost before it may cost."""

    case: Case
    formula: str
    most: float


def _unpooled(rows: int, groups: int) -> Costs:
    case = Case(f"{rows:,} rows", "unpooled", rows, groups, simulated(rows, groups))
    return Costs(case, UNPOOLED, 0.2)


COSTS = {
    **{case.name: Costs(case, POOLED, 1.3) for case in CASES if case.model == "hierarchy"},
    **{
        each.case.name: each
        for each in (_unpooled(459, 32), _unpooled(8437, 369), _unpooled(1_000_000, 2000))
    },
}
FRESH = 1.05

PRINTED = {"printed, pooled": POOLED, "printed, not pooled": UNPOOLED}
WHOLE = 0.2
"""What a million rows in 2,000 groups are printed from, and how many times what it cost before that may cost."""


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("--turns", type=int, default=5)
    names = [*COSTS, *PRINTED]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--child", choices=names, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child in PRINTED:
        print(*printed_seconds(PRINTED[given.child]))
        return
    if given.child:
        print(fit_seconds(COSTS[given.child]))
        return
    checkouts = given.before.resolve(), HERE.parents[1]
    kept = line("fresh process", *in_turn(checkouts, given.turns, fresh_seconds), FRESH)
    for name in (each for each in given.only if each in PRINTED):
        kept &= printed_line(name, checkouts, given.turns)
    for name in (each for each in given.only if each in COSTS):
        before, after = in_turn(
            checkouts, given.turns, lambda checkout, name=name: child_seconds(checkout, name)
        )
        kept &= line(name, before, after, COSTS[name].most)
    sys.exit(not kept)


def in_turn(checkouts, turns, seconds):
    """Return the median seconds of each checkout, timed in turn."""
    found = [[seconds(checkout) for checkout in checkouts] for _ in range(turns)]
    return tuple(median(own) for own in zip(*found, strict=True))


def line(name: str, before: float, after: float, most: float) -> bool:
    """Print what a case costs; return whether its bound is kept."""
    kept = after <= most * before
    word, ratio = "pass" if kept else "FAIL", after / before
    print(
        f"{word}  {name:16s} before {before:7.3f} s   after {after:7.3f} s   ratio {ratio:.2f} <= {most}",
        flush=True,
    )
    return kept


def printed_line(name: str, checkouts, turns) -> bool:
    """Print what it costs from a frame to the printed answer, with its parts; return whether the bound is kept."""
    found = [[child_numbers(checkout, name) for checkout in checkouts] for _ in range(turns)]
    before, after = (min(own, key=sum) for own in zip(*found, strict=True))
    kept = line(name, sum(before), sum(after), WHOLE)
    for word, parts in (("before", before), ("after", after)):
        shares = (
            f"{what} {part:.2f} s" for what, part in zip(("reading", "fit", "print"), parts, strict=True)
        )
        print(f"      {word:6s} {', '.join(shares)}", flush=True)
    return kept


def printed_seconds(formula: str) -> list[float]:
    """Return the seconds of the processor that reading a frame, the fit and its print take."""
    import polars

    frame = polars.from_pandas(simulated(1_000_000, 2000)())
    times = [time.process_time()]
    import formulajoint as fj

    model = fj.model(formula, frame)
    times.append(time.process_time())
    fit = model.fit(seed=1, progress=False)
    times.append(time.process_time())
    str(fit)
    times.append(time.process_time())
    return [end - start for start, end in pairwise(times)]


def fit_seconds(costs: Costs) -> float:
    """Return the seconds of the fastest fit."""
    import formulajoint as fj

    model = fj.model(costs.formula, costs.case.make())
    model.fit(seed=0)
    return min(_timed(lambda seed=seed: model.fit(seed=seed)) for seed in range(1, SEEDS + 1))


def _timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def child_seconds(checkout: Path, name: str) -> float:
    """Return what a process with a checkout's package measures."""
    return child_numbers(checkout, name)[0]


def child_numbers(checkout: Path, name: str) -> list[float]:
    """Return the numbers in the last line that such a process prints."""
    return [float(each) for each in run(checkout, str(HERE), ".", "--child", name).splitlines()[-1].split()]


def fresh_seconds(checkout: Path) -> float:
    """Return the seconds of a whole process that fits the seed data, by the quickest of three."""
    code = (
        "import formulajoint as fj; "
        "print(fj.fit('test_score ~ treatment | school, joint(weights=n)', fj.tutoring(), seed=1).contrasts())"
    )
    return min(_timed(lambda: run(checkout, "-c", code)) for _ in range(3))


def run(checkout: Path, *arguments: str) -> str:
    """Return what a process with a checkout's package prints."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, cwd=checkout
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
