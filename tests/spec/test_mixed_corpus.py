"""Formulas of real mixed models, as the field writes them: at least 95 % are read, the others are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from formulajoint import CORE, FormulaError, parse
from formulajoint.spec.read import specification

FILE = Path(__file__).parents[1] / "data" / "mixed_formulas.txt"
LINES = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
REFUSED = {
    "brms/kidney/1": "censored",
    "greis_2022_osf/raw_SAT1_R1.csv/2": "`function(...)`",
    "lagisz_2020_osf_3/MA_dataset_with_ES.csv/2": "`gr(...)`",
    "languageR/english/1": "`rcs(...)`",
    "lme4/cbpp2/1": "ratio",
    "nlme/Cefamandole/1": "`SSbiexp(...)`",
    "nlme/Soybean/1": "`SSlogis(...)`",
    "pymc_examples/examples/data/item_response_nba.csv/1": "`%in%`",
    "rabe_hesketh/bladder.dta/1": "`Surv(...)`",
    "rabe_hesketh/blindness.dta/1": "`Surv(...)`",
    "rabe_hesketh/divorce2.dta/1": "`Surv(...)`",
    "rabe_hesketh/infections.dta/1": "`Surv(...)`",
    "rabe_hesketh/pups.dta/1": "`!`",
    "rabe_hesketh/recurrent.dta/1": "`Surv(...)`",
    "ros/Peacekeeping/data/pk&pkept.dta/1": "`Surv(...)`",
    "stata_catheter/catheter.dta/1": "`Surv(...)`",
    "stata_nlswork3/nlswork3.dta/1": "no `~`",
    "verberk_2022_zenodo/Data/Pcrit data for 195 fish species ( 2022_02_14).csv/1": "comma",
    "zuur_mixed/RIKZ.txt/1": "`ifelse(...)`",
}
"""What is refused, and what its message must name."""


def read(formula: str) -> FormulaError | None:
    try:
        specification(parse(formula, CORE), CORE)
    except FormulaError as error:
        return error
    return None


def test_at_least_95_of_100_are_read():
    refused = {name for name, _, formula, *_ in LINES if read(formula) is not None}
    assert len(LINES) == 381
    assert len(LINES) - len(refused) >= 0.95 * len(LINES)
    assert refused == set(REFUSED)


@pytest.mark.parametrize("line", [line for line in LINES if line[0] in REFUSED], ids=lambda line: line[0])
def test_what_is_refused_is_named_with_what_to_do(line):
    error = read(line[2])
    assert error is not None
    assert REFUSED[line[0]] in f"{error.message} {error.hint}"
    assert error.hint
