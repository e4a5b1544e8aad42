"""Real Gaussian mixed models by the exact engine, beside what lme4 (REML) found: one line a model.

    python benchmarks/mixed_fits.py DIRECTORY [--only PART] [--several] [--draws 1000]

`DIRECTORY` has ``models.json``, one record a line, and the tables it names. For each Gaussian record the model is
fitted with ``priors="flat"``. A line has the engine, k-hat, seconds of the processor, the largest distance of a fixed
effect from lme4's in standard errors and its Monte Carlo error, how many of lme4's sds lie within the 95 % intervals,
and the sds outside them; or why the exact engine does not draw the model. The last lines name the models with at least
8 groups of each factor, where lme4's fit is not singular, in which a fixed effect is farther than 0.15 standard errors
and 4 Monte Carlo errors. Of these, if only intercepts vary, the distance is given where the sds are lme4's estimates,
too: lme4 takes these as known, a posterior mean averages over what they may be.
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
FAR, ERRORS, GROUPS = 0.15, 4, 8


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


def fixed_effects(
    plan: Plan, draws: NamedDraws, reference: dict[str, Any]
) -> Iterator[tuple[str, np.ndarray | None, float, float]]:
    """Yield each fixed effect of a reference with our draws, None if it has no name here, its estimate and error."""
    found: dict[str, np.ndarray] = {}
    for coefficient in plan.mean.coefficients:
        if coefficient.name in draws.variables:
            own = draws.values(coefficient.name)
            own = own.reshape(own.shape[0] * own.shape[1], -1).T
            found |= dict(zip(map(plain, names_in_r(coefficient)), own, strict=True))
    for name, (estimate, se) in reference["fixef"].items():
        yield name, found.get(plain(name)), estimate, se


def fixed_distance(plan: Plan, draws: NamedDraws, reference: dict[str, Any]) -> tuple[float, float, int]:
    """Return the largest distance of a fixed effect in standard errors, its error, and how many have no name here."""
    far, unknown = (0.0, 0.0), 0
    for _, own, estimate, se in fixed_effects(plan, draws, reference):
        if own is None:
            unknown += 1
        elif se:
            error = np.std(own) / np.sqrt(len(own))
            far = max(far, (abs(np.mean(own) - estimate) / se, error / se))
    return *far, unknown


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


def line(folder: Path, record: dict[str, Any], draws: int) -> tuple[str, bool]:
    """Return a record's line, and whether a fixed effect is far from lme4's."""
    started = time.process_time()
    reference = record["reference"][record["main"]]
    try:
        plan = fj.model(formula_of(record), table(folder, record), priors="flat").plan
        engine = exact_engine(plan)
        if isinstance(engine, Missing):
            return f"not exact: {engine.reason}", False
        planned = time.process_time()
        found = engine.draw(plan, Settings(draws, 0, 4, 1, 0.9, False))
    except FormulaJointError as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}", False
    seconds = time.process_time() - planned
    far, error, unknown = fixed_distance(plan, found, reference)
    inside, of, out = sds_inside(plan, found, reference)
    names = f", {unknown} names not found" if unknown else ""
    text = (
        f"{found.trust.why_not() or 'exact'} k {found.trust.k_hat:.2f} ess {found.importance_ess:.0f} "
        f"plan {planned - started:.2f} s draw {seconds:.2f} s fixed {far:.3f} ({error:.3f}) se{names}, "
        f"sds {inside} of {of}" + "".join(f"; {each}" for each in out)
    )
    return text, far > FAR + ERRORS * error


def at_their_sds(folder: Path, record: dict[str, Any]) -> str:
    """Return the distance where the sds are lme4's, in words; empty if more than intercepts varies."""
    reference, formula = record["reference"][record["main"]], formula_of(record)
    if any(each["terms"] != ["(Intercept)"] for each in reference["random"]):
        return ""
    for each in reference["random"]:
        over = ":".join(reversed(each["group"].split(":")))
        formula += f", prior(Intercept.sd ~ constant({each['sd'][0]}), over={over})"
    formula += f", prior(sigma ~ constant({reference['sigma']}))"
    plan = fj.model(formula, table(folder, record), priors="flat").plan
    engine = exact_engine(plan)
    if isinstance(engine, Missing):
        return ""
    far, error, _ = fixed_distance(plan, engine.draw(plan, Settings(10_000, 0, 4, 1, 0.9, False)), reference)
    return f", at lme4's sds {far:.3f} ({error:.3f})"


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
    compared, away = 0, list[str]()
    for record in json.loads((given.directory / "models.json").read_text(encoding="utf-8")):
        wanted = record["family"] in FAMILIES and given.only in record["id"]
        if wanted and not (given.several and record["relation"] == "single"):
            size = "x".join(str(count) for count in record["groups"].values())
            about = f"{record['id']} {record['rows_used']} rows {size} {record['class']}"
            text, far = line(given.directory, record, given.draws)
            print(f"{about}: {text}", flush=True)
            if record["class"] == "regular" and min(record["groups"].values()) >= GROUPS and " k " in text:
                compared += 1
                away += [f"{record['id']}{at_their_sds(given.directory, record)}"] if far else []
    print(
        f"\nfixed effects compared in {compared} models; farther than {FAR} se and {ERRORS} Monte Carlo errors:"
    )
    print("\n".join(away) or "none")


if __name__ == "__main__":
    main()
