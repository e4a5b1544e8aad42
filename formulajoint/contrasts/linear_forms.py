"""Linear functions of a vector of coefficients, read from arithmetic: ``treatment[A] - 2 * treatment[B] + 1``.

A `Reader` gets the meaning of names from its caller: from a model's design, or from the labels of external draws.
Matrices are sparse: over thousands of groups a comparison has few entries per row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.values import LARGEST
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.nodes import Chain, Expr, Number, Unary
from formulajoint.language.syntax.text import canonical
from formulajoint.wording import listed

ROUNDING = 1e-14
"""A sum below this share of its terms' magnitudes counts as rounding error."""


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """Linear functions ``rows @ b + constant`` of the vector b, one per cell of `dims`."""

    rows: scipy.sparse.csr_array
    constant: FloatArray
    dims: Mapping[str, tuple[str, ...]]

    @property
    def is_number(self) -> bool:
        """Whether no coefficient is involved."""
        return self.rows.nnz == 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Converts expressions to linear forms.

    Attributes
    ----------
    cells : callable
        Function from a name or a reference such as ``treatment[A]`` to its coefficients, as returned by `picked`.
    length : int
        Length of b.
    """

    cells: Callable[[Expr], Form]
    length: int

    def differences(self, comparison: Chain) -> list[Form]:
        """Return the forms that must be zero, or positive, one per link of a chain: ``a > b > 0`` gives a - b and b."""
        sides = [self.form(operand) for operand in comparison.operands]
        links = zip(comparison.operators, sides, sides[1:], strict=False)
        found = []
        for operator, left, right in links:
            high, low = (right, left) if operator in ("<", "<=") else (left, right)
            found.append(self._sum(comparison, high, low, -1.0))
        return found

    def form(self, expr: Expr) -> Form:
        """Return `expr` as a linear function of b."""
        match expr:
            case Number():
                return number(expr.value, self.length)
            case Unary(operator=sign, operand=operand):
                return _scaled(self.form(operand), -1.0 if sign == "-" else 1.0)
            case Chain(operators=("+" | "-", *_)):
                return self._added(expr)
            case Chain(operators=("*" | "/", *_)):
                return self._multiplied(expr)
            case Chain(operators=("^", *_)):
                return number(constant(expr), self.length)
            case _:
                return self.cells(expr)

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
                message = f"`{canonical(chain)}` is not linear in the coefficients"
                raise FormulaError(message, operand.span, "a test takes sums and multiples only")
            factor = float(other.constant[0])
            total = _scaled(total, factor if operator == "*" else 1 / factor)
        return total

    def _sum(self, expr: Expr, a: Form, b: Form, factor: float) -> Form:
        """Return a + factor b, with cells matched by the names of their dims."""
        different = [dim for dim in a.dims if a.dims[dim] != b.dims.get(dim, a.dims[dim])]
        if different:
            message = f"the levels of {listed(different)} are not the same on both sides"
            raise FormulaError(message, expr.span, "compare them level by level")
        dims = {**a.dims, **b.dims}
        a, b = _spread(a, dims), _scaled(_spread(b, dims), factor)
        rows = _rounded(a.rows + b.rows, abs(a.rows) + abs(b.rows))
        constants = np.column_stack([a.constant, b.constant])
        total = constants.sum(axis=1)
        total[abs(total) < ROUNDING * abs(constants).sum(axis=1)] = 0
        return Form(rows, total, dims)


def written(forms: Sequence[Form], comparisons: Sequence[Chain]) -> tuple[scipy.sparse.csr_array, FloatArray]:
    """Return R and r of the forms R b - r, without empty rows, such as A's in ``treatment == treatment[A]``."""
    rows = scipy.sparse.csr_array(scipy.sparse.vstack([form.rows for form in forms]))
    null = -np.concatenate([form.constant for form in forms])
    if not all((abs(each) <= LARGEST).all() for each in (rows.data, null)):
        message = f"a number here is too large to compute with (above {LARGEST:g})"
        raise FormulaError(message, comparisons[0].span.to(comparisons[-1].span))
    size = np.asarray(abs(rows).sum(axis=1)).ravel()
    said = size > 0
    if (size[said] < 1 / LARGEST).any():
        message = f"a factor here is too small to compute with (below {1 / LARGEST:g})"
        raise FormulaError(message, comparisons[0].span.to(comparisons[-1].span))
    if not said.any() or np.any(null[~said] != 0):
        message = "this comparison has no coefficient, or its coefficients cancel"
        raise FormulaError(message, comparisons[0].span.to(comparisons[-1].span))
    rows = scipy.sparse.csr_array(rows[np.flatnonzero(said)])
    rows.eliminate_zeros()
    return rows, null[said] + 0.0  # + 0.0 turns negative zeros into zeros


def picked(
    start: int,
    dims: Mapping[str, tuple[str, ...]],
    positions: Mapping[str, Sequence[int]],
    length: int,
) -> Form:
    """Return the coefficients at `positions`, from a block of b that begins at `start`; its last dim varies fastest.

    A dim with all levels selected stays in the result; a dim that is left out of `positions` has all levels selected.
    """
    chosen = [list(positions.get(dim, range(len(labels)))) for dim, labels in dims.items()]
    shape = tuple(len(labels) for labels in dims.values())
    cells = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)[np.ix_(*chosen)]
    kept = {
        d: labels
        for (d, labels), at in zip(dims.items(), chosen, strict=True)
        if d not in positions or len(at) == len(labels) > 1
    }
    return Form(unit_rows(start + cells.ravel(), length), np.zeros(cells.size), kept)


def unit_rows(columns: IntArray, length: int) -> scipy.sparse.csr_array:
    """Return one row per coefficient, with a one at its position in a vector of `length`."""
    count = len(columns)
    return scipy.sparse.csr_array((np.ones(count), (np.arange(count), columns)), shape=(count, length))


def number(value: float, length: int) -> Form:
    """Return the constant `value` as a form, in a vector of `length` coefficients."""
    return Form(scipy.sparse.csr_array((1, length)), np.array([value]), {})


def _is_scalar(form: Form) -> bool:
    return len(form.constant) == 1


def _scaled(form: Form, factor: float) -> Form:
    return Form(scipy.sparse.csr_array(form.rows * factor), form.constant * factor, form.dims)


def _rounded(total: scipy.sparse.csr_array, size: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Return the sparse `total` without rounding errors: 0.1 x + 0.2 x - 0.3 x is zero, not 5e-17 x."""
    return scipy.sparse.csr_array(total.multiply(abs(total) > ROUNDING * size))


def _spread(form: Form, dims: Mapping[str, tuple[str, ...]]) -> Form:
    """Return the form with its cells repeated over the dims that it lacks."""
    own = np.arange(len(form.constant)).reshape(tuple(len(labels) for labels in form.dims.values()))
    axes = list(form.dims)
    own = own.transpose([axes.index(dim) for dim in dims if dim in form.dims])
    index = tuple(slice(None) if dim in form.dims else None for dim in dims)
    cells = np.broadcast_to(own[index], tuple(len(labels) for labels in dims.values())).ravel()
    return Form(scipy.sparse.csr_array(form.rows[cells]), form.constant[cells], dims)
