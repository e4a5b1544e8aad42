"""Names, dims and shapes of the model's variables, against ``tests/cases/models.txt``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytensor
import pytest

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.compiler.pymc.build import build_model
from formulajoint.design.bind import bind
from formulajoint.spec.read import parse

CASES = Path(__file__).parents[1] / "cases" / "models.txt"
MODE = pytensor.compile.Mode(linker="py", optimizer=None)
RNG = np.random.default_rng(3)


def numbers(rows: int, *names: str) -> dict[str, np.ndarray]:
    return {name: RNG.normal(5, 1, rows) for name in names}


ODD = ("test score", "Sepal.Length", "x/y", "x_y", 'the "best"', "größe", "größe, cm", "a:b", "a", "b", "a__")
TAKEN = ("x", "logp", "chain", "draw", "sample", "sigma", "obs", "joint_x", "x_mean", "Intercept", "school")
FRAMES = {
    "schools": numbers(10, "score", "pretest")
    | {
        "treatment": [0, 1] * 5,
        "w": [1, 2] * 5,
        "pupils": [300] * 4 + [700] * 6,
        "school": list("AAAABBBBBB"),
    },
    "clinics": numbers(24, "outcome", "age")
    | {
        "arm": pd.Categorical(["control", "low", "high"] * 8, ["control", "low", "high"]),
        "severe": [False, False, True, True] * 6,
        "ward": ["u", "v"] * 12,
        "clinic": ["north"] * 6 + ["east"] * 8 + ["south"] * 10,
    },
    "nested": numbers(24, "score", "x")
    | {
        "district": ["d1"] * 12 + ["d2"] * 12,
        "school": (["s1"] * 4 + ["s2"] * 4 + ["s3"] * 4) * 2,
        "year": [2019, 2020] * 12,
    },
    "odd": numbers(24, *ODD, *TAKEN)
    | {
        "my group": ["g 1", "g/2"] * 12,
        "sigma_dim": ["u", "u", "v", "v"] * 6,
        "école": ["α", "β", "γ"] * 8,
        "stadt, land": ["s", "l"] * 12,
    },
}

type Dims = tuple[tuple[str, int], ...]


class Case(NamedTuple):
    frame: str
    formula: str
    variables: dict[str, Dims]


def cases(text: str) -> Iterator[Case]:
    """Yield the cases of the file: a formula stands at the left margin, its variables below it, indented."""
    frame = ""
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines and lines[0].startswith("["):
            frame = lines[0].strip("[]")
        elif lines:
            formula, *variables = lines
            yield Case(frame, formula, dict(variable(line.strip()) for line in variables))


def variable(line: str) -> tuple[str, Dims]:
    """Read ``arm : clinic 3, arm_dim 2``."""
    name, _, dims = line.partition(" : ")
    return name, tuple(dim(part) for part in dims.split(", ") if part)


def dim(text: str) -> tuple[str, int]:
    name, _, length = text.rpartition(" ")
    return name, int(length)


ALL = list(cases(CASES.read_text(encoding="utf-8")))


def test_there_are_many_cases():
    assert len(ALL) >= 60
    assert {case.frame for case in ALL} == FRAMES.keys()


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.formula)
def test_variables(case):
    plan = make_plan(bind(parse(case.formula), pd.DataFrame(FRAMES[case.frame])))
    model = build_model(plan)
    found = model.named_vars
    dims = {name: model.named_vars_to_dims.get(name, ()) for name in found}
    assert dims == {name: tuple(dim for dim, _ in dims) for name, dims in case.variables.items()}
    with pytensor.config.change_flags(traceback__limit=0):  # faster
        shapes = pytensor.function([], [value.shape for value in found.values()], mode=MODE)()
    lengths = {name: tuple(shape) for name, shape in zip(found, shapes, strict=True)}
    assert lengths == {name: tuple(length for _, length in dims) for name, dims in case.variables.items()}
    for name in {dim for of in dims.values() for dim in of} - {plan.obs_dim}:
        assert model.coords[name] == plan.coords[name]
    # The tables leave out what is in the model; a name in the model is spoken for; each prior's variable is there.
    assert plan.auxiliary <= found.keys() <= plan.variables
    assert all(name in found for name, prior in plan.priors if prior.constant is None)


# Labels: of groups, of a factor's levels, of the correlation's columns.

LABELS = {
    ("schools", "score ~ treatment | school"): {"school": ("A", "B")},
    ("clinics", "outcome ~ arm | clinic"): {"clinic": ("east", "north", "south"), "arm_dim": ("low", "high")},
    ("clinics", "outcome ~ 0 + arm | clinic"): {
        "clinic": ("east", "north", "south"),
        "arm_dim": ("control", "low", "high"),
    },
    ("nested", "score ~ x | district/school"): {
        "district:school": ("d1/s1", "d1/s2", "d1/s3", "d2/s1", "d2/s2", "d2/s3")
    },
    ("clinics", "outcome ~ arm + age | clinic, hierarchy(age, arm)"): {
        "clinic": ("east", "north", "south"),
        "arm_dim": ("low", "high"),
        "clinic_cor_row": ("age", "arm[low]", "arm[high]"),
        "clinic_cor_column": ("age", "arm[low]", "arm[high]"),
        "clinic_cor_pair": ("age, arm[low]", "age, arm[high]", "arm[low], arm[high]"),
    },
    ("clinics", "outcome ~ arm * ward | clinic, hierarchy(arm:ward)"): {
        "clinic": ("east", "north", "south"),
        "arm_dim": ("low", "high"),
        "ward_dim": ("v",),
        "clinic_cor_row": ("arm:ward[arm=low, ward=v]", "arm:ward[arm=high, ward=v]"),
        "clinic_cor_column": ("arm:ward[arm=low, ward=v]", "arm:ward[arm=high, ward=v]"),
        "clinic_cor_pair": ("arm:ward[arm=low, ward=v], arm:ward[arm=high, ward=v]",),
    },
}


@pytest.mark.parametrize(("frame", "formula"), LABELS)
def test_labels(frame, formula):
    plan = make_plan(bind(parse(formula), pd.DataFrame(FRAMES[frame])))
    assert plan.coords == LABELS[frame, formula]
