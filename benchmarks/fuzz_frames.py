"""Random data frames as people bring them: every dtype, odd names and labels, holes, extremes, empty and tiny frames.

Frame number i is always the same. Its columns are lists of Python values first; pandas, polars, pyarrow or a dict then
holds them as it can.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from fuzz_formulas import Names

type Values = list[Any]

NAMES = (
    *("x", "z", "age", "n", "equal", "precision", "sigma", "mean", "Intercept", "joint", "test", "nu", "cor", "obs", "chain", "draw"),
    *("a b", "a/b", "a:b", "a[b]", "$x$", "x.mean", "x|y", "a,b", 'say "x"', "it's", "new\nline", "tab\t", "größe", "身高", "`tick`"),
    *("x_mean", "x_", "school_dim", "y_rep", "1st", "", " ", "x ", "_x", "0", "true", "none", "C", "I", "log", "λ", "e\u0301", "<b>x</b>"),
    *("\\alpha", "{x}", "a&b", "a_b", "%s", "#1", "\u202eabc", "\x07", "a" * 90, "b~c", "None", "nan", "sample", "likelihood", "y"),
)  # fmt: skip
"""Names of columns; among them words of the language and names that its models use."""

LABELS = (
    *("A", "B", "C", "control", "treated", "School A", "a/b", "a:b", "a[b]", "$x$", "x|y", "a,b", 'say "x"', "it's", "new\nline"),
    *("", " ", "A ", " A", "a", "007", "7", "1", "1.0", "-1", "1e5", "true", "True", "none", "nan", "NA", "ß", "身高", "Α", "e\u0301"),
    *("é", "<b>x</b>", "\\alpha", "{x}", "a&b", "a_b", "%d", "#", "\u202eabc", "\x07", "l" * 120, "l" * 119 + "m", "A - B", "mean"),
    *("others", "A minus B", "`t`", "tab\t", "=1+1", "\u200b", "2020-01-01", "😀", "a\\b", "'", '"', "n", "equal", "(A, B]"),
)  # fmt: skip
"""Labels of levels."""

CONTAINERS = ("pandas", "pandas", "pandas", "polars", "arrow", "lists", "arrays", "series")


@dataclass(frozen=True)
class Column:
    """Values of a column, None where missing, and how a data frame should hold them."""

    values: Values
    kind: str
    levels: tuple[Any, ...] = ()
    """Of a category, in its order, unused ones among them."""


@dataclass(frozen=True)
class Frame:
    """A data frame, what it is, and what formulas may name."""

    number: int
    kind: str
    data: Any
    names: Names


def frame(number: int) -> Frame:
    """Return the data frame of a number."""
    random = Random(number)
    rows = random.choice([0, 1, 2, 3, 4, 6, 9, 14, 14, 20, 20, 20, 30, 30, 30, 40, 40])
    tame = random.random() < 0.5
    names = random.sample(NAMES, 9)
    if tame:
        names = ["y", "x", "z", *random.sample(NAMES, 2), "school", "arm", *random.sample(NAMES, 2)]
    names = list(dict.fromkeys(names))
    group = factor(random, rows, most=random.choice([1, 2, 3, 4, rows or 1]), tame=tame)
    makes: list[Column] = [
        response(random, rows, group, tame),
        numbers(random, rows, tame or random.random() < 0.6),
        numbers(random, rows, tame),
        numbers(random, rows, False),
        numbers(random, rows, False),
        group,
        factor(random, rows, most=random.choice([1, 2, 3]), tame=tame),
        Column([float(random.choice([1, 1, 2, 3])) for _ in range(rows)], "float"),
        Column([random.choice([0.5, 1.0, 2.0]) for _ in range(rows)], "float"),
    ]
    columns = dict(zip(names, makes, strict=False))
    roles = [*columns]
    random_order = random.sample(roles, len(roles))
    container = random.choice(CONTAINERS)
    data = HELD[container](random, {name: columns[name] for name in random_order})
    labels = {
        name: tuple(dict.fromkeys(str(v) for v in columns[name].values if v is not None))
        for name in roles[5:7]
    }
    return Frame(
        number,
        f"{container}, {rows} rows: " + ", ".join(f"{name!r} {columns[name].kind}" for name in roles),
        data,
        Names(
            roles[0],
            tuple(roles[1:5]),
            {name: some for name, some in labels.items() if some},
            roles[5],
            roles[7] if len(roles) > 7 else "",
            roles[8] if len(roles) > 8 else "",
        ),
    )


# --- columns


def response(random: Random, rows: int, group: Column, tame: bool) -> Column:
    """Return a response that varies, most often."""
    made = [
        random.gauss(0, 1) + (hash_of(value) % 7 if random.random() < 0.9 else 0) for value in group.values
    ]
    size = (
        1.0
        if tame
        else random.choice([1, 1, 1, 1, 1, 1e-6, 1e6, 1e100, 1e-100, 1e150, 1e-150, 1e300, 1e-300])
    )
    values: Values = [size * value for value in made]
    if tame or random.random() < 0.8:
        return Column(holes(random, values, 0.05 if tame else 0.2), "float")
    return numbers(random, rows, False)


def hash_of(value: object) -> int:
    """Return a number of a value that is the same in every run."""
    return sum(map(ord, str(value)))


def numbers(random: Random, rows: int, tame: bool) -> Column:
    """Return a column of numbers, or what people take for one."""
    kind = random.choice(list(TAME if tame else NUMBERS))
    return Column(NUMBERS[kind](random, rows), kind)


def holes(random: Random, values: Values, share: float, hole: Any = None) -> Values:
    """Return the values, some of them lost."""
    return [hole if random.random() < share else value for value in values]


def _floats(random: Random, rows: int, size: float = 1.0, centre: float = 0.0) -> Values:
    return [centre + size * random.gauss(0, 1) for _ in range(rows)]


def _whole(random: Random, rows: int, low: int = 0, high: int = 9) -> Values:
    return [random.randint(low, high) for _ in range(rows)]


def _bools(random: Random, rows: int) -> Values:
    return [random.random() < 0.5 for _ in range(rows)]


def _dates(random: Random, rows: int) -> Values:
    return [datetime.date(2020, 1, 1) + datetime.timedelta(days=random.randint(0, 400)) for _ in range(rows)]


TAME: dict[str, Callable[[Random, int], Values]] = {
    "float": _floats,
    "float, two values": lambda r, n: [float(r.random() < 0.5) for _ in range(n)],
    "int": _whole,
    "bool": _bools,
    "float with holes": lambda r, n: holes(r, _floats(r, n), 0.1),
    "float far from zero": lambda r, n: _floats(r, n, 1.0, 1000.0),
}

NUMBERS: dict[str, Callable[[Random, int], Values]] = TAME | {
    "float with NaN": lambda r, n: holes(r, _floats(r, n), 0.2, float("nan")),
    "float with inf": lambda r, n: holes(r, _floats(r, n), 0.1, r.choice([float("inf"), -float("inf")])),
    "nullable int": lambda r, n: holes(r, _whole(r, n), 0.2),
    "nullable bool": lambda r, n: holes(r, _bools(r, n), 0.2),
    "int of few values": lambda r, n: _whole(r, n, 0, 2),
    "constant": lambda r, n: [r.choice([0.0, 1.0, -7.5])] * n,
    "constant but one": lambda r, n: [1.0] * (n - 1) + [2.0] * (n > 0),
    "all missing": lambda r, n: [None] * n,
    "all NaN": lambda r, n: [float("nan")] * n,
    "huge": lambda r, n: _floats(r, n, r.choice([1e100, 1e150, 1e160, 1e300])),
    "tiny": lambda r, n: _floats(r, n, r.choice([1e-100, 1e-150, 1e-160, 1e-300, 5e-324])),
    "huge and tiny": lambda r, n: [r.choice([1e150, 1e-150, 1.0]) * r.gauss(0, 1) for _ in range(n)],
    "far from zero": lambda r, n: _floats(r, n, 1.0, r.choice([1e8, 1e12, 1e15, -1e16])),
    "one huge value": lambda r, n: [*_floats(r, n - 1), r.choice([1e10, 1e100, 1e200, 1e308])][:n],
    "large int": lambda r, n: _whole(r, n, 2**60, 2**62),
    "huge int": lambda r, n: [10**r.randint(1, 400) for _ in range(n)],
    "text of numbers": lambda r, n: [f"{v:.3f}" for v in _floats(r, n)],
    "text, decimal commas": lambda r, n: [f"{v:.2f}".replace(".", ",") for v in _floats(r, n)],
    "text with units": lambda r, n: [f"{v} kg" for v in _whole(r, n)],
    "text, some numbers": lambda r, n: holes(r, [str(v) for v in _whole(r, n)], 0.2, r.choice(["NA", "-", "?", ""])),
    "decimal": lambda r, n: [Decimal(v) / 7 for v in _whole(r, n)],
    "decimal, NaN": lambda r, n: holes(r, [Decimal(v) for v in _whole(r, n)], 0.2, Decimal(r.choice(["NaN", "sNaN", "Infinity"]))),
    "object, mixed": lambda r, n: [r.choice([1, 2.5, True, None, 3]) for _ in range(n)],
    "object, mixed with text": lambda r, n: [r.choice([1, 2.5, "a", None, (1, 2)]) for _ in range(n)],
    "object, lists": lambda r, n: [[v] for v in _whole(r, n)],
    "object, dicts": lambda r, n: [{"a": v} for v in _whole(r, n)],
    "object, bytes": lambda r, n: [r.choice([b"a", b"b"]) for _ in range(n)],
    "complex": lambda r, n: [complex(v, 1) for v in _floats(r, n)],
    "date": _dates,
    "datetime": lambda r, n: [datetime.datetime.combine(d, datetime.time(1)) for d in _dates(r, n)],
    "duration": lambda r, n: [datetime.timedelta(days=v) for v in _whole(r, n)],
    "time": lambda r, n: [datetime.time(v) for v in _whole(r, n)],
    "float32": lambda r, n: [float(np.float32(v)) for v in _floats(r, n)],
    "float16": lambda r, n: [float(np.float16(v)) for v in _floats(r, n)],
    "uint8": _whole,
    "category of numbers": _whole,
    "sparse": lambda r, n: [r.choice([0.0, 0.0, 1.5]) for _ in range(n)],
    "negative zero": lambda r, n: [r.choice([0.0, -0.0, 1.0]) for _ in range(n)],
    "codes for missing": lambda r, n: holes(r, _floats(r, n), 0.1, r.choice([-99.0, 999.0])),
    "duplicates": lambda r, n: [1.5, *([r.gauss(0, 1)] * (n - 1))][:n],
}  # fmt: skip


def factor(random: Random, rows: int, most: int, tame: bool) -> Column:
    """Return a categorical column, with at most this many levels."""
    kind = random.choice(FACTORS[:5] if tame else FACTORS)
    most = max(1, min(most, len(LABELS)))
    labels: Values = random.sample(LABELS, most)
    if tame or kind == "text, plain":
        labels = [f"g{j}" if most > 26 else chr(65 + j) for j in range(most)]
    made: dict[str, Callable[[], Values]] = {
        "int": lambda: [*range(most)],
        "int, odd": lambda: random.sample(range(-5, 400), most),
        "float": lambda: [j + 0.5 for j in range(most)],
        "bool": lambda: [False, True],
        "date": lambda: [datetime.date(2020, 1, 1 + j % 28) for j in range(most)],
        "mixed": lambda: [random.choice([j, str(j), j + 0.5]) for j in range(most)],
        "text of numbers": lambda: [random.choice([f"{j:03d}", str(j), f"{j}.0"]) for j in range(most)],
        "tuple": lambda: [("a", j) for j in range(most)],
    }
    labels = list(dict.fromkeys(made.get(kind, lambda: labels)()))
    even = random.random() < 0.7  # every level has rows
    values = [labels[i % len(labels)] if even else random.choice(labels) for i in range(rows)]
    if kind == "with holes":
        values = holes(random, values, 0.15, random.choice([None, float("nan")]))
    levels = random.sample(labels, len(labels))
    if kind.endswith("unused levels"):
        levels.append("never")
    return Column(values, kind, tuple(levels))


FACTORS = (
    *(
        "text",
        "category",
        "ordered category",
        "int",
        "text, plain",
        "category, unused levels",
        "ordered, unused levels",
    ),
    *(
        "int, odd",
        "float",
        "bool",
        "date",
        "mixed",
        "text of numbers",
        "tuple",
        "with holes",
        "text",
        "category",
    ),
)


# --- what holds them


def pandas(random: Random, columns: dict[str, Column]) -> pd.DataFrame:
    """Return a pandas frame; now and then with an odd index, or with two columns of one name."""
    series = {name: pandas_column(random, column) for name, column in columns.items()}
    data = pd.DataFrame(series)
    if random.random() < 0.1:
        data.index = pd.Index([random.choice([0, 1, "a"]) for _ in range(len(data))], dtype=object)
    if random.random() < 0.05:
        twice = random.choice([*columns])
        data = pd.concat([data, data[[twice]]], axis=1)
    return data


PANDAS_KINDS = {
    "nullable int": "Int64",
    "nullable bool": "boolean",
    "float32": "float32",
    "float16": "float16",
    "uint8": "uint8",
    "category of numbers": "category",
    "sparse": "Sparse[float]",
}


def pandas_column(random: Random, column: Column) -> pd.Series:
    """Return a pandas column of the dtype that its kind names."""
    if "category" in column.kind or column.kind == "ordered, unused levels":
        levels = list(column.levels) or None
        return pd.Series(pd.Categorical(column.values, categories=levels, ordered="ordered" in column.kind))
    if column.kind in PANDAS_KINDS:
        return pd.Series(column.values, dtype=PANDAS_KINDS[column.kind])
    if random.random() < 0.15 or column.kind in ("tuple", "mixed") or column.kind.startswith("object"):
        return pd.Series(column.values, dtype=object)
    if column.kind in ("float", "int") and random.random() < 0.15:
        return pd.Series(
            column.values, dtype={"float": "double[pyarrow]", "int": "int64[pyarrow]"}[column.kind]
        )
    return pd.Series(column.values)


def polars(random: Random, columns: dict[str, Column]) -> Any:
    """Return a polars frame; columns that polars cannot hold become texts."""
    return pl.DataFrame([polars_column(random, name, column) for name, column in columns.items()])


def polars_column(random: Random, name: str, column: Column) -> pl.Series:
    """Return a polars column."""
    if (
        all(isinstance(level, str) for level in column.levels)
        and column.levels
        and column.kind != "text, plain"
    ):
        if "ordered" in column.kind:
            return pl.Series(name, column.values, dtype=pl.Enum(list(column.levels)))
        if "category" in column.kind:
            return pl.Series(name, column.values, dtype=pl.Categorical)
    try:
        if column.kind != "decimal, NaN":  # polars panics
            return pl.Series(name, column.values)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        pass
    return pl.Series(name, [None if value is None else str(value) for value in column.values])


def arrow(random: Random, columns: dict[str, Column]) -> pa.Table:
    """Return an Arrow table; columns that Arrow cannot hold become texts."""
    return pa.table([arrow_column(random, column) for column in columns.values()], names=list(columns))


def arrow_column(random: Random, column: Column) -> Any:
    """Return an Arrow array."""
    try:
        array = pa.array(column.values)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        array = pa.array([None if value is None else str(value) for value in column.values], pa.string())
    if "category" in column.kind or "ordered" in column.kind:
        return array.dictionary_encode()
    return pa.chunked_array([array.slice(0, 2), array.slice(2)]) if random.random() < 0.3 else array


def lists(random: Random, columns: dict[str, Column]) -> dict[str, Any]:
    """Return a dict of lists."""
    return {name: list(column.values) for name, column in columns.items()}


def arrays(random: Random, columns: dict[str, Column]) -> dict[str, Any]:
    """Return a dict of NumPy arrays."""
    return {name: array(column) for name, column in columns.items()}


def array(column: Column) -> Any:
    """Return the NumPy array of a column, of objects where it must be."""
    plain = "object" not in column.kind and column.kind not in ("tuple", "mixed", "huge int", "decimal, NaN")
    if plain and None not in column.values:
        return np.asarray(column.values)
    held = np.empty(len(column.values), dtype=object)
    held[:] = column.values
    return held


def series(random: Random, columns: dict[str, Column]) -> dict[str, Any]:
    """Return a dict of pandas columns."""
    return {name: pandas_column(random, column) for name, column in columns.items()}


HELD = {
    "pandas": pandas,
    "polars": polars,
    "arrow": arrow,
    "lists": lists,
    "arrays": arrays,
    "series": series,
}
