"""A language as a value, and its extensions: names with their meanings, grammar fragments with their lowering."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

from formulajoint.errors import ExtensionError
from formulajoint.language.grammar.compose import Fragment
from formulajoint.language.grammar.tree import Grammar, Rule
from formulajoint.language.syntax.text import BARE_NAME
from formulajoint.language.vocabulary.signatures import Signature

type Position = Literal["clause", "function", "distribution", "family", "coding", "weight scheme", "operator"]
type Table = Mapping[str, Signature]

OPERATOR = r"%[^%\s]{1,32}%"


@runtime_checkable
class Named(Protocol):
    """A named part of an extension, such as a `Contrast`; later stages interpret it."""

    @property
    def position(self) -> Position:
        """The position in which the name may stand."""
        ...

    @property
    def name(self) -> str:
        """The name in formulas."""
        ...

    @property
    def extension(self) -> str:
        """The name of the extension that brings it."""
        ...

    @property
    def signature(self) -> Signature:
        """Signature of a call in formulas."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Extension:
    """An addition to the language, by a package or a notebook.

    Parameters
    ----------
    name : str
        Its name in errors and stored formulas; unique, such as the package's name.
    brings : sequence
        Values of `Contrast`, `WeightScheme`, `ColumnFunction`, `Operator` and `Family`.
    fragments : sequence of Fragment
        New syntax, in Lark's notation.
    rules : mapping of str to function
        For each new node of the grammar, the function from a `Node` to the node's meaning.

    Examples
    --------
    >>> import formulajoint as fj
    >>> def middle(effects, weights):
    ...     return (effects.min(axis=0) + effects.max(axis=0)) / 2
    >>> language = fj.CORE.extend(fj.Extension("midrange", [fj.Contrast(middle)]))
    >>> print(fj.parse("y ~ x | g, middle(x)", language=language))
    y ~ x | g, middle(x)
    """

    name: str
    brings: Sequence[Named] = ()
    fragments: Sequence[Fragment] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ExtensionError(f"An extension is known by its name, a text, not by {self.name!r}.")
        brings = _all_of(self, "brings", self.brings, _is_named)
        object.__setattr__(self, "brings", tuple(replace(value, extension=self.name) for value in brings))
        fragments = _all_of(self, "fragments", self.fragments, lambda value: isinstance(value, Fragment))
        object.__setattr__(self, "fragments", fragments)
        object.__setattr__(self, "rules", MappingProxyType(_functions_of(self)))


def _all_of(
    extension: Extension, part: str, values: Any, is_one: Callable[[object], bool]
) -> tuple[Any, ...]:
    found = tuple(values) if isinstance(values, list | tuple) else (values,)
    for value in found:
        if not is_one(value):
            message = (
                f"`{part}` of extension `{extension.name}` holds {value!r}, which is not a {WANTED[part]}."
            )
            raise ExtensionError(message)
    return found


def _is_named(value: object) -> bool:
    """Return whether `value` is a `Named`, and a dataclass that can be told its extension."""
    return (
        isinstance(value, Named)
        and not isinstance(value, type)
        and is_dataclass(value)
        and "extension" in {part.name for part in fields(value)}
    )


def _functions_of(extension: Extension) -> dict[str, Rule]:
    if not isinstance(extension.rules, Mapping) or not all(map(callable, extension.rules.values())):
        raise ExtensionError(
            f"`rules` of extension `{extension.name}` is {extension.rules!r}, and must be a mapping of the names of "
            "nodes to functions."
        )
    return dict(extension.rules)


WANTED = {
    "brings": "value of Contrast, WeightScheme, ColumnFunction, Operator or Family",
    "fragments": "Fragment; read a file with `Fragment.read(path)`",
}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Language:
    """The grammar, the meaning of its rules, and the tables of names that parsing uses.

    Tables are independent: `poly` is a clause, a column function and a coding. A language never changes; `extend`
    returns a new one.
    """

    fragments: tuple[Fragment, ...]
    rules: Mapping[str, Rule]
    names: Mapping[Position, Table]
    added: tuple[Extension, ...] = ()

    @property
    def grammar(self) -> Grammar:
        """The syntax, and the lowering of its nodes."""
        return Grammar(self.fragments, self.rules)

    @property
    def extensions(self) -> frozenset[str]:
        """Names of the extensions in this language."""
        return frozenset(extension.name for extension in self.added)

    def meaning(self, position: Position, name: str) -> Any:
        """Return the extension's value for `name`, or None if the name is unknown or part of the plain language."""
        return next(
            (n for e in self.added for n in e.brings if (n.position, n.name) == (position, name)), None
        )

    def extend(self, extension: Extension) -> Language:
        """Return a new language that includes `extension`.

        Raises
        ------
        ExtensionError
            If a name is taken, or new syntax would change the meaning of existing formulas; it names both sides.
        """
        if not isinstance(extension, Extension):
            raise ExtensionError(f"A language is extended by an Extension, not by {extension!r}.")
        if extension.name in self.extensions:
            raise ExtensionError(f"The language has an extension `{extension.name}` already.")
        tables = dict(self.names)
        for named in extension.brings:
            _check_name(named, extension, tables[named.position])
            signature = replace(named.signature, extension=extension.name)
            tables[named.position] = MappingProxyType({**tables[named.position], named.name: signature})
        from formulajoint.language.grammar.fragments import check_fragments

        try:
            check_fragments(self.fragments, tuple(extension.fragments), extension.rules)
        except ExtensionError as error:
            raise ExtensionError(f"Extension `{extension.name}`: {error}") from None
        return Language(
            (*self.fragments, *extension.fragments),
            MappingProxyType({**self.rules, **extension.rules}),
            MappingProxyType(tables),
            (*self.added, extension),
        )


def _check_name(named: Named, extension: Extension, table: Table) -> None:
    pattern = OPERATOR if named.position == "operator" else BARE_NAME
    if not isinstance(named.name, str) or not re.fullmatch(pattern, named.name):
        raise ExtensionError(
            f"`{named.name}` of extension `{extension.name}` cannot be the name of {article(named.position)}: "
            + (
                "write it as `%name%`."
                if named.position == "operator"
                else "it needs letters, digits and `_`."
            )
        )
    if named.name in table:
        owner = table[named.name].extension
        whose = f"of extension `{owner}`" if owner else "of the language itself"
        raise ExtensionError(
            f"`{named.name}` of extension `{extension.name}` is {article(named.position)} {whose} already."
        )


def article(position: Position) -> str:
    """Return the position with its article: ``a clause``, ``an operator``."""
    return f"{'an' if position[0] in 'aeio' else 'a'} {position}"
