"""What the pages and docstrings show is what comes out, and what they link to is there."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import formulajoint as fj
from formulajoint.language.vocabulary import default

ROOT = Path(__file__).parents[1]
PROSE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def load(path: Path) -> ModuleType:
    """Return a script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(f"formulajoint_docs_{path.stem}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pages = load(ROOT / "docs" / "pages.py")


@pytest.fixture(autouse=True)
def language(monkeypatch):
    """Let every test begin with a language that nothing was added to."""
    monkeypatch.setattr(default, "_default", default._Default(installed=()))


# The pages


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::formulajoint.errors.FormulaJointWarning"
)  # pages show what gets a warning, too
@pytest.mark.parametrize("path", pages.pages(), ids=lambda path: path.name)
def test_page_shows_what_comes_out(path):
    wrong = pages.complaints(path.read_text(encoding="utf-8"), path.name)
    assert not wrong, "\n\n".join(wrong)


def test_tables_of_what_was_checked_are_those_of_the_results(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    page = (ROOT / "docs" / "families-checked.md").read_text(encoding="utf-8")
    assert load(ROOT / "benchmarks" / "families_checked.py").with_tables(page) == page


def anchors(text: str) -> set[str]:
    """Return the names that the headings of a page can be linked by."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        found = path.parent / file if file else path
        assert found.exists(), f"{path.name} links to {target}"
        assert not anchor or anchor in anchors(found.read_text(encoding="utf-8")), target


def test_links_of_readme_are_absolute_once_the_project_has_an_address():
    """A package index shows README, too, and cannot follow links to files beside it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    links = re.findall(r"\]\(([^)\s#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert all("://" in link for link in links) == ("urls" in project)


def test_citation_names_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (version,) = re.findall(r"version = \{([^}]+)\}", text)
    (author,) = re.findall(r"author  = \{\{([^}]+)\}\}", text)
    assert (version, author) == (project["version"], project["authors"][0]["name"])


def test_picture_is_true():
    shown = (ROOT / "docs" / "demo.svg").read_text(encoding="utf-8").splitlines()
    assert pages.agree(shown, load(ROOT / "docs" / "picture.py").picture().splitlines())


def test_every_page_is_in_the_contents():
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").partition("```{toctree}")[2]
    there = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    assert set(re.findall(r"^[\w-]+$", contents, flags=re.MULTILINE)) == there


def test_every_public_name_is_in_the_reference():
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\.\. auto\w+:: (\w+)$", text, flags=re.MULTILINE))
    assert documented == set(fj.__all__) - {"__version__"}


# The docstrings

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "formulajoint").rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_shows_what_comes_out(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed


# The runner of the pages can fail

PAGE = """
Some prose.

```python
x = 2.00
f"{x:.2f} of {10}"
```

```text
'2.00 of 10'
```
"""


@pytest.mark.parametrize(
    ("old", "new", "agrees"),
    [
        ("", "", True),
        ("'2.00 of", "'2.04 of", True),
        ("'2.00 of", "'2.06 of", False),
        ("'2.00 of", "'2.00 in", False),
        ("'2.00 of", "'2 of", False),
        ("of 10'\n", "of 11'\n", False),
        ("'2.00 of 10'\n", "...\n", True),
        ("'2.00 of 10'\n", "'2.00 of 10'\nand more\n", False),
        ("'2.00 of 10'\n", "", False),
        ("x = 2.00\n", "x = 3.00\n", False),
        ("```text", "<!-- not compared -->\n```text", True),
        ("'2.00 of", "'7.00 of", False),
        ("```text", "Prose between.\n\n```text", True),
        ("x = 2.00\n", "", None),
        ("```python", "<!-- run\nx = 1\n-->\n\n<!-- not run -->\n```python", True),
    ],
)
def test_runner_complains(old, new, agrees):
    page = PAGE.replace(old, new, 1)
    assert old == new or page != PAGE
    if agrees is None:
        with pytest.raises(RuntimeError, match=r"page:5: .*NameError"):
            pages.complaints(page, "page")
    else:
        assert bool(pages.complaints(page, "page")) is not agrees


def test_runner_writes_what_comes_out():
    wrong = PAGE.replace("2.00 of 10'", "17'")
    assert wrong != PAGE
    assert pages.written(wrong, "page") == PAGE


def test_errors_of_ours_are_shown_and_others_are_not():
    page = PAGE.replace("x = 2.00\n", "import formulajoint as fj\nfj.parse('y ~ (x')\n")
    assert "formulajoint.errors.FormulaError: this `(` is never closed" in pages.written(page, "page")
    with pytest.raises(RuntimeError, match=r"page:5: .*ZeroDivisionError"):
        pages.written(PAGE.replace("2.00", "1 / 0"), "page")


def test_commands_are_run():
    page = '```console\n$ formulajoint explain "y~x"\n\n$ formulajoint explain "y ~ (x"\n```\n'
    out = pages.written(page, "page").splitlines()
    assert out[:3] == ["```console", '$ formulajoint explain "y~x"', "y ~ x"]
    assert "error: this `(` is never closed" in out
    assert pages.complaints(page, "page")
    assert not pages.complaints("\n".join(out), "page")
    with pytest.raises(RuntimeError, match="is no command of ours"):
        pages.written("```console\n$ rm -r /\n```\n", "page")


def test_a_block_can_be_a_file():
    page = "<!-- file a.csv -->\n```text\nx,y\n1,2\n```\n\n```python\nimport pathlib\nprint(pathlib.Path('a.csv').read_text())\n```\n\n```text\n```\n"
    assert pages.written(page, "page") == page.removesuffix("```\n") + "x,y\n1,2\n```\n"


def test_each_page_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not pages.complaints("```python\nopen('new', 'x').close()\n```\n", "page")
    assert not list(tmp_path.iterdir())
