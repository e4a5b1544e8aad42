"""Positions of the marks of a chart, in percent of its width: the template draws them, at any size.

There is no markup here. Every mark has a `tip`, the text shown when a reader points at it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.results.effects import ends_of_axis

BARS = 40
"""Bars of a histogram."""

TICKS = 6
"""Approximate number of ticks of an axis."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A number below an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The values from `low` to `high`, on a chart as wide as 100."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the position of `value`, at most one width of the chart beyond the edges."""
        place = 100 * (value - self.low) / (self.high - self.low)
        return round(min(max(place, -100.0), 200.0), 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Round numbers, about `TICKS` of them."""
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(Tick(self.at(n * step), f"{n * step:.10g}") for n in range(first, last + 1))


def axis(low: FloatArray, high: FloatArray) -> Axis:
    """Return an axis that shows zero and the intervals from `low` to `high`, except those far longer than most."""
    known = np.isfinite(low) & np.isfinite(high)
    low, high = low[known], high[known]
    if not len(low):
        return Axis(-1.0, 1.0)
    least, greatest = ends_of_axis(low, high, np.zeros(1))
    edge = 0.03 * (greatest - least) or 1.0
    return Axis(least - edge, greatest + edge)


# --- intervals, one per row


@dataclass(frozen=True, slots=True)
class Row:
    """An estimate with its interval and, for a group, the wider one that holds all groups at once.

    Attributes
    ----------
    label : str
    kind : {"group", "joint", "pool"}
        A group's own, a contrast of all groups, or the mean of their hierarchy.
    middle, low, high : float
        Positions in percent of the chart's width.
    band : (float, float) or None
        The simultaneous interval.
    size : float
        Size of the mark, in pixels.
    cut : str
        Arrows at the edges where an interval is cut: ``""``, ``"<"``, ``">"`` or both.
    tip : str
    cell : int
        Position of the group's effect among all; -1 for averages.
    """

    label: str
    kind: str
    middle: float
    low: float
    high: float
    band: tuple[float, float] | None
    size: float
    cut: str
    tip: str
    cell: int

    @property
    def share(self) -> float:
        """The position of the middle within the interval, in percent."""
        width = self.high - self.low
        return round(100 * (self.middle - self.low) / width, 2) if width > 0 else 50.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The values of a row, as numbers."""

    label: str
    kind: str
    middle: float
    low: float
    high: float
    band_low: float = math.nan
    band_high: float = math.nan
    weight: float = math.nan
    tip: str = ""
    cell: int = -1


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one level of the term's factors; `title` is the level, empty without factors."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Forest:
    """Parts on one axis, with rows of groups each `height` pixels high."""

    axis: Axis
    parts: tuple[Part, ...]
    height: float

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all parts."""
        return tuple(row for part in self.parts for row in part.rows)

    @property
    def labelled(self) -> bool:
        """Whether rows are high enough for labels."""
        return self.height >= LABEL


TALLEST, TOTAL, LABEL = 40, 360, 12
"""Heights in pixels: of a row at most, of all rows about, and of a row with a legible label at least."""

MOST_LABELLED = 120
"""Most rows that are given the height of a label."""


def row_height(groups: int) -> float:
    """Return the height of each of `groups` rows, in pixels."""
    least = LABEL if groups <= MOST_LABELLED else 0.4
    return round(min(TALLEST, max(TOTAL / max(groups, 1), least)), 3)


def forest(parts: Sequence[tuple[str, Sequence[Estimate]]]) -> Forest:
    """Return a forest of parts, each a title with its rows, in the order given."""
    estimates = [e for _, own in parts for e in own]
    low = np.array([np.nanmin([e.low, e.band_low]) for e in estimates])
    high = np.array([np.nanmax([e.high, e.band_high]) for e in estimates])
    shared, height = axis(low, high), row_height(sum(e.kind == "group" for e in estimates))
    heaviest = max((e.weight for e in estimates if math.isfinite(e.weight)), default=1.0)
    drawn = (Part(title, tuple(_row(shared, e, heaviest, height) for e in own)) for title, own in parts)
    return Forest(shared, tuple(drawn), height)


def _row(shared: Axis, estimate: Estimate, heaviest: float, height: float) -> Row:
    ends = [
        v for v in (estimate.low, estimate.high, estimate.band_low, estimate.band_high) if math.isfinite(v)
    ]
    share = estimate.weight / heaviest if math.isfinite(estimate.weight) and heaviest > 0 else 0.6
    band = (shared.at(estimate.band_low), shared.at(estimate.band_high))
    return Row(
        estimate.label,
        estimate.kind,
        shared.at(estimate.middle),
        shared.at(estimate.low),
        shared.at(estimate.high),
        band if math.isfinite(estimate.band_low) else None,
        round(min(3 + 9 * math.sqrt(share), max(1.5, 0.8 * height)), 1),  # area by weight
        "<" * any(v < shared.low for v in ends) + ">" * any(v > shared.high for v in ends),
        estimate.tip,
        estimate.cell,
    )


# --- histograms of draws


@dataclass(frozen=True, slots=True)
class Bar:
    """The share of draws between two values, and whether these are within the interval."""

    at: float
    width: float
    height: float
    inside: bool
    tip: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram of draws, and the position of `mark`."""

    axis: Axis
    bars: tuple[Bar, ...]
    mark: float


def histogram(draws: FloatArray, low: float, high: float, mark: float, reach: bool) -> Histogram:
    """Return the histogram of draws.

    Parameters
    ----------
    draws : array
    low, high : float
        The interval whose bars are filled.
    mark : float
        A value to be marked.
    reach : bool
        Whether the axis must reach `mark`; else only if it is near.
    """
    flat = draws[np.isfinite(draws)]
    start, stop = float(flat.min()), float(flat.max())
    if not reach:  # a few draws far out, as of a ratio, would leave no room for the others
        five, ninety_five = np.quantile(flat, (0.05, 0.95))
        start, stop = max(start, 2 * five - ninety_five), min(stop, 2 * ninety_five - five)
    if stop - start <= 1e-12 * max(abs(start), 1e-300):  # a constant
        start, stop = start - 0.5, stop + 0.5
    edges = np.linspace(start, stop, BARS + 1)
    counts, _ = np.histogram(flat, edges)
    width = stop - start
    near = start - width <= mark <= stop + width
    ends = [start, stop, *([mark] if reach or near else [])]
    shown = Axis(min(ends) - 0.03 * width, max(ends) + 0.03 * width)
    bars = tuple(
        Bar(
            shown.at(left),
            round(shown.at(right) - shown.at(left), 2),
            round(100 * count / counts.max(), 1),
            bool(left + right >= 2 * low and left + right <= 2 * high),
            f"{100 * count / len(flat):.2g} % of the draws are between {left:.4g} and {right:.4g}",
        )
        for left, right, count in zip(edges, edges[1:], counts, strict=False)
        if count
    )
    return Histogram(shown, bars, shown.at(mark))
