"""Convert formulas to plain JSON data, node by node, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from formulajoint.errors import BugError, FormulaError, StoreError
from formulajoint.language.formula import Formula
from formulajoint.language.syntax.text import WRITERS
from formulajoint.language.vocabulary.default import chosen
from formulajoint.language.vocabulary.language import Language
from formulajoint.spans import Span
from formulajoint.spec.read import parse
from formulajoint.wording import listed

VERSION = 1

NODES: Mapping[str, type[Any]] = {node.__name__: node for node in (*WRITERS, Formula)}


def to_json(formula: Formula) -> dict[str, Any]:
    """Return `formula` as dicts, lists, strings and numbers, with the version of this format."""
    return {"version": VERSION, **_encoded(formula)}


def _encoded(value: Any) -> Any:
    if isinstance(value, Span):  # the text itself is the formula's source
        return [value.start, value.end]
    if isinstance(value, tuple):
        return [_encoded(item) for item in value]
    if type(value) in NODES.values():
        parts = {part.name: _encoded(getattr(value, part.name)) for part in fields(value)}
        return {"node": type(value).__name__, **parts}
    return value


def from_json(data: Mapping[str, Any], language: Language | None = None) -> Formula:
    """Return the formula encoded by `to_json`.

    Raises
    ------
    StoreError
        If `data` is damaged, is of another version, or needs an extension that `language` lacks.
    """
    language = chosen(language)
    _check_head(data, language)
    try:
        parts = {key: value for key, value in data.items() if key != "version"}
        formula = _decoded(parts, str(data.get("source")))
        faithful = isinstance(formula, Formula) and parse(str(formula), language) == formula
    except FormulaError as error:
        raise StoreError(f"the stored formula does not hold: {error}") from error
    except (BugError, TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise StoreError(f"the stored formula is damaged: {error!r}") from error
    if not faithful:
        raise StoreError("the stored formula is damaged: it is not what its own text says")
    return formula  # type: ignore[no-any-return]


def _check_head(data: Mapping[str, Any], language: Language) -> None:
    version = data.get("version") if isinstance(data, Mapping) else None
    if version != VERSION:
        raise StoreError(f"a formula of version {VERSION} is expected, and this is of version {version!r}")
    needed = data.get("extensions")
    missing = sorted(set(map(str, needed if isinstance(needed, list) else ())) - language.extensions)
    if missing:
        raise StoreError(f"the stored formula needs the extension {listed(missing)}: add it to the language")


def _decoded(data: Any, source: str) -> Any:
    if isinstance(data, list):
        return tuple([_decoded(item, source) for item in data])
    if not isinstance(data, dict):
        return data
    parts = {name: _decoded(value, source) for name, value in data.items() if name not in ("node", "span")}
    if "span" in data:
        start, end = map(int, data["span"])
        parts["span"] = Span(start, end, source)
    return NODES[data["node"]](**parts)
