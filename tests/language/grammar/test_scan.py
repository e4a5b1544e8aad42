"""The pre-scan: limits, quotes, brackets, deceptive characters; and that all of it takes linear time."""

import contextlib
import sys

import pytest

from formulajoint.errors import FormulaError
from formulajoint.language.grammar.scan import scan
from formulajoint.language.syntax import nodes
from formulajoint.spec.json import from_json, to_json
from formulajoint.spec.read import parse


def error_of(text):
    with pytest.raises(FormulaError) as caught:
        parse(text)
    return caught.value


def test_words():
    words = scan('log(`a b`) ~ x1 + 2.5e-3 | g, joint("A", .5) # (unread')
    assert [word.text for word in words] == [
        *(
            "log",
            "(",
            "`a b`",
            ")",
            "~",
            "x1",
            "+",
            "2.5e-3",
            "|",
            "g",
            ",",
            "joint",
            "(",
            '"A"',
            ",",
            ".5",
            ")",
        )
    ]
    assert [word.span.start for word in words][:4] == [0, 3, 4, 9]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y ~ x\u00a0+ z", "an invisible character stands here: no-break space"),
        ("y ~ x\u200b", "an invisible character stands here: zero width space"),
        ("\ufeffy ~ x", "an invisible character stands here: zero width no-break space"),
        ("y ~ x − 1", "`−` (minus sign) only looks like `-`"),
        ("y ~ x – 1", "`–` (en dash) only looks like `-`"),
        ("y ~ “x”", '`“` (left double quotation mark) only looks like `"`'),
        ("y ~ ‘x’", "`‘` (left single quotation mark) only looks like `'`"),
        ("y ~ x ｜ g", "`｜` (fullwidth vertical line) only looks like `|`"),
        ("y ～ x", "`～` (fullwidth tilde) only looks like `~`"),
        ("y ~ log（x）", "`（` (fullwidth left parenthesis) only looks like `(`"),
        ("y ~ x ≥ 2", "`≥` (greater-than or equal to) only looks like `>=`"),
        ("y ~ cafe\u0301", "a combining mark (combining acute accent) cannot stand in a bare name"),
        ("y ~ \x00", "character U+0000 means nothing here"),
        ("y ~ €", "`€` (euro sign) means nothing here"),
    ],
)
def test_deceptive_characters(text, message):
    error = error_of(text)
    assert error.message == message
    assert error.hint
    culprit = next(
        place for place, character in enumerate(text) if not character.isascii() or character == "\0"
    )
    assert (error.span.start, error.span.end) == (culprit, culprit + 1)


def test_decomposed_names_are_names_in_backticks():
    formula = parse("y ~ `cafe\u0301`")
    assert formula.predictors == nodes.Name("caf\u00e9", quoted=True)
    assert formula == parse("y ~ `caf\u00e9`")


def test_bare_names_are_normalised():
    assert parse("y ~ \u212b") == parse("y ~ \u00c5")  # the sign and the letter angstrom


def test_a_name_that_normalising_takes_apart_needs_backticks():
    error = error_of("y ~ \u0958")
    assert "must stand in backticks" in error.message
    assert parse("y ~ `\u0958`").predictors == nodes.Name("\u0915\u093c", quoted=True)


def test_limits():
    assert "20,000 are read" in error_of("y ~ x" + " " * 20_000).message
    assert parse("y ~ x" + " " * 19_995)
    assert "32 deep" in error_of("y ~ " + "(" * 33 + "x" + ")" * 33).message
    assert parse("y ~ " + "(" * 32 + "x" + ")" * 32) == parse("y ~ x")
    assert "at most 40" in error_of("y ~ I(x * " + "1" * 41 + ")").message
    assert parse("y ~ I(x * " + "1" * 40 + ")")
    assert error_of("y ~ I(x * 1e999)").message == "this number is too large"


def test_what_is_read_can_be_read_again():
    """Canonical text has more blanks, and must not pass the limit either."""
    text = "y ~ " + "+".join("x" * 6_000)
    assert len(text) < 20_000
    assert "at most 20,000 are read" in error_of(text).message


def test_an_open_bracket_is_shown():
    error = error_of("y ~ log(x + (z")
    assert (error.span.start, error.message) == (12, "this `(` is never closed")


@pytest.mark.parametrize("quote", ["'", '"', "`"])
def test_an_open_quote_is_shown(quote):
    error = error_of(f"y ~ x + {quote}z | g")
    assert error.span.start == 8
    assert "never closed" in error.message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "y ~ x" * 200_000,
        "`" * 20_000,
        "'a" * 10_000,
        '"\\' * 10_000,
        "y ~ " + "1" * 19_000,
        "y ~ " + "x " * 9_900,
        "y ~ x" + "[A]" * 6_000,
    ],
    ids=lambda text: text[:8],
)
def test_hostile_texts_end_in_words(text):
    error_of(text)


def steps(text):
    """Return how many calls, of Python and of C, reading `text` takes, whether it is a formula or not."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        with contextlib.suppress(FormulaError):
            parse(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "repeated",
    [
        lambda n: "y ~ " + "(" * n,
        lambda n: "y ~ " + "-" * n,
        lambda n: "y ~ " + "-" * n + "x",
        lambda n: "y ~ " + "%" * n,
        lambda n: "y ~ " + "{" * n,
        lambda n: "y ~ " + "~" * n,
        lambda n: "y ~ x" + "[A]" * n,
        lambda n: "y ~ x" + "(a)" * n,
        lambda n: "y ~ x | g, contrast(x" + "[A]" * n + ")",
        lambda n: "y ~ x | g, test(x[A] == x[" + "B, " * n + "C])",
        lambda n: "y ~ x | g, test(x[A] " + "== x[B] " * n + ")",
        lambda n: "y ~ x, contrast(`x`" + ".mean" * n + ")",
        lambda n: "y ~ x" + " + x" * n,
        lambda n: "y ~ x" + ":x" * n,
        lambda n: "y ~ x" + ", joint()" * n,
        lambda n: "y ~ x, joint(x, weights={" + ", ".join(f"a{i}: 1" for i in range(n)) + "})",
    ],
)
def test_the_steps_of_a_text_grow_no_faster_than_its_length(repeated):
    parse("y ~ x")  # the parser is built before steps are counted
    small, large = steps(repeated(200)), steps(repeated(1_600))
    assert large < 9 * small + 2_000  # eight times as much, and no sixty-four


def nested(step):
    """Return a formula of `step` within itself, as deep as brackets may go."""
    steps = step * (32 // step.count("("))
    return f"y ~ {steps}x{')' * steps.count('(')}"


LADDER = "I(0 < 1 + 1 * -1^-"


@pytest.mark.parametrize(
    "step", ["(", "log(", "log(1 + ", "I(-(", "(a + b * ", "(a + b * c:", "(a * (b + (c / "]
)
def test_what_is_read_can_be_walked_by_recursion(step):
    formula = parse(nested(step))
    assert parse(str(formula)) == formula
    assert hash(formula) == hash(parse(nested(step)))
    assert from_json(to_json(formula)) == formula
    assert repr(formula)


def test_depth_takes_linear_time():
    parse("y ~ x")
    shallow, deep = (steps("y ~ " + LADDER * depth + "x" + ")" * depth) for depth in (4, 16))
    assert deep < 6 * shallow  # twice for each would be 4,096 times


def test_more_operators_than_brackets_can_be_too_deep():
    error = error_of(nested(LADDER))
    assert error.message == "brackets and operators are nested too deep here"


def test_the_place_is_shown_in_its_line():
    error = error_of("score ~ treatment | school,\n  joint(weights=n),\n  jiont(x)")
    assert str(error).splitlines()[2:4] == ["    line 3:   jiont(x)", "              ^^^^^"]
