"""Check whether a grammar fragment may join the language: its content, and that core text is tokenised as before.

Each check is a function from a candidate to its complaints. A complaint names the fragment's file and line, and the
place it conflicts with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from interegular import Comparator, InvalidSyntax, Unsupported, parse_pattern
from interegular.fsm import anything_else

from formulajoint.errors import BugError, ExtensionError
from formulajoint.language.grammar.compose import (
    Composed,
    Fragment,
    Refused,
    Stopped,
    check_strictly,
    compose,
    parse_tree,
)
from formulajoint.language.grammar.fragment_statements import DIRECTIVE, bare_of, line_of, statements
from formulajoint.language.grammar.guarded_formulas import SPECIMENS
from formulajoint.language.grammar.scan import TOKEN
from formulajoint.wording import listed

EXTENSIBLE = ("clause", "value", "trailer")
"""Rules of the grammar that a fragment may extend."""

WORD_END = r"(?![\w.])"


@dataclass(frozen=True)
class Candidate:
    """Fragments to be added to `base`, with the names of the nodes they have lowering functions for."""

    base: tuple[Fragment, ...]
    new: tuple[Fragment, ...]
    lowered: frozenset[str]

    @cached_property
    def together(self) -> Composed:
        """The grammar of base and new fragments; raises `Refused`."""
        return compose(self.base + self.new)

    @cached_property
    def core(self) -> Composed:
        """The grammar of the base alone."""
        return compose(self.base)

    @cached_property
    def terminals(self) -> Mapping[str, str]:
        """The new terminals, with their regular expressions."""
        known = self.core.terminals
        return {name: regex for name, regex in self.together.terminals.items() if name not in known}

    def called(self, name: str) -> str:
        """Return the name of a terminal for messages, or its text if it is anonymous."""
        return f"`{_literal(self.together.terminals[name])}`" if name.startswith("__ANON") else name

    def terminal(self, name: str) -> str:
        """Return the beginning of a complaint about a terminal: its place and its name."""
        return f"{self.place(name)}: the terminal {self.called(name)}"

    def place(self, name: str) -> str:
        """Return file and line of the statement called `name`, or of the text of an anonymous terminal."""
        for fragment in self.base + self.new:
            for statement in statements(fragment):
                if statement.name == name and not statement.extends:
                    return _at(fragment, statement.line)
        regex = self.together.terminals.get(name, name)
        for fragment in self.new + self.base:
            for written in (f'"{_literal(regex)}"', f"/{regex}/"):
                if written in fragment.text:
                    return _at(fragment, line_of(fragment.text, fragment.text.index(written)))
        return listed_names(self.new)


def _literal(regex: str) -> str:
    """Return the text that an escaped `regex` matches."""
    return re.sub(r"\\(.)", r"\1", regex)


def _at(fragment: Fragment, line: int) -> str:
    return f"{fragment.name}, line {line}"


def listed_names(fragments: Iterable[Fragment]) -> str:
    """Return the names of `fragments`, joined by "and"."""
    return " and ".join(fragment.name for fragment in fragments)


def check_fragments(base: tuple[Fragment, ...], new: tuple[Fragment, ...], lowered: Iterable[str]) -> None:
    """Raise an ExtensionError if `base` cannot be extended by the fragments `new`.

    Parameters
    ----------
    base : tuple of Fragment
        The grammar so far.
    new : tuple of Fragment
    lowered : iterable of str
        Names of the nodes that have a lowering function.

    Raises
    ------
    ExtensionError
        With the places of both sides of the conflict.
    """
    candidate = Candidate(base, new, frozenset(lowered))
    if not new:
        if candidate.lowered:
            raise ExtensionError(
                f"there is a lowering of {listed(sorted(candidate.lowered))}, but no fragment."
            )
        return
    for check in CHECKS:
        for complaint in check(candidate):
            raise ExtensionError(complaint)


# --- what a fragment may contain


def _only_extends(candidate: Candidate) -> Iterator[str]:
    for fragment in candidate.new:
        bare = bare_of(fragment.text)
        for found in DIRECTIVE.finditer(bare):
            if found[1] != "%extend":
                place = _at(fragment, line_of(bare, found.start(1)))
                yield f"{place}: `{found[1]}` would change the whole language; a fragment may only `%extend`."
        for statement in statements(fragment):
            place = _at(fragment, statement.line)
            if statement.extends and statement.name not in EXTENSIBLE:
                home = candidate.place(statement.name) if _is_known(candidate, statement.name) else ""
                whose = f" of {home}" if home else ""
                yield f"{place}: `{statement.name}`{whose} cannot be extended; {listed(EXTENSIBLE)} can."
            if statement.priority:
                yield f"{place}: `{statement.name}` has a priority, which takes text from others; leave it out."


def _is_known(candidate: Candidate, name: str) -> bool:
    return any(s.name == name for fragment in candidate.base for s in statements(fragment))


def _names_are_new(candidate: Candidate) -> Iterator[str]:
    known = {s.name: _at(f, s.line) for f in candidate.base for s in statements(f) if not s.extends}
    for fragment in candidate.new:
        for statement in statements(fragment):
            if not statement.extends and statement.name in known:
                yield (
                    f"{_at(fragment, statement.line)}: the name `{statement.name}` is taken, by "
                    f"{known[statement.name]}; choose another."
                )
        known |= {s.name: _at(fragment, s.line) for s in statements(fragment) if not (s.extends or s.alias)}


# --- that base and fragments make one grammar


def _is_a_grammar(candidate: Candidate) -> Iterator[str]:
    try:
        _ = candidate.together
    except Refused as refused:
        yield _refusal(candidate, str(refused))


def _is_unambiguous(candidate: Candidate) -> Iterator[str]:
    try:
        check_strictly(candidate.base + candidate.new)
    except Refused as refused:
        yield _refusal(candidate, str(refused))


def _refusal(candidate: Candidate, said: str) -> str:
    """Return Lark's message with places in the fragments' own files."""
    at = re.search(r"at line (\d+)", said)
    if at:
        place, text = _own_place(candidate, int(at[1]))
        return f"{place}: this is not a Lark grammar: {text}"
    names = [name for name in dict.fromkeys(re.findall(r"[A-Za-z_]\w+", said)) if _defined(candidate, name)]
    conflict = "onflict" in said or "ollision" in said
    places = "; ".join(f"`{name}` is of {candidate.place(name)}" for name in names)
    what = "makes the language ambiguous" if conflict else "does not fit the language"
    extended = ", ".join(
        _at(fragment, s.line) for fragment in candidate.new for s in statements(fragment) if s.extends
    )
    where = extended or listed_names(candidate.new)
    return f"{where}: this {what}. {' '.join(said.split())}" + (f" ({places})" if places else "")


def _own_place(candidate: Candidate, line: int) -> tuple[str, str]:
    """Return the fragment and the text of line `line` of all fragments joined together."""
    for fragment in candidate.base + candidate.new:
        lines = fragment.text.split("\n")
        if line <= len(lines):
            return _at(fragment, line), lines[line - 1].strip()
        line -= len(lines)
    return listed_names(candidate.new), "the end of the text"


def _defined(candidate: Candidate, name: str) -> bool:
    return any(s.name == name for f in candidate.base + candidate.new for s in statements(f))


def _nodes_are_lowered(candidate: Candidate) -> Iterator[str]:
    made = candidate.together.nodes - candidate.core.nodes
    for name in sorted(made - candidate.lowered):
        if name in EXTENSIBLE:
            lines = [
                _at(f, s.line) for f in candidate.new for s in statements(f) if s.extends and s.name == name
            ]
            yield f"{', '.join(lines)}: a new alternative of `{name}` needs a name of its own: `... -> name`."
        else:
            yield f"{candidate.place(name)}: nothing lowers the node `{name}`; add it to `rules`."
    for name in sorted(candidate.lowered - made):
        yield f"{listed_names(candidate.new)}: there is a lowering of `{name}`, but no tree has such a node."


# --- that core text is tokenised as before


def _words_end(candidate: Candidate) -> Iterator[str]:
    for name, regex in candidate.terminals.items():
        if not regex.endswith(WORD_END) and _may_end_in_word(regex):
            yield (
                f"{candidate.terminal(name)} would also take the beginning of a longer name; "
                f"write it as `/{_literal(regex)}{WORD_END}/`."
            )


def _may_end_in_word(regex: str) -> bool:
    return any(re.search(r"[\w.]$", example) for example in _examples(regex))


def _examples(regex: str, other: str = "µ", most: int = 100) -> list[str]:
    """Return up to `most` texts that `regex` matches, shortest first; `other` stands for letters it does not name."""
    automaton = parse_pattern(regex).to_fsm()
    found = islice(automaton.strings(20_000), most)  # type: ignore[no-untyped-call]
    texts = ["".join(other if symbol is anything_else else str(symbol) for symbol in text) for text in found]
    matches = [re.match(regex, text) for text in texts]  # lookahead is not part of the match
    return [match[0] for match in matches if match]


def _can_be_compared(candidate: Candidate) -> Iterator[str]:
    for name, regex in candidate.terminals.items():
        try:
            parse_pattern(regex).to_fsm()
        except (InvalidSyntax, Unsupported) as error:
            yield f"{candidate.terminal(name)} cannot be compared with others: {error}"


def _can_be_scanned(candidate: Candidate) -> Iterator[str]:
    for name, regex in candidate.terminals.items():
        for example in _examples(regex):
            stray = next((found for found in TOKEN.finditer(example) if found.lastgroup == "other"), None)
            if stray:
                yield (
                    f"{candidate.terminal(name)} takes `{example}`, but `{stray[0]}` means nothing in a formula, "
                    "and is refused before parsing."
                )
                return


def _steals_nothing(candidate: Candidate) -> Iterator[str]:
    patterns = Comparator.from_regexes(dict(candidate.together.terminals))
    examples = {
        name: [*_examples(regex), *_examples(regex, "§")] for name, regex in candidate.terminals.items()
    }
    for state in sorted(candidate.together.together, key=sorted):
        for new in sorted(state & examples.keys()):
            for old in sorted(state - examples.keys()):
                text = _shared(patterns, new, old, examples[new], candidate.together.terminals[old])
                if text is not None:
                    yield (
                        f"{candidate.terminal(new)} takes `{text}`, which {candidate.called(old)} of "
                        f"{candidate.place(old)} takes in the same place. Choose another spelling, or a place where "
                        f"{candidate.called(old)} cannot stand."
                    )


def _shared(patterns: Comparator, new: str, old: str, examples: Sequence[str], regex: str) -> str | None:
    """Return a text that both terminals match, or None; `examples` cover letters beyond ASCII."""
    example = next((text for text in examples if re.fullmatch(regex, text)), None)
    if example is None and not patterns.isdisjoint(new, old):
        return str(patterns.get_example_overlap(new, old).main_text)
    return example


def _core_stays(candidate: Candidate) -> Iterator[str]:
    for start, text in SPECIMENS:
        try:
            before = parse_tree(text, start, candidate.base)
        except Stopped as stopped:
            raise BugError(f"the specimen {text!r} is not a formula") from stopped
        try:
            same = parse_tree(text, start, candidate.base + candidate.new) == before
        except Stopped:
            same = False
        if not same:
            places = ", ".join(_at(f, s.line) for f in candidate.new for s in statements(f) if s.extends)
            yield f"{places}: with this, `{text}` of the plain language would no longer mean the same."


CHECKS: tuple[Callable[[Candidate], Iterator[str]], ...] = (
    _only_extends,
    _names_are_new,
    _is_a_grammar,
    _nodes_are_lowered,
    _can_be_compared,
    _can_be_scanned,
    _words_end,
    _steals_nothing,
    _is_unambiguous,
    _core_stays,
)
