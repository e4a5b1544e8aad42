"""What each piece of syntax becomes: nodes written out by hand."""

import pytest

from formulajoint.errors import BugError, FormulaError
from formulajoint.language.formula import Formula
from formulajoint.language.grammar.compose import CONTRASTS, FORMULA, parse_tree
from formulajoint.language.grammar.lower import RULES
from formulajoint.language.grammar.tree import Grammar, lower
from formulajoint.language.parse import syntax
from formulajoint.language.syntax.nodes import (
    Attribute,
    Call,
    Chain,
    Clause,
    Distributed,
    Entry,
    Group,
    GroupTerm,
    Index,
    Keyword,
    Level,
    Map,
    Name,
    Number,
    Parameter,
    Rest,
    Sequence,
    Subscript,
    Text,
    Unary,
    walk,
)
from formulajoint.language.vocabulary.core import CORE
from formulajoint.spec.read import parse, parse_hypotheses

a, b, c, g, x, y, z = map(Name, "abcgxyz")
one, two = Number("1"), Number("2")


def predictors(text):
    return parse(f"y ~ {text}").predictors


def clause(text):
    return syntax(text, "clause", CORE)


def effect(text):
    return clause(f"contrast({text})").call.args[0]


def level(text, quoted=False):
    return Index(Level(text, quoted))


def test_the_seed_formula():
    assert parse("score ~ treatment | school, joint(weights=n)") == Formula(
        response=Name("score"),
        predictors=Name("treatment"),
        group=Group((Name("school"),)),
        clauses=(Clause(Call("joint", (), (Keyword("weights", Name("n")),))),),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", x),
        ("`x`", Name("x", quoted=True)),
        (".", Rest()),
        ("a + b - c", Chain(("+", "-"), (a, b, c))),
        ("(a + b) + c", Chain(("+", "+"), (a, b, c))),
        ("a + (b + c)", Chain(("+",), (a, Chain(("+",), (b, c))))),
        ("a * b / c", Chain(("*", "/"), (a, b, c))),
        ("a:b:c", Chain((":", ":"), (a, b, c))),
        ("a:(b:c)", Chain((":", ":"), (a, b, c))),
        ("(a + b)**2", Chain(("^",), (Chain(("+",), (a, b)), two))),
        ("x + -1", Chain(("-",), (x, one))),
        ("x - -z", Chain(("+",), (x, z))),
        ("x - (-z)", Chain(("+",), (x, z))),
        ("-1 + x", Chain(("+",), (Unary("-", one), x))),
        ("---x", Unary("-", x)),
        ("- - x", Unary("+", x)),
        ("a * b:c", Chain(("*",), (a, Chain((":",), (b, c))))),
        ("a - a:b", Chain(("-",), (a, Chain((":",), (a, b))))),
        ("(1 + x | a/b)", GroupTerm(Chain(("+",), (one, x)), Group((a, b), ("/",)))),
        ("(x || a:b)", GroupTerm(x, Group((a, b), (":",)), correlated=False)),
        ("{x / 2}", Call("I", (Chain(("/",), (x, two)),))),
        ("poly(x, degree=2)", Call("poly", (x,), (Keyword("degree", two),))),
        ("I(a^b^c)", Call("I", (Chain(("^", "^"), (a, b, c)),))),
        ("I(a^(b^c))", Call("I", (Chain(("^", "^"), (a, b, c)),))),
        ("I((a^b)^c)", Call("I", (Chain(("^",), (Chain(("^",), (a, b)), c)),))),
        ("I(a^b^-c)", Call("I", (Chain(("^", "^"), (a, b, Unary("-", c))),))),
        ("I(-a^2)", Call("I", (Unary("-", Chain(("^",), (a, two))),))),
        ("I(-a * b)", Call("I", (Chain(("*",), (Unary("-", a), b)),))),
        ("I(a < b <= c)", Call("I", (Chain(("<", "<="), (a, b, c)),))),
        ("I((a < b) == c)", Call("I", (Chain(("==",), (Chain(("<",), (a, b)), c)),))),
    ],
)
def test_predictors(text, expected):
    assert predictors(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x[A]", Subscript(x, (level("A"),))),
        ("x[a1/b1]", Subscript(x, (level("a1/b1"),))),
        ("x[a1 : b1 / c]", Subscript(x, (level("a1:b1/c"),))),
        ("x[007]", Subscript(x, (level("007"),))),
        ("x[-1.50]", Subscript(x, (level("-1.50"),))),
        ('x["2020-01-01"]', Subscript(x, (level("2020-01-01", True),))),
        (r"x['it\'s \\ \n']", Subscript(x, (level("it's \\ \n", True),))),
        ("x[`School A`]", Subscript(x, (level("School A", True),))),
        ('x["School A"/b1]', Subscript(x, (level("School A/b1", True),))),
        ("x[A, b]", Subscript(x, (level("A"), level("b")))),
        ("x[g=A, x=b]", Subscript(x, (Index(Level("A"), "g"), Index(Level("b"), "x")))),
        ("x.mean", Name("x.mean")),
        ("`x`.mean", Attribute(Name("x", True), "mean")),
        ("poly(x, 2).sd", Attribute(Call("poly", (x, two)), "sd")),
        ("`x`.mean[A]", Subscript(Attribute(Name("x", True), "mean"), (level("A"),))),
        ("x:z[A]", Subscript(Chain((":",), (x, z)), (level("A"),))),
        ("(x:z)[A]", Subscript(Chain((":",), (x, z)), (level("A"),))),
        ("(x:z[A])^2", Chain(("^",), (Subscript(Chain((":",), (x, z)), (level("A"),)), two))),
        ("-x:z[A]", Unary("-", Subscript(Chain((":",), (x, z)), (level("A"),)))),
        ("x:poly(z, 2).mean", Attribute(Chain((":",), (x, Call("poly", (z, two)))), "mean")),
        ("x:`z`.mean[A]", Subscript(Attribute(Chain((":",), (x, Name("z", True))), "mean"), (level("A"),))),
        ("(x:z).mean", Attribute(Chain((":",), (x, z)), "mean")),
    ],
)
def test_coefficients(text, expected):
    assert effect(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{A: 0.3, a1/b1: 1}", Map((Entry(Level("A"), Number("0.3")), Entry(Level("a1/b1"), one)))),
        ('{"a:b": 1, -1: 2}', Map((Entry(Level("a:b", True), one), Entry(Level("-1"), two)))),
        ("[1, 2]", Sequence((one, two))),
        ("sum(x)", Call("sum", (x,))),
        ("`n`", Name("n", quoted=True)),
    ],
)
def test_weights(text, expected):
    assert clause(f"joint(weights={text})").call.keyword("weights") == expected


def test_parameters_and_priors():
    formula = parse("y ~ x | g, sigma ~ 1 | g, prior(x.mean ~ normal(0, 5), `x`.sd ~ flat())")
    parameter, prior = formula.clauses
    assert parameter == Parameter("sigma", one, Group((g,)))
    normal = Call("normal", (Number("0"), Number("5")))
    assert prior.call.args == (
        Distributed(Name("x.mean"), normal),
        Distributed(Attribute(Name("x", True), "sd"), Call("flat")),
    )


def test_hypotheses_take_one_equals_sign_and_commas():
    assert parse_hypotheses("x[A] = 0, a > b >= 0") == (
        Chain(("==",), (Subscript(x, (level("A"),)), Number("0"))),
        Chain((">", ">="), (a, b, Number("0"))),
    )


def test_a_text_keeps_its_value():
    named = clause(r'joint(name="the \"gap\"\t")')
    assert named.call.keyword("name") == Text('the "gap"\t')


def test_spans_of_every_kind_of_node():
    text = "log(y) ~ {x / 2} + (1 + a || g/h) | `b c`, sigma ~ a:b | g, contrast(-x:z[A, 3] + 2)"
    found = {text[node.span.start : node.span.end] for node in walk(parse(text)) if hasattr(node, "span")}
    expected = (
        "log(y)", "{x / 2}", "x / 2", "(1 + a || g/h)", "1 + a", "g/h", "`b c`", "sigma ~ a:b | g", "a:b",
        "contrast(-x:z[A, 3] + 2)", "-x:z[A, 3] + 2", "-x:z[A, 3]", "x:z[A, 3]", "x:z", "A", "3", "2",
    )  # fmt: skip
    assert set(expected) <= found


def test_an_unknown_rule_is_a_bug_of_ours():
    tree = parse_tree("y ~ x", "formula", (FORMULA, CONTRASTS))
    rules = {name: rule for name, rule in RULES.items() if name != "predictors"}
    with pytest.raises(BugError, match="predictors"):
        lower(tree, "y ~ x", Grammar((FORMULA, CONTRASTS), rules))


def test_every_rule_has_a_grammar_and_every_grammar_rule_a_lowering():
    """Names on the left of a colon or right of an arrow, but for inlined ones, are exactly the table's."""
    named = set()
    for fragment in (FORMULA, CONTRASTS):
        for line in fragment.text.splitlines():
            head = line.split("//")[0]
            if "->" in head:
                named.add(head.split("->")[1].strip())
            rule = head.split(":")[0].strip()
            if rule.isidentifier() and rule.islower() and not rule.startswith("_") and "->" not in head:
                named.add(rule)
            if rule.startswith("?") and "->" not in head:
                named.add(rule[1:])
    inlined = {"argument", "value", "unary", "atom", "bare_unary", "clause", "trailer"}
    assert named - inlined == set(RULES)


def test_errors_of_lowering_point():
    with pytest.raises(FormulaError) as caught:
        parse(r'y ~ x | g, joint(name="a\d")')
    assert caught.value.message == r"`\d` is an unknown escape in a quoted string"
    assert caught.value.span.start == 24
