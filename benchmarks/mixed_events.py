"""Real mixed models of events, counts and categories by the exact engine, beside glmer, clmm and glmmTMB: a row each.

    python benchmarks/mixed_events.py DIRECTORY [--only PART] [--draws 1000] [--results FILE]

`DIRECTORY` has ``models.json``, one record a line, and the tables it names. The first figure no prior touches: the log
likelihood at the reference's own estimates, with the groups' coefficients integrated out, less what a quadrature of 41
nodes by others found. Then the model is fitted with its default priors: the largest distance of a fixed effect's
posterior mean from the reference's estimate, in standard errors, and which it is: posterior mean, estimate (error).
Above 0.3 the model is fitted again with priors ten times as wide, which shows what the prior does. Estimates that are
infinite are left out. Models in the file of results are not fitted again; with ``--draws 0`` none is.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
from mixed_fits import fixed_effects, formula_of, names_in_r, plain, table

import formulajoint as fj
from formulajoint.arrays import FloatArray
from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.widened_priors import with_scaled
from formulajoint.errors import FormulaJointError
from formulajoint.inference.draws.named import NamedDraws
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

RESULTS = Path(__file__).parent / "results" / "mixed_events.json"
FAR, WIDER = 0.3, 10.0
INFINITE = 50.0
"""A standard error above this, on the link's scale, is that of an estimate that is infinite."""

HEAD = (
    "| model | family | rows | groups | beside | log likelihood there, off by | distance, se | of: mean, estimate (se) "
    "| wide priors | k-hat | s |"
)


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
    for part in model.own.values():
        values[part.places] = np.diff(cuts, prepend=0.0)
    z = np.linalg.solve(model.turn, theta - model.centre)
    return np.concatenate([model.scales.points(values), z])[None]


def log_likelihood_at_estimates(plan: Plan, reference: dict[str, Any]) -> float:
    """Return the log likelihood at a reference's estimates."""
    model = model_of(plan)
    point = at_estimates(plan, model, reference)
    return float(log_likelihood(forecast(model, point[0]), point, rules(1)[-1])[0][0])


def separated(plan: Plan, draws: NamedDraws, reference: dict[str, Any]) -> int:
    """Return how many estimates of a reference are infinite: their standard errors are beyond all scales."""
    return sum(se > INFINITE for _, _, _, se in fixed_effects(plan, draws, reference) if se)


def farthest(plan: Plan, draws: NamedDraws, reference: dict[str, Any]) -> dict[str, Any]:
    """Return the fixed effect that is farthest from its estimate, in standard errors, of those that are finite."""
    known = [each for each in fixed_effects(plan, draws, reference) if each[1] is not None]
    finite = [each for each in known if each[3] and each[3] <= INFINITE]
    name, own, estimate, se = max(finite, key=lambda each: abs(np.mean(each[1]) - each[2]) / each[3])
    mean = float(np.mean(own))
    return {"of": name, "mean": mean, "estimate": estimate, "se": se, "far": abs(mean - estimate) / se}


def beside(
    plan: Plan, draws: NamedDraws, record: dict[str, Any], reference: dict[str, Any]
) -> dict[str, list[float | None]]:
    """Return of each fixed effect posterior mean and sd, the reference's estimate and error, and Laplace's estimate."""
    laplace = record["reference"].get("glmer_laplace", {}).get("fixef", {})
    return {
        name: [float(np.mean(own)), float(np.std(own)), estimate, se, laplace.get(name, [None])[0]]
        for name, own, estimate, se in fixed_effects(plan, draws, reference)
        if own is not None
    }


def wider(plan: Plan) -> Plan:
    """Return a plan with priors ten times as wide of all coefficients, and of sds of groups."""
    found = with_scaled(plan, {c.term.name for c in plan.mean.coefficients}, WIDER)
    assert not isinstance(found, Missing), found.reason
    return found


def record_of(folder: Path, record: dict[str, Any], draws: int) -> dict[str, Any]:
    """Return what is found of a record."""
    name = reference_of(record)
    reference, found = record["reference"][name], dict[str, Any](beside=name)
    try:
        plan = model_for(folder, record).plan
        engine = exact_engine(plan)
        if isinstance(engine, Missing):
            return found | {"refused": engine.reason}
        wanted = reference.get(
            "neg2loglik_quadrature41", reference.get("neg2loglik") if name == "clmm_agq15" else None
        )
        if wanted is not None:
            found["off"] = log_likelihood_at_estimates(by_bar(plan), reference) + wanted / 2
        if draws == 0:
            return found
        started = time.process_time()
        drawn = engine.draw(plan, Settings(draws, 0, 4, 1, 0.9, False))
        found["seconds"] = time.process_time() - started
        found |= farthest(plan, drawn, reference) | {"effects": beside(plan, drawn, record, reference)}
        found |= {"k_hat": float(drawn.trust.k_hat), "separated": separated(plan, drawn, reference)}
        if found["far"] > FAR:
            plan = wider(plan)
            drawn = engine.draw(plan, Settings(draws, 0, 4, 1, 0.9, False))
            found["wider"] = farthest(plan, drawn, reference)
    except FormulaJointError as error:
        return found | {"refused": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}
    return found


def row(found: dict[str, Any]) -> str:
    """Return the row of a record."""
    start = (
        f"| {found['id']} | {found['family']} | {found['rows']:,} | {found['groups']} | {found['beside']} |"
    )
    if "refused" in found:
        return f"{start} not exact: {found['refused']} ||||||"
    off = f"{abs(found['off']):.0e}" if "off" in found else ""
    if "far" not in found:
        return f"{start} {off} | | | | | |"
    wide = f"{found['wider']['far']:.2f} (`{found['wider']['of']}`)" if "wider" in found else ""
    return (
        f"{start} {off} | {found['far']:.2f} | `{found['of']}` {found['mean']:.3g}, {found['estimate']:.3g} "
        f"({found['se']:.2g}) | {wide} | {found['k_hat']:.2f} | {found['seconds']:.1f} |"
    )


def main() -> None:
    """Print a row for each record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", default="", help="part of a record's id")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    known = json.loads(given.results.read_text()) if given.results.exists() else {}
    print(HEAD + "\n" + re.sub("[^|]+", "---", HEAD), flush=True)
    for record in json.loads((given.directory / "models.json").read_text(encoding="utf-8")):
        if record["family"] not in FAMILIES or given.only not in record["id"]:
            continue
        if "far" not in known.get(record["id"], {}):
            groups = " x ".join(str(count) for count in record["groups"].values())
            about = {
                "id": record["id"],
                "family": record["family"],
                "rows": record["rows_used"],
                "groups": groups,
            }
            known[record["id"]] = about | record_of(given.directory, record, given.draws)
            given.results.write_text(json.dumps(known, indent=1) + "\n")
        print(row(known[record["id"]]), flush=True)


if __name__ == "__main__":
    main()
