"""The table of joint tests: one row each; a figure that is not defined is empty, and a note says why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.draws.full_width import Table
from formulajoint.results.joint_tests.bayes_factor.verdict import Verdict
from formulajoint.results.joint_tests.classical import Classical
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.shares import SHARES, columns_of

COLUMNS = [
    "rank",
    *(column for share in SHARES for column in (share, f"{share}_mcse")),
    "log_bf10",
    "log_bf10_mcse",
    "log_bf10_hierarchy",
    "log_bf10_hierarchy_mcse",
    "verdict",
    "verdict_low",
    "verdict_high",
    "classical",
    "statistic",
    "df_num",
    "df_denom",
    "p_value",
    "note",
]


class JointTable(Table):
    """The table of joint tests: printed whole, it shows no Monte Carlo errors and no column that is empty."""

    @property
    def _constructor(self) -> type[Table]:
        return JointTable

    def __repr__(self) -> str:
        if (hidden := self._hidden()) == 0:
            return super().__repr__()
        more = f"{hidden} more columns have Monte Carlo errors or are empty here: `.columns` names all."
        return f"{self._shown()!r}\n{more}"

    def _repr_html_(self) -> str | None:
        return self._shown()._repr_html_() if self._hidden() else super()._repr_html_()

    def _hidden(self) -> int:
        """Return how many columns are left out: none once columns are chosen."""
        return self.shape[1] - self._shown().shape[1] if list(self.columns) == COLUMNS else 0

    def _shown(self) -> Table:
        empty = self.isna() | (self == "")
        return Table(self.loc[:, [not c.endswith("_mcse") and not empty[c].all() for c in self.columns]])


def joint_table(tests: Iterable[JointTest]) -> pd.DataFrame:
    """Return one row per test with the columns of `COLUMNS`; its hypothesis' name or text is in the index."""
    rows = {test.label: _row(test) for test in tests}
    return JointTable.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("hypothesis")


def _row(test: JointTest) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS, float("nan")) | {"verdict": "", "classical": ""}
    row |= {"rank": test.rank, "note": test.note} | columns_of(test.shares)
    if isinstance(test.bayes_factor, LogIntegral):
        row |= {"log_bf10": test.bayes_factor.value, "log_bf10_mcse": test.bayes_factor.error}
    if isinstance(test.one_kind, Against):
        found = test.one_kind.value
        row |= {"log_bf10_hierarchy": found.value, "log_bf10_hierarchy_mcse": found.error}
    if isinstance(test.verdict, Verdict):
        row |= {
            "verdict": test.verdict.kind,
            "verdict_low": test.verdict.low,
            "verdict_high": test.verdict.high,
        }
    if isinstance(test.classical, Classical):
        row |= {
            "classical": test.classical.name,
            "statistic": test.classical.statistic,
            "df_num": test.classical.df_num,
            "df_denom": test.classical.df_denom,
            "p_value": test.classical.p_value,
        }
    return row
