"""Work that is done number by number, on several cores, and can be stopped and taken up: a line of JSON a number."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

type Record = dict[str, Any]

for library in ("OMP", "OPENBLAS", "MKL"):  # a process a core; NumPy reads it where it is loaded
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def resumed(
    work: Callable[[int], Record],
    numbers: Iterable[int],
    out: Path,
    processes: int,
    told: Callable[[Record], str] = lambda _: "",
) -> list[Record]:
    """Return the records of all numbers in a file of results, having added those of `numbers` that it lacked.

    Parameters
    ----------
    work : callable
        Returns the record of a number; other processes import it.
    numbers : iterable of int
    out : Path
        A line a record. ``number`` is added to each.
    processes : int
    told : callable, optional
        What to say of a record at once; nothing where the text is empty.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    done = {record["number"] for record in read(out)}
    wanted = [number for number in numbers if number not in done]
    started, count = time.perf_counter(), 0
    with out.open("a") as lines:
        for record in _records(work, wanted, processes):
            lines.write(json.dumps(record) + "\n")
            lines.flush()
            count += 1
            if text := told(record):
                print(text, file=sys.stderr, flush=True)
            if count % 100 == 0:
                each = (time.perf_counter() - started) / count
                print(f"{count} of {len(wanted)}, {each:.2f} s each", file=sys.stderr, flush=True)
    return read(out)


def _records(work: Callable[[int], Record], wanted: list[int], processes: int) -> Iterator[Record]:
    """Yield records as they come; where a process is killed the rest begins anew, unless it had done nothing."""
    context, left = multiprocessing.get_context("spawn"), dict.fromkeys(wanted)
    while left:
        before = len(left)
        try:
            with ProcessPoolExecutor(processes, mp_context=context) as pool:
                futures = {pool.submit(work, number): number for number in left}
                for future in as_completed(futures):
                    record = {"number": futures[future]} | future.result()
                    del left[futures[future]]
                    yield record
        except BrokenProcessPool:
            if len(left) == before:
                raise


def read(out: Path) -> list[Record]:
    """Return the records of a file of results, by number."""
    if not out.exists():
        return []
    found = [json.loads(line) for line in out.read_text().splitlines()]
    return sorted(found, key=lambda record: record["number"])
