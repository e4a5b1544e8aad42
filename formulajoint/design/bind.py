"""Entry point of the design: bind a formula to a data frame and return a Design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from formulajoint.arrays import FloatArray
from formulajoint.design.categories import block_by_category, by_category, of_categories
from formulajoint.design.evaluate_numpy import values_of
from formulajoint.design.frame import Frame, read_frame
from formulajoint.design.groups import bind_group, refuse_own_group
from formulajoint.design.hierarchy import resolve_hierarchies
from formulajoint.design.kept_rows import KeptRows
from formulajoint.design.learn import learn
from formulajoint.design.look_alikes import look_alikes
from formulajoint.design.names import require_known
from formulajoint.design.notes import (
    NONE,
    codes_of_missing_values,
    correlated_levels,
    lost_levels,
    numbers_as_levels,
    ordered_categories,
    told_lost,
    words_beside_columns,
)
from formulajoint.design.recipes import Arithmetic, GroupMoments, Recipe, moments_in
from formulajoint.design.references import check_references
from formulajoint.design.response import check_counts, check_levels, read_response, response_column
from formulajoint.design.rows import Table, standard_errors, used_rows
from formulajoint.design.schema import Design, Factor, Predictor, Response, Rows, blocks_of, varying_blocks
from formulajoint.design.terms import build_terms
from formulajoint.design.thresholds import order_of_text, with_thresholds
from formulajoint.design.varying import VaryingPlan, bind_varying, plans_of
from formulajoint.design.weight_columns import KeptFrame, weight_values
from formulajoint.errors import ExtensionError, FormulaError
from formulajoint.families.choice import family_of
from formulajoint.families.likelihood import Likelihood
from formulajoint.language.formula import Formula
from formulajoint.language.syntax.nodes import Call, Expr, Group, Name, Rest
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Language
from formulajoint.spans import Span
from formulajoint.spec.algebra import Expansion, Product, expand
from formulajoint.spec.names import columns_in, measured_in, walk
from formulajoint.spec.read import specification
from formulajoint.spec.spec import MAIN, ModelSpec, RowsRequest, weight_columns
from formulajoint.spec.weights import WORDS
from formulajoint.wording import listed

OFFSET = "offset"
"""Text by which the sum of the offsets is known, where rows are made from moments."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One linear predictor, expanded, before any values are read."""

    parameter: str
    expansion: Expansion
    group: Group | None
    span: Span
    varying: tuple[VaryingPlan, ...] = ()

    @property
    def products(self) -> tuple[Product, ...]:
        """All terms, those of group terms last."""
        varying = (product for plan in self.varying for product in plan.products)
        return (*self.expansion.own, *self.expansion.shared, *varying)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups right of the bar, and the factors of group terms."""
        bar = () if self.group is None else (self.group,)
        return (*bar, *(plan.group for plan in self.varying))


def bind(formula: Formula, data: object, language: Language = CORE, family: str | None = None) -> Design:
    """Return the design of `formula` with `data`.

    Parameters
    ----------
    formula : Formula
    data : pandas or Polars DataFrame, PyArrow Table, dict of arrays, or another frame that narwhals supports
    language : Language
        The language in which the formula was parsed; it defines the names of extensions.
    family : str, optional
        Family if the formula has no ``family(...)``: it says how the response is read.

    Returns
    -------
    Design

    Raises
    ------
    FormulaError
        If the formula does not match the columns of the data, or states what cannot be fitted yet.
    DataError
        If the values do not allow what the formula states.
    ExtensionError
        If the formula was parsed with an extension that `language` lacks.
    """
    asked = read(formula, read_frame(data), language, family)
    return bound(asked, *asked.used_rows())


@dataclass(frozen=True, slots=True)
class Asked:
    """What a formula asks of a frame with these columns, before any values are read.

    Attributes
    ----------
    spec : ModelSpec
    law : Likelihood
    plans : tuple of Plan
        The linear predictors, that of the mean first.
    variable : str
        The column of the response.
    frame : Frame
    language : Language
    """

    spec: ModelSpec
    law: Likelihood
    plans: tuple[Plan, ...]
    variable: str
    frame: Frame
    language: Language

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the formula uses."""
        used = [*columns_in(self.spec.response), *_columns_of_clauses(self.spec)]
        used[1:1] = [name for plan in self.plans for name in columns_of_plan(plan)]
        return tuple(dict.fromkeys(name.id for name in used))

    @property
    def measured(self) -> tuple[str, ...]:
        """The columns of which the response and the terms are functions."""
        exprs = (self.spec.response, *_factors(self.plans))
        return tuple(dict.fromkeys(name.id for expr in exprs for name in measured_in(expr)))

    @property
    def weights(self) -> str | None:
        """The column of the row weights."""
        weights = self.spec.rows.weights
        return None if weights is None else weights.value.id

    def used_rows(self) -> tuple[Table, Rows]:
        """Return the rows without missing values in the columns that the formula uses, and their counts."""
        drop, language = self.spec.rows.drop, self.language
        return used_rows(self.frame, self.columns, self.weights, drop, language)

    def lost(
        self, table: Table, known: Mapping[str, tuple[str, ...]] = NONE
    ) -> Mapping[str, tuple[str, ...]]:
        """Return the levels of which no row is used, by the name of the factor or grouping; see `lost_levels`."""
        groups = [group for plan in self.plans for group in plan.groups]
        return lost_levels(self.frame, table, _factors(self.plans), groups, known)

    def told(self, table: Table) -> dict[str, tuple[str, ...]]:
        """Return notes on columns that their sums do not show, by name."""
        found = {name: [*self.frame.notes.get(name, ())] for name in table.columns}
        for factor in _factors(self.plans):
            for name in dict.fromkeys(name.id for name in measured_in(factor)):
                found[name] += ordered_categories([factor], self.frame, table)
        for name in self.measured:
            found[name] += codes_of_missing_values([Name(name)], table)
        return {name: tuple(dict.fromkeys(notes)) for name, notes in found.items() if notes}


def read(formula: Formula, frame: Frame, language: Language = CORE, family: str | None = None) -> Asked:
    """Return what `formula` asks of a frame with the names of `frame`; arguments and errors as for `bind`."""
    _require_extensions(formula, language)
    spec = specification(formula, language)
    law = family_of(spec, family, language)
    check_counts(spec, law)
    check_levels(spec, law)
    _check_names(spec, frame, language)
    plans = tuple(_plans(spec, frame))
    variable = response_column(spec)
    _check_response(variable, plans)
    return Asked(spec, law, plans, variable, frame, language)


def bound(asked: Asked, table: Table, rows: Rows, kept: Frame | None = None) -> Design:
    """Return the design of what a formula asks, in the rows of `table`.

    Parameters
    ----------
    asked : Asked
    table : Table
    rows : Rows
        The counts of rows.
    kept : Frame, optional
        What contrasts added after the fit may read; by default the whole frame.
    """
    spec, plans, frame = asked.spec, asked.plans, asked.frame
    response = read_response(spec, asked.variable, table, asked.law)
    categories = of_categories(response) if asked.law.mean.by_level else None
    bound = tuple(_predictor(plan, table, categories) for plan in plans)
    hierarchies = resolve_hierarchies(spec.pooling, bound)
    predictors = tuple(predictor.pooled(hierarchies) for predictor in bound)
    if asked.law.thresholds is not None:
        predictors = with_thresholds(predictors, asked.law.thresholds)
    design = Design(
        spec,
        response,
        predictors[0],
        predictors[1:],
        table.weights,
        _standard_errors(spec.rows, table),
        _weight_columns(spec, table),
        replace(rows, lost=asked.lost(table, rows.lost) if rows.dropped else {}),
        _within(response, predictors),
        (*_notes(spec, plans, predictors, frame, table), *_on_order(spec, asked.law, response, table)),
        KeptFrame(kept or frame, table.places),
        asked.language,
        KeptRows(table.places, table.columns) if kept is None else None,
    )
    design = replace(design, notes=(*told_lost(design.rows), *design.notes))
    check_references(design)
    return design


def _require_extensions(formula: Formula, language: Language) -> None:
    missing = sorted(set(formula.extensions) - language.extensions)
    if missing:
        raise ExtensionError(
            f"The formula was parsed with the extension {listed(missing)}, which this language lacks. "
            "Give the language that it was parsed with: `language=...`."
        )


# --- names


def _check_names(spec: ModelSpec, frame: Frame, language: Language) -> None:
    weights = {name for question in spec.questions for name in weight_columns(question)}
    for name in _named_columns(spec):
        require_known(name, frame, language, WORDS if name in weights else ())


def _named_columns(spec: ModelSpec) -> Iterator[Name]:
    """Yield every column named in the formula, in the order written."""
    yield from columns_in(spec.response)
    mean, *others = spec.parameters
    yield from mean.columns
    for linear in others:
        if linear.parameter == MAIN:
            message = f"`{MAIN}` is the parameter of the formula's own predictors"
            raise FormulaError(message, linear.span, "write its predictors after the first `~`")
        yield from linear.columns
    yield from _columns_of_clauses(spec)


def _columns_of_clauses(spec: ModelSpec) -> Iterator[Name]:
    yield from spec.rows.columns
    for question in spec.questions:
        yield from weight_columns(question)


# --- plans


def _plans(spec: ModelSpec, frame: Frame) -> Iterator[Plan]:
    named = {name.id for name in _named_columns(spec)}
    rest = tuple(name for name in frame.names if name not in named)
    for linear in spec.parameters:
        predictors, group = linear.predictors, linear.group
        dotted = any(isinstance(part, Rest) for part in walk(predictors))
        expansion = expand(predictors, rest if dotted else (), group is not None)
        varying = tuple(plans_of(expansion.varying, rest if dotted else ()))
        yield Plan(linear.parameter, expansion, group, predictors.span, varying)


def columns_of_plan(plan: Plan) -> Iterator[Name]:
    """Yield the columns of the expanded predictors: without terms that were subtracted, with the columns of ``.``."""
    for product in plan.products:
        for factor in product.factors:
            yield from columns_in(factor)
    for offset in plan.expansion.offsets:
        yield from columns_in(offset)
    for group in plan.groups:
        yield from group.names


def _check_response(response: str, plans: Sequence[Plan]) -> None:
    """Raise a FormulaError if the response is a predictor or a group as well."""
    for plan in plans:
        for name in columns_of_plan(plan):
            if name.id == response:
                message = f"`{response}` is the response, so it cannot be a predictor or a group too"
                raise FormulaError(message, name.span, "leave it out")


# --- values


def _predictor(plan: Plan, table: Table, categories: Factor | None) -> Predictor:
    own, shared = build_terms(plan.expansion, table)
    if categories is not None:
        own, shared = (tuple(by_category(term, categories) for term in terms) for terms in (own, shared))
    recipe = offset_recipe(plan.expansion.offsets, table)
    offset = None if recipe is None else values_of(recipe, table, OFFSET)
    grouping = None if plan.group is None else bind_group(plan.group, table)
    if grouping is not None:
        refuse_own_group(own, grouping)
    blocks = blocks_of((), own, None) if grouping is None else blocks_of(own, shared, grouping)
    varying = bind_varying(plan.varying, plan.parameter, grouping, table)
    if categories is not None:
        varying = tuple(block_by_category(block, categories) for block in varying)
    return Predictor(plan.parameter, blocks, offset, plan.span, recipe, varying_blocks(varying, own + shared))


def offset_recipe(offsets: Sequence[Call], table: Table) -> Recipe | None:
    """Return the recipe of the sum of the offsets."""
    if not offsets:
        return None
    each = tuple(learn(offset, table) for offset in offsets)
    if len(each) == 1:
        return each[0]
    return Arithmetic(("+",) * (len(each) - 1), each, " + ".join(map(canonical, offsets)))


def _within(response: Response, predictors: Sequence[Predictor]) -> tuple[GroupMoments, ...]:
    """Return what columns learnt within groups, each call once."""
    recipes = [response.recipe]
    for predictor in predictors:
        terms = (*predictor.terms, *(term for block in predictor.varying for term in block.terms))
        recipes += [n for term in terms if term.recipe is not None for n in term.recipe.singles]
        recipes.append(predictor.recipe)
    found = [learnt for recipe in recipes if recipe is not None for learnt in moments_in(recipe)]
    return tuple({learnt.text: learnt for learnt in found}.values())


def _factors(plans: Sequence[Plan]) -> list[Expr]:
    """Return the factors of all terms."""
    return [factor for plan in plans for product in plan.products for factor in product.factors]


def _notes(
    spec: ModelSpec, plans: Sequence[Plan], predictors: Sequence[Predictor], frame: Frame, table: Table
) -> Iterator[str]:
    """Yield notes on how the data were read."""
    factors = _factors(plans)
    yield from numbers_as_levels(factors, table)
    yield from ordered_categories(factors, frame, table)
    names = dict.fromkeys(name.id for factor in factors for name in measured_in(factor))
    names |= dict.fromkeys(name.id for plan in plans for group in plan.groups for name in group.names)
    kept = (name for name in names if table.columns[name].kind != "numeric")
    yield from look_alikes({name: table.levels(name).labels for name in kept})
    two_bars = {term.span for plan in plans for term in plan.varying if not term.correlated}
    yield from correlated_levels(predictors, two_bars)
    if frame.rows:
        yield from codes_of_missing_values([spec.response, *factors], table)
    yield from words_beside_columns(spec.questions, frame.names)
    for name in table.columns:
        yield from frame.notes.get(name, ())


def _on_order(spec: ModelSpec, family: Likelihood, response: Response, table: Table) -> Iterator[str]:
    """Yield a note where the order of ordered categories is a matter of chance."""
    stated = spec.family is not None and spec.family.levels is not None
    note = "" if stated or family.thresholds is None else order_of_text(response, table)
    yield from [note] if note else []


def _standard_errors(rows: RowsRequest, table: Table) -> FloatArray | None:
    column = rows.standard_errors
    return None if column is None else standard_errors(table.columns[column.value.id])


def _weight_columns(spec: ModelSpec, table: Table) -> dict[str, FloatArray]:
    """Return the columns that weight the groups in contrasts, by name."""
    columns = {}
    for name in (name for question in spec.questions for name in weight_columns(question)):
        columns[name.id] = weight_values(table.columns[name.id], name)
    return columns
