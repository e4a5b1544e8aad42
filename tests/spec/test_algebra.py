"""Predictors as written against the terms they expand to, in R's order."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formulajoint.errors import FormulaError
from formulajoint.spec.algebra import Product, expand
from formulajoint.spec.read import parse


def terms(products: tuple[Product, ...]) -> str:
    return " ".join(":".join(product.keys) or "1" for product in products)


def expanded(predictors: str, grouped: bool = False, rest: tuple[str, ...] = ()) -> str:
    """Return the terms in one line, the common ones after a bar."""
    text = f"y ~ {predictors}" + (" | g" if grouped else "")
    formula = parse(text)
    found = expand(formula.predictors, rest, grouped)
    shared = f" | {terms(found.shared)}" if found.shared else ""
    return (terms(found.own) + shared).strip()


# What R's `terms(y ~ ...)` says: attr "term.labels", with 1 for attr "intercept".
R = {
    "a": "1 a",
    "1": "1",
    "0 + a": "a",
    "a - 1": "a",
    "-1 + a": "a",
    "a + 0": "a",
    "a + 0 + 1": "1 a",
    "1 + a - 1": "a",
    "a - 0": "1 a",
    "0 + a - 0": "1 a",
    "a + -1": "a",
    "(0 + a) + b": "a b",
    "a + b + a": "1 a b",
    "a:b": "1 a:b",
    "a:b + a": "1 a a:b",
    "a*b": "1 a b a:b",
    "a:b + b:a": "1 a:b",
    "a*b*c": "1 a b c a:b a:c b:c a:b:c",
    "c + a*b": "1 c a b a:b",
    "a*b - a:b": "1 a b",
    "a*b - b:a": "1 a b",
    "a*b - a": "1 b a:b",
    "(a + b + c)^2": "1 a b c a:b a:c b:c",
    "(a + b + c)^5 - a:b:c": "1 a b c a:b a:c b:c",
    "(a + b)^1": "1 a b",
    "(a + b):c": "1 a:c b:c",
    "a:(b + c)": "1 a:b a:c",
    "(a + b):(a + c)": "1 a a:c b:a b:c",
    "(a + b)*c": "1 a b c a:c b:c",
    "a/b": "1 a a:b",
    "a/b/c": "1 a a:b a:b:c",
    "(a + b)/c": "1 a b a:b:c",
    "a/(b + c)": "1 a a:b a:c",
    "a*b/c": "1 a b a:b a:b:c",
    "a - (b - b)": "1 a",
    "a - (0 + 1)": "a",
    "a + (b + c) - (a + c)": "1 b",
    "log(a):b + I(a + b)": "1 I(a + b) log(a):b",
    "C(a, ref=b) + a": "1 C(a, ref=b) a",
}


@pytest.mark.parametrize("predictors", R)
def test_expands_as_r_does(predictors: str) -> None:
    assert expanded(predictors) == R[predictors]


COMMON = {
    "x + common(a)": "1 x | a",
    "common(a + b) + x": "1 x | a b",
    "common(a*b) + x": "1 x | a b a:b",
    "x + 0 + common(1)": "x | 1",
    "common(1) + 0 + x": "x | 1",
    "common(1 + a) - 1": "| 1 a",
    "common((a + b)^2 - a) + a": "1 a | b a:b",
}


@pytest.mark.parametrize("predictors", COMMON)
def test_common_terms_stand_apart(predictors: str) -> None:
    assert expanded(predictors, grouped=True) == COMMON[predictors]


DOTS = {
    ".": "1 a b",
    "x + .": "1 x a b",
    ". - a": "1 b",
    ". - z": "1 a b",
    ".^2": "1 a b a:b",
    "x:.": "1 x:a x:b",
    "0 + .": "a b",
}


@pytest.mark.parametrize("predictors", DOTS)
def test_a_dot_is_the_rest(predictors: str) -> None:
    assert expanded(predictors, rest=("a", "b")) == DOTS[predictors]


def test_offsets_are_kept_apart() -> None:
    formula = parse("y ~ a + offset(b) + offset(log(c))")
    found = expand(formula.predictors, (), grouped=False)
    assert terms(found.own) == "1 a"
    assert [call.name for call in found.offsets] == ["offset", "offset"]


def test_spans_point_at_the_terms() -> None:
    text = "y ~ aa * bb + log(c)"
    found = expand(parse(text).predictors, (), grouped=False)
    seen = {":".join(p.keys): text[p.span.start : p.span.end] for p in found.own if p.factors}
    assert seen == {"aa": "aa", "bb": "bb", "log(c)": "log(c)", "aa:bb": "aa * bb"}


def letters(count: int) -> str:
    return " + ".join(f"v{i}" for i in range(count))


LIMITS = {
    f"({letters(45)})^2": "expands to 1,035 terms",
    f"({letters(32)}) * ({letters(32)} + w)": "expands to 1,056 terms",
    f"({letters(2000)})": "expands to 1,001 terms",
    ":".join(f"v{i}" for i in range(9)): "an interaction of 9 columns",
    "*".join(f"v{i}" for i in range(9)): "an interaction of 9 columns",
    f"({letters(9)})^9": "an interaction of 9 columns",
    f"({letters(100)})^99": "expands to ",
}


@pytest.mark.parametrize("predictors", LIMITS)
def test_terms_are_counted_before_they_are_made(predictors: str) -> None:
    with pytest.raises(FormulaError, match=LIMITS[predictors]):
        expanded(predictors)


def test_what_is_just_allowed() -> None:
    assert expanded(f"({letters(44)})^2").count(" ") == 44 + 44 * 43 // 2
    assert expanded("*".join(f"v{i}" for i in range(8))).count(" ") == 2**8 - 1


@given(st.integers(1, 6), st.integers(1, 6))
def test_powers_are_the_subsets(count: int, order: int) -> None:
    names = [f"v{i}" for i in range(count)]
    if count == 1 and order > 1:
        return
    sizes = range(order + 1)
    subsets = chain.from_iterable(combinations(names, size) for size in sizes)
    assert expanded(f"({' + '.join(names)})^{order}") == " ".join(":".join(s) or "1" for s in subsets)


@given(st.permutations(["a", "b", "c", "a:b", "b:c", "0"]))
def test_order_of_writing_changes_order_only(parts: list[str]) -> None:
    found = expanded(" + ".join(parts)).split()
    assert sorted(found) == ["a", "a:b", "b", "b:c", "c"]
    assert [term.count(":") for term in found] == [0, 0, 0, 1, 1]
