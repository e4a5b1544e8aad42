"""Recipes as plain data, and back: what moments learnt of their rows, in a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from formulajoint.design import bases, recipes
from formulajoint.design.functions import COLUMN_FUNCTIONS, ColumnFunction, Operator
from formulajoint.errors import DataError, StoreError
from formulajoint.language.vocabulary.language import Language

TYPES: Mapping[str, Any] = {
    value.__name__: value
    for value in (
        recipes.Column,
        recipes.Constant,
        recipes.Negative,
        recipes.Arithmetic,
        recipes.Operated,
        recipes.Compared,
        recipes.Indicator,
        recipes.Applied,
        recipes.GroupMoments,
        recipes.Within,
        recipes.GroupMean,
        recipes.Basis,
        recipes.Cells,
        recipes.Coded,
        recipes.Crossed,
        recipes.Place,
        bases.Powers,
        bases.Polynomials,
        bases.BSplines,
        bases.NaturalSplines,
    )
}
"""The types of recipes and curves that files can hold, by name: of moments, and of designs."""

ROUNDING = 1e-9
"""Numbers that differ by less than this share of their size, or this much near zero, are the same."""


def encoded(value: Any) -> Any:
    """Return a recipe as dicts, lists, strings and numbers; functions go by their names."""
    match value:
        case ColumnFunction():
            return {"function": value.name}
        case Operator():
            return {"operator": value.name}
        case None | bool() | int() | float() | str():
            return value
        case np.ndarray() | np.generic():
            return {"array": value.tolist()}
        case tuple() | list():
            return [encoded(item) for item in value]
        case Mapping():
            return {"mapping": {str(key): encoded(item) for key, item in value.items()}}
    if type(value).__name__ not in TYPES:
        raise DataError(
            f"A function learnt a {type(value).__name__}, which moments cannot hold. Let it learn numbers."
        )
    return {
        "type": type(value).__name__,
        **{part.name: encoded(getattr(value, part.name)) for part in fields(value)},
    }


def alike(one: Any, other: Any) -> bool:
    """Return whether two encoded recipes are the same to rounding."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(alike, one, other))
        case float(), float():
            return math.isclose(one, other, rel_tol=ROUNDING, abs_tol=ROUNDING)
    return bool(one == other)


def decoded(data: Any, language: Language) -> Any:
    """Return the recipe of which `encoded` made `data`; its functions are those of `language`.

    Raises
    ------
    StoreError
        If `data` is not such a recipe, or names a function that the language lacks.
    """
    match data:
        case list():
            return tuple(decoded(item, language) for item in data)
        case {"type": str(name), **parts}:
            if name not in TYPES:
                raise StoreError(f"it holds a value of the unknown type {name}")
            return TYPES[name](**{str(key): decoded(part, language) for key, part in parts.items()})
        case {"function": str(name)}:
            found = COLUMN_FUNCTIONS.find(name, language)
            if found is None:
                raise StoreError(f"it uses the function `{name}`, which this language lacks")
            return found
        case {"operator": str(name)}:
            return language.meaning("operator", name)
        case {"array": values}:
            return np.array(values)
        case {"mapping": mapping}:
            return {key: decoded(item, language) for key, item in mapping.items()}
    return data
