"""Terms of a predictor for each category of the response but the first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.schema import Block, Factor, Response, Term


def of_categories(response: Response) -> Factor:
    """Return the axis of the categories that are compared with the first."""
    return Factor(response.name, response.levels[1:])


def by_category(term: Term, categories: Factor) -> Term:
    """Return a term whose coefficients are one for each category."""
    count = len(categories.labels)

    def repeated(values: FloatArray) -> FloatArray:
        return np.repeat(values, count, axis=-1)

    return replace(
        term,
        columns=repeated(term.columns),
        factors=(*term.factors, categories),
        means=repeated(term.means),
        scales=repeated(term.scales),
        part_means=(),
        joined=(),
        classes=count,
    )


def block_by_category(block: Block, categories: Factor) -> Block:
    """Return a block of such terms."""
    return replace(block, terms=tuple(by_category(term, categories) for term in block.terms))
