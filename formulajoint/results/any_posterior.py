"""Joint contrasts and joint tests of draws from anywhere: Bambi, NumPyro, CmdStanPy, an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse

from formulajoint.contrasts import averages
from formulajoint.contrasts.families import FAMILIES, ContrastMatrix
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.contrasts.labels import hypothesis_of
from formulajoint.design.schema import FloatArray
from formulajoint.errors import DataError, did_you_mean, listed
from formulajoint.language.parse import parse_hypotheses
from formulajoint.results import joint_tests as figures
from formulajoint.results.any_draws import Draws, GroupDraws, Source, read_draws
from formulajoint.results.joint_table import SHARES, Question, distances, shares_of
from formulajoint.results.tables import PROB, describe

type PerGroup = Mapping[str, float] | Sequence[float] | FloatArray
type GivenWeights = str | PerGroup | None

OPTIONS = {"ref": "reference", "degree": "poly", "weights": "meandev"}
"""Argument of `contrast_table` -> the family it belongs to."""

COLUMNS = ["rank", *(column for share in SHARES for column in (share, f"{share}_mcse")), "ess", "note"]


def joint(
    draws: Draws,
    weights: GivenWeights = None,
    variable: str | None = None,
    prob: float = PROB,
    *,
    n: PerGroup | None = None,
    dim: str | None = None,
    groups: Sequence[str] | None = None,
    base: str | None = None,
    reference: str | None = None,
) -> pd.DataFrame:
    """Return the joint contrast of groups' coefficients from any posterior: weighted mean, rms and spread.

    Parameters
    ----------
    draws : array, DataArray, Dataset, DataTree or mapping of name to array
        An array is (chain, draw, group) or (draw, group). An xarray object has the dims chain and draw; of a
        Dataset, a mapping or an ArviZ DataTree (what Bambi and PyMC return) `variable` is taken.
    weights : {None, "equal", "n"}, mapping of group to weight, or sequence
        Zero or more; they are normalised. None weights all groups equally, ``"n"`` by their counts `n`.
    variable : str, optional
        Which variable holds the coefficients.
    prob : float
        Probability of the highest-density interval.
    n : mapping of group to count, or sequence, optional
        Rows of each group.
    dim : str, optional
        The groups' dim; others are then kept apart, a row each. Without it all dims together are the groups.
    groups : sequence of str, optional
        Names of the groups, in the order of the draws.
    base : str, optional
        Variable to which the coefficients are differences, as varying slopes are to the common one:
        ``variable="x|school", base="x"``.
    reference : str, optional
        Group that such differences leave out, as R's coding does: its coefficient is the base itself.

    Returns
    -------
    DataFrame
        Rows joint, rms and spread; columns mean, sd, hdi_low, hdi_high, p_direction, ess_bulk, ess_tail, r_hat.

    Raises
    ------
    DataError
        Where the draws have no groups, or the weights do not give each group one.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> draws = np.random.default_rng(1).normal([20.0, 8.0], 1.0, size=(4, 1000, 2))
    >>> round(float(fj.joint(draws, weights=[4, 6]).loc["joint", "mean"]), 1)
    12.8
    """
    found = read_draws(draws, Source(variable, dim, groups, base, reference))
    w = _weights(weights, n, found.groups)[:, None, None]
    rows: dict[str, FloatArray] = {}
    for cell, values in zip(found.cells, found.values, strict=True):
        effects = np.moveaxis(values, 2, 0)  # (group, chain, draw)
        where = f"[{cell}]" if cell else ""
        rows[f"joint{where}"] = averages.joint(effects, w)
        rows[f"rms{where}"] = averages.rms(effects, w)
        rows[f"spread{where}"] = averages.spread(effects, w)
    return describe(list(rows), list(rows.values()), prob)


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
    """Return the joint test of any posterior: does any group's coefficient differ from what a hypothesis says?

    Parameters
    ----------
    draws : array, DataArray, Dataset, DataTree or mapping of name to array
        As for `joint`.
    hypothesis : str, optional
        Equalities or an order of groups by their labels, as ``fit.test`` takes them of coefficients: ``"A == B"``,
        ``"A > B > 0"``, ``"A - 2*C == 1, B == 0"``; or by the variable, ``"slope == 0"``,
        ``"slope[308] == slope[309]"``. None tests whether all are `null`.
    null : float or array
        Without a hypothesis, what each coefficient is under the null.
    rope : float, optional
        Half-width of the region about the null that counts as no effect.
    at_least : int, optional
        Asks for the probability that so many of the quantities tested are above zero.
    variable, dim, groups, base, reference
        As for `joint`; with `dim` there is a row for each cell of the other dims.

    Returns
    -------
    DataFrame
        One row: rank; contour, gbpv, p_all_positive, p_all_negative, p_at_least, p_in_rope, p_out_of_rope, each with
        its Monte Carlo standard error in a column ``..._mcse``; ess, the smallest effective number of draws; and a
        note. What they are is said in ``docs/statistics.md``; a Bayes factor and the F test need the model, not draws
        alone.

    Raises
    ------
    DataError
        Where there are fewer draws than twice the quantities, or an argument does not fit.
    InferenceError
        Where `at_least` is no number of the quantities tested.
    FormulaError
        Where the hypothesis is wrong; it shows the place.

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
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("hypothesis")


def contrast_table(
    draws: Draws,
    family: str,
    *,
    ref: str | None = None,
    degree: int | None = None,
    weights: GivenWeights = None,
    n: PerGroup | None = None,
    prob: float = PROB,
    variable: str | None = None,
    dim: str | None = None,
    groups: Sequence[str] | None = None,
    base: str | None = None,
    reference: str | None = None,
) -> pd.DataFrame:
    """Return a family of contrasts of groups' coefficients from any posterior.

    Parameters
    ----------
    draws : array, DataArray, Dataset, DataTree or mapping of name to array
        As for `joint`.
    family : {"pairwise", "reference", "sequential", "meandev", "meanotherdev", "helmert", "poly"}
        As the clause of that name in a formula.
    ref : str, optional
        Of ``reference``: the group that the others are compared with; the first if not given.
    degree : int, optional
        Of ``poly``: the highest.
    weights, n
        Of ``meandev``: the weights of the mean, as for `joint`.
    prob : float
        Probability of the highest-density interval.
    variable, dim, groups, base, reference
        As for `joint`; with `dim` there are rows for each cell of the other dims.

    Returns
    -------
    DataFrame
        One row an entry, such as ``A - B``; columns as from `joint`.

    Raises
    ------
    DataError
        Where there is no such family or group, or an argument belongs to another family.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> draws = np.random.default_rng(1).normal([3.0, 1.0, 2.0], 1.0, size=(4, 1000, 3))
    >>> list(fj.contrast_table(draws, "pairwise", groups=["A", "B", "C"]).index)
    ['A - B', 'A - C', 'B - C']
    """
    found = read_draws(draws, Source(variable, dim, groups, base, reference))
    given = {"ref": ref, "degree": degree, "weights": weights if n is None or weights is not None else "n"}
    matrix = _matrix(family, found.groups, {k: v for k, v in given.items() if v is not None}, n)
    rows: dict[str, FloatArray] = {}
    for cell, values in zip(found.cells, found.values, strict=True):
        entries = np.moveaxis(values @ matrix.weights.T, 2, 0)
        where = f"[{cell}]" if cell else ""
        rows |= {f"{label}{where}": entry for label, entry in zip(matrix.labels, entries, strict=True)}
    return describe(list(rows), list(rows.values()), prob)


def _matrix(
    family: str, groups: tuple[str, ...], given: dict[str, Any], n: PerGroup | None
) -> ContrastMatrix:
    """Return the weights of a family's entries."""
    if family not in FAMILIES:
        hint = did_you_mean(str(family), FAMILIES) or f"there are {listed(FAMILIES)}"
        raise DataError(f"There is no family of contrasts `{family}`: {hint}")
    if len(groups) < 2:
        raise DataError(f"A contrast needs two groups; there is {listed(groups)} only.")
    for option, value in given.items():
        if OPTIONS[option] != family:
            raise DataError(f"`{option}` belongs to {OPTIONS[option]!r}, not to {family!r}.")
        given = given | {option: _option(option, value, groups, n)}
    return FAMILIES[family](groups, **given)


def _option(option: str, value: Any, groups: tuple[str, ...], n: PerGroup | None) -> Any:
    """Return an option of a family as its function takes it."""
    if option == "weights":
        return _weights(value, n, groups)
    if option == "degree":
        if not (isinstance(value, Integral) and 1 <= value < len(groups)):
            raise DataError(f"`degree` is a whole number from 1 to {len(groups) - 1}, not {value!r}.")
        return int(value)
    if str(value) not in groups:
        raise DataError(
            f"There is no group `{value}`: {did_you_mean(str(value), groups) or f'there are {listed(groups)}'}"
        )
    return groups.index(str(value))


def _test(values: FloatArray, said: Hypothesis, asked: Question) -> dict[str, Any]:
    """Return the figures of draws (chain, draw, group)."""
    flat = values.reshape((-1, values.shape[2]))
    away = (said.rows @ flat.T).T.reshape((*values.shape[:2], -1)) - said.null
    effective = figures.effective_draws(away)
    kept = independent(said.rows)
    if len(flat) <= 2 * len(kept) and not said.order:
        raise DataError(f"{len(flat)} draws are too few for {len(kept)} quantities: draw more.")
    notes: list[str] = []
    found = {} if said.order else distances(away, away[:, :, kept], effective, notes)
    shares = found | shares_of(away, asked)
    notes += ["an order: p_all_positive is its probability"] if said.order else []
    notes += figures.counting_notes(shares, effective)
    row = dict.fromkeys(COLUMNS, np.nan) | figures.with_errors(shares, effective)
    rank = len(said.null) if said.order else len(kept)
    return row | {"rank": rank, "ess": effective, "note": "; ".join(notes)}


def _read(found: GroupDraws, text: str) -> Hypothesis:
    if not isinstance(text, str):
        raise DataError(f"A hypothesis is a text such as 'A == B', not {text!r}; values go to null=.")
    return hypothesis_of(found.labels, parse_hypotheses(text), text)


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
    rows = sparse.csr_array(sparse.eye_array(q, format="csr"))
    return Hypothesis(f"{found.labels.name} == {said}", rows, values, False, ())


def _rope(rope: float | None) -> float | None:
    if rope is not None and not (isinstance(rope, Real) and 0 < rope < np.inf):
        raise DataError(f"`rope` must be above zero, not {rope}.")
    return rope


# --- weights


def _weights(given: GivenWeights, n: PerGroup | None, groups: tuple[str, ...]) -> FloatArray:
    """Return one weight a group, summing to one."""
    if given is None or (isinstance(given, str) and given == "equal"):
        return np.full(len(groups), 1 / len(groups))
    if isinstance(given, str):
        if given != "n":
            raise DataError(f"`weights` are 'n', 'equal' or numbers, not {given!r}.")
        if n is None:
            raise DataError("weights='n' needs the counts: n={'A': 4, 'B': 6}, or in the groups' order.")
        given = n
    return per_group(given, groups)


def per_group(given: PerGroup, groups: tuple[str, ...]) -> FloatArray:
    """Return given weights in the groups' order, summing to one."""
    if isinstance(given, Mapping):
        named = {str(group): weight for group, weight in given.items()}
        if set(named) != set(groups):
            wrong = sorted(set(named) ^ set(groups))
            raise DataError(
                f"The weights and the groups differ in {listed(wrong)}; the groups are {listed(groups)}."
            )
        given = [named[group] for group in groups]
    weights = np.asarray(given, dtype=float)
    if weights.shape != (len(groups),):
        raise DataError(f"There are {len(groups)} groups, and weights of shape {weights.shape}.")
    if not (np.all(weights >= 0) and 0 < weights.sum() < np.inf):
        raise DataError("Weights are zero or more, and not all zero.")
    return np.asarray(weights / weights.sum())
