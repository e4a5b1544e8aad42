"""What is reached inside the package: the only module of the goldens that changes when inner modules move."""

from __future__ import annotations

import dataclasses
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.cli import main
from formulajoint.spec.json import from_json, to_json
from formulajoint.spec.read import parse_clause, parse_hypotheses

__all__ = [
    "columns_of",
    "from_json",
    "invented",
    "parse_clause",
    "parse_hypotheses",
    "plan_of",
    "run",
    "to_json",
]

type Array = NDArray[Any]


def plan_of(model: fj.JointModel) -> dict[str, Any]:
    """Return what the plan says and the public API does not: names, coords, and the numbers of priors to the bit."""
    plan = model.plan
    return {
        "response": [plan.response_name, plan.obs_dim],
        "variables": sorted(plan.variables),
        "auxiliary": sorted(plan.auxiliary),
        "coords": {dim: list(labels) for dim, labels in plan.coords.items()},
        "priors": {name: [prior.distribution.name, *prior.args.items()] for name, prior in plan.priors},
        "contrasts": {c.name: [list(c.dims), c.text] for c in plan.contrasts},
        "tests": {test.label: test.text for test in plan.tests},
        "flat": plan.flat,
    }


def columns_of(model: fj.JointModel) -> Iterator[tuple[str, Array]]:
    """Yield what the formula makes of the data: response, columns of every term, groups of rows, weights."""
    design = model.design
    yield f"response {design.response.name}", design.response.values
    for predictor in (design.predictor, *design.parameters):
        for kind, terms in (("per group", predictor.per_group), ("common", predictor.common)):
            for term in terms:
                axes = "; ".join(f"{factor.name}: {', '.join(factor.labels)}" for factor in term.factors)
                name = f"{predictor.parameter}, {kind}: {term.name} [{axes}]"
                yield name, term.columns
                yield f"{name} means and scales", np.stack([term.means, term.scales])
        if predictor.grouping is not None:
            yield f"{predictor.parameter}, groups {predictor.grouping.labels}", predictor.grouping.codes
        if predictor.offset is not None:
            yield f"{predictor.parameter}, offset", predictor.offset
    for name, values in (("row weights", design.row_weights), ("known errors", design.standard_errors)):
        if values is not None:
            yield name, values
    yield from ((f"weights of column {name}", values) for name, values in design.weight_columns.items())


def invented(model: fj.JointModel, chains: int, draws: int, diverging: int = 0) -> fj.Fit:
    """Return a fit with draws that are noise, positive where a variable is; so many of each chain count as divergent."""
    plan, pymc = model.plan, model.pymc
    scales = {part.name for part in plan.further if hasattr(part, "name")}
    variables = {}
    for variable in pymc.unobserved_RVs:
        dims = tuple(pymc.named_vars_to_dims.get(variable.name, ()))
        shape = (chains, draws, *(len(plan.coords[dim]) for dim in dims))
        noise = np.random.default_rng([*variable.name.encode()]).normal(0.6, 0.5, shape)
        positive = variable.name in scales or pymc.rvs_to_transforms.get(variable) is not None
        values = _correlations(noise) if _is_correlation(dims) else np.exp(noise) if positive else noise
        variables[variable.name] = (("chain", "draw", *dims), values)
    coords = {dim: list(labels) for dim, labels in plan.coords.items()}
    stats = Dataset({"diverging": (("chain", "draw"), np.tile(np.arange(draws) < diverging, (chains, 1)))})
    tree = DataTree.from_dict({"posterior": Dataset(variables, coords), "sample_stats": stats})
    tree.attrs = {"tune": 500, "target_accept": 0.9, "seed": 7}
    return fj.Fit(
        model, dataclasses.replace(_template(), plan=plan, source=tree, engine="nutpie", why="it is invented")
    )


@cache
def _template() -> Any:
    """Return the draws of some fit, for the class that they are of."""
    return fj.fit("test_score ~ treatment", fj.tutoring(), draws=4, chains=1, seed=1, engine="exact").draws


def _is_correlation(dims: Sequence[str]) -> bool:
    return len(dims) == 2 and dims[0].endswith("_row") and dims[1].endswith("_column")


def _correlations(noise: Array) -> Array:
    """Return symmetric matrices with ones on their diagonals."""
    half = np.tril(np.tanh(noise / 2), -1)
    return half + np.swapaxes(half, -1, -2) + np.eye(noise.shape[-1])


def run(*arguments: str) -> tuple[int, str, str]:
    """Return exit code, output and errors of the command line."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["formulajoint", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()
