"""Models and fits in notebooks: well-formed HTML with the cells of the printed tables, and nothing a label could smuggle in."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.results.draws.posterior import Posterior

type MadeUp = Callable[..., Posterior]

VOID = {"br"}


class Reader(HTMLParser):
    """Reads tags, which must match, and the texts of the cells of each table by its caption."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.tables: dict[str, list[list[str]]] = {}
        self.caption = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.tables[self.caption].append([])
        if tag in ("td", "th"):
            self.tables[self.caption][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "caption":
            self.caption = data
            self.tables[data] = []
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[self.caption][-1][-1] += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    assert not reader.seen & {"script", "link", "img", "b"}
    return reader


@pytest.fixture
def fit(made_up: MadeUp, tutoring: pd.DataFrame) -> fj.Fit:
    posterior = made_up("test_score ~ treatment | school, joint(weights=n)", tutoring)
    return fj.Fit(fj.JointModel(posterior.plan), posterior)


def test_a_fit_has_the_cells_of_its_text(fit: fj.Fit) -> None:
    reader, text = read(fit._repr_html_()), str(fit)
    assert list(reader.tables) == ["Contrasts", "Joint tests", "Coefficients"]
    for rows in reader.tables.values():
        for row in rows:
            assert any(all(cell in line for cell in row) for line in text.splitlines())
    assert [row[0] for row in reader.tables["Coefficients"][1:]] == list(fit.summary().index)


def test_a_model_has_the_cells_of_its_explanation(tutoring: pd.DataFrame) -> None:
    model = fj.model("test_score ~ treatment | school, joint(weights=n)", tutoring)
    reader = read(model._repr_html_())
    assert model.explain("html") == model._repr_html_()
    for row in reader.tables["Coefficients and priors"]:
        assert any(all(cell in line for cell in row) for line in model.explain().splitlines())


def test_labels_are_text_and_not_code(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    bad = tutoring.assign(school=np.where(tutoring["school"] == "A", "<script>alert(1)</script>", "<b>&"))
    posterior = made_up("test_score ~ treatment | school, joint()", bad)
    fit = fj.Fit(fj.JointModel(posterior.plan), posterior)
    reader = read(fit._repr_html_())
    assert "treatment[<script>alert(1)</script>]" in [row[0] for row in reader.tables["Coefficients"]]
    read(fit.model._repr_html_())


def test_without_groups_there_are_coefficients_alone(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up("test_score ~ treatment", tutoring)
    fit = fj.Fit(fj.JointModel(posterior.plan), posterior)
    assert list(read(fit._repr_html_()).tables) == ["Coefficients"]
