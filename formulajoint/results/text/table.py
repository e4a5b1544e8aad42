"""Fits as a table for papers: one column for each model, one row for each coefficient or contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from formulajoint.errors import InferenceError
from formulajoint.results.checks.residuals import r2
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.findings import Findings
from formulajoint.results.joint_tests.bayes_factor.evidence import differing_data
from formulajoint.results.saved.atomic import path_of, write_whole
from formulajoint.results.text import table_formats
from formulajoint.results.text.figures import centre


@dataclass(frozen=True, slots=True, repr=False)
class FitTable:
    """A table of texts, which goes to Markdown, LaTeX, HTML and Word. Printed, it is Markdown.

    Attributes
    ----------
    columns : tuple of str
        Titles; the first is that of the rows' names.
    rows, below : tuples of tuples of str
        Cells of the coefficients, and of the figures of whole models below them.
    notes : tuple of str
    title : str
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    below: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    title: str = ""

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return table_formats.markdown(self.title, self.columns, (*self.rows, *self.below), self.notes)

    def to_latex(self) -> str:
        """Return the table as LaTeX, for the packages booktabs and caption.

        This and `to_html` need great-tables: ``pip install formulajoint[tables]``.
        """
        return table_formats.latex(self.title, self.columns, (*self.rows, *self.below), self.notes)

    def to_html(self) -> str:
        """Return the table as HTML with its style."""
        return table_formats.html(self.title, self.columns, (*self.rows, *self.below), self.notes)

    def save(self, path: str | Path) -> Path:
        """Write the table to a file that ends in ``.md``, ``.tex``, ``.html`` or ``.docx``, and return its path."""
        place = path_of(path)
        cells = (self.title, self.columns, (*self.rows, *self.below), self.notes)
        write_whole(place, table_formats.of_file(place.suffix.lower(), *cells))
        return place

    def __repr__(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return table_formats.plain_html(self.title, self.columns, (*self.rows, *self.below), self.notes)


def fit_table(fits: Mapping[str, Posterior], prob: float, title: str = "") -> FitTable:
    """Return fits side by side.

    Raises
    ------
    InferenceError
        If there are none.
    """
    if not fits:
        raise InferenceError("A table takes one or more fits.")
    found = {name: Findings(posterior, prob) for name, posterior in fits.items()}
    cells: dict[str, dict[str, str]] = {}
    for name, own in found.items():
        for table in (own.contrasts.table, own.shown.table):
            for label, row in table.iterrows():
                middle, _, interval = centre(row)
                cells.setdefault(str(label), {})[name] = f"{middle} {interval}"
    below = {name: _whole(own.posterior) for name, own in found.items()}
    figures = dict.fromkeys(key for own in below.values() for key in own)
    return FitTable(
        columns=("", *fits),
        rows=tuple((label, *(own.get(name, "") for name in fits)) for label, own in cells.items()),
        below=tuple((key, *(below[name].get(key, "") for name in fits)) for key in figures),
        notes=tuple(_notes(found, prob)),
        title=title,
    )


def _whole(posterior: Posterior) -> dict[str, str]:
    """Return figures of a whole model, by name."""
    design = posterior.plan.design
    out = {"rows": f"{design.rows.read:,}"}
    own = design.predictor.grouping
    groupings = [*([] if own is None else [own]), *(pool.grouping for pool in posterior.plan.mean.varying)]
    out |= {f"groups of {grouping.name}": f"{len(grouping):,}" for grouping in groupings}
    out["family"] = posterior.plan.family.name
    has_rows = not design.rows.counted and not posterior.named.left_out
    family = posterior.plan.family
    if has_rows and family.distribution.scipy is not None and not family.mean.by_level:
        out["R2"] = f"{r2(posterior).mean():.2f}"
    evidence = posterior.named.log_evidence
    if evidence is not None and all(prior.proper for _, prior in posterior.plan.priors):
        out["log evidence"] = f"{evidence.value:.2f}"
    return out


def _notes(found: Mapping[str, Findings], prob: float) -> list[str]:
    notes = [f"Posterior means with {prob:.0%} highest-density intervals."]
    notes += [f"{name}: {own.plan.design.formula}" for name, own in found.items()]
    notes += [
        f"{name}: {own.not_shown} further {'coefficient is' if own.not_shown == 1 else 'coefficients are'} not shown."
        for name, own in found.items()
        if own.not_shown
    ]
    first, *others = [own.plan.design for own in found.values()]
    if any(differing_data(first, other) for other in others):
        notes.append("The models are of different data.")
    return notes
