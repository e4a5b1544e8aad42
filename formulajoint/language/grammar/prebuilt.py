"""The prebuilt parser of the plain grammar: loading its tables takes an eighth of the time of building them.

After a change in grammar/, `make grammar` rebuilds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources.abc import Traversable
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

__all__ = ["NAME", "read", "written"]

NAME = "plain.json"


def read(folder: Traversable, grammar: Iterable[str]) -> lark.Lark | None:
    """Return the parser built from `grammar`, or None if the file is missing or out of date."""
    file = folder.joinpath(NAME)
    if not file.is_file():
        return None
    content = json.loads(file.read_text(encoding="utf-8"), object_hook=_with_numbers)
    return lark.Lark.load(content["parser"]) if content["built"] == _built(grammar) else None


def written(parser: lark.Lark, grammar: Iterable[str]) -> str:
    """Return the content of the file for `read`: JSON, since a pickle could run arbitrary code."""
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    content = {"built": _built(grammar), "parser": {"data": data, "memo": memo}}
    return json.dumps(content, separators=(",", ":")) + "\n"


def _built(grammar: Iterable[str]) -> dict[str, str]:
    """Return what the tables depend on: Lark's version and a hash of the grammar."""
    return {"lark": lark.__version__, "grammar": sha256("\0".join(grammar).encode()).hexdigest()}


def _with_numbers(mapping: dict[str, Any]) -> dict[Any, Any]:
    """Restore a dictionary's integer keys, which JSON writes as strings."""
    return {int(key) if key.isdecimal() else key: value for key, value in mapping.items()}
