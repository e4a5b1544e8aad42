"""Whether a value has the type that a dataclass states for its field: what a file brings is checked, not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAliasType, Union, get_args, get_origin, get_type_hints

import numpy as np

from formulajoint.arrays import FloatArray, IntArray


@cache
def hints_of(kind: Any) -> Mapping[str, Any]:
    """Return the types of a dataclass's fields by name."""
    known = {part.name for part in fields(kind)}
    return {name: hint for name, hint in get_type_hints(kind).items() if name in known}


def is_of(value: object, hint: Any) -> bool:
    """Return whether `value` has the type that a dataclass states for a field; arrays go by the kind of numbers."""
    if hint is Any:
        return True
    if hint is FloatArray:
        return isinstance(value, np.ndarray) and value.dtype.kind in "fiub"
    if hint is IntArray:
        return isinstance(value, np.ndarray) and value.dtype.kind in "iu"
    if isinstance(hint, TypeAliasType):
        return is_of(value, hint.__value__)
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(is_of(value, part) for part in args)
    if origin is tuple:
        kinds = args[:1] * len(value) if isinstance(value, tuple) and args[1:] == (...,) else args
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(is_of, value, kinds))
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            is_of(k, args[0]) and is_of(v, args[1]) for k, v in value.items()
        )
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return value is None if hint in (None, NoneType) else isinstance(value, hint)
