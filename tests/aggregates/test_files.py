"""Large files: what an engine finds in them is what is found in memory, or they are read into memory."""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import formulajoint as fj
from formulajoint.aggregates.scan import scanned
from formulajoint.aggregates.text_columns import typed
from formulajoint.cli import app
from formulajoint.errors import RowsNeededError
from formulajoint.files import files as kinds_of_files
from formulajoint.files.files import files_at
from formulajoint.files.read import read_file


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds_of_files, "LARGE", 0)


@pytest.fixture(params=["duckdb", "polars"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "polars":
        monkeypatch.setitem(sys.modules, "duckdb", None)
    return str(request.param)


def where_they_are(
    path: str, missing: tuple[str, ...] = ()
) -> tuple[dict[str, list[Any]], Mapping[str, Any]]:
    """Return the columns of files as an engine has them, and the notes."""
    found = scanned(files_at(path, missing))
    frame, notes = typed(nw.from_native(found.frame), found.frame.collect_schema().names(), found.text)
    table = frame.collect()
    return {name: table.get_column(name).to_list() for name in table.columns}, {**found.notes, **notes}


def in_memory(path: str, missing: tuple[str, ...] = ()) -> tuple[dict[str, list[Any]], Mapping[str, Any]]:
    frame = read_file(path, missing)
    columns = {name: frame.column(name) for name in frame.names}
    values = {
        name: [
            None if gone else value for value, gone in zip(c.values.tolist(), c.missing.tolist(), strict=True)
        ]
        for name, c in columns.items()
    }
    return values, frame.notes


ALIKE = {
    "words for missing values": "g,x,b\na,1,True\nNA,NA,\n  ,,FALSE\nnull,n/a,NaN\n NA ,-2,true\n",
    "words among text": "g,x\nNA,1\nnan,2\nNA,3\nb,4\n<NA>,x\n",
    "numbers": "a,b,c,d\n1,+1,1e3,.5\n2,-007,1.E-3,5.\n3, 4 ,00.5,\t6\n",
    "whole numbers beyond float": "id,x\n123456789012345678,1\n123456789012345677,2\n",
    "labels that look like numbers": "code,x\n007,1\n7,2\n0,3\n",
    "numbers and text": "a,b\n1,x\n2,1\nx,\n",
    "numbers that only some programs read": "a,b,c,d\n1_000,0x10,1d5,1 000\n2,3,4,5\n",
    "doubtful numbers among text": "a,b\ninf,1\nx,2\n99999999999999999999,3\n",
    "booleans": "a,b,c\nTrue,TRUE,true\nFALSE,1,false\n,TRUE,x\n",
    "quotes": 'g,x,"the y"\n"a, b","1",2\n"say:""hi""",2,"3"\n"two\nlines",3,4\n"",4,"NA2"\n',
    "marks of other programs": "#g,x\n# comment,1\n'a,2\n\\b,3\n",
    "blanks": "g , x\n a,1\nb , 2\n a ,3\n",
    "columns without names": ",x,\n1,2,\n2,5,\n",
    "not ASCII": "gr\u00f6\u00dfe,x\n\u00e4,1\n\u4e00,2\n\U0001f600,NA\n",
    "composed names": "gro\u0308\u00dfe,x\n1,1\n",
    "line ends of Windows": "g,x\r\na,1\r\nb,NA\r\n",
    "no last line end": "g,x\na,1\nb,2",
    "semicolons": "g;x\na, b;1\nc;2\n",
    "tabs": 'g\tx\n"a"\t1\nc\t\n',
    "nothing in a column": "g,x,y\n,NA,1\n,,2\n",
    "one row": "x,y\n1,2\n",
}


@pytest.mark.parametrize("case", ALIKE)
def test_an_engine_finds_what_is_found_in_memory(case: str, engine: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(ALIKE[case], newline="", encoding="utf-8")
    (found, told), (expected, notes) = where_they_are(str(path)), in_memory(str(path))
    assert found == expected
    assert {name: [type(v) for v in c if v is not None] for name, c in found.items()} == {
        name: [type(v) for v in c if v is not None] for name, c in expected.items()
    }
    assert {k: v for k, v in told.items() if v} == {k: v for k, v in notes.items() if v}


@pytest.mark.parametrize("missing", [(".", "-99", "-"), ("a",), ("True", "3")])
def test_further_words_for_missing_values(missing: tuple[str, ...], engine: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,g,n,b\n1.5,-,-99,True\n.,a,3,True\n-99.0,b,99,False\n3.0,NA,-99,NA\n")
    (found, told), (expected, notes) = (read(str(path), missing) for read in (where_they_are, in_memory))
    assert found == expected
    assert {k: v for k, v in told.items() if v} == {k: v for k, v in notes.items() if v}


OTHERWISE = {
    "words in quotes": ('g,x\n"NA",1\nb,2\n', "words for missing values in quotes"),
    "blanks before quotes": ('g,x\n "a",1\nb,2\n', "blanks beside quotes"),
    "blanks behind quotes": ('g,x\n"a" ,1\nb,2\n', "blanks beside quotes"),
    "blank lines": ("g,x\na,1\n\nb,2\n", "blank lines"),
    "a blank line at the end": ("g,x\na,1\nb,2\n  ", "blank lines"),
    "a blank line at the beginning": ("\ng,x\na,1\nb,2\n", "blank lines"),
    "old line ends": ("g,x\ra,1\rb,2\r", "line ends of old Macs"),
    "decimal commas": ("g;x\na;1,5\nb;2\n", "commas before digits"),
    "rare blanks": ("g,x\na\u00a0,1\nb,\u20032\n", "rare characters"),
    "a mark of the encoding": ("\ufeffg,x\na,1\nb,2\n", "rare characters"),
    "infinite numbers": ("g,x\na,1\nb,inf\n", "numbers such as inf"),
    "long numbers": ("g,x\n99999999999999999999,1\n1,2\n", "numbers such as inf"),
    "names alike but for capitals": ("x,X\n1,2\n3,4\n", "capital letters only"),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_files_that_engines_read_otherwise_are_not_scanned(case: str, engine: str, tmp_path: Path) -> None:
    text, reason = OTHERWISE[case]
    path = tmp_path / "data.csv"
    path.write_text(text, newline="", encoding="utf-8")
    with pytest.raises(RowsNeededError, match=reason):
        where_they_are(str(path))
    path.write_bytes(text.encode("utf-16"))
    with pytest.raises(RowsNeededError, match=r"UTF-8|rare characters"):
        where_they_are(str(path))


# --- the command line


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng, n = np.random.default_rng(3), 400
    g, t = rng.integers(0, 6, n), rng.integers(0, 2, n)
    y = 50 + rng.normal(0, 2, 6)[g] + 3 * t + rng.normal(0, 1, n)
    frame = pd.DataFrame({"y": y, "t": t, "x": rng.normal(0, 1, n), "g": [f"g{i}" for i in g]})
    return frame.assign(x=frame.x.where(frame.index % 40 != 3), g=frame.g.where(frame.index % 50 != 7))


FORMULA = "y ~ t + x | g, hierarchy(), joint(t, weights=n)"
FEW = ("--seed", "1", "--draws", "50")


def run(*arguments: str) -> Any:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.exception
    return done


def write(data: pd.DataFrame, folder: Path, kind: str) -> str:
    """Write parts of the data and one without rows; return their pattern."""
    for name, part in (("a", data[:150]), ("b", data[150:]), ("c", data[:0])):
        if kind == "parquet":
            part.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            part.to_csv(folder / f"{name}.{kind}", index=False, sep="\t" if kind == "tsv" else ",")
    return str(folder / f"*.{kind}")


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "tsv"])
def test_patterns_of_files_are_aggregated_with_the_same_answer(
    kind: str, data: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pattern = write(data, tmp_path, kind)
    assert fj.moments(FORMULA, pattern) == fj.moments(FORMULA, data)
    where = run("fit", FORMULA, pattern, *FEW)
    assert "is aggregated where it is: the fit has sums, and not the rows" in where.stderr
    monkeypatch.setattr(kinds_of_files, "LARGE", 10**9)
    loaded = run("fit", FORMULA, pattern, *FEW)
    assert loaded.stderr == ""
    one, other = (re.sub(r" \d\.\d{3}\n", "\n", done.stdout) for done in (where, loaded))
    assert one == other  # but for r_hat, which ranks draws that may be equal
    assert fj.moments(FORMULA, pattern).exact


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("y ~ bs(x, df=4) | g", "cannot be computed where the data are"),
        ("y ~ t | g, family(student)", "the response is student, whose likelihood needs every row"),
    ],
)
def test_models_that_need_rows_read_them(
    formula: str, reason: str, data: pd.DataFrame, tmp_path: Path
) -> None:
    pattern = write(data, tmp_path, "csv")
    done = run("explain", formula, pattern)
    assert "is read into memory. " in done.stderr
    assert reason.lower() in done.stderr.lower()
    assert done.stdout == f"{fj.model(formula, data)}\n"
    with pytest.raises(fj.DataError, match=reason[4:]):
        fj.model(formula, pattern)


def test_notes_on_columns_are_told(data: pd.DataFrame, tmp_path: Path) -> None:
    data.to_csv(tmp_path / "data.csv", index=False, na_rep="NA")
    said = run("explain", FORMULA, str(tmp_path / "data.csv")).stdout
    assert "note: g is NA in 8 rows, taken for missing." in said
    moments = fj.moments(FORMULA, tmp_path / "data.csv")
    moments.save(tmp_path / "moments.parquet")
    for source in (moments, fj.Moments.load(tmp_path / "moments.parquet"), moments + moments):
        assert "g is NA in 8 rows" in fj.model(FORMULA, source).explain()


def test_files_that_do_not_belong_together_are_refused(data: pd.DataFrame, tmp_path: Path) -> None:
    pattern = write(data, tmp_path, "csv")
    data[["t", "y", "x", "g"]].to_csv(tmp_path / "d.csv", index=False)
    for large in (0, 10**9):
        kinds_of_files.LARGE = large
        with pytest.raises(fj.DataError, match="need the same columns in the same order"):
            fj.moments(FORMULA, pattern)
    (tmp_path / "d.csv").write_text("")
    for large in (0, 10**9):
        kinds_of_files.LARGE = large
        assert fj.moments(FORMULA, pattern) == fj.moments(FORMULA, data)
    (tmp_path / "e.csv").write_bytes(gzip.compress(b"y"))
    with pytest.raises(fj.DataError, match="There is no file"):
        fj.fit("y ~ t", str(tmp_path / "*.none.csv"))


def test_text_in_place_of_data_is_a_path(data: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("{}")
    for path, said in {"data.json": "is neither .csv", "none": "There is no file", "": "is a folder"}.items():
        with pytest.raises(fj.DataError, match=said):
            fj.model(FORMULA, f"{tmp_path}/{path}")
