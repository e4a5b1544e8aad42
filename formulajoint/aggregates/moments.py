"""The rows of a data frame as moments by cell: a value that adds, compares and prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from math import prod
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from formulajoint.aggregates.cells import Counted, Key, shown, united
from formulajoint.aggregates.recipe_codec import alike, encoded
from formulajoint.aggregates.sums import Sums, merged
from formulajoint.aggregates.wanted import Texts
from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.columns import Kind
from formulajoint.design.recipes import Basis, Recipe
from formulajoint.errors import DataError
from formulajoint.language.formula import Formula
from formulajoint.language.vocabulary.default import chosen
from formulajoint.language.vocabulary.language import Language
from formulajoint.wording import listed

CLOSE = 1e-10
"""Moments are equal if they differ by less than this share of their size."""

MOST_NOTES = 3
"""At most this many notes on a column are kept when moments are added."""

MOST_SHOWN = 6
"""At most this many levels or numbers are named when moments are printed."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What a formula needs of the rows of a data frame, in place of the rows; see `fj.moments`.

    Attributes
    ----------
    formula : Formula
    family : str or None
        As given beside the formula.
    names : tuple of str
        The columns of the frame.
    kinds : mapping of str to Kind
        Those of the columns that the formula uses.
    keys : tuple of Key
        What tells cells apart.
    codes : (C, K) int array
        The value of each key in each cell.
    sums : Sums
        Counts, means and squares of the numbers in each cell.
    products : tuple of tuple of str
        The products of factors that the formula's terms have, by the factors' texts.
    widths : mapping of str to int
        Columns of each curve.
    learnt : mapping of str to Recipe or Basis
        How each factor is made of columns, with what was learnt of the rows.
    weights : str or None
        Column of the row weights.
    counted : Counted
    exact : bool
        Whether squares come from rows by QR; else from sums of squares about the means.
    language : Language
    notes : mapping of str to tuple of str
        How columns were read from files, as in a `Frame`.
    """

    formula: Formula
    family: str | None
    names: tuple[str, ...]
    kinds: Mapping[str, Kind]
    keys: tuple[Key, ...]
    codes: IntArray
    sums: Sums
    products: tuple[Texts, ...]
    widths: Mapping[str, int]
    learnt: Mapping[str, Recipe | Basis]
    weights: str | None
    counted: Counted
    exact: bool
    language: Language = field(repr=False)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows that the sums are of."""
        return int(self.sums.counts.sum())

    @property
    def constants(self) -> frozenset[str]:
        """The factors that are constant in each cell."""
        return frozenset(key.name for key in self.keys if key.factor)

    @property
    def numbers(self) -> tuple[Texts, ...]:
        """The products that are summed: of the factors that are not constant in each cell."""
        return numbers_of(self.products, self.constants)

    def columns_of(self, number: Texts) -> slice:
        """Return where the columns of a number stand among the sums."""
        start = 0
        for other in self.numbers:
            width = prod(self.widths.get(text, 1) for text in other)
            if other == number:
                return slice(start, start + width)
            start += width
        raise KeyError(number)

    def values(self, key: str) -> NDArray[np.generic]:
        """Return the value of a key in each cell (C,)."""
        place = [k.name for k in self.keys].index(key)
        found = self.keys[place]
        values = np.array(found.values, dtype=object if found.kind == "categorical" else None)
        return np.asarray(values[self.codes[:, place]])

    def save(self, path: str | PathLike[str], least: int = 1) -> None:
        """Write the moments to a Parquet file, one row a cell, from which `load` restores them.

        The file holds no rows, but what is known of small cells is nearly that: of one row, the row itself.

        Parameters
        ----------
        path : path
        least : int
            Refuse cells of fewer rows, such as 10, and name them.

        Raises
        ------
        DataError
            If a cell has fewer than `least` rows.
        StoreError
            If the file cannot be written, or PyArrow is not installed.
        """
        from formulajoint.aggregates.parquet import write_moments

        write_moments(self, path, least)

    @staticmethod
    def load(path: str | PathLike[str], language: Language | None = None) -> Moments:
        """Return the moments that `save` wrote.

        Parameters
        ----------
        path : path
        language : Language, optional
            Default: the plain language with all installed and registered extensions.

        Raises
        ------
        StoreError
            If the file is missing, or does not hold moments.
        """
        from formulajoint.aggregates.parquet import read_moments

        return Moments(**read_moments(path, chosen(language)))

    # --- arithmetic

    def __add__(self, other: object) -> Moments:
        if not isinstance(other, Moments):
            return NotImplemented
        _check_alike(self, other)
        varying = self._varying() | other._varying()
        constants = {key.name for key in self.keys if key.factor} & {k.name for k in other.keys if k.factor}
        pairs = {k.name: k for k in other.keys}
        joint = [k.joined(pairs[k.name]) for k in self.keys if k.name in constants or not k.factor]
        constants = {k.name for k in joint if k.factor and len(k.values) <= 2} - varying
        one, two = self.without(constants), other.without(constants)
        keys = tuple(k for k in joint if not k.factor or k.name in constants)
        codes = np.concatenate([one.recoded(keys), two.recoded(keys)])
        joined = one.sums.beside(two.sums)
        cells, of = np.unique(codes, axis=0, return_inverse=True)
        return replace(
            one,
            names=tuple(name for name in self.names if name in other.names),
            keys=keys,
            codes=cells,
            sums=merged(joined, of.ravel(), len(cells)),
            counted=self.counted + other.counted,
            exact=self.exact and other.exact,
            notes={name: told[:MOST_NOTES] for name, told in united(self.notes, other.notes).items()},
        )

    def __radd__(self, other: object) -> Moments:
        return self if other == 0 else NotImplemented  # `sum` begins with 0

    def _varying(self) -> set[str]:
        """Return the factors that are not constant in each cell."""
        return {text for number in self.numbers for text in number}

    def without(self, constants: Iterable[str]) -> Moments:
        """Return the same moments where only these factors may tell cells apart; the others become numbers."""
        left = frozenset(constants)
        if self.constants <= left:
            return self
        numbers = numbers_of(self.products, left)
        means, roots = list[FloatArray](), list[FloatArray]()
        for number in numbers:
            old = tuple(text for text in number if text not in self.constants)
            gone = [
                np.asarray(self.values(text), dtype=np.float64) for text in number if text in self.constants
            ]
            times = reduce(np.multiply, gone, np.ones(len(self.codes)))[:, None]
            if old:
                at = self.columns_of(old)
                means.append(times * self.sums.means[:, at])
                roots.append(times[:, :, None] * self.sums.roots[:, :, at])
            else:
                means.append(times)
                roots.append(np.zeros((len(self.codes), self.sums.roots.shape[1], 1)))
        wide, q = np.concatenate(roots, axis=2), sum(part.shape[1] for part in means)
        square = np.zeros((len(self.codes), q, q))
        square[:, : wide.shape[1]] = wide  # there are more numbers than before
        keys = [place for place, key in enumerate(self.keys) if not key.factor or key.name in left]
        cells, of = np.unique(self.codes[:, keys], axis=0, return_inverse=True)
        sums = Sums(self.sums.counts, self.sums.weights, np.concatenate(means, axis=1), square)
        return replace(
            self,
            keys=tuple(self.keys[place] for place in keys),
            codes=cells,
            sums=merged(sums, of.ravel(), len(cells)),
        )

    def recoded(self, keys: Sequence[Key]) -> IntArray:
        """Return the cells' codes by other keys of the same names, (C, K)."""
        out = np.zeros((len(self.codes), len(keys)), dtype=np.int64)
        names = [key.name for key in self.keys]
        for column, key in enumerate(keys):
            place = names.index(key.name)
            out[:, column] = key.place(self.keys[place].values)[self.codes[:, place]]
        return out

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Moments):
            return NotImplemented
        if _difference(self, other) or self.counted != other.counted:
            return False
        mine, theirs = ({(k.name, k.kind, k.values) for k in part.keys} for part in (self, other))
        if mine != theirs or self.codes.shape != other.codes.shape:
            return False
        codes = other.recoded(self.keys)
        order, turned = (
            np.lexsort(c.T[::-1]) if c.shape[1] else np.arange(len(c)) for c in (self.codes, codes)
        )
        if not np.array_equal(self.codes[order], codes[turned]):
            return False
        return _close(self.sums, order, other.sums, turned)

    __hash__ = None  # type: ignore[assignment]  # equal to rounding

    # --- in words

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    __repr__ = __str__


def numbers_of(products: Iterable[Texts], constants: Iterable[str]) -> tuple[Texts, ...]:
    """Return the products of factors less those that are constant in each cell; each once."""
    left = (tuple(text for text in product if text not in constants) for product in products)
    return tuple(dict.fromkeys(number for number in left if number))


def _check_alike(one: Moments, other: Moments) -> None:
    why = _difference(one, other)
    if why:
        raise DataError(
            f"These moments cannot be added: {why}. Make the second with what the first learnt: "
            "`fj.moments(formula, data, like=first)`."
        )


def _difference(one: Moments, other: Moments) -> str:
    """Return in what the two do not hold the same; empty if they do."""
    keys = [sorted(k.name for k in part.keys if not k.factor) for part in (one, other)]
    if keys[0] != keys[1]:
        return f"one tells {listed(keys[0])} apart, the other {listed(keys[1])}"
    if one.weights != other.weights:
        return f"rows count by {one.weights or 'one'} in one, by {other.weights or 'one'} in the other"
    if one.products != other.products:
        ours, theirs = (sorted({":".join(product) for product in part.products}) for part in (one, other))
        return f"one holds {listed(ours)}, the other {listed(theirs)}"
    for text in one.learnt:
        if not alike(encoded(one.learnt[text]), encoded(other.learnt.get(text))):
            return f"`{text}` was learnt of different rows"
    return ""


def _close(one: Sums, order: IntArray, other: Sums, turned: IntArray) -> bool:
    if not np.array_equal(one.counts[order], other.counts[turned]):
        return False
    spread = np.sqrt(np.maximum(np.einsum("cii->ci", one.squares)[order], 0.0))
    total = np.sqrt(np.sum(one.weights[:, None] * one.means**2, axis=0) + np.sum(spread**2, axis=0)) + 1e-300
    sizes = total[:, None] * total
    root = np.sqrt(one.weights[order])[:, None]
    return bool(
        np.allclose(one.weights[order], other.weights[turned], rtol=CLOSE)
        and np.all(abs(root * (one.means[order] - other.means[turned])) <= CLOSE * total)
        and np.all(abs(one.squares[order] - other.squares[turned]) <= CLOSE * sizes)
    )


def _lines(moments: Moments) -> Iterator[str]:
    yield f"moments of {moments.rows:,} rows in {len(moments.codes):,} cells"
    yield f"formula: {moments.formula}"
    for key in moments.keys:
        labels = [shown(value) for value in key.values[:MOST_SHOWN]]
        more = f" and {len(key.values) - MOST_SHOWN:,} more" if len(key.values) > MOST_SHOWN else ""
        yield f"cells by {key.name}: {', '.join(labels)}{more}"
    names = [":".join(number) for number in moments.numbers]
    if names:
        yield f"means, squares and products of: {', '.join(names)}"
    else:
        yield "counts of rows"
    missing = ", ".join(f"{name} in {count:,}" for name, count in moments.counted.missing.items())
    if missing:
        yield f"rows left out for missing values: {missing}"
    smallest = int(moments.sums.counts.min())
    yield f"smallest cell: {smallest:,} {'row' if smallest == 1 else 'rows'}"
    yield "squares: from rows, by QR" if moments.exact else "squares: from sums about the means"
