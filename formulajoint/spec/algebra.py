"""Wilkinson algebra: expand predictors as written to a list of terms, with R's rules and R's order.

A term is a set of factors; the empty set is the intercept. Terms are counted before they are made: a formula has at
most `MOST_TERMS` of them, each of at most `MOST_FACTORS` factors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations
from math import comb

from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Call, Chain, Expr, GroupTerm, Name, Number, Rest, Unary
from formulajoint.language.syntax.text import RANK, SPECIAL, canonical
from formulajoint.language.vocabulary.core import NESTED
from formulajoint.spans import NOWHERE, Span
from formulajoint.spec.names import column_arguments, key_of, plain
from formulajoint.wording import did_you_mean

MOST_TERMS = 1000
MOST_FACTORS = 8


@dataclass(frozen=True, slots=True)
class Product:
    """An interaction of factors: with one factor a main effect, with no factor the intercept."""

    factors: tuple[Expr, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """The canonical text of each factor."""
        return tuple(key_of(factor) for factor in self.factors)

    def times(self, other: Product) -> Product:
        """Return the interaction of both; a factor in both counts once."""
        known = self.keys
        fresh = tuple(f for f, key in zip(other.factors, other.keys, strict=True) if key not in known)
        return Product(self.factors + fresh, _cover(self, other))


def _cover(a: Product, b: Product) -> Span:
    return a.span.to(b.span) if a.factors and b.factors else (a if a.factors else b).span


type Terms = Mapping[frozenset[str], Product]

NONE: frozenset[str] = frozenset()
"""Key of the intercept."""


@dataclass(frozen=True, slots=True)
class Sum:
    """The value of an expression: per-group terms, shared terms, offsets and group terms.

    `zero` is true if a ``0`` or ``-1`` in it removes the intercept.
    """

    own: Terms = field(default_factory=dict)
    shared: Terms = field(default_factory=dict)
    offsets: tuple[Call, ...] = ()
    zero: bool = False
    varying: tuple[GroupTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class Expansion:
    """The terms of one linear predictor, in R's order, intercept first; `varying` are the group terms, as written."""

    own: tuple[Product, ...]
    shared: tuple[Product, ...]
    offsets: tuple[Call, ...]
    varying: tuple[GroupTerm, ...] = ()


def expand(predictors: Expr, rest: Sequence[str], grouped: bool) -> Expansion:
    """Return the terms of `predictors`.

    Parameters
    ----------
    predictors : Expr
    rest : sequence of str
        The columns that ``.`` stands for; empty if there is no ``.``.
    grouped : bool
        Whether ``| group`` follows the predictors; only then may a term be ``common``.
    """
    intercept = Sum(own={NONE: Product(span=predictors.span)})
    algebra = _Algebra(tuple(rest))
    total = algebra.plus(intercept, algebra.evaluate(predictors))
    _check(total, predictors, grouped)
    return Expansion(_ordered(total.own), _ordered(total.shared), total.offsets, total.varying)


def _ordered(terms: Terms) -> tuple[Product, ...]:
    return tuple(sorted(terms.values(), key=lambda product: len(product.factors)))


def _check(total: Sum, predictors: Expr, grouped: bool) -> None:
    for key, product in total.shared.items():
        if not grouped:
            message = "`common(...)` shares coefficients between groups, and there are no groups here"
            raise FormulaError(
                message, product.span, "write `| group` after the predictors, or the term alone"
            )
        if key in total.own and not key:
            message = "the intercept is both per group and common"
            raise FormulaError(message, product.span, "add `+ 0` to remove the intercepts of the groups")
        if key in total.own:
            message = f"`{':'.join(product.keys)}` is both per group and common"
            raise FormulaError(message, product.span, "leave one of them out")
    if not (total.own or total.shared or total.offsets or total.varying):
        raise FormulaError("no predictor is left, not even an intercept", predictors.span)


@dataclass(frozen=True, slots=True)
class _Algebra:
    """Evaluates the operators among predictors."""

    rest: tuple[str, ...]
    inside_common: bool = False

    def evaluate(self, expr: Expr) -> Sum:
        match expr:
            case Name():
                return self._single(expr)
            case Number():
                return self._number(expr)
            case Rest():
                return self._rest(expr)
            case Unary(operator="-"):
                return self._minus(Sum(), self.evaluate(expr.operand), expr.operand)
            case Unary():
                return self.evaluate(expr.operand)
            case Call(name="common"):
                return self._common(expr)
            case Call(name="offset"):
                return Sum(offsets=(expr,))
            case GroupTerm():
                return Sum(varying=(expr,))
            case Call():
                return self._single(expr)
            case Chain(operators=("^", *_)):
                return self._power(expr)
            case Chain() if (
                RANK[expr.operators[0]] == SPECIAL and expr.operators[0] != NESTED
            ):  # operators on values, as in I(...)
                return self._single(Call("I", (expr,), span=expr.span))
            case Chain():
                return self._chain(expr)
        raise FormulaError(f"`{canonical(expr)}` is not a predictor", expr.span)

    def _single(self, factor: Name | Call) -> Sum:
        product = Product((plain(factor),), factor.span)
        return Sum(own={frozenset(product.keys): product})

    def _number(self, number: Number) -> Sum:
        if number.value == 1:
            return Sum(own={NONE: Product(span=number.span)})
        if number.value == 0:
            return Sum(zero=True)
        message = f"the number {number.text} is not a predictor: only 0 and 1 are allowed, for the intercept"
        raise FormulaError(message, number.span, "arithmetic goes into `I(...)`, as in `I(2 * x)`")

    def _rest(self, dot: Rest) -> Sum:
        if not self.rest:
            message = "`.` means every column that the formula does not name, and it names all of them"
            raise FormulaError(message, dot.span)
        self._limit(len(self.rest), dot)
        singles = [self._single(Name(name, span=dot.span)) for name in self.rest]
        return Sum(own={key: product for single in singles for key, product in single.own.items()})

    def _common(self, call: Call) -> Sum:
        if self.inside_common:
            raise FormulaError("`common` is inside another `common`", call.span, "once is enough")
        inside = _Algebra(self.rest, inside_common=True)
        inner = inside.evaluate(next(column_arguments(call)))
        if inner.zero or inner.offsets:
            what = "an offset" if inner.offsets else "`0` or `-1`"
            message = f"{what} inside `common(...)` has no meaning"
            raise FormulaError(message, call.span, "write it outside: `common(x) + 0`")
        return Sum(shared={key: Product(p.factors, p.span) for key, p in inner.own.items()})

    # --- sums

    def plus(self, left: Sum, right: Sum) -> Sum:
        """Return the sum of both; if both state whether there is an intercept, the last one holds."""
        kept = {key: p for key, p in left.own.items() if key or not right.zero}
        own = kept | {key: p for key, p in right.own.items() if key not in kept}
        zero = NONE not in right.own and (left.zero or right.zero)
        offsets, varying = left.offsets + right.offsets, left.varying + right.varying
        return Sum(own, {**left.shared, **right.shared}, offsets, zero, varying)

    def _minus(self, left: Sum, right: Sum, at: Expr) -> Sum:
        if right.shared or right.offsets:
            message = f"`{canonical(at)}` cannot be removed"
            raise FormulaError(message, at.span, "leave it out")
        for key, product in right.own.items():
            if key and key not in left.own and not self.rest:
                self._refuse_absent(left, product, at)
        own = {key: p for key, p in left.own.items() if key not in right.own}
        zero = (left.zero or NONE in right.own) and not right.zero
        result = Sum(own, left.shared, left.offsets, zero, left.varying)
        return self.plus(result, Sum(own={NONE: Product(span=at.span)})) if right.zero else result

    def _refuse_absent(self, left: Sum, product: Product, at: Expr) -> None:
        name = ":".join(product.keys)
        hint = did_you_mean(name, [":".join(p.keys) for p in left.own.values() if p.factors])
        raise FormulaError(f"there is no term `{name}` before this to remove", at.span, hint)

    # --- products

    def _chain(self, chain: Chain) -> Sum:
        first, *others = chain.operands
        total = self.evaluate(first)
        for operator, operand in zip(chain.operators, others, strict=True):
            value = self.evaluate(operand)
            match operator:
                case "+":
                    total = self.plus(total, value)
                case "-":
                    total = self._minus(total, value, operand)
                case ":" | "*" | "/" | "%in%":
                    total = self._product(operator, total, value, operand)
                case _:
                    message = f"`{operator}` has no meaning among predictors"
                    raise FormulaError(message, chain.span)
            self._limit(len(total.own), chain)
            self._limit_factors(total.own, operand)
        return total

    def _product(self, operator: str, left: Sum, right: Sum, at: Expr) -> Sum:
        self._require_terms(left, at)
        self._require_terms(right, at)
        if len(left.own) == 1 and left.own.keys() == right.own.keys():
            raise self._same(next(iter(left.own.values())), at)
        if operator == "/":  # R: a/b is a + a:b, where a:b has all factors of a
            return self.plus(left, self._crossed([_joined(left.own.values())], right.own.values(), at))
        crossed = self._crossed(left.own.values(), right.own.values(), at)
        return crossed if operator in (":", NESTED) else self.plus(self.plus(left, right), crossed)

    def _crossed(self, left: Collection[Product], right: Collection[Product], at: Expr) -> Sum:
        self._limit(len(left) * len(right), at)
        return Sum(own=_distinct(a.times(b) for a in left for b in right))

    def _power(self, chain: Chain) -> Sum:
        base, exponent = chain.operands[0], chain.operands[-1]
        terms = self.evaluate(base)
        self._require_terms(terms, base)
        whole = isinstance(exponent, Number) and exponent.value.is_integer() and exponent.value >= 1
        if len(chain.operands) > 2 or not isinstance(exponent, Number) or not whole:
            message = "among predictors `^` crosses terms up to an order, a whole number such as 2"
            raise FormulaError(message, exponent.span)
        singles, order = list(terms.own.values()), int(exponent.value)
        if len(singles) == 1 and order > 1:
            raise self._same(singles[0], chain)
        sizes = range(1, min(order, len(singles)) + 1)
        self._limit(sum(comb(len(singles), size) for size in sizes), chain)
        powers = _distinct(_joined(chosen) for size in sizes for chosen in combinations(singles, size))
        self._limit_factors(powers, chain)
        return Sum(own=powers)

    # --- errors

    def _require_terms(self, value: Sum, at: Expr) -> None:
        if value.shared or value.offsets or value.zero or NONE in value.own:
            message = "0, 1, `common(...)` and `offset(...)` are allowed in sums only, not in products"
            raise FormulaError(message, at.span)

    def _same(self, product: Product, at: Expr) -> FormulaError:
        name = ":".join(product.keys)
        message = f"among predictors a term times itself is the term: this is just `{name}`"
        hint = f"write `I({name}^2)` for the square" if len(product.keys) == 1 else ""
        return FormulaError(message, at.span, hint)

    def _limit(self, terms: int, at: Expr) -> None:
        if terms > MOST_TERMS:
            message = f"this expands to {terms:,} terms; at most {MOST_TERMS:,} are allowed"
            raise FormulaError(message, at.span)

    def _limit_factors(self, terms: Terms, at: Expr) -> None:
        most = max((len(product.factors) for product in terms.values()), default=0)
        if most > MOST_FACTORS:
            message = f"this makes an interaction of {most} columns; at most {MOST_FACTORS} are allowed"
            raise FormulaError(message, at.span)


def _joined(products: Iterable[Product]) -> Product:
    return reduce(Product.times, products, Product())


def _distinct(products: Iterable[Product]) -> Terms:
    terms: dict[frozenset[str], Product] = {}
    for product in products:
        terms.setdefault(frozenset(product.keys), product)
    return terms
