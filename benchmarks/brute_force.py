"""The exact engine beside brute force: log evidences and posterior means of models with at most four scales.

Seeds may agree on one wrong mode, so that ``search_modes.py`` sees nothing. Here the truth is known: a sum over a grid
of all scales (``quadratures.py``), written apart from the package, for random models (``brute_models.py``) with a sigma
for each of two to four groups that share coefficients, with priors that contradict the data, with clusters of studies,
with hierarchies of one or two columns. Every log evidence, and the posterior mean of every sigma, sd, correlation and
shared coefficient, should be within five errors: the error that the fit states, together with what the last
refinement of the grid has changed.

    python benchmarks/brute_force.py [--models 480] [--start 0] [--seeds 2] [--processes 2] [--out FILE]

A line of JSON a model is added to the file of --out; what is there is not computed again. Prints a table, and exits
with 1 where a figure is too far off and the fit does not warn, or a grid did not settle. A model takes one to ten
seconds.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from brute_models import Known, known
from quadratures import Integral, integrate
from resumed import Record, resumed
from stated_errors import handed_on, mean_errors, of_modes

import formulajoint as fj

DRAWS, CHAINS = 250, 4
TOO_FAR = 5.0
"""In errors."""

ROUNDING = 1e-6
UNSETTLED = 1e-3
"""A grid whose log evidence the last refinement has changed by more is no truth."""

RESULTS = Path(__file__).parent / "results"


def compare(seeds: int, number: int) -> Record:
    """Return how far the fits of a model are from the truth, in errors; fits that warn of themselves are left out."""
    one = known(number)
    said: Record = {"kind": one.kind, "formula": one.formula, "rows": len(one.data)}
    try:
        model = fj.model(one.formula, one.data)
    except fj.FormulaJointError as error:
        return said | {"refused": str(error)}
    truth = integrate(one.axes, one.density)
    said |= {"truth": truth.log_evidence, "grid": truth.error, "flagged": 0, "handed": 0, "fits": []}
    for seed in range(1, seeds + 1):
        try:
            fit = model.fit(DRAWS, chains=CHAINS, seed=seed, engine="exact", progress=False)
        except fj.InferenceError as error:
            said |= {"handed": said["handed"] + 1, "why": str(error)}
            continue
        if warnings := of_modes(fit):
            kind = "handed" if handed_on(fit) else "flagged"
            said |= {kind: said[kind] + 1, "why": warnings[0]}
            continue
        said["fits"].append(distances(fit, one, truth))
    return said


def distances(fit: fj.Fit, one: Known, truth: Integral) -> dict[str, list[float]]:
    """Return what was found of each figure, the truth, and how many errors they are apart."""
    evidence = fit.log_evidence
    found = {
        "log evidence": apart(evidence.value, max(evidence.error, ROUNDING), truth.log_evidence, truth.error)
    }
    table = fit.summary()
    errors = mean_errors(table)
    for name, value in truth.means.items():
        label = one.labels.get(name, name)
        if label in table.index and np.isfinite(errors[label]):
            found[label] = apart(table.loc[label, "mean"], errors[label], value, truth.errors[name])
    return found


def apart(found: float, error: float, truth: float, own: float) -> list[float]:
    return [float(f"{v:.8g}") for v in (found, truth, abs(found - truth) / math.hypot(error, own))]


def worst(record: Record) -> tuple[float, float]:
    """Return the largest distance of a log evidence and of a posterior mean."""
    pairs = [(name, values[2]) for fit in record.get("fits", ()) for name, values in fit.items()]
    evidence = max((z for name, z in pairs if name == "log evidence"), default=0.0)
    return evidence, max((z for name, z in pairs if name != "log evidence"), default=0.0)


def off(record: Record) -> bool:
    return not max(worst(record)) <= TOO_FAR


def told(record: Record) -> str:
    """Return a model of which a figure is wrong, with the figures that are, or an empty text."""
    if not off(record):
        return ""
    lines = [f"{record['kind']} {record['number']}: {record['formula']}"]
    for seed, fit in enumerate(record["fits"], 1):
        wrong = (f"{name} {v[0]:.5g}, not {v[1]:.5g}" for name, v in fit.items() if not v[2] <= TOO_FAR)
        lines.append(f"    fit {seed}: {'; '.join(wrong)}")
    return "\n".join(lines)


def table(found: Sequence[Record]) -> Iterator[str]:
    """Yield the lines of the table, in Markdown: a row a kind of model, and one of all."""
    yield "| models | count | off | log evidence off by | means off by | flagged | by NUTS | grid's own error |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    kinds = dict.fromkeys(record["kind"] for record in found)
    for name in (*kinds, "all"):
        some = [r for r in found if name in (r["kind"], "all") and "refused" not in r]
        far = [worst(record) for record in some]
        yield (
            f"| {name} | {len(some)} | {sum(map(off, some))} | {max(z for z, _ in far):.1f} "
            f"| {max(z for _, z in far):.1f} | {sum(r['flagged'] > 0 for r in some)} "
            f"| {sum(r['handed'] > 0 for r in some)} | {max(r['grid'] for r in some):.1g} |"
        )


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int, default=480)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "brute_force.jsonl")
    given = parser.parse_args()
    numbers = range(given.start, given.start + given.models)
    found = resumed(partial(compare, given.seeds), numbers, given.out, given.processes, told)
    print(*table(found), sep="\n")
    for record in found:
        if off(record):
            print(f"\n{told(record)}")
        if record.get("grid", 0) > UNSETTLED:
            print(f"\n{record['number']}: the grid did not settle, {record['formula']}")
    unsettled = any(record.get("grid", 0) > UNSETTLED for record in found)
    sys.exit(1 if unsettled or any(map(off, found)) else 0)


if __name__ == "__main__":
    main()
