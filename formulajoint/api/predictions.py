"""Predictions of a fit, and effects on the scale of the response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from formulajoint.aggregates.make import in_memory
from formulajoint.api.other_names import known_arguments, refuse_others
from formulajoint.inference.settings import check_seed
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import PROB

if TYPE_CHECKING:
    from formulajoint.results.predictions.comparisons import Scale
    from formulajoint.results.predictions.effects import Asked, Groups, On
    from formulajoint.results.predictions.grid import GridKind
    from formulajoint.results.predictions.group_draws import NewGroups
    from formulajoint.results.predictions.predict import Kind

NOTHING: Mapping[str, Any] = MappingProxyType({})
GRID = ("fit", "kind", "new_data")
"""The arguments of `grid` besides columns."""


class Predictions:
    """The predictions of a fit, which `Fit` inherits."""

    draws: Posterior

    @known_arguments
    def predict(
        self,
        new_data: object = None,
        kind: Kind = "mean",
        prob: float = PROB,
        new_groups: NewGroups = "error",
        draws: bool = False,
        seed: int | None = 0,
    ) -> Any:
        """Return predictions at the rows of a data frame.

        Parameters
        ----------
        new_data : data frame, optional
            Of any kind that `fit` takes, also the path of Parquet or CSV files, with the columns that the model reads;
            the response need not be among them. Functions of columns keep what they learnt from the data of the fit.
            Default: the rows of the fit.
        kind : {"mean", "response", "linear"}
            The mean of the response, with events their probability, with successes among trials their share and of
            categories the probability of each; a new response, such as a count of successes; or the linear predictor,
            on the link's scale.
        prob : float
            Probability of the highest-density interval.
        new_groups : {"error", "draw", "mean"}
            What to do about groups that the fit has not seen: refuse them, draw them from their hierarchy, or set them
            to its mean. Groups that are not pooled cannot be drawn.
        draws : bool
            Whether to return the draws, a DataArray over chain, draw and row, instead of the table.
        seed : int, optional
            For new responses and new groups.

        Returns
        -------
        DataFrame
            One row per row of the data, with their index: mean, sd, hdi_low, hdi_high; NaN where a value is missing.
            Of categories one per row and category; of new responses then the share of draws in each.
            Without new data, one per row that was used, by its place in the data as given, from 0.

        Raises
        ------
        DataError
            If a column is missing, or a level or group is new.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> round(float(fit.predict({"school": ["A"], "treatment": [1]}).loc[0, "mean"]))
        21
        """
        from formulajoint.results.predictions.predict import predicted, prediction_draws, prediction_table

        check_seed(seed)
        made = predicted(self.draws, in_memory(new_data), kind, new_groups, seed)
        return prediction_draws(made) if draws else prediction_table(made, prob)

    @known_arguments
    def means(
        self,
        by: str | Sequence[str] = (),
        new_data: object = None,
        at: Mapping[str, Any] = NOTHING,
        weights: str = "n",
        over: str | None = None,
        groups: Groups = "conditional",
        kind: On = "mean",
        prob: float = PROB,
        simultaneous: bool = False,
        draws: bool = False,
        seed: int | None = 0,
    ) -> Any:
        """Return the mean of the response, averaged over rows within each draw.

        Parameters
        ----------
        by : str or sequence of str
            Columns in whose cells is averaged. Default: all rows together.
        new_data : data frame, optional
            The rows, such as a `grid`. Default: the rows of the fit.
        at : mapping of str to value or list of values
            Columns that are set: all rows are taken at each of the values, ``{"treatment": [0, 1]}``. A value can be
            ``"all"``, ``"mean"``, ``"median"``, ``"min"``, ``"max"`` or ``"mode"``.
        weights : str
            As in formulas: ``"n"`` counts rows; ``"equal"``, ``"precision"``, ``"sum(size)"``, ``"dirichlet(n)"``
            weight groups, in each of which rows are averaged first.
        over : str, optional
            The factor of a group term whose groups are weighted, where there are several.
        groups : {"conditional", "new", "mean"}
            Of which groups: those of the rows; one new group, drawn from the hierarchy at each draw; or one at the mean
            of the hierarchy. The table says which.
        kind : {"mean", "linear"}
            The mean of the response, or the linear predictor.
        prob : float
            Probability of intervals.
        simultaneous : bool
            Whether to add a band, between whose ends all rows of the table are at once.
        draws : bool
            Whether to return the draws, a DataArray over chain, draw and effect, instead of the table.
        seed : int, optional
            For new groups and uncertain weights.

        Returns
        -------
        DataFrame
            One row per cell: mean, sd, median, hdi_low, hdi_high, ess_bulk, r_hat; rows, the number of rows averaged,
            weights and groups.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> [round(mean) for mean in fit.means(at={"treatment": [0, 1]})["mean"]]
        [2, 15]
        """
        from formulajoint.results.predictions.effect_table import means_of, shown
        from formulajoint.results.predictions.effects import averaged, quantities, setting

        where = setting(self.draws, _asked(new_data, by, at, weights, over, groups, kind, seed))
        found = means_of(averaged(where, [where.table], quantities(kind)))
        return shown(self.draws, found, draws, prob, None, simultaneous, weights)

    @known_arguments
    def comparisons(
        self,
        variable: str | Sequence[str],
        by: str | Sequence[str] = (),
        scale: Scale = "difference",
        compare: str | Sequence[Any] = "reference",
        step: float | None = None,
        new_data: object = None,
        at: Mapping[str, Any] = NOTHING,
        weights: str = "n",
        over: str | None = None,
        groups: Groups = "conditional",
        kind: On = "mean",
        prob: float = PROB,
        rope: float | None = None,
        simultaneous: bool = False,
        draws: bool = False,
        seed: int | None = 0,
    ) -> Any:
        """Return how the mean of the response differs between values of a column, all else as it is in each row.

        At each draw the means of all rows are averaged, with the one value and with the other, and then compared; the
        table summarises these comparisons. An interval of an average is never an average of intervals.

        Parameters
        ----------
        variable : str or sequence of str
            A factor, a column of two values, or a number. Several are changed one at a time, and the table has all.
        by
            As for `means`.
        scale : {"difference", "ratio", "odds_ratio", "lift"}
            Of averages a and b: a - b, a / b, the ratio of the odds a / (1 - a), or (a - b) / b.
        compare : {"reference", "pairwise", "sequential"} or two values
            Which levels of a factor: each with the reference, all pairs, neighbours. Two values: ``(low, high)``.
        step : float, optional
            Of a number: each row's own value, and this much more. Default: one unit, ``+1`` in the table.
        new_data, at, weights, over, groups, kind, prob
            As for `means`.
        rope : float, optional
            Half-width of the region about no difference that counts as none.
        simultaneous, draws, seed
            As for `means`.

        Returns
        -------
        DataFrame
            One row per cell and comparison, as from `means`, with p_direction, the probability of the more probable
            sign, and with `rope` p_in_rope.

        Examples
        --------
        >>> import formulajoint as fj
        >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
        >>> round(float(fit.comparisons("treatment").loc["1 - 0", "mean"]))
        13
        """
        from formulajoint.results.predictions.comparisons import compared
        from formulajoint.results.predictions.effect_table import shown

        asked = _asked(new_data, by, at, weights, over, groups, kind, seed)
        found = compared(self.draws, variable, asked, scale, compare, step)
        return shown(self.draws, found, draws, prob, rope, simultaneous, weights)

    @known_arguments
    def slopes(
        self,
        variable: str | Sequence[str],
        by: str | Sequence[str] = (),
        new_data: object = None,
        at: Mapping[str, Any] = NOTHING,
        weights: str = "n",
        over: str | None = None,
        groups: Groups = "conditional",
        kind: On = "mean",
        prob: float = PROB,
        rope: float | None = None,
        simultaneous: bool = False,
        draws: bool = False,
        seed: int | None = 0,
    ) -> Any:
        """Return the slope of the mean of the response in a number, averaged over rows within each draw.

        It is the derivative where the functions of the column have one, ``exact`` in the table's column method; else a
        symmetric difference, whose width stands there.

        Parameters
        ----------
        variable : str or sequence of str
            A numeric column, or several.
        by, new_data, at, weights, over, groups, kind, prob, rope, simultaneous, draws, seed
            As for `comparisons`.

        Returns
        -------
        DataFrame
            As from `comparisons`, with method.

        Examples
        --------
        >>> import formulajoint as fj
        >>> data = fj.tutoring().assign(age=range(10))
        >>> fit = fj.fit("test_score ~ treatment + age + I(age^2)", data, seed=1)
        >>> fit.slopes("age", at={"age": [2, 8]}).index.names
        FrozenList(['age', 'contrast'])
        """
        from formulajoint.results.predictions.comparisons import sloped
        from formulajoint.results.predictions.effect_table import shown

        found = sloped(self.draws, variable, _asked(new_data, by, at, weights, over, groups, kind, seed))
        return shown(self.draws, found, draws, prob, rope, simultaneous, weights)


def grid(
    fit: Predictions, kind: GridKind = "typical", new_data: object = None, **values: Any
) -> pd.DataFrame:
    """Return a reference grid: rows at chosen values of the columns that the model reads, for `Fit.predict` and others.

    Parameters
    ----------
    fit : Fit
    kind : {"typical", "balanced", "counterfactual"}
        Columns for which no value is chosen are, typical, at their mean or most frequent level; balanced, at each of
        their levels, numbers at their mean; counterfactual, as in the data, every row of which is repeated.
    new_data : data frame, optional
        Its rows stand for those of the fit, which a fit of moments does not hold.
    **values
        By column: a value, a list of values, or ``"all"``, ``"mean"``, ``"median"``, ``"min"``, ``"max"``, ``"mode"``.

    Returns
    -------
    DataFrame
        A column for each that the mean of the response depends on; `rows` has the number of rows of the data with the
        levels of each row, unless the grid is counterfactual.

    Examples
    --------
    >>> import formulajoint as fj
    >>> fit = fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1)
    >>> fj.grid(fit, treatment=[0, 1], school="all")[["treatment", "school"]].to_numpy().tolist()
    [[0, 'A'], [0, 'B'], [1, 'A'], [1, 'B']]
    """
    from formulajoint.results.predictions.grid import grid_of

    kept = fit.draws.plan.design.kept
    refuse_others("grid", values, [*GRID, *(() if kept is None else kept.columns)], others=True)
    return grid_of(fit.draws.plan, kind, values, in_memory(new_data))


def _asked(
    data: object,
    by: str | Sequence[str],
    at: Mapping[str, Any],
    weights: str,
    over: str | None,
    groups: Groups,
    kind: On,
    seed: int | None,
) -> Asked:
    from formulajoint.results.predictions.effects import Asked

    check_seed(seed)
    return Asked(
        in_memory(data), (by,) if isinstance(by, str) else tuple(by), at, weights, over, groups, kind, seed
    )
