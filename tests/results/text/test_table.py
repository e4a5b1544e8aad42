"""Fits as tables for papers, in each format read back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docx import Document

import formulajoint as fj
from formulajoint.results.text.table import FitTable

ODD = FitTable(
    ("", "a_1 & <b>"),
    (("x|y_{z}", "50 % \\ #1 $2^2$ ~"), ("*s*", "")),
    (("rows", "10"),),
    ("n_1 < 3 {x}",),
    "T & t",
)


@pytest.fixture(scope="module")
def fits() -> dict[str, fj.Fit]:
    data = fj.tutoring()
    own = fj.fit("test_score ~ treatment | school, joint(weights=n)", data, seed=1)
    return {"own": own, "pooled": fj.fit("test_score ~ treatment | school, hierarchy()", data, seed=1)}


def test_fits_stand_side_by_side(fits: dict[str, fj.Fit]) -> None:
    table = fj.table(**fits)
    assert table.columns == ("", "own", "pooled")
    rows = {name: cells for name, *cells in table.rows}
    assert next(iter(rows)) == "joint_treatment"
    assert rows["joint_treatment"][1] == ""  # a contrast of the first alone
    mean = fits["pooled"].summary().loc["treatment[A]", "mean"]
    shown = rows["treatment[A]"][1]
    assert float(shown.split()[0]) == pytest.approx(mean, abs=0.1)
    assert re.fullmatch(r"-?[\d.]+ \(-?[\d.]+, -?[\d.]+\)", shown)
    below = {name: cells for name, *cells in table.below}
    assert below["rows"] == ["10", "10"]
    assert below["groups of school"] == ["2", "2"]
    assert float(below["R2"][0]) == pytest.approx(fits["own"].r2().loc["r2", "mean"], abs=0.006)
    assert float(below["log evidence"][0]) == pytest.approx(fits["own"].log_evidence.value, abs=0.006)
    assert fj.table(*fits.values()).columns == ("", "(1)", "(2)")
    assert fits["own"].table().columns == ("", "estimate")


@pytest.mark.parametrize(("left", "words"), [(1, "coefficient is"), (2, "coefficients are")])
def test_coefficients_that_are_not_shown_are_counted(
    fits: dict[str, fj.Fit], monkeypatch: pytest.MonkeyPatch, left: int, words: str
) -> None:
    monkeypatch.setattr("formulajoint.results.findings.MOST_ROWS", len(fits["own"].summary()) - left)
    assert f"own: {left} further {words} not shown." in fj.table(own=fits["own"]).notes


def test_markdown_escapes_what_it_would_read() -> None:
    lines = ODD.to_markdown().splitlines()
    assert lines[0] == "**T & t**"
    assert lines[2].split(" | ")[1].rstrip(" |") == r"a\_1 & \<b\>"
    assert r"x\|y\_{z}" in lines[4]
    assert len({len(re.sub(r"\\.", "xx", line)) for line in lines[2:7]}) == 1
    assert str(ODD) == ODD.to_markdown()


def test_latex_escapes_what_it_would_read() -> None:
    text = ODD.to_latex()
    assert r"x|y\_\{z\} & 50 \% \textbackslash{} \#1 \$2\textasciicircum{}2\$ \textasciitilde{} \\" in text
    assert r"a\_1 \& \textless{}b\textgreater{} \\" in text
    assert text.count("\\begin") == text.count("\\end") > 0


def test_html_escapes_what_it_would_read(fits: dict[str, fj.Fit]) -> None:
    for text in (ODD.to_html(), ODD._repr_html_()):
        assert "a_1 &amp; &lt;b&gt;" in text
        assert "<b>" not in text
        assert "x|y_{z}" in text


def test_word_has_every_cell(tmp_path: Path) -> None:
    document = Document(str(ODD.save(tmp_path / "table.docx")))
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        list(row) for row in (ODD.columns, *ODD.rows, *ODD.below)
    ]
    assert [paragraph.text for paragraph in document.paragraphs] == ["T & t", "n_1 < 3 {x}"]


def test_files_are_named_by_their_end(tmp_path: Path) -> None:
    assert ODD.save(tmp_path / "t.md").read_text(encoding="utf-8") == ODD.to_markdown() + "\n"
    assert (tmp_path / "t.tex").exists() is False
    assert "tabular" in ODD.save(tmp_path / "t.tex").read_text(encoding="utf-8")
    assert "<table" in ODD.save(tmp_path / "t.HTML").read_text(encoding="utf-8")
    with pytest.raises(fj.InferenceError, match=r"ends in \.md, \.tex, \.html, \.docx, not in \.pdf"):
        ODD.save(tmp_path / "t.pdf")


def test_what_is_no_fit_is_refused(fits: dict[str, fj.Fit]) -> None:
    with pytest.raises(fj.InferenceError, match="A table is of fits"):
        fj.table(fits)  # type: ignore[arg-type]
    with pytest.raises(fj.InferenceError, match="one or more fits"):
        fj.table()


def test_fits_of_other_data_are_said_to_be(fits: dict[str, fj.Fit]) -> None:
    other = fj.fit("test_score ~ treatment | school", fj.tutoring().iloc[:8], seed=1)
    assert fj.table(fits["own"], other).notes[-1] == "The models are of different data."
    assert "different" not in fj.table(**fits).notes[-1]
