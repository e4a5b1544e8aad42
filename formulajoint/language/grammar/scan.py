"""Check the text before it is parsed, in linear time: limits, quotes, brackets, misleading characters."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

from formulajoint.errors import FormulaError
from formulajoint.spans import Span

MOST_CHARACTERS = 20_000
MOST_BRACKETS = 32
MOST_DIGITS = 40

CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Word:
    """A token of the text: its kind (a group of `TOKEN`), its spelling, and its span."""

    kind: str
    text: str
    span: Span


# Possessive repeats (*+) never backtrack, so scanning takes linear time for any text.
TOKEN = re.compile(
    r"""(?P<blank>(?:[ \t\r\n\f]|\#[^\n]*+)++)
      | (?P<string>"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')
      | (?P<quoted>`(?:[^`]|``)++`)
      | (?P<number>(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+)
      | (?P<name>[^\W\d][\w.]*+)
      | (?P<tail>\.[^\W\d]\w*+)
      | (?P<percent>%[^%\s]{0,32}%)
      | (?P<open>[(\[{])
      | (?P<close>[)\]}])
      | (?P<sign>\|\||==|!=|<=|>=|\*\*|[-+*/:^~,|=<>.])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def scan(text: str) -> tuple[Word, ...]:
    """Return the tokens of `text`, or raise a FormulaError at the first text that is not a token."""
    check_length(text)
    words: list[Word] = []
    opened: list[Word] = []
    for found in TOKEN.finditer(text):
        word = Word(str(found.lastgroup), found[0], Span(*found.span(), text))
        if word.kind == "other":
            raise _stray(word)
        if word.kind == "number":
            _check_number(word)
        if word.kind in ("open", "close"):
            _check_bracket(word, opened)
        if word.kind != "blank":
            words.append(word)
    if opened:
        message = f"this `{opened[-1].text}` is never closed"
        raise FormulaError(message, opened[-1].span, f"a `{CLOSING[opened[-1].text]}` is missing")
    return tuple(words)


def check_length(text: str) -> None:
    """Raise a FormulaError if a formula, as written or in canonical text, is too long."""
    if len(text) > MOST_CHARACTERS:
        message = f"the formula has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read"
        raise FormulaError(message, Span(0, 1, text[:MOST_CHARACTERS]))


def _check_number(word: Word) -> None:
    if len(word.text) > MOST_DIGITS:
        message = f"a number of {len(word.text)} characters is too long; at most {MOST_DIGITS} are read"
        raise FormulaError(message, word.span)
    if not math.isfinite(float(word.text)):
        raise FormulaError("this number is too large", word.span)


def _check_bracket(word: Word, opened: list[Word]) -> None:
    """Update the stack `opened` of open brackets; raise a FormulaError at a bracket that does not match."""
    if word.kind == "open":
        opened.append(word)
        if len(opened) > MOST_BRACKETS:
            message = f"brackets are nested more than {MOST_BRACKETS} deep"
            raise FormulaError(message, word.span)
        return
    if not opened:
        raise FormulaError(f"this `{word.text}` has no opening bracket", word.span, "take it out")
    other = opened.pop()
    if CLOSING[other.text] != word.text:
        message = f"this `{word.text}` cannot close the `{other.text}` before it"
        raise FormulaError(message, word.span, f"a `{CLOSING[other.text]}` is missing")


# --- characters that begin no token

LOOK_ALIKES = {
    "−": "-",
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "–": "-",
    "—": "-",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "‘": "'",
    "’": "'",
    "´": "`",
    "∼": "~",
    "˜": "~",
    "∣": "|",
    "¦": "|",
    "‖": "||",
    "×": "*",
    "·": "*",
    "∗": "*",
    "÷": "/",
    "∕": "/",
    "⁄": "/",
    "∶": ":",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
}

ADVICE = {
    ";": ("`;` is not allowed here", "clauses and arguments are separated by commas"),
    "$": ("`$` means nothing here", "write the column's name alone; the data frame is given apart"),
    "@": ("`@` means nothing here", "a name with other characters stands in backticks"),
    "&": ("`&` means nothing here", "between hypotheses a comma means AND; in `I(...)` write `*`"),
    "!": ("`!` means nothing here", "write `==`, `<` or `>`"),
    "?": ("`?` means nothing here", "a name with other characters stands in backticks"),
    "\\": ("a backslash means nothing here", "a formula may go on in the next line without it"),
    "%": ("a single `%` means nothing here", "an operator of an extension has two: `%in%`"),
    '"': ("this quote is never closed", 'end the text with `"`, on the same line'),
    "'": ("this quote is never closed", "end the text with `'`, on the same line"),
    "`": (
        "this backtick is never closed",
        "end the name with a backtick; a backtick inside a name is doubled",
    ),
}


def _stray(word: Word) -> FormulaError:
    """Return the error for a character that begins no token, with advice."""
    character = word.text
    message, hint = ADVICE.get(character) or _unknown(character)
    if word.span.source.startswith("``", word.span.start):
        message, hint = "a name in backticks is empty", "write the name of a column between the backticks"
    return FormulaError(message, word.span, hint)


def _unknown(character: str) -> tuple[str, str]:
    title = unicodedata.name(character, "").lower() or f"character U+{ord(character):04X}"
    meant = LOOK_ALIKES.get(character) or unicodedata.normalize("NFKC", character)
    if unicodedata.category(character) in ("Zs", "Cf"):
        return f"an invisible character stands here: {title}", "replace it by an ordinary space, or delete it"
    if meant != character and meant.isascii():
        return f"`{character}` ({title}) only looks like `{meant}`", f"write `{meant}`"
    if unicodedata.category(character)[0] == "M":
        return f"a combining mark ({title}) cannot stand in a bare name", "write the name in backticks"
    shown = f"`{character}` ({title})" if character.isprintable() else title
    return f"{shown} means nothing here", "a name with other characters stands in backticks"
