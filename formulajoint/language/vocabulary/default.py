"""The default language: the plain one with all installed and registered extensions.

Each registration replaces the default `Language` by a new one; `CORE` and existing languages do not change.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from weakref import WeakSet

from formulajoint.errors import ExtensionError, FormulaJointWarning
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Extension, Language

GROUP = "formulajoint.extensions"
"""Entry-point group through which installed packages provide extensions."""


@dataclass(slots=True)
class _Default:
    """Parts of the default language; `installed` is None until first used, `past` holds earlier default languages."""

    installed: tuple[Extension, ...] | None = None
    registered: Mapping[str, Extension] = field(default_factory=dict)
    language: Language = CORE
    past: WeakSet[Language] = field(default_factory=WeakSet)


_default = _Default()


def default_language() -> Language:
    """Return the plain language with all extensions that are installed or registered."""
    if _default.installed is None:
        _default.installed = ()  # a plug-in may parse a formula while it is loaded
        _default.installed = tuple(_installed())
        _default.language = _with(_default.registered)
    return _default.language


def present(language: Language) -> Language:
    """Return the current default language if `language` has been the default, else `language` itself.

    A model keeps the language it was parsed with; contrasts on its fit may use extensions registered later.
    """
    return default_language() if language in _default.past else language


def chosen(language: Language | None) -> Language:
    """Return `language`, or the default language if it is None."""
    if language is None:
        return default_language()
    if not isinstance(language, Language):
        message = (
            f"`language` is a Language, such as `CORE` or what `CORE.extend(...)` returns, not {language!r}."
        )
        raise ExtensionError(message)
    return language


def register(extension: Extension) -> None:
    """Add `extension` to the default language, in place of a registered one of the same name.

    Parameters
    ----------
    extension : Extension

    Raises
    ------
    ExtensionError
        If it does not fit the language; the default language then stays the same.
    """
    default_language()
    if not isinstance(extension, Extension):
        raise ExtensionError(f"`register` takes an Extension, not {extension!r}.")
    registered = {**_default.registered, extension.name: extension}
    _default.language = _with(registered)
    _default.registered = registered


def _with(registered: Mapping[str, Extension]) -> Language:
    extensions = (*(_default.installed or ()), *registered.values())
    language = reduce(Language.extend, extensions, replace(CORE))  # a copy: CORE is never a default
    _default.past.add(language)
    return language


def _installed() -> Iterator[Extension]:
    """Yield the extensions of installed packages; one that fails to load is left out with a warning."""
    language = CORE
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            extension = point.load()
            language = language.extend(extension)
        except Exception as error:  # a faulty plug-in must not keep plain formulas from being read
            message = f"{_package(point)} is left out: {type(error).__name__}: {error}"
            warnings.warn(message, FormulaJointWarning, stacklevel=2)
        else:
            yield extension


def _package(point: EntryPoint) -> str:
    package = f" of package `{point.dist.name}`" if point.dist is not None else ""
    return f"The formulajoint extension `{point.name}`{package}"
