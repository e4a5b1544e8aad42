"""What to distrust first: the draws, effects whose units differ, and effects asked about that rest on priors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.planning.narrow_priors import held_cells
from formulajoint.compiler.planning.undetermined import open_cells
from formulajoint.compiler.planning.unequal_sds import unequal_sds
from formulajoint.data.least_squares import BoolArray
from formulajoint.design.schema import Grouping
from formulajoint.design.thresholds import SORTED
from formulajoint.results.draws.tables import weights
from formulajoint.results.effects import weighted_means
from formulajoint.results.findings import Findings
from formulajoint.results.text.units import term_in_words

MOST_NAMED = 3
"""At most this many groups are named; the others are counted."""


def cautions(found: Findings, about: Coefficient | None) -> tuple[str, ...]:
    """Return sentences on what to distrust: draws, an order of categories, effects of the coefficient asked about."""
    unstated = (note for note in found.plan.design.notes if SORTED in note)
    return (*found.diagnostics, *unstated, *of_effects(found, about))


def of_effects(found: Findings, about: Coefficient | None) -> Iterator[str]:
    """Yield sentences on effects in units that differ by group, and on those that rest on their priors."""
    if about is None or about.grouping is None:
        return
    yield from unequal_sds(found.plan)
    plan, grouping = found.plan, about.grouping
    words = term_in_words(plan, about.term)
    resting, held = open_cells(plan, about), held_cells(plan, about)
    if len(resting) == len(grouping) and resting.any():
        where = resting.any(axis=1)
        start = (
            f"{words} does not vary in {_named(grouping, where)}"
            if _is_constant(about, grouping, where)
            else f"The data of {_named(grouping, where)} do not determine the effect of {words}"
        )
        yield f"{start}: {_what_is_left(about, grouping, where)}{''.join(_weights_on(found, about, resting))}."
    elif resting.any():
        yield f"The data do not determine the mean of {words} over {grouping.name}: it rests on the priors."
    if held.any():
        there = f" in {_named(grouping, held.any(axis=1))}" if len(held) == len(grouping) else ""
        yield f"The default prior holds the effect of {words}{there} far from least squares: see the note."


def _named(grouping: Grouping, where: BoolArray) -> str:
    """Return groups by name: ``school C and F``; ``School 3`` where the labels begin with the word."""
    labels = [label for label, chosen in zip(grouping.labels, where, strict=True) if chosen]
    word = grouping.name.casefold()
    start = "" if all(label.casefold().startswith(word) for label in labels) else f"{grouping.name} "
    if (rest := len(labels) - MOST_NAMED) > 0:
        return f"{start}{', '.join(labels[:MOST_NAMED])} and {rest} more"
    return f"{start}{' and '.join(part for part in (', '.join(labels[:-1]), labels[-1]) if part)}"


def _what_is_left(about: Coefficient, grouping: Grouping, where: BoolArray) -> str:
    """Return what the effects in the groups chosen are: their priors, or parts of sums that the data tell."""
    many = np.sum(where) > 1
    if not about.term.columns[where[grouping.codes]].any():  # the data do not have the effect at all
        return "their effects are their priors" if many else "its effect is its prior"
    effects = "their effects" if many else "its effect"
    return f"the data tell {effects} and other coefficients only together, and the priors divide them"


def _is_constant(about: Coefficient, grouping: Grouping, where: BoolArray) -> bool:
    """Return whether the term's columns have one value in each of the groups chosen."""
    rows = where[grouping.codes]
    columns, codes = about.term.columns[rows], grouping.codes[rows]
    first = np.zeros((len(grouping), columns.shape[1]))
    first[codes] = columns  # any one row of each group
    return bool(np.array_equal(first[codes], columns))


def _weights_on(found: Findings, about: Coefficient, resting: BoolArray) -> Iterator[str]:
    """Yield a phrase on the share of the first weighted mean that rests on the cells chosen."""
    averages: tuple[AveragePlan, ...] = weighted_means(found.plan, about)[:1]
    for average in averages:
        own = weights(found.posterior, average).to_numpy(float).reshape((len(resting), -1))
        share = float(np.sum(own * resting, axis=0).max())
        if share > 0:
            yield f"; {share:.0%} of {average.name} rests on that"
