"""Hints lead on: a formula that a hint proposes is accepted, and a name that it proposes is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import formulajoint as fj
from goldens import errors
from goldens.errors_of_calls import wide

PROPOSED = re.compile(r"`([^`]+)`")
ANOTHER_NAME = re.compile(r"did you mean `([^`]+)`\?")
CASES = Path(__file__).parents[1] / "cases" / "bad_formulas.txt"


def model(text: str) -> None:
    fj.model(text, wide(), language=fj.CORE)


def parsed(text: str) -> None:
    fj.parse(text, language=fj.CORE)


def refusals(ask: Callable[[str], None], texts: tuple[str, ...]) -> list[tuple[str, fj.FormulaError]]:
    found = []
    for text in texts:
        try:
            ask(text)
        except fj.FormulaError as error:
            found.append((text, error))
        except fj.FormulaJointError:
            continue
    return found


LISTS = {
    "syntax": (parsed, errors.SYNTAX),
    "names": (model, errors.NAMES),
    "plans": (model, errors.PLANS),
    "priors": (model, errors.PRIORS),
    "contrasts": (model, errors.CONTRASTS),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_proposed_formula_is_accepted(name: str) -> None:
    ask, texts = LISTS[name]
    for text, error in refusals(ask, errors.lines(texts)):
        response = text.partition("~")[0].strip()
        for proposed in PROPOSED.findall(error.hint):
            if proposed.startswith(f"{response} ~ "):
                ask(proposed)


@pytest.mark.parametrize("name", LISTS)
def test_a_name_that_is_proposed_is_known(name: str) -> None:
    ask, texts = LISTS[name]
    proposals = 0
    for text, error in refusals(ask, errors.lines(texts)):
        if found := ANOTHER_NAME.fullmatch(error.hint):
            again = f"{text[: error.span.start]}{found[1]}{text[error.span.end :]}"
            proposals += 1
            for _, second in refusals(ask, (again,)):
                unknown = re.match(r"(the data have|there is|the formula has) no ", second.message)
                assert not (unknown and second.span.start == error.span.start), f"{text}: {second}"
    assert proposals > 0 or name in ("plans",)


def test_of_formulas_that_cannot_be_read_too() -> None:
    lines = CASES.read_text(encoding="utf-8").splitlines()
    texts = [line for line in lines if "~" in line and not line.startswith((" ", "#"))]
    seen = 0
    for text, error in refusals(parsed, tuple(texts)):
        response = text.partition("~")[0].strip()
        for proposed in PROPOSED.findall(error.hint):
            if response and proposed.startswith(f"{response} ~ "):
                parsed(proposed)
                seen += 1
    assert seen > 0
