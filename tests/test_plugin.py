"""The plug-in of the examples, installed into a fresh environment and used there, without a network."""

from __future__ import annotations

import shutil
import site
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import formulajoint

PLUGIN = Path(__file__).parents[1] / "examples" / "plugin"
HERE = Path(formulajoint.__file__).parents[1]


def run(*command, cwd):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The interpreter of a new environment that has the plug-in, and borrows the libraries of this one."""
    place = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(
        PLUGIN, place / "source", ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__")
    )
    run(sys.executable, "-m", "venv", "--without-pip", place / "venv", cwd=place)
    python = place / "venv" / "bin" / "python"
    folder = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip()
    )
    libraries = {*site.getsitepackages(), sysconfig.get_path("purelib")}
    lines = [f"import site; site.addsitedir({library!r})" for library in sorted(libraries)]
    (folder / "libraries.pth").write_text("\n".join([*lines, str(HERE)]) + "\n", encoding="utf-8")
    install = ("install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", source)
    run(python, "-m", "pip", "--disable-pip-version-check", *install, cwd=place)
    return python


@pytest.mark.slow
def test_its_own_tests_pass_where_it_is_installed(python, tmp_path):
    shutil.copytree(PLUGIN / "tests", tmp_path / "tests")
    assert "6 passed" in run(
        python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path / "tests", cwd=tmp_path
    )


@pytest.mark.slow
def test_the_command_line_knows_it(python, tmp_path):
    formula = "y ~ x | g, trimmed(x, weights=root()), A vs B"
    said = run(python, "-m", "formulajoint.cli", "explain", formula, cwd=tmp_path)
    assert said == "y ~ x | g, trimmed(x, weights=root()), contrast(.[A] - .[B])\n"


@pytest.mark.slow
def test_it_is_where_it_was_installed(python, tmp_path):
    file = run(python, "-c", "import formulajoint_robust; print(formulajoint_robust.__file__)", cwd=tmp_path)
    assert Path(file).is_relative_to(python.parents[1])


def test_it_is_not_known_here():
    with pytest.raises(formulajoint.FormulaError, match="there is no clause `trimmed`"):
        formulajoint.parse("y ~ x | g, trimmed(x)", language=formulajoint.CORE)
