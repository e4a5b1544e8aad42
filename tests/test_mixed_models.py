"""Real mixed models of others by the exact engine, beside lme4's (REML) and metafor's figures, computed from the same data.

``benchmarks/mixed_fits.py`` has all of them. Those of events and counts are beside an adaptive quadrature of 41 nodes by
others, at the estimates of lme4's `glmer` with 15 nodes, and those of ordered categories beside ordinal's `clmm`
(``benchmarks/mixed_events.py``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import formulajoint as fj
from formulajoint.compiler.over import by_bar
from formulajoint.inference.engine import exact_engine
from formulajoint.inference.settings import Settings
from formulajoint.remarks import Missing

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
from mixed_events import log_likelihood_at_estimates, model_for
from mixed_fits import fixed_distance, formula_of, sds_inside, table

FOLDER = Path(__file__).parent / "data" / "mixed"
RECORDS = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))
EVENTS = json.loads((FOLDER / "events.json").read_text(encoding="utf-8"))
DRAWS = 1000


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record["id"]))
def test_shared_coefficients_and_sds_are_those_of_others(record: dict[str, Any]) -> None:
    plan = fj.model(formula_of(record), table(FOLDER, record), priors="flat").plan
    engine = exact_engine(plan)
    assert not isinstance(engine, Missing), engine.reason
    draws = engine.draw(plan, Settings(DRAWS, 0, 4, 1, 0.9, False))
    assert draws.trust.why_not() is None
    reference = record["reference"][record["main"]]
    far, error, unknown = fixed_distance(plan, draws, reference)
    assert unknown == 0
    assert far < 0.15 + 4 * error
    inside, known, outside = sds_inside(plan, draws, reference)
    assert known == sum(len(each["terms"]) for each in reference["random"]) + ("sigma" in reference)
    assert inside == known, outside


@pytest.mark.parametrize("record", EVENTS, ids=lambda record: str(record["id"]))
def test_log_likelihoods_of_events_are_those_of_others(record: dict[str, Any]) -> None:
    (reference,) = record["reference"].values()
    wanted = reference.get("neg2loglik_quadrature41", reference.get("neg2loglik"))
    found = log_likelihood_at_estimates(by_bar(model_for(FOLDER, record).plan), reference)
    assert found == pytest.approx(-wanted / 2, abs=2e-5)
