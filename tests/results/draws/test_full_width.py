"""Tables print every column that has a figure and the whole of every text, in the width of the terminal."""

from __future__ import annotations

import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.results.draws.full_width import Table
from formulajoint.results.joint_tests.table import JointTable


@pytest.fixture(scope="module")
def fit() -> fj.Fit:
    return fj.fit(
        "test_score ~ treatment | school, joint(weights=n), pairwise(treatment)", fj.tutoring(), seed=1
    )


def shown(table: pd.DataFrame) -> list[str]:
    """Return the columns that are printed: of joint tests those with figures that are no Monte Carlo errors."""
    if not isinstance(table, JointTable):
        return list(table)
    empty = (table.isna() | (table == "")).all()
    return [column for column in table if not empty[column] and not column.endswith("_mcse")]


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", ["", "80", "120"])
def test_no_column_and_no_word_of_a_note_is_left_out(
    fit: fj.Fit, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if width:
        monkeypatch.setenv("COLUMNS", width)
    for table in (
        fit.test(),
        fit.summary(),
        fit.contrasts(),
        fit.bands(),
        fit.sensitivity(),
        fit.contrast("rms(treatment)"),
    ):
        text = str(table)
        assert "..." not in text
        assert all(str(column) in text for column in shown(table) if column != "note")
        for note in table.get("note", []):
            assert words(note) in words(text)
        if width:
            assert max(map(len, text.splitlines())) <= int(width)


def test_outside_a_terminal_a_row_is_one_line(fit: fj.Fit) -> None:
    assert "\\\n" not in repr(fit.test())
    assert len(repr(fit.summary()).splitlines()) == 2 + len(fit.summary())


def test_html_has_every_column_and_note(fit: fj.Fit) -> None:
    html = fit.test()._repr_html_()
    assert "..." not in html
    assert all(f"<th>{column}</th>" in html for column in shown(fit.test()))


def test_what_is_made_of_a_table_is_one_too(fit: fj.Fit) -> None:
    table = fit.summary()
    assert all(
        isinstance(each, Table)
        for each in (table, table.T, table[["mean"]], table.round(2), pd.concat([table, table]))
    )
    assert pd.DataFrame(table).equals(table)


def test_pandas_options_of_the_user_stay(fit: fj.Fit) -> None:
    with pd.option_context("display.max_columns", 3, "display.max_colwidth", 10):
        assert "..." not in repr(fit.test())
        assert pd.get_option("display.max_columns") == 3


def test_tables_of_draws_from_elsewhere_are_printed_in_full_too() -> None:
    table = fj.joint_test({"b": [[[1.0, 2.0], [1.5, 2.5], [0.5, 3.0], [0.4, 2.2], [1.1, 2.6]]] * 2})
    assert isinstance(table, Table)


def test_a_transposed_table_keeps_its_figures_in_rows(fit: fj.Fit) -> None:
    text = repr(fit.test().T)
    assert "Empty" not in text
    assert [line.split()[0] for line in text.splitlines()[1:4]] == ["rank", "contour", "contour_mcse"]
