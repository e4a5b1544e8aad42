"""Where the parser stops, say in words what is wrong and what to write instead.

Each advisor looks at one kind of slip and answers with an `Advice`, or with None where it does not apply; the
first answer counts. They look only at the tokens around the stop, and cost nothing while a formula parses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from formulajoint.errors import FormulaError, did_you_mean
from formulajoint.language.grammar import Stopped
from formulajoint.language.scan import Word
from formulajoint.language.signatures import Kind
from formulajoint.language.stops import COMPARISONS, OPERATORS, Advice, Stop
from formulajoint.language.tables import Language

MODEL = "a formula is `response ~ predictors | group`"


def explained(
    text: str, words: tuple[Word, ...], stopped: Stopped, start: str, language: Language
) -> FormulaError:
    """Return the error, in words, for a parser that has stopped."""
    at = next((place for place, word in enumerate(words) if word.span.end > stopped.position), len(words))
    stop = Stop(text, words, at, start, language)
    answers = (advisor(stop) for advisor in ADVISORS)
    advice = next((answer for answer in answers if answer), None) or _plain(stop, stopped.expected)
    return FormulaError(advice.message, text, advice.span(stop), advice.hint)


# --- the whole


def _empty(stop: Stop) -> Advice | None:
    return None if stop.words else Advice("nothing is written here", MODEL if stop.start == "formula" else "")


def _response(stop: Stop) -> Advice | None:
    """Left of the first ``~`` stands one column or call."""
    if not stop.in_formula or "~" in stop.level:
        return None
    if stop.at == 0:
        if stop.here == "~":
            return Advice("there is no response left of `~`", "write `score ~ treatment`")
        return Advice("a formula begins with its response, a column or a call", _unquoted(stop))
    if stop.here in ("=", "=="):
        return Advice(f"`~` is expected here, not `{stop.here}`", MODEL)
    if stop.here in OPERATORS or stop.word().kind == "percent":
        return Advice("the response must be one column or one call", "wrap arithmetic: `I(a / b) ~ x`")
    if stop.here in ("", ",", "|", "||"):
        return Advice("there is no `~` in this formula", MODEL)
    return None


def _unquoted(stop: Stop) -> str:
    return f"a name stands in backticks: `{stop.here[1:-1]}`" if stop.word().kind == "string" else ""


def _second_tilde(stop: Stop) -> Advice | None:
    if stop.here != "~" or stop.start == "hypotheses":
        return None
    if stop.opened:
        return Advice(
            "`~` can stand only between a term and its prior", "write `prior(treatment ~ normal(0, 5))`"
        )
    hint = "further parameters are clauses, after a comma: `, sigma ~ 1`"
    return Advice("a second `~` cannot stand here", hint)


def _one_thing(stop: Stop) -> Advice | None:
    """What is asked of a fit is one clause, or hypotheses."""
    if stop.opened or stop.start == "formula":
        return None
    if stop.start == "clause" and stop.here in (",", "|"):
        return Advice("one clause is expected, and it ends here", "ask for one after the other")
    if stop.start == "hypotheses" and stop.here in ("~", "|"):
        return Advice("a hypothesis is expected, not a formula", "write `treatment == 0`")
    if stop.start == "hypotheses" and stop.here in ("", ",") and stop.after_value():
        return Advice("a hypothesis must compare something", f"write `{stop.before} == 0`", 1)
    return None


# --- bars and groups


def _bars(stop: Stop) -> Advice | None:
    if stop.here not in ("|", "||"):
        return None
    if stop.callee and stop.callee not in _known(stop):
        name = stop.callee
        return Advice(
            f"an operator is missing between `{name}` and a group term", f"write `{name} + (... | g)`"
        )
    if stop.opened:
        if {"|", "||"} & set(stop.level):
            return Advice("a second bar in one group term", "write a term for each: `(1 | g) + (1 | h)`")
        return Advice("a group cannot be given here", "a bar follows predictors: `y ~ x | g` or `(1 | g)`")
    if stop.here == "||":
        return Advice(
            "`||` can stand only inside parentheses",
            "write `| g` for one regression per group, `(x || g)` for a group term",
        )
    if "|" in stop.clause:
        return Advice(
            "a second `|`: there is one set of groups",
            "write `| g:h` or `| g/h`; group terms are `(1 | g) + (1 | h)`",
        )
    if stop.before == "~":
        return Advice("the predictors are missing before `|`", "for intercepts alone write `1 | g`")
    if stop.before == ",":
        return Advice("a comma cannot stand before `|`", "write `y ~ x | g`")
    return None


def _known(stop: Stop) -> set[str]:
    return {name for table in stop.language.names.values() for name in table}


def _group(stop: Stop) -> Advice | None:
    """What follows a bar must be columns joined by ``/`` or ``:``."""
    if stop.bracket in ("[", "{") or stop.callee or not {"|", "||"} & set(stop.clause):
        return None
    if stop.before in ("|", "||", "/", ":"):
        if stop.here in ("", ",", ")"):
            return Advice(f"a group is missing after `{stop.before}`", "name a column")
        return Advice(
            "a group must be the name of a column", _unquoted(stop) or "make it a column of the data first"
        )
    if stop.here == "(":
        return Advice(
            "a group must be the name of a column, not a call", "make it a column of the data first", 1
        )
    if stop.here in OPERATORS:
        return Advice(
            f"groups cannot be joined by `{stop.here}`", "write `g:h` for combinations, `g/h` for h within g"
        )
    if stop.here == "," and stop.opened:
        return Advice("a comma cannot stand in a group term", "write a term for each: `(1 | g) + (1 | h)`")
    return None


# --- clauses


def _clause(stop: Stop) -> Advice | None:
    """After a comma outside brackets comes a call, or a parameter with its predictors."""
    if not stop.in_clauses:
        return None
    if stop.before == "," or stop.at == 0:
        if stop.here == ",":
            return Advice("a clause is missing between two commas", "leave one comma out")
        hint = (
            "predictors and group terms are joined by `+`" if stop.here == "(" else "write `joint(weights=n)`"
        )
        return Advice("a clause is expected here, which begins with its name", hint)
    if len(stop.clause) == 1 and stop.word(-1).kind == "name":
        return _lone_word(stop, stop.before)
    return None


def _lone_word(stop: Stop, name: str) -> Advice | None:
    """A name alone where a clause should be."""
    known = name in stop.language.names["clause"]
    if stop.here == "=" and known:
        return Advice("a clause is written as a call", f"write `{name}({stop.word(1).text})`", 1, 1)
    if known:
        return Advice(f"the clause `{name}` lacks its parentheses", f"write `{name}()`", 1)
    hint = did_you_mean(name, stop.language.names["clause"])
    if stop.start == "clause":
        return Advice(
            f"`{name}` is no clause", hint or "a clause is a call, such as `pairwise(treatment)`", 1
        )
    return Advice(f"`{name}` is no clause", hint or "predictors are joined by `+`, not by commas", 1)


# --- two values without anything between


def _side_by_side(stop: Stop) -> Advice | None:
    if not (stop.after_value() and stop.at_value()):
        return None
    before, here = stop.word(-1), stop.word()
    if before.kind == "number" and here.kind == "name" and before.span.end == here.span.start:
        both = before.text + here.text
        product = f"`I({before.text} * {here.text})` is the product"
        return Advice(
            f"`{both}` is neither a number nor a name", f"{product}; a column stands in backticks", 1
        )
    if not stop.opened and here.kind == "name" and _begins_clause(stop):
        return Advice(
            f"a comma is missing before the clause `{here.text}`", "clauses are separated by commas"
        )
    if before.kind in ("quoted", "string") and here.text == "(":
        return Advice(
            "the name of a function stands alone, without quotes or backticks",
            f"write `{before.text[1:-1]}(...)`",
            1,
        )
    if stop.bracket == "[" and stop.word(-2).text in ("[", ",", "="):
        return Advice(
            "a level of several words must stand in quotes", f'write `"{before.text} {here.text}"`', 1
        )
    if stop.bracket == "{" and stop.clause[:1] == (before.text,):
        return Advice("`:` is missing between a level and its value", "write `{A: 0.3, B: 0.7}`")
    what = "a comma or an operator" if stop.callee or stop.bracket in ("[", "{") else "an operator"
    return Advice(f"{what} is missing between `{before.text}` and `{here.text}`", "", 1)


def _begins_clause(stop: Stop) -> bool:
    return stop.word(1).text in ("(", "~") or stop.here in stop.language.names["clause"]


# --- equality and comparison


def _equals(stop: Stop) -> Advice | None:
    if stop.before == "=" and stop.here in ("<", ">"):
        return Advice(f"`={stop.here}` is no operator", f"write `{stop.here}=`", 1)
    if stop.here != "=":
        return None
    if stop.word(1).text in ("<", ">"):
        return Advice(f"`={stop.word(1).text}` is no operator", f"write `{stop.word(1).text}=`", 0, 1)
    if stop.before in ("=", "<", ">"):
        return Advice(f"`{stop.before}=` is written without a blank, or `=` is one too many", "", 1)
    if stop.bracket == "{":
        return Advice("a map is written with `:`", "write `{A: 0.3, B: 0.7}`")
    if stop.callee and len(stop.clause) == 1 and stop.word(-1).kind in ("string", "quoted"):
        return Advice("the name of an argument stands without quotes", f"write `{stop.before[1:-1]}=`", 1)
    if _tests(stop):
        return Advice("a hypothesis is written with `==`, not `=`", "write `==`")
    return Advice("`=` can stand only after the name of an argument", "for equality write `==`")


def _tests(stop: Stop) -> bool:
    signature = stop.language.names["clause"].get(stop.callee)
    return bool(signature and signature.rest and signature.rest.kind is Kind.HYPOTHESIS)


def _comparison(stop: Stop) -> Advice | None:
    if stop.here not in COMPARISONS or stop.opened or not stop.after_value():
        return None
    hint = f"write `I({stop.before} {stop.here} {stop.word(1).text})`"
    return Advice("a comparison among predictors must be wrapped", hint)


# --- inside brackets


def _nothing_inside(stop: Stop) -> Advice | None:
    if stop.word(-1).kind != "open" or stop.word().kind != "close":
        return None
    hint = {"{": "write `{A: 0.3, B: 0.7}`", "[": "write `treatment[A]` or `[0.3, 0.7]`"}.get(stop.before, "")
    return Advice(f"nothing stands between `{stop.before}` and `{stop.here}`", hint, 1)


def _distribution(stop: Stop) -> Advice | None:
    if not stop.opened or "~" not in stop.clause:
        return None
    if stop.before == "~":
        return Advice("a distribution is expected after `~`", "write `normal(0, 5)`")
    if stop.word(-2).text == "~" and stop.word(-1).kind == "name":
        return Advice("a distribution is written as a call", f"write `{stop.before}(...)`", 1)
    return Advice("a prior ends with its distribution", "a comma separates it from the next")


def _braces(stop: Stop) -> Advice | None:
    if stop.bracket != "{":
        return None
    if stop.here == ":" and stop.words[stop.opened[-1] - 1].text == "=":
        return Advice(
            "a level that is more than a name or a number must stand in quotes", 'write `{"a:b": 0.3}`'
        )
    if stop.here == ":" and ":" in stop.clause:
        return Advice("a level with `:` must stand in quotes here", 'write `{"a:b": 0.3}`')
    if stop.here == ":":
        return Advice(
            "a map can stand only as the value of an argument, and arithmetic has no `:`",
            "write `weights={A: 0.3}`, or `x * z` for a product",
        )
    if stop.here in (",", "}") and ":" in stop.level and ":" not in stop.clause and stop.after_value():
        return Advice(f"the value of `{stop.before}` is missing", f"write `{stop.before}: 0.3`", 1)
    if stop.here == ",":
        return Advice("a comma cannot stand here", "a map needs `level: value`: `{A: 0.3, B: 0.7}`")
    return None


def _subscript(stop: Stop) -> Advice | None:
    is_list = stop.opened and (
        stop.opened[-1] == 0 or stop.words[stop.opened[-1] - 1].text in ("=", "(", ",")
    )
    if stop.bracket != "[" or is_list:
        return None
    if stop.here in (",", "]") and stop.before in (",", "=", "["):
        return Advice(f"a level is missing before `{stop.here}`", "write `treatment[A]`")
    if stop.here:
        return Advice(
            "a level that is more than a name or a number must stand in quotes",
            'write `treatment["School A"]`',
        )
    return None


def _list(stop: Stop) -> Advice | None:
    if stop.here != "[":
        return None
    return Advice("a list can stand only as the value of an argument", "write `weights=[0.3, 0.7]`")


def _comma_in_parentheses(stop: Stop) -> Advice | None:
    if stop.here != "," or stop.bracket != "(" or stop.callee or not stop.after_value():
        return None
    return Advice("a comma in parentheses that belong to no call", "predictors are joined by `+`")


# --- a value is missing


def _missing_value(stop: Stop) -> Advice | None:
    if stop.after_value() or stop.at_value() or not stop.at:
        return None
    if not stop.here:
        return Advice(f"the text ends after `{stop.before}`, where a value is missing", "")
    if stop.here in (*OPERATORS, ",", "|", "||", "=", "~", ")", "]", "}"):
        return Advice(f"a value is missing between `{stop.before}` and `{stop.here}`", "", 1)
    return None


def _leading_dot(stop: Stop) -> Advice | None:
    if stop.word().kind != "tail":
        return None
    if stop.after_value():
        return Advice(f"`{stop.here}` cannot stand here", "`.mean` and `.sd` follow a term")
    return Advice("a name cannot begin with a dot", f"if it is a column, write `{stop.here}` in backticks")


def _power(stop: Stop) -> Advice | None:
    if stop.here not in ("^", "**") or stop.word(-2).text not in ("+", "-"):
        return None
    return Advice(
        "a signed exponent that has a power of its own needs parentheses", "write `a^(-b)^c` or `a^(-b^c)`"
    )


ADVISORS: tuple[Callable[[Stop], Advice | None], ...] = (
    _empty,
    _response,
    _one_thing,
    _leading_dot,
    _bars,
    _nothing_inside,
    _group,
    _clause,
    _equals,
    _side_by_side,
    _second_tilde,
    _distribution,
    _comparison,
    _braces,
    _subscript,
    _list,
    _comma_in_parentheses,
    _missing_value,
    _power,
)


# --- anything else

SPELLED = {
    "NAME": "a name",
    "QUOTED": "a name",
    "NUMBER": "a number",
    "STRING": "a text",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "COMMA": "`,`",
    "TILDE": "`~`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "$END": "the end",
}


def _plain(stop: Stop, expected: Iterable[str]) -> Advice:
    """Return what can be said of any stop."""
    words = sorted({SPELLED[name] for name in expected if name in SPELLED})
    hint = f"expected here: {', '.join(words)}" if words else ""
    if not stop.here:
        return Advice("the text ends too early", hint)
    return Advice(f"`{stop.here}` cannot stand here", hint)
