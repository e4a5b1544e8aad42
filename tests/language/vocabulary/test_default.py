"""The language where none is given: what is installed, what was registered, and what could not be loaded."""

import shutil
import subprocess
import sys
import textwrap
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module, invalidate_caches
from pathlib import Path
from threading import Barrier

import pymc as pm
import pytest

import formulajoint as fj
from formulajoint.language.vocabulary import default
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.default import default_language, present, register

PLUGIN = """
import formulajoint as fj


def largest(effects, weights):
    return effects.max(axis=0)


extension = fj.Extension({name!r}, [fj.Contrast(largest, name={clause!r})])
"""


@pytest.fixture
def fresh(monkeypatch):
    """A default language of which nothing is known yet, in a process where much is installed."""
    monkeypatch.setattr(default, "_default", default._Default())


def install(folder, package, code, target="extension"):
    """Write a package as an installer would have, into a folder that is on the path."""
    (folder / f"{package}.py").write_text(code, encoding="utf-8")
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(
        f"[formulajoint.extensions]\n{package} = {package}:{target}\n", encoding="utf-8"
    )


@pytest.fixture
def site(tmp_path, monkeypatch, fresh):
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("good_one", "good_two", "bad_one"):
        sys.modules.pop(name, None)


def test_what_is_installed_is_known(site):
    install(site, "good_one", PLUGIN.format(name="good-one", clause="largest"))
    formula = fj.parse("y ~ x | g, largest(x)")
    assert formula.extensions == ("good-one",)
    assert CORE.extensions == frozenset()
    with pytest.raises(fj.FormulaError, match="there is no clause `largest`"):
        fj.parse("y ~ x | g, largest(x)", language=fj.CORE)


@pytest.mark.parametrize(
    ("code", "target", "words"),
    [
        ("raise RuntimeError('out of order')", "extension", "RuntimeError: out of order"),
        ("", "extension", "AttributeError"),
        ("extension = 3", "extension", "extended by an Extension, not by 3"),
        (
            PLUGIN.format(name="bad", clause="joint"),
            "extension",
            "is a clause of the language itself already",
        ),
        ("import nothing_of_the_kind", "extension", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "extension", "SystemExit: 3"),
        ("import sys\nsys.exit()", "extension", "left out: SystemExit."),
        ("raise GeneratorExit", "extension", "GeneratorExit"),
        ("class Stop(BaseException): pass\nraise Stop('not here')", "extension", "Stop: not here"),
        ("raise Warning('of old age')", "extension", "Warning: of old age"),
        ("class extension: name = 3", "extension", "not by <class"),
        ("def extension(): return None", "extension", "not by <function"),
        ("extension = __import__('formulajoint').Extension", "extension", "not by <class"),
    ],
)
def test_a_broken_plug_in_is_left_out_with_a_warning(site, code, target, words):
    install(site, "bad_one", code, target)
    install(site, "good_one", PLUGIN.format(name="good-one", clause="largest"))
    with pytest.warns(fj.FormulaJointWarning, match=words) as warned:
        assert str(fj.parse("y ~ x | g, joint(x)")) == "y ~ x | g, joint(x)"
    assert "`bad_one` of package `bad_one` is left out" in str(warned[0].message)
    assert fj.parse("y ~ x | g, largest(x)").extensions == ("good-one",)  # and no second warning


def test_the_first_parse_may_be_in_several_threads(site):
    """Each has the extension, however long it takes to load, and what is left out is told once."""
    install(site, "bad_one", "raise SystemExit(1)")
    slow = "import time\ntime.sleep(0.2)\n" + PLUGIN.format(name="good-one", clause="largest")
    install(site, "good_one", slow)
    barrier, found = Barrier(8), []

    def first(_: int) -> None:
        barrier.wait()
        found.append(fj.parse("y ~ x | g, largest(x)").extensions)

    with warnings.catch_warnings(record=True) as warned, ThreadPoolExecutor(8) as pool:
        warnings.simplefilter("always")
        list(pool.map(first, range(8)))
    assert found == [("good-one",)] * 8
    assert len(warned) == 1


def test_a_thread_may_import_the_plug_in_that_another_one_loads(site):
    """The module parses while it is imported: neither thread may wait for the other."""
    code = "import time\nimport formulajoint as fj\ntime.sleep(0.2)\nfj.parse('y ~ x')\n"
    install(site, "good_one", code + PLUGIN.format(name="good-one", clause="largest"))
    with ThreadPoolExecutor(2) as pool:
        imported = pool.submit(import_module, "good_one")
        time.sleep(0.05)
        parsed = pool.submit(fj.parse, "y ~ x | g, largest(x)")
        assert parsed.result(timeout=20).extensions == ("good-one",)
        imported.result(timeout=20)


def test_threads_may_register_at_once(fresh):
    """Each replaces the default language by its own extension added; none is lost."""

    def added(number: int) -> None:
        fj.register(fj.Extension(f"e{number}", [fj.Contrast(lambda e, w: e.sum(axis=0), name=f"c{number}")]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(added, range(40)))
    assert default_language().extensions == {f"e{number}" for number in range(40)}


def test_a_plug_in_that_registers_itself_too_is_there_once(site):
    install(site, "good_one", PLUGIN.format(name="one", clause="largest") + "\nfj.register(extension)\n")
    with pytest.warns(fj.FormulaJointWarning, match="The language has an extension `one` already"):
        assert fj.parse("y ~ x | g, largest(x)").extensions == ("one",)
    assert fj.parse("y ~ x | g, largest(x)").extensions == ("one",)


def test_an_interruption_while_plug_ins_load_leaves_nothing_behind(site):
    install(site, "bad_one", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        fj.parse("y ~ x")
    (site / "bad_one.py").write_text(PLUGIN.format(name="late", clause="largest"), encoding="utf-8")
    invalidate_caches()
    shutil.rmtree(site / "__pycache__", ignore_errors=True)
    assert fj.parse("y ~ x | g, largest(x)").extensions == ("late",)


def extended(make):
    made = make()
    return fj.CORE.extend(made if isinstance(made, fj.Extension) else fj.Extension("n", [made]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: fj.Extension("n", [fj.Contrast]), "`brings` of extension `n` holds <class"),
        (lambda: fj.Extension("n", [], [], [3]), "`rules` of extension `n` is"),
        (lambda: fj.Extension("n", [], [], {"a": 3}), "`rules` of extension `n` is"),
        (lambda: fj.Operator(3, lambda a, b: a), "cannot be the name of an operator"),
        (lambda: fj.Contrast(lambda effects, weights: 1, name=3), "cannot be the name of a clause"),
        (lambda: fj.Family(lambda mu: mu, ["b"], name="bad"), "`parameters` of the family `bad`"),
        (lambda: fj.Family(lambda mu: mu, {}, link=[], name="bad"), "unknown link"),
        (lambda: fj.Family(lambda mu: mu, {}, name="bad", above="x"), "`above` of the family `bad`"),
        (lambda: fj.Family(lambda mu: mu, {}, name="bad", below=float("nan")), "`below` of the family `bad`"),
        (
            lambda: fj.Family(lambda mu: mu, {}, name="bad", above=2, below=1),
            "no response above 2 and below 1",
        ),
    ],
)
def test_parts_that_are_nonsense_are_refused(make, said):
    with pytest.raises(fj.ExtensionError) as error:
        extended(make)
    assert said in str(error.value)


def test_of_two_that_clash_the_second_is_left_out(site):
    install(site, "good_one", PLUGIN.format(name="one", clause="largest"))
    install(site, "good_two", PLUGIN.format(name="two", clause="largest"))
    with pytest.warns(
        fj.FormulaJointWarning, match="`largest` of extension `two` is a clause of extension `one`"
    ):
        assert fj.parse("y ~ x | g, largest(x)").extensions == ("one",)


def test_a_plug_in_may_parse_while_it_is_loaded(site):
    code = "import formulajoint as fj\nfj.parse('y ~ x')\n" + PLUGIN.format(name="good-one", clause="largest")
    install(site, "good_one", code)
    assert fj.parse("y ~ x | g, largest(x)").extensions == ("good-one",)


def test_registering_replaces_the_default_and_changes_no_language(fresh):
    before = default_language()

    @fj.contrast
    def largest(effects, weights):
        return effects.max(axis=0)

    name = f"{__name__}.test_registering_replaces_the_default_and_changes_no_language.<locals>.largest"
    assert fj.parse("y ~ x | g, largest(x)").extensions == (name,)
    assert "largest" not in before.names["clause"]
    assert "largest" not in CORE.names["clause"]


def test_a_cell_that_is_run_again_replaces(fresh):
    for cut in (0.1, 0.2):

        @fj.contrast
        def largest(effects, weights, *, cut=cut):
            return effects.max(axis=0) * cut

    assert default_language().meaning("clause", "largest").function is largest
    assert len(default_language().added) == 1


def test_a_clash_leaves_the_default_as_it_was(fresh):
    register(fj.Extension("theirs", [fj.Contrast(lambda effects, weights: effects[0], name="first")]))
    before = default_language()
    with pytest.raises(
        fj.ExtensionError, match="`first` of extension `mine` is a clause of extension `theirs`"
    ):
        register(fj.Extension("mine", [fj.Contrast(lambda effects, weights: effects[0], name="first")]))
    with pytest.raises(fj.ExtensionError, match="takes an Extension"):
        register(len)
    assert default_language() is before


def test_decorators_take_arguments_and_give_the_function_back(fresh):
    def first(effects, weights):
        return effects[0]

    assert fj.contrast(name="foremost", meaning="first group's")(first) is first
    assert default_language().meaning("clause", "foremost").meaning == "first group's"


def test_json_needs_the_extensions_of_its_formula(fresh):
    from formulajoint.spec.json import from_json, to_json

    fj.contrast(name="foremost")(lambda effects, weights: effects[0])
    formula = fj.parse("y ~ x | g, foremost(x)")
    assert from_json(to_json(formula)) == formula
    with pytest.raises(fj.StoreError, match="needs the extension"):
        from_json(to_json(formula), fj.CORE)


def test_a_column_named_like_an_extension_needs_none(fresh):
    fj.contrast(name="foremost")(lambda effects, weights: effects[0])
    assert fj.parse("foremost ~ x + foremost | foremost, joint(foremost)").extensions == ()


def test_a_model_needs_the_language_of_its_formula(fresh):
    fj.contrast(name="foremost")(lambda effects, weights: effects[0])
    formula = fj.parse("test_score ~ treatment | school, foremost(treatment)")
    assert [c.name for c in fj.model(formula, fj.tutoring()).plan.contrasts] == ["foremost_treatment"]
    with pytest.raises(fj.ExtensionError, match="which this language lacks"):
        fj.model(formula, fj.tutoring(), language=fj.CORE)
    with pytest.raises(fj.FormulaError, match="there is no clause `foremost`"):
        fj.model(str(formula), fj.tutoring(), language=fj.CORE)


def test_registering_loads_no_pymc():
    code = """
        import sys
        import formulajoint as fj
        @fj.contrast
        def largest(effects, weights): return effects.max(axis=0)
        fj.parse("y ~ x | g, largest(x)")
        print({"pymc", "pytensor", "pandas", "arviz"} & set(sys.modules))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    "door",
    [
        lambda text, language: fj.parse(text, language),
        lambda text, language: fj.model(text, fj.tutoring(), language=language),
    ],
)
def test_a_language_is_a_language(door):
    with pytest.raises(fj.ExtensionError, match="`language` is a Language, such as `CORE`"):
        door("test_score ~ treatment", "versus")


def test_few_know_the_default():
    package = Path(fj.__file__).parent
    knowing = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "formulajoint.language.vocabulary.default import" in path.read_text(encoding="utf-8")
        and path.name != "__init__.py"
    }
    assert knowing == {
        "cli.py",
        "aggregates/moments.py",
        "spec/read.py",
        "spec/json.py",
        "results/saved/design_codec.py",
        "results/draws/contrast.py",
        "results/external/contrasts.py",
        "api/verbs.py",
        "api/decorators.py",
        "api/families.py",
    }


def test_what_was_the_default_is_read_as_the_default_of_now(fresh):
    before = default_language()
    own = CORE.extend(fj.Extension("own"))
    register(fj.Extension("later", [fj.Contrast(lambda effects, weights: effects[0], name="later")]))
    assert present(before) is default_language()
    assert "later" in present(before).names["clause"]
    assert "later" not in before.names["clause"]
    assert present(own) is own
    assert present(CORE) is CORE


def test_build_takes_a_language():
    extension = fj.Extension("mine", [fj.Contrast(lambda effects, weights: effects[0], name="foremost")])
    with pm.Model() as model:
        formula = "test_score ~ treatment | school, foremost(treatment)"
        fj.build(formula, fj.tutoring(), prefix="one", language=fj.CORE.extend(extension))
    assert "one_foremost_treatment" in model.named_vars
