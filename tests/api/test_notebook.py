"""A notebook from a fresh kernel: what each cell shows, in IPython's own messages."""

from __future__ import annotations

from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

pytestmark = pytest.mark.slow  # starts kernels

SETUP = """
import formulajoint as fj
fit = fj.fit("test_score ~ treatment | school, joint(weights=n)", fj.tutoring(), seed=1)
"""


@pytest.fixture(autouse=True)
def the_kernels_own_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MPLBACKEND", raising=False)


def run(*cells: str) -> list[list[Any]]:
    """Return the outputs of each cell; errors are outputs, too."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, allow_errors=True, timeout=120, iopub_timeout=60).execute()
    return [cell["outputs"] for cell in notebook.cells]


def pictures(outputs: list[Any]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)


def test_each_plot_is_shown_once_from_the_first_on() -> None:
    axes = "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n"
    found = run(
        SETUP + "fit.plot.forest()",
        "fit.plot.joint()",
        axes + "fit.plot.contrast(ax=ax)",
        "fit.plot.contrast(ax=ax)",  # the figure of a cell before
        axes + "fit.plot.contrast(ax=ax)\nfig",
        axes + "fit.plot.contrast(ax=ax)\nax.set_title('mine')\nNone",
        axes + "for each in fig.subplots(1, 2):\n    fit.plot.contrast(ax=each)",
        "fit.plot.trace()",
        "kept = fit.plot.forest()",
    )
    assert [pictures(cell) for cell in found] == [1, 1, 1, 1, 1, 1, 1, 1, 0]
    assert [len(cell) for cell in found] == [1, 1, 1, 1, 1, 1, 1, 1, 0]


def test_the_first_plot_is_shown_on_ones_own_axes_too() -> None:
    (found,) = run(SETUP + "import matplotlib.pyplot as plt\nfit.plot.contrast(ax=plt.subplots()[1])")
    assert pictures(found) == len(found) == 1


def test_equations_tables_and_errors() -> None:
    latex, table, printed, error, foreign = run(
        SETUP + "fit.model.explain('latex')",
        "fit.test()",
        "print(fit.test())",
        "fj.model('test_score ~ treatmnt | school', fj.tutoring())",
        "fj.fit('test_score ~ treatment', fj.tutoring(), random_seed=1)",
    )
    assert latex[0]["data"]["text/latex"].startswith("$$\n\\begin{aligned}")
    assert "..." not in table[0]["data"]["text/html"]
    assert table[0]["data"]["text/html"].count("<th") >= 26
    assert "..." not in printed[0]["text"]
    assert len(error[0]["traceback"]) == 2
    assert "^" * len("treatmnt") in error[0]["traceback"][-1]
    assert (
        error[0]["traceback"][0] == "cell, line 1: fj.model('test_score ~ treatmnt | school', fj.tutoring())"
    )
    assert "`seed=1`" in foreign[0]["evalue"]
