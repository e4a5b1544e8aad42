"""Parameters of Python functions as keywords of a formula, and back."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

import formulajoint as fj
from formulajoint.errors import ExtensionError, FormulaError
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Extension
from formulajoint.language.vocabulary.options import options_of, positional_of
from formulajoint.language.vocabulary.signatures import Kind
from formulajoint.spec.read import parse, specification

type Side = Literal["low", "high"]


def options(
    effects,
    weights,
    *,
    cut=0.1,
    times: int = 3,
    strict=False,
    side: Literal["low", "high"] = "low",
    tail: Side | None = None,
    label: str = "none",
    limit: float | None = None,
):
    return effects


def test_each_parameter_says_what_it_takes():
    kinds = {slot.name: (slot.kind, slot.words) for slot in options_of(options)}
    assert kinds == {
        "cut": (Kind.NUMBER, ()),
        "times": (Kind.INTEGER, ()),
        "strict": (Kind.WORD, ("true", "false")),
        "side": (Kind.WORD, ("low", "high")),
        "tail": (Kind.WORD, ("low", "high")),
        "label": (Kind.LABEL, ()),
        "limit": (Kind.NUMBER, ()),
    }
    assert positional_of(options) == ("effects", "weights")


LANGUAGE = CORE.extend(Extension("mine", [fj.Contrast(options)]))


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("", {}),
        ("cut=-1/4", {"cut": -0.25}),
        ("times=-2", {"times": -2}),
        ("strict=true", {"strict": True}),
        ("strict=false, side=high", {"strict": False, "side": "high"}),
        ("tail=low", {"tail": "low"}),
        ("label=a", {"label": "a"}),
        ('label="a b"', {"label": "a b"}),
        ("limit=2", {"limit": 2.0}),
    ],
)
def test_values_come_back_as_pythons_own(written, values):
    text = f"y ~ x | g, options(x, {written})" if written else "y ~ x | g, options(x)"
    (asked,) = specification(parse(text, LANGUAGE), LANGUAGE).contrasts
    given = asked.options
    assert given == values
    assert [type(value) for value in given.values()] == [type(value) for value in values.values()]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("times=1.5", "`times` must be a whole number"),
        ("cut=a", "a number is expected here"),
        ("strict=1", "`strict` is one of `true`, `false`"),
        ("side=middle", "`side` is one of `low`, `high`"),
        ("label=2", "`label` must be a name, not a number"),
        ("cuts=2", "`options` has no argument `cuts`"),
    ],
)
def test_other_values_are_refused_where_they_stand(written, message):
    with pytest.raises(FormulaError, match=message):
        parse(f"y ~ x | g, options(x, {written})", LANGUAGE)


def no_default(effects, weights, *, cut):
    return effects


def no_type(effects, weights, *, cut=None):
    return effects


def numbers_as_words(effects, weights, *, cut: Literal[1, 2] = 1):
    return effects


def taken(effects, weights, *, scale=2.0):
    return effects


def any_number(*effects):
    return effects


def any_keyword(effects, weights, **more):
    return effects


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_default, "`cut` of `no_default` needs a default"),
        (no_type, "`cut` of `no_type` says neither by its annotation nor by its default"),
        (numbers_as_words, "`cut` of `numbers_as_words` says neither"),
        (taken, "cannot have a parameter of its own called `scale`"),
        (any_number, "must name its parameters"),
        (any_keyword, "must name its parameters"),
        (np.maximum, "wrap it in one|must take effects and weights"),
        ("trimmed", "is not a Python function"),
    ],
)
def test_a_function_that_formulas_cannot_call_is_refused(function, message):
    with pytest.raises(ExtensionError, match=message):
        fj.Contrast(function)
