"""Real mixed models of events, counts and categories by the exact engine, beside glmer, clmm and glmmTMB: a row each.

    python benchmarks/mixed_events.py DIRECTORY [--only PART] [--draws 1000]

`DIRECTORY` has ``models.json``, one record a line, and the tables it names. The first figure no prior touches: the log
likelihood at the reference's own estimates, with the groups' coefficients integrated out, less what a quadrature of 41
nodes by others found. Then the model is fitted with its default priors: seconds of the processor, and the largest
distance of a fixed effect's posterior mean from the reference's estimate, in standard errors.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from mixed_fits import fixed_distance, formula_of, names_in_r, plain, table

import formulajoint as fj
from formulajoint.arrays import FloatArray
from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import Plan
from formulajoint.errors import FormulaJointError
from formulajoint.inference.engine import exact_engine
from formulajoint.inference.groupwise.forecast import forecast
from formulajoint.inference.groupwise.marginal import log_likelihood
from formulajoint.inference.groupwise.model import Model, model_of
from formulajoint.inference.groupwise.rules import rules
from formulajoint.inference.settings import Settings
from formulajoint.remarks import Missing

FAMILIES = {
    "bernoulli": "bernoulli",
    "binomial": "binomial",
    "poisson": "poisson",
    "negbinomial": "negative_binomial",
    "zero_inflated_negbinomial": "zero_inflated_negative_binomial",
    "ordinal": "cumulative",
    "ordinal_probit": "cumulative, link=probit",
}
REFERENCES = (
    "glmer_agq15",
    "glmer_agq25",
    "clmm_agq15",
    "glmmTMB",
    "glmmTMB_laplace",
    "glmer_laplace",
    "clmm_laplace",
)
"""Programs, those that integrate by quadrature first."""


def model_for(folder: Path, record: dict[str, Any]) -> fj.JointModel:
    """Return the model of a record, with default priors."""
    formula = f"{formula_of(record)}, family({FAMILIES[record['family']]})"
    return fj.model(formula, table(folder, record))


def reference_of(record: dict[str, Any]) -> str:
    """Return the program to compare with."""
    return next(name for name in REFERENCES if "fixef" in record["reference"].get(name, {}))


def at_estimates(plan: Plan, model: Model, reference: dict[str, Any]) -> FloatArray:
    """Return the point psi (1, d) of a reference's estimates."""
    known = {plain(name): estimate for name, (estimate, _) in reference["fixef"].items()}
    pooled = {
        name: term
        for name, term in plan.mean.pooled.items()
        if term.mean is None or term.mean.constant is None
    }
    names = [name for c in plan.mean.coefficients if c.name in pooled for name in names_in_r(c)]
    names += [name for c in plan.mean.coefficients if not c.grouped for name in names_in_r(c)]
    theta = np.array([known[plain(name)] for name in names])
    values = np.ones(len(model.scales.cells))
    ((block),) = model.structure.blocks
    (random,) = reference["random"]
    values[block.sds] = random["sd"]
    cuts = [cut for cut, _ in reference.get("thresholds", {}).values()]
    for places in model.own.values():
        values[places] = np.diff(cuts, prepend=0.0)
    z = np.linalg.solve(model.turn, theta - model.centre)
    return np.concatenate([model.scales.points(values), z])[None]


def log_likelihood_at_estimates(plan: Plan, reference: dict[str, Any]) -> float:
    """Return the log likelihood at a reference's estimates."""
    model = model_of(plan)
    point = at_estimates(plan, model, reference)
    return float(log_likelihood(forecast(model, point[0]), point, rules(1)[-1])[0][0])


def row(folder: Path, record: dict[str, Any], draws: int) -> str:
    """Return the row of a record."""
    name = reference_of(record)
    reference = record["reference"][name]
    try:
        plan = model_for(folder, record).plan
        engine = exact_engine(plan)
        if isinstance(engine, Missing):
            return f"{name} | not exact: {engine.reason}"
        wanted = reference.get(
            "neg2loglik_quadrature41", reference.get("neg2loglik") if name == "clmm_agq15" else None
        )
        off = (
            ""
            if wanted is None
            else f"{log_likelihood_at_estimates(by_bar(plan), reference) + wanted / 2:.5f}"
        )
        started = time.process_time()
        found = engine.draw(plan, Settings(draws, 0, 4, 1, 0.9, False))
    except FormulaJointError as error:
        return f"{name} | {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    seconds = time.process_time() - started
    far, unknown = fixed_distance(plan, found, reference)
    names = f", {unknown} names not found" if unknown else ""
    return f"{name} | {off} | {far:.2f}{names} | {found.trust.k_hat:.2f} | {seconds:.1f}"


def main() -> None:
    """Print a row for each record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", default="", help="part of a record's id")
    parser.add_argument("--draws", type=int, default=1000)
    given = parser.parse_args()
    print(
        "| model | rows | groups | class | beside | log likelihood there, off by | largest distance, se | k-hat | s |"
    )
    for record in json.loads((given.directory / "models.json").read_text(encoding="utf-8")):
        if record["family"] in FAMILIES and given.only in record["id"]:
            groups = " x ".join(str(count) for count in record["groups"].values())
            about = f"{record['id']} | {record['rows_used']} | {groups} | {record['class']}"
            print(f"| {about} | {row(given.directory, record, given.draws)} |", flush=True)


if __name__ == "__main__":
    main()
