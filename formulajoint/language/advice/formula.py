"""Explain a syntax error: what is wrong where the parser stopped, and what to write instead.

Each advisor recognises one kind of mistake and returns an `Advice`, or None if it does not apply; the first answer
counts. Advisors read only the tokens around the stop, and run only after a parse has failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from formulajoint.errors import FormulaError
from formulajoint.language.advice.place import OPERATORS, Advice, Stop
from formulajoint.language.advice.values import SLIPS
from formulajoint.language.grammar.compose import Stopped
from formulajoint.language.grammar.scan import Word
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.refused import BESIDE_RESPONSE, COUNTS, REFUSED
from formulajoint.wording import did_you_mean

MODEL = "a formula is `response ~ predictors | group`"


def explained(
    text: str, words: tuple[Word, ...], stopped: Stopped, start: str, language: Language
) -> FormulaError:
    """Return the FormulaError for a parser that has stopped, with message and hint."""
    at = next((place for place, word in enumerate(words) if word.span.end > stopped.position), len(words))
    stop = Stop(text, words, at, start, language)
    answers = (advisor(stop) for advisor in ADVISORS)
    advice = next((answer for answer in answers if answer), None) or _plain(stop, stopped.expected)
    return FormulaError(advice.message, advice.span(stop), advice.hint)


# --- the whole formula


def _empty(stop: Stop) -> Advice | None:
    return None if stop.words else Advice("the text is empty", MODEL if stop.start == "formula" else "")


def _response(stop: Stop) -> Advice | None:
    """Advise on the response: left of the first ``~`` stands one column or call."""
    if not stop.in_formula or "~" in stop.level:
        return None
    if stop.at == 0:
        if stop.here == "~":
            return Advice("there is no response left of `~`", "write `score ~ treatment`")
        return Advice("a formula begins with its response, a column or a call", _unquoted(stop))
    if stop.here == "<" and stop.word(1).text == "-":
        return Advice("`~` is expected here, not `<-`", MODEL, ahead=1)
    if stop.here in ("=", "=="):
        return Advice(f"`~` is expected here, not `{stop.here}`", MODEL)
    if stop.here == "/" and stop.word(1).kind == "name" and "~" in stop.text:
        return Advice("a response that is the ratio of two columns is not part of the language", RATIO)
    if stop.here == "|" and "~" in stop.text:
        beside = BESIDE_RESPONSE.get(stop.word(1).text, "groups stand right of the predictors: `y ~ x | g`")
        return Advice("there is no bar left of `~`", beside, ahead=1)
    if "~" not in stop.text and (stop.at_value() or stop.here in ("", ",", "|", "||")):
        return Advice("there is no `~` in this formula", MODEL)
    if stop.here in OPERATORS or stop.word().kind == "percent" or stop.at_value():
        hint = _spaced(stop) or "wrap arithmetic: `I(a / b) ~ x`"
        return Advice("the response must be one column or one call", hint)
    if stop.here in ("", ",", "|", "||"):
        return Advice("there is no `~` in this formula", MODEL)
    return None


RATIO = f"{COUNTS}; else add the ratio to the data as a column"


def _spaced(stop: Stop) -> str:
    """Return the hint for a response written as a name with spaces."""
    tilde = next((place for place, word in enumerate(stop.words) if word.text == "~"), 0)
    response = stop.words[:tilde]
    if not response or any(word.kind != "name" for word in response):
        return ""
    name = stop.text[response[0].span.start : response[-1].span.end]
    return f"a name with blanks stands in backticks: write `` `{name}` ``"


def _unquoted(stop: Stop) -> str:
    return f"a name stands in backticks: `{stop.here[1:-1]}`" if stop.word().kind == "string" else ""


def _second_tilde(stop: Stop) -> Advice | None:
    if stop.here != "~" or stop.start == "hypotheses":
        return None
    if stop.opened:
        return Advice(
            "`~` is allowed only between a term and its prior", "write `prior(treatment ~ normal(0, 5))`"
        )
    hint = "further parameters are clauses, after a comma: `, sigma ~ 1`"
    return Advice("a second `~` is not allowed here", hint)


def _one_thing(stop: Stop) -> Advice | None:
    """Advise on text given to a finished fit: it must be one clause, or hypotheses."""
    if stop.opened or stop.start == "formula":
        return None
    if stop.start == "clause" and stop.here in (",", "|"):
        return Advice("only one clause can be given here", "give each clause in a call of its own")
    if stop.start == "hypotheses" and stop.here in ("~", "|"):
        return Advice("a hypothesis is expected, not a formula", "write `treatment == 0`")
    if stop.start == "hypotheses" and stop.here in ("", ",") and stop.after_value():
        return Advice("a hypothesis must compare something", f"write `{stop.since_comma} == 0`", 1)
    return None


# --- bars and groups


def _bars(stop: Stop) -> Advice | None:
    if stop.here not in ("|", "||"):
        return None
    if stop.callee and stop.callee not in _known(stop):
        name = stop.callee
        if name in REFUSED:
            what, instead = REFUSED[name]
            return Advice(f"`{name}(...)` {what}", instead)
        return Advice(f"an operator is missing between `{name}` and a group term", "write `+` between them")
    if stop.before in ("~", "("):
        return Advice("the predictors are missing before the bar", "for intercepts alone write `1 | g`")
    if stop.opened:
        if {"|", "||"} & set(stop.level):
            return Advice("a group term has only one bar", "write a term for each: `(1 | g) + (1 | h)`")
        return Advice("a group cannot be given here", "a bar follows predictors: `y ~ x | g` or `(1 | g)`")
    if stop.here == "||":
        return Advice(
            "`||` is allowed only inside parentheses",
            "write `| g` for one regression per group, `(x || g)` for a group term",
        )
    if "|" in stop.clause:
        return Advice(
            "a second `|` is not allowed: there is one set of groups",
            "write `| g:h` or `| g/h`; group terms are `(1 | g) + (1 | h)`",
        )
    if stop.before == ",":
        return Advice("a comma is not allowed before `|`", "write `y ~ x | g`")
    return None


def _known(stop: Stop) -> set[str]:
    return {name for table in stop.language.names.values() for name in table}


def _group(stop: Stop) -> Advice | None:
    """Advise on the group: after a bar stand columns joined by ``/`` or ``:``."""
    if stop.bracket in ("[", "{") or stop.callee or not {"|", "||"} & set(stop.clause):
        return None
    if stop.before in ("|", "||", "/", ":"):
        if stop.here in ("", ",", ")"):
            return Advice(f"a group is missing after `{stop.before}`", "name a column")
        return Advice(
            "a group must be the name of a column", _unquoted(stop) or "make it a column of the data first"
        )
    if stop.here == "(" and stop.before in REFUSED:
        what, instead = REFUSED[stop.before]
        return Advice(f"`{stop.before}(...)` {what}", instead, 1)
    if stop.here == "(":
        return Advice(
            "a group must be the name of a column, not a call", "make it a column of the data first", 1
        )
    if stop.here in OPERATORS:
        return Advice(
            f"groups cannot be joined by `{stop.here}`", "write `g:h` for combinations, `g/h` for h within g"
        )
    if stop.here == "," and stop.opened:
        return Advice("a comma is not allowed in a group term", "write a term for each: `(1 | g) + (1 | h)`")
    return None


# --- clauses


def _clause(stop: Stop) -> Advice | None:
    """Advise on a clause: after a comma outside brackets stands a call, or a parameter with its predictors."""
    if not stop.in_clauses:
        return None
    if stop.before == "," or stop.at == 0:
        if stop.here == ",":
            return Advice("a clause is missing between two commas", "leave one comma out")
        hint = "predictors and group terms are joined by `+`" if stop.here == "(" else _plain_name(stop)
        hint = (stop.start == "clause" and stop.at == 0 and _whole(stop.text)) or hint
        return Advice("a clause is expected here, which begins with its name", hint)
    if stop.word(-1).kind == "close" and "~" not in stop.clause and not stop.at_value():
        return Advice(
            "a clause ends with its parenthesis", "predictors and groups stand before the first comma"
        )
    if len(stop.clause) == 1 and stop.word(-1).kind == "name":
        return _lone_word(stop, stop.before)
    return None


def _plain_name(stop: Stop) -> str:
    """Return the hint for a token that stands in place of a clause's name."""
    quoted = stop.word().kind in ("string", "quoted")
    return f"write `{stop.here[1:-1]}` without quotes" if quoted else "write `joint(weights=n)`"


def _whole(text: str) -> str:
    """Return the hint for arithmetic or a comparison that stands alone where a clause is expected; empty for others."""
    bare = re.sub(r"\[[^\]]*\]", "", text)
    if "#" in text or not re.fullmatch(r"[^~,|\n]+", bare) or text.count("(") != text.count(")"):
        return ""
    if re.search(r"[=<>]", bare):
        return f"a comparison is a hypothesis: `fit.test({text.strip()!r})`"
    return f"write `contrast({text.strip()})`"


def _lone_word(stop: Stop, name: str) -> Advice | None:
    """Advise on a name that stands alone in place of a clause."""
    known = name in stop.language.names["clause"]
    if stop.here == "=" and not known:
        return Advice("a clause is a call, or a parameter with predictors", f"write `{name} ~ 1 | g`", 1)
    if stop.here == "=" and known:
        return Advice("a clause is written as a call", f"write `{name}({stop.word(1).text})`", 1, 1)
    if known:
        return Advice(f"the clause `{name}` needs parentheses", f"write `{name}()`", 1)
    hint = did_you_mean(name, stop.language.names["clause"])
    if stop.start == "clause":
        hint = _whole(stop.text) or hint or "a clause is a call, such as `pairwise(treatment)`"
        return Advice(f"`{name}` is not a clause", hint, 1)
    return Advice(f"`{name}` is not a clause", hint or "predictors are joined by `+`, not by commas", 1)


ADVISORS: tuple[Callable[[Stop], Advice | None], ...] = (
    _empty,
    _response,
    _one_thing,
    _bars,
    _group,
    _clause,
    _second_tilde,
    *SLIPS,
)


# --- any other stop

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
    """Return the advice that fits any stop: the token, and what is expected there."""
    words = sorted({SPELLED[name] for name in expected if name in SPELLED})
    hint = f"expected here: {', '.join(words)}" if words else ""
    if not stop.here:
        return Advice("the text ends too early", hint)
    return Advice(f"`{stop.here}` is not allowed here", hint)
