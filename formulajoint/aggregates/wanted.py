"""What a formula needs of the rows of a frame: columns whose values are told apart, and numbers that are summed.

With a Gaussian response and the identity link the mean's numbers enter through means, squares and products alone. What
else differs between rows tells cells apart: groups, factors, known sds, predictors of sigma. Other families need the
rows that differ, and how often each occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from formulajoint.design.bind import OFFSET, Asked, Plan, columns_of_plan, offset_recipe
from formulajoint.design.columns import Kind
from formulajoint.design.learn import Categorical, learn, learn_factor
from formulajoint.design.recipes import Basis, Recipe
from formulajoint.design.rows import Table
from formulajoint.distributions.links import IDENTITY
from formulajoint.errors import DataError
from formulajoint.language.syntax.nodes import Call, Expr, Name
from formulajoint.language.vocabulary.core import FACTORS
from formulajoint.spec.names import columns_in, key_of
from formulajoint.spec.spec import Average, BySum, LevelContrast, Weighting, weight_columns

type Texts = tuple[str, ...]
"""The texts of numeric factors that are multiplied in a term."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a formula needs of the rows.

    Attributes
    ----------
    keys : tuple of str
        Columns whose values are told apart.
    factors : mapping of str to Expr
        The numeric factors of the mean's terms and the response, by their text.
    products : tuple of tuple of str
        The texts of the numeric factors of each term; the response, the offset and each summed column alone.
    offsets : tuple of Call
    summed : mapping of str to str
        Columns that are summed for the weights of contrasts, by their text among `products`.
    """

    keys: tuple[str, ...]
    factors: Mapping[str, Expr] = field(default_factory=dict)
    products: tuple[Texts, ...] = ()
    offsets: tuple[Call, ...] = ()
    summed: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> frozenset[str]:
        """The factors that are functions of the keys alone."""
        exprs: dict[str, tuple[Expr, ...]] = {text: (factor,) for text, factor in self.factors.items()} | {
            OFFSET: self.offsets
        }
        return frozenset(
            text
            for text, parts in exprs.items()
            if parts and all(name.id in self.keys for part in parts for name in columns_in(part))
        )


def wanted(asked: Asked, kind: Callable[[str], Kind]) -> Wanted:
    """Return what a formula needs of the rows of a frame with columns of that `kind`."""
    keys = dict.fromkeys(_keys(asked, kind))
    if not (asked.law.sums and asked.law.mean.link is IDENTITY):
        keys |= dict.fromkeys(name for name in asked.columns if name != asked.weights)
        return Wanted(tuple(keys))
    mean = asked.plans[0]
    response = asked.spec.response
    if isinstance(response, Name) and kind(response.id) == "categorical":
        raise DataError(
            f"Column `{response.id}` is the response, but holds text or categories. A response is numeric."
        )
    factors: dict[str, Expr] = {key_of(response): response}
    products: list[Texts] = [(key_of(response),)]
    for product in mean.products:
        numeric = {
            key: factor
            for key, factor in zip(product.keys, product.factors, strict=True)
            if not _levels_of(factor, kind)
        }
        factors |= numeric
        products += [(key,) for key in numeric]
        products += [tuple(numeric)] if numeric else []
    offsets = tuple(mean.expansion.offsets)
    products += [(OFFSET,)] if offsets else []
    summed = {f"sum({name})": name for name in _summed(asked) if name not in keys}
    products += [(text,) for text in summed]
    return Wanted(tuple(keys), factors, tuple(dict.fromkeys(products)), offsets, summed)


def recipes_of(found: Wanted, table: Table) -> dict[str, Recipe | Basis]:
    """Return the recipe of each factor that is summed, as learnt or from the rows of `table`."""
    out: dict[str, Recipe | Basis] = {}
    for text, factor in found.factors.items():
        learnt = learn_factor(factor, table) if isinstance(factor, Call) else learn(factor, table)
        assert not isinstance(learnt, Categorical)  # factors with levels are keys
        out[text] = learnt
    offset = offset_recipe(found.offsets, table)
    return out if offset is None else out | {OFFSET: offset}


def _keys(asked: Asked, kind: Callable[[str], Kind]) -> Iterable[str]:
    for plan in asked.plans:
        yield from _grouped(plan)
        for product in plan.products:
            yield from (name for factor in product.factors if (name := _levels_of(factor, kind)))
    for plan in asked.plans[1:]:
        yield from (name.id for name in columns_of_plan(plan))
    if asked.spec.rows.standard_errors is not None:
        yield asked.spec.rows.standard_errors.value.id
    summed = set(_summed(asked))
    for question in asked.spec.questions:
        yield from (name.id for name in weight_columns(question) if name.id not in summed)


def _grouped(plan: Plan) -> Sequence[str]:
    return [name.id for group in plan.groups for name in group.names]


def _levels_of(factor: Expr, kind: Callable[[str], Kind]) -> str:
    """Return the column whose levels a factor of a term has; empty if it has numbers."""
    if isinstance(factor, Name):
        return factor.id if kind(factor.id) != "numeric" else ""
    if isinstance(factor, Call) and factor.name in ("C", *FACTORS) and isinstance(factor.args[0], Name):
        return factor.args[0].id
    return ""


def _summed(asked: Asked) -> list[str]:
    """Return the columns of which contrasts take sums alone."""
    weightings: list[Weighting] = [
        q.weights.value for q in asked.spec.questions if isinstance(q, Average | LevelContrast)
    ]
    by_sum = {w.column.id for w in weightings if isinstance(w, BySum)}
    others = {
        name.id
        for q in asked.spec.questions
        if not (isinstance(q, Average | LevelContrast) and isinstance(q.weights.value, BySum))
        for name in weight_columns(q)
    }
    return sorted(by_sum - others)
