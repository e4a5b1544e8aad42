"""A file that is whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import formulajoint as fj
from formulajoint.results.saved.atomic import path_of, write_whole


def test_parts_are_written_one_after_another(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"one ", b"two")
    assert (tmp_path / "file").read_bytes() == b"one two"
    assert os.listdir(tmp_path) == ["file"]


def test_half_a_file_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(fj.StoreError, match="cannot be written: No space left on device"):
        write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_name_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(fj.StoreError, match="cannot be written"):
        write_whole(tmp_path / ("x" * 300), b"")


def test_mode_and_link_are_kept(tmp_path: Path) -> None:
    kept, link = tmp_path / "kept.nc", tmp_path / "link.nc"
    write_whole(kept, b"one")
    kept.chmod(0o600)
    link.symlink_to("kept.nc")
    write_whole(link, b"two")
    assert link.is_symlink()
    assert kept.read_bytes() == b"two"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.nc", "link.nc"]


def test_zero_character() -> None:
    with pytest.raises(fj.StoreError, match="cannot hold a zero character"):
        path_of("a\0b.nc")
