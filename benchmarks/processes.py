"""Peers as fresh processes with one thread: their figures with time and memory, and the file that keeps these."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def measured(command: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """Run a peer, whose last line is JSON; return its figures with its time and memory, or what became of it."""

    def bounded() -> None:
        limit, memory = int(options.limit), int(options.memory * 2**30)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

    environment = os.environ | dict.fromkeys(ONE_THREAD, "1")
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors, env=environment, preexec_fn=bounded)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        out.seek(0)
        errors.seek(0)
        lines, told = out.read().splitlines(), errors.read()
    figures = {
        "wall": round(wall, 2),
        "processor": round(used.ru_utime + used.ru_stime, 2),
        "memory_gb": round(used.ru_maxrss / 2**20, 3),
    }
    if used.ru_utime + used.ru_stime >= options.limit:
        return {"status": "did not finish", "limit": options.limit}
    if status or not lines or not lines[-1].startswith("{"):
        return {"status": "failed", "reason": reason(told), **figures}
    return {"status": "ok", **figures, **json.loads(lines[-1])}


def reason(errors: str) -> str:
    """Return the last line of messages that says what went wrong."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return ([line for line in lines if "rror" in line] or lines or ["no message"])[-1][:160]


def is_missing(peer: str, of_r: Sequence[str]) -> bool:
    """Return whether a peer needs R, and it is not installed."""
    return peer in of_r and shutil.which("Rscript") is None


def records(path: Path) -> list[dict[str, Any]]:
    """Return what was measured."""
    return json.loads(path.read_text()) if path.exists() else []


def keep(path: Path, record: Mapping[str, Any], order: Mapping[str, Sequence[str]]) -> None:
    """Write a record in place of an older one.

    Parameters
    ----------
    path : Path
    record : mapping
    order : mapping of str to sequence of str
        The fields that tell records apart, with their values in the order of the file.
    """
    kept = [each for each in records(path) if any(each[field] != record[field] for field in order)]
    kept.append(dict(record))
    kept.sort(key=lambda each: [list(values).index(each[field]) for field, values in order.items()])
    path.write_text(json.dumps(kept, indent=1) + "\n")


def arguments_of_peers(text: str, peers: Sequence[str], limit: float) -> argparse.ArgumentParser:
    """Return a parser of the arguments that all such scripts have; `text` is the script's own."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", nargs="+", choices=peers, default=list(peers))
    parser.add_argument(
        "--limit", type=float, default=limit, help=f"seconds of the processor for a peer ({limit:g})"
    )
    parser.add_argument("--memory", type=float, default=16, help="GiB of data for a process (16)")
    parser.add_argument(
        "--python-bambi", default=sys.executable, help="interpreter that has Bambi and nutpie"
    )
    parser.add_argument("--as", dest="peer", choices=peers, help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    return parser
