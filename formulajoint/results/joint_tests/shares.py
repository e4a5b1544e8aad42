"""Shares of draws that answer a joint test: of those as far out as the null, of those that meet a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from types import MappingProxyType

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.remarks import Missing, Note
from formulajoint.results.joint_tests import figures
from formulajoint.results.joint_tests.figures import Figure, Holds
from formulajoint.results.joint_tests.score_contour import Quantities, score_contour

SHARES = ("contour", "gbpv", "p_all_positive", "p_all_negative", "p_at_least", "p_in_rope", "p_out_of_rope")
"""Names of shares of draws; the Monte Carlo standard error of each stands beside it."""

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "p_all_positive": "P(all > 0)",
        "p_all_negative": "P(all < 0)",
        "p_at_least": "P(at least k > 0)",
        "p_in_rope": "P(all within rope)",
        "p_out_of_rope": "P(all beyond rope)",
    }
)
"""Shares that text shows by another name than the tables' columns."""

NO_CONTOUR, FEW_DRAWS = "no contour", "few draws"
"""Codes of notes: why there is no contour probability; which shares rest on too few draws."""

BY_SCORES = "by scores, group by group"
"""How a contour probability comes from those of each group, in words."""


@dataclass(frozen=True, slots=True)
class Question:
    """Options of a test: the region of no effect, and the number of quantities for ``p_at_least``."""

    rope: FloatArray | float | None = None
    at_least: int | None = None


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares by name, and notes on them.

    Attributes
    ----------
    figures : mapping of str to Figure
    notes : tuple of Note
    by_scores : bool
        Whether the contour probability comes from those of each group.
    is_bound : bool
        Whether the contour probability may be smaller.
    """

    figures: Mapping[str, Figure]
    notes: tuple[Note, ...] = ()
    by_scores: bool = False
    is_bound: bool = False


def counted(draws: FloatArray, asked: Question) -> dict[str, Figure]:
    """Return the shares of draws (C, S, q) in which quantities meet each condition."""
    held: dict[str, Holds] = {"p_all_positive": figures.all_positive, "p_all_negative": figures.all_negative}
    if asked.at_least is not None:
        held["p_at_least"] = figures.at_least(_count(asked.at_least, draws.shape[2]))
    if asked.rope is not None:
        held |= {
            "p_in_rope": figures.all_within(asked.rope),
            "p_out_of_rope": figures.all_beyond(asked.rope),
        }
    return {name: figures.probability_of(holds, draws) for name, holds in held.items()}


def _count(given: int, most: int) -> int:
    if not (isinstance(given, Integral) and not isinstance(given, bool) and 1 <= given <= most):
        raise InferenceError(
            f"`at_least` is a whole number from 1 to the {most} quantities tested, not {given!r}."
        )
    return int(given)


def by_distance(
    draws: FloatArray, kept: FloatArray, effective: float, missing: Missing | None = None
) -> Shares:
    """Return the shares of draws as far out as the null, by their distance from the centre.

    Parameters
    ----------
    draws : (C, S, q) array
    kept : (C, S, rank) array
        Quantities that do not follow from the others.
    effective : float
        Effective draws.
    missing : Missing, optional
        Why there is no covariance, if there is none.
    """
    rank = kept.shape[2]
    if (few := too_few(draws, rank) or missing) is not None:
        return Shares({}, (few.note(NO_CONTOUR),))
    notes: tuple[Note, ...] = ()
    if effective < figures.DRAWS_PER_RANK * rank:
        few_draws = f"{effective:.0f} effective draws are few for a covariance of rank {rank}: draw more"
        notes = (Note(FEW_DRAWS, few_draws, ("contour",)),)
    found = {"contour": figures.contour_probability(kept), "gbpv": figures.global_p_value(draws)}
    return Shares(found, notes)


def by_scores(draws: FloatArray, tested: Sequence[Quantities], missing: Missing | None) -> Shares:
    """Return the same for strata that are independent a posteriori: each needs its own covariance at most."""
    most = max(int(np.unique(each.strata, return_counts=True)[1].max()) for each in tested)
    if most > 1 and (few := missing or too_few(draws, most)) is not None:
        return Shares({}, (few.note(NO_CONTOUR),), by_scores=True)
    found = score_contour(tested)
    notes = [Note("scores", f"contour {BY_SCORES}{_bound(found.saturated)}", ("contour",))]
    shares = {"contour": found.figure}
    if missing is None:
        shares["gbpv"] = figures.global_p_value(draws)
    else:
        notes.append(Note("no band", "no band: the posterior has no covariance", ("gbpv",)))
    return Shares(shares, tuple(notes), by_scores=True, is_bound=found.saturated > 0)


def _bound(saturated: int) -> str:
    where = "one group" if saturated == 1 else f"{saturated} groups"
    return f", an upper bound: in {where} no draw is beyond the null" if saturated else ""


def too_few(draws: FloatArray, rank: int) -> Missing | None:
    """Return the reason draws (C, S, q) have no covariance of `rank`, if they are too few."""
    if draws.shape[0] * draws.shape[1] > 2 * rank:
        return None
    return Missing("draws", f"{rank} dimensions need more draws").of("contour or band")


def counting_notes(shares: Mapping[str, Figure], effective: float) -> list[Note]:
    """Return notes on shares without a draw, or with too few for more than an order of magnitude."""
    none = tuple(name for name, share in shares.items() if share.value == 0)
    few = tuple(name for name, share in shares.items() if 0 < share.value * effective < figures.FEW)
    notes = []
    if none:
        notes.append(Note("no draw", f"{_labels(none)}: no such draw, so below {1 / effective:.1g}", none))
    if few:
        order = f"fewer than {figures.FEW} such draws, so only the order of magnitude is known: draw more"
        notes.append(Note(FEW_DRAWS, f"{_labels(few)}: {order}", few))
    return notes


def _labels(names: Sequence[str]) -> str:
    return ", ".join(LABELS.get(name, name) for name in names)


def with_errors(shares: Mapping[str, Figure], effective: float) -> dict[str, Figure]:
    """Return shares of draws; one of 0 or 1 has the error of a single draw, since batches that agree give no error."""
    return {
        name: Figure(share.value, 1 / effective) if share.mcse == 0 and share.value in (0, 1) else share
        for name, share in shares.items()
    }


def columns_of(shares: Mapping[str, Figure]) -> dict[str, float]:
    """Return each share and, in a column ``..._mcse``, its Monte Carlo standard error."""
    return {
        column: value
        for name, share in shares.items()
        for column, value in ((name, share.value), (f"{name}_mcse", share.mcse))
    }
