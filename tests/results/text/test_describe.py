"""What ``explain()`` says, read from ``tests/cases/explain``: a comment with data and priors, then the text.

The text begins with the formula, so each file is its own question and answer. All of them were read line by line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

FOLDER = Path(__file__).parents[2] / "cases" / "explain"
DATA = Path(__file__).parents[2] / "data"
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))


@pytest.fixture
def frames(tutoring: pd.DataFrame, clinics: pd.DataFrame) -> dict[str, pd.DataFrame]:
    missing = clinics.assign(age=clinics["age"].where(clinics.index != 3), w=[1, 2, 0, 1] * 6)
    return {"tutoring": tutoring, "clinics": clinics, "clinics with gaps": missing}


def read(name: str, frames: dict[str, pd.DataFrame]) -> tuple[fj.JointModel, str]:
    """Return the model of a case and the text that it is explained by."""
    head, text = (FOLDER / f"{name}.txt").read_text().split("\n", 1)
    data, _, priors = head.removeprefix("# ").partition(", priors=")
    frame = pd.read_csv(DATA / data) if data.endswith(".csv") else frames[data]
    return fj.model(text.partition("\n\n")[0], frame, priors=priors or None), text


def test_there_are_cases() -> None:
    assert len(CASES) >= 8


@pytest.mark.parametrize("name", CASES)
def test_the_explanation_is_the_one_that_was_read(name: str, frames: dict[str, pd.DataFrame]) -> None:
    model, text = read(name, frames)
    assert f"{model.explain()}\n" == text
    assert str(model) == repr(model) == model.explain()


@pytest.mark.parametrize("name", CASES)
def test_names_of_the_explanation_are_those_of_the_model(name: str, frames: dict[str, pd.DataFrame]) -> None:
    model, _ = read(name, frames)
    record = model.record()
    named = {row["name"] for row in record["coefficients"]} | {row["name"] for row in record["contrasts"]}
    constants = {name for name, prior in model.priors.items() if prior.startswith("constant(")}
    weights = {c.weights_name for c in model.plan.contrasts} - {None} - {s.name for s in model.plan.shares}
    variables = {v.name for v in model.pymc.unobserved_RVs} - model.plan.auxiliary - weights
    assert named - constants == variables


@pytest.mark.parametrize("name", CASES)
def test_the_record_says_the_same_as_strict_json(name: str, frames: dict[str, pd.DataFrame]) -> None:
    model, text = read(name, frames)
    record = model.record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    words = " ".join(text.split())  # the text is wrapped
    for row in record["coefficients"]:
        assert f"{row['name']} {row['description']} {row['prior']}" in words
    for row in record["contrasts"]:
        averaged = row["clause"].startswith(("joint", "rms", "spread", "meandev"))
        assert f"{row['name']}: {row['description']}{'; weights ' if averaged else ''}" in words
    for note in record["notes"]:
        assert f"note: {note}" in words
    assert fj.parse(record["formula"]) == model.formula


def test_a_model_is_explained_without_loading_pymc_pandas_or_arviz() -> None:
    code = """
import sys
from formulajoint.api.verbs import model
print(model("y ~ x | g, joint()", {"y": [1.0, 2, 4, 9], "x": [0, 1, 0, 1], "g": list("aabb")}).explain())
heavy = {"pymc", "pandas", "arviz", "arviz_stats", "xarray", "scipy", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(fj.__file__).parents[1],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "joint_x: weighted mean of x over g; weights n: a 0.5, b 0.5" in done.stdout


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (
            "outcome ~ arm | clinic, sequential(arm)",
            "of arm between its levels in each clinic, 2 entries, in the order control, high, low",
        ),
        ("outcome ~ arm | clinic, pairwise(arm)", "of arm between its levels in each clinic, 3 entries"),
        ("outcome ~ arm * age, pairwise(arm)", "of arm between its levels, 3 entries, at age = 0"),
        (
            "outcome ~ arm * center(age), pairwise(arm)",
            "of arm between its levels, 3 entries, at center(age) = 0",
        ),
        ("outcome ~ arm * clinic + arm:age, pairwise(arm)", "3 entries, where clinic is east, at age = 0"),
        ("outcome ~ arm * C(clinic, coding=sum), pairwise(arm)", "where clinic is averaged over its levels"),
        (
            "outcome ~ arm * age | clinic, pairwise(arm, over=clinic)",
            "over clinic, 3 entries, at age = 0",
        ),
    ],
)
def test_a_family_says_in_which_order_and_where_it_compares(
    clinics: pd.DataFrame, formula: str, said: str
) -> None:
    model = fj.model(formula, clinics)
    (row,) = model.record()["contrasts"]
    assert row["description"].endswith(said)
    assert said in " ".join(model.explain().split())


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (12, "in the order 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"),
        (24, f"in the order {', '.join(map(str, range(1, 25)))}"),
        (30, "in the order 1, 2, 3, 4, ..., 29, 30"),
    ],
)
@pytest.mark.parametrize("clause", ["poly", "sequential", "helmert"])
def test_the_order_of_many_levels_is_said_too(levels: int, said: str, clause: str) -> None:
    data = pd.DataFrame({"y": range(60), "g": [str(row % levels + 1) for row in range(60)]})
    model = fj.model(f"y ~ 1 | g, {clause}(Intercept)", data)
    (row,) = model.record()["contrasts"]
    assert row["description"].endswith(said)
    assert said in " ".join(model.explain().split())


@pytest.mark.parametrize(
    ("formula", "where"),
    [
        ("y ~ arm * sex | g, joint(arm)", "weighted mean of arm over g, where sex is f"),
        ("y ~ arm * x | g, joint(arm)", "weighted mean of arm over g, at x = 0"),
        ("y ~ x * sex | g, joint(x)", "weighted mean of x over g, where sex is f"),
        ("y ~ arm * sex | g, joint(arm:sex)", "weighted mean of arm:sex over g"),
        ("y ~ arm + sex | g, joint(arm)", "weighted mean of arm over g"),
        ("y ~ arm * sex | g, joint(Intercept)", "weighted mean of Intercept over g"),
    ],
)
def test_beside_an_interaction_it_is_said_where_an_effect_is(formula: str, where: str) -> None:
    """An arm that works in one sex alone has no effect in the other: which of the two is tested must be said."""
    rng = np.random.default_rng(131)
    frame = pd.DataFrame(
        {
            "g": np.repeat(["A", "B"], 60),
            "arm": rng.choice(["ctl", "trt"], 120),
            "sex": rng.choice(["f", "m"], 120),
        }
    ).assign(x=rng.normal(10, 1, 120), y=rng.normal(size=120))
    fit = fj.fit(formula, frame, seed=1, draws=200)
    lines = [line for line in str(fit).splitlines() if "weighted mean" in line]
    assert len(lines) == 1
    said = lines[0].partition(": ")[2].partition("; weights")[0]
    assert said == where
    if "where" in where:
        tested = formula.partition("~ ")[2].partition(" ")[0]
        place = where.partition("where")[2]
        assert f"{tested} == 0 in every g, where{place}" in str(fit)
