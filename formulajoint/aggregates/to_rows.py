"""Rows with given moments, to which a formula is bound in place of the rows that the moments are of.

Of each cell there are at most as many rows as numbers, and one more. Counts, means, squares and products are those of
the rows of the data; so are, for any model whose likelihood depends on these alone, the posterior and all tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from formulajoint.aggregates.moments import Moments, numbers_of
from formulajoint.aggregates.sums import rows_of
from formulajoint.aggregates.wanted import Texts, Wanted, wanted
from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.bind import Asked
from formulajoint.design.columns import Column
from formulajoint.design.evaluate_numpy import part_columns, values_of
from formulajoint.design.frame import Frame
from formulajoint.design.recipes import Basis
from formulajoint.design.rows import Table
from formulajoint.design.schema import Rows
from formulajoint.errors import DataError, RowsNeededError


def rows_with(moments: Moments, asked: Asked) -> tuple[Table, Rows, Frame]:
    """Return rows with the moments that a formula needs, their counts, and the columns whose values they have.

    Raises
    ------
    DataError
        If the moments do not hold what the formula needs.
    """
    found = _held(moments, asked)
    needed = numbers_of(found.products, moments.constants | found.plain)
    sums = moments.sums.of(
        [at for number in needed for at in range(*moments.columns_of(number).indices(MANY))]
    )
    if not moments.exact:
        _check_digits(moments)
    cells, weights, numbers = rows_of(sums)
    parts = dict(_parts(moments, needed, numbers))
    columns = {name: column_of(moments, name, cells) for name in asked.columns}
    for text, name in found.summed.items():  # only their sums are right
        means = dict(_parts(moments, needed, sums.means))[text,]
        columns[name] = Column(name, "numeric", means[cells], np.zeros(len(cells), dtype=bool))
    held = {name: columns[name].values for name in (*found.keys, *found.summed.values()) if name in columns}
    counts = None if moments.weights is None and np.all(weights == 1.0) else weights
    table = Table(
        columns,
        np.arange(len(cells)),
        counts,
        moments.language,
        {**moments.learnt},
        _known(moments, found, cells, parts),
    )
    counted = moments.counted
    rows = Rows(
        counted.total,
        len(cells),
        counted.missing,
        counted.weightless,
        counted.lost,
        counted=moments.rows,
        fractional=counted.fractional,
    )
    return table, rows, Frame(held, len(cells))


MANY = 10**9
"""More numbers than any moments have."""


def _held(moments: Moments, asked: Asked) -> Wanted:
    """Return what a formula needs, all of which the moments hold; told apart is what the moments tell apart."""
    if asked.weights != moments.weights:
        raise _lacks(
            moments, [f"rows counted by `{asked.weights}`" if asked.weights else "rows that count as one"]
        )
    unknown = [f"the column `{name}`" for name in asked.columns if name not in moments.kinds]
    if unknown:
        raise _lacks(moments, unknown)
    found = wanted(asked, moments.kinds.__getitem__)
    keys = tuple(key.name for key in moments.keys if not key.factor)
    lacking = [f"the values of `{name}`" for name in found.keys if name not in keys]
    found = replace(found, keys=keys)
    needed = numbers_of(found.products, moments.constants | found.plain)
    lacking += [f"sums of `{':'.join(number)}`" for number in needed if number not in moments.numbers]
    if lacking:
        raise _lacks(moments, lacking)
    return found


DIGITS = 1e-6
"""Smallest residual sd, in sds of the response, that squares about means still show."""


def _check_digits(moments: Moments) -> None:
    """Raise a DataError if residuals are too small for sums of squares about means."""
    sums = moments.sums
    free = int(np.sum(sums.counts - 1)) - sums.means.shape[1]
    if not moments.numbers or moments.numbers[0] != moments.products[0] or free < 1:
        return  # the response, which is the first number, has two values, or each cell has its row
    rows, at = sums.roots.reshape(-1, sums.roots.shape[2]), sums.means[:, 0]
    left = rows[:, 0] - rows[:, 1:] @ np.linalg.lstsq(rows[:, 1:], rows[:, 0], rcond=None)[0]
    middle = np.average(at, weights=sums.weights)
    total = rows[:, 0] @ rows[:, 0] + sums.weights @ (at - middle) ** 2
    if left @ left / free < DIGITS**2 * total / sums.weights.sum():
        raise RowsNeededError(
            f"Residuals are less than {DIGITS:g} sds of the response, too small for sums that an engine computes.",
            "Read the rows into memory: `fj.moments` then computes by QR.",
        )


def _lacks(moments: Moments, what: list[str]) -> DataError:
    return DataError(
        f"The formula needs {', '.join(what)}, which these moments do not hold. They are those of "
        f"`{moments.formula}`. Make moments of the rows with this formula: `fj.moments(formula, data)`."
    )


def _parts(
    moments: Moments, needed: tuple[Texts, ...], numbers: FloatArray
) -> Iterator[tuple[Texts, FloatArray]]:
    """Yield the values of each number, (N,) or, with curves, (N, widths)."""
    at = 0
    for number in needed:
        shape = [moments.widths[text] for text in number if text in moments.widths]
        size = int(np.prod(shape, dtype=np.int64))
        yield number, numbers[:, at : at + size].reshape(len(numbers), *shape)
        at += size


def _known(
    moments: Moments, found: Wanted, cells: IntArray, parts: Mapping[Texts, FloatArray]
) -> dict[Texts, FloatArray]:
    """Return the values of each product of factors in rows of `cells`, as the tables of designs know them."""
    keys = {key.name: column_of(moments, key.name, cells) for key in moments.keys if not key.factor}
    told = Table(keys, np.arange(len(cells)), language=moments.language)
    constants = {
        text: np.asarray(moments.values(text), dtype=np.float64)[cells] for text in moments.constants
    }
    for text in found.plain:
        recipe = moments.learnt.get(text)
        if recipe is not None:
            constants[text] = (
                part_columns(recipe, told) if isinstance(recipe, Basis) else values_of(recipe, told)
            )
    out = dict[Texts, FloatArray]()
    for product in found.products:
        varying = tuple(text for text in product if text not in constants)
        if not all(text in constants for text in product if text in found.plain):
            continue  # not learnt yet: made of the columns themselves
        value, place = parts[varying] if varying else np.ones(len(cells)), 1
        for text in product:
            if text not in constants:
                place += text in moments.widths
            elif constants[text].ndim == 1:
                value = value * constants[text].reshape(-1, *(1,) * (value.ndim - 1))
            else:
                shape = (len(cells), *(1,) * (place - 1), -1, *(1,) * (value.ndim - place))
                value, place = np.expand_dims(value, place) * constants[text].reshape(shape), place + 1
        out[product] = value
    return out


def column_of(moments: Moments, name: str, cells: IntArray) -> Column:
    """Return a column in rows of `cells`; of one that is not told apart only the kind is known."""
    none = np.zeros(len(cells), dtype=bool)
    for key in moments.keys:
        if key.name == name and not key.factor:
            return Column(name, key.kind, moments.values(name)[cells], none, key.order, key.ordered)
    return Column(name, moments.kinds[name], np.zeros(len(cells)), none)
