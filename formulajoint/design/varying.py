"""Group terms ``(1 + x | g)``: what varies over the groups of a factor, about coefficients that all rows share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from formulajoint.design.groups import bind_group, refuse_own_group
from formulajoint.design.level_lookup import written
from formulajoint.design.pooling import Hierarchy
from formulajoint.design.rows import Table
from formulajoint.design.schema import Block, Design, Grouping, Predictor, Term, blocks_of
from formulajoint.design.terms import build_terms
from formulajoint.errors import BugError, DataError, FormulaError
from formulajoint.language.syntax.nodes import (
    Attribute,
    Expr,
    Group,
    GroupTerm,
    Name,
    Subscript,
    walk,
)
from formulajoint.language.syntax.text import canonical
from formulajoint.spans import Span
from formulajoint.spec.algebra import Expansion, Product, expand
from formulajoint.spec.names import INTERCEPT
from formulajoint.spec.spec import Arithmetic, Comparisons, LevelContrast, Question
from formulajoint.wording import did_you_mean, listed


@dataclass(frozen=True, slots=True)
class VaryingPlan:
    """A group term over one factor, expanded, before any values are read."""

    group: Group
    products: tuple[Product, ...]
    correlated: bool
    span: Span


def plans_of(terms: Sequence[GroupTerm], rest: Sequence[str]) -> Iterator[VaryingPlan]:
    """Yield the group terms, each over one factor: ``(1 | a/b)`` is ``(1 | a) + (1 | a:b)``.

    Parameters
    ----------
    terms : sequence of GroupTerm
    rest : sequence of str
        The columns that ``.`` stands for.
    """
    for term in terms:
        products = expand(term.predictors, rest, False).own
        for group in _nested(term.group):
            yield VaryingPlan(group, products, term.correlated, term.span)


def _nested(group: Group) -> Iterator[Group]:
    """Yield the factors of ``a/b``: a, then the groups of b within a."""
    for place, separator in enumerate((*group.separators, "/")):
        if separator == "/":
            yield Group(group.names[: place + 1], (":",) * place, group.span)


def bind_varying(
    plans: Sequence[VaryingPlan], parameter: str, bar: Grouping | None, table: Table
) -> tuple[Block, ...]:
    """Return a block for each factor, in the order written; it has a hierarchy for each set of correlated terms.

    Raises
    ------
    FormulaError
        If a term varies twice over one factor, or the groups are those right of the bar.
    DataError
        If there is a single group.
    """
    blocks: dict[str, Block] = {}
    for plan in plans:
        grouping = bind_group(plan.group, table)
        if bar is not None and bar.name == grouping.name:
            message = f"each {bar.name} has coefficients of its own already, right of the bar"
            raise FormulaError(message, plan.span, "leave the group term out, or the bar")
        if len(grouping) == 1:
            raise DataError(
                f"Coefficients vary over two groups or more, but `{grouping.name}` has one ({grouping.labels[0]}). "
                "Leave the group term out."
            )
        known = blocks.get(grouping.name, Block((), grouping))
        terms, pooling = _varying_terms(plan, parameter, grouping, table)
        refuse_own_group(terms, grouping)
        _refuse_repeats(known.terms, terms, grouping, plan.span)
        blocks[grouping.name] = replace(
            known, terms=(*known.terms, *terms), pooling=(*known.pooling, *pooling)
        )
    return tuple(blocks.values())


def _varying_terms(
    plan: VaryingPlan, parameter: str, grouping: Grouping, table: Table
) -> tuple[tuple[Term, ...], tuple[Hierarchy, ...]]:
    """Return the terms of a group term and their hierarchies.

    The terms of ``(x || g)`` are those of ``(1 | g) + (0 + x | g)``, as in lme4: a factor then has a column for each
    level, and these are correlated.
    """
    sets = [plan.products] if plan.correlated else [(product,) for product in plan.products]
    terms: list[Term] = []
    pooling: list[Hierarchy] = []
    for products in sets:
        own, _ = build_terms(Expansion(products, (), ()), table)
        columns = sum(term.columns.shape[1] for term in own)
        names = tuple(term.name for term in own)
        pooling.append(Hierarchy(parameter, names, cor=columns > 1, span=plan.span, over=grouping.name))
        terms += own
    return tuple(terms), tuple(pooling)


def _refuse_repeats(known: Sequence[Term], terms: Sequence[Term], grouping: Grouping, at: Span) -> None:
    names = {term.name for term in known}
    for term in terms:
        if term.name in names:
            message = f"`{term.name}` varies over {grouping.name} in two group terms"
            raise FormulaError(message, at, "leave it out of one of them, with `0 +` if it is the intercept")


# --- the factor that a clause names


def named(group: Group) -> str:
    """Return the name of the factor that ``over=`` names: ``school``; ``district:school`` for ``district/school``."""
    return ":".join(name.id for name in group.names)


def block_over(predictor: Predictor, group: Group) -> Block:
    """Return the block of the factor that ``over=`` names.

    Raises
    ------
    FormulaError
        If no group term has it.
    """
    name = named(group)
    known = predictor.by_factor
    if name in known:
        return known[name]
    if not known:
        message = f"`over={name}` names the factor of a group term, but no term is a group term"
        raise FormulaError(message, group.span, "leave it out, or add a group term: `(1 + x | school)`")
    hint = did_you_mean(name, known) or f"group terms vary over {listed(known)}"
    raise FormulaError(f"nothing varies over `{name}`", group.span, hint)


def factor_asked(design: Design, question: Question) -> str:
    """Return the factor of group terms over whose groups a contrast or a test is; empty for the model's own groups.

    It is the one of ``over=`` or, in ``x[school=A]``, the one whose level is named.

    Raises
    ------
    FormulaError
        If nothing varies over it, or the model cannot be seen by it.
    """
    known = design.predictor.by_factor
    if question.over is not None:
        name = named(question.over.value)
        if isinstance(question, LevelContrast) and name not in known:
            return ""  # it may be an axis of the term
        block_over(design.predictor, question.over.value)
        return _seen(design, name, question.over.span)
    found = {str(i.dim): i for part in _subscripts(question) for i in part.indices if i.dim in known}
    if len(found) > 1:
        first, second, *_ = found
        message = f"`{first}` and `{second}` are factors of different group terms"
        raise FormulaError(message, found[second].span, "compare groups of one factor at a time")
    for name, index in found.items():
        _refuse_bare(design, name, question)
        return _seen(design, name, index.span)
    return ""


def _subscripts(question: Question) -> Iterator[Subscript]:
    for expr in _expressions(question):
        yield from (part for part in walk(expr) if isinstance(part, Subscript))


def _expressions(question: Question) -> tuple[Expr, ...]:
    match question:
        case Comparisons(comparisons=found) | Arithmetic(expressions=found):
            return found
    return ()


def _refuse_bare(design: Design, factor: str, question: Question) -> None:
    """Raise a FormulaError for a term that varies over the factor but is named without a group: which is meant?"""
    names = {term.name for term in design.predictor.by_factor[factor].terms}
    for expr in _expressions(question):
        inside = {id(part.of) for part in walk(expr) if isinstance(part, Subscript | Attribute)}
        for part in walk(expr):
            if isinstance(part, Name) and canonical(part) in names and id(part) not in inside:
                name = canonical(part)
                message = f"`{name}` can be the coefficient that all rows share, or those of all groups"
                hint = (
                    f"write `{name}.mean` for the shared one; with `over={factor}`, `{name}` is each group's"
                )
                raise FormulaError(message, part.span, hint)


def _seen(design: Design, name: str, at: Span) -> str:
    if name in factors(design):
        return name
    predictor = design.predictor
    bar = "the bar's groups" if predictor.grouping is None else predictor.grouping.name
    terms = [term.name for term in predictor.per_group]
    own = " + ".join(["1" if INTERCEPT in terms else "0", *(term for term in terms if term != INTERCEPT)])
    message = f"beside `| {bar}`, a {name} adds to the coefficients of each {bar}: it has no coefficients to compare"
    raise FormulaError(message, at, f"in place of the bar, write a group term: `y ~ ... + ({own} | {bar})`")


# --- one factor in the place of the groups right of the bar


def factors(design: Design) -> tuple[str, ...]:
    """Return the factors of the mean's group terms by which the design can be seen: none beside groups of a bar."""
    return () if design.predictor.grouping is not None else tuple(design.predictor.by_factor)


def over(design: Design, factor: str) -> Design:
    """Return the design whose groups right of the bar are those of a factor of group terms.

    A term that varies over the factor has a coefficient for each group: the shared one plus what varies. It is the
    same model: ``y ~ x + (1 + x | g)`` seen as ``y ~ x | g, hierarchy()``.
    """
    predictor = design.predictor
    if factor not in factors(design):
        raise BugError(f"nothing can be seen by {factor}")
    block = predictor.by_factor[factor]
    inside = {id(predictor.fixed(term)) for term in block.terms}
    shared = tuple(term for term in predictor.terms if id(term) not in inside)
    zero = {term.name for term in block.terms if predictor.fixed(term) is None}
    pooling = tuple(
        replace(pool, about_zero=tuple(name for name in pool.terms if name in zero)) for pool in block.pooling
    )
    own, *others = blocks_of(block.terms, shared, block.grouping)
    seen = replace(
        predictor,
        blocks=(replace(own, pooling=pooling), *others),
        varying=tuple(other for other in predictor.varying if other is not block),
    )
    return replace(design, predictor=seen)


def coefficients_of_groups(predictor: Predictor, name: str) -> dict[str, str]:
    """Return by factor how the coefficients of its groups are written that vary about a shared one.

    As ``, or `x[school=A]` for that of one school``.
    """
    return {
        factor: f", or `{name}[{factor}={written(own.grouping.labels[0])}]` for that of one {factor}"
        for factor, own in predictor.by_factor.items()
        if factor.isidentifier() and own.grouping and any(term.name == name for term in own.terms)
    }


def seen_by(design: Design, question: Question) -> Design:
    """Return the design by whose groups a contrast or a test asks."""
    factor = factor_asked(design, question)
    return over(design, factor) if factor else design
