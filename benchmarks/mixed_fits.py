"""Real Gaussian mixed models by the exact engine, beside what lme4 (REML) found: one line a model.

    python benchmarks/mixed_fits.py DIRECTORY [--only PART] [--several] [--draws 1000]

`DIRECTORY` has ``models.json``, one record a line, and the tables it names. For each Gaussian record the model is
fitted with ``priors="flat"``. A line has the engine, k-hat, seconds, the largest distance of a fixed effect from lme4's
in standard errors, how many of lme4's sds lie within the 95 % intervals, and the sds outside them; or why the exact
engine does not draw the model.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import formulajoint as fj
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import Plan
from formulajoint.errors import FormulaJointError
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.inference.engine import exact_engine
from formulajoint.inference.settings import Settings
from formulajoint.remarks import Missing

FAMILIES = ("gaussian", "gaussian_se")


def table(folder: Path, record: dict[str, Any]) -> pd.DataFrame:
    """Return the data of a record; what is ordered is a factor, coded in the formula."""
    columns = record["columns"]
    text = [name for name, column in columns.items() if column["type"] in ("factor", "ordered")]
    data = pd.read_csv(
        folder / record["file"],
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,
        na_values={name: [""] for name in columns},
    )
    for name in text:
        if "levels" in columns[name]:
            data[name] = pd.Categorical(data[name], columns[name]["levels"])
    return data


def formula_of(record: dict[str, Any]) -> str:
    """Return the formula, with ordered columns coded as in R, and known standard errors."""
    left, _, right = record["formula"].partition("~")
    for name, column in record["columns"].items():
        if column["type"] == "ordered":
            right = re.sub(rf"\b{re.escape(name)}\b(?![^()]*\|[^()]*\))", f"C({name}, coding=poly)", right)
    return f"{left}~{right}" + (", se(se)" if record["family"] == "gaussian_se" else "")


def names_in_r(coefficient: Coefficient) -> list[str]:
    """Return R's name of each element of a shared coefficient."""
    term = coefficient.term
    if not term.parts:
        return ["(Intercept)"]
    axes = {factor.name: factor.labels for factor in term.factors}
    parts = []
    for part in term.parts:
        stem = re.sub(r"^C\((\w+), coding=poly\)$", r"\1", part)
        labels = axes.get(part, axes.get(stem, ("",)))
        dot = "." if stem != part else ""
        parts.append([f"{stem}{dot if label else ''}{label}" for label in labels])
    return [":".join(each) for each in product(*parts)]


def plain(name: str) -> str:
    """Return a coefficient's name without spaces and quotes, the parts of an interaction sorted."""
    return ":".join(sorted(re.sub(r"[\s`()]", "", name).replace("**", "^").split(":")))


def fixed_distance(plan: Plan, draws: NamedDraws, reference: dict[str, Any]) -> tuple[float, int]:
    """Return the largest distance of a fixed effect in standard errors, and how many names were not found."""
    found = {}
    for coefficient in plan.mean.coefficients:
        if coefficient.name in draws.variables:
            mean = np.mean(draws.values(coefficient.name), axis=(0, 1))
            found |= dict(zip(map(plain, names_in_r(coefficient)), np.ravel(mean), strict=True))
    far, unknown = 0.0, 0
    for name, (estimate, se) in reference["fixef"].items():
        if plain(name) not in found:
            unknown += 1
        elif se:
            far = max(far, abs(found[plain(name)] - estimate) / se)
    return far, unknown


def sds(plan: Plan) -> Iterator[tuple[tuple[str, ...], str, list[str]]]:
    """Yield the variables of the sds with their factor's columns and R's names of the terms."""
    for pool in (*plan.mean.pools, *plan.mean.varying):
        for term in pool.terms:
            yield (
                tuple(sorted(pool.grouping.variables)),
                term.sd_name,
                list(map(plain, names_in_r(term.coefficient))),
            )


def sds_inside(plan: Plan, draws: NamedDraws, reference: dict[str, Any]) -> tuple[int, int, list[str]]:
    """Return how many of lme4's sds lie within 95 % intervals, of how many, and the others in words."""
    known: list[tuple[str, float, np.ndarray]] = []
    ours = {
        (group, name): np.reshape(draws.values(variable), (-1, len(names)))[:, place]
        for group, variable, names in sds(plan)
        if variable in draws.variables
        for place, name in enumerate(names)
    }
    for each in reference["random"]:
        group = tuple(sorted(re.split(r"[:/]", each["group"])))
        for name, sd in zip(each["terms"], each["sd"], strict=True):
            if (group, plain(name)) in ours:
                known.append((f"{name}|{each['group']}", sd, ours[group, plain(name)]))
    if reference.get("sigma") and "sigma" in draws.variables:
        known.append(("sigma", reference["sigma"], np.ravel(draws.values("sigma"))))
    out = []
    for name, sd, values in known:
        low, high = np.quantile(values, [0.025, 0.975])
        if not (low <= sd <= high or sd < low < 0.1 * high):  # an sd of zero is below every interval
            out.append(f"{name} {sd:.3g} not in ({low:.3g}, {high:.3g})")
    return len(known) - len(out), len(known), out


def line(folder: Path, record: dict[str, Any], draws: int) -> str:
    """Return a record's line."""
    started = time.perf_counter()
    reference = record["reference"][record["main"]]
    try:
        plan = fj.model(formula_of(record), table(folder, record), priors="flat").plan
        engine = exact_engine(plan)
        if isinstance(engine, Missing):
            return f"not exact: {engine.reason}"
        planned = time.perf_counter()
        found = engine.draw(plan, Settings(draws, 0, 4, 1, 0.9, False))
    except FormulaJointError as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    seconds = time.perf_counter() - planned
    far, unknown = fixed_distance(plan, found, reference)
    inside, of, out = sds_inside(plan, found, reference)
    names = f", {unknown} names not found" if unknown else ""
    return (
        f"{found.trust.why_not() or 'exact'} k {found.trust.k_hat:.2f} ess {found.importance_ess:.0f} "
        f"plan {planned - started:.2f} s draw {seconds:.2f} s fixed {far:.3f} se{names}, sds {inside} of {of}"
        + "".join(f"; {each}" for each in out)
    )


def main() -> None:
    """Print a line for each record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", default="", help="part of a record's id")
    parser.add_argument("--several", action="store_true", help="only models with several grouping factors")
    parser.add_argument("--draws", type=int, default=1000)
    given = parser.parse_args()
    for record in json.loads((given.directory / "models.json").read_text(encoding="utf-8")):
        wanted = record["family"] in FAMILIES and given.only in record["id"]
        if wanted and not (given.several and record["relation"] == "single"):
            size = "x".join(str(count) for count in record["groups"].values())
            about = f"{record['id']} {record['rows_used']} rows {size} {record['class']}"
            print(f"{about}: {line(given.directory, record, given.draws)}", flush=True)


if __name__ == "__main__":
    main()
