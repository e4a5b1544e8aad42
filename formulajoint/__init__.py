"""One line of R-style formula to a PyMC model, its joint contrast and its joint test.

The public names are imported on first use: ``import formulajoint`` alone loads neither PyMC nor a parser.
"""

import sys

# Before all else, and in the syntax of older Pythons: they would stop at a line that tells a user nothing.
if sys.version_info < (3, 12):  # noqa: UP036
    raise ImportError("formulajoint needs Python 3.12 or newer; this is Python " + sys.version.split()[0])

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what type checkers and editors read; `_HOMES` says the same to Python
    from formulajoint.api.datasets import tutoring
    from formulajoint.api.fit import Fit
    from formulajoint.api.model import JointModel
    from formulajoint.api.verbs import build, fit, model
    from formulajoint.errors import (
        BugError,
        DataError,
        FormulaError,
        FormulaJointError,
        FormulaJointWarning,
        InferenceError,
        StoreError,
    )
    from formulajoint.language.ir import Formula
    from formulajoint.language.parse import parse
    from formulajoint.language.tables import CORE, Language
    from formulajoint.results.any_posterior import contrast_table, joint
    from formulajoint.results.any_test import joint_test

    __version__: str

__all__ = [
    "CORE",
    "BugError",
    "DataError",
    "Fit",
    "Formula",
    "FormulaError",
    "FormulaJointError",
    "FormulaJointWarning",
    "InferenceError",
    "JointModel",
    "Language",
    "StoreError",
    "__version__",
    "build",
    "contrast_table",
    "fit",
    "joint",
    "joint_test",
    "model",
    "parse",
    "tutoring",
]

_HOMES = {
    "CORE": "language.tables",
    "BugError": "errors",
    "DataError": "errors",
    "Fit": "api.fit",
    "Formula": "language.ir",
    "FormulaError": "errors",
    "FormulaJointError": "errors",
    "FormulaJointWarning": "errors",
    "InferenceError": "errors",
    "JointModel": "api.model",
    "Language": "language.tables",
    "StoreError": "errors",
    "build": "api.verbs",
    "fit": "api.verbs",
    "contrast_table": "results.any_posterior",
    "joint": "results.any_posterior",
    "joint_test": "results.any_test",
    "model": "api.verbs",
    "parse": "language.parse",
    "tutoring": "api.datasets",
}


def _version() -> str:
    """Return the installed version, or ``0+uninstalled`` in a checkout that was never installed."""
    metadata = import_module("importlib.metadata")
    try:
        return str(metadata.version("formulajoint"))
    except metadata.PackageNotFoundError:
        return "0+uninstalled"


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = _version()
    elif name in _HOMES:
        value = getattr(import_module("formulajoint." + _HOMES[name]), name)
    else:
        message = "module 'formulajoint' has no attribute " + repr(name)
        raise AttributeError(message, name=name, obj=sys.modules[__name__])  # Python adds "Did you mean"
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
