"""Where a report is written, and errors in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import formulajoint as fj
from formulajoint.report.write import place


def test_a_report_is_written_where_it_was_said(
    tutoring: fj.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tutoring.report("report.html") == tmp_path / "report.html"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_file_that_is_there_is_replaced_and_a_link_kept(tutoring: fj.Fit, tmp_path: Path) -> None:
    (tmp_path / "old.html").write_text("old")
    (tmp_path / "link.html").symlink_to("old.html")
    tutoring.report(tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "old.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_folder_is_no_file(tutoring: fj.Fit, tmp_path: Path) -> None:
    with pytest.raises(fj.StoreError, match=r"is a folder: name a file in it, such as .*report\.html"):
        tutoring.report(tmp_path)


def test_a_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(fj.StoreError, match=r"cannot be written: there is no folder .*nowhere"):
        place(tmp_path / "nowhere" / "report.html")


def test_a_name_too_long_is_told(tutoring: fj.Fit, tmp_path: Path) -> None:
    with pytest.raises(fj.StoreError, match="cannot be written"):
        tutoring.report(tmp_path / ("x" * 300 + ".html"))


def test_the_same_fit_gives_the_same_file(tutoring: fj.Fit, tmp_path: Path) -> None:
    one, two = (tutoring.report(tmp_path / f"{name}.html").read_bytes() for name in ("one", "two"))
    assert one == two


def test_an_interval_of_another_probability_is_named(tutoring: fj.Fit, tmp_path: Path) -> None:
    text = tutoring.report(tmp_path / "report.html", prob=0.8).read_text(encoding="utf-8")
    assert "80% HDI" in text
    assert "95% HDI" not in text
    assert "80% simultaneous band" in text
