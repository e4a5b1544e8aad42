"""What the coefficients of a factor compare: ``control - app``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.coding import helmert, sum_to_zero


def comparisons(
    labels: tuple[str, ...], levels: tuple[str, ...], coding: FloatArray | None
) -> tuple[str, ...]:
    """Return what each of a factor's coefficients is, in its levels; the label where that is no plain comparison.

    Examples
    --------
    >>> from formulajoint.design.coding import treatment
    >>> levels = ("app", "control", "tutor")
    >>> matrix, labels = treatment(levels)
    >>> comparisons(labels, levels, matrix)
    ('control - app', 'tutor - app')
    """
    if coding is None or len(labels) == len(levels):  # cells, or one coefficient for each level
        return labels
    if (reference := reference_of(coding)) is not None:
        return tuple(f"{named(label)} - {named(levels[reference])}" for label in labels)
    if np.array_equal(coding, sum_to_zero(levels)[0]):
        return tuple(f"{named(label)} - mean" for label in labels)
    if np.array_equal(coding, helmert(levels)[0]):
        return tuple(
            f"({named(levels[place])} - {mean_of(levels[:place])}) / {place + 1}"
            for place in range(1, len(levels))
        )
    return labels


def reference_of(coding: FloatArray) -> int | None:
    """Return the position of the level that the others are compared with, under a treatment coding; else None."""
    zero = np.flatnonzero(~coding.any(axis=1))
    others = np.delete(coding, zero, axis=0)
    return int(zero[0]) if len(zero) == 1 and np.array_equal(others, np.eye(len(others))) else None


def named(level: str) -> str:
    """Return a level as written in the label of a difference: in parentheses if it could be misread."""
    return f"({level})" if level.startswith(("-", "+")) or " - " in level else level


def mean_of(levels: Sequence[str]) -> str:
    """Return the mean of levels in the label of a difference."""
    if len(levels) == 1:
        return named(levels[0])
    return f"mean({', '.join(levels)})" if len(levels) <= 3 else f"mean({levels[0]} to {levels[-1]})"
