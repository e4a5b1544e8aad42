"""The records of errors: class and whole message of each, in one file for each kind of mistake."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import formulajoint as fj
from goldens import errors, errors_of_calls, errors_of_others, reach
from goldens.errors_of_calls import Calls, asked_fit, wide
from goldens.errors_of_data import FRAMES, IMPROPER, ROWS, VALUES
from goldens.models import recorded
from goldens.others import path_of_saved
from goldens.writing import Record, error_lines

TINY = re.compile(r"\b\d(?:\.\d+)?e-[2-9]\d\b")
"""A number that is nothing but rounding, in a message."""

NONE = "There is no error."
"""What is recorded where nothing was wrong; the tests refuse it."""


def answers(calls: Calls) -> Record:
    """Return what each of the calls is answered with."""
    record: Record = {}
    for head, call in calls.items():
        try:
            call()
        except Exception as error:  # whatever it is: errors that are no words for a user are recorded, too
            record[head] = [TINY.sub("ROUNDING", line) for line in error_lines(error)]
        else:
            record[head] = [NONE]
    return record


def texts(of: str, ask: Callable[[str], object]) -> Callable[[], Calls]:
    """Return a function that returns a call of `ask` for each formula of a list."""
    return lambda: {text: partial(ask, text) for text in errors.lines(of)}


def _model(text: str, data: object = None, priors: Any = None) -> fj.JointModel:
    return fj.model(text, data, priors, language=fj.CORE)


def _wide(text: str) -> fj.JointModel:
    return _model(text, wide())


def of_values() -> Calls:
    """Return formulas over six rows with wrong columns."""
    heads = [
        f"{text} with another {', '.join(columns)} (case {n})" for n, (text, columns) in enumerate(VALUES)
    ]
    calls = [partial(_model, text, ROWS | columns) for text, columns in VALUES]
    return dict(zip(heads, calls, strict=True))


def of_frames() -> Calls:
    """Return data that are no data frame, for ``y ~ x``."""
    return {name: partial(_model, "y ~ x", data) for name, data in FRAMES.items()}


def of_improper() -> Calls:
    """Return posteriors that do not exist."""
    heads = [
        f"{text} with {priors or 'default'} priors (case {n})" for n, (text, _, priors) in enumerate(IMPROPER)
    ]
    calls = [partial(_model, *given) for given in IMPROPER]
    return dict(zip(heads, calls, strict=True))


def of_files() -> Calls:
    """Return loads of files that were damaged."""
    saved = path_of_saved("saved-plain").read_bytes()

    def load(whole: Callable[[bytes], bytes]) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "fit.nc"
            path.write_bytes(whole(saved))
            try:
                fj.load(path)
            except fj.StoreError as error:
                raise fj.StoreError(str(error).replace(folder, "FOLDER")) from None

    return {
        "an empty file": lambda: load(lambda whole: b""),
        "half a file": lambda: load(lambda whole: whole[: len(whole) // 2]),
        "one byte more": lambda: load(lambda whole: whole + b"!"),
        "one byte another": lambda: load(
            lambda whole: whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:]
        ),
        "a CSV file": lambda: load(lambda whole: b"y,x\n1,2\n"),
        "without a seal": lambda: load(lambda whole: whole[:-48]),
    }


CALLS: dict[str, Callable[[], Calls]] = {
    "syntax": texts(errors.SYNTAX, lambda text: fj.parse(text, language=fj.CORE)),
    "names": texts(errors.NAMES, _wide),
    "plans": texts(errors.PLANS, _wide),
    "priors": texts(errors.PRIORS, _wide),
    "exact-engine": texts(
        errors.EXACT, lambda text: _wide(text).fit(engine="exact", draws=4, chains=1, seed=1)
    ),
    "contrasts": texts(errors.CONTRASTS, _wide),
    "clauses": texts(errors_of_calls.CLAUSES, lambda text: asked_fit().contrast(text)),
    "hypotheses": texts(errors_of_calls.HYPOTHESES, lambda text: asked_fit().test(text)),
    "clauses-alone": texts(errors_of_calls.CLAUSES_ALONE, lambda text: reach.parse_clause(text, fj.CORE)),
    "hypotheses-alone": texts(errors_of_calls.HYPOTHESES_ALONE, reach.parse_hypotheses),
    "values": of_values,
    "frames": of_frames,
    "improper": of_improper,
    "fits": errors_of_calls.of_a_fit,
    "verbs": errors_of_calls.of_verbs,
    "draws": errors_of_others.of_draws,
    "extensions": errors_of_others.of_extensions,
    "files": of_files,
}


def _answered(calls: Callable[[], Calls]) -> Record:
    return answers(calls())


ERRORS: dict[str, Callable[[], Record]] = {
    f"errors-{name}": partial(recorded, partial(_answered, calls)) for name, calls in CALLS.items()
}
