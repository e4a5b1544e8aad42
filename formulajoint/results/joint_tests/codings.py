"""Bayes factors that depend on the coding of a factor, because the prior does not treat its levels alike.

With a reference level a, the prior sd of b - a is s, that of b - c is 1.41 s; the order b > c > a has the prior
probability 1/8, with c for the reference 1/4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import scipy

from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.contrasts.layout import Block, layout
from formulajoint.design.schema import Factor
from formulajoint.distributions.prior import Prior


def coding_note(plan: Plan, hypothesis: Hypothesis) -> str:
    """Return a note on the codings that a Bayes factor or prior probability depends on, and what to do; may be empty.

    That all levels are equal has the same Bayes factor in every coding: see ``distance`` in ``design/coding.py``.
    """
    found = {} if hypothesis.of_means else dict(_dependent(plan, hypothesis))
    if not found:
        return ""
    codings = " and ".join(f"{factor.name}{_reference(factor)}" for factor in found)
    plain = any(term.name == "Intercept" for term in plan.design.predictor.terms) and all(found.values())
    cure = (
        "without the intercept (`0 + ...`) all levels have the same prior"
        if plain
        else "fit with another coding to see by how much"
    )
    return f"depends on the coding of {codings}: {cure}"


def _dependent(plan: Plan, hypothesis: Hypothesis) -> Iterator[tuple[Factor, bool]]:
    """Yield the factors whose coding matters, and whether their term is the factor alone."""
    for block, coefficient in zip(layout(plan.design), plan.mean.coefficients, strict=True):
        if block.term.name in hypothesis.terms:
            factors = [factor for factor in block.term.factors if not factor.curve]
            unlike = [factor for factor in factors if not _is_alike(plan, coefficient, factor)]
            if unlike and not _is_of_all_columns(block, hypothesis):
                yield from ((factor, len(block.term.parts) == 1) for factor in unlike)


def _reference(factor: Factor) -> str:
    """Return the reference level as text; empty if there is none."""
    if factor.coding is None:
        return ""
    none = [level for level, row in zip(factor.levels, factor.coding, strict=True) if not row.any()]
    return f" (reference level {none[0]})" if none else ""


# --- hypotheses about a factor


def _is_of_all_columns(block: Block, hypothesis: Hypothesis) -> bool:
    """Return whether a hypothesis states the same of every column of a term, or an order concerns one column only.

    Then another coding changes at most the scale of what is compared. With U the combinations of groups in
    equalities, these state the same of all m columns if their rank is m times the rank of U.
    """
    columns, rows = len(block.term.scales), hypothesis.rows[:, block.start : block.start + block.size]
    if hypothesis.order:
        return len(np.unique(rows.indices % columns)) == 1
    slices = scipy.sparse.vstack([rows[:, column::columns] for column in range(columns)], format="csr")
    return _rank(rows) == columns * _rank(slices)


def _rank(rows: scipy.sparse.csr_array) -> int:
    """Return the rank of sparse rows, some of which may be empty or repeated."""
    several: Mapping[tuple[tuple[int, ...], tuple[float, ...]], int] = {
        (tuple(rows.indices[start:stop].tolist()), tuple(rows.data[start:stop].tolist())): number
        for number, (start, stop) in enumerate(zip(rows.indptr, rows.indptr[1:], strict=False))
        if stop > start
    }
    return len(independent(scipy.sparse.csr_array(rows[list(several.values())])))


# --- priors of a factor


def _is_alike(plan: Plan, coefficient: Coefficient, factor: Factor) -> bool:
    """Return whether the prior of a term's coefficients stays the same if a factor's levels change places."""
    pooled = plan.mean.pooled.get(coefficient.name)
    priors = [coefficient.prior] if pooled is None else [pooled.mean, pooled.sd]
    if factor.coding is None or not all(prior is not None and _is_same(prior) for prior in priors):
        return False
    levels, columns = factor.coding.shape
    if levels == columns or columns == 1:  # a coefficient for each level, or one difference
        return True
    centred = factor.coding - factor.coding.mean(axis=0)
    equal = (centred**2).sum() / columns * (np.eye(levels) - 1 / levels)
    turned = bool(np.allclose(centred @ centred.T, equal))  # orthonormal: independent normals stay the same
    own = coefficient.prior
    return turned and own is not None and own.normal is not None and not np.any(own.normal[0])


def _is_same(prior: Prior) -> bool:
    """Return whether all columns have the same prior."""
    return all(np.ptp(np.ravel(value)) == 0 for value in prior.numbers)
