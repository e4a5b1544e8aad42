"""Predictions at rows: the mean of the response, a new response, or the linear predictor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from xarray import DataArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.frame import Frame, read_frame
from formulajoint.design.model_rows import NO_ROWS
from formulajoint.errors import DataError, InferenceError, warn
from formulajoint.results.draws.convergence import hdi
from formulajoint.results.draws.full_width import Table
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import check_prob
from formulajoint.results.predictions.evaluate import Evaluation, evaluation, refuse_several
from formulajoint.results.predictions.group_draws import NewGroups
from formulajoint.results.predictions.replicate import law_of, laws_at, probabilities_at
from formulajoint.wording import listed

type Kind = Literal["mean", "response", "linear"]
"""What is predicted."""

FIGURES = ("mean", "sd", "hdi_low", "hdi_high")

MOST_NUMBERS = 2**30
"""At most this many draws times rows are returned at once, 8 GiB."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Predictions of rows, not yet drawn.

    Attributes
    ----------
    found : Evaluation
        At the rows without missing values.
    kind : {"mean", "response", "linear"}
    index : Index
        Of all rows, those with missing values included.
    rng : Generator
    """

    found: Evaluation
    kind: Kind
    index: pd.Index[Any]
    rng: np.random.Generator

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of the response, each with its probability or share; empty if there is one number a row."""
        plan = self.found.posterior.plan
        return plan.design.response.levels if self.kind != "linear" and plan.family.categories else ()

    @property
    def places(self) -> IntArray:
        """The places of the rows without missing values among all."""
        rows = self.found.rows
        return np.arange(len(rows)) if len(rows) == len(self.index) else rows.places

    def blocks(self) -> Iterator[list[FloatArray]]:
        """Yield the draws of some rows after another, (N, S), of each category if there are any.

        A new response is 1 in its category and 0 in others.
        """
        for rows in self.found.blocks():
            if self.kind == "response":
                new = laws_at(self.found, rows).responses(self.rng).T
                yield [1.0 * (new == place) for place in range(len(self.categories))] or [new]
            elif self.categories:
                yield probabilities_at(self.found, rows)
            else:
                yield [self.found.linear(rows) if self.kind == "linear" else self.found.mean(rows)]


def predicted(
    posterior: Posterior, data: object, kind: Kind, new_groups: NewGroups, seed: int | None
) -> Predicted:
    """Return predictions at the rows of a data frame, or without one of the fit.

    Raises
    ------
    InferenceError
        If `kind` is unknown, or new responses cannot be drawn.
    DataError
        As by `evaluation`.
    """
    if kind not in get_args(Kind.__value__):
        raise InferenceError(f"`kind` must be one of {listed(get_args(Kind.__value__))}, not {kind!r}.")
    if kind == "response":
        law_of(posterior)
    if kind == "linear":
        refuse_several(posterior.plan)
    if data is None and posterior.plan.design.kept is None:
        raise DataError(NO_ROWS)
    frame = None if data is None else read_frame(data)
    found = evaluation(posterior, frame, new_groups, seed, response=kind == "response")
    out = Predicted(found, kind, _index(data, frame, found), np.random.default_rng(seed))
    missing = len(out.index) - len(found.rows)
    if missing:
        warn(f"{missing} of {len(out.index)} rows have missing values, and so have their predictions.")
    return out


def _index(data: object, frame: Frame | None, found: Evaluation) -> pd.Index[Any]:
    """Return the index of the data, or else the places of rows."""
    if frame is None:
        return pd.Index(found.rows.places, name="row")
    if isinstance(data, pd.DataFrame):
        return data.index
    return pd.RangeIndex(frame.rows, name="row")


def prediction_table(made: Predicted, prob: float) -> pd.DataFrame:
    """Return mean, sd and highest-density interval of the draws of each row, and of each category if there are any.

    They are NaN for a row with missing values. Of new categories there is only the mean, the share of draws.
    """
    check_prob(prob)
    count, shares = max(1, len(made.categories)), bool(made.categories) and made.kind == "response"
    figures = FIGURES[:1] if shares else FIGURES
    out = np.full((len(made.index), count, len(figures)), np.nan)
    start = 0
    for each in made.blocks():
        places = made.places[start : start + len(each[0])]
        for at, draws in enumerate(each):
            out[places, at, 0] = draws.mean(axis=1)
            if not shares:
                out[places, at, 1:] = np.column_stack([draws.std(axis=1, ddof=1), hdi(draws, prob)])
        start += len(each[0])
    index = made.index
    if made.categories:
        levels: Any = [list(index), list(made.categories)]
        index = pd.MultiIndex.from_product(levels, names=[index.name or "row", "category"])
    return Table(dict(zip(figures, out.reshape((-1, len(figures))).T, strict=True)), index=index)


def prediction_draws(made: Predicted) -> DataArray:
    """Return the draws as a DataArray over (chain, draw, row), and category; NaN for a row with missing values.

    New responses that are categories are their labels.

    Raises
    ------
    InferenceError
        If there are too many.
    """
    posterior, several = made.found.posterior, max(1, len(made.categories))
    count = len(made.index) * made.found.draws * several
    if count > MOST_NUMBERS:
        raise InferenceError(
            f"{len(made.index):,} rows of {made.found.draws:,} draws are {count:,} numbers, too many at once. Take "
            "some of the rows after another, or the table without `draws=True`."
        )
    out = np.full((several, len(made.index), made.found.draws), np.nan)
    blocks = list(made.blocks())
    for at in range(several if blocks else 0):
        out[at, made.places] = np.vstack([each[at] for each in blocks])
    values = out.transpose(2, 1, 0).reshape((*posterior.named.shape, len(made.index), several))
    name, coords = posterior.plan.design.response.name, {"row": made.index.to_numpy()}
    if made.categories and made.kind == "response":
        labels = np.array([*made.categories, np.nan], dtype=object)
        missing = np.isnan(values[..., 0])
        values = labels[np.where(missing, several, np.nan_to_num(values).argmax(axis=-1))][..., None]
    if not made.categories or made.kind == "response":
        return DataArray(values[..., 0], dims=("chain", "draw", "row"), coords=coords, name=name)
    dims = ("chain", "draw", "row", "category")
    return DataArray(values, dims=dims, coords=coords | {"category": list(made.categories)}, name=name)
