"""Mixed models by the exact engine, beside lme4 and Bambi: seconds of whole processes.

    python benchmarks/crossed_factors.py [--sizes pastes large ...] [--peers formulajoint lme4 bambi]
    python benchmarks/crossed_factors.py --write      # the tables of docs/crossed-and-nested.md, from the results

The models: `(1 | a) + (1 | b)` on simulated data, rows at random in both factors, the largest of the size of the
ratings of lecturers by students that lme4 has as `InstEval`; pupils in classes of six, in schools of four classes on
average, in districts of twenty-five schools or fewer; the pastes of lme4; and very many groups of two rows.

Each peer is a fresh process with one thread that reads a CSV file, fits, and prints what it found. formulajoint gives
four chains of 1,000 draws and the log evidence, Bambi as many draws by PyMC's NUTS, with priors and settings of its
own, lme4 a point estimate (REML). Of very many groups formulajoint keeps the shared parameters, as lme4's summary does.
Installed packages have bytecode, and so has this one. Peers take turns, `--repeats` times; what counts is the run that
took least of the processor, as a busy machine makes all of them slower. A peer that needs more than `--limit` seconds
of the processor did not finish. Figures go to results/crossed_factors.json at once; what is measured again replaces
what was there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from processes import arguments_of_peers, is_missing, keep, measured, records

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "crossed_factors.json"
PAGE = HERE.parent / "docs" / "crossed-and-nested.md"
PEERS = ("formulajoint", "lme4", "bambi")


@dataclass(frozen=True)
class Size:
    """A model and its data; `many` where each group's draws are not kept."""

    formula: str
    rows: int
    groups: str
    make: Callable[[], pd.DataFrame]
    many: bool = False


def pastes() -> pd.DataFrame:
    """Return the strength of pastes, by casks within batches (lme4)."""
    return pd.read_csv(HERE.parent / "examples" / "pastes.csv")


def crossed(a: int, b: int, rows: int) -> Callable[[], pd.DataFrame]:
    """Return a maker of rows with random groups of both factors."""

    def make() -> pd.DataFrame:
        rng = np.random.default_rng(0)
        one, other, x = rng.integers(0, a, rows), rng.integers(0, b, rows), rng.normal(size=rows)
        level = rng.normal(0, 1, a)[one] + rng.normal(0, 0.5, b)[other]
        y = level + 0.3 * x + rng.normal(0, 1.2, rows)
        return pd.DataFrame({"y": y, "x": x, "a": [f"a{i}" for i in one], "b": [f"b{i}" for i in other]})

    return make


def nested(districts: int, schools: int, classes: int) -> Callable[[], pd.DataFrame]:
    """Return a maker of pupils in classes, schools and districts."""

    def make() -> pd.DataFrame:
        rng = np.random.default_rng(0)
        school, district = rng.integers(0, schools, classes), rng.integers(0, districts, schools)
        row = np.repeat(np.arange(classes), 6)
        x = rng.normal(size=len(row))
        y = 0.3 * x + rng.normal(0, 1.0, len(row)) + rng.normal(0, 0.5, classes)[row]
        y += rng.normal(0, 0.4, schools)[school[row]] + rng.normal(0, 0.3, districts)[district[school[row]]]
        codes = {"district": district[school[row]], "school": school[row], "class": row}
        return pd.DataFrame({"y": y, "x": x} | {name: [f"{i}" for i in own] for name, own in codes.items()})

    return make


def pairs(slope: float) -> Callable[[], pd.DataFrame]:
    """Return a maker of 125,000 groups of two rows; `slope` is the sd of their slopes."""

    def make() -> pd.DataFrame:
        rng, groups = np.random.default_rng(1), 125_000
        g, x = np.repeat(np.arange(groups), 2), rng.normal(size=2 * groups)
        u = rng.normal(size=(groups, 2)) * [1.0, slope]
        y = 2 + 0.5 * x + u[g, 0] + u[g, 1] * x + rng.normal(size=2 * groups)
        return pd.DataFrame({"y": y, "x": x, "g": [f"g{i}" for i in g]})

    return make


TWO, THREE = "y ~ x + (1 | a) + (1 | b)", "y ~ x + (1 | district/school/class)"
SIZES = {
    "pastes": Size("strength ~ 1 + (1 | batch/cask)", 60, "10, 30", pastes),
    "small": Size(TWO, 144, "24 x 6", crossed(24, 6, 144)),
    "medium": Size(TWO, 20_000, "1,000 x 200", crossed(1_000, 200, 20_000)),
    "large": Size(TWO, 70_000, "2,000 x 1,000", crossed(2_000, 1_000, 70_000)),
    "nested_800": Size(THREE, 4_800, "8, 200, 800", nested(8, 200, 800)),
    "nested_4000": Size(THREE, 24_000, "50, 1,000, 4,000", nested(50, 1_000, 4_000)),
    "nested_20000": Size(THREE, 120_000, "200, 5,000, 20,000", nested(200, 5_000, 20_000), many=True),
    "pairs": Size("y ~ x + (1 | g)", 250_000, "125,000", pairs(0.0), many=True),
    "pairs_slopes": Size("y ~ x + (1 + x | g)", 250_000, "125,000", pairs(0.5), many=True),
}
"""Smallest first."""


# --- the peers, each in a process of its own


def run_formulajoint(path: str, size: Size) -> dict[str, Any]:
    """Fit by the exact engine, and print."""
    import formulajoint as fj

    keep = "contrasts" if size.many else "all"
    fit = fj.fit(size.formula, pd.read_csv(path), seed=1, engine="exact", keep=keep)
    print(fit)
    evidence = fit.log_evidence
    found = {"log_evidence": evidence.value, "error": evidence.error, "k_hat": fit.draws.named.trust.k_hat}
    return found | {"ess": fit.draws.named.importance_ess, "versions": f"formulajoint {fj.__version__}"}


def run_bambi(path: str, size: Size) -> dict[str, Any]:
    """Sample by Bambi's default, and print its summary."""
    import arviz as az
    import bambi

    model = bambi.Model(size.formula, pd.read_csv(path))
    draws = model.fit(draws=1000, chains=4, cores=1, random_seed=1, progressbar=False)
    shared = [str(name) for name, own in draws.posterior.data_vars.items() if own.ndim == 2]
    found = az.summary(draws, var_names=shared)
    print(found)
    return {"ess": float(found["ess_bulk"].min()), "versions": f"Bambi {bambi.__version__}"}


LME4 = """
suppressPackageStartupMessages(library(lme4))
args <- commandArgs(TRUE)
data <- read.csv(args[1], stringsAsFactors = TRUE)
control <- lmerControl(check.nobs.vs.nRE = "ignore")  # as many random effects as rows
print(summary(lmer(as.formula(args[2]), data, control = control)))
cat(sprintf('{"versions": "lme4 %s"}\\n', packageVersion("lme4")))
"""


def command(peer: str, name: str, path: str, python_bambi: str) -> list[str]:
    """Return the command line of a peer."""
    if peer == "lme4":
        return ["Rscript", "--vanilla", "-e", LME4, path, SIZES[name].formula]
    python = python_bambi if peer == "bambi" else sys.executable
    return [python, __file__, "--as", peer, "--sizes", name, "--data", path]


# --- the results


def table() -> str:
    """Return the table of all sizes and peers."""
    found = {(each["size"], each["peer"]): each for each in records(RESULTS)}
    lines = [
        "| model | groups | rows | formulajoint | lme4 | Bambi | formulajoint: independent draws of sds, memory |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for name, size in SIZES.items():
        if not any((name, peer) in found for peer in PEERS):
            continue
        ours = found.get((name, "formulajoint"), {})
        more = f"{min(ours['ess'], 99_999):,.0f}, {ours['memory_gb']:.2f} GB" if "ess" in ours else ""
        cells = [said(found.get((name, peer), {})) for peer in PEERS]
        formula = size.formula.replace("|", "\\|")
        lines.append(f"| `{formula}` | {size.groups} | {size.rows:,} | {' | '.join(cells)} | {more} |")
    return "\n".join(lines)


def said(record: dict[str, Any]) -> str:
    """Return a cell of the table."""
    match record.get("status"):
        case None:
            return ""
        case "ok":
            return f"{record['processor']:.1f} s"
        case "failed" if "llocate" in record["reason"] or "MemoryError" in record["reason"]:
            return "out of memory"
        case status:
            return f"{status} in {record['limit']:.0f} s" if "limit" in record else str(status)


def write() -> None:
    """Write the table into the page."""
    begin, end = "<!-- table: made by crossed_factors.py -->", "<!-- end of table -->"
    page = PAGE.read_text()
    new = re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n\n{table()}\n\n{end}", page, flags=re.DOTALL)
    PAGE.write_text(new)


def arguments() -> argparse.Namespace:
    parser = arguments_of_peers(__doc__, PEERS, limit=600)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=1, help="runs of each peer (1)")
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    return parser.parse_args()


def main() -> None:
    """Measure what is asked for, or be a peer."""
    options = arguments()
    if options.peer:
        run = {"formulajoint": run_formulajoint, "bambi": run_bambi}[options.peer]
        print(json.dumps(run(options.data, SIZES[options.sizes[0]])), flush=True)
        return
    if options.write:
        write()
        return
    best: dict[tuple[str, str], float] = {}
    for name in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/data.csv"
            SIZES[name].make().to_csv(path, index=False)
            for _, peer in product(range(options.repeats), options.peers):
                if is_missing(peer, of_r=("lme4",)):
                    continue
                figures = measured(command(peer, name, path, options.python_bambi), options)
                if figures.get("processor", np.inf) > best.get((name, peer), np.inf):
                    continue
                best[name, peer] = figures.get("processor", np.inf)
                day = {"load": round(os.getloadavg()[0], 1), "measured": time.strftime("%Y-%m-%d %H:%M")}
                record = {"size": name, "peer": peer, **figures, "python": platform.python_version(), **day}
                keep(RESULTS, record, {"size": list(SIZES), "peer": PEERS})
                print(f"{name:13} {peer:13} {figures}", flush=True)
    print("\n" + table())


if __name__ == "__main__":
    main()
