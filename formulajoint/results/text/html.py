"""A model and a fit as HTML, for notebooks: the tables of the printed text, in the notebook's own style."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from formulajoint.compiler.plan import Plan
from formulajoint.results.findings import Findings
from formulajoint.results.text.answers import answers, subject
from formulajoint.results.text.cautions import cautions
from formulajoint.results.text.contrasts import contrast_lines
from formulajoint.results.text.describe import (
    coefficient_rows,
    equation_lines,
    formula_lines,
)
from formulajoint.results.text.printing import (
    Cells,
    coefficient_cells,
    contrast_cells,
    contrasts_not_shown,
    fit_notes,
    sampler_line,
    test_cells,
    understood,
)
from formulajoint.results.text.rows import data_lines
from formulajoint.results.text.sentences import Answer
from formulajoint.results.text.within import within_lines


def explain_html(plan: Plan) -> str:
    """Return the content of ``explain()`` as HTML."""
    return _section(
        _formula(plan),
        _paragraph(data_lines(plan)),
        f"<pre>{escape(chr(10).join(equation_lines(plan)))}</pre>",
        _list(within_lines(plan.design)),
        _table((("coefficient", "what it is", "prior"), coefficient_rows(plan)), "Coefficients and priors"),
        _list(contrast_lines(plan)),
        _notes("note", plan.notes),
    )


def fit_html(found: Findings) -> str:
    """Return the content of ``print(fit)`` as HTML."""
    plan, contrasts, summary = found.plan, found.contrasts.table, found.summary.table
    warned = cautions(found, subject(found))
    return _section(
        _notes("warning", warned),
        _answers(answers(found, found.tests)),
        _formula(plan),
        _paragraph(data_lines(plan)),
        _list(within_lines(plan.design) + understood(plan)),
        "" if contrasts.empty else _table(contrast_cells(found), "Contrasts"),
        _list([*contrasts_not_shown(found), *contrast_lines(plan)]),
        _table(test_cells(plan, found.tests), "Joint tests") if found.tests else "",
        _list([f"{test.label}: {test.note}" for test in found.tests if test.notes]),
        _folded("Coefficients", _table(coefficient_cells(plan, found.summary, found.prob), "Coefficients")),
        _notes("note", [note for note in fit_notes(found) if note not in warned]),
        _paragraph([sampler_line(summary, found.posterior.drawn_by)]),
    )


def _section(*parts: str) -> str:
    return '<section class="formulajoint">' + "\n".join(part for part in parts if part) + "</section>"


def _formula(plan: Plan) -> str:
    return f"<pre><strong>{escape(chr(10).join(formula_lines(plan)))}</strong></pre>"


def _paragraph(lines: Iterable[str]) -> str:
    return f"<p>{'<br>'.join(map(escape, lines))}</p>"


def _answers(found: Iterable[Answer]) -> str:
    return "".join(
        f"<p>{escape(answer.question)} <strong>{escape(answer.line)}.</strong></p>" for answer in found
    )


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


def _notes(label: str, notes: Sequence[str]) -> str:
    return "".join(f"<p><em>{label}:</em> {escape(note)}</p>" for note in notes)


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _table(cells: Cells, caption: str) -> str:
    head, rows = cells
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
