"""Extensions of the language that cases use: as in the tests of the package, and as in examples/plugin."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import formulajoint as fj

VERSUS = """
%extend clause: level _VS level -> versus

_VS: /vs(?![\\w.])/
"""

PLUGIN = Path(__file__).parents[2] / "examples" / "plugin" / "formulajoint_robust" / "__init__.py"


def largest(effects: Any, weights: Any, *, times: float = 1.0) -> Any:
    """Return the largest effect; arithmetic that NumPy and PyTensor share."""
    return effects.max(axis=0) * times


def middle(effects: Any, weights: Any) -> Any:
    """Return the median of three effects, by a function that only PyTensor has."""
    from pytensor.tensor.sort import sort  # seconds, and few cases need it

    return sort(effects, axis=0)[1]


def ends(levels: Sequence[str], *, half: bool = False) -> Mapping[str, Sequence[float]]:
    """Return the last level less the first."""
    size = 0.5 if half else 1.0
    return {f"{levels[-1]} - {levels[0]}": [-size, *[0.0] * (len(levels) - 2), size]}


def root(groups: fj.Groups, *, power: float = 0.5) -> Any:
    """Return the rows of each group to a power."""
    return groups.rows**power


def share(groups: fj.Groups, column: Any, *, part: str = "mean") -> Any:
    """Return the sum or the mean of a column in each group."""
    return groups.sum(column) if part == "sum" else groups.mean(column)


def half(x: Any) -> Any:
    """Return half of a column."""
    return x / 2


def lowest(x: Any, weights: Any) -> Any:
    """Learn the lowest value of a column."""
    return x.min()


def above_lowest(x: Any, learned: Any, *, power: float = 1.0) -> Any:
    """Return what a column is above its lowest value, to a power."""
    return (x - learned) ** power


def minus(a: Any, b: Any) -> Any:
    """Return the difference of two columns."""
    return a - b


def double_exponential(mu: Any, b: Any) -> Any:
    """Return a Laplace distribution."""
    import pymc as pm  # seconds, and few cases need it

    return pm.Laplace.dist(mu, b)


def versus(node: fj.Node) -> Any:
    """Return the clause that `A vs B` is short for."""
    left, right = node.written
    return node.clause(f"contrast(.[{left}] - .[{right}])")


def mine() -> fj.Language:
    """Return the language with names of every kind."""
    words: list[Any] = [
        fj.Contrast(largest, meaning="largest effect"),
        fj.Contrast(middle),
        fj.ContrastFamily(ends, meaning="last less first"),
        fj.WeightScheme(root),
        fj.WeightScheme(share),
        fj.ColumnFunction(half),
        fj.ColumnFunction(above_lowest, learn=lowest, domain="It takes no numbers below the lowest."),
        fj.Operator("%minus%", minus),
        fj.Family(double_exponential, parameters={"b": "half_student_t(4, sd)"}),
    ]
    return fj.CORE.extend(fj.Extension("mine", words))


def syntax() -> fj.Language:
    """Return the language with a clause of new syntax."""
    fragment = fj.Fragment("versus.lark", VERSUS)
    return fj.CORE.extend(fj.Extension("versus", fragments=[fragment], rules={"versus": versus}))


def robust() -> fj.Language:
    """Return the language with the plug-in of the examples, read from its file and not installed."""
    spec = spec_from_file_location(
        "formulajoint_robust", PLUGIN, submodule_search_locations=[str(PLUGIN.parent)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("formulajoint_robust", module_from_spec(spec))
    spec.loader.exec_module(module)
    extension = module.extension
    assert isinstance(extension, fj.Extension)
    return fj.CORE.extend(extension)


LANGUAGES = {"mine": mine, "syntax": syntax, "robust": robust}


@cache
def language(name: str) -> fj.Language:
    """Return the language called `name`, for an empty name the plain one."""
    return LANGUAGES[name]() if name else fj.CORE
