"""What a user gets: nothing is missing from the archives, and the package works wherever it is run from."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import formulajoint

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION = PROJECT["project"]["version"]
HOMES = {"formulajoint": ROOT / "formulajoint", "formulajoint/grammar": ROOT / "grammar"}


def package_files() -> set[str]:
    """Return the files of the package, by the names they have in a wheel."""
    return {
        f"{name}/{path.relative_to(home).as_posix()}"
        for name, home in HOMES.items()
        for path in home.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def run(code: str, *places: Path | str, seconds: int = 60) -> subprocess.CompletedProcess[str]:
    """Run `code` where only `places` and the standard library can be imported from, whatever is installed."""
    program = f"import sys; sys.path[:0] = {[str(place) for place in places]!r}\n{code}"
    command = [sys.executable, "-S", "-E", "-P", "-B", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd="/")


# The public names


def test_names_are_said_alike_three_times():
    tree = ast.parse((ROOT / "formulajoint/__init__.py").read_text(encoding="utf-8"))
    seen_by_checkers = {
        alias.name: node.module.removeprefix("formulajoint.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("formulajoint.")
        for alias in node.names
    }
    assert seen_by_checkers == formulajoint._HOMES
    assert set(formulajoint.__all__) == {*formulajoint._HOMES, "__version__"}


@pytest.mark.parametrize("name", formulajoint.__all__)
def test_public_name(name):
    assert getattr(formulajoint, name) is not None
    assert name in dir(formulajoint)


def test_no_public_name_hides_a_module():
    """Importing a submodule would put it in the place of the public name."""
    modules = {Path(name).parts[1].removesuffix(".py") for name in package_files()}
    assert not modules & set(formulajoint.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = formulajoint.nonsense


def test_old_python_is_told():
    source = (ROOT / "formulajoint/__init__.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    told = run("sys.version_info = (3, 11, 9, 'final', 0); import formulajoint", ROOT).stderr.splitlines()[-1]
    assert told.startswith("ImportError: formulajoint needs Python 3.12 or newer; this is Python ")


@pytest.mark.parametrize(("metadata", "version"), [("", "0+uninstalled"), ("Version: 1.2.3", "1.2.3")])
def test_version(tmp_path, metadata, version):
    shutil.copytree(ROOT / "formulajoint", tmp_path / "formulajoint")
    if metadata:
        (tmp_path / "formulajoint-1.2.3.dist-info").mkdir()
        (tmp_path / "formulajoint-1.2.3.dist-info/METADATA").write_text(f"Name: formulajoint\n{metadata}\n")
    done = run("import formulajoint; print(formulajoint.__version__)", tmp_path)
    assert done.stdout == f"{version}\n", done.stderr


FIT_AND_SAVE = """
import importlib.metadata as metadata
found = metadata.version
def version(name):
    if name == "formulajoint":
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
import formulajoint as fj
fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1, draws=50, progress=False)
fit.save({target!r})
print(fj.__version__, fj.load({target!r}).idata.posterior.attrs["inference_library_version"])
"""


def test_a_checkout_that_was_never_installed_fits_and_saves(tmp_path):
    libraries = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    done = run(FIT_AND_SAVE.format(target=str(tmp_path / "fit.nc")), ROOT, *libraries, seconds=600)
    assert done.stdout == "0+uninstalled 0+uninstalled\n", done.stderr


# The archives


def test_every_package_is_listed():
    folders = {Path(name).parent.as_posix() for name in package_files() if name.endswith("/__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == {folder.replace("/", ".") for folder in folders}


@dataclass(frozen=True)
class Built:
    """The checkout's copy and what was built from it: an sdist, a wheel of the sdist, an editable wheel."""

    checkout: Path
    sdist: Path
    wheel: Path
    editable: Path


def build(kind: str, source: Path, target: Path) -> Path:
    """Let the build backend make a `kind` of archive of `source`, without network or isolation."""
    target.mkdir(exist_ok=True)
    code = f"from setuptools import build_meta; print('\\n' + build_meta.build_{kind}({str(target)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "would be ignored" not in done.stderr, done.stderr  # a folder that setuptools does not expect
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    place = tmp_path_factory.mktemp("built")
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")
    checkout = Path(shutil.copytree(ROOT, place / "checkout", ignore=ignored))
    sdist = build("sdist", checkout, place / "dist")
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    wheel = build("wheel", place / f"formulajoint-{VERSION}", place / "dist")
    return Built(checkout, sdist, wheel, build("editable", checkout, place / "editable"))


@pytest.mark.slow
def test_wheel_holds_the_package_and_nothing_else(built):
    names = set(zipfile.ZipFile(built.wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == package_files()
    assert f"formulajoint-{VERSION}.dist-info/licenses/LICENSE" in names


@pytest.mark.slow
def test_sdist_can_be_tested(built):
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*") if path.is_file()}
    assert names >= {"Makefile", "LICENSE", "pyproject.toml", "grammar/formula.lark", "docs/architecture.md"}
    assert names >= {name for name in tests if "__pycache__" not in name}


def on_path(built: Built, way: str) -> list[Path | str]:
    """Return what is put on the path for one way of having the package."""
    unpacked = built.wheel.parents[1] / way
    match way:
        case "checkout":
            return [built.checkout]
        case "zip":
            return [built.wheel]
        case "wheel":
            zipfile.ZipFile(built.wheel).extractall(unpacked)
        case "editable":
            zipfile.ZipFile(built.editable).extractall(unpacked)
    return [unpacked]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["checkout", "wheel", "zip", "editable"])
def test_formula_is_read(built, way):
    """The grammar, which lies outside the package's folder in a checkout, is found in every way of having it."""
    places = on_path(built, way)
    code = (
        f"import site; site.addsitedir({str(places[0])!r})\n"
        f"sys.path += {[sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]!r}\n"
        "import formulajoint as fj; print(fj.__file__)\n"
        "print(fj.parse('y ~ x | g, contrast(x[A] - x[B])'))\n"
        "import formulajoint.language.grammar.compose as grammar; print(grammar.grammar_folder())"
    )
    done = run(code, *places)
    assert done.returncode == 0, done.stderr
    file, formula, folder = done.stdout.splitlines()
    home = built.checkout if way in ("checkout", "editable") else places[0]
    assert Path(file).is_relative_to(home)
    assert str(home) in folder
    assert formula == "y ~ x | g, contrast(x[A] - x[B])"


def test_every_requirement_has_a_lower_bound_that_can_be_installed():
    """`.ci/versions` installs exactly these."""
    for line in PROJECT["project"]["dependencies"]:
        assert re.fullmatch(r"[\w-]+(\[[\w,]+\])?>=\d+(\.\d+)+", line), line
