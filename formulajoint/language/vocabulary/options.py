"""Keyword-only parameters of an extension's Python function, as keywords of a formula: ``cut=0.2``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, signature
from types import UnionType
from typing import Any, Literal, TypeAliasType, Union, get_args, get_origin, get_type_hints

from formulajoint.errors import ExtensionError, FormulaJointError
from formulajoint.language.vocabulary.signatures import Kind, Slot
from formulajoint.wording import listed

TRUTH = ("true", "false")

type Option = float | int | bool | str

KINDS: Mapping[type, Kind] = {float: Kind.NUMBER, int: Kind.INTEGER, str: Kind.LABEL}


def positional_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the positional parameters of `function`.

    Raises
    ------
    ExtensionError
        If it is not a function with readable parameters, or takes ``*args`` or ``**kwargs``.
    """
    found = []
    for parameter in _parameters(function):
        if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            raise ExtensionError(
                f"`{function_name(function)}` must name its parameters, without `*` and `**`."
            )
        if parameter.kind is not Parameter.KEYWORD_ONLY:
            found.append(parameter.name)
    return tuple(found)


def options_of(function: Callable[..., Any], taken: Iterable[str] = ()) -> tuple[Slot, ...]:
    """Return the formula's keywords for the keyword-only parameters of `function`.

    Parameters
    ----------
    function : callable
        Each such parameter must have a default. It takes a number, ``true`` or ``false``, a name, or one of several
        words, by its annotation (``float``, ``int``, ``bool``, ``str``, ``Literal``) or else by its default.
    taken : iterable of str
        Keywords that already have a meaning.

    Raises
    ------
    ExtensionError
        If a parameter has no default, an unclear type, or a name in `taken`.
    """
    keywords = [p for p in _parameters(function) if p.kind is Parameter.KEYWORD_ONLY]
    clash = sorted({p.name for p in keywords} & set(taken))
    if clash:
        raise ExtensionError(
            f"`{function_name(function)}` cannot have a parameter of its own called {listed(clash)}: "
            "formulas give it a meaning already."
        )
    hints = _hints(function)
    return tuple(_slot(function, parameter, hints.get(parameter.name)) for parameter in keywords)


def function_name(function: object) -> str:
    """Return the name of `function` for messages."""
    return str(getattr(function, "__name__", repr(function)))


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    try:
        return list(signature(function).parameters.values())
    except (TypeError, ValueError):
        raise ExtensionError(
            f"{function!r} is not a Python function whose parameters can be read; wrap it in one: `def f(x): ...`."
        ) from None


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # a name imported for type checkers only
        return {}


def _slot(function: Callable[..., Any], parameter: Parameter, hint: Any) -> Slot:
    where = f"`{parameter.name}` of `{function_name(function)}`"
    if parameter.default is Parameter.empty:
        raise ExtensionError(f"{where} needs a default, so that a formula may leave it out.")
    kind = _only_type(hint) if hint is not None else type(parameter.default)
    if get_origin(kind) is Literal:
        words = get_args(kind)
        if all(isinstance(word, str) for word in words):
            return Slot(parameter.name, Kind.WORD, words)
    if kind is bool:
        return Slot(parameter.name, Kind.WORD, TRUTH)
    if kind in KINDS:
        return Slot(parameter.name, KINDS[kind])
    raise ExtensionError(
        f"{where} says neither by its annotation nor by its default whether formulas give it as a number, true or "
        "false, or a word: annotate it with float, int, bool, str or Literal."
    )


def _only_type(hint: Any) -> Any:
    """Return the one type of ``float | None`` that is not None, through type aliases."""
    if isinstance(hint, TypeAliasType):
        return _only_type(hint.__value__)
    if get_origin(hint) in (Union, UnionType):
        types = [part for part in get_args(hint) if part is not type(None)]
        return _only_type(types[0]) if len(types) == 1 else hint
    return hint


def known_as(what: str, name: str, extension: str) -> str:
    """Return how messages name a part of an extension: ``weight scheme `root` of extension `robust```.

    A decorated function is an extension of its own name, which is not said twice.
    """
    own = not extension or extension.rpartition(".")[2] == name
    return f"{what} `{name}`" if own else f"{what} `{name}` of extension `{extension}`"


def called(whose: str, function: Callable[..., Any], *arguments: object, **options: object) -> Any:
    """Return what an extension's function answers; an error of Python's own becomes one that names the extension.

    Parameters
    ----------
    whose : str
        As `known_as` says it.
    function : callable
    arguments, options : object
        Of the function.

    Raises
    ------
    ExtensionError
        If the function fails, or ends the program.
    """
    try:
        return function(*arguments, **options)
    except (FormulaJointError, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit among them: a function of a formula ends no program
        raise ExtensionError(f"The {whose} fails: {in_words(error)}.") from error


def in_words(error: BaseException) -> str:
    """Return an error of Python's own in one line: ``KeyError: 'x'``; its name alone where it says nothing."""
    said = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
