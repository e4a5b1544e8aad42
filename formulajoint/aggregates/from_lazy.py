"""Moments of rows that stay where they are: a few aggregations by their own engine, through narwhals.

First the facts: rows, missing values, and which factors have two values. Then one query: sums, squares and products in
each cell, about the mean of the first rows. Where that loses digits, there is another, about the means of cells. Only
cells come to Python.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations_with_replacement
from typing import Any

import narwhals as nw
import numpy as np

from formulajoint.aggregates.answers import (
    KEY,
    MEAN,
    NUMBER,
    PART,
    ROWS,
    WEIGHT,
    answer,
    collected,
    loses_digits,
    sums_of_cells,
    weights_in,
)
from formulajoint.aggregates.cells import Counted, Key, united
from formulajoint.aggregates.expressions import expression, expressions_of, partial
from formulajoint.aggregates.moments import Moments, numbers_of
from formulajoint.aggregates.pushed_down import LEARNING, able
from formulajoint.aggregates.scan import Scanned
from formulajoint.aggregates.text_columns import typed
from formulajoint.aggregates.told import codes_among, ends_of, lost_among
from formulajoint.aggregates.wanted import Wanted, recipes_of
from formulajoint.arrays import IntArray
from formulajoint.design.bind import Asked
from formulajoint.design.columns import Column, Kind
from formulajoint.design.functions import OWN
from formulajoint.design.learn import learn
from formulajoint.design.recipes import Applied, Basis, Recipe
from formulajoint.design.rows import Table
from formulajoint.errors import DataError
from formulajoint.language.syntax.nodes import Call
from formulajoint.language.syntax.text import canonical
from formulajoint.wording import listed

log = logging.getLogger("formulajoint")

HEAD = 1000
"""A factor with more than two values among the first rows is not looked at again."""


def names_of(data: Any) -> tuple[str, ...]:
    """Return the names of the columns of a lazy frame."""
    return tuple(answer(nw.from_native(data).collect_schema))


def of_lazy(
    data: Scanned,
    asked: Asked,
    learnt: Mapping[str, Recipe | Basis],
    family: str | None = None,
) -> Moments:
    """Return the moments of the rows of a lazy frame.

    Parameters
    ----------
    data : Scanned
    asked : Asked
    learnt : mapping of str to Recipe or Basis
        What is known of factors already.
    family : str, optional

    Raises
    ------
    DataError
        If something cannot be computed by the engine, before any work; or if the values do not allow it.
    """
    frame, notes = nw.from_native(data.frame), data.notes
    if data.text is not None:
        frame, found_notes = typed(frame, asked.columns, data.text)
        notes = {**notes, **found_notes}
    kinds, found = able(frame, asked, learnt)
    query = _Query(frame, asked, found, kinds)
    made = query.moments(dict(learnt), family)
    counted, out = made.counted, query.incomplete
    if counted.weightless:
        out = out | (nw.col(str(asked.weights)) == 0)
    if counted.missing or counted.weightless:
        counted = replace(counted, lost=lost_among(frame.filter(out), asked, made))
    return replace(made, counted=counted, notes=united(made.notes, notes))


@dataclass(frozen=True, slots=True)
class _Query:
    """The queries of one lazy frame."""

    frame: Any
    asked: Asked
    found: Wanted
    kinds: Mapping[str, Kind]

    def moments(self, learnt: dict[str, Recipe | Basis], family: str | None) -> Moments:
        rows, counted, notes = self._rows()
        log.info("aggregating %s rows where they are", f"{counted.total:,}")
        recipes = self._recipes(rows, learnt)
        self._check_finite(rows, (r for text, r in recipes.items() if text not in self.found.plain))
        varying = {text: expressions_of(r) for text, r in recipes.items() if text not in self.found.plain}
        varying |= {text: [nw.col(name).cast(nw.Float64)] for text, name in self.found.summed.items()}
        constants = self._two_valued(
            rows, {text: made[0] for text, made in varying.items() if len(made) == 1}
        )
        keys = {name: nw.col(name) for name in self.found.keys} | {
            text: varying[text][0] for text in constants
        }
        products = numbers_of(self.found.products, self.found.plain)
        summed = [[varying[text] for text in number] for number in numbers_of(products, constants)]
        numbers = [made for parts in summed for made in _columns(parts)]
        table = self._cells(rows, list(keys.values()), numbers)
        made = [self._key(name, table[f"{KEY}{place}"], name in constants) for place, name in enumerate(keys)]
        codes = np.array([codes for _, codes in made]).reshape(len(made), len(table[ROWS])).T
        order = np.lexsort(codes.T[::-1]) if len(made) else np.zeros(1, dtype=np.int64)  # engines have none
        sums = sums_of_cells({name: values[order] for name, values in table.items()}, len(numbers))
        return Moments(
            formula=self.asked.spec.formula,
            family=family,
            names=self.asked.frame.names,
            kinds=self.kinds,
            keys=tuple(key for key, _ in made),
            codes=codes[order].astype(np.int64),
            sums=sums,
            products=products,
            widths={text: value.curve.width for text, value in recipes.items() if isinstance(value, Basis)},
            learnt=recipes,
            weights=self.asked.weights,
            counted=counted,
            exact=False,
            language=self.asked.language,
            notes=notes,
        )

    def _rows(self) -> tuple[Any, Counted, dict[str, tuple[str, ...]]]:
        """Return the rows used with their weight, the counts of rows, and notes on codes of missing values."""
        weight, gone = self.asked.weights, self.gone
        measured = [name for name in self.asked.measured if self.kinds[name] == "numeric"]
        facts = [nw.len().alias(ROWS), *ends_of(measured)]
        facts += [
            missing.cast(nw.Int64).sum().alias(f"{PART}{place}")
            for place, missing in enumerate(gone.values())
        ]
        if weight is not None:
            w = nw.col(weight).cast(nw.Float64)
            facts += [
                ((w == 0) & ~self.incomplete).cast(nw.Int64).sum().alias(f"{MEAN}0"),
                w.min().alias(f"{MEAN}1"),
            ]
            facts += [(w != w.round(0)).cast(nw.Int64).sum().alias(f"{MEAN}2")]
        one = collected(self.frame.select(*facts))
        total = int(one[ROWS][0])
        counts = {name: int(one[f"{PART}{place}"][0] or 0) for place, name in enumerate(gone)}
        missing = {name: count for name, count in counts.items() if count}
        if not total:
            raise DataError("The data have no rows.")
        if total in counts.values():
            raise DataError(f"A column has no values: {_first(counts, total)}.")
        if missing and not self.asked.spec.rows.drop:
            raise DataError(
                f"Values are missing: {', '.join(f'{n} in {c}' for n, c in missing.items())} rows."
            )
        rows = self.frame.filter(~self.incomplete) if missing else self.frame
        if missing and not int(collected(rows.select(nw.len().alias(ROWS)))[ROWS][0]):
            raise DataError(f"No row has values in all of the columns {listed(gone)}.")
        if weight is None:
            return rows, Counted(total, missing), codes_among(rows, one, measured)
        if one[f"{MEAN}1"][0] < 0:
            raise DataError(f"Column `{weight}` gives the row weights, but is negative in some rows.")
        rows = rows.with_columns(nw.col(weight).cast(nw.Float64).alias(WEIGHT)).filter(nw.col(WEIGHT) > 0)
        counted = Counted(total, missing, int(one[f"{MEAN}0"][0]), bool(one[f"{MEAN}2"][0]))
        return rows, counted, codes_among(rows, one, measured)

    @property
    def gone(self) -> dict[str, Any]:
        """Whether a value is missing, by column."""
        schema = self.frame.collect_schema()
        null = {name: nw.col(name).is_null() for name in self.asked.columns}
        return {name: x | nw.col(name).is_nan() if schema[name].is_float() else x for name, x in null.items()}

    @property
    def incomplete(self) -> Any:
        """Whether a row misses a value."""
        return reduce(lambda a, b: a | b, self.gone.values())

    def _recipes(self, rows: Any, learnt: dict[str, Recipe | Basis]) -> dict[str, Recipe | Basis]:
        """Return the recipe of each factor; what functions learn is aggregated."""
        none = np.empty(0)
        columns = {name: Column(name, kind, none, none.astype(bool)) for name, kind in self.kinds.items()}
        table = Table(columns, none.astype(np.int64), None, self.asked.language, learnt)
        for text, factor in self.found.factors.items():
            if text not in learnt and isinstance(factor, Call) and factor.name in LEARNING:
                of = learn(factor.args[0], table)
                self._check_finite(rows, [of])
                x, count = expression(of), self._count(rows)
                middle = collected(rows.select(self._weighed(x).sum().alias("a")))["a"][0] / count
                about = self._weighed(x - float(middle)), self._weighed((x - float(middle)) ** 2)
                one = collected(rows.select(about[0].sum().alias("a"), about[1].sum().alias("b")))
                shift = one["a"][0] / count
                sd = np.sqrt((one["b"][0] - count * shift**2) / (count - 1))
                at, spread = np.asarray(middle + shift), np.asarray(sd)
                known = at if factor.name == "center" else (at, spread)
                learnt[text] = Applied(OWN[factor.name], (of,), canonical(factor), {}, (known,))
        return recipes_of(self.found, table)

    def _check_finite(self, rows: Any, recipes: Iterable[Recipe | Basis]) -> None:
        """Raise a DataError if a function is not finite in some rows, which engines may leave out of sums."""
        made = dict(pair for recipe in recipes for pair in partial(recipe))
        if not made:
            return
        finite = [
            each.is_finite().cast(nw.Int64).sum().alias(f"{PART}{place}")
            for place, each in enumerate(made.values())
        ]
        found = collected(rows.select(nw.len().alias(ROWS), *finite))
        total = int(found[ROWS][0])
        for place, text in enumerate(made):
            wrong = total - int(np.nan_to_num(float(found[f"{PART}{place}"][0] or 0)))
            if wrong:
                raise DataError(
                    f"`{text}` is not a finite number in {wrong} of the {total} rows used. Drop these rows."
                )

    def _count(self, rows: Any) -> float:
        return float(weights_in(collected(rows.select(*self._counts)))[0])

    def _two_valued(self, rows: Any, factors: Mapping[str, Any]) -> list[str]:
        """Return the factors that have two values at most."""
        if not factors:
            return []
        named = {text: f"{PART}{place}" for place, text in enumerate(factors)}
        made = [factor.alias(named[text]) for text, factor in factors.items()]
        head = collected(rows.head(HEAD).select(*made))
        known = {
            text: np.unique(head[n]).tolist() for text, n in named.items() if text not in self.found.summed
        }
        left = {text: named[text] for text, values in known.items() if len(values) <= 2}
        if not left:
            return []
        part = rows.select(*(factors[text].alias(name) for text, name in left.items()))
        ends = {
            text: (nw.col(n).min().alias(f"{n}l"), nw.col(n).max().alias(f"{n}h"))
            for text, n in left.items()
            if len(known[text]) < 2
        }
        if ends:
            found = collected(part.select(*(each for both in ends.values() for each in both)))
            known |= {text: [float(found[f"{left[text]}{k}"][0]) for k in "lh"] for text in ends}
        others = [
            reduce(lambda a, b: a & b, (nw.col(n) != value for value in known[text]))
            .cast(nw.Int64)
            .sum()
            .alias(n)
            for text, n in left.items()
        ]
        inside = collected(part.select(*others))
        return [text for text, name in left.items() if not inside[name][0]]

    def _cells(self, rows: Any, keys: Sequence[Any], numbers: Sequence[Any]) -> dict[str, Any]:
        """Return a table of cells: values of keys, rows, weights, points, and sums about these points.

        The points are means of the first rows, or those of each cell where digits would be lost.
        """
        names = [f"{KEY}{place}" for place in range(len(keys))] or [f"{KEY}none"]
        made = [key.alias(name) for key, name in zip(keys, names, strict=False)] or [
            nw.lit(0).alias(names[0])
        ]
        columns = [f"{NUMBER}{place}" for place in range(len(numbers))]
        made += [number.alias(name) for number, name in zip(numbers, columns, strict=True)]
        part = rows.select(*made, *self._weight_column)
        if not columns:
            return collected(part.group_by(*names).agg(*self._counts))
        head = collected(part.head(HEAD).select(*columns))
        points = [
            float(np.mean(x, where=np.isfinite(x))) if np.any(np.isfinite(x)) else 0.0 for x in head.values()
        ]
        about = part.with_columns(*(nw.col(c) - at for c, at in zip(columns, points, strict=True)))
        table = self._summed(about, names, columns)
        table |= {f"{MEAN}{j}": np.full(len(table[ROWS]), at) for j, at in enumerate(points)}
        return self._about_means(part, names, columns) if loses_digits(table, len(columns)) else table

    def _about_means(self, part: Any, names: Sequence[str], columns: Sequence[str]) -> dict[str, Any]:
        """Return the table of cells with sums about their means, which are computed first."""
        weighed = [self._weighed(nw.col(c)).alias(f"{MEAN}{j}") for j, c in enumerate(columns)]
        size = nw.col(WEIGHT).sum() if self.asked.weights else nw.len()
        sums = [nw.col(f"{MEAN}{j}").sum() for j in range(len(columns))]
        means = part.with_columns(*weighed).group_by(*names).agg(*sums, size.alias(f"{WEIGHT}s"))
        shares = (
            (nw.col(f"{MEAN}{j}") / nw.col(f"{WEIGHT}s")).alias(f"{MEAN}{j}") for j in range(len(columns))
        )
        about = part.join(means.select(*names, *shares), on=names, how="inner")
        about = about.with_columns(
            *((nw.col(c) - nw.col(f"{MEAN}{j}")).alias(c) for j, c in enumerate(columns))
        )
        return self._summed(about, names, columns, [nw.col(f"{MEAN}{j}").min() for j in range(len(columns))])

    def _summed(
        self, about: Any, names: Sequence[str], columns: Sequence[str], more: Sequence[Any] = ()
    ) -> dict[str, Any]:
        """Return the sums of columns, and of their squares and products, in each cell."""
        pairs = list(combinations_with_replacement(range(len(columns)), 2))
        products = [
            self._weighed(nw.col(columns[i]) * nw.col(columns[j])).alias(f"{PART}{i}_{j}") for i, j in pairs
        ]
        weighed = [self._weighed(nw.col(c)).alias(f"{PART}{j}") for j, c in enumerate(columns)]
        summed = [nw.col(f"{PART}{j}").sum() for j in range(len(columns))]
        summed += [nw.col(f"{PART}{i}_{j}").sum() for i, j in pairs]
        ready = about.with_columns(*weighed, *products)
        return collected(ready.group_by(*names).agg(*self._counts, *more, *summed))

    def _weighed(self, column: Any) -> Any:
        return column * nw.col(WEIGHT) if self.asked.weights else column

    @property
    def _weight_column(self) -> list[Any]:
        return [nw.col(WEIGHT)] if self.asked.weights else []

    @property
    def _counts(self) -> list[Any]:
        """The rows of a cell, and the sum of their weights if they have any."""
        return [nw.len().alias(ROWS), *(weight.sum() for weight in self._weight_column)]

    def _key(self, name: str, values: Any, factor: bool) -> tuple[Key, IntArray]:
        kind: Kind = "numeric" if factor else self.kinds[name]
        items = [str(v) for v in values] if kind == "categorical" else np.asarray(values).tolist()
        items = [bool(v) for v in items] if kind == "boolean" else items
        order = None
        if not factor and kind == "categorical":
            dtype = self.frame.collect_schema()[name]
            order = tuple(dtype.categories) if isinstance(dtype, nw.Enum) else None
        key = Key(name, kind, tuple(sorted(set(items))), order, order is not None, factor)
        return key, key.place(items)


def _first(counts: Mapping[str, int], total: int) -> str:
    name = next(name for name, count in counts.items() if count == total)
    return f"`{name}` misses all {total}"


def _columns(parts: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the products of one column of each part, the last fastest; single columns first."""
    ordered = [*(p for p in parts if len(p) == 1), *(p for p in parts if len(p) > 1)]
    return list(reduce(lambda out, part: [a * b for a in out for b in part], ordered[1:], list(ordered[0])))
