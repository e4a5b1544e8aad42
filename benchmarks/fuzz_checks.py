"""What must hold of every model and fit, whatever the frame and the formula.

Errors are the package's, and there is no warning, no NaN without a note, no JSON that is none, no control character.
"""

from __future__ import annotations

import json
import math
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from fuzz_formulas import Names, Writer, slip
from fuzz_frames import Frame

import formulajoint as fj

LONGEST, SLOW = 120, 5
"""Seconds of the processor that a step may take, and after which it is noted."""

DRAWS, CHAINS = 50, 2

LOOKED_AT = 5
"""Of every so many frames, fits are saved, reported and drawn, too."""

PLOTS = ("forest", "contrast", "joint", "shrinkage", "ppc", "trace", "pairs", "prior_posterior")


@dataclass
class Found:
    """What one number of the fuzz has met: steps that were answered, refused, and what should not be."""

    done: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)

    def fault(self, step: str, what: str, context: str) -> None:
        """Note what should not be."""
        self.wrong.append(f"{step}: {what}\n    {context}")

    @contextmanager
    def step(self, step: str, context: str) -> Iterator[None]:
        """Run a step: errors of the package are answers, anything else is a fault."""
        started = time.process_time()
        try:
            with warnings.catch_warnings(record=True) as warned, _alarm():
                warnings.simplefilter("always")
                yield
        except fj.BugError as error:
            self.fault(step, f"BugError {error}", context)
        except fj.FormulaJointError as error:
            self.refused[step] = self.refused.get(step, 0) + 1
            self.judge(step, error, context)
        except Exception as error:
            where = [t for t in traceback.extract_tb(error.__traceback__) if "fuzz_" not in t.filename][-1]
            self.fault(
                step, f"{type(error).__name__} {str(error)[:200]} at {where.filename}:{where.lineno}", context
            )
        else:
            self.done[step] = self.done.get(step, 0) + 1
        if (seconds := time.process_time() - started) > SLOW:
            self.slow.append(f"{seconds:.1f} s, {step}: {context}")
        for warning in (each for each in warned if not issubclass(each.category, fj.FormulaJointWarning)):
            self.fault(
                step, f"warning {str(warning.message)[:200]} at {warning.filename}:{warning.lineno}", context
            )

    def judge(self, step: str, error: Exception, context: str) -> None:
        """Note what is wrong with an error's text."""
        text = str(error)
        if len(text) > 3000:
            self.fault(step, f"an error of {len(text)} characters: {text[:300]}", context)
        if any(not (c.isprintable() or c == "\n") for c in text):
            self.fault(step, f"an error with control characters: {text[:300]!r}", context)
        if isinstance(error, fj.FormulaError):
            if not 0 <= error.span.start <= error.span.end <= len(error.text) + 1:
                self.fault(step, f"a span outside the text: {error.span}", context)
            if "^" not in text:
                self.fault(step, f"an error without caret: {text!r}", context)


@contextmanager
def _alarm() -> Iterator[None]:
    """Raise a TimeoutError where a step takes too long."""

    def late(*_: Any) -> None:
        raise TimeoutError(f"more than {LONGEST} s")

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


# --- frames


def try_frame(frame: Frame, found: Found) -> None:
    """Try formulas, fits, tests and contrasts on a frame."""
    random = Random(frame.number + 1_000_000)
    writers = [Writer(random, few(random, frame.names), fitted=True) for _ in range(2)]
    texts = [writer.plain() if random.random() < 0.6 else writer.formula() for writer in writers]
    texts.append(Writer(random, frame.names).formula())
    texts.append(slip(random, texts[0], frame.names.all))
    for number, text in enumerate(texts):
        priors = "flat" if random.random() < 0.25 else None
        context = f"frame {frame.number} ({frame.kind}), {text!r}, priors={priors!r}"
        fit = try_formula(frame, text, priors, found, context, fitted=number < len(writers))
        if fit is not None:
            try_questions(fit, writers[number], found, context)


def few(random: Random, names: Names) -> Names:
    """Return few of the names, so that what a formula asks about is often among its terms."""
    few = random.choice([1, 2])
    numbers = names.numbers[:few] if random.random() < 0.7 else tuple(random.sample(names.numbers, few))
    other = {} if random.random() < 0.5 else names.factors
    return replace(
        names,
        numbers=numbers,
        factors={key: labels for key, labels in names.factors.items() if key in other or key == names.group},
    )


def try_formula(
    frame: Frame, text: str, priors: Any, found: Found, context: str, fitted: bool
) -> fj.Fit | None:
    """Explain the model of a formula and fit it, if it can be."""
    model = None
    with found.step("parse", context):
        parsed = fj.parse(text)
        if fj.parse(str(parsed)) != parsed:
            found.fault("parse", f"canonical text {str(parsed)!r} is another formula", context)
    with found.step("model", context):
        model = fj.model(text, frame.data, priors=priors)
    if model is None:
        return None
    with found.step("explain", context):
        check_text(model.explain(), "text", found, context)
        check_html(model.explain("html"), found, context)
        check_text(model.explain("latex"), "latex", found, context)
        check_json(model.record(), found, context)
    if not fitted:
        return None
    fit = None
    with found.step("fit", context):
        fit = model.fit(draws=DRAWS, chains=CHAINS, seed=1, engine="exact", progress=False)
    if fit is not None:
        check_fit(fit, found, context)
        if frame.number % LOOKED_AT == 0:
            check_files_and_plots(fit, found, context)
    return fit


def check_fit(fit: fj.Fit, found: Found, context: str) -> None:
    """Check tables, texts and JSON of a fit."""
    with found.step("tables", context):
        texts = " ".join(fit.diagnostics())
        check_table(fit.summary(), ("mean", "sd"), texts, "summary", found, context)
        check_table(fit.contrasts(), ("mean", "sd", "p_direction"), texts, "contrasts", found, context)
        check_bands(fit.bands(), found, context)
    with found.step("texts", context):
        check_text(str(fit), "printed fit", found, context)
        check_html(fit._repr_html_(), found, context)
        check_json(fit.record(), found, context)


def check_files_and_plots(fit: fj.Fit, found: Found, context: str) -> None:
    """Save a fit and load it, write its report, and draw each of its plots."""
    with found.step("save", context), tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "fit.nc"
        fit.save(place)
        again = fj.load(place)
        if str(again) != str(fit) or not again.summary().equals(fit.summary()):
            found.fault("save", "what is loaded is another fit", context)
    with found.step("report", context), tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        fit.report(page)
        check_html(page.read_text(encoding="utf-8"), found, context)
    for name in PLOTS:
        with found.step(f"plot.{name}", context):
            figure = getattr(fit.plot, name)()
            figure.canvas.draw()
        plt.close("all")


def try_questions(fit: fj.Fit, writer: Writer, found: Found, context: str) -> None:
    """Ask a fit what stands in no formula: hypotheses and contrasts, some of them with slips."""
    for number in range(2):
        hypothesis, clause = writer.hypothesis(), writer.contrast()
        if number and writer.chance(0.5):
            hypothesis, clause = (
                slip(writer.random, text, writer.names.all) for text in (hypothesis, clause)
            )
        ask(fit, hypothesis, clause, found, context)


def ask(fit: fj.Fit, hypothesis: str, clause: str, found: Found, context: str) -> None:
    """Put a hypothesis and a contrast to a fit."""
    with found.step("test", f"{hypothesis!r}, {context}"):
        check_tests(fit.test(hypothesis), found, f"{hypothesis!r}, {context}")
        check_bands(fit.bands(hypothesis), found, f"{hypothesis!r}, {context}")
    with found.step("contrast", f"{clause!r}, {context}"):
        table = fit.contrast(clause)
        check_table(table, ("mean", "sd", "p_direction"), "", "contrast", found, f"{clause!r}, {context}")


# --- outputs


def check_table(
    table: pd.DataFrame, empty: Sequence[str], notes: str, which: str, found: Found, context: str
) -> None:
    """Note figures that are missing or infinite; those in `empty` may not exist."""
    for column in table.columns:
        if pd.api.types.is_numeric_dtype(table[column]):
            varies = table["hdi_low"] != table["hdi_high"]  # a constant has no r_hat
            bad = table.index[~table[column].map(math.isfinite) & varies]
            if len(bad) and column not in empty:
                found.fault(
                    which, f"{column} of {list(bad)[:3]} is {table.loc[bad[:1], column].iloc[0]}", context
                )
    if not table.index.is_unique:
        twice = list(table.index[table.index.duplicated()])
        found.fault(which, f"two rows of one label: {twice[:3]}", context)


OPTIONAL = ("log_bf10_hierarchy", "log_bf10_hierarchy_mcse", "verdict_low", "verdict_high")
"""Figures of a joint test that stand only where they are asked for, or say something."""


def check_tests(table: pd.DataFrame, found: Found, context: str) -> None:
    """Note figures of joint tests that are missing without a note, or are no probabilities."""
    for label, row in table.iterrows():
        for column, value in row.items():
            if isinstance(value, str):
                continue
            missing = value is None or math.isnan(value)
            if missing and not row["note"] and column in ("contour", "gbpv", "log_bf10", "p_value"):
                found.fault("tests", f"{column} of {label!r} is empty without a note", context)
            if not missing and math.isinf(value) and column != "df_denom":
                found.fault("tests", f"{column} of {label!r} is {value}", context)
            probability = column.startswith(("p_", "contour", "gbpv")) and not column.endswith("mcse")
            if not missing and probability and not 0 <= value <= 1:
                found.fault("tests", f"{column} of {label!r} is {value}", context)


def check_bands(table: pd.DataFrame, found: Found, context: str) -> None:
    """Note bands that are missing without a note."""
    for label, row in table.iterrows():
        if not row["note"] and any(math.isnan(row[c]) for c in ("mean", "sd", "low", "high")):
            found.fault("bands", f"{label!r} has an empty figure without a note: {dict(row)}", context)
        if any(math.isinf(row[c]) for c in ("mean", "sd", "low", "high")):
            found.fault("bands", f"{label!r} is infinite: {dict(row)}", context)


def check_text(text: str, which: str, found: Found, context: str) -> None:
    """Note texts that say nan, inf or None, or have control characters."""
    if not text.strip():
        found.fault(which, "no text", context)
    if any(not (c.isprintable() or c == "\n") for c in text):
        bad = {c for c in text if not (c.isprintable() or c == "\n")}
        found.fault(which, f"control characters {bad}", context)


def check_html(text: str, found: Found, context: str) -> None:
    """Note HTML in which a tag of the data stands."""
    if "<b>x" in text:
        found.fault("html", "a name is not escaped", context)


def check_json(record: Any, found: Found, context: str) -> None:
    """Note what JSON does not know."""
    try:
        text = json.dumps(record, allow_nan=False)
    except (TypeError, ValueError) as error:
        found.fault("json", str(error), context)
    else:
        if json.loads(text) != record:
            found.fault("json", "what is read again differs", context)
