"""What is recorded of a fit: draws, printed text, tables, tests, bands, what is asked later, the page, a saved copy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from math import isnan
from pathlib import Path
from platform import python_version
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from xarray import Dataset

import formulajoint as fj
from goldens import reach
from goldens.case import Case
from goldens.languages import language
from goldens.models import model_of, model_sections, recorded
from goldens.writing import (
    Lines,
    Record,
    array_line,
    json_lines,
    long_text,
    page_text,
    plain,
    said,
    table_lines,
    text_lines,
)

DRAWS, CHAINS, SEED = 100, 2, 1

PACKAGES = ("formulajoint", "pymc", "pytensor", "arviz", "numpy", "scipy", "pandas", "xarray", "nutpie")
"""Packages whose versions stand on a report page."""


def record_of(case: Case) -> Record:
    """Return the record of a case."""
    return recorded(lambda: _record(case))


def _record(case: Case) -> Record:
    model = model_of(case)
    record = model_sections(case, model)
    if case.wants("unfitted"):
        return record
    if case.wants("invented"):
        record["exact engine"] = why_not(model)
        fit = reach.invented(model, CHAINS, DRAWS, 3 if case.wants("diverging") else 0)
    else:
        fit = model.fit(draws=DRAWS, chains=CHAINS, seed=SEED, engine="exact")
    record |= draws_sections(fit) | printed_sections(case, fit) | asked_sections(case, fit)
    if case.wants("report") or case.wants("page"):
        record["report page"] = report_lines(fit, case.wants("page"))
    if case.wants("saved"):
        record["saved and loaded"] = saved_lines(case, fit, record)
    return record


def why_not(model: fj.JointModel) -> Lines:
    """Return why the exact engine does not fit a model."""

    def ask() -> Lines:
        model.fit(draws=4, chains=1, seed=SEED, engine="exact")
        return ["It applies."]

    return said(ask)


def draws_sections(fit: fj.Fit) -> Record:
    """Return every variable of the posterior, those that only serve the sampler among them, and the statistics."""
    attrs, coords = dict(fit.idata.attrs), fit.posterior.coords.items()
    return {
        "draws": [
            f"engine: {fit.engine}",
            f"settings: {json.dumps(attrs, default=str)}",
            *arrays_of(fit.idata["posterior"].to_dataset()),
        ],
        "dims of the draws": [
            f"{name}: {', '.join(map(str, c.to_numpy()))}" for name, c in coords if name != "draw"
        ],
        "statistics of the draws": arrays_of(fit.idata["sample_stats"].to_dataset()),
        "log evidence": said(lambda: [evidence_line(fit)]),
    }


def arrays_of(dataset: Dataset) -> Lines:
    """Return a line for each variable, and one for all those that are single numbers."""
    variables = {str(name): variable for name, variable in dataset.data_vars.items()}
    singles = [f"{name}={plain(float(v))}" for name, v in variables.items() if v.ndim == 0]
    arrays = [array_line(name, v.to_numpy(), map(str, v.dims)) for name, v in variables.items() if v.ndim > 0]
    return [*([", ".join(singles)] if singles else []), *arrays]


def evidence_line(fit: fj.Fit) -> str:
    """Return the log evidence with its error."""
    found = fit.log_evidence
    return f"log_evidence={plain(found.value)}, log_evidence_error={plain(found.error)}"


def printed_sections(case: Case, fit: fj.Fit) -> Record:
    """Return the fit as text and as JSON, and its tables."""
    tables = {"summary": fit.summary(), "contrasts": fit.contrasts()}
    if case.wants("silent"):
        found = {name: table_lines(table) for name, table in tables.items()}
        return found | {"diagnostics": list(fit.diagnostics())}
    data, model_part = fit.record(), fit.model.record()
    record = {
        "text": text_lines(str(fit)),
        "JSON": json_lines({key: value for key, value in data.items() if key not in model_part}),
        "JSON of the model": ["as before" if model_part.items() <= data.items() else "another"],
        "summary": table_or_same(tables["summary"], data["summary"], "parameter"),
        "contrasts": table_or_same(
            tables["contrasts"].drop(columns="weights"), data["estimates"], "contrast"
        ),
        "weights in words": [f"{name}: {text}" for name, text in tables["contrasts"]["weights"].items()],
    }
    if any(map(case.wants, ("html", "report", "page"))):
        html = fit._repr_html_()
        record["text with emphasis"] = long_text(fit.__rich__().markup)
        record["HTML"] = [*long_text(html), *(page_text(html) if case.wants("html") else [])]
    if case.prob is not None:
        prob = case.prob
        record |= {
            "tests": table_or_same(fit.test(), data["tests"], "hypothesis"),
            "text, other probability": text_lines(fit.text(prob)),
            "summary, other probability": table_lines(fit.summary(prob)),
            "contrasts, other probability": table_lines(fit.contrasts(prob)),
        }
    return record


def table_or_same(table: pd.DataFrame, rows: list[dict[str, Any]], index: str) -> Lines:
    """Return a table; where its cells are those of the JSON record, its columns only, with a word for that."""
    cells = [
        {index: str(label), **{str(name): _cell(value) for name, value in row.items()}}
        for label, row in table.iterrows()
    ]
    lines = table_lines(table)
    return [lines[0], "cells as in the JSON"] if cells == rows else lines


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return None if isnan(value) else float(value)


def asked_sections(case: Case, fit: fj.Fit) -> Record:
    """Return what is asked of a fit: contrasts, tests, bands, weights, Bayes factors under other priors."""
    record: Record = {}
    for clause in case.contrasts:
        record[f"contrast {clause}"] = table_or_error(fit.contrast, clause)
    if not case.wants("silent"):
        record["bands"] = table_or_error(fit.bands)
    for text in case.tests:
        record[f"test {text}"] = table_or_error(fit.test, text)
        record[f"bands {text}"] = table_or_error(fit.bands, text)
    if case.rope is not None:
        given: dict[str, Any] = {"rope": case.rope, "at_least": case.at_least}
        record["test with a region"] = table_or_error(fit.test, **given)
        record["test with a region, standardized"] = table_or_error(fit.test, rope=0.1, standardized=True)
    if case.wants("sensitivity"):
        record["sensitivity"] = table_or_error(fit.sensitivity, factors=(0.5, 1.0, 4.0))
    return record | _weights(fit)


def table_or_error(ask: Callable[..., pd.DataFrame], *given: Any, **named: Any) -> Lines:
    """Return the table that `ask` returns, or the error that it is answered with."""
    return said(lambda: table_lines(ask(*given, **named)))


def _weights(fit: fj.Fit) -> Record:
    lines: Lines = []
    for name in reach.plan_of(fit.model)["contrasts"]:

        def ask(name: str = name) -> Lines:
            series = fit.weights(name)
            return [f"{name} over {', '.join(map(str, series.index.names))}: {len(series)} weights"]

        lines += said(ask)
    return {"weights": lines} if lines else {}


def report_lines(fit: fj.Fit, with_text: bool) -> Lines:
    """Return the hash of the report page, without versions, dates and its looks; and its text, if it is asked for."""
    with TemporaryDirectory() as folder:
        page = fit.report(Path(folder) / "report.html").read_text(encoding="utf-8")
    page = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    page = re.sub(r"script-src '[^']*'", "script-src", page)
    return [*long_text(normalised(page)), *(page_text(normalised(page)) if with_text else [])]


def normalised(text: str) -> str:
    """Return a text with words for dates and versions."""
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?( UTC)?", "DATE", text)
    for name in PACKAGES:
        try:
            found = re.escape(version(name))
        except PackageNotFoundError:
            continue
        text = re.sub(rf"(\b{name}\b(?:<[^>]*>|\s)*){found}", r"\1VERSION", text)
    return re.sub(rf"(\bpython\b(?:<[^>]*>|\s)*){re.escape(python_version())}", r"\1VERSION", text)


def saved_lines(case: Case, fit: fj.Fit, before: Record) -> Lines:
    """Return which sections of the record are another once the fit is saved and loaded again."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fit.nc"
        fit.save(path)
        again = fj.load(path, language(case.language))
    after = model_sections(case, again.model) | draws_sections(again)
    after |= printed_sections(case, again) | asked_sections(case, again)
    changed = {head: lines for head, lines in after.items() if before.get(head) != lines}
    same = f"the same: {len(after) - len(changed)} sections"
    return [same, *(line for head, lines in changed.items() for line in (f"another: {head}", *lines))]
