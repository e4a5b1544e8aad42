"""Joint tests of draws from other sources: does any group's coefficient differ from a hypothesis?"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.contrasts.labels import hypothesis_of
from formulajoint.errors import DataError
from formulajoint.results.draws.full_width import Table
from formulajoint.results.external.draws import Draws, GroupDraws, Source, read_draws
from formulajoint.results.joint_tests import figures
from formulajoint.results.joint_tests.shares import (
    SHARES,
    Question,
    Shares,
    by_distance,
    columns_of,
    counted,
    counting_notes,
    with_errors,
)
from formulajoint.spec.read import parse_hypotheses

COLUMNS = ["rank", *(column for share in SHARES for column in (share, f"{share}_mcse")), "ess", "note"]


def joint_test(
    draws: Draws,
    hypothesis: str | None = None,
    *,
    null: ArrayLike = 0.0,
    rope: float | None = None,
    at_least: int | None = None,
    variable: str | None = None,
    dim: str | None = None,
    groups: Sequence[str] | None = None,
    base: str | None = None,
    reference: str | None = None,
) -> pd.DataFrame:
    """Return the joint test of any posterior: does any group's coefficient differ from a hypothesis?

    Parameters
    ----------
    draws : array, DataArray, Dataset, DataTree or mapping of name to array
        As for `joint`.
    hypothesis : str, optional
        Equalities or an order of groups by their labels, as ``fit.test`` takes them for coefficients: ``"A == B"``,
        ``"A > B > 0"``, ``"A - 2*C == 1, B == 0"``; or by the variable, ``"slope == 0"``,
        ``"slope[308] == slope[309]"``. None tests whether all are `null`.
    null : float or array
        Without a hypothesis, the value of each coefficient under the null.
    rope : float, optional
        Half-width of the region about the null that counts as no effect.
    at_least : int, optional
        Adds the probability that at least this many of the quantities tested are above zero.
    variable, dim, groups, base, reference
        As for `joint`; with `dim` there is a row for each cell of the other dims.

    Returns
    -------
    DataFrame
        One row: rank; contour, gbpv, p_all_positive, p_all_negative, p_at_least, p_in_rope, p_out_of_rope, each with
        its Monte Carlo standard error in a column ``..._mcse``; ess, the smallest effective number of draws; and a
        note. ``docs/statistics.md`` defines them; a Bayes factor and the F test need the model, not draws alone.

    Raises
    ------
    DataError
        If there are fewer draws than twice the quantities, or an argument does not fit.
    InferenceError
        If `at_least` is not a possible number of the quantities tested.
    FormulaError
        If the hypothesis is wrong; the error shows the place.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> draws = np.random.default_rng(1).normal([0.1, -0.1, 3.0], 1.0, size=(4, 1000, 3))
    >>> table = fj.joint_test(draws, "A == B", groups=["A", "B", "C"])
    >>> bool(table["contour"].iloc[0] > 0.8)
    True
    """
    found = read_draws(draws, Source(variable, dim, groups, base, reference))
    asked = Question(_rope(rope), at_least)
    said = _all_null(found, null) if hypothesis is None else _read(found, hypothesis)
    rows = {
        f"{cell}: {said.text}" if cell else said.text: _test(values, said, asked)
        for cell, values in zip(found.cells, found.values, strict=True)
    }
    return Table.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("hypothesis")


def _test(values: FloatArray, said: Hypothesis, asked: Question) -> dict[str, Any]:
    """Return the figures of draws (chain, draw, group)."""
    flat = values.reshape((-1, values.shape[2]))
    away = (said.rows @ flat.T).T.reshape((*values.shape[:2], -1)) - said.null
    effective = figures.effective_draws(away)
    kept = independent(said.rows)
    if len(flat) <= 2 * len(kept) and not said.order:
        raise DataError(f"{len(flat)} draws are too few for {len(kept)} quantities: draw more.")
    found = Shares({}) if said.order else by_distance(away, away[:, :, kept], effective)
    shares = {**found.figures, **counted(away, asked)}
    notes = [note.text for note in found.notes]
    notes += ["order: P(all > 0) is its posterior probability"] if said.order else []
    notes += [note.text for note in counting_notes(shares, effective)]
    row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan) | columns_of(with_errors(shares, effective))
    rank = len(said.null) if said.order else len(kept)
    return row | {"rank": rank, "ess": effective, "note": "; ".join(notes)}


def _read(found: GroupDraws, text: str) -> Hypothesis:
    if not isinstance(text, str):
        raise DataError(f"A hypothesis is a text such as 'A == B', not {text!r}; values go to null=.")
    return hypothesis_of(found.labels, parse_hypotheses(text))


def _all_null(found: GroupDraws, null: ArrayLike) -> Hypothesis:
    """Return the hypothesis that each group's coefficient is its `null`."""
    q = len(found.groups)
    try:
        values = np.array(np.broadcast_to(np.asarray(null, dtype=float), (q,)))
    except ValueError as error:
        raise DataError(f"`null` must be a number, or {q} of them.") from error
    if not np.isfinite(values).all():
        raise DataError(f"`null` must be a number, or {q} of them.")
    said = f"{values[0]:g}" if np.all(values == values[0]) else "null"
    rows = scipy.sparse.csr_array(scipy.sparse.eye_array(q, format="csr"))
    return Hypothesis(f"{found.labels.name} == {said}", rows, values, False, ())


def _rope(rope: float | None) -> float | None:
    if rope is not None and not (isinstance(rope, Real) and 0 < rope < np.inf):
        raise DataError(f"`rope` must be above zero, not {rope}.")
    return rope
