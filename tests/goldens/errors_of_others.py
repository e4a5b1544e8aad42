"""Draws from elsewhere about which nothing can be said, and extensions that do not fit the language."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from xarray import DataArray, Dataset, DataTree

import formulajoint as fj
from goldens.errors_of_calls import Calls, asked_fit
from goldens.frames import frame
from goldens.languages import VERSUS, mine, versus

TEXTS = (
    "A == D",
    "slop == 0",
    "slope[D] == 0",
    "slope[shool=A] == 0",
    "slope[A, B] == 0",
    "treatment[A] == 0",
    "A * B == 0",
    "A == B, B == C, A == C + 1",
    "A > B, B > A",
    "A ==",
    "A",
)
"""Wrong hypotheses about groups."""


def of_draws() -> Calls:
    """Return calls about draws from elsewhere that cannot be answered."""
    values = np.random.default_rng(5).normal([20.0, 8.0, -1.0], 1.0, size=(2, 50, 3))
    slope = DataArray(
        values.transpose(2, 0, 1),
        dims=("school", "chain", "draw"),
        coords={"school": ["A", "B", "C"]},
        name="slope",
    )
    both = Dataset({"slope": slope, "sigma": slope[0]})
    arms = DataArray(
        np.random.default_rng(8).normal(size=(2, 50, 3, 2)),
        dims=("chain", "draw", "school", "arm"),
        coords={"school": ["A", "B", "C"], "arm": ["low", "high"]},
        name="effect",
    )
    joint: Any = fj.joint
    test: Any = fj.joint_test
    table: Any = fj.contrast_table
    calls: Calls = {f"joint_test: {text}": partial(test, slope, text) for text in TEXTS}
    return calls | {
        "one dimension": lambda: joint(values[0, :, 0]),
        "no groups": lambda: joint(slope[0]),
        "no chain": lambda: joint(slope[:, 0]),
        "no posterior": lambda: joint(DataTree.from_dict({"prior": both}), variable="slope"),
        "no variable": lambda: joint(both),
        "a misspelt variable": lambda: joint(Dataset({"slope": slope}), variable="slpoe"),
        "missing draws": lambda: joint(np.where(values > 21, np.nan, values)),
        "few weights": lambda: joint(values, [1, 2]),
        "an unknown group": lambda: joint(slope, {"A": 1, "B": 2, "D": 3}),
        "negative weights": lambda: joint(values, [1, -2, 3]),
        "no weights": lambda: joint(values, [0, 0, 0]),
        "no counts": lambda: joint(values, "n"),
        "weights in words": lambda: joint(values, "rows"),
        "few draws": lambda: test(values[:1, :6]),
        "a null of two": lambda: test(values, null=[1, 2]),
        "an infinite null": lambda: test(values, null=np.inf),
        "a rope of nothing": lambda: test(values, rope=0),
        "no text": lambda: test(values, 0.0),
        "at least four of three": lambda: test(values, at_least=4),
        "few names": lambda: joint(values, groups=["A", "B"]),
        "one name twice": lambda: joint(values, groups=["A", "B", "A"]),
        "names of several dims": lambda: joint(arms, groups=["A", "B", "C"]),
        "one label twice": lambda: joint(slope.assign_coords(school=["A", "A", "B"])),
        "no such dim": lambda: joint(arms, dim="shool"),
        "no base": lambda: joint(both, variable="slope", base="x"),
        "base of an array": lambda: joint(values, base="x"),
        "reference of several dims": lambda: joint(
            Dataset({"a": arms, "b": arms[:, :, 0, 0]}), variable="a", base="b", reference="R"
        ),
        "no family": lambda: table(values, "pairwsie"),
        "one group": lambda: table(values[..., :1], "pairwise"),
        "the option of another": lambda: table(values, "pairwise", ref="0"),
        "no such group": lambda: table(slope, "reference", ref="D"),
        "a degree too high": lambda: table(slope, "poly", degree=3),
        "a text": lambda: joint("x"),
        "no draws": lambda: joint(np.zeros((0, 3))),
        "a fit": lambda: joint(asked_fit()),
    }


def of_extensions() -> Calls:
    """Return extensions that do not fit the language, or whose functions answer what they may not."""

    def adding(*words: Any, **more: Any) -> fj.Language:
        return fj.CORE.extend(fj.Extension("wrong", words, **more))

    def fragment(text: str) -> fj.Language:
        return adding(fragments=[fj.Fragment("mine.lark", text)], rules={"mine": versus})

    def planned(clause: str, *words: Any) -> fj.JointModel:
        return fj.model(f"y ~ x | school, {clause}", frame("trial"), language=adding(*words))

    def family(function: Any) -> fj.JointModel:
        return planned("wrong(x)", fj.ContrastFamily(function, name="wrong"))

    def scheme(function: Any) -> fj.JointModel:
        return planned("joint(x, weights=wrong())", fj.WeightScheme(function, name="wrong"))

    call: Any = fj.CORE.extend
    extension: Any = fj.Extension
    return {
        "no name": lambda: fj.Extension(""),
        "no value": lambda: extension("mine", [len]),
        "no fragment": lambda: extension("mine", fragments=["vs.lark"]),
        "no extension": lambda: call("trimmed"),
        "the same twice": lambda: mine().extend(fj.Extension("mine")),
        "a name that is taken": lambda: adding(fj.Contrast(lambda effects, weights: effects, name="joint")),
        "a name that is no name": lambda: adding(fj.Contrast(lambda effects, weights: effects, name="a b")),
        "a contrast of one argument": lambda: fj.Contrast(lambda effects: effects, name="one"),
        "a family of two arguments": lambda: fj.ContrastFamily(lambda levels, more: levels, name="two"),
        "a scheme of no argument": lambda: fj.WeightScheme(lambda: 1, name="none"),
        "a column function of none": lambda: fj.ColumnFunction(lambda: 1, name="none"),
        "an operator of one": lambda: fj.Operator("%one%", lambda a: a),
        "a family of other parameters": lambda: fj.Family(
            lambda mu, b: mu, {"c": "half_normal(sd)"}, name="other"
        ),
        "a family of no link": lambda: fj.Family(lambda mu: mu, {}, link="cube", name="cubed"),
        "a family of no prior": lambda: fj.Family(lambda mu, b: mu, {"b": "normal(0, 1)"}, name="free"),
        "a contrast that fails": lambda: (
            planned("wrong(x)", fj.Contrast(lambda effects, weights: effects.summ, name="wrong")).pymc
        ),
        "a contrast that keeps groups": lambda: (
            planned("wrong(x)", fj.Contrast(lambda effects, weights: effects, name="wrong")).pymc
        ),
        "no matrix": lambda: family(lambda levels: {}),
        "a matrix of lists": lambda: family(lambda levels: [[1, -1, 0]]),
        "a matrix of two columns": lambda: family(lambda levels: {"a": [1, -1]}),
        "a matrix of texts": lambda: family(lambda levels: {"a": [1, "b", 0]}),
        "one weight": lambda: scheme(lambda groups: 1.0),
        "texts for weights": lambda: scheme(lambda groups: list("abc")),
        "infinite weights": lambda: scheme(lambda groups: [1, np.inf, 1]),
        "negative weights": lambda: scheme(lambda groups: [1, -1, 1]),
        "weights of zero": lambda: scheme(lambda groups: [0, 0, 0]),
        "a scheme without its column": lambda: fj.parse("y ~ x | g, joint(weights=share())", language=mine()),
        "a column function below its domain": lambda: fj.model(
            "y ~ half(log(x))", frame("trial"), language=mine()
        ),
        "a wrong keyword": lambda: fj.parse("y ~ x | g, largest(x, time=2)", language=mine()),
        "a misspelt name": lambda: fj.parse("y ~ x | g, larges(x)", language=mine()),
        "a fragment that ignores": lambda: fragment('%ignore "x"'),
        "a fragment that imports": lambda: fragment("%import common.WORD"),
        "a fragment that extends a sum": lambda: fragment("%extend sum: NAME -> mine"),
        "a fragment that takes names": lambda: fragment('%extend value: "s" -> mine'),
        "a fragment that is no grammar": lambda: fragment("%extend clause: NAME VS (NAME -> mine"),
        "a fragment without a rule": lambda: adding(fragments=[fj.Fragment("versus.lark", VERSUS)]),
        "a rule without a fragment": lambda: adding(rules={"versus": versus}),
        "a file that is not there": lambda: fj.Fragment.read("nowhere/vs.lark"),
    }
