"""The table of joint tests: one row a hypothesis, empty where a figure is not defined, with a note that says why."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from formulajoint.compiler.plan import Coefficient
from formulajoint.contrasts.hypotheses import Block, Hypothesis, independent, layout
from formulajoint.design.schema import FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results import bayes_factors
from formulajoint.results import joint_tests as figures
from formulajoint.results.classical import f_test
from formulajoint.results.moments import degrees_of_freedom
from formulajoint.results.posterior import Posterior

NONE = float("nan")

COLUMNS = [
    "rank",
    "contour",
    "contour_mcse",
    "gbpv",
    "p_all_positive",
    "p_all_negative",
    "p_in_rope",
    "log_bf10",
    "log_bf10_mcse",
    "statistic",
    "df_num",
    "df_denom",
    "p_value",
    "note",
]


def joint_table(posterior: Posterior, hypotheses: Iterable[Hypothesis], rope: float | None) -> pd.DataFrame:
    """Return one row a hypothesis with the columns of `COLUMNS`; its text is in the index.

    Parameters
    ----------
    posterior : Posterior
    hypotheses : iterable of Hypothesis
    rope : float, optional
        Half-width of the region of practical equivalence about the null, in the coefficients' units.

    Raises
    ------
    InferenceError
        Where `rope` is not above zero.
    """
    if rope is not None and not (isinstance(rope, Real) and rope > 0):
        raise InferenceError(f"`rope` must be above zero, not {rope}.")
    rows = {h.text: _row(posterior, h, rope) for h in hypotheses}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS)
    return table.rename_axis("hypothesis")


def quantities(posterior: Posterior, hypothesis: Hypothesis) -> FloatArray:
    """Return draws of c = R b - r, (chain, draw, q): zero under the null."""
    blocks = layout(posterior.plan.design)
    coefficients = {c.term.name: c for c in posterior.plan.mean.coefficients}
    total: FloatArray | float = -hypothesis.null
    for block in blocks:
        if block.term.name in hypothesis.terms:
            rows = hypothesis.rows[:, block.start : block.start + block.size]
            draws = _draws(posterior, coefficients[block.term.name], block)
            total = total + (rows @ draws.reshape((-1, block.size)).T).T.reshape((*draws.shape[:2], -1))
    return np.asarray(total)


def _draws(posterior: Posterior, coefficient: Coefficient, block: Block) -> FloatArray:
    """Return draws of a term's coefficients, (chain, draw, size)."""
    sizes = posterior.tree["posterior"].sizes
    if coefficient.name not in posterior.dataset:  # a constant is no variable
        prior = coefficient.prior
        value = prior.args["value"] if prior is not None else NONE
        return np.full((sizes["chain"], sizes["draw"], block.size), value)
    variable = posterior.dataset[coefficient.name].transpose("chain", "draw", *coefficient.dims)
    return variable.to_numpy().reshape((sizes["chain"], sizes["draw"], block.size))


def _row(posterior: Posterior, hypothesis: Hypothesis, rope: float | None) -> dict[str, Any]:
    draws = quantities(posterior, hypothesis)
    row: dict[str, Any] = dict.fromkeys(COLUMNS, NONE)
    notes: list[str] = []
    positive = figures.probability_of(figures.all_positive, draws)
    negative = figures.probability_of(figures.all_negative, draws)
    row |= {"rank": draws.shape[2], "p_all_positive": positive.value, "p_all_negative": negative.value}
    if rope is not None:
        row["p_in_rope"] = figures.probability_of(figures.all_within(rope), draws).value
    if hypothesis.order:
        factor = bayes_factors.order(posterior.plan, hypothesis, positive.value, positive.mcse)
        notes.append("an order: p_all_positive is its probability, log_bf10 for it against no order")
    else:
        kept = independent(hypothesis.rows)
        row["rank"] = len(kept)
        row |= _equality(posterior, hypothesis, draws, kept, notes)
        factor = bayes_factors.equality(posterior.plan, hypothesis)
    if isinstance(factor, LogIntegral):
        row |= {"log_bf10": factor.value, "log_bf10_mcse": factor.error}
    else:
        notes.append(factor)
    return row | {"note": "; ".join(notes)}


def _equality(
    posterior: Posterior, hypothesis: Hypothesis, draws: FloatArray, kept: IntArray, notes: list[str]
) -> dict[str, Any]:
    """Return the figures that equalities have, and note which of them are missing."""
    out: dict[str, Any] = {}
    effective = figures.effective_draws(draws)
    if draws.shape[0] * draws.shape[1] <= 2 * len(kept):
        notes.append(f"no contour or band: {len(kept)} dimensions need more draws")
    elif _moments_exist(posterior, hypothesis):
        contour = figures.contour_probability(draws[:, :, kept])
        out |= {"contour": contour.value, "contour_mcse": contour.mcse}
        out["gbpv"] = figures.simultaneous_band(draws).gbpv.value
        if contour.value == 0:
            notes.append(f"contour < 1/ESS = {1 / effective:.1g}: no draw is as far out")
        if effective < figures.DRAWS_PER_RANK * len(kept):
            notes.append(
                f"{effective:.0f} effective draws are few for a covariance of rank {len(kept)}: draw more"
            )
    else:
        notes.append("no contour or band: the posterior has no covariance")
    sigma = posterior.plan.scale("sigma")
    if posterior.plan.family.name == "gaussian" and sigma is not None and not sigma.dims:
        twin = f_test(posterior.plan.design, hypothesis)
        if twin is not None:
            out |= {"statistic": twin.statistic, "df_num": twin.df_num}
            out |= {"df_denom": twin.df_denom, "p_value": twin.p_value}
        else:
            notes.append("no F test: least squares does not determine every coefficient and a residual sd")
    else:
        notes.append("no F test: it needs a Gaussian response with one sigma")
    return out


def _moments_exist(posterior: Posterior, hypothesis: Hypothesis) -> bool:
    tails = degrees_of_freedom(posterior.plan)
    names = [c.name for c in posterior.plan.mean.coefficients if c.term.name in hypothesis.terms]
    return all(float(np.min(tails[name])) > 2 for name in names if name in tails)


def band_table(posterior: Posterior, hypothesis: Hypothesis, prob: float) -> pd.DataFrame:
    """Return one row a quantity of the hypothesis: mean, sd, and simultaneous interval about its value less the null.

    With probability `prob` all quantities lie within their intervals at once, so an interval without zero says
    which groups differ.
    """
    if not (isinstance(prob, Real) and 0 < prob < 1):
        raise InferenceError(f"`prob` must lie between 0 and 1, not {prob!r}: 95 % is 0.95.")
    draws = quantities(posterior, hypothesis)
    flat = draws.reshape((-1, draws.shape[2]))
    band = figures.simultaneous_band(draws, prob)
    columns = {"mean": flat.mean(axis=0), "sd": flat.std(axis=0, ddof=1), "low": band.low, "high": band.high}
    return pd.DataFrame(columns, index=pd.Index(row_labels(posterior, hypothesis), name="quantity"))


def row_labels(posterior: Posterior, hypothesis: Hypothesis) -> list[str]:
    """Return each row of the hypothesis in words: ``treatment[A] - 2 treatment[B] - 3``."""
    names = [label for block in layout(posterior.plan.design) for label in _cell_labels(block)]
    labels = []
    for number, null in enumerate(hypothesis.null):
        start, stop = hypothesis.rows.indptr[number : number + 2]
        parts = zip(hypothesis.rows.indices[start:stop], hypothesis.rows.data[start:stop], strict=True)
        text = "".join(
            _signed(weight, names[position]) for position, weight in sorted(parts, key=lambda p: -p[1])
        )
        text += _signed(-null, "") if null else ""
        labels.append(text.removeprefix(" + ").strip())
    return labels


def _signed(weight: float, name: str) -> str:
    size = "" if abs(weight) == 1 and name else f"{abs(weight):g}"
    return f" {'-' if weight < 0 else '+'} {' '.join(part for part in (size, name) if part)}"


def _cell_labels(block: Block) -> list[str]:
    if not block.dims:
        return [block.term.name]
    places = np.indices(block.shape).reshape((len(block.shape), -1)).T
    axes = list(block.dims.values())
    return [f"{block.term.name}[{', '.join(axes[i][p] for i, p in enumerate(place))}]" for place in places]
