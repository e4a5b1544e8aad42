"""A fit as plain data: strict JSON, and the same figures as the tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from formulajoint.api.fit import Fit
from formulajoint.api.model import JointModel
from formulajoint.results.draws.posterior import Posterior

type MadeUp = Callable[..., Posterior]

ONE = "test_score ~ treatment | school, joint(weights=n)"


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def record_of(posterior: Posterior, **keywords: Any) -> dict[str, Any]:
    record = Fit(JointModel(posterior.plan), posterior).record(**keywords)
    back = json.loads(json.dumps(record, allow_nan=False), parse_constant=refuse)
    assert back == record, "something is not what JSON gives back"
    return back


def test_a_record_is_the_fit_as_plain_data(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up(ONE, tutoring, draws=1000, diverging=1)
    fit = Fit(JointModel(posterior.plan), posterior)
    record = record_of(posterior, prob=0.8)
    assert record["formula"] == ONE
    assert record["interval"] == {"kind": "hdi", "probability": 0.8}
    assert record["engine"] == "nutpie"
    summary = pd.DataFrame(record["summary"]).set_index("parameter")
    pd.testing.assert_frame_equal(summary, fit.summary(0.8), check_frame_type=False)
    estimates = pd.DataFrame(record["estimates"]).set_index("contrast")
    pd.testing.assert_frame_equal(
        estimates, fit.contrasts(0.8).drop(columns="weights"), check_frame_type=False
    )
    assert record["weights"]["joint_treatment"] == pytest.approx({"A": 0.4, "B": 0.6})
    assert record["diagnostics"] == list(fit.diagnostics())
    assert record.items() >= JointModel(posterior.plan).record().items()


def test_what_does_not_exist_is_null(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    record = record_of(made_up(ONE, tutoring.iloc[[0, 1, 2, 4, 9]], priors="flat", chains=1, draws=20))
    (joint,) = record["estimates"]
    assert joint["mean"] is None
    assert joint["sd"] is None
    assert joint["r_hat"] is None
    assert isinstance(joint["hdi_low"], float)


def test_weights_of_a_factor_are_keyed_by_group_and_level(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    record = record_of(made_up("outcome ~ arm | clinic, joint(weights=precision)", clinics))
    assert list(record["weights"]["joint_arm"])[:3] == ["east, high", "east, low", "north, high"]


def test_without_contrasts_the_lists_are_empty(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    record = record_of(made_up("test_score ~ treatment", tutoring))
    assert record["contrasts"] == record["estimates"] == []
    assert record["weights"] == {}
    assert record["groups"] is None


def test_a_record_holds_the_joint_tests(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up(ONE, tutoring, draws=1000)
    (row,) = record_of(posterior)["tests"]
    table = Fit(JointModel(posterior.plan), posterior).test()
    assert row["hypothesis"] == "treatment == 0"
    assert row["log_bf10"] == table.loc["treatment == 0", "log_bf10"]
    assert row["note"] == table.loc["treatment == 0", "note"]
    assert record_of(made_up("test_score ~ treatment", tutoring, draws=1000))["tests"] == []
