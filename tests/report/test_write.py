"""A file that is whole or not there, and errors in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import formulajoint as fj
from formulajoint.report.write import place, write


def test_a_file_is_written_where_it_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write("report.html", "é\n") == tmp_path / "report.html"
    assert (tmp_path / "report.html").read_bytes() == "é\n".encode()
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_file_that_is_there_is_replaced_and_a_link_kept(tmp_path: Path) -> None:
    (tmp_path / "old.html").write_text("old")
    (tmp_path / "link.html").symlink_to("old.html")
    write(tmp_path / "link.html", "new")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "old.html").read_text() == "new"


def test_half_a_file_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.html").write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(fj.StoreError, match="cannot be written: No space left on device"):
        write(tmp_path / "report.html", "new")
    assert (tmp_path / "report.html").read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(fj.StoreError, match=r"is a folder: name a file in it, such as .*report\.html"):
        place(tmp_path)


def test_a_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(fj.StoreError, match=r"There is no folder .*nowhere to write report\.html into"):
        place(tmp_path / "nowhere" / "report.html")


def test_a_name_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(fj.StoreError, match="cannot be written"):
        write(tmp_path / ("x" * 300), "")


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "report.html", "a \ud800 label")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "a \\ud800 label"


def test_a_fit_returns_the_place(tutoring: fj.Fit, tmp_path: Path) -> None:
    assert tutoring.report(str(tmp_path / "a.html")) == tmp_path / "a.html"
    with pytest.raises(fj.StoreError, match="is a folder"):
        tutoring.report(tmp_path)


def test_the_same_fit_gives_the_same_file(tutoring: fj.Fit, tmp_path: Path) -> None:
    one, two = (tutoring.report(tmp_path / f"{name}.html").read_bytes() for name in ("one", "two"))
    assert one == two
