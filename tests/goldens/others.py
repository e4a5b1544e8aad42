"""Records that are of no single case: the language, the public names, settings, comparisons, PyMC beside, files, commands."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import formulajoint as fj
from goldens import elsewhere, reach
from goldens.figures import figures
from goldens.fits import draws_sections, evidence_line, normalised
from goldens.frames import frame
from goldens.languages import language
from goldens.models import recorded
from goldens.writing import (
    Lines,
    Record,
    array_line,
    json_lines,
    long_text,
    plain,
    said,
    table_lines,
    text_lines,
)

HERE = Path(__file__).parent
GOOD = HERE.parent / "cases" / "good_formulas.txt"
SEED = "test_score ~ treatment | school, joint(weights=n)"


def good_formulas() -> Record:
    """Return the canonical text of every good formula of tests/cases, and its JSON by hash; the JSON is read back."""
    lines: Lines = []
    for line in GOOD.read_text(encoding="utf-8").split("\n"):
        if not line or line.startswith("#"):
            continue
        formula = fj.parse(line.partition("  =>  ")[0], language=fj.CORE)
        data = json.dumps(reach.to_json(formula), ensure_ascii=False)
        again = reach.from_json(json.loads(data)) == formula == fj.parse(str(formula), language=fj.CORE)
        lines += [
            str(formula),
            *(f"    {line}" for line in long_text(data)),
            *([] if again else ["    NOT READ BACK"]),
        ]
    return {"formulas": lines}


def extended_formulas() -> Record:
    """Return formulas of extensions as text and JSON."""
    texts = {
        "mine": "y %minus% z ~ half(x) | g, largest(x, times=2, weights=share(pop, part=sum)), ends(), family(double_exponential)",
        "syntax": 'vs ~ vs | vs, A vs "School B", 1 vs 2',
        "robust": "y ~ x | g, trimmed(x, weights=root()), A vs B",
    }
    found = {}
    for name, text in texts.items():

        def ask(name: str = name, text: str = text) -> Lines:
            formula = fj.parse(text, language=language(name))
            return [str(formula), *json_lines(reach.to_json(formula))]

        found[name] = said(ask)
    return found


def public_names() -> Record:
    """Return the public names with their signatures, and those of the methods of what they return."""
    record: Record = {"names": [", ".join(sorted(fj.__all__))]}
    for name in sorted(fj.__all__):
        value = getattr(fj, name)
        if inspect.isclass(value):
            record[name] = _members(value)
        elif callable(value):
            record[name] = [signature(value)]
    return record


def signature(function: Callable[..., object]) -> str:
    """Return the parameters of a function with their defaults, and without their types."""
    found = inspect.signature(function)
    bare = [parameter.replace(annotation=parameter.empty) for parameter in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=found.empty))


def _members(kind: type) -> Lines:
    lines = [f"bases: {', '.join(base.__name__ for base in kind.__mro__[1:-1])}"]
    for name, member in sorted(vars(kind).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(member, property) or type(member).__name__ == "cached_property":
            lines.append(f"{name}: property")
        elif callable(member):
            lines.append(f"{name}{signature(member)}")
    return lines


def settings() -> Record:
    """Return fits of one model by other seeds, draws and chains, and without an engine's name."""
    model = fj.model("y ~ x | school, hierarchy(x), sigma ~ 1 | school", frame("trial"), language=fj.CORE)
    plain = fj.model(SEED, frame("tutoring"), language=fj.CORE)
    record: Record = {}
    asked: dict[str, dict[str, Any]] = {
        "three chains": {"draws": 37, "chains": 3, "seed": 7},
        "one chain": {"draws": 50, "chains": 1, "seed": 123456},
        "automatic": {"draws": 20, "chains": 2, "seed": 0, "engine": "auto"},
        "sums": {"draws": 20, "chains": 2, "seed": 0, "likelihood": "sums"},
    }
    for name, given in asked.items():
        for of, made in (("pooled", model), ("plain", plain)):
            found = draws_sections(made.fit(progress=False, **given))
            record |= {
                f"{of}, {name}: {head}": lines for head, lines in found.items() if not head.startswith("dims")
            }
    return record


def few_draws() -> Record:
    """Return what is said of draws that are too few for most figures, and of one chain."""
    model = fj.model("y ~ x + arm | school, joint()", frame("trial"), language=fj.CORE)
    record: Record = {}
    for chains, draws in ((1, 2), (1, 10), (2, 8)):
        fit = model.fit(draws=draws, chains=chains, seed=1, engine="exact")
        head = f"{chains} x {draws}"
        record |= {
            f"{head}: text": said(lambda fit=fit: text_lines(str(fit))),  # type: ignore[misc]
            f"{head}: test": said(lambda fit=fit: table_lines(fit.test(at_least=2))),  # type: ignore[misc]
            f"{head}: bands": said(lambda fit=fit: table_lines(fit.bands("x == 0"))),  # type: ignore[misc]
        }
    return record


def comparisons() -> Record:
    """Return log evidences and Bayes factors of several models of one response."""
    texts = (
        "test_score ~ 1",
        "test_score ~ treatment",
        "test_score ~ 1 | school",
        SEED,
        "test_score ~ treatment | school, sigma ~ 1 | school",
        "test_score ~ treatment | school, hierarchy(treatment)",
        "test_score ~ treatment | school, family(student)",
    )
    first = fj.fit(texts[0], frame("tutoring"), language=fj.CORE, seed=1, draws=10, chains=2)
    record: Record = {}
    for text in texts[1:]:
        model = fj.model(text, frame("tutoring"), language=fj.CORE)
        student = "student" in text
        fit = (
            reach.invented(model, 2, 10) if student else model.fit(seed=1, draws=10, chains=2, engine="exact")
        )

        def ask(fit: fj.Fit = fit) -> Lines:
            found = fit.compare(first)
            return [
                evidence_line(fit),
                f"log_factor={plain(found.value)}, log_factor_error={plain(found.error)}",
            ]

        record[text] = said(ask)
    return record


def beside_pymc() -> Record:
    """Return the variables of formulas that are built into an open PyMC model, with a prefix."""
    import pymc as pm  # seconds

    record: Record = {}
    texts: dict[str, tuple[str, dict[str, Any]]] = {
        "maths": (SEED, {}),
        "flat": (SEED, {"priors": "flat"}),
        "sums": ("test_score ~ treatment | school, hierarchy()", {"likelihood": "sums"}),
        "student": (f"{SEED}, sigma ~ 1 | school", {"family": "student"}),
    }
    with pm.Model() as model:
        for prefix, (text, given) in texts.items():
            added = fj.build(text, frame("tutoring"), prefix=prefix, language=fj.CORE, **given)
            record[prefix] = [
                f"{name}: {', '.join(model.named_vars_to_dims.get(name) or ())}" for name in added
            ]
    record["model"] = [line.strip() for line in text_lines(str(model.str_repr()))]
    record["coords"] = [f"{dim}: {', '.join(map(str, labels or ()))}" for dim, labels in model.coords.items()]
    return record


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("explain", "score~treatment   |school ,joint( weights = n )"),
    ("explain", "score ~ 1|school", "--json"),
    ("explain", SEED, "data.csv"),
    ("explain", SEED, "data.csv", "--json", "--priors", "flat"),
    ("explain", SEED, "data.csv", "--family", "student"),
    (
        "fit",
        SEED,
        "data.csv",
        "--seed",
        "1",
        "--draws",
        "100",
        "--chains",
        "2",
        "--save",
        "fit.nc",
        "--report",
        "fit.html",
    ),
    (
        "fit",
        SEED,
        "data.csv",
        "--seed",
        "1",
        "--draws",
        "100",
        "--chains",
        "2",
        "--json",
        "--prob",
        "0.8",
        "--priors",
        "flat",
    ),
    ("test", "fit.nc"),
    ("test", "fit.nc", "treatment[A] > treatment[B] > 0"),
    ("test", "fit.nc", "treatment == treatment[A]", "--rope", "2", "--json"),
    ("explain", "test_score ~ tretment | school", "data.csv"),
    ("fit", SEED, "none.csv"),
    ("fit", SEED, "data.txt"),
    ("fit", SEED, "data.csv", "--save", "fit.pkl"),
    ("fit", SEED, "data.csv", "--report", "fit.pdf"),
    ("fit", SEED, "data.csv", "--prob", "2"),
    ("fit", SEED, "data.csv", "--priors", "wide"),
    ("fit", SEED, "data.csv", "--engine", "nutpy"),
    ("explain", SEED, "semicolons.csv"),
    ("explain", SEED, "empty.csv"),
    ("test", "data.csv"),
    ("test", "fit.nc", "tretment == 0"),
)


def commands() -> Record:
    """Return what the command line answers, in a folder with a few files."""
    record: Record = {}
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        fj.tutoring().to_csv("data.csv", index=False)
        fj.tutoring().to_csv("semicolons.csv", index=False, sep=";")
        Path("empty.csv").write_text("")
        Path("data.txt").write_text("1\n")
        for arguments in COMMANDS:
            code, out, err = reach.run(*arguments)
            text = normalised(f"{out}{err}").replace(str(Path(folder).resolve()), "FOLDER").rstrip("\n")
            record[" ".join(arguments)] = [f"exit code {code}", *text_lines(text)]
        return record | draws_sections(fj.load("fit.nc"))


SAVED = {
    "saved-plain": (SEED, "tutoring"),
    "saved-pooled": ("y ~ x + arm | school, hierarchy(x), weights(w), joint(weights=population)", "trial"),
}
"""Fits whose files are kept: formula and frame."""


def path_of_saved(name: str) -> Path:
    """Return the file of a kept fit."""
    return HERE / "data" / f"{name}.nc"


def saved(name: str) -> Record:
    """Return what the fit says whose file is kept."""
    return _of_saved(fj.load(path_of_saved(name), fj.CORE))


def keep(name: str) -> None:
    """Save a fit in the place of the file that is kept, unless that says the same."""
    text, of = SAVED[name]
    fit = fj.fit(text, frame(of), language=fj.CORE, draws=30, chains=2, seed=1, engine="exact")
    with contextlib.suppress(fj.StoreError):
        if saved(name) == _of_saved(fit):
            return
    fit.save(path_of_saved(name))


def _of_saved(fit: fj.Fit) -> Record:
    return {
        "formula": text_lines(str(fit.model.formula)),
        "explain": text_lines(fit.model.explain()),
        "text": text_lines(str(fit)),
        "summary": table_lines(fit.summary()),
        "contrasts": table_lines(fit.contrasts()),
        "columns": [array_line(head, values) for head, values in reach.columns_of(fit.model)],
        "later": table_lines(fit.contrast("pairwise(Intercept)")),
    } | draws_sections(fit)


MAKE: dict[str, Callable[[], Record]] = {
    "language-good-formulas": good_formulas,
    "language-extended": extended_formulas,
    "public-names": public_names,
    "settings": settings,
    "few-draws": few_draws,
    "comparisons": comparisons,
    "beside-pymc": beside_pymc,
    "commands": commands,
    "figures": figures,
    "elsewhere-arrays": elsewhere.of_arrays,
    "elsewhere-dims": elsewhere.of_dims,
    "elsewhere-bambi": elsewhere.of_bambi,
    **{name: partial(saved, name) for name in SAVED},
}

OTHERS: dict[str, Callable[[], Record]] = {name: partial(recorded, make) for name, make in MAKE.items()}
