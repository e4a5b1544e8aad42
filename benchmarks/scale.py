"""Time and memory from Parquet files to the printed answer, by rows and groups, beside DuckDB's bare aggregation.

    python benchmarks/scale.py FOLDER [ROWS,GROUPS ...]

makes a Parquet file for each pair in FOLDER unless it is there, and prints a row for each: seconds of the processor and
of the clock for (a) DuckDB's group-by of the same counts, sums, squares and products, without means taken off (the
floor), (b) `fj.moments` by DuckDB, its packages imported, (c) the fit of these moments with `keep="contrasts"`, (d) its
print; and the largest memory of the process. Each pair runs in a process of its own, with two threads and 2 GB for
DuckDB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import duckdb

SIZES = ("100000,100", "1000000,2000", "10000000,2000", "1000000,100000")
FORMULA = "score ~ treatment + (1 + treatment | school)"


def connected() -> duckdb.DuckDBPyConnection:
    """Return a connection with two threads and little memory."""
    return duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})


def make(path: Path, rows: int, groups: int) -> None:
    """Write rows of a varying intercept and slope, groups of about the same size."""
    connected().execute(
        f"""copy (select (hash(i) % {groups})::int as school, ((i // {groups}) % 2)::double as treatment,
        50 + 2 * sin(hash(i) % {groups}) + (3 + cos(hash(i) % {groups})) * ((i // {groups}) % 2)
        + 5 * sqrt(-2 * ln(1 - (hash(i * 3 + 1) % 1000003) / 1000003.0)) * cos(2 * pi() * (hash(i * 7 + 2) % 999983)
        / 999983.0) as score from range({rows}) t(i)) to '{path}' (format parquet)"""
    )


def timed(
    steps: dict[str, tuple[float, float]], name: str, start: tuple[float, float]
) -> tuple[float, float]:
    """Record the seconds of a step, and return the time now."""
    now = time.process_time(), time.perf_counter()
    steps[name] = now[0] - start[0], now[1] - start[1]
    return now


def measure(path: Path) -> None:
    """Print the times and memory of one file as JSON."""
    import formulajoint as fj

    steps: dict[str, tuple[float, float]] = {}
    database = connected()
    fj.moments(FORMULA, database.read_parquet(str(path)).limit(1000))  # imports the packages
    start = time.process_time(), time.perf_counter()
    database.execute(
        f"""select school, treatment, count(*), sum(score), sum(score * score), sum(score * treatment),
        sum(treatment), sum(treatment * treatment) from '{path}' group by all"""
    ).fetchnumpy()
    start = timed(steps, "floor", start)
    moments = fj.moments(FORMULA, database.read_parquet(str(path)))
    start = timed(steps, "moments", start)
    fit = fj.fit(FORMULA, moments, seed=1, progress=False, keep="contrasts")
    start = timed(steps, "fit", start)
    str(fit)
    timed(steps, "print", start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"steps": steps, "memory": memory, "cells": len(moments.codes)}))


def main() -> None:
    """Run the sizes given, or the usual ones."""
    folder, sizes = Path(sys.argv[1]), sys.argv[2:] or SIZES
    print("        rows    groups     cells   floor        moments      fit          print        GB")
    for size in sizes:
        rows, groups = map(int, size.split(","))
        path = folder / f"{rows}_{groups}.parquet"
        if not path.exists():
            make(path, rows, groups)
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(path)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"{rows:12,} {groups:9,}  failed: {done.stderr.strip().splitlines()[-1]}", flush=True)
            continue
        found = json.loads(done.stdout)
        times = "  ".join(f"{cpu:5.1f} {wall:5.1f}" for cpu, wall in found["steps"].values())
        print(f"{rows:12,} {groups:9,} {found['cells']:9,}  {times}  {found['memory']:5.2f}", flush=True)


if __name__ == "__main__":
    measure(Path(sys.argv[2])) if sys.argv[1] == "--one" else main()
