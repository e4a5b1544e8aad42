"""Tables of the page: each cell with its text and the value by which it is sorted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from formulajoint.compiler.plan import Plan
from formulajoint.remarks import Missing
from formulajoint.report.charts import Row
from formulajoint.results.draws.posterior import Effect
from formulajoint.results.draws.tables import SUMMARY, Estimates
from formulajoint.results.joint_tests.figures import Figure
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.text.figures import (
    centre,
    classical_text,
    decimals_of,
    direction,
    factor_texts,
    factor_titles,
    fixed,
    numbers,
    share_text,
)
from formulajoint.results.text.printing import test_in_words
from formulajoint.results.text.ratios import ratio_texts, ratio_titles
from formulajoint.results.text.units import effect_label, parameter_label


@dataclass(frozen=True, slots=True)
class Cell:
    """The content of a cell. If `key` is a number, the cell is sorted by it, else by its text."""

    text: str
    key: float | None = None
    interval: Row | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its heads, and the number of rows left out."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0

    @property
    def numeric(self) -> set[int]:
        """The columns that hold numbers."""
        return {
            i for row in self.rows for i, cell in enumerate(row) if cell.key is not None and not cell.interval
        }


def text_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    """Return a table of plain text."""
    return Table(heads, tuple(tuple(Cell(text) for text in row) for row in rows))


def number(value: float, text: str) -> Cell:
    """Return a cell that shows a number as `text`; empty if undefined."""
    return Cell("" if math.isnan(value) else text, None if math.isnan(value) else float(value))


def estimate(row: pd.Series) -> tuple[Cell, Cell, Cell]:
    """Return mean, sd and interval, rounded by the Monte Carlo error; the median if there is no mean."""
    mean, sd, interval = centre(row) if "median" in row.index else numbers(row)
    middle = row["median"] if "median" in row.index and math.isnan(row["mean"]) else row["mean"]
    return (number(middle, mean), number(row["sd"], sd), number(row["hdi_low"], interval))


def like(row: pd.Series, low: float, high: float) -> str:
    """Return an interval with the decimals of the row's own interval."""
    digits = decimals_of(row)
    return f"({fixed(low, digits)}, {fixed(high, digits)})"


def effort(row: pd.Series) -> tuple[Cell, ...]:
    """Return the cells of effective sample sizes and r_hat."""
    sizes = [name for name in ("ess_bulk", "ess_tail") if name in row.index]
    return (
        *(number(row[name], fixed(row[name], 0)) for name in sizes),
        number(row["r_hat"], fixed(row["r_hat"], 3)),
    )


def contrast_table(plan: Plan, found: Estimates, prob: float, most: int) -> Table:
    """Return the table of contrasts."""
    ratio = ratio_titles(plan, found.effects)
    heads = ("contrast", "mean", "sd", f"{prob:.0%} HDI", *ratio, "p_direction")
    rows = tuple(
        (
            Cell(effect_label(plan, effect)),
            *estimate(row),
            *_ratio(plan, ratio, effect, row),
            number(row["p_direction"], direction(row["p_direction"], row["ess_bulk"])),
        )
        for effect, row in islice(found.each(), most)
    )
    return Table(heads, rows, len(found.effects) - len(rows))


def _ratio(plan: Plan, titles: Sequence[str], effect: Effect, row: pd.Series) -> tuple[Cell, ...]:
    texts = ratio_texts(plan, titles, effect, row)
    return tuple(number(row["mean"] if text else math.nan, text) for text in texts)


def test_table(plan: Plan, tests: Sequence[JointTest]) -> Table:
    """Return the table of joint tests."""
    heads = (
        "joint test",
        "contour",
        "P(all > 0)",
        "P(all < 0)",
        *factor_titles(tests),
        "classical test",
    )
    shares = ("contour", "p_all_positive", "p_all_negative")
    rows = tuple(
        (
            Cell(test_in_words(plan, test)),
            *(_figure(test.shares.get(share), share_text(test, share)) for share in shares),
            *map(_perhaps_number, factor_texts(tests, test)),
            Cell("")
            if isinstance(test.classical, Missing)
            else number(test.classical.p_value, classical_text(test)),
        )
        for test in tests
    )
    return Table(heads, rows)


def _perhaps_number(text: str) -> Cell:
    try:
        return number(float(text), text)
    except ValueError:
        return Cell(text)


def _figure(found: Figure | None, text: str) -> Cell:
    return Cell("") if found is None else number(found.value, text)


def sensitivity_table(sensitivity: pd.DataFrame) -> Table:
    """Return the table of Bayes factors under narrower and wider priors of the terms tested."""
    heads = ("joint test", "prior sd times", "prior sd", "log BF10")
    rows = tuple(
        (
            Cell(str(row["hypothesis"])),
            number(row["factor"], f"{row['factor']:g}"),
            Cell(str(row["prior_sd"])),
            number(row["log_bf10"], f"{row['log_bf10']:.2f}"),
        )
        for _, row in sensitivity.reset_index().iterrows()
    )
    return Table(heads, rows)


def parameter_table(plan: Plan, found: Estimates, prob: float, most: int) -> Table:
    """Return the table of the first coefficients and parameters."""
    ratio = ratio_titles(plan, found.effects)
    heads = ("parameter", "mean", "sd", f"{prob:.0%} HDI", *ratio, "ess_bulk", "ess_tail", "r_hat")
    shown = Estimates(found.effects, found.table[SUMMARY])
    rows = tuple(
        (Cell(parameter_label(plan, effect)), *estimate(row), *_ratio(plan, ratio, effect, row), *effort(row))
        for effect, row in islice(shown.each(), most)
    )
    return Table(heads, rows, len(found.effects) - len(rows))
