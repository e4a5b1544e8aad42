"""Mistakes inside values and brackets: a missing operator, `=` for `==`, half a map, a level without quotes."""

from __future__ import annotations

from collections.abc import Callable

from formulajoint.language.advice.place import COMPARISONS, OPERATORS, Advice, Stop
from formulajoint.language.grammar.scan import Word
from formulajoint.language.syntax.nodes import Call
from formulajoint.language.vocabulary.refused import REFUSED
from formulajoint.language.vocabulary.signatures import Kind

# --- two values with nothing between them


def _side_by_side(stop: Stop) -> Advice | None:
    if not (stop.after_value() and stop.at_value()):
        return None
    before, here = stop.word(-1), stop.word()
    if here.text in ("and", "AND") and (stop.start == "hypotheses" or _takes(stop, Kind.HYPOTHESIS)):
        return Advice("hypotheses are joined by a comma", f"write `,` for `{here.text}`: a comma means AND")
    if _glued(before, here):
        both = before.text + here.text
        product = f"`I({before.text} * {here.text})` is the product"
        return Advice(
            f"`{both}` is neither a number nor a name", f"{product}; a column stands in backticks", 1
        )
    if not stop.opened and here.kind == "name" and _begins_clause(stop):
        return Advice(
            f"a comma is missing before the clause `{here.text}`", "clauses are separated by commas"
        )
    if before.text in stop.language.names["function"] and here.kind in ("name", "quoted"):
        return Advice(
            f"the function `{before.text}` needs parentheses", f"write `{before.text}({here.text})`", 1
        )
    if before.kind in ("quoted", "string") and here.text == "(":
        return Advice(
            "the name of a function stands alone, without quotes or backticks",
            f"write `{before.text[1:-1]}` without them",
            1,
        )
    if stop.bracket == "[" and not stop.in_list and stop.word(-2).text in ("[", ",", "="):
        words = stop.text[before.span.start : here.span.end].translate({ord(quote): None for quote in "\"'`"})
        return Advice("a level of several words must stand in quotes", f'write `"{words}"`', 1)
    if stop.bracket == "{" and stop.clause[:1] == (before.text,):
        return Advice("`:` is missing between a level and its value", "write `{A: 0.3, B: 0.7}`")
    what = "a comma or an operator" if stop.callee or stop.bracket in ("[", "{") else "an operator"
    both = stop.text[before.span.start : here.span.end]
    names = before.kind == here.kind == "name" and before.span.end < here.span.start
    hint = (
        f"a name with blanks stands in backticks: `` `{both}` ``" if names and what == "an operator" else ""
    )
    return Advice(f"{what} is missing between `{before.text}` and `{here.text}`", hint, 1)


def _glued(number: Word, name: Word) -> bool:
    """Return whether a number and a name stand together as in ``2x``."""
    kinds = number.kind == "number" and name.kind == "name" and not number.text.endswith(".")
    return kinds and number.span.end == name.span.start


def _begins_clause(stop: Stop) -> bool:
    return stop.word(1).text in ("(", "~") or stop.here in stop.language.names["clause"]


def _function(stop: Stop) -> Advice | None:
    """Advise on a function that R would make in place: ``function(v) mean(v)``."""
    places = [p for p in range(stop.at) if [w.text for w in stop.words[p : p + 2]] == ["function", "("]]
    if not stop.opened or not places:
        return None
    return Advice(
        "`function(...)` makes a function, which a formula cannot",
        "add its values to the data as a column",
        stop.at - places[-1],
    )


# --- equality and comparison


def _equals(stop: Stop) -> Advice | None:
    if stop.before == "=" and stop.here in ("<", ">"):
        return Advice(f"`={stop.here}` is not an operator", f"write `{stop.here}=`", 1)
    if stop.here != "=":
        return None
    if stop.word(1).text in ("<", ">"):
        return Advice(f"`={stop.word(1).text}` is not an operator", f"write `{stop.word(1).text}=`", 0, 1)
    if stop.before in ("=", "<", ">"):
        return Advice(f"`{stop.before} =` is not an operator", f"write `{stop.before}=` without a blank", 1)
    if stop.bracket == "{":
        return Advice("a map is written with `:`", "write `{A: 0.3, B: 0.7}`")
    if stop.bracket == "[" and not stop.in_list:
        return Advice("here `=` can follow only the name of a dim", "write `arm[school=A, arm=control]`")
    if stop.callee and len(stop.clause) == 1 and stop.word(-1).kind in ("string", "quoted"):
        return Advice("the name of an argument stands without quotes", f"write `{stop.before[1:-1]}=`", 1)
    if _takes(stop, Kind.HYPOTHESIS):
        return Advice("a hypothesis is written with `==`, not `=`", "write `==`")
    return Advice("`=` is allowed only after the name of an argument", "for equality write `==`")


def _takes(stop: Stop, kind: Kind) -> bool:
    """Return whether this is an argument of a clause that takes arguments of `kind`."""
    signature = stop.language.names["clause"].get(stop.callee)
    return bool(signature and signature.rest and signature.rest.kind is kind)


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
    return Advice(f"there is nothing between `{stop.before}` and `{stop.here}`", hint, 1)


def _law(stop: Stop) -> str:
    known = stop.language.names["distribution"].get(stop.before)
    return f"write `{known.accepted(Call(stop.before)) if known else 'normal(0, 5)'}`"


def _distribution(stop: Stop) -> Advice | None:
    if not stop.opened or "~" not in stop.clause:
        return None
    if stop.callee in REFUSED:
        what, instead = REFUSED[stop.callee]
        return Advice(f"`{stop.callee}(...)` {what}", instead, stop.at - stop.opened[-1] + 1)
    if not _takes(stop, Kind.PRIOR):
        return Advice(
            "a distribution can be given only inside `prior(...)`", "write `prior(treatment ~ normal(0, 5))`"
        )
    if stop.before == "~":
        return Advice("a distribution is expected after `~`", "write `normal(0, 5)`")
    if stop.word(-2).text == "~" and stop.word(-1).kind == "name":
        return Advice("a distribution is written as a call", _law(stop), 1)
    return Advice("a prior ends with its distribution", "a comma separates it from the next")


def _braces(stop: Stop) -> Advice | None:
    if stop.bracket != "{":
        return None
    if stop.here == ":" and stop.before in ("{", ","):
        return Advice("a level is missing before `:`", "write `{A: 0.3, B: 0.7}`")
    if stop.here == ":" and stop.before_bracket == "=":
        return Advice(
            "a level that is more than a name or a number must stand in quotes", 'write `{"a:b": 0.3}`'
        )
    if stop.here == ":":
        return Advice(
            "a map is allowed only as the value of an argument, and arithmetic has no `:`",
            "write `weights={A: 0.3}`, or `x * z` for a product",
        )
    if stop.here in (",", "}") and ":" in stop.level and ":" not in stop.clause and stop.after_value():
        return Advice(f"the value of `{stop.before}` is missing", f"write `{stop.before}: 0.3`", 1)
    if stop.here == "," and stop.after_value():
        hint = (
            "write `{A: 0.3, B: 0.7}`" if stop.before_bracket == "=" else "braces hold arithmetic: `{x / 2}`"
        )
        return Advice("a comma is not allowed here", hint)
    return None


def _subscript(stop: Stop) -> Advice | None:
    if stop.bracket != "[" or stop.in_list:
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
    return Advice("a list is allowed only as the value of an argument", "write `weights=[0.3, 0.7]`")


def _comma_in_parentheses(stop: Stop) -> Advice | None:
    if stop.here != "," or stop.bracket != "(" or stop.callee or not stop.after_value():
        return None
    return Advice(
        "a comma is allowed only in the parentheses of a function or clause", "predictors are joined by `+`"
    )


# --- a value is missing


def _missing_value(stop: Stop) -> Advice | None:
    if (stop.before, stop.here) == (":", ":") and [stop.word(step).kind for step in (-2, 1)] == ["name"] * 2:
        written = "".join(stop.word(step).text for step in range(-2, 2))
        name = stop.word(1).text
        return Advice(f"`{written}` names a package", f"write the function alone: `{name}(...)`", 2, 1)
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
        return Advice(f"`{stop.here}` is not allowed here", "`.mean` and `.sd` follow a term")
    return Advice("a name cannot begin with a dot", f"if it is a column, write `{stop.here}` in backticks")


def _power(stop: Stop) -> Advice | None:
    if stop.here not in ("^", "**") or stop.word(-2).text not in ("+", "-"):
        return None
    return Advice(
        "a signed exponent that has a power of its own needs parentheses", "write `a^(-b)^c` or `a^(-b^c)`"
    )


SLIPS: tuple[Callable[[Stop], Advice | None], ...] = (
    _leading_dot,
    _function,
    _nothing_inside,
    _equals,
    _side_by_side,
    _distribution,
    _comparison,
    _braces,
    _subscript,
    _list,
    _comma_in_parentheses,
    _missing_value,
    _power,
)
