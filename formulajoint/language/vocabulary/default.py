"""The default language: the plain one with all installed and registered extensions.

Each registration replaces the default `Language` by a new one; `CORE` and existing languages do not change.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from threading import RLock, local
from typing import Any
from weakref import WeakSet

from formulajoint.errors import ExtensionError, FormulaJointWarning
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Extension, Language
from formulajoint.language.vocabulary.options import in_words

GROUP = "formulajoint.extensions"
"""Entry-point group through which installed packages provide extensions."""


@dataclass(slots=True)
class _Default:
    """Parts of the default language; `installed` is None until first used, `past` holds earlier default languages."""

    installed: tuple[Extension, ...] | None = None
    registered: Mapping[str, Extension] = field(default_factory=dict)
    language: Language = CORE
    past: WeakSet[Language] = field(default_factory=WeakSet)
    lock: RLock = field(default_factory=RLock)


class _Loading(local):
    """Whether this thread is loading extensions: one may parse a formula while it is loaded."""

    active: bool = False


_default, _loading = _Default(), _Loading()


def default_language() -> Language:
    """Return the plain language with all extensions that are installed or registered.

    Threads that ask at once load the extensions together, each for itself: Python imports a module once. With a lock
    around it a thread could wait for a module that another one, which waits for the lock, is importing.
    """
    if _default.installed is None and not _loading.active:
        _loading.active = True
        try:
            loaded = _loaded()
        finally:
            _loading.active = False
        for message in [] if loaded is None else _install(loaded):
            warnings.warn(message, FormulaJointWarning, stacklevel=2)
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
    with _default.lock:
        registered = {**_default.registered, extension.name: extension}
        _default.language = _with(_default.installed or (), registered)
        _default.registered = registered


def _with(installed: tuple[Extension, ...], registered: Mapping[str, Extension]) -> Language:
    extensions = (*installed, *registered.values())
    language = reduce(Language.extend, extensions, replace(CORE))  # a copy: CORE is never a default
    _default.past.add(language)
    return language


def _loaded() -> list[tuple[str, Any]] | None:
    """Return what installed packages bring, or the error in its place, with the name of each.

    None, to ask again later, if this is called while one of them is imported by something else.
    """
    found: list[tuple[str, Any]] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found.append((_package(point), point.load()))
        except KeyboardInterrupt:
            raise
        except (
            BaseException
        ) as error:  # a faulty plug-in, or one that exits, must not keep formulas from being read
            if _is_half_imported(point):
                return None
            found.append((_package(point), error))
    return found


def _is_half_imported(point: EntryPoint) -> bool:
    """Return whether the import of a plug-in's module has begun, and not ended."""
    spec = getattr(sys.modules.get(point.module), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _install(loaded: list[tuple[str, Any]]) -> list[str]:
    """Make the default language with the extensions `loaded`; return what to say of those that are left out."""
    kept: tuple[Extension, ...] = ()
    faults = []
    with _default.lock:
        if _default.installed is not None:  # by another thread
            return []
        for whose, value in loaded:
            fault = value if isinstance(value, BaseException) else _misfit((*kept, value))
            if fault is None:
                kept = (*kept, value)
            else:
                faults.append(f"{whose} is left out: {in_words(fault)}.")
        _default.language = _with(kept, _default.registered)
        _default.installed = kept  # last: other threads take the language once it is there
    return faults


def _misfit(installed: tuple[Any, ...]) -> Exception | None:
    """Return why the last of `installed` does not fit the language; None if it does."""
    try:
        _with(installed, _default.registered)
    except Exception as error:  # a plug-in's value may fail anywhere
        return error
    return None


def _package(point: EntryPoint) -> str:
    package = f" of package `{point.dist.name}`" if point.dist is not None else ""
    return f"The formulajoint extension `{point.name}`{package}"
