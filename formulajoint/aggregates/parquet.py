"""Moments in a Parquet file: one row a cell, and in its metadata what the cells are of."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from formulajoint.aggregates.cells import Counted, Key, shown
from formulajoint.aggregates.recipe_codec import decoded, encoded
from formulajoint.aggregates.sums import Sums
from formulajoint.errors import DataError, StoreError
from formulajoint.language.vocabulary.language import Language
from formulajoint.spec.json import from_json, to_json
from formulajoint.wording import listed

if TYPE_CHECKING:
    from formulajoint.aggregates.moments import Moments

METADATA = b"formulajoint moments"
VERSION = 1

NONE: Mapping[str, list[str]] = {}

MOST_NAMED = 5
"""At most this many small cells are named."""


def write_moments(moments: Moments, path: str | PathLike[str], least: int = 1) -> None:
    """Write moments to a Parquet file; see `Moments.save`."""
    if type(least) is not int or least < 1:
        raise DataError(
            f"`least` is the smallest number of rows of a cell, a whole number from 1, not {least!r}."
        )
    folder = Path(path).parent
    if not folder.is_dir():
        raise StoreError(f"{path} cannot be written: there is no folder {folder}.")
    _refuse_small(moments, least)
    pa, pq = _pyarrow()
    columns: dict[str, Any] = {
        f"cell.{key.name}": _values(moments, place) for place, key in enumerate(moments.keys)
    }
    columns |= {"rows": moments.sums.counts, "weight": moments.sums.weights}
    columns |= {
        f"mean.{name}": mean for name, mean in zip(_labels(moments), moments.sums.means.T, strict=True)
    }
    q = moments.sums.means.shape[1]
    roots = moments.sums.roots.reshape(len(moments.codes), q * q)
    columns["root"] = list(roots)
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    try:
        pq.write_table(
            table.replace_schema_metadata({METADATA: json.dumps(_metadata(moments)).encode()}), path
        )
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise StoreError(f"The moments cannot be written to {path}: {why}.") from None


def read_moments(path: str | PathLike[str], language: Language) -> dict[str, Any]:
    """Return the fields of the moments that `write_moments` wrote.

    Raises
    ------
    StoreError
        If the file is missing, or does not hold moments.
    """
    _, pq = _pyarrow()
    if not Path(path).is_file():
        raise StoreError(f"{path} is a folder." if Path(path).is_dir() else f"There is no file {path}.")
    try:
        table = pq.read_table(Path(path))
    except (OSError, ValueError) as error:
        raise StoreError(f"The moments in {path} cannot be read: {error}.") from None
    found = (table.schema.metadata or {}).get(METADATA)
    if found is None:
        raise StoreError(f"{path} holds no moments: `fj.moments(formula, data).save(path)` writes them.")
    try:
        return _made(json.loads(found), table, language)
    except (KeyError, ValueError, TypeError, StoreError) as error:
        raise StoreError(f"The moments in {path} are damaged, or of a later version: {error}.") from None


def _refuse_small(moments: Moments, least: int) -> None:
    small = np.flatnonzero(moments.sums.counts < least)
    if len(small):
        names = [_name(moments, int(cell)) for cell in small[:MOST_NAMED]]
        have = "has" if len(small) == 1 else "have"
        more = f" and {len(small) - MOST_NAMED:,} more" if len(small) > MOST_NAMED else ""
        raise DataError(
            f"{len(small):,} of {len(moments.codes):,} cells {have} fewer than {least} rows: {listed(names)}{more}. "
            "Join their levels, or leave these rows out."
        )


def _name(moments: Moments, cell: int) -> str:
    pairs = zip(moments.keys, moments.codes[cell], strict=True)
    values = (f"{key.name} {shown(key.values[code])}" for key, code in pairs)
    return f"{', '.join(values) or 'all rows'} ({int(moments.sums.counts[cell])})"


def _labels(moments: Moments) -> list[str]:
    out = []
    for number in moments.numbers:
        at = moments.columns_of(number)
        width, name = at.stop - at.start, ":".join(number)
        out += [name] if width == 1 else [f"{name}[{place + 1}]" for place in range(width)]
    return out


def _values(moments: Moments, place: int) -> list[object]:
    values = moments.keys[place].values
    return [values[code] for code in moments.codes[:, place]]


def _metadata(moments: Moments) -> dict[str, Any]:
    counted = moments.counted
    return {
        "version": VERSION,
        "formula": to_json(moments.formula),
        "family": moments.family,
        "names": moments.names,
        "kinds": dict(moments.kinds),
        "keys": [[key.name, key.kind, key.order, key.ordered, key.factor] for key in moments.keys],
        "products": moments.products,
        "widths": dict(moments.widths),
        "learnt": {text: encoded(recipe) for text, recipe in moments.learnt.items()},
        "weights": moments.weights,
        "counted": [
            counted.total,
            dict(counted.missing),
            counted.weightless,
            counted.fractional,
            dict(counted.lost),
        ],
        "exact": moments.exact,
        "notes": dict(moments.notes),
    }


def _made(data: dict[str, Any], table: Any, language: Language) -> dict[str, Any]:
    if data["version"] > VERSION:
        raise StoreError(f"version {data['version']}")
    keys, codes = list[Key](), list[Any]()
    for name, kind, order, ordered, factor in data["keys"]:
        values = table.column(f"cell.{name}").to_pylist()
        distinct: list[Any] = sorted(set(values))
        key = Key(name, kind, tuple(distinct), None if order is None else tuple(order), ordered, factor)
        keys.append(key)
        codes.append(key.place(values))
    means = [table.column(name).to_numpy() for name in table.column_names if name.startswith("mean.")]
    count, q = table.num_rows, len(means)
    flat = np.array(table.column("root").to_pylist(), dtype=np.float64)
    sums = Sums(
        table.column("rows").to_numpy().astype(np.int64),
        table.column("weight").to_numpy(),
        np.column_stack(means) if means else np.empty((count, 0)),
        flat.reshape(count, q, q),
    )
    return {
        "formula": from_json(data["formula"], language),
        "family": data["family"],
        "names": tuple(data["names"]),
        "kinds": data["kinds"],
        "keys": tuple(keys),
        "codes": np.column_stack(codes) if codes else np.empty((count, 0), dtype=np.int64),
        "sums": sums,
        "products": tuple(map(tuple, data["products"])),
        "widths": data["widths"],
        "learnt": {text: decoded(recipe, language) for text, recipe in data["learnt"].items()},
        "weights": data["weights"],
        "counted": _counted(*data["counted"]),
        "exact": data["exact"],
        "language": language,
        "notes": {name: tuple(notes) for name, notes in data.get("notes", {}).items()},
    }


def _counted(
    total: int,
    missing: dict[str, int],
    weightless: int,
    fractional: bool,
    lost: Mapping[str, list[str]] = NONE,
) -> Counted:
    return Counted(
        total, missing, weightless, fractional, {name: tuple(labels) for name, labels in lost.items()}
    )


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        message = "Moments are saved as Parquet, by PyArrow: `pip install formulajoint[moments]`."
        raise StoreError(message) from None
    return pyarrow, pyarrow.parquet
