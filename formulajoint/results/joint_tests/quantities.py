"""The quantities of a hypothesis: their draws c = R b - r, their labels, and the region that counts as no effect."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.values import Values
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.contrasts.response import response_effects
from formulajoint.compiler.planning.contrasts.scale import RESPONSE
from formulajoint.compiler.planning.defaults import sd_of_response, stands_for_intercept
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.contrasts.layout import Block, layout, mean_layout
from formulajoint.design.schema import Design
from formulajoint.distributions.links import IDENTITY
from formulajoint.distributions.prior import Prior
from formulajoint.errors import InferenceError
from formulajoint.inference.draws.named import by_chain
from formulajoint.results.draws.contrast import values_of
from formulajoint.results.draws.posterior import Posterior
from formulajoint.spec.spec import Given
from formulajoint.wording import did_you_mean, listed

type Rope = float | Mapping[str, float] | None
"""Half-width of the region about the null that counts as no effect: one for all, one per term, or none."""


def quantities(posterior: Posterior, hypothesis: Hypothesis) -> FloatArray:
    """Return draws of c = R b - r, (chain, draw, q): zero under the null."""
    if hypothesis.response:
        values = Values(values_of(posterior, posterior.plan).__getitem__, sampled=True)
        return by_chain(on_response(posterior.plan, hypothesis, values), posterior.named.shape)
    coefficients = {c.term.name: c for c in posterior.plan.mean.coefficients}
    pooled = {t.coefficient.term.name: t for t in posterior.plan.mean.pooled.values()}
    total: FloatArray | float = -hypothesis.null
    for block in blocks_of(posterior.plan.design, hypothesis):
        name = block.term.name
        if name in hypothesis.terms:
            rows = hypothesis.rows[:, block.start : block.start + block.size]
            if hypothesis.of_means:
                draws = _draws(posterior, pooled[name].mean_name, pooled[name].dims, pooled[name].mean, block)
            else:
                own = coefficients[name]
                draws = _draws(posterior, own.name, own.dims, own.prior, block)
            total = total + (rows @ draws.reshape((-1, block.size)).T).T.reshape((*draws.shape[:2], -1))
    return np.asarray(total)


def on_response(plan: Plan, hypothesis: Hypothesis, values: Values) -> FloatArray:
    """Return c = R e - r of effects e on the mean of the response, (q, S), from draws of the plan's variables."""
    wanted = [c for c in plan.mean.coefficients if c.term.name in hypothesis.terms]
    effects = response_effects(plan, wanted, Given(RESPONSE))
    total: FloatArray = -hypothesis.null[:, None]
    for block, coefficient in zip(layout(plan.design), plan.mean.coefficients, strict=True):
        if coefficient.name in effects:
            rows = hypothesis.rows[:, block.start : block.start + block.size]
            total = total + rows @ effects[coefficient.name].of(values).reshape((block.size, -1))
    return total


def blocks_of(design: Design, hypothesis: Hypothesis) -> tuple[Block, ...]:
    """Return the positions of terms in the vector that a hypothesis is about."""
    return mean_layout(design) if hypothesis.of_means else layout(design)


def _draws(
    posterior: Posterior, name: str, dims: tuple[str, ...], prior: Prior | None, block: Block
) -> FloatArray:
    """Return draws of a term's coefficients or means, (chain, draw, size)."""
    named = posterior.named
    if not named.has(name):  # a constant is not a variable
        value = np.nan if prior is None or prior.constant is None else prior.constant
        return np.broadcast_to(value, (*named.shape, block.size)).copy()
    return named.values(name, dims).reshape((*named.shape, block.size))


# --- labels


def row_labels(plan: Plan, hypothesis: Hypothesis) -> list[str]:
    """Return each row of the hypothesis as text: ``treatment[A] - 2 treatment[B] - 3``."""
    if hypothesis.labels:
        return list(hypothesis.labels)
    if not hypothesis.of_means:
        return labels_of(hypothesis, coefficient_labels(plan.design))
    return labels_of(
        hypothesis, [label for block in mean_layout(plan.design) for label in _cell_labels(block, ".mean")]
    )


def coefficient_labels(design: Design) -> list[str]:
    """Return the label of each coefficient, in the order of ``layout``: ``treatment[A]``.

    Beside group terms of other factors the label has the factor, too: ``treatment[school=A]``.
    """
    of = bool(design.predictor.varying)
    return [label for block in layout(design) for label in _cell_labels(block, of_factor=of)]


def labels_of(hypothesis: Hypothesis, names: list[str]) -> list[str]:
    """Return each row of a hypothesis about coefficients called `names` as text."""
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


def _cell_labels(block: Block, part: str = "", of_factor: bool = False) -> list[str]:
    name = block.term.name + part
    if not block.dims:
        return [name]
    places = np.indices(block.shape).reshape((len(block.shape), -1)).T
    own = len(block.dims) - len(block.term.factors)
    groups = [
        [f"{dim}={label}" if of_factor else label for label in labels]
        for dim, labels in list(block.dims.items())[:own]
    ]
    axes = [*groups, *(factor.comparisons for factor in block.term.factors)]
    return [f"{name}[{', '.join(axes[i][p] for i, p in enumerate(place))}]" for place in places]


# --- regions of no effect


def ropes(plan: Plan, hypothesis: Hypothesis, rope: Rope, standardized: bool) -> FloatArray | None:
    """Return the half-width of the region about the null for each row of the hypothesis, (q,).

    Parameters
    ----------
    plan : Plan
    hypothesis : Hypothesis
    rope : float, mapping of term to float, or None
    standardized : bool
        Whether it is in sds of the response per sd s_x of the predictor, as beta s_x / s_y is.

    Raises
    ------
    InferenceError
        If `rope` is not above zero, lacks a term, or one row has coefficients with different regions; or if it is
        standardised, and the hypothesis is about effects on the response.
    """
    if rope is None and standardized:
        raise InferenceError(
            "`standardized` says in which units `rope` is: give a rope, such as rope=0.1, too."
        )
    if rope is None:
        return None
    if hypothesis.response and standardized:
        raise InferenceError(
            f"`{hypothesis.label}` is about effects on the response, and `standardized` regions are of coefficients: "
            "give `rope` on the scale of the response, such as rope=0.02."
        )
    _check(plan, hypothesis, rope)
    if not isinstance(rope, Mapping) and not standardized:
        return np.full(len(hypothesis.null), float(rope))
    widths = np.concatenate(
        [_width(plan, block, rope, standardized) for block in blocks_of(plan.design, hypothesis)]
    )
    out = np.empty(len(hypothesis.null))
    for number, label in enumerate(row_labels(plan, hypothesis)):
        start, stop = hypothesis.rows.indptr[number : number + 2]
        own = widths[hypothesis.rows.indices[start:stop]]
        if not np.allclose(own, own[0], rtol=1e-9):
            raise InferenceError(
                f"`{label}` has coefficients with different regions, {own.min():.4g} to {own.max():.4g} wide: "
                "give `rope` as one number, on the scale of this comparison."
            )
        out[number] = own[0]
    return out


def _check(plan: Plan, hypothesis: Hypothesis, rope: float | Mapping[str, float]) -> None:
    values = list(rope.values()) if isinstance(rope, Mapping) else [rope]
    for value in values:
        if not (isinstance(value, Real) and not isinstance(value, bool) and 0 < value < np.inf):
            raise InferenceError(f"`rope` must be above zero, not {value}.")
    if isinstance(rope, Mapping):
        known = [block.term.name for block in blocks_of(plan.design, hypothesis)]
        for name in rope:
            if name not in known:
                hint = did_you_mean(str(name), known) or f"there are {listed(known)}."
                raise InferenceError(f"`rope` names no term `{name}`: {hint}")
        missing = [name for name in hypothesis.terms if name not in rope]
        if missing:
            raise InferenceError(f"`rope` leaves out {listed(missing)}: give each term tested its region.")


def _width(plan: Plan, block: Block, rope: float | Mapping[str, float], standardized: bool) -> FloatArray:
    """Return the half-width for each coefficient of a term."""
    term = block.term
    given = float(rope.get(term.name, np.nan) if isinstance(rope, Mapping) else rope)
    unit = np.ones(term.columns.shape[1])
    if standardized:
        level = stands_for_intercept(term, plan.design.predictor)  # a level of the response, not a slope
        unit = _sd_of_response(plan) / (unit if level else term.scales)
    return np.tile(given * unit, block.size // len(unit))


def _sd_of_response(plan: Plan) -> float:
    return sd_of_response(plan.design, plan.family) if plan.mean.link is IDENTITY else 1.0
