"""A search for silent errors of the exact engine: the same model with other seeds must give the same answer.

Thousands of random models (``random_models.py``) and forty real data sets (``real_models.py``) are fitted with five
seeds each. A posterior of which one mode was missed gives itself away where another seed misses another: log evidences
or posterior means then differ by more than the errors that the fits state. Five seeds may agree on one wrong mode;
``brute_force.py`` looks for that.

A model whose fits differ by more than five stated errors, none of the two with a warning, is an error of the engine.
Counted besides are models of which a fit warns of modes, and models that are handed to NUTS. A model that the exact
engine hands on is fitted once by ``engine="auto"``, to see who gets it.

    python benchmarks/search_modes.py [--models 2000] [--start 0] [--processes 2] [--out FILE] [--summary FILE]
    python benchmarks/search_modes.py --real FOLDER [FOLDER ...]      the real data: folders of their CSV files

A line of JSON a model is added to the file of --out; what is there is not fitted again, so that a search can be stopped
and taken up. Prints the table of all that is in the file, and exits with 1 where one of the bounds is not kept.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from random_models import Model, model
from real_models import REAL, read_model
from resumed import Record, resumed
from stated_errors import handed_on, mean_errors, of_modes

import formulajoint as fj

SEEDS = (1, 2, 3, 4, 5)
DRAWS, CHAINS = 250, 4
TOO_FAR = 5.0
"""In stated errors."""

ROUNDING = 1e-6
"""Log evidences nearer than that are one."""

MOST_FLAGGED, MOST_HANDED = 0.02, 0.05
RESULTS = Path(__file__).parent / "results"


def random_model(number: int) -> Record:
    return examine(model(number))


def real_model(folders: Sequence[Path], number: int) -> Record:
    return examine(read_model(folders, number))


def examine(one: Model) -> Record:
    """Return what the fits of a model with several seeds have found, and how far they are from each other."""
    said: Record = {
        "structure": one.structure,
        "formula": one.formula,
        "rows": len(one.data),
        "name": one.name,
    }
    try:
        built = fj.model(one.formula, one.data)
    except fj.FormulaJointError as error:
        return said | {"refused": str(error)}
    fits = [fitted(built, seed) for seed in SEEDS]
    handed = next((fit for fit in fits if fit["handed"]), None)
    said["handed"] = handed["handed"] if handed else ""
    if handed:
        try:
            said["engine"] = built.fit(DRAWS, chains=CHAINS, seed=handed["seed"], progress=False).engine
        except fj.FormulaJointError as error:
            said["engine"] = f"none: {error}"
    said["flagged"] = sum(bool(fit["said"]) for fit in fits)
    silent = [fit for fit in fits if fit["figures"] and not fit["said"] and not fit["handed"]]
    said |= {"evidence": spread(silent, "evidence"), "mean": spread(silent, "figures")}
    said["seconds"] = round(float(np.median([fit["seconds"] for fit in fits])), 3)
    if said["flagged"] or said["handed"] or beyond(said):
        said["fits"] = fits
    return said


def fitted(built: fj.JointModel, seed: int) -> Record:
    """Return the figures of a fit by the exact engine with their errors, and what it says against itself.

    ``handed`` is why `engine="auto"` would go on with NUTS; empty where it would not.
    """
    started = time.perf_counter()
    found: Record = {"seed": seed, "handed": "", "said": [], "evidence": {}, "figures": {}}
    try:
        fit = built.fit(DRAWS, chains=CHAINS, seed=seed, engine="exact", progress=False)
    except fj.InferenceError as error:
        return found | {"handed": str(error), "seconds": time.perf_counter() - started}
    seconds = time.perf_counter() - started
    found["said"] = list(of_modes(fit))
    found["handed"] = handed_on(fit)
    try:
        evidence = fit.log_evidence
        found["evidence"] = {"log evidence": rounded(evidence.value, max(evidence.error, ROUNDING))}
    except fj.InferenceError as error:
        found["no evidence"] = str(error)
    return found | {"figures": figures(fit), "seconds": seconds}


def figures(fit: fj.Fit) -> dict[str, list[float]]:
    """Return the posterior mean and its error of each variable's first and last cell."""
    table = fit.summary()
    table = table[np.isfinite(table["mean"]) & (table["sd"] > 0)]
    errors = mean_errors(table)
    cells: dict[str, list[str]] = {}
    for label in table.index:
        cells.setdefault(label.partition("[")[0], []).append(label)
    chosen = dict.fromkeys(label for labels in cells.values() for label in (labels[0], labels[-1]))
    return {label: rounded(table.loc[label, "mean"], errors[label]) for label in chosen}


def rounded(*values: float) -> list[float]:
    return [float(f"{value:.9g}") for value in values]


def spread(fits: Sequence[Record], what: str) -> list[Any] | None:
    """Return by how many stated errors two of the fits differ, at most, and in what."""
    apart = [
        (
            abs(one[what][name][0] - other[what][name][0])
            / math.hypot(one[what][name][1], other[what][name][1]),
            name,
        )
        for one, other in itertools.combinations(fits, 2)
        for name in one[what].keys() & other[what].keys()
    ]
    if not apart:
        return None
    largest, name = max(apart)
    return [round(largest, 2), name]


def beyond(record: Record) -> bool:
    """Tell whether fits differ by more than their errors, although none of the two warns."""
    return any(record.get(what) and not record[what][0] <= TOO_FAR for what in ("evidence", "mean"))


def told(record: Record) -> str:
    """Return a model of which fits differ, with what each fit found."""
    lines = [f"{record['name'] or record['structure']} {record['number']}: {record['formula']}"]
    for fit in record["fits"]:
        what = (record["evidence"], record["mean"])
        shown = {w[1]: (fit["evidence"] | fit["figures"]).get(w[1]) for w in what if w}
        lines.append(f"    seed {fit['seed']}: {shown} {' '.join(fit['said'])[:80]}")
    return "\n".join(lines)


def summarised(found: Sequence[Record]) -> Record:
    """Return the figures of a row of the table, of some records."""
    fitted = [record for record in found if "refused" not in record]
    kept = [record for record in fitted if record.get("engine", "exact") == "exact"]
    largest = {w: max((r[w][0] for r in fitted if r[w]), default=0.0) for w in ("evidence", "mean")}
    return {
        "models": len(fitted),
        "refused": len(found) - len(fitted),
        "silent": sum(beyond(record) for record in fitted),
        "evidence": largest["evidence"],
        "mean": largest["mean"],
        "flagged": sum(record["flagged"] > 0 for record in kept) / max(1, len(fitted)),
        "handed": (len(fitted) - len(kept)) / max(1, len(fitted)),
        "seconds": float(np.median([record["seconds"] for record in fitted])) if fitted else math.nan,
    }


HEADS = (
    "structure", "models", "differ without a warning", "log evidence differs by", "means differ by", "flagged",
    "by NUTS", "seconds per fit",
)  # fmt: skip


def table(found: Sequence[Record]) -> Iterator[str]:
    """Yield the lines of the table, in Markdown: a row a structure, and one of all."""
    yield f"| {' | '.join(HEADS)} |"
    yield f"|---|{'---:|' * (len(HEADS) - 1)}"
    by_name: dict[str, list[Record]] = {}
    for record in found:
        by_name.setdefault(record["structure"], []).append(record)
    for name, some in (*by_name.items(), ("all", list(found))):
        row = summarised(some)
        yield (
            f"| {name} | {row['models']:,} | {row['silent']} | {row['evidence']:.1f} | {row['mean']:.1f} "
            f"| {100 * row['flagged']:.1f} % | {100 * row['handed']:.1f} % | {row['seconds']:.2f} |"
        )


def main() -> None:
    """Search, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--real", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--summary", type=Path, help="write the figures of the table there, as JSON")
    given = parser.parse_args()
    out = given.out or RESULTS / ("search_modes_real.jsonl" if given.real else "search_modes.jsonl")
    work = partial(real_model, given.real) if given.real else random_model
    numbers = range(len(REAL)) if given.real else range(given.start, given.start + given.models)
    found = resumed(
        work, numbers, out, given.processes, lambda record: told(record) if beyond(record) else ""
    )
    print(*table(found), sep="\n")
    whole = summarised(found)
    for record in found:
        if beyond(record):
            print(f"\n{told(record)}")
        elif record.get("refused"):
            print(f"\n{record['structure']} {record['number']}: {record['formula']}\n    {record['refused']}")
    reasons = Counter(
        re.sub(r"[\d.]+", "N", record["handed"])[:110] for record in found if record.get("handed")
    )
    for reason, count in reasons.most_common(8):
        print(f"\n{count} handed on: {reason}")
    if given.summary:
        rows = {name: summarised([r for r in found if r["structure"] == name]) for name in
                dict.fromkeys(record["structure"] for record in found)}  # fmt: skip
        given.summary.write_text(json.dumps(rows | {"all": whole}, indent=1) + "\n")
    kept = whole["silent"] == 0 and whole["flagged"] <= MOST_FLAGGED and whole["handed"] <= MOST_HANDED
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
