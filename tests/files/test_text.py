"""Tables in files of every make: what their cells hold, and what is noted or refused."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.design.frame import Frame
from formulajoint.files.read import read_file


def table(
    tmp_path: Path, content: str | bytes, name: str = "data.csv", missing: tuple[str, ...] = ()
) -> Frame:
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / name).write_bytes(data)
    return read_file(tmp_path / name, missing)


def cells(frame: Frame, name: str) -> list[Any]:
    """Return the values of a column, None where one is missing."""
    column = frame.column(name)
    pairs = zip(column.values.tolist(), column.missing.tolist(), strict=True)
    return [None if missing else value for value, missing in pairs]


# --- words for missing values


@pytest.mark.parametrize("word", ["None", "NA", "null", "N/A", "nan", "NULL"])
def test_word_in_quotes_is_text(tmp_path: Path, word: str) -> None:
    quoted = table(tmp_path, f'arm,y\n"{word}",1\nlow,2\n"{word}",3\n')
    assert cells(quoted, "arm") == [word, "low", word]
    assert not quoted.notes.get("arm")
    bare = table(tmp_path, f"arm,y\n{word},1\nlow,2\n{word},3\n")
    assert cells(bare, "arm") == [None, "low", None]
    assert bare.notes["arm"][0].startswith(f"arm is {word} in 2 rows, taken for missing.")
    model = fj.model("y ~ 1 | arm", table(tmp_path, f"arm,y\n{word},1\nlow,2\nlow,3\nhigh,4\nhigh,2\n"))
    assert f"note: arm is {word} in 1 row, taken for missing." in model.explain()


def test_word_beside_other_marks(tmp_path: Path) -> None:
    frame = table(tmp_path, 'a,b\r\n"x, ""NA"", z","NA"\r\n"NA",NA\r\n,"q"\r\n')
    assert cells(frame, "a") == ['x, "NA", z', "NA", None]
    assert cells(frame, "b") == ["NA", None, "q"]


def test_words_of_numbers_are_missing_without_a_note(tmp_path: Path) -> None:
    frame = table(tmp_path, 'x,y,z\n1,NA,"1"\nNA,2.5,"NA"\n3,,"3"\n')
    assert [cells(frame, name) for name in "xyz"] == [[1, None, 3], [None, 2.5, None], [1, None, 3]]
    assert not any(frame.notes.values())


def test_further_words(tmp_path: Path) -> None:
    text = "x,g,n\n1.5,-,-99\n.,a,3\n-99.0,b,99\n"
    frame = table(tmp_path, text, missing=(".", "-99", "-"))
    assert [cells(frame, name) for name in "xgn"] == [[1.5, None, None], [None, "a", "b"], [None, 3, 99]]
    assert not any(frame.notes.values())


# --- few cells that are no numbers


def test_a_stray_cell_is_named_with_its_line_and_its_file(tmp_path: Path) -> None:
    rows = [f"{'ab'[i % 2]},{i % 7}.5,{i % 5}" for i in range(120)]
    (tmp_path / "1.csv").write_text("\n".join(["g,score,age", *rows]))
    rows[100], rows[7] = "a,.,3", '"a",1.5,"1"'
    (tmp_path / "2.csv").write_text("\n".join(["g,score,age", *rows[:50], "", *rows[50:]]))
    both = read_file(tmp_path / "*.csv")
    with pytest.raises(fj.DataError) as error:
        fj.model("score ~ age | g", both)
    assert f"Its cells are numbers, but for `.` in 1 of 240 rows, in line 103 of {tmp_path}/2.csv." in str(
        error.value
    )
    assert "`--missing .` on the command line" in str(error.value)
    (note,) = fj.model("age ~ score", both).plan.notes[:1]
    assert note.startswith(
        "score is text, so it is a factor of 8 levels. Its cells are numbers, but for `.` in 1"
    )
    with pytest.raises(fj.FormulaError, match=r"(?s)arithmetic needs numbers.*in 1 of 240 rows, in line 103"):
        fj.model("age ~ log(score)", both)
    assert cells(read_file(tmp_path / "*.csv", missing=(".",)), "score").count(None) == 1


def test_words_that_are_levels_are_no_strays(tmp_path: Path) -> None:
    labels = [str(i) for i in range(20)]
    many = table(tmp_path, "\n".join(["x,y", *(f"{label},1" for label in [*labels, "a", "b"])]))
    padded = table(tmp_path, "\n".join(["x,y", *(f"00{label},1" for label in labels), "a,1"]))
    words = table(tmp_path, "\n".join(["x,y", *(f"{label},1" for label in "abcdefghijklmnopqrst"), "1,1"]))
    assert [dict(frame.strays) for frame in (many, padded, words)] == [{}, {}, {}]
    two = table(tmp_path, "\n".join(["x,y", *(f"{i},1" for i in range(38)), "-,1", ".,1"]))
    assert two.strays["x"].startswith(
        "Its cells are numbers, but for `-` in 1 and `.` in 1 of 40 rows, first in line 40"
    )


# --- kinds of cells


def test_kinds(tmp_path: Path) -> None:
    frame = table(tmp_path, "i,f,b,t,code,big\n1,1e3,True,a,007,99999999999999999999\n2,.5,FALSE,b,7,1\n")
    kinds = {name: frame.column(name).kind for name in frame.names}
    assert kinds == {
        **dict.fromkeys(["i", "f", "big"], "numeric"),
        "b": "boolean",
        "t": "categorical",
        "code": "categorical",
    }
    assert cells(frame, "code") == ["007", "7"]
    assert cells(frame, "f") == [1000.0, 0.5]
    assert cells(frame, "b") == [True, False]


def test_same_as_pandas(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame(
        {"x": rng.normal(size=50), "n": rng.integers(9, size=50), "g": rng.choice(list("abc"), 50)}
    )
    data.loc[::7, "x"] = np.nan
    data.loc[::11, "g"] = None
    data.to_csv(tmp_path / "data.csv", index=False)
    frame = read_file(tmp_path / "data.csv")
    for name in data:
        found = np.array(cells(frame, str(name)), dtype=object)
        assert [None if pd.isna(value) else value for value in data[name]] == found.tolist()


# --- separators, commas, encodings


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_separators(tmp_path: Path, mark: str, word: str) -> None:
    text = 'g;"x, cm";y\na;1,5;1.000,25\nb;-2;3\n"c;d";0,5;2.000\n'.replace(";", mark)
    frame = table(tmp_path, text)
    assert frame.names == ("g", "x, cm", "y")
    assert cells(frame, "g") == ["a", "b", f"c{mark}d"]
    assert cells(frame, "x, cm") == [1.5, -2.0, 0.5]
    assert cells(frame, "y") == [1000.25, 3.0, 2000.0]
    assert frame.notes["y"] == ("y has decimal commas: 1.000,25 is read as 1000.25.",)
    assert f"has {word} between its values" in frame.notes[""][0]


def test_points_beside_decimal_commas(tmp_path: Path) -> None:
    frame = table(tmp_path, "x;y;z\n1,5;1.234;1.5\n2;2.500;2\n3;3.000;1.234\n")
    assert cells(frame, "y") == [1234, 2500, 3000]
    assert frame.notes["y"] == ("y has decimal commas: 1.234 is read as 1234.",)
    assert cells(frame, "z") == [1.5, 2, 1.234]
    assert cells(table(tmp_path, "x;y\n1.5;1.234\n2;2.5\n"), "y") == [1.234, 2.5]


def test_decimal_commas_between_commas_stay_text(tmp_path: Path) -> None:
    assert cells(table(tmp_path, 'x,y\n"1,5",1\n"1,234",2\n'), "x") == ["1,5", "1,234"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    frame = table(tmp_path, "gr\u00f6\u00dfe,x\n1,\u00fc\n".encode(encoding))
    assert frame.names == ("gr\u00f6\u00dfe", "x")
    assert cells(frame, "x") == ["\u00fc"]
    assert bool(frame.notes[""]) == (encoding == "cp1252")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", " ; ", "\t"])
def test_line_ends_and_blanks_about_names(tmp_path: Path, end: str, mark: str) -> None:
    frame = table(tmp_path, end.join([mark.join(row) for row in ("gx", "a1", "b2")]) + end)
    assert list(frame.names) == ["g", "x"]
    assert cells(frame, "x") == [1, 2]


def test_a_row_that_is_too_long_is_named_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(fj.DataError, match=r"data\.csv cannot be read: Expected 2 fields in line 3, saw 3"):
        table(tmp_path, "x,y\n1,2\n1,2,3\n")


@pytest.mark.parametrize("name", ["data.csv.gz", "data.tsv", "data.txt", "data.CSV"])
def test_names_of_files(tmp_path: Path, name: str) -> None:
    text = b"x\ty\n1\t2\n"
    assert cells(table(tmp_path, gzip.compress(text) if name.endswith("gz") else text, name), "y") == [2]


@pytest.mark.parametrize("content", [b"x,y\n1,2\n", gzip.compress(b"x,y\n1,2\n", mtime=0)])
def test_standard_input(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert cells(read_file(Path("-")), "y") == [2]


REFUSED = {
    "x,x,y\n1,2,3\n": "More than one column is named `x`",
    'x,"x",y,y\n1,2,3,4\n': "More than one column is named `x`, `y`",
    "x,y\n1,2,3\n4,5,6\n": "has rows with more values than its header has names",
    "x,y\n1,\0\n": "is not a text file",
    "": "is empty",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(fj.DataError, match=REFUSED[text]):
        table(tmp_path, text)


def test_neither_of_two_encodings(tmp_path: Path) -> None:
    with pytest.raises(fj.DataError, match="is neither UTF-8 nor Windows-1252 text"):
        table(tmp_path, b"x\n\x81\n")


def test_broken_gzip(tmp_path: Path) -> None:
    with pytest.raises(fj.DataError, match="cannot be read"):
        table(tmp_path, gzip.compress(b"x,y\n1,2\n" * 99)[:20], "data.csv.gz")
