"""Sheets of spreadsheets: what their cells are, which sheet is read, and what is refused."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import formulajoint as fj
from formulajoint.errors import DataError
from formulajoint.files.read import read_file

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def cell(value: Any, place: str) -> str:
    match value:
        case None:
            return ""
        case bool():
            return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
        case str() if value.startswith("#"):
            return f'<c r="{place}" t="e"><v>{value}</v></c>'
        case str():
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def sheet(rows: list[list[Any]]) -> str:
    lines = (
        f'<row r="{r}">' + "".join(cell(v, f"{chr(65 + c)}{r}") for c, v in enumerate(row)) + "</row>"
        for r, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    """Return a file of Excel's as its standard says, in the fewest parts."""
    names = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="r{i}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>',
        **{f"xl/worksheets/sheet{i}.xml": sheet(rows) for i, rows in enumerate(sheets.values(), 1)},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return out.getvalue()


TABLE = [
    ["y", "x", None, "g", "late", 2024],
    [1.5, 2, None, "A", True, 1],
    [None, 3, None, "NA", False, 2],
    ["#N/A", -99, None, "B ", True, 3],
    [4, 5, None, "null", None, "#DIV/0!"],
]


def written(folder: Path, sheets: dict[str, list[list[Any]]], name: str = "data.xlsx") -> Path:
    (folder / name).write_bytes(workbook(sheets))
    return folder / name


def test_cells_by_their_kind(tmp_path: Path) -> None:
    frame = read_file(written(tmp_path, {"scores": TABLE}), missing=("-99",))
    assert frame.names == ("y", "x", "g", "late", "2024")
    assert [frame.column(name).kind for name in frame.names] == [
        "numeric",
        "numeric",
        "categorical",
        "boolean",
        "numeric",
    ]
    assert frame.column("y").missing.tolist() == [False, True, True, False]
    assert frame.column("y").values[[0, 3]] == pytest.approx([1.5, 4])
    assert frame.column("x").missing.tolist() == [False, False, True, False]
    assert frame.column("late").missing.tolist() == [False, False, False, True]
    assert frame.column("2024").missing.tolist() == [False, False, False, True]
    assert frame.column("g").values[~frame.column("g").missing].tolist() == ["A", "B "]
    assert frame.notes["g"] == (
        "g is NA in 1 row and null in 1 row, taken for missing. If a word is a level, write it otherwise in the sheet.",
    )
    assert frame.notes[""] == ()


def test_the_first_sheet_that_is_not_empty_or_the_one_that_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, {"notes": [], "one": [["y"], [1]], "two": [["y"], [2]]})
    first = read_file(path)
    assert first.column("y").values.tolist() == [1]
    (note,) = first.notes[""]
    assert note.endswith(
        "has the sheets `one`, `two`. `one` is read; --sheet of the command line chooses another."
    )
    second = read_file(path, sheet="two")
    assert second.column("y").values.tolist() == [2]
    assert second.notes[""] == ()


def test_empty_rows_around_a_table_do_no_harm(tmp_path: Path) -> None:
    frame = read_file(
        written(tmp_path, {"a": [[], [], ["y", "g"], [1, "A"], [None, None], [2, "B"], [None]]})
    )
    assert frame.rows == 3
    assert frame.column("y").missing.tolist() == [False, True, False]
    assert np.array_equal(frame.column("y").values[[0, 2]], [1, 2])


def columns(path: Path, asked: str | None) -> list[Any]:
    frame = read_file(path, sheet=asked)
    return [frame.column(name) for name in frame.names]


@pytest.mark.parametrize(
    ("sheets", "asked", "said"),
    [
        ({"a": []}, None, "data.xlsx is empty."),
        ({"a": [], "b": [["y"], [1]]}, "a", "Sheet `a` of"),
        ({"scores": [["y"], [1]]}, "score", "has no sheet `score`: did you mean `scores`?"),
        ({"a": [["y"], [1]]}, "zzz", "has no sheet `zzz`: there are `a`."),
        ({"a": [["Scores of 2024"], ["y", "x"], [1, 2]]}, None, "has values in 1 column without a name"),
        ({"a": [["y", "x", "x"], [1, 2, 3]]}, None, "`x`"),
        (
            {"a": [["y", "x"], [1, "high"], [2, 3]]},
            None,
            "Column `x` is a mixture: text in 1 and number in 1 rows",
        ),
    ],
)
def test_refused(tmp_path: Path, sheets: dict[str, list[list[Any]]], asked: str | None, said: str) -> None:
    path = written(tmp_path, sheets)
    with pytest.raises(DataError) as error:
        columns(path, asked)
    assert said in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04junk", b"y,x\n1,2\n"])
@pytest.mark.parametrize("name", ["data.xlsx", "DATA.XLS", "data.ods"])
def test_what_is_no_spreadsheet_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} cannot be read: "):
        read_file(tmp_path / name)


def test_a_path_of_a_spreadsheet_is_data(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["y", "x"], [1.5, 0], [2, 1], [4, 1], [3, 0]]
    path = written(tmp_path, {"scores": rows})
    as_frame = dict(zip(rows[0], np.transpose(rows[1:]), strict=True))
    assert fj.model("y ~ x", path).explain() == fj.model("y ~ x", as_frame).explain()


def test_the_extra_is_named_where_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(DataError, match=r"needs the extra `excel`: pip install 'formulajoint\[excel\]'"):
        read_file(written(tmp_path, {"a": TABLE}))


def test_other_files_have_no_sheets(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("y,x\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"data\.csv has no sheets: leave out --sheet"):
        read_file(tmp_path / "data.csv", sheet="one")
