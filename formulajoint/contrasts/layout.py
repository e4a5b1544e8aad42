"""Where each term's coefficients stand in the vector b that hypotheses are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from formulajoint.design.references import dims_of
from formulajoint.design.schema import Design, Term


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The coefficients of one term in the vector b, from `start` on; its dims are in the posterior's order."""

    term: Term
    dims: Mapping[str, tuple[str, ...]]
    start: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dim."""
        return tuple(len(labels) for labels in self.dims.values())

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return prod(self.shape)


def layout(design: Design) -> tuple[Block, ...]:
    """Return the position of each term's coefficients in b: terms in the predictor's order, groups first."""
    blocks: list[Block] = []
    start = 0
    for term in design.predictor.terms:
        blocks.append(Block(term, dims_of(design.predictor, term), start))
        start += blocks[-1].size
    return tuple(blocks)


def mean_layout(design: Design) -> tuple[Block, ...]:
    """Return the position of each hierarchy's mean, without the dims of the groups."""
    blocks: list[Block] = []
    start = 0
    pools = design.predictor.hierarchies
    pooled = {name for hierarchy in pools for name in hierarchy.terms if name not in hierarchy.about_zero}
    for own in layout(design):
        if own.term.name in pooled:
            kept = dict(list(own.dims.items())[len(own.dims) - len(own.term.factors) :])
            blocks.append(Block(own.term, kept, start))
            start += blocks[-1].size
    return tuple(blocks)


def length_of(blocks: Sequence[Block]) -> int:
    """Return how many coefficients blocks have."""
    return sum(block.size for block in blocks)
