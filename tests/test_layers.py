"""The shape of the house, read from the source: who may import whom, what is never used, how long things get.

A rule is a function from a module to its complaints; each is shown a bad module, too, and must complain.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import formulajoint
from formulajoint.distributions.declared import DISTRIBUTIONS
from formulajoint.families.declared import FAMILIES

PACKAGE = Path(formulajoint.__file__).parent

# A room imports only from rooms to its left; left of all stand modules that all may use. Right of all rooms stand the
# public names, which the command line may use.
GROUND = ("grammar", "arrays", "spans", "wording", "remarks", "errors")
ROOMS = (
    "language",
    "spec",
    "distributions",
    "families",
    "design",
    "data",
    "files",
    "aggregates",
    "contrasts",
    "compiler",
    "inference",
    "results",
    "plots",
    "report",
    "api",
)
ORDER = (*GROUND, *ROOMS, "__init__", "cli")

# Who may import which library: folders and modules. A library that is not here may be imported by nobody.
NUMERIC = (
    "arrays.py",
    "distributions/",
    "families/",
    "design/",
    "data/",
    "files/",
    "aggregates/",
    "contrasts/",
    "compiler/",
    "inference/",
    "results/",
    "plots/",
    "report/",
    "api/",
)
LIBRARIES = {
    "array_api_compat": ("inference/latent/device.py",),
    "arviz": ("inference/", "results/", "plots/", "api/"),
    "arviz_plots": ("plots/",),
    "arviz_base": ("inference/", "results/", "plots/", "api/"),
    "arviz_stats": ("inference/", "results/", "plots/", "api/"),
    "docx": ("results/text/table_formats.py",),
    "great_tables": ("results/text/table_formats.py",),
    "interegular": ("language/grammar/fragments.py",),
    "jinja2": ("report/write.py",),
    "lark": ("language/grammar/compose.py", "language/grammar/prebuilt.py"),
    "cupy": ("inference/latent/device.py",),
    "cycler": ("plots/style.py",),
    "jax": ("inference/latent/device.py",),
    "matplotlib": ("plots/", "report/", "api/plotting.py"),
    "duckdb": ("aggregates/scan.py",),
    "narwhals": (
        "design/series.py",
        "aggregates/from_lazy.py",
        "aggregates/expressions.py",
        "aggregates/pushed_down.py",
        "aggregates/scan.py",
        "aggregates/text_columns.py",
        "aggregates/told.py",
    ),
    "polars": ("aggregates/scan.py",),
    "numpy": NUMERIC,
    "nutpie": ("inference/",),
    "pandas": ("files/", "results/", "plots/", "report/", "api/"),
    "pymc": ("compiler/", "inference/", "api/"),
    "pytensor": ("contrasts/", "compiler/", "inference/"),
    "pyarrow": ("aggregates/parquet.py",),
    "python_calamine": ("files/excel.py",),
    "rich": ("results/text/terminal.py", "api/", "cli.py"),
    "scipy": NUMERIC,
    "threadpoolctl": ("inference/importance/surface.py",),
    "torch": ("inference/latent/device.py",),
    "typer": ("cli.py",),
    "xarray": ("inference/", "results/", "plots/", "report/", "api/"),
}

# Modules that a name in a formula could turn into code, and the calls that do.
BANNED_MODULES = {"pickle", "marshal", "shelve", "cloudpickle", "runpy", "code", "subprocess", "ctypes"}
BANNED_CALLS = {"eval", "exec", "compile", "__import__", "import_module", "setattr", "globals", "vars"}
LAZY_NAMES = "__init__.py"  # turns the table of public names into modules
WALKERS = {
    "language/syntax/nodes.py",
    "spec/json.py",
    "results/saved/design_codec.py",
    "aggregates/recipe_codec.py",
}  # read the fields of their own dataclasses by name

# Function-local imports that are right: (where, what), each the beginning of a path and of a name.
LOCAL_IMPORTS = {
    # loads PyTensor, for contrasts of users only
    ("compiler/evaluate/contrast_nodes.py", "formulajoint.compiler.evaluate.pytensor_graph."),
    # loads PyTensor in the model, SciPy on draws
    ("compiler/evaluate/response_effects.py", "pytensor."),
    ("compiler/evaluate/response_effects.py", "formulajoint.distributions.link_functions."),
    ("compiler/planning/plan.py", "formulajoint.contrasts.hypotheses."),  # SciPy, for formulas with a test
    ("inference/engine.py", "formulajoint.inference.crossed.engine."),  # SciPy, for several factors only
    ("inference/groupwise/declared.py", "pymc"),  # families of extensions only
    ("inference/groupwise/declared.py", "pytensor."),
    ("inference/nuts/engine.py", "formulajoint.inference.nuts.sampling."),  # loads PyMC
    ("inference/nuts/engine.py", "formulajoint.inference.nuts.starts."),  # loads PyMC
    ("inference/nuts/engine.py", "formulajoint.inference.draws.datatree."),  # loads xarray: tables need none
    ("results/draws/posterior.py", "formulajoint.inference.draws.datatree."),  # loads xarray
    ("api/", "pymc"),  # seconds to load, and no need of it to explain a model
    ("api/", "formulajoint.compiler.pymc.build."),  # loads PyMC
    ("api/", "formulajoint.compiler.pymc.graph."),  # loads PyMC
    ("api/", "formulajoint.inference.draws.prior."),  # loads PyMC
    ("api/", "formulajoint.report.write."),  # loads Jinja
    ("api/", "formulajoint.api.fit."),  # loads pandas and SciPy
    ("api/", "formulajoint.api.plotting."),  # loads matplotlib and arviz-plots
    ("api/", "formulajoint.results.text.terminal."),  # loads Rich
    ("api/", "formulajoint.results.saved.store"),  # loads xarray
    ("api/", "formulajoint.results.external.adopted."),  # loads xarray
    ("api/", "formulajoint.results.text.html."),  # loads pandas
    # Fifty modules that a fit needs only once it is printed or tested
    ("api/", "formulajoint.results.joint_tests."),
    ("api/checks.py", "formulajoint.results.checks."),  # ArviZ, xarray, SciPy
    ("api/fit.py", "formulajoint.results.text."),
    ("api/checks.py", "formulajoint.results.text."),
    ("api/predictions.py", "formulajoint.results.predictions."),  # SciPy, xarray
    ("results/findings.py", "formulajoint.results.joint_tests."),
    ("cli.py", "rich."),
    ("cli.py", "formulajoint."),  # `formulajoint --help` and `formulajoint explain FORMULA` answer at once
}

# Function-local imports that spare a plain fit modules of ours: each takes a millisecond. They count in the search for
# circles like all others.
DEFERRED = {
    ("language/parse.py", "formulajoint.language.advice."),  # where the parser stops
    (
        "language/vocabulary/language.py",
        "formulajoint.language.grammar.fragments.",
    ),  # new syntax of extensions
    ("results/joint_tests/classical.py", "formulajoint.results.joint_tests.likelihood_ratio."),  # GLMs only
    ("design/frame.py", "formulajoint.design.series."),  # loads narwhals: plain columns of pandas need none
    ("families/choice.py", "formulajoint.families.named."),  # families other than the Gaussian one
    ("data/directions.py", "scipy."),  # flat priors of families other than the Gaussian only
    ("families/smooth.py", "scipy."),  # densities that only some families have
    ("inference/engine.py", "formulajoint.inference.groupwise."),  # for other than Gaussian responses only
    # phi of several numbers, and scales of single groups
    ("inference/gaussian/draws.py", "formulajoint.inference.gaussian.searched."),
    ("inference/gaussian/draws.py", "formulajoint.inference.gaussian.integrated."),
    ("inference/gaussian/reduction.py", "formulajoint.inference.latent.ties."),  # tests of equal groups
    ("contrasts/registry.py", "formulajoint.contrasts.custom."),  # contrasts of extensions
    ("compiler/planning/contrasts/clauses.py", "formulajoint.compiler.planning.contrasts.levels."),
    # contrasts and tests with scale=response
    ("compiler/planning/contrasts/clauses.py", "formulajoint.compiler.planning.contrasts.response."),
    ("compiler/planning/plan.py", "formulajoint.compiler.planning.contrasts.response."),
    ("compiler/evaluate/contrast_nodes.py", "formulajoint.compiler.evaluate.response_effects."),
    ("results/joint_tests/questions.py", "formulajoint.compiler.planning.contrasts.response."),
    ("compiler/planning/contrasts/clauses.py", "formulajoint.compiler.planning.contrasts.arithmetic."),
    ("api/fit.py", "formulajoint.api.update."),  # for further rows only
    ("api/fit.py", "formulajoint.results.draws.contrast."),  # for contrasts after the fit
    ("api/fit.py", "formulajoint.results.draws.diagnostics."),
    ("api/fit.py", "formulajoint.results.draws.group_coefficients."),
    ("api/verbs.py", "formulajoint.aggregates.moments."),
    ("api/model.py", "formulajoint.compiler.pymc.likelihood_by_sums."),  # for NUTS only
    ("aggregates/make.py", "formulajoint.aggregates."),  # for lazy frames and moments only
    ("aggregates/make.py", "formulajoint.files."),  # for files only
    ("api/from_files.py", "formulajoint.aggregates.scan."),  # for large files only
    ("api/verbs.py", "formulajoint.api.fit."),  # loads pandas, as files do
    ("aggregates/moments.py", "formulajoint.aggregates.parquet."),  # for files of moments only
    ("api/model.py", "formulajoint.inference.engine."),  # `explain` draws nothing
    ("api/predictions.py", "formulajoint.results.predictions.grid."),
    ("api/model.py", "formulajoint.results.text."),  # a dozen modules that explain a model
    ("api/model.py", "formulajoint.results.saved.design_codec."),  # pickles
}
DEVICES = {"array_api_compat", "cupy", "jax", "torch"}
HEAVY = {
    "matplotlib",
    "duckdb",
    "polars",
    "pyarrow",
    "numpyro",
    "blackjax",
    "python_calamine",
    "great_tables",
    "docx",
} | DEVICES  # optional: anywhere

# What every engine may use, so that it knows no engine, no other folder of its room, and of the modules there only these.
FOR_ALL_ENGINES = {
    "inference/importance/": (
        "formulajoint.inference.importance.",
        "formulajoint.inference.panels.",
        "formulajoint.inference.quadrature.",
    ),
    "inference/latent/": ("formulajoint.inference.latent.", "formulajoint.inference.panels."),
}

# "flat" is a word of the argument `priors=`, "categorical" a kind of column, too.
NAMED_LAWS = {*FAMILIES, *DISTRIBUTIONS} - {"flat", "categorical"}
READS_LAWS = ("design/hierarchy.py",)  # reads `dist=`, whose words are names of laws

# Methods that take a text apart, in rooms whose texts are their own: a note, a label or a message is made last, from
# values, and never read back. The exceptions read what others wrote.
SAYING = ("inference", "results", "plots", "report", "api")
TAKES_APART = {"partition", "rpartition", "removeprefix", "removesuffix", "startswith", "endswith", "split"}
TEXTS = {"note", "notes", "reason", "text", "label"}
MAY_READ = {
    ("inference/nuts/sampling.py", "partition"),  # an error of nutpie's
    ("inference/latent/device.py", "split"),  # a device's name, by users
    ("report/recipe.py", "endswith"),  # a time, by ArviZ
    ("results/joint_tests/quantities.py", "removeprefix"),  # the sign before a sum that is just made
    ("results/saved/store.py", "startswith"),  # bytes of a file
    ("results/text/latex.py", "re"),  # names within an expression
    ("results/text/terminal.py", "re"),  # the looks of a printed line
    ("results/text/terminal.py", "startswith"),
}

READERS = ("language", "spec")
RAW_NODES = tuple(
    f"formulajoint.language.syntax.nodes.{node}"
    for node in ("Clause", "Keyword", "Parameter", "Distributed", "Map")
)

LONGEST_MODULE, LONGEST_FUNCTION = 400, 60


@dataclass(frozen=True)
class Module:
    """A module's path below the package, and its text."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def room(self) -> str:
        return self.path.partition("/")[0].removesuffix(".py")

    @property
    def name(self) -> str:
        return "formulajoint." + self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """Line and full name of all that is imported, wherever the import stands."""
        return [(node.lineno, name) for node in ast.walk(self.tree) for name in imported(node)]


def imported(node: ast.AST) -> list[str]:
    """Return what an import statement names: ``a.b`` for both ``import a.b`` and ``from a import b``."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str(module), level=0):
            return [f"{module}.{alias.name}" for alias in node.names]
    return []


def may_be_local(module: Module, name: str) -> bool:
    return keeps_a_library_out(module, name) or listed_in(DEFERRED, module, name)


def listed_in(table: set[tuple[str, str]], module: Module, name: str) -> bool:
    return any(module.path.startswith(where) and name.startswith(what) for where, what in table)


def keeps_a_library_out(module: Module, name: str) -> bool:
    return listed_in(LOCAL_IMPORTS, module, name) or name.partition(".")[0] in HEAVY


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(module.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


# Rules


def imports_to_the_left(module: Module) -> Iterator[str]:
    if module.room not in ORDER:
        yield f"`{module.room}` is no room of the house: give it a place in ORDER and in docs/architecture.md"
        return
    for line, name in module.imports:
        package, room, *_ = [*name.split("."), "__init__"]
        if package == "formulajoint" and room not in ORDER:
            yield f"line {line}: `{name}` is in no room"
        elif package == "formulajoint" and ORDER.index(room) > ORDER.index(module.room):
            yield f"line {line}: `{module.room}` may not import `{name}`, which stands to its right"


def absolute_imports(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"line {node.lineno}: relative import"


def libraries_in_their_rooms(module: Module) -> Iterator[str]:
    for line, name in module.imports:
        library = name.partition(".")[0]
        if library == "formulajoint" or library in sys.stdlib_module_names:
            continue
        if not any(module.path.startswith(place) for place in LIBRARIES.get(library, ())):
            yield f"line {line}: `{library}` may not be imported here"


def text_is_never_code(module: Module) -> Iterator[str]:
    for line, name in module.imports:
        if name.partition(".")[0] in BANNED_MODULES:
            yield f"line {line}: `{name}` is banned"
    if module.path == LAZY_NAMES:
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[_, ast.Constant(), *_]):
                continue
            case ast.Call(func=ast.Name(id="getattr" | "hasattr" as called)) if module.path not in WALKERS:
                yield f"line {node.lineno}: `{called}` of a name that is not written out"
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr="import_module" as called)):
                if called in BANNED_CALLS:
                    yield f"line {node.lineno}: `{called}` is banned"


def for_all_engines(module: Module) -> Iterator[str]:
    for folder, known in FOR_ALL_ENGINES.items():
        for line, name in module.imports if module.path.startswith(folder) else ():
            if name.startswith("formulajoint.inference.") and not name.startswith(known):
                yield f"line {line}: `{folder}` is for all engines, and may not import `{name}`"


def texts_are_not_read_back(module: Module) -> Iterator[str]:
    for line, how in readings(module):
        if (module.path, how) not in MAY_READ:
            yield f"line {line}: `{how}` of a text: ask the value that it was made from"


def readings(module: Module) -> Iterator[tuple[int, str]]:
    """Yield where a text is taken apart or looked into, and how."""
    if module.room not in SAYING:
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re" as how))):
                yield node.lineno, how
            case ast.Call(func=ast.Attribute(attr="split"), args=[ast.Constant(value="\n")]):
                continue
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"))):
                continue
            case ast.Call(func=ast.Attribute(attr=how)) if how in TAKES_APART:
                yield node.lineno, how
            case ast.Compare(
                ops=[ast.In() | ast.NotIn()],
                comparators=[
                    ast.Attribute(attr=what) | ast.Subscript(slice=ast.Constant(value=what)),
                ],
            ) if what in TEXTS:
                yield node.lineno, f"in {what}"


def never_prints(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield f"line {node.lineno}: `print`; use the log `formulajoint`, or on the command line `typer.echo`"


def imports_at_the_top(module: Module) -> Iterator[str]:
    for function in functions(module):
        for node in ast.walk(function):
            for name in imported(node):
                if not may_be_local(module, name):
                    yield f"line {node.lineno}: `{name}` is imported inside `{function.name}`"


def short(module: Module) -> Iterator[str]:
    lines = module.source.count("\n")
    if lines > LONGEST_MODULE:
        yield f"{lines} lines: would two modules be clearer?"
    for function in functions(module):
        first = function.body[0]
        documented = first.end_lineno - first.lineno + 1 if ast.get_docstring(function) else 0
        length = function.end_lineno - function.lineno + 1 - documented
        if length > LONGEST_FUNCTION:
            yield f"line {function.lineno}: `{function.name}` has {length} lines without its docstring"


def laws_are_asked(module: Module) -> Iterator[str]:
    """A family or distribution is asked what it can do; only where it is declared is it known by its name."""
    if module.path.startswith(("language/", "distributions/", "families/")) or module.path in READS_LAWS:
        return
    for node in ast.walk(module.tree):
        compared: list[ast.expr] = []
        match node:
            case ast.Compare(left=left, comparators=others):
                compared = [left, *others]
            case ast.MatchValue(value=value):
                compared = [value]
        for value in (inner for side in compared for inner in ast.walk(side)):
            if isinstance(value, ast.Constant) and value.value in NAMED_LAWS:
                yield f"line {node.lineno}: `{value.value}` is known by name: ask what the family or law can do"


def clauses_are_read_once(module: Module) -> Iterator[str]:
    """Outside `language` and `spec`, no clause and no argument of a call is read from its nodes: `spec` has read them."""
    if module.room in READERS:
        return
    for line, name in module.imports:
        if name.startswith(RAW_NODES) or name == "formulajoint.language.vocabulary.signatures.matched":
            yield f"line {line}: `{name}` is what `spec` reads; take its values"
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(attr="keyword" | "keywords" | "call"):
                yield f"line {node.lineno}: `.{node.attr}` reads a clause again; `spec` has its values"


RULES: tuple[Callable[[Module], Iterator[str]], ...] = (
    imports_to_the_left,
    absolute_imports,
    libraries_in_their_rooms,
    text_is_never_code,
    for_all_engines,
    never_prints,
    imports_at_the_top,
    short,
    laws_are_asked,
    clauses_are_read_once,
)

MODULES = [
    Module(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
]


# The house keeps the rules


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house(rule):
    complaints = [f"{module.path}: {text}" for module in MODULES for text in rule(module)]
    assert not complaints, "\n".join(complaints)


def import_graph(modules: list[Module], unit: Callable[[str], str] = str) -> dict[str, set[str]]:
    """Return, for each module, or unit of modules by name, those it imports, wherever the import stands.

    Left out are imports for type checkers, and those that keep a heavy library out until it is needed.
    """
    names = {module.name for module in modules}
    graph: dict[str, set[str]] = {unit(name): set() for name in names}
    for module in modules:
        inner = {name for f in functions(module) for node in ast.walk(f) for name in imported(node)}
        left_out = {name for name in inner if keeps_a_library_out(module, name)} | set(typing_imports(module))
        for _, name in module.imports:
            target = name if name in names else name.rpartition(".")[0]
            if target in names and name not in left_out:
                graph[unit(module.name)] |= {unit(target)} - {unit(module.name)}
    return graph


def folder(name: str) -> str:
    """Return the folder below a room, or the module beside such folders: ``formulajoint.language.syntax``."""
    return ".".join(name.split(".")[:3])


def typing_imports(module: Module) -> Iterator[str]:
    """Yield what is imported for type checkers alone."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in ast.walk(node):
                yield from imported(inner)


@pytest.mark.parametrize("unit", [str, folder])
def test_no_import_cycle(unit):
    assert import_graph(MODULES)["formulajoint.language.syntax.nodes"] == {"formulajoint.spans"}
    TopologicalSorter(import_graph(MODULES, unit)).prepare()  # raises CycleError, naming the cycle


@pytest.mark.parametrize("unit", [str, folder])
def test_import_cycle_is_found(unit):
    one = Module("design/one/a.py", "def f():\n    from formulajoint.design.two import b")
    two = Module("design/two/b.py", "from formulajoint.design.one.a import f")
    with pytest.raises(CycleError):
        TopologicalSorter(import_graph([one, two], unit)).prepare()


def test_folders_that_import_each_other_are_found():
    sources = {
        "one/a": "from formulajoint.design.two import b",
        "two/b": "",
        "two/c": "from formulajoint.design.one import a",
    }
    modules = [Module(f"design/{path}.py", source) for path, source in sources.items()]
    TopologicalSorter(import_graph(modules)).prepare()
    with pytest.raises(CycleError):
        TopologicalSorter(import_graph(modules, folder)).prepare()


@pytest.mark.parametrize(("path", "how"), sorted(MAY_READ))
def test_reading_that_is_allowed_is_needed(path, how):
    (module,) = (module for module in MODULES if module.path == path)
    assert how in {found for _, found in readings(module)}


@pytest.mark.parametrize(("where", "what"), sorted(LOCAL_IMPORTS | DEFERRED))
def test_exemption_is_needed(where, what):
    """An exemption that nothing uses any longer is a hole in the rule."""
    inner = {
        (module.path, name)
        for module in MODULES
        for function in functions(module)
        for node in ast.walk(function)
        for name in imported(node)
    }
    assert any(path.startswith(where) and name.startswith(what) for path, name in inner)


def loaded_with(graph: dict[str, set[str]], name: str) -> set[str]:
    """Return the libraries that the import of a module loads, by itself or by others of ours."""
    found, waiting = set[str](), [name]
    while waiting:
        if (module := waiting.pop()) not in found:
            found.add(module)
            waiting += graph[module]
    lines = [line for module in MODULES if module.name in found for line in module.tree.body]
    return {full.partition(".")[0] for line in lines for full in imported(line)}


def test_every_exemption_of_ours_keeps_a_library_out():
    graph = import_graph(MODULES)
    inner = {
        (module.name, name if name in graph else name.rpartition(".")[0])
        for module in MODULES
        for function in functions(module)
        for node in ast.walk(function)
        for name in imported(node)
        if name.startswith("formulajoint.") and not listed_in(DEFERRED, module, name)
    }
    idle = [
        pair
        for pair in inner
        if not loaded_with(graph, pair[1]) - loaded_with(graph, pair[0]) - sys.stdlib_module_names
    ]
    assert inner
    assert not idle


# The rules can fail

BAD = [
    (
        imports_to_the_left,
        "design/bind.py",
        "from formulajoint.compiler.pymc.build import build",
        "to its right",
    ),
    (imports_to_the_left, "design/bind.py", "from formulajoint import results", "to its right"),
    (imports_to_the_left, "design/bind.py", "import formulajoint.api", "to its right"),
    (imports_to_the_left, "design/bind.py", "import formulajoint", "to its right"),
    (imports_to_the_left, "__init__.py", "from formulajoint.cli import main", "to its right"),
    (imports_to_the_left, "design/bind.py", "from formulajoint import parse", "in no room"),
    (imports_to_the_left, "spans.py", "from formulajoint.errors import DataError", "to its right"),
    (imports_to_the_left, "utils/misc.py", "", "no room of the house"),
    (absolute_imports, "design/bind.py", "from .frame import rows", "relative"),
    (absolute_imports, "design/bind.py", "def f():\n    from .. import errors", "relative"),
    (libraries_in_their_rooms, "language/parse.py", "import numpy as np", "numpy"),
    (libraries_in_their_rooms, "language/grammar/lower.py", "from lark import Tree", "lark"),
    (libraries_in_their_rooms, "design/bind.py", "import narwhals.stable.v2 as nw", "narwhals"),
    (libraries_in_their_rooms, "results/draws/tables.py", "import pymc as pm", "pymc"),
    (libraries_in_their_rooms, "design/bind.py", "import requests", "requests"),
    (text_is_never_code, "design/bind.py", "import pickle", "pickle"),
    (text_is_never_code, "design/bind.py", "from importlib import import_module\nimport_module(x)", "line 2"),
    (text_is_never_code, "design/bind.py", "import importlib\nimportlib.import_module(x)", "line 2"),
    (text_is_never_code, "design/bind.py", "eval('1')", "eval"),
    (text_is_never_code, "design/bind.py", "def f(x):\n    return getattr(numpy, x)", "line 2"),
    (
        for_all_engines,
        "inference/latent/phi.py",
        "def f():\n    from formulajoint.inference.gaussian.reduction import reduce",
        "line 2: `inference/latent/`",
    ),
    (
        for_all_engines,
        "inference/importance/pools.py",
        "from formulajoint.inference.latent.phi import Scales",
        "line 1: `inference/importance/`",
    ),
    (texts_are_not_read_back, "report/page.py", 'name.partition("[")[0]', "`partition`"),
    (texts_are_not_read_back, "report/answers.py", 'str(test["note"]).split("; ")', "`split`"),
    (texts_are_not_read_back, "report/answers.py", 'BY_SCORES in test["note"]', "`in note`"),
    (texts_are_not_read_back, "plots/forest.py", 'name.endswith("_mean")', "`endswith`"),
    (texts_are_not_read_back, "results/findings.py", "import re\nre.match(pattern, label)", "`re`"),
    (never_prints, "results/draws/tables.py", "def f():\n    print('done')", "line 2: `print`"),
    (
        clauses_are_read_once,
        "design/bind.py",
        "from formulajoint.language.syntax.nodes import Clause",
        "line 1: `formulajoint.language.syntax.nodes.Clause`",
    ),
    (
        clauses_are_read_once,
        "compiler/planning/plan.py",
        "from formulajoint.language.vocabulary.signatures import Slot, matched",
        "signatures.matched",
    ),
    (
        clauses_are_read_once,
        "design/hierarchy.py",
        "def f(x):\n    return x.keyword('df')",
        "line 2: `.keyword`",
    ),
    (clauses_are_read_once, "contrasts/weights.py", "def f(x):\n    return x.call.args", "line 2: `.call`"),
    (imports_at_the_top, "design/bind.py", "def f():\n    import re", "`re`"),
    (
        imports_at_the_top,
        "design/bind.py",
        "class A:\n    def f(self):\n        from json import dumps",
        "json",
    ),
    (short, "design/bind.py", "x = 1\n" * 401, "401 lines"),
    (short, "design/bind.py", "def f():\n    'doc'\n" + "    x = 1\n" * 60, "61 lines"),
    (laws_are_asked, "compiler/names.py", "x = plan.family.name == 'gaussian'", "line 1: `gaussian`"),
    (laws_are_asked, "compiler/names.py", "x = law in ('normal', 'cauchy')", "`cauchy`"),
    (
        laws_are_asked,
        "compiler/names.py",
        "match law:\n    case 'constant':\n        pass",
        "line 2: `constant`",
    ),
]


@pytest.mark.parametrize(("rule", "path", "source", "complaint"), BAD)
def test_rules_complain(rule, path, source, complaint):
    assert complaint in "\n".join(rule(Module(path, source)))


GOOD = [
    (imports_to_the_left, "cli.py", "import formulajoint\nfrom formulajoint.api.verbs import fit"),
    (
        imports_to_the_left,
        "design/bind.py",
        "from formulajoint.language import parse\nfrom formulajoint import errors",
    ),
    (text_is_never_code, "design/bind.py", "getattr(x, 'start', None)\nre.compile(x)\nmodel.eval()"),
    (imports_at_the_top, "plots/forest.py", "def f():\n    import matplotlib.pyplot as plt"),
    (laws_are_asked, "compiler/names.py", "x = priors == 'flat' or prior('normal', 0, 1)"),
    (short, "design/bind.py", "def f():\n    '''\n" + "    doc\n" * 100 + "    '''\n" + "    x = 1\n" * 59),
]


@pytest.mark.parametrize(("rule", "path", "source"), GOOD)
def test_rules_are_silent(rule, path, source):
    assert not list(rule(Module(path, source)))


# What an import loads


def libraries_loaded_by(code: str) -> set[str]:
    """Return the top-level modules, not of the standard library, that running `code` brings in."""
    program = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    return {
        name for name in loaded if name not in sys.stdlib_module_names and not name.startswith("__editable__")
    }


def test_import_loads_nothing():
    assert libraries_loaded_by("import formulajoint") == {"formulajoint"}


def test_parse_loads_the_parser_alone():
    code = "import formulajoint; formulajoint.parse('score ~ treatment | school, joint(weights=n)')"
    assert libraries_loaded_by(code) == {"formulajoint", "lark", "interegular"}


def test_loading_is_seen():
    assert "numpy" in libraries_loaded_by("import numpy")


def test_explaining_loads_no_sampler():
    code = (
        "import formulajoint as fj\n"
        "fj.model('test_score ~ treatment | school, joint(weights=n)', fj.tutoring()).explain()"
    )
    assert not libraries_loaded_by(code) & {"pymc", "pytensor", "numba", "arviz", "nutpie", "matplotlib"}


# The picture in the docs

PICTURE = Path(__file__).parents[1] / "docs" / "architecture.md"


def pictured(text: str) -> set[str]:
    """Return the paths of the modules drawn below ``formulajoint/``; a room's are indented by two under it."""
    paths, room = set(), ""
    for line in text.partition("    formulajoint/\n")[2].partition("\n## ")[0].splitlines():
        name = (line.split() or [""])[0]
        room = name if name.endswith("/") else room if line.startswith(" " * 8) else ""
        if name.endswith(".py"):
            paths.add(room + name)
    return paths


def test_picture_is_true():
    drawn = pictured(PICTURE.read_text(encoding="utf-8"))
    there = {module.path for module in MODULES if not module.path.endswith("/__init__.py")}
    assert drawn == there
