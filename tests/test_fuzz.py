"""A short version of benchmarks/fuzz.py: generated frames, formulas, questions and studies, and what must hold of each."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
fuzz = import_module("fuzz")

NUMBERS = {"formulas": [0, 1], "questions": [1, 3], "agreement": [3], "frames": range(15)}


@pytest.mark.parametrize(("part", "number"), [(part, number) for part in NUMBERS for number in NUMBERS[part]])
def test_whatever_people_bring(part: str, number: int) -> None:
    work, _ = fuzz.PARTS[part]
    record = work(number)
    assert not record["wrong"]
    assert record["done"]


def test_faults_are_found() -> None:
    """What the checks look for does not pass them."""
    import math
    import warnings

    import pandas as pd

    checks = import_module("fuzz_checks")
    found = checks.Found()
    with found.step("raises", ""):
        raise KeyError("x")
    with found.step("warns", ""):
        warnings.warn("divide by zero", RuntimeWarning, stacklevel=1)
    checks.check_table(
        pd.DataFrame({"mean": [1.0], "sd": [1.0], "hdi_low": [math.nan], "hdi_high": [1.0]}),
        (),
        "",
        "table",
        found,
        "",
    )
    checks.check_text("a\x1b[2J", "text", found, "")
    checks.check_json({"value": math.nan}, found, "")
    row = {"contour": math.nan, "gbpv": 1.5, "log_bf10": 0.0, "p_value": 0.5, "note": ""}
    checks.check_tests(pd.DataFrame([row]), found, "")
    assert len(found.wrong) == 7
