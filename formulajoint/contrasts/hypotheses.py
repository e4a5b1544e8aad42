"""Hypotheses about coefficients as linear restrictions: ``treatment[A] == treatment[B]`` is one row of weights.

The coefficients of the mean's predictor, flattened one after another, are the vector b; a hypothesis is R b = r or,
for an order, R b > r. Rows are sparse: a hypothesis over thousands of groups has few entries a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from scipy import sparse

from formulajoint.design.references import dims_of, resolve_reference, resolve_subscript
from formulajoint.design.schema import Design, FloatArray, IntArray, Term
from formulajoint.errors import FormulaError, listed
from formulajoint.language.constants import constant
from formulajoint.language.ir import Chain, Expr, Number, Subscript, Unary
from formulajoint.language.text import canonical

ROUNDING = 1e-14
"""What is left of a sum below this share of its parts is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The coefficients of one term within the vector b, from `start` on; its dims in the posterior's order."""

    term: Term
    dims: Mapping[str, tuple[str, ...]]
    start: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each dim."""
        return tuple(len(labels) for labels in self.dims.values())

    @property
    def size(self) -> int:
        """How many coefficients there are."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """Linear functions of b, one a cell of `dims`: ``rows @ b + constant``."""

    rows: sparse.csr_array
    constant: FloatArray
    dims: Mapping[str, tuple[str, ...]]

    @property
    def is_number(self) -> bool:
        """Whether no coefficient takes part."""
        return self.rows.nnz == 0


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """``rows @ b == null``, or ``rows @ b > null`` where it is an order.

    Attributes
    ----------
    text : str
        Canonical text.
    rows : (m, P) sparse array
        As written, so some may follow from others.
    null : (m,) array
    order : bool
    terms : tuple of str
        Names of the terms that take part.
    """

    text: str
    rows: sparse.csr_array
    null: FloatArray
    order: bool
    terms: tuple[str, ...]


def layout(design: Design) -> tuple[Block, ...]:
    """Return where each term's coefficients stand in b: terms in the predictor's order, groups first."""
    blocks: list[Block] = []
    start = 0
    for term in design.predictor.terms:
        blocks.append(Block(term, dims_of(design.predictor, term), start))
        start += blocks[-1].size
    return tuple(blocks)


def hypothesis(design: Design, comparisons: Sequence[Chain], text: str) -> Hypothesis:
    """Return the hypothesis that all `comparisons` hold.

    Parameters
    ----------
    design : Design
    comparisons : sequence of Chain
        As from ``parse_hypotheses``: each chain is all ``==`` or of one direction.
    text : str
        What was written, into which errors point.

    Raises
    ------
    FormulaError
        Where a comparison is no sum of multiples of coefficients, equalities stand beside orders, or the
        restrictions contradict each other.
    """
    here = replace(design, formula=replace(design.formula, source=text))  # where errors point
    reader = _Reader(here, layout(here), text)
    orders = {comparison.operators[0] != "==" for comparison in comparisons}
    if len(orders) > 1:
        message = "equalities and orders are different hypotheses"
        raise FormulaError(message, text, comparisons[-1].span, "test them one by one")
    with np.errstate(over="ignore", invalid="ignore"):  # `_written` refuses what is not finite
        forms = [form for comparison in comparisons for form in reader.differences(comparison)]
    rows, null = _written(forms, comparisons, text)
    used = set(rows.indices)
    terms = tuple(b.term.name for b in reader.blocks if used & set(range(b.start, b.start + b.size)))
    found = Hypothesis(", ".join(map(canonical, comparisons)), rows, null, orders.pop(), terms)
    if not found.order:
        _refuse_contradiction(found, comparisons, text)
    return found


def all_zero(design: Design, term: Term) -> Hypothesis:
    """Return the hypothesis that every coefficient of `term` is zero: the question of the F test."""
    block = next(b for b in layout(design) if b.term is term)
    rows = _unit_rows(np.arange(block.start, block.start + block.size), _length(layout(design)))
    return Hypothesis(f"{term.name} == 0", rows, np.zeros(block.size), False, (term.name,))


def independent(rows: sparse.csr_array) -> IntArray:
    """Return which rows to keep so that none follows from those before; (rank,) of row numbers.

    Restrictions rarely repeat each other, and never where each has a coefficient that no other has.
    """
    count = rows.shape[0]
    alone = np.bincount(rows.indices) == 1
    owners = np.repeat(np.arange(count), np.diff(rows.indptr))[alone[rows.indices]]
    if len(np.unique(owners)) == count:
        return np.arange(count)
    dense = rows[:, np.unique(rows.indices)].toarray()
    dense /= np.max(abs(dense), axis=1, keepdims=True)
    dense /= np.max(abs(dense), axis=0)  # a coefficient with small numbers only is a coefficient, too
    kept: list[int] = []
    basis = np.empty((0, dense.shape[1]))
    for number, row in enumerate(dense / np.linalg.norm(dense, axis=1, keepdims=True)):
        left = row - (row @ basis.T) @ basis
        left = left - (left @ basis.T) @ basis
        if np.linalg.norm(left) > 1e-9:
            kept.append(number)
            basis = np.vstack([basis, left / np.linalg.norm(left)])
    return np.array(kept)


# --- reading


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads expressions as linear forms; made and dropped by `hypothesis`."""

    design: Design
    blocks: tuple[Block, ...]
    text: str

    def differences(self, comparison: Chain) -> list[Form]:
        """Return what must be zero, or above zero, for each link of a chain: ``a > b > 0`` is a - b and b."""
        sides = [self.form(operand) for operand in comparison.operands]
        links = zip(comparison.operators, sides, sides[1:], strict=False)
        found = []
        for operator, left, right in links:
            high, low = (right, left) if operator in ("<", "<=") else (left, right)
            found.append(self._sum(comparison, high, low, -1.0))
        return found

    def form(self, expr: Expr) -> Form:
        match expr:
            case Number():
                return _number(expr.value, self.length)
            case Unary(operator=sign, operand=operand):
                return _scaled(self.form(operand), -1.0 if sign == "-" else 1.0)
            case Chain(operators=("+" | "-", *_)):
                return self._added(expr)
            case Chain(operators=("*" | "/", *_)):
                return self._multiplied(expr)
            case Chain(operators=("^", *_)):
                return _number(constant(expr, self.text), self.length)
            case Subscript():
                return self._subscript(expr)
            case _:
                return self._whole(expr)

    @property
    def length(self) -> int:
        return _length(self.blocks)

    def _added(self, chain: Chain) -> Form:
        total = self.form(chain.operands[0])
        for operator, operand in zip(chain.operators, chain.operands[1:], strict=True):
            total = self._sum(chain, total, self.form(operand), 1.0 if operator == "+" else -1.0)
        return total

    def _multiplied(self, chain: Chain) -> Form:
        total = self.form(chain.operands[0])
        for operator, operand in zip(chain.operators, chain.operands[1:], strict=True):
            other = self.form(operand)
            if operator == "*" and total.is_number and _is_scalar(total):
                total, other = other, total
            if not (other.is_number and _is_scalar(other)) or (operator == "/" and other.constant[0] == 0):
                message = f"`{canonical(chain)}` is no sum of multiples of coefficients"
                raise FormulaError(message, self.text, operand.span, "a test takes sums and multiples only")
            number = float(other.constant[0])
            total = _scaled(total, number if operator == "*" else 1 / number)
        return total

    def _sum(self, expr: Expr, a: Form, b: Form, factor: float) -> Form:
        """Return a + factor b, cells matched by the names of their dims."""
        different = [dim for dim in a.dims if a.dims[dim] != b.dims.get(dim, a.dims[dim])]
        if different:
            message = f"the levels of {listed(different)} are not the same on both sides"
            raise FormulaError(message, self.text, expr.span, "compare them level by level")
        dims = {**a.dims, **b.dims}
        a, b = _spread(a, dims), _scaled(_spread(b, dims), factor)
        rows = _rounded(a.rows + b.rows, abs(a.rows) + abs(b.rows))
        constants = np.column_stack([a.constant, b.constant])
        total = constants.sum(axis=1)
        total[abs(total) < ROUNDING * abs(constants).sum(axis=1)] = 0
        return Form(rows, total, dims)

    def _subscript(self, subscript: Subscript) -> Form:
        term, positions = resolve_subscript(self.design, subscript)
        block = next(b for b in self.blocks if b.term is term)
        cells = np.arange(block.size).reshape(block.shape)[np.ix_(*positions.values())]
        kept = {d: labels for d, labels in block.dims.items() if len(positions[d]) == len(labels) > 1}
        rows = _unit_rows(block.start + cells.ravel(), self.length)
        return Form(rows, np.zeros(cells.size), kept)

    def _whole(self, expr: Expr) -> Form:
        reference = resolve_reference(self.design, expr)
        block = next((b for b in self.blocks if b.term is reference.term), None)
        if block is None or reference.part != "coefficient":
            message = f"`{canonical(expr)}` is not a coefficient of the mean"
            raise FormulaError(message, self.text, expr.span, "a test takes coefficients of the mean")
        rows = _unit_rows(np.arange(block.start, block.start + block.size), self.length)
        return Form(rows, np.zeros(block.size), block.dims)


def _length(blocks: Sequence[Block]) -> int:
    return sum(block.size for block in blocks)


def _unit_rows(columns: IntArray, length: int) -> sparse.csr_array:
    count = len(columns)
    return sparse.csr_array((np.ones(count), (np.arange(count), columns)), shape=(count, length))


def _number(value: float, length: int) -> Form:
    return Form(sparse.csr_array((1, length)), np.array([value]), {})


def _is_scalar(form: Form) -> bool:
    return len(form.constant) == 1


def _scaled(form: Form, factor: float) -> Form:
    return Form(sparse.csr_array(form.rows * factor), form.constant * factor, form.dims)


def _rounded(total: sparse.csr_array, size: sparse.csr_array) -> sparse.csr_array:
    """Return the sparse `total` without what rounding left: 0.1 x + 0.2 x - 0.3 x is nothing, not 5e-17 x."""
    return sparse.csr_array(total.multiply(abs(total) > ROUNDING * size))


def _spread(form: Form, dims: Mapping[str, tuple[str, ...]]) -> Form:
    """Repeat a form's cells over the dims that it lacks."""
    own = np.arange(len(form.constant)).reshape(tuple(len(labels) for labels in form.dims.values()))
    axes = list(form.dims)
    own = own.transpose([axes.index(dim) for dim in dims if dim in form.dims])
    index = tuple(slice(None) if dim in form.dims else None for dim in dims)
    cells = np.broadcast_to(own[index], tuple(len(labels) for labels in dims.values())).ravel()
    return Form(sparse.csr_array(form.rows[cells]), form.constant[cells], dims)


def _written(
    forms: Sequence[Form], comparisons: Sequence[Chain], text: str
) -> tuple[sparse.csr_array, FloatArray]:
    """Return R and r, without the rows that say nothing, as A's in ``treatment == treatment[A]`` does."""
    rows = sparse.csr_array(sparse.vstack([form.rows for form in forms]))
    null = -np.concatenate([form.constant for form in forms])
    if not (np.isfinite(rows.data).all() and np.isfinite(null).all()):
        message = "a number here is too large"
        raise FormulaError(message, text, comparisons[0].span.to(comparisons[-1].span))
    said = np.asarray(abs(rows).sum(axis=1)).ravel() > 0
    if not said.any() or np.any(null[~said] != 0):
        message = "a comparison here has no coefficient in it, or takes one from itself"
        raise FormulaError(message, text, comparisons[0].span.to(comparisons[-1].span))
    rows = sparse.csr_array(rows[np.flatnonzero(said)])
    rows.eliminate_zeros()
    return rows, null[said] + 0.0  # no negative zeros


def _refuse_contradiction(found: Hypothesis, comparisons: Sequence[Chain], text: str) -> None:
    """Refuse equalities that cannot all hold: what solves the independent ones must solve the others."""
    kept = independent(found.rows)
    if len(kept) == len(found.null) or not found.null.any():
        return
    dense = found.rows[:, np.unique(found.rows.indices)].toarray()
    size = np.max(abs(dense), axis=1)
    dense, null = dense / size[:, None], found.null / size
    solution = np.linalg.lstsq(dense[kept], null[kept])[0]
    if np.any(abs(dense @ solution - null) > 1e-9 * (abs(dense) @ abs(solution) + abs(null))):
        message = "these equalities contradict each other"
        raise FormulaError(
            message, text, comparisons[0].span.to(comparisons[-1].span), "take one of them out"
        )
