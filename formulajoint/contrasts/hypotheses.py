"""Hypotheses about coefficients as linear restrictions; ``treatment[A] == treatment[B]`` is one row of weights.

The coefficients of the mean's predictor, flattened one after another, are the vector b. A hypothesis is R b = r or,
for an order, R b > r. R is sparse: a hypothesis over thousands of groups has few entries per row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.contrasts.layout import Block, layout, length_of, mean_layout
from formulajoint.contrasts.linear_forms import Form, Reader, number, picked, unit_rows, written
from formulajoint.design.references import (
    at_zero,
    resolve_reference,
    resolve_subscript,
    resolve_term,
)
from formulajoint.design.schema import Design, Term
from formulajoint.design.varying import factor_asked, seen_by
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Chain, Expr, Number, Subscript
from formulajoint.language.syntax.text import canonical
from formulajoint.remarks import Missing
from formulajoint.spec.spec import Comparisons


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """The restrictions ``rows @ b == null``, or ``rows @ b > null`` for an order.

    Attributes
    ----------
    text : str
        Canonical text.
    rows : (m, P) sparse array
        As written; some rows may depend on others.
    null : (m,) array
    order : bool
    terms : tuple of str
        Names of the terms in it.
    name : str
        The clause's ``name=``, or empty.
    against : str
        The alternative that the clause names, ``hierarchy``, or empty.
    labels : tuple of str
        The rows' names, where they are entries of a contrast; else empty.
    of_means : bool
        Whether b is not the coefficients but the means of their hierarchies, as in ``mean_layout``.
    factor : str
        The factor of group terms by whose groups b is; empty for the model's own coefficients.
    over : bool
        Whether the clause names the factor by ``over=``.
    response : bool
        Whether b is not the coefficients but their effects on the mean of the response, ``scale=response``.
    """

    text: str
    rows: scipy.sparse.csr_array
    null: FloatArray
    order: bool
    terms: tuple[str, ...]
    name: str = ""
    against: str = ""
    labels: tuple[str, ...] = ()
    of_means: bool = False
    factor: str = ""
    over: bool = False
    response: bool = False

    @property
    def label(self) -> str:
        """The name in tables: `name`, or else the text."""
        over = self.factor if self.over else ""
        return self.name or f"{labelled(self.text, over)}{', scale=response' if self.response else ''}"

    @property
    def judged(self) -> Hypothesis:
        """What is tested: effects on the response are zero where the coefficients are, which an order is not about."""
        return replace(self, response=False, name=self.label) if self.response and not self.order else self


type Named = Callable[[Expr], Form | None]
"""What an expression names besides coefficients, as a linear function of them."""


def unnamed(_: Expr) -> None:
    """Return None: nothing but coefficients has a name."""


def hypothesis(design: Design, comparisons: Sequence[Chain], named: Named = unnamed) -> Hypothesis:
    """Return the hypothesis that all `comparisons` hold.

    Parameters
    ----------
    design : Design
    comparisons : sequence of Chain
        As from ``parse_hypotheses``: each chain is all ``==`` or has one direction.
    named : callable, optional
        Function from an expression to the linear function that it names, such as a contrast; None if it is none.

    Raises
    ------
    FormulaError
        If a comparison is not linear in the coefficients, equalities are mixed with orders, or the restrictions
        contradict each other.
    """
    blocks = layout(design)
    for comparison in comparisons:
        if not any(named(operand) for operand in comparison.operands):
            _refuse_zero(design, comparison)

    means, length = mean_layout(design), length_of(blocks)

    def cells(expr: Expr) -> Form:
        own = named(expr)
        if own is None:
            return _cells(design, blocks, means, expr)
        empty = scipy.sparse.csr_array((own.rows.shape[0], length_of(means)))
        return replace(own, rows=scipy.sparse.csr_array(scipy.sparse.hstack([own.rows, empty])))

    found = restrictions(comparisons, Reader(cells, length + length_of(means)))
    of_means = bool(np.any(found.rows.indices >= length))
    if of_means and np.any(found.rows.indices < length):
        message = "the mean of a hierarchy is not compared with coefficients"
        raise FormulaError(message, comparisons[0].span.to(comparisons[-1].span), "test the mean by itself")
    own, first = (means, length) if of_means else (blocks, 0)
    rows = scipy.sparse.csr_array(found.rows[:, first : first + length_of(own)])
    used = set(rows.indices)
    terms = tuple(b.term.name for b in own if used & set(range(b.start, b.start + b.size)))
    return replace(found, rows=rows, terms=terms, of_means=of_means)


def restrictions(comparisons: Sequence[Chain], reader: Reader) -> Hypothesis:
    """Return the hypothesis that all `comparisons` hold, without its terms; `reader` resolves the coefficients."""
    orders = {comparison.operators[0] != "==" for comparison in comparisons}
    if len(orders) > 1:
        message = "equalities and orders are different hypotheses"
        raise FormulaError(message, comparisons[-1].span, "test them one by one")
    with np.errstate(over="ignore", invalid="ignore"):  # `written` raises on values that are not finite
        forms = [form for comparison in comparisons for form in reader.differences(comparison)]
    rows, null = written(forms, comparisons)
    found = Hypothesis(", ".join(map(canonical, comparisons)), rows, null, orders.pop(), ())
    if not _can_hold(found):
        message = f"these {'orders' if found.order else 'equalities'} contradict each other"
        place = comparisons[0].span.to(comparisons[-1].span)
        raise FormulaError(message, place, "take one of them out")
    return found


def asked(design: Design) -> tuple[Hypothesis, ...]:
    """Return the hypotheses of the formula's ``test(...)`` clauses, in the order written.

    Raises
    ------
    FormulaError
        If a clause is not a hypothesis about this model, or is repeated.
    """
    found: dict[str, Hypothesis] = {}
    for test in design.spec.tests:
        said = of_test(design, test)
        if said.label in found:
            message = f"there are two tests `{said.label}`"
            raise FormulaError(message, test.span, "take one of them out")
        found[said.label] = said
    return tuple(found.values())


def of_test(design: Design, test: Comparisons, named: Named = unnamed) -> Hypothesis:
    """Return the hypothesis of one test.

    Raises
    ------
    FormulaError
        If it is not a hypothesis about this model, or has no such alternative.
    """
    factor, design = factor_asked(design, test), seen_by(design, test)
    said = hypothesis(design, test.comparisons, named)
    on_response = test.scale.value == "response"
    said = replace(said, factor=factor, over=test.over is not None, response=on_response)
    if test.name is not None:
        said = replace(said, name=test.name.value)
    if test.against is None:
        return said
    effects = effects_tested(design, said)
    if isinstance(effects, Missing):
        message = f"`against={test.against.value}` cannot be used for this hypothesis: {effects.reason}"
        raise FormulaError(message, test.against.span, "leave it out")
    return replace(said, against=test.against.value)


@dataclass(frozen=True, slots=True, eq=False)
class EffectsTested:
    """A term with a coefficient in each group, all of which are zero or, if `equal`, equal to each other."""

    block: Block
    equal: bool


def effects_tested(design: Design, tested: Hypothesis) -> EffectsTested | Missing:
    """Return the effects that a hypothesis is about as a whole, or the reason it is of another kind."""
    if tested.order:
        return Missing("hypothesis", "it compares equalities, not orders, with effects of one kind")
    if tested.of_means:
        return Missing("hypothesis", "it takes effects, not the mean of their hierarchy")
    own = [block for block in layout(design) if block.term.name in tested.terms]
    if len(own) != 1 or not any(term is own[0].term for term in design.predictor.per_group):
        return Missing("hypothesis", "it takes one predictor with a coefficient in each group")
    block, kept = own[0], independent(tested.rows)
    columns, touched = block.term.columns.shape[1], len(np.unique(tested.rows.indices))
    if not np.any(tested.null) and touched == block.size:
        if len(kept) == block.size:
            return EffectsTested(block, equal=False)
        sums = tested.rows[:, block.start : block.start + block.size] @ np.tile(
            np.eye(columns), (block.size // columns, 1)
        )
        if len(kept) == block.size - columns and np.all(abs(sums) <= 1e-9 * np.max(abs(tested.rows.data))):
            return EffectsTested(block, equal=True)
    return Missing("hypothesis", "it takes hypotheses that the effects in all groups are zero, or equal")


def all_zero(design: Design, term: Term) -> Hypothesis:
    """Return the hypothesis that every coefficient of `term` is zero, as in the F test."""
    block = next(b for b in layout(design) if b.term is term)
    rows = unit_rows(np.arange(block.start, block.start + block.size), length_of(layout(design)))
    return Hypothesis(text_of_all_zero(term), rows, np.zeros(block.size), False, (term.name,))


def text_of_all_zero(term: Term) -> str:
    """Return the text of the hypothesis that every coefficient of `term` is zero."""
    return f"{term.name} == 0"


def labelled(text: str, factor: str) -> str:
    """Return the text of a hypothesis with the factor that it is over; as it is without one."""
    return f"{text}, over={factor}" if factor else text


def independent(rows: scipy.sparse.csr_array) -> IntArray:
    """Return the numbers of the rows to keep so that none depends on those before it, (rank,).

    Restrictions rarely depend on each other, and never if each has a coefficient that no other row has.
    """
    count = rows.shape[0]
    alone = np.bincount(rows.indices) == 1
    owners = np.repeat(np.arange(count), np.diff(rows.indptr))[alone[rows.indices]]
    if len(np.unique(owners)) == count:
        return np.arange(count)
    dense = rows[:, np.unique(rows.indices)].toarray()
    dense /= np.max(abs(dense), axis=1, keepdims=True)
    dense /= np.max(abs(dense), axis=0)  # so that a coefficient with only small numbers counts, too
    kept: list[int] = []
    basis = np.empty((0, dense.shape[1]))
    for place, row in enumerate(dense / np.linalg.norm(dense, axis=1, keepdims=True)):
        left = row - (row @ basis.T) @ basis
        left = left - (left @ basis.T) @ basis
        if np.linalg.norm(left) > 1e-9:
            kept.append(place)
            basis = np.vstack([basis, left / np.linalg.norm(left)])
    return np.array(kept)


# --- the coefficients of a name


def _cells(design: Design, blocks: Sequence[Block], means: Sequence[Block], expr: Expr) -> Form:
    """Return the coefficients of ``treatment`` or ``treatment[A]``, or a hierarchy's mean; zero at a reference level.

    The vector is that of the coefficients, and after it that of the hierarchies' means.
    """
    length = length_of(blocks) + length_of(means)
    if _is_zero(design, expr):
        return number(0.0, length)
    if isinstance(expr, Subscript):
        term, positions = resolve_subscript(design, expr)
        block = next(b for b in blocks if b.term is term)
        return picked(block.start, block.dims, positions, length)
    reference = resolve_reference(design, expr)
    found = next((b for b in blocks if b.term is reference.term), None)
    mean = next((b for b in means if b.term is reference.term), None)
    if reference.part == "mean" and mean is not None:
        return picked(length_of(blocks) + mean.start, mean.dims, {}, length)
    if found is None or reference.part != "coefficient":
        message = f"`{canonical(expr)}` is not a coefficient of the mean"
        raise FormulaError(message, expr.span, _what_is_tested(design))
    return picked(found.start, found.dims, {}, length)


def _what_is_tested(design: Design) -> str:
    """Return a hint with a test that this model takes."""
    example = next((t.name for t in design.predictor.terms if t.name != "Intercept"), "Intercept")
    return f"a test takes coefficients of the mean, such as `{example} == 0`"


def _is_zero(design: Design, expr: Expr) -> bool:
    """Return whether `expr` is a coefficient's reference level, whose effect is zero by construction."""
    return (
        isinstance(expr, Subscript) and bool(resolve_term(design, expr.of).factors) and at_zero(design, expr)
    )


def _refuse_zero(design: Design, comparison: Chain) -> None:
    """Raise a FormulaError for a comparison of reference levels with numbers only."""
    effects = [operand for operand in comparison.operands if not isinstance(operand, Number)]
    if effects and all(_is_zero(design, effect) for effect in effects):
        message = f"`{canonical(effects[0])}` names a reference level, so it is always zero"
        raise FormulaError(message, effects[0].span, "compare another level with it")


# --- whether a hypothesis can hold


def _can_hold(found: Hypothesis) -> bool:
    return _order_can_hold(found) if found.order else _equalities_can_hold(found)


def _equalities_can_hold(found: Hypothesis) -> bool:
    """Return whether the solution of the independent equalities also solves the others."""
    kept = independent(found.rows)
    if len(kept) == len(found.null) or not found.null.any():
        return True
    dense = found.rows[:, np.unique(found.rows.indices)].toarray()
    size = np.max(abs(dense), axis=1)
    dense, null = dense / size[:, None], found.null / size
    dense /= np.max(abs(dense), axis=0)  # independent of units
    solution = np.linalg.lstsq(dense[kept], null[kept])[0]
    room = 1e-9 * (abs(dense) @ abs(solution) + abs(null))
    return bool(np.all(abs(dense @ solution - null) <= room))


def _order_can_hold(found: Hypothesis) -> bool:
    """Return whether some b has R b > r: true unless some weights give y'R = 0 with y'r >= 0 (Farkas' lemma)."""
    rows, null = found.rows, found.null
    if len(independent(rows)) == len(null):
        return True
    dense = rows[:, np.unique(rows.indices)].toarray()
    size = np.max(abs(dense), axis=1)
    unit, least = dense / size[:, None], null / size
    # weights y >= 0 that sum to one with y'R = 0 and y'r >= 0 would give 0 = y'R b > y'r >= 0
    sums = np.vstack([unit.T, np.ones(len(null))])
    answer = scipy.optimize.linprog(-least, A_eq=sums, b_eq=np.append(np.zeros(unit.shape[1]), 1.0))
    room = 1e-9 * max(1.0, float(np.max(abs(least))))
    return answer.x is None or float(least @ answer.x) < -room
