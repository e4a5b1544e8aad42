"""formulajoint and its peers on the same data in one run: seconds from a fresh process to the contrast table.

    python benchmarks/peers.py                                         # all cases and all peers: hours
    python benchmarks/peers.py --case seed 1e4 --peer bambi formulajoint
    python benchmarks/peers.py --again --peer formulajoint             # measure again what is in the file

What has been measured is in the file of results at once and is not measured again, so that a run can be stopped and
taken up. Every peer gets two processor cores, 4 chains of 1,000 draws, and its own defaults in all else. A peer that
compiles with PyTensor runs with an empty cache (cold), then with what that run has left in it (warm).
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cases import CASES, Case, data_file
from tables import as_text

HERE = Path(__file__).parent
CORES = 2


@dataclass(frozen=True)
class Peer:
    """A program that fits a case: a script in `peers/`, what it needs installed, whether PyTensor compiles for it."""

    script: str
    needs: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    compiles: bool = False

    @property
    def is_r(self) -> bool:
        return self.script.endswith(".R")


PEERS = {
    "formulajoint": Peer("run_formulajoint.py", ("formulajoint",)),
    "bambi": Peer("run_bambi.py", ("bambi",), compiles=True),
    "bambi_nutpie": Peer("run_bambi.py", ("bambi", "nutpie"), ("nutpie",), compiles=True),
    "pymc": Peer("run_pymc.py", ("pymc",), compiles=True),
    "mixedlm": Peer("run_mixedlm.py", ("statsmodels",)),
    "lme4": Peer("run_lme4.R", ("lme4", "jsonlite")),
    "rstanarm": Peer("run_stan.R", ("rstanarm", "posterior", "jsonlite"), ("rstanarm",)),
    "brms": Peer("run_stan.R", ("brms", "posterior", "jsonlite"), ("brms",)),
}


@dataclass
class Results:
    """The file of results: one record a case, peer and cache."""

    path: Path
    records: list[dict] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.path.exists():
            self.records = json.loads(self.path.read_text())["records"]

    def find(self, case: str, peer: str, cache: str) -> dict | None:
        key = (case, peer, cache)
        return next((r for r in self.records if (r["case"], r["peer"], r["cache"]) == key), None)

    def add(self, record: dict) -> None:
        old = self.find(record["case"], record["peer"], record["cache"])
        self.records = [r for r in self.records if r is not old] + [record]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps({"machine": machine(), "records": self.records}, indent=1) + "\n")


def machine() -> dict:
    """Return what the figures were measured on."""
    found = {"system": platform.platform(), "python": platform.python_version(), "cores_used": CORES}
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        names = [
            line.partition(":")[2].strip() for line in cpu.read_text().splitlines() if "model name" in line
        ]
        found |= {"processor": names[0] if names else platform.machine(), "cores": len(names)}
    if hasattr(os, "sysconf"):
        found["memory_gb"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    return found


def missing(peer: Peer, python: str) -> str:
    """Return which of a peer's packages is not installed, or an empty text."""
    if peer.is_r and shutil.which("Rscript") is None:
        return "R"
    for name in peer.needs:
        if peer.is_r:
            check = ["Rscript", "-e", f"quit(status = !requireNamespace('{name}', quietly = TRUE))"]
        else:
            check = [
                python,
                "-c",
                f"import importlib.util as u, sys; sys.exit(u.find_spec('{name}') is None)",
            ]
        if subprocess.run(check, capture_output=True).returncode:
            return name
    return ""


def measure(command: list[str], environment: dict[str, str], options: argparse.Namespace) -> dict:
    """Run one peer in a fresh process; return its figures, or what became of it."""

    def limit() -> None:
        size = int(options.memory * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    whole = os.environ | environment
    whole.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.time()
    process = subprocess.Popen(command, env=whole, preexec_fn=limit, **pipes)
    try:
        out, errors = process.communicate(timeout=options.limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"status": "did not finish", "limit": options.limit}
    lines = [line for line in out.splitlines() if line.strip()]
    if process.returncode or not lines or not lines[-1].startswith("{"):
        return {"status": "failed", "reason": reason(errors) or f"exit {process.returncode}"}
    figures = json.loads(lines[-1])
    return {"status": "ok", "seconds": figures.pop("finished") - started, **figures}


def reason(errors: str) -> str:
    """Return the line of a peer's messages that says what went wrong."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    told = [line for line in lines if "rror" in line]
    return (told or lines or [""])[-1][:200]


def caches(peer: Peer, folder: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the state of PyTensor's cache and the environment that says where it is."""
    environment = {"PEERS": str(HERE / "peers"), "PYTENSOR_FLAGS": f"base_compiledir={folder}"}
    for name in ("cold", "warm") if peer.compiles else ("",):
        yield name, environment


def run(case: Case, name: str, python: str, results: Results, options: argparse.Namespace) -> None:
    """Measure a peer on a case, with each state of its cache."""
    peer = PEERS[name]
    data = data_file(case, options.data, ".csv" if peer.is_r else ".parquet")
    command = ["Rscript", "--vanilla"] if peer.is_r else [python]
    command += [str(HERE / "peers" / peer.script), str(data), case.model, *peer.arguments]
    with tempfile.TemporaryDirectory() as folder:
        given_up = too_large(case, name, results)
        for cache, environment in caches(peer, folder):
            about = {
                "case": case.name,
                "peer": name,
                "cache": cache,
                "rows": case.rows,
                "groups": case.groups,
            }
            load = os.getloadavg()[0]
            figures = given_up or measure(command, environment, options)
            given_up = None if figures["status"] == "ok" else figures
            day = time.strftime("%Y-%m-%d %H:%M")
            results.add({**about, **figures, "load_before": round(load, 2), "measured": day})
            print(f"{case.name:15} {name:13} {cache:5} {said(figures)}", flush=True)


def too_large(case: Case, name: str, results: Results) -> dict | None:
    """Return why a peer is not started: it did not manage a smaller simulated case."""
    for smaller in CASES[: CASES.index(case)]:
        found = next((r for r in results.records if (r["case"], r["peer"]) == (smaller.name, name)), None)
        if case.simulated and smaller.simulated and found is not None and found["status"] != "ok":
            first = (
                found.get("reason", found["status"]) if found["status"] == "not tried" else found["status"]
            )
            return {
                "status": "not tried",
                "reason": first if " on " in first else f"{first} on {smaller.name}",
            }
    return None


def said(figures: dict) -> str:
    if figures["status"] != "ok":
        return f"{figures['status']} {figures.get('reason', '')}"
    ess = f", smallest ESS {figures['ess_min']:.0f}" if "ess_min" in figures else ""
    return f"{figures['seconds']:.1f} s, {figures['peak_bytes'] / 1e9:.2f} GB{ess}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", nargs="+", choices=[case.name for case in CASES], help="default: all")
    parser.add_argument("--peer", nargs="+", choices=list(PEERS), help="default: all that are installed")
    parser.add_argument("--limit", type=float, default=600, help="seconds for a peer and case (600)")
    parser.add_argument("--memory", type=float, default=16, help="GiB of data for a process (16)")
    parser.add_argument("--again", action="store_true", help="measure again what has been measured")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "peers.json")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "formulajoint-benchmarks")
    parser.add_argument("--python-bambi", default=sys.executable, help="interpreter that has Bambi")
    return parser.parse_args()


def main() -> None:
    """Measure what is asked for and print the tables of all results."""
    options = arguments()
    compileall.compile_dir(HERE.parent / "formulajoint", quiet=1)  # as pip compiles what it installs
    results = Results(options.results)
    names = options.peer or list(PEERS)
    pythons = {name: options.python_bambi if name.startswith("bambi") else sys.executable for name in names}
    absent = {name: missing(PEERS[name], pythons[name]) for name in names}
    for name, what in absent.items():
        if what:
            print(f"{name} is left out: {what} is not installed")
    for case in CASES:
        for name in names:
            last = "warm" if PEERS[name].compiles else ""
            done = results.find(case.name, name, last) is not None and not options.again
            if not absent[name] and not done and (options.case is None or case.name in options.case):
                run(case, name, pythons[name], results, options)
    print("\n" + as_text(json.loads(options.results.read_text())))


if __name__ == "__main__":
    main()
