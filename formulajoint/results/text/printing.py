"""A fit as plain text: the model, contrasts, joint tests, coefficients, notes and warnings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from formulajoint.compiler.plan import ArithmeticPlan, Plan, ScalePlan
from formulajoint.results.joint_tests.classical import SCORES
from formulajoint.results.joint_tests.questions import untested
from formulajoint.results.joint_tests.table import UPPER_BOUND
from formulajoint.results.text.comparisons import place_of
from formulajoint.results.text.describe import (
    coefficient_rows,
    data_lines,
    describe_contrast,
    formula_lines,
    note_lines,
    table_lines,
)
from formulajoint.wording import listed

type Cells = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]
"""Head and rows of a table."""

MOST_ROWS = 24
"""A printed fit shows at most this many coefficients; `summary()` has them all."""

MOST_DECIMALS, SMALL = 8, 1e-4
"""Most decimals that are shown; a figure below the second number that needs more has an exponent."""


def fit_text(
    plan: Plan,
    summary: pd.DataFrame,
    contrasts: pd.DataFrame,
    problems: tuple[str, ...],
    engine: str,
    prob: float,
    tests: pd.DataFrame | None = None,
) -> str:
    """Return the text of a fit.

    Parameters
    ----------
    plan : Plan
    summary, contrasts : DataFrame
        As from ``tables``.
    problems : tuple of str
        As from ``diagnostics``.
    engine : str
    prob : float
        Probability of the intervals in the tables.
    tests : DataFrame, optional
        As from ``joint_table``.
    """
    sections = [
        formula_lines(plan.design.formula),
        data_lines(plan) + understood(plan),
        contrast_section(plan, contrasts, prob),
        test_section(plan, tests),
        coefficient_section(plan, summary, prob),
        [
            *note_lines(fit_notes(plan, summary, contrasts)),
            *note_lines(problems, "warning"),
            sampler_line(summary, engine),
        ],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def understood(plan: Plan) -> list[str]:
    """Return one line per term and parameter: ``treatment: one slope per school, not pooled``."""
    names = {
        name
        for part in plan.parameters
        for name in ([part.name] if isinstance(part, ScalePlan) else [c.name for c in part.coefficients])
    }
    return [f"{name}: {what}" for name, what, _ in coefficient_rows(plan) if name in names]


def contrast_section(plan: Plan, table: pd.DataFrame, prob: float) -> list[str]:
    """Return the contrasts as a table, each with a line of its description and weights."""
    if table.empty:
        return []
    lines = table_lines(*contrast_cells(table, prob))
    weights = dict(zip((str(i).partition("[")[0] for i in table.index), table["weights"], strict=True))
    return lines + [
        f"  {c.name}: {describe_contrast(plan, c)}"
        + (f"; weights {weights.get(c.name, '')}" if c.weights else "")
        for c in plan.contrasts
    ]


def contrast_cells(table: pd.DataFrame, prob: float) -> Cells:
    """Return the table of contrasts as text."""
    rows = [
        (str(name), *centre(row, numbers(row)), direction(row["p_direction"], row["ess_bulk"]))
        for name, row in table.iterrows()
    ]
    return ("contrast", "mean", "sd", f"{prob:.0%} HDI", "p_direction"), rows


def centre(row: pd.Series, shown: tuple[str, str, str]) -> tuple[str, str, str]:
    """Return the figures of a row, with the median in place of a mean that does not exist."""
    mean, sd, interval = shown
    if mean or math.isnan(row["median"]):
        return shown
    digits = len(interval.partition(",")[0].partition(".")[2])
    return f"{fixed(row['median'], digits)} (median)", sd, interval


def direction(share: float, ess: float) -> str:
    """Return the probability of a sign as text; a bound if no draw, or hardly any, has the other sign."""
    if share < 0.9995 or math.isnan(ess):
        return f"{share:.3f}"
    return f"> {min(0.999, 1 - 1 / ess):.3g}"


def test_section(plan: Plan, table: pd.DataFrame | None) -> list[str]:
    """Return the joint tests as a table, and each test's note below it."""
    if table is None or table.empty:
        return []
    return table_lines(*test_cells(plan, table)) + [
        line for label, note in table["note"].items() if note for line in note_lines([note], f"  {label}")
    ]


def test_cells(plan: Plan, table: pd.DataFrame) -> Cells:
    """Return the table of joint tests as text."""
    rows = [
        (
            f"{label}{everywhere(plan, str(label))}",
            *(
                "" if math.isnan(row[share]) else share_text(row, share)
                for share in ("contour", "p_all_positive")
            ),
            "" if math.isnan(row["log_bf10"]) else f"{row['log_bf10']:.2f}",
            "" if math.isnan(row["statistic"]) else classical_text(row),
        )
        for label, row in table.iterrows()
    ]
    titles = ("joint test", "contour", "P(all > 0)", "log BF10", "classical test")
    return titles, rows


def hypothesis_text(table: pd.DataFrame) -> str:
    """Return joint tests as text, each with its figures, and a note why others are missing."""
    return "\n\n".join("\n".join([str(text), *_figures(row)]) for text, row in table.iterrows())


def _figures(row: pd.Series) -> list[str]:
    figures = {"rank": f"{row['rank']:g}"}
    figures |= {
        name: f"< {row[column]:.2g}" if _is_bound(row, column) else _with_error(row, column)
        for column, name in FIGURES.items()
        if not math.isnan(row[column])
    }
    if not math.isnan(row["statistic"]):
        figures["classical test"] = classical_text(row)
    width = max(map(len, FIGURES.values()))
    lines = [f"  {name.ljust(width)}  {text}" for name, text in figures.items()]
    return lines + note_lines([row["note"]] if row["note"] else [], "  note")


FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "contour": "contour probability",
        "gbpv": "global Bayesian p-value",
        "p_all_positive": "P(all > 0)",
        "p_all_negative": "P(all < 0)",
        "p_at_least": "P(so many > 0)",
        "p_in_rope": "P(all within rope)",
        "p_out_of_rope": "P(all beyond rope)",
        "log_bf10": "log BF10",
    }
)
"""Columns of a joint test, with their names in text."""


def everywhere(plan: Plan, label: str) -> str:
    """Return ``in every school`` for a term's own test, which does not name the groups, and `place_of` the term."""
    predictor = plan.design.predictor
    term = next((term for term in predictor.per_group if label == f"{term.name} == 0"), None)
    if predictor.grouping is None or term is None:
        return ""
    return f" in every {predictor.grouping.name}{place_of(plan, term)}"


def probability(value: float, mcse: float) -> str:
    """Return a share of draws as text, with the digits that its Monte Carlo error supports; a bound if it is 0 or 1."""
    if value == 0 < mcse:
        return f"< {mcse:.1g}"
    if value == 1 and mcse > 0:
        return f"> {min(0.999, 1 - mcse):.3g}"
    return f"{value:.{decimals(mcse)}f}"


def _with_error(row: pd.Series, column: str) -> str:
    return f"{row[column]:.4g} (mcse {row[f'{column}_mcse']:.1g})"


def _is_bound(row: pd.Series, column: str) -> bool:
    return column == "contour" and UPPER_BOUND in row["note"]


def share_text(row: pd.Series, share: str) -> str:
    """Return a share of draws in a row of joint tests; a contour probability that is an upper bound as a bound."""
    if _is_bound(row, share):
        return f"< {row[share]:.2g}"
    return probability(row[share], row[f"{share}_mcse"])


def classical_text(row: pd.Series) -> str:
    """Return a test as printed in papers: ``F(2, 6) = 412.5, p = 3.8e-07``, ``chi2(2) = 25.3, p = 3.2e-06``.

    A chi-square by normal scores is marked as such.
    """
    name = f"{'normal scores ' if row['classical'] == SCORES else ''}chi2({row['df_num']:g})"
    if not math.isnan(row["df_denom"]):
        name = f"F({row['df_num']:g}, {row['df_denom']:g})"
    p = "< 1e-16" if row["p_value"] < 1e-16 else f"= {row['p_value']:.2g}"
    # A tie such as 956.25 must be rounded alike on every machine.
    statistic = float(f"{row['statistic']:.12g}")
    return f"{name} = {statistic:.4g}, p {p}"


def coefficient_section(plan: Plan, table: pd.DataFrame, prob: float) -> list[str]:
    """Return the coefficients as a table; if there are too many, those that are not of a single group come first."""
    if len(table) > MOST_ROWS:
        table = of_all_first(plan, table)
    lines = table_lines(*coefficient_cells(table.head(MOST_ROWS), prob))
    rest = len(table) - MOST_ROWS
    return [*lines, *([f"... and {rest} more rows in summary()"] if rest > 0 else [])]


def coefficient_cells(table: pd.DataFrame, prob: float) -> Cells:
    """Return the table of coefficients as text."""
    rows = [
        (str(name), *numbers(row), fixed(row["ess_bulk"], 0), fixed(row["r_hat"], 3))
        for name, row in table.iterrows()
    ]
    return ("parameter", "mean", "sd", f"{prob:.0%} HDI", "ess_bulk", "r_hat"), rows


def of_all_first(plan: Plan, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a summary, those that are not of a single group before the others."""
    grouped = {c.name for c in plan.mean.coefficients if c.grouped}
    of_group = table.index.map(lambda label: label.partition("[")[0] in grouped).to_numpy(bool)
    return pd.concat([table[~of_group], table[of_group]])


def numbers(row: pd.Series) -> tuple[str, str, str]:
    """Return mean, sd and interval, with the digits that the Monte Carlo error supports; blank if undefined."""
    mean, sd, low, high = (float(row[name]) for name in ("mean", "sd", "hdi_low", "hdi_high"))
    digits = decimals_of(row)
    return fixed(mean, digits), fixed(sd, digits), f"({fixed(low, digits)}, {fixed(high, digits)})"


def decimals_of(row: pd.Series) -> int:
    """Return the decimals that the figures of a row support, by its sd or, without one, by its interval."""
    sd, ess = float(row["sd"]), float(row["ess_bulk"])
    width = sd if math.isfinite(sd) else (float(row["hdi_high"]) - float(row["hdi_low"])) / 4
    return decimals(width / math.sqrt(ess) if ess > 0 else width)


def decimals(error: float) -> int:
    """Return the decimals that a figure with Monte Carlo `error` supports: to the place of the error's first digit."""
    if not (math.isfinite(error) and error > 0):
        return 2
    return max(0, -math.floor(math.log10(error)))


def fixed(value: float, digits: int) -> str:
    """Return `value` with `digits` decimals, never as minus zero; blank if undefined.

    If most of many decimals would be zeros, the form is ``1.23e-08``.
    """
    if math.isnan(value):
        return ""
    rounded = round(value, digits) + 0.0  # no -0.00
    if digits > MOST_DECIMALS and 0 < abs(rounded) < SMALL:
        return f"{rounded:.{math.floor(math.log10(abs(rounded))) + digits}e}"
    return f"{rounded:.{min(digits, MOST_DECIMALS)}f}"


def fit_notes(plan: Plan, summary: pd.DataFrame, contrasts: pd.DataFrame) -> list[str]:
    """Return the notes of a printed fit."""
    return [*plan.notes, *blank_note(plan, pd.concat([summary, contrasts])), *untested(plan)]


def blank_note(plan: Plan, table: pd.DataFrame) -> list[str]:
    """Return the notes that explain blank cells, if there are any."""
    ratios = {c.name for c in plan.contrasts if isinstance(c, ArithmeticPlan) and math.isinf(c.degree)}
    blank = [str(name) for name in table.index[table["sd"].isna() & table["ess_bulk"].notna()]]
    divided = [name for name in blank if name.partition("[")[0] in ratios]
    heavy = [name for name in blank if name.partition("[")[0] not in ratios]
    notes = []
    if divided:
        notes.append(
            f"{listed(divided, 6)} {'divide' if len(divided) > 1 else 'divides'} by what can be zero, and so "
            "without mean and sd. Medians and intervals exist."
        )
    if heavy:
        notes.append(
            f"With flat priors and so few rows {listed(heavy, 6)} have no sd (a blank mean does not exist "
            "either): their tails are too heavy. Intervals exist."
        )
    return notes


def sampler_line(summary: pd.DataFrame, engine: str) -> str:
    """Return the line about the draws: their engine, smallest ess_bulk and largest r_hat."""
    figures = [
        ("smallest ess_bulk", fixed(summary["ess_bulk"].min(), 0)),
        ("largest r_hat", fixed(summary["r_hat"].max(), 3)),
    ]
    known = ", ".join(f"{name} {figure}" for name, figure in figures if figure)
    return f"sampled by {engine}" + (f": {known}" if known else "")
