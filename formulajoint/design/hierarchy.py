"""Resolve requests for pooling: which per-group coefficients are pooled, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from formulajoint.design.pooling import Hierarchy
from formulajoint.design.schema import Block, Predictor, Term
from formulajoint.design.varying import block_over
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.syntax.nodes import Expr, Name
from formulajoint.language.syntax.text import canonical
from formulajoint.spec.names import parts_of
from formulajoint.spec.spec import MAIN, PoolingRequest
from formulajoint.wording import did_you_mean, listed


def resolve_hierarchies(
    requests: Sequence[PoolingRequest], predictors: Sequence[Predictor]
) -> tuple[Hierarchy, ...]:
    """Return the hierarchies that are asked for, checked against the bound predictors.

    Parameters
    ----------
    requests : sequence of PoolingRequest
    predictors : sequence of Predictor
        The mean's predictor first.

    Raises
    ------
    FormulaError
        If a term is unknown, shared by all groups, or pooled twice, or options contradict each other.
    DataError
        If there is a single group.
    """
    seen: set[tuple[str, str]] = set()
    found: list[Hierarchy] = list(resolve_varying([r for r in requests if r.over is not None], predictors))
    for request in requests:
        if request.over is not None:
            continue
        for parameter, terms in _wanted(request, predictors).items():
            for term in terms:
                if (parameter, term) in seen:
                    raise FormulaError(
                        f"`{term}` is pooled by two hierarchies",
                        request.span,
                        "name each term in one `hierarchy(...)` only",
                    )
                seen.add((parameter, term))
            found.append(_hierarchy(request, parameter, terms, predictors))
    return tuple(found)


def find_term(terms: Sequence[Term], expr: Expr) -> Term | None:
    """Return the term that `expr` names, its factors in any order, or None."""
    wanted = parts_of(expr)
    return next((term for term in terms if sorted(term.parts) == wanted), None)


def _wanted(request: PoolingRequest, predictors: Sequence[Predictor]) -> dict[str, tuple[str, ...]]:
    """Return, by parameter, the terms that a clause pools."""
    main = predictors[0]
    if (
        main.grouping is None
        and main.varying
        and (not request.terms or find_term(main.common, request.terms[0]))
    ):
        factor = next(iter(main.by_factor))
        written = ", ".join([*map(canonical, request.terms), f"over={factor}"])
        message = "the groups of a group term are named by `over=`"
        raise FormulaError(
            message, request.span, f"write `hierarchy({written})`; it is pooled without it, too"
        )
    if not request.terms:
        _require_groups(main, request)
        return {MAIN: tuple(term.name for term in main.per_group)}
    wanted: dict[str, list[str]] = {}
    for arg in request.terms:
        predictor, terms = _one(arg, predictors)
        _require_groups(predictor, arg)
        wanted.setdefault(predictor.parameter, []).extend(term.name for term in terms)
    return {parameter: tuple(terms) for parameter, terms in wanted.items()}


def resolve_varying(
    requests: Sequence[PoolingRequest], predictors: Sequence[Predictor]
) -> Iterator[Hierarchy]:
    """Yield the hierarchies of all group terms, changed as ``hierarchy(x, over=school, dist=student)`` asks."""
    main = predictors[0]
    asked: dict[tuple[str, str], PoolingRequest] = {}
    for request in requests:
        assert request.over is not None
        block = block_over(main, request.over.value)
        assert block.grouping is not None  # a group term has groups
        for name in _terms_over(request, block):
            if (block.grouping.name, name) in asked:
                message = f"`{name}` is pooled by two hierarchies over {block.grouping.name}"
                raise FormulaError(message, request.span, "name each term in one `hierarchy(...)` only")
            asked[block.grouping.name, name] = request
    for predictor in predictors:
        own = asked if predictor is main else {}
        for block in predictor.varying:
            for hierarchy in block.pooling:
                yield from _changed(hierarchy, own, predictors, block)


def _terms_over(request: PoolingRequest, block: Block) -> list[str]:
    """Return the names of the terms over one factor that a clause is about."""
    assert block.grouping is not None
    if request.scale.value == "sigma":
        message = "`scale=sigma` pools groups right of the bar; a group term varies in units of the response"
        raise FormulaError(message, request.scale.span, "leave it out")
    if not request.terms:
        return [term.name for term in block.terms]
    names = []
    for arg in request.terms:
        term = find_term(block.terms, arg)
        if term is None:
            known = [own.name for own in block.terms]
            hint = did_you_mean(canonical(arg), known) or f"over {block.grouping.name} vary {listed(known)}"
            message = f"`{canonical(arg)}` does not vary over {block.grouping.name}"
            raise FormulaError(message, arg.span, hint)
        names.append(term.name)
    return names


def _changed(
    hierarchy: Hierarchy,
    asked: Mapping[tuple[str, str], PoolingRequest],
    predictors: Sequence[Predictor],
    block: Block,
) -> Iterator[Hierarchy]:
    """Yield the hierarchies of the terms of one: those that a clause is about, and the rest as they were."""
    of_request: dict[PoolingRequest | None, list[str]] = {}
    for name in hierarchy.terms:
        of_request.setdefault(asked.get((hierarchy.over, name)), []).append(name)
    for request, names in of_request.items():
        columns = sum(term.columns.shape[1] for term in block.terms if term.name in names)
        if request is None:
            yield replace(hierarchy, terms=tuple(names), cor=hierarchy.cor and columns > 1)
            continue
        made = _hierarchy(request, hierarchy.parameter, tuple(names), predictors)
        correlated = hierarchy.cor and not made.heavy and (request.cor is None or request.cor.value)
        yield replace(made, cor=correlated and columns > 1, over=hierarchy.over)


def _one(arg: Expr, predictors: Sequence[Predictor]) -> tuple[Predictor, tuple[Term, ...]]:
    """Return the one reading of an argument: a term of the mean, a whole parameter, or a term of a parameter."""
    main, *others = predictors
    readings: list[tuple[Predictor, tuple[Term, ...]]] = []
    term = find_term(main.per_group, arg)
    if term is not None:
        readings.append((main, (term,)))
    if isinstance(arg, Name) and not arg.quoted:
        for predictor in others:
            head, _, tail = arg.id.partition(".")
            if arg.id == predictor.parameter:
                readings.append((predictor, predictor.per_group))
            elif head == predictor.parameter:
                inner = find_term(predictor.per_group, Name(tail))
                readings += [(predictor, (inner,))] if inner is not None else []
    if len(readings) > 1:
        raise FormulaError(
            f"`{canonical(arg)}` is both a predictor and a parameter",
            arg.span,
            f"write `` `{canonical(arg)}` `` in backticks for the predictor",
        )
    if not readings:
        raise _not_found(arg, predictors)
    return readings[0]


def _not_found(arg: Expr, predictors: Sequence[Predictor]) -> FormulaError:
    main, *others = predictors
    name = canonical(arg)
    if find_term(main.common, arg) is not None:
        message = f"`{name}` has one coefficient for all rows, so there is nothing to pool"
        hint = (
            "take it out of `common(...)`, or out of the hierarchy"
            if main.grouping
            else "write `| group` after the predictors for one coefficient per group"
        )
        return FormulaError(message, arg.span, hint)
    known = [term.name for term in main.per_group] + [p.parameter for p in others]
    hint = did_you_mean(name, known) or f"a hierarchy can pool {listed(known)}"
    return FormulaError(f"`{name}` is not a per-group term of this formula", arg.span, hint)


def _require_groups(predictor: Predictor, at: Expr | PoolingRequest) -> None:
    if predictor.grouping is None or not predictor.per_group:
        what = "the formula" if predictor.parameter == MAIN else f"`{predictor.parameter}`"
        raise FormulaError(
            f"`hierarchy` pools the coefficients of groups, but {what} has no coefficients by group",
            at.span,
            "write `| group` after the predictors",
        )
    if len(predictor.grouping) == 1:
        raise DataError(
            f"`hierarchy` needs at least two groups, but `{predictor.grouping.name}` has one "
            f"({predictor.grouping.labels[0]}). Leave the hierarchy out."
        )


def _hierarchy(
    request: PoolingRequest, parameter: str, terms: tuple[str, ...], predictors: Sequence[Predictor]
) -> Hierarchy:
    dist, cor, df = request.dist, request.cor, request.df
    if request.scale.value == "sigma" and parameter != MAIN:
        raise FormulaError(
            f"`scale=sigma` pools coefficients of the mean in residual sds, but `{parameter}` is another parameter",
            request.scale.span,
            f"pool `{parameter}` in a hierarchy of its own, without `scale=sigma`",
        )
    if df is not None and dist != "student":
        raise FormulaError(f"`df` belongs to `dist=student`, not to `dist={dist}`", df.span, "take it out")
    made = Hierarchy(
        parameter,
        terms,
        dist,
        df=4.0 if df is None else df.value,
        centered=request.centered,
        scale=request.scale.value,
        span=request.span,
    )
    if cor is not None and cor.value and made.heavy:
        raise FormulaError(
            f"a {dist} hierarchy pools each coefficient separately, without correlations",
            cor.span,
            "leave out `cor=true`, or use `dist=normal`",
        )
    predictor = next(p for p in predictors if p.parameter == parameter)
    columns = sum(term.columns.shape[1] for term in predictor.per_group if term.name in terms)
    return replace(made, cor=not made.heavy and (cor is None or cor.value) and columns > 1)
