"""Whatever people bring: generated frames, formulas, hypotheses and contrasts, and what must hold of each.

frames
    3,000 data frames (``fuzz_frames.py``), each with formulas that fit its names, more or less. Only the package's
    errors are raised, with their place in the text; no warning of NumPy or another library; no NaN in a table without a
    note; ``explain`` as text, HTML and LaTeX of every model that builds; JSON without NaN. Fits of every fifth frame
    are saved and loaded, reported, and drawn in each kind of plot.
formulas
    30,000 formulas of the language's grammar, half of them with slips. Canonical text is the same formula; a formula
    without slips is read.
questions
    10,000 hypotheses and 10,000 contrasts, put to four fits; every fourth with slips.
agreement
    Random studies under flat priors beside least squares by group (statsmodels): estimates, standard errors, F tests.
    The same studies in other forms: other data frames, names, orders of rows and levels, other units of one school.

    python benchmarks/fuzz.py [--only frames ...] [--share 1.0] [--start 0] [--processes 1] [--out FOLDER]

A line of JSON a number is added to a file of the folder; what is there is not computed again. Prints a summary and every
fault, and exits with 1 where there is one. Fits are by the exact engine; models that it does not cover are refused.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
from fuzz_agreement import against_least_squares, in_another_form
from fuzz_checks import CHAINS, DRAWS, SLOW, Found, ask, try_frame
from fuzz_formulas import Names, Writer, slip
from fuzz_frames import frame
from resumed import Record, resumed

import formulajoint as fj

PLAIN = Names(
    "y",
    ("x", "age"),
    {"school": ("A", "B", "School C"), "arm": ("control", "low", "high")},
    "school",
    "w",
    "s",
)
ODD = Names(
    "y~[1]",
    ("x/1", "sigma", "Intercept", "größe", "a`b", "new\nline", "joint", "equal", "precision"),
    {
        "gr`oup": ("A", "it's", 'say "x"', "a/b", "a:b", "007", "-1", "$x$", "tab\t", "b\\s"),
        "test": ("0", "1"),
    },
    "gr`oup",
    "n",
    "mean",
)
BATCH = 100
"""Texts that one number stands for."""

MODELS = (
    "y ~ x + arm + common(age) | school",
    "y ~ x + age | school, sigma ~ 1 | school",
    "y ~ x | school, hierarchy()",
    "y ~ x * arm",
)


def frames(number: int) -> Record:
    """Return what a frame has met."""
    found = Found()
    try_frame(frame(number), found)
    return asdict(found)


def formulas(number: int) -> Record:
    """Return what a batch of formulas has met."""
    found = Found()
    for i in range(number * BATCH, (number + 1) * BATCH):
        random = Random(i)
        writer = Writer(random, (PLAIN, ODD)[i % 2], fitted=i % 3 == 0)
        text = writer.formula()
        slipped = i % 4 >= 2
        if slipped:
            text = slip(random, text, writer.names.all)
        context = f"formula {i}, {text!r}"
        with found.step("slips" if slipped else "formulas", context):
            parsed = fj.parse(text)
            said = str(parsed)
            again = fj.parse(said)
            if again != parsed or hash(again) != hash(parsed) or str(again) != said:
                found.fault("formulas", f"canonical text {said!r} is another formula", context)
    if refused := found.refused.get("formulas"):
        found.fault("formulas", f"{refused} without slips are refused", f"batch {number}")
    return asdict(found)


def questions(number: int) -> Record:
    """Return what a batch of hypotheses and contrasts has met."""
    found = Found()
    model = MODELS[number % len(MODELS)]
    fit, used = _fit(model), {"arm", "school"} if "arm" in model else {"school"}
    names = Names(
        "y",
        ("x", "age") if "age" in model else ("x",),
        {k: v for k, v in PLAIN.factors.items() if k in used},
        "school",
    )
    for i in range(number * BATCH // 2, (number + 1) * BATCH // 2):
        writer = Writer(Random(i), names, fitted=True)
        hypothesis, clause = writer.hypothesis(), writer.contrast()
        if i % 4 == 3:
            hypothesis, clause = (slip(writer.random, text, names.all) for text in (hypothesis, clause))
        ask(fit, hypothesis, clause, found, f"of {model!r}")
    return asdict(found)


@cache
def _fit(model: str) -> fj.Fit:
    """Return the fit of a model of made-up schools."""
    rng, rows = np.random.default_rng(1), 48
    data = pd.DataFrame(
        {
            "y": rng.normal(size=rows),
            "x": rng.normal(size=rows),
            "age": rng.integers(20, 60, rows),
            "school": np.tile(["A", "B", "School C"], rows // 3),
            "arm": np.repeat(["control", "low", "high"], rows // 3),
        }
    )
    return fj.fit(model, data, draws=DRAWS, chains=CHAINS, seed=1, engine="exact")


def agreement(number: int) -> Record:
    """Return how a study's fits agree."""
    found = Found()
    against_least_squares(number, found)
    in_another_form(number, found)
    return asdict(found)


PARTS: dict[str, tuple[Callable[[int], Record], int]] = {
    "formulas": (formulas, 300),
    "questions": (questions, 200),
    "agreement": (agreement, 300),
    "frames": (frames, 3000),
}


def summary(part: str, records: list[Record]) -> str:
    """Return how many steps were answered, refused or wrong."""
    done, refused = Counter[str](), Counter[str]()
    for record in records:
        done.update(record["done"])
        refused.update(record["refused"])
    steps = [
        f"    {step:14} {done[step]:7,} answered {refused[step]:7,} refused"
        for step in dict.fromkeys([*done, *refused])
    ]
    wrong, slow = (sum(len(record[what]) for record in records) for what in ("wrong", "slow"))
    head = f"{part}: {len(records):,} numbers, {wrong:,} faults, {slow:,} steps of more than {SLOW} s of the processor"
    return "\n".join([head, *steps])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="of the numbers of each part")
    parser.add_argument("--start", type=int, default=0, help="first number")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "formulajoint_fuzz")
    given = parser.parse_args()
    faults = []
    for part in given.only:
        work, count = PARTS[part]
        numbers = range(given.start, given.start + max(1, int(count * given.share)))
        records = resumed(work, numbers, given.out / f"{part}.jsonl", given.processes)
        print(summary(part, records), flush=True)
        faults += [fault for record in records for fault in record["wrong"]]
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
