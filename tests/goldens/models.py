"""What is recorded of a model: its formula, its explanation in every form, its plan, its columns, its PyMC variables."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import formulajoint as fj
from goldens import reach
from goldens.case import Case
from goldens.frames import frame
from goldens.languages import language
from goldens.writing import Lines, Record, array_line, json_lines, long_text, page_text, plain, text_lines


def model_of(case: Case) -> fj.JointModel:
    """Return the model of a case."""
    return fj.model(
        case.formula,
        frame(case.frame),
        priors=case.priors,  # type: ignore[arg-type]
        family=case.family,
        language=language(case.language),
    )


def model_sections(case: Case, model: fj.JointModel) -> Record:
    """Return the sections of a model."""
    page, data, shown = model.explain("html"), json_lines(model.record()), case.wants("html")
    record = {
        "asked": [f"{key}: {plain(value)}" for key, value in _asked(case).items()],
        "formula": text_lines(str(model.formula)),
        "formula as JSON": long_text("\n".join(formula_json(model.formula)), shown),
        "explain": text_lines(model.explain()),
        "explain as LaTeX": text_lines(model.explain("latex")),
        "explain as HTML": [*long_text(page), *(page_text(page) if shown else [])],
        "explain as JSON": long_text("\n".join(data), shown),
        "priors": [f"{name}: {prior}" for name, prior in model.priors.items()],
        "plan": json_lines(reach.plan_of(model)),
        "columns": [array_line(name, values) for name, values in reach.columns_of(model)],
    }
    return record | ({"PyMC": pymc_lines(model)} if case.wants("pymc") else {})


def _asked(case: Case) -> dict[str, str | None]:
    """Return what the model is made of, but the formula's text."""
    given = {"frame": case.frame, "priors": case.priors, "family": case.family, "language": case.language}
    return {key: value for key, value in given.items() if value}


def formula_json(formula: fj.Formula) -> Lines:
    """Return a formula as JSON, a line for each part."""
    data = reach.to_json(formula)
    clauses = [f"clause: {json.dumps(clause, ensure_ascii=False)}" for clause in data.pop("clauses")]
    data.pop("source")  # the text, as it was written
    return [*(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in data.items()), *clauses]


def pymc_lines(model: fj.JointModel) -> Lines:
    """Return the variables of the PyMC model with their dims, as PyMC writes them; nothing is compiled."""
    pymc = model.pymc
    dims = [f"{name}: {', '.join(pymc.named_vars_to_dims.get(name) or ())}" for name in pymc.named_vars]
    kinds = {
        "free": pymc.free_RVs,
        "observed": pymc.observed_RVs,
        "deterministic": pymc.deterministics,
        "potential": pymc.potentials,
    }
    lists = [f"{kind}: {', '.join(str(v.name) for v in found)}" for kind, found in kinds.items()]
    return [*dims, *lists, *(line.strip() for line in text_lines(str(pymc.str_repr())))]


@contextmanager
def heard(record: Record) -> Iterator[None]:
    """Add to a record the warnings that its making gave."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    told = [
        warning for warning in caught if not issubclass(warning.category, DeprecationWarning | FutureWarning)
    ]
    if told:
        record["warnings"] = list(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in told))


def recorded(make: Callable[[], Record]) -> Record:
    """Return what `make` returns, with the warnings that it gave."""
    told: Record = {}
    with heard(told):
        record = make()
    return record | told
