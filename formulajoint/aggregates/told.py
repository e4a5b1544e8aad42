"""What is told of rows that stay where they are and that sums do not show: levels left out, codes of missing values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np

from formulajoint.aggregates.answers import KEY, PART, ROWS, collected
from formulajoint.aggregates.moments import Moments
from formulajoint.aggregates.to_rows import column_of
from formulajoint.design.bind import Asked
from formulajoint.design.columns import objects
from formulajoint.design.frame import Frame
from formulajoint.design.notes import CODES, code_of_missing_values, codes_outside
from formulajoint.design.rows import Table

LOW, HIGH = "_fj_low_", "_fj_high_"


def ends_of(names: Iterable[str]) -> list[Any]:
    """Return the smallest and the largest value of numeric columns, as expressions."""
    values = {place: nw.col(name).cast(nw.Float64) for place, name in enumerate(names)}
    lows = [x.min().alias(f"{LOW}{place}") for place, x in values.items()]
    return lows + [x.max().alias(f"{HIGH}{place}") for place, x in values.items()]


def codes_among(rows: Any, answer: Mapping[str, Any], names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return notes on values such as -99, by column; `answer` has the ends of the columns."""
    out = dict[str, tuple[str, ...]]()
    for place, name in enumerate(names):
        if not {answer[f"{LOW}{place}"][0], answer[f"{HIGH}{place}"][0]} & CODES:
            continue
        x, codes = nw.col(name).cast(nw.Float64), sorted(CODES)
        counts = [(x == code).cast(nw.Int64).sum().alias(f"{PART}{i}") for i, code in enumerate(codes)]
        found = collected(rows.select(nw.len().alias(ROWS), *counts))
        column = rows.select(x.alias(KEY)).filter(~nw.col(KEY).is_in(codes))
        y = nw.col(KEY)
        others = collected(
            column.select(
                y.min().alias("low"), y.max().alias("high"), y.mean().alias("mean"), y.std().alias("sd")
            )
        )
        low, high, mean, sd = (
            float(np.asarray(others[key], dtype=float)[0]) for key in ("low", "high", "mean", "sd")
        )
        rows_of = {code: int(found[f"{PART}{i}"][0]) for i, code in enumerate(codes)}
        there = [code for code, count in rows_of.items() if count]
        out[name] = tuple(
            code_of_missing_values(name, code, rows_of[code], int(found[ROWS][0]), low, high)
            for code in codes_outside((min([*there, low]), max([*there, high])), mean, sd)
        )
    return out


def lost_among(dropped: Any, asked: Asked, moments: Moments) -> Mapping[str, tuple[str, ...]]:
    """Return the levels that rows left out have and the others do not; `dropped` are these rows."""
    cells = np.arange(len(moments.codes))
    used = Table({name: column_of(moments, name, cells) for name in asked.columns}, cells)
    names = [key.name for key in moments.keys if not key.factor]
    found = collected(dropped.select(*names).unique()) if names else {}
    count = max(map(len, found.values()), default=0)
    sources: dict[str, Any] = {name: np.full(count, np.nan) for name in asked.columns}
    sources |= {name: objects(values.tolist()) for name, values in found.items()}
    return replace(asked, frame=Frame(sources, count)).lost(used)
