"""A design as plain data and arrays, and back: what a saved fit needs of its data.

The values of ``design/schema.py`` become dicts, lists, strings and numbers; their arrays become names of separate
arrays. Nothing is pickled, and only types in the table of types are called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from formulajoint.aggregates import recipe_codec
from formulajoint.design import recipes, schema
from formulajoint.design.columns import Column
from formulajoint.design.functions import COLUMN_FUNCTIONS, ColumnFunction, Operator
from formulajoint.design.kept_rows import KeptRows
from formulajoint.design.pooling import Hierarchy
from formulajoint.design.values import levels
from formulajoint.errors import BugError, StoreError
from formulajoint.language.vocabulary.default import chosen
from formulajoint.language.vocabulary.language import Language
from formulajoint.results.saved.field_types import hints_of, is_of
from formulajoint.spans import Span
from formulajoint.spec.json import from_json, to_json
from formulajoint.spec.read import specification
from formulajoint.spec.spec import ModelSpec
from formulajoint.wording import listed

TYPES: Mapping[str, Any] = {
    value.__name__: value
    for value in (
        schema.Block,
        Column,
        schema.Design,
        schema.Factor,
        schema.Grouping,
        Hierarchy,
        KeptRows,
        schema.PartMeans,
        schema.Predictor,
        schema.Response,
        schema.Rows,
        schema.Term,
        *(kind for kind in recipe_codec.TYPES.values() if kind is not recipes.Column),
    )
} | {"ColumnName": recipes.Column}
"""The types of values that a file can hold, by name."""

NAMES: Mapping[Any, str] = {kind: name for name, kind in TYPES.items()}

NOT_SAVED = ("frame", "read_column")
"""Names of what a file does not hold: the whole data frame. Older files have `read_column`, empty."""

RECIPES = ("recipe", "trials_recipe")
"""Names of recipes. One with what an extension learnt that is no plain value is not saved."""

type Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Plain:
    """A value as data, with the arrays that it names.

    Attributes
    ----------
    data : dict
        Ready for JSON.
    arrays : dict of str to array
    """

    data: Any
    arrays: Arrays = field(default_factory=dict)


def to_plain(design: schema.Design) -> Plain:
    """Return `design` as data and arrays; no further column of the data frame can be read then."""
    arrays: Arrays = {}
    return Plain(_encoded(design, arrays), arrays)


def from_plain(plain: Plain, language: Language | None = None) -> schema.Design:
    """Return the design that `to_plain` encoded, in `language`; the default is the plain one with all extensions.

    Raises
    ------
    StoreError
        If `plain` is not such a design.
    """
    spoken = chosen(language)
    design = _Decoder(plain.arrays, spoken, _source(plain.data)).value(plain.data)
    if not isinstance(design, schema.Design):
        raise StoreError("it holds no design")
    return replace(design, language=spoken)


def fingerprint(plain: Plain) -> str:
    """Return SHA-256 of the arrays: two fits with the same one used the same rows and columns."""
    digest = hashlib.sha256()
    for name, array in sorted(plain.arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _encoded(value: Any, arrays: Arrays) -> Any:
    match value:
        case ModelSpec():
            return {"formula": to_json(value.formula)}
        case np.ndarray():
            name = f"array_{len(arrays)}"
            arrays[name] = value
            # Sums are the same to the bit only over the same layout in memory.
            turned = value.flags.f_contiguous and not value.flags.c_contiguous
            return {"array": name, "order": "F" if turned else "C"}
        case tuple():
            return [_encoded(item, arrays) for item in value]
        case Mapping():
            return {"mapping": {str(key): _encoded(item, arrays) for key, item in value.items()}}
        case Span():  # the text itself is the formula's source
            return {"type": "Span", "start": value.start, "end": value.end}
        case Language():  # functions, which a file cannot hold
            return None
        case ColumnFunction():
            return {"function": value.name}
        case Operator():
            return {"operator": value.name}
        case Column():
            return _column(value, arrays)
        case np.generic():
            return value.item()
        case None | bool() | int() | float() | str():
            return value
    if type(value) not in NAMES:
        raise NotPlain(type(value).__name__)
    parts = {
        name: (_recipe if name in RECIPES else _encoded)(part, arrays) for name, part in _parts(value).items()
    }
    return {"type": NAMES[type(value)], **parts}


class NotPlain(BugError):
    """A value that a file cannot hold."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"a saved fit cannot hold a {kind}")


def _recipe(recipe: Any, arrays: Arrays) -> Any:
    """Return a recipe as data; None if an extension's function learnt what is not plain."""
    own = dict(arrays)
    try:
        data = _encoded(recipe, own)
    except NotPlain:
        return None
    arrays.update(own)
    return data


def _column(column: Column, arrays: Arrays) -> Any:
    """Return a column of the data frame as data: text and categories as codes of their levels."""
    if column.kind != "categorical":
        values = column.values.astype(np.uint8) if column.kind == "boolean" else column.values
        return {"column": column.name, "kind": column.kind, "values": _encoded(values, arrays)}
    found = levels(column)
    codes = found.codes.astype(np.min_scalar_type(max(len(found.labels), 1)))
    out = {"column": column.name, "labels": list(found.labels), "values": _encoded(codes, arrays)}
    if column.order is None or not all(type(each) in (str, int, float) for each in column.order):
        return out
    there = set(column.values.tolist())
    used = [place for place, each in enumerate(column.order) if each in there]
    return out | {"categories": [list(column.order), used, column.ordered]}


def _parts(value: Any) -> dict[str, Any]:
    """Return what is saved of a value, by name: its fields, but of blocks the terms and groups."""
    parts = {part.name: getattr(value, part.name) for part in fields(value) if part.name not in NOT_SAVED}
    match value:
        case schema.Predictor():
            del parts["blocks"]
            return {"per_group": value.per_group, "common": value.common, "grouping": value.grouping, **parts}
        case schema.Design():
            hierarchies = tuple(
                hierarchy
                for predictor in value.predictors
                for block in (*predictor.blocks, *predictor.varying)
                for hierarchy in block.pooling
            )
            return {"formula": parts.pop("spec"), **parts, "hierarchies": hierarchies}
    return parts


def _known(found: Any, name: str) -> Any:
    """Return a function or operator of the language."""
    if found is None:
        raise StoreError(f"its design needs `{name}`, which this language lacks")
    return found


def _source(data: Any) -> str:
    """Return the text of the design's formula, or an empty one where `data` is not a design."""
    match data:
        case {"formula": {"formula": {"source": str(source)}}}:
            return source
    return ""


def _predictor(
    per_group: Any, common: Any, grouping: Any, varying: Any = (), **others: Any
) -> schema.Predictor:
    blocks = schema.blocks_of(per_group, common, grouping)
    return schema.Predictor(blocks=blocks, varying=schema.varying_blocks(varying, common), **others)


def _design(formula: Any, predictor: Any, parameters: Any, hierarchies: Any, **others: Any) -> schema.Design:
    mean, *further = (each.pooled(hierarchies) for each in (predictor, *parameters))
    return schema.Design(spec=formula, predictor=mean, parameters=tuple(further), **others)


def _hints(name: str) -> dict[str, Any]:
    """Return the names and types of what a file holds of a value."""
    if name not in TYPES:
        raise StoreError(f"it holds a value of the unknown type {name}")
    hints = {key: hint for key, hint in hints_of(TYPES[name]).items() if key not in NOT_SAVED}
    if name == "Predictor":
        del hints["blocks"]
        terms = hints_of(schema.Block)["terms"]
        hints |= {"per_group": terms, "common": terms, "grouping": hints_of(schema.Block)["grouping"]}
    if name == "Design":
        del hints["spec"]
        hints |= {"formula": ModelSpec, "hierarchies": tuple[Hierarchy, ...], "language": None}
    return hints


def _is_required(part: Field[Any]) -> bool:
    return part.default is MISSING and part.default_factory is MISSING


MAKERS: Mapping[str, Any] = {**TYPES, "Predictor": _predictor, "Design": _design}
"""What makes a value of its parts, by the name of its type."""


def _are_places(values: Any, used: list[Any], order: list[Any]) -> bool:
    """Return whether values are places among the used categories, and these places in the order of all."""
    sound = all(type(place) is int and 0 <= place < len(order) for place in used)
    return sound and (len(values) == 0 or int(np.max(values)) < len(used))


@dataclass(frozen=True, slots=True)
class _Decoder:
    """Makes values from data and arrays; `source` is the text of all spans."""

    arrays: Arrays
    language: Language
    source: str

    def value(self, data: Any) -> Any:
        match data:
            case list():
                return tuple(map(self.value, data))
            case {"type": "Span", "start": int(start), "end": int(end)}:
                return Span(start, end, self.source)
            case {"type": str(name)}:
                return self._made(name, data)
            case {"column": str(name), "values": values}:
                return self._column(name, data, self.value(values))
            case {"function": str(name)}:
                return _known(COLUMN_FUNCTIONS.find(name, self.language), name)
            case {"operator": str(name)}:
                return _known(self.language.meaning("operator", name), name)
            case {"formula": formula}:
                return specification(from_json(formula, self.language), self.language)
            case {"array": name, "order": order}:
                return np.array(self.arrays[name], order="F" if order == "F" else "C")
            case {"mapping": mapping}:
                return {key: self.value(item) for key, item in mapping.items()}
        return data

    def _column(self, name: str, data: Any, values: Any) -> Column:
        match data:
            case {"categories": [list(order), list(used), bool(ordered)]} if _are_places(values, used, order):
                found = np.array([*(order[place] for place in used), None], dtype=object)[values]
                missing = np.zeros(len(values), dtype=bool)
                return Column(name, "categorical", found, missing, tuple(order), ordered)
            case {"labels": list(labels)} if len(values) == 0 or int(np.max(values)) < len(labels):
                texts = np.array([*labels, None], dtype=object)[:-1]
                return Column(name, "categorical", texts[values], np.zeros(len(values), dtype=bool))
            case {"kind": "boolean"}:
                return Column(name, "boolean", values.astype(bool), np.zeros(len(values), dtype=bool))
            case {"kind": "numeric"}:
                return Column(name, "numeric", values, np.zeros(len(values), dtype=bool))
        raise StoreError(f"its design is damaged: column `{name}`")

    def _made(self, name: str, data: Mapping[str, Any]) -> Any:
        """Return the value of type `name`, all of whose fields are in `data`, each of its type."""
        hints = _hints(name)
        parts = {key: self.value(data[key]) for key in hints if key in data}
        later = {
            part.name for part in fields(TYPES[name]) if not _is_required(part)
        }  # an older file may lack them
        lacking = hints.keys() - parts.keys() - later
        wrong = [
            key for key in hints if key in lacking or (key in parts and not is_of(parts[key], hints[key]))
        ]
        if wrong:
            raise StoreError(f"its design is damaged: {listed(wrong)} of a {name}")
        return MAKERS[name](**parts)
