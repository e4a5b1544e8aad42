"""What holds for every formula and for every text."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from formulajoint.errors import FormulaError
from formulajoint.language.formula import Formula
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.text import BARE_NAME, canonical
from formulajoint.language.vocabulary.core import CORE
from formulajoint.spec.json import from_json, to_json
from formulajoint.spec.read import parse, parse_clause, parse_hypotheses, specification


def normal(text):
    return unicodedata.normalize("NFC", text)


bare = st.sampled_from(
    ["x", "treatment", "n", "true", "sigma", "Sepal.Length", "x.mean", "_a1", "größe", "身高"]
) | st.from_regex(BARE_NAME, fullmatch=True).map(normal).filter(lambda name: re.fullmatch(BARE_NAME, name))
anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
names = st.builds(nodes.Name, bare) | st.builds(nodes.Name, anything.map(normal), st.just(True))
digits = st.from_regex(r"[0-9]{1,3}(\.[0-9]{0,2})?(e-?[0-9])?|\.[0-9]{1,3}", fullmatch=True)
numbers = st.builds(nodes.Number, digits)
texts = st.builds(nodes.Text, anything)
RANKS = [("+", "-"), ("*", "/"), (":",), ("^",)]


def rank(node):
    """Return the place in RANKS of a chain, and one of its own for everything else."""
    found = [
        place
        for place, operators in enumerate(RANKS)
        if isinstance(node, nodes.Chain) and node.operators[0] in operators
    ]
    return found[0] if found else None


def chain(operators, operands):
    """Return the chain that the parser would make: never one of the same rank where parentheses change nothing."""
    return nodes.Chain(tuple(operators), tuple(operands))


@st.composite
def chains(draw, ranks, operands):
    place = draw(st.sampled_from(ranks))
    parts = draw(st.lists(operands, min_size=2, max_size=3))
    for i, part in enumerate(parts):
        same = rank(part) == place
        redundant = {0: i == 0, 1: i == 0, 2: True, 3: i == len(parts) - 1}[place]
        signed = place == 0 and i > 0 and isinstance(part, nodes.Unary)
        if (same and redundant) or signed:
            parts[i] = draw(names)
    operators = draw(
        st.lists(st.sampled_from(RANKS[place]), min_size=len(parts) - 1, max_size=len(parts) - 1)
    )
    return chain(operators, parts)


def signed_once(children):
    """Return a strategy for expressions with a sign, of which the parser makes one where there are several."""
    return st.builds(
        nodes.Unary, st.sampled_from("+-"), children.filter(lambda x: not isinstance(x, nodes.Unary))
    )


def arithmetic(children):
    signed = signed_once(children)
    called = st.builds(
        lambda name, x: nodes.Call(name, (x,)), st.sampled_from(["log", "center", "I"]), children
    )
    return signed | called | chains([0, 1, 3], children)


values = st.recursive(names | numbers, arithmetic, max_leaves=8)
tests_of_columns = st.builds(
    lambda op, a, b: nodes.Chain((op,), (a, b)), st.sampled_from(["<", "==", "!="]), values, values
)
calls = (
    st.builds(lambda x: nodes.Call("log", (x,)), values)
    | st.builds(lambda x: nodes.Call("I", (x,)), values | tests_of_columns)
    | st.builds(lambda x, d: nodes.Call("poly", (x, nodes.Number(str(d)))), values, st.integers(1, 5))
)
factors = names | st.just(nodes.Rest()) | calls


def algebra(children):
    powers = st.builds(
        lambda base, n: nodes.Chain(("^",), (base, nodes.Number(str(n)))), children, st.integers(1, 9)
    )
    return chains([0, 1, 2], children) | powers


terms = st.recursive(factors, algebra, max_leaves=8)
groups = st.lists(names, min_size=1, max_size=3, unique_by=lambda name: name.id).flatmap(
    lambda parts: st.builds(
        lambda separators: nodes.Group(tuple(parts), tuple(separators)),
        st.lists(st.sampled_from("/:"), min_size=len(parts) - 1, max_size=len(parts) - 1),
    )
)
group_terms = st.builds(nodes.GroupTerm, terms, groups, st.booleans())
intercepts = st.sampled_from([nodes.Number("0"), nodes.Number("1")])
common = st.builds(lambda inner: nodes.Call("common", (inner,)), terms | intercepts)


@st.composite
def predictor_sums(draw):
    first = draw(factors | intercepts)
    others = draw(st.lists(factors | intercepts | group_terms | common | terms, max_size=3))
    others = [draw(names) if isinstance(other, nodes.Unary) else other for other in others]
    return chain("+" * len(others), (first, *others)) if others else first


levels = (
    st.builds(nodes.Level, bare)
    | st.builds(nodes.Level, digits)
    | st.builds(nodes.Level, digits.map("-{}".format))
    | st.builds(lambda a, b: nodes.Level(f"{a}/{b}"), bare, digits)
    | st.builds(nodes.Level, anything, st.just(True))
)
keyed = levels.filter(lambda level: level.quoted or ":" not in level.text)
interactions = st.lists(names | calls, min_size=2, max_size=3).map(
    lambda parts: nodes.Chain((":",) * (len(parts) - 1), tuple(parts))
)
wholes = names | calls | interactions
dims = st.none() | bare | anything.map(normal)


@st.composite
def references(draw):
    found = draw(st.lists(levels, min_size=1, max_size=2))
    named = draw(st.booleans())
    dim_names = draw(
        st.lists(bare | anything.map(normal), min_size=len(found), max_size=len(found), unique=True)
    )
    indices = [
        nodes.Index(level, dim if named else None) for level, dim in zip(found, dim_names, strict=True)
    ]
    return nodes.Subscript(draw(wholes), tuple(indices))


quoted_wholes = st.builds(nodes.Name, anything.map(normal), st.just(True)) | calls | interactions
attributes = st.builds(nodes.Attribute, quoted_wholes, st.sampled_from(["mean", "sd"]))


def effect_arithmetic(children):
    return signed_once(children) | chains([0, 1, 3], children)


effects = st.recursive(names | numbers | references() | attributes, effect_arithmetic, max_leaves=6)


@st.composite
def hypotheses(draw):
    operators = draw(
        st.lists(st.sampled_from([">", ">="]), min_size=1, max_size=2) | st.just(["=="]) | st.just(["<"])
    )
    operands = draw(st.lists(effects, min_size=len(operators) + 1, max_size=len(operators) + 1))
    return nodes.Chain(tuple(operators), tuple(operands))


weights = (
    names
    | st.lists(
        st.builds(nodes.Entry, keyed, numbers), min_size=1, max_size=3, unique_by=lambda e: e.level.text
    ).map(lambda e: nodes.Map(tuple(e)))
    | st.lists(numbers, min_size=1, max_size=3).map(lambda items: nodes.Sequence(tuple(items)))
    | st.builds(lambda name: nodes.Call("sum", (name,)), names)
).filter(
    lambda w: (
        not isinstance(w, nodes.Map | nodes.Sequence)
        or any(part.value != 0 for part in nodes.walk(w) if isinstance(part, nodes.Number))
    )
)
normals = st.builds(
    lambda mu: nodes.Call("normal", (mu,), (nodes.Keyword("sigma", nodes.Number("2")),)), numbers
)
priors = st.builds(nodes.Distributed, wholes | attributes, normals)
clauses = (
    st.builds(
        lambda t, w: nodes.Call("joint", t, (nodes.Keyword("weights", w),)),
        st.lists(wholes, max_size=2).map(tuple),
        weights,
    )
    | st.builds(lambda e: nodes.Call("contrast", (e,)), effects)
    | st.builds(lambda h: nodes.Call("test", (h,)), hypotheses())
    | st.builds(lambda p: nodes.Call("prior", (p,)), priors)
).map(nodes.Clause)
formulas = st.builds(
    lambda response, predictors, group, parameter, clause: Formula(
        response,
        predictors,
        group,
        (nodes.Parameter("sigma", parameter, group), *([clause] if clause else [])),
    ),
    names | values.map(lambda x: nodes.Call("log", (x,))),
    predictor_sums(),
    st.none() | groups,
    predictor_sums(),
    st.none() | clauses,
)


@given(formulas)
def test_canonical_text_says_the_formula(formula):
    text = str(formula)
    again = parse(text)
    assert again == formula
    assert str(again) == text


@given(formulas)
def test_json_says_the_formula(formula):
    assert from_json(to_json(formula)) == formula


@given(formulas, st.randoms(use_true_random=False))
def test_layout_changes_nothing(formula, random):
    """Blanks, newlines and comments may stand between any two tokens outside quotes and subscripts."""
    pieces = re.split(r'(`(?:[^`]|``)*`(?:\.\w+)?|"(?:[^"\\]|\\.)*"| )', str(formula))
    blanks = [" ", "\n", "\t ", " # a remark, (unfinished `\n"]
    laid_out = "".join(random.choice(blanks) if piece == " " else piece for piece in pieces)
    assert parse(laid_out) == formula


@given(effects)
def test_a_clause_alone_reads_as_in_a_formula(effect):
    asked = parse_clause(f"contrast({canonical(effect)})")
    assert asked.expressions == (effect,)
    assert specification(parse(f"y ~ 1 | g, contrast({canonical(effect)})"), CORE).questions == (asked,)


@given(st.lists(hypotheses(), min_size=1, max_size=3))
def test_hypotheses_alone(found):
    text = ", ".join(canonical(hypothesis) for hypothesis in found)
    assert parse_hypotheses(text) == tuple(found)


PIECES = st.sampled_from(
    ["y", " ~ ", "x", "|", "||", "(", ")", "[", "]", "{", "}", ",", "+", "-", "*", "/", ":", "^", "**", "=", "==", ">", "<", "!=",
     ".", "1", "0.5", "2x", "`a b`", '"A"', "'", '"', "`", "log(", "joint(", "prior(", "test(", "contrast(", "weights=", "{A: 1}",
     "[A]", ".mean", "%in%", "%", "#", "\n", " ", "sigma ~ ", "é", "e\u0301", "−", "\u00a0", ";", "\\"]
)  # fmt: skip


@pytest.mark.parametrize("read", [parse, parse_clause, parse_hypotheses])
@given(text=st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=30))
@example(text="y ~ x[")
@example(text="\x00")
@example(text="y ~ ²")
@example(text="y ~ \u0958")
def test_any_text_is_read_or_refused(read, text):
    value, error = attempt(read, text)
    if error is None:
        said = ", ".join(map(canonical, value)) if isinstance(value, tuple) else written(value)
        assert read(said) == value
    else:
        assert error.message
        assert 0 <= error.span.start <= error.span.end <= len(text) + 1
        assert "^" in str(error)


def written(value):
    """Return the text of a formula or of a clause."""
    return str(value) if isinstance(value, Formula) else canonical(value)


def attempt(read, text):
    """Return what was read, or the error; any other exception fails the test."""
    try:
        return read(text), None
    except FormulaError as error:
        return None, error
