"""From one line of R-style formula to a PyMC model, its joint contrast and its joint test.

The public names are imported on first use: ``import formulajoint`` alone loads neither PyMC nor a parser.
"""

import sys

# First, and in the syntax of older Pythons: they would otherwise stop at a line that does not help a user.
if sys.version_info < (3, 12):  # noqa: UP036
    raise ImportError("formulajoint needs Python 3.12 or newer; this is Python " + sys.version.split()[0])

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors; `_HOMES` lists the same for Python
    from formulajoint.aggregates.moments import Moments
    from formulajoint.api.checks import compare, table
    from formulajoint.api.datasets import tutoring
    from formulajoint.api.decorators import column, contrast, contrast_family, family, operator, weights
    from formulajoint.api.families import list_families
    from formulajoint.api.fit import Fit
    from formulajoint.api.model import JointModel
    from formulajoint.api.predictions import grid
    from formulajoint.api.verbs import build, fit, load, model, moments
    from formulajoint.contrasts.custom import Contrast, ContrastFamily
    from formulajoint.contrasts.schemes import Groups, WeightScheme
    from formulajoint.design.functions import ColumnFunction, Operator
    from formulajoint.errors import (
        BugError,
        DataError,
        ExtensionError,
        FormulaError,
        FormulaJointError,
        FormulaJointWarning,
        InferenceError,
        StoreError,
    )
    from formulajoint.families.custom import Family
    from formulajoint.language.formula import Formula
    from formulajoint.language.grammar.compose import Fragment
    from formulajoint.language.grammar.tree import Node
    from formulajoint.language.vocabulary.core import CORE
    from formulajoint.language.vocabulary.default import register
    from formulajoint.language.vocabulary.language import Extension, Language
    from formulajoint.results.external.contrasts import contrast_table, joint
    from formulajoint.results.external.tests import joint_test
    from formulajoint.spec.read import parse

    __version__: str

__all__ = [
    "CORE",
    "BugError",
    "ColumnFunction",
    "Contrast",
    "ContrastFamily",
    "DataError",
    "Extension",
    "ExtensionError",
    "Family",
    "Fit",
    "Formula",
    "FormulaError",
    "FormulaJointError",
    "FormulaJointWarning",
    "Fragment",
    "Groups",
    "InferenceError",
    "JointModel",
    "Language",
    "Moments",
    "Node",
    "Operator",
    "StoreError",
    "WeightScheme",
    "__version__",
    "build",
    "column",
    "compare",
    "contrast",
    "contrast_family",
    "contrast_table",
    "family",
    "fit",
    "grid",
    "joint",
    "joint_test",
    "list_families",
    "load",
    "model",
    "moments",
    "operator",
    "parse",
    "register",
    "table",
    "tutoring",
    "weights",
]

_HOMES = {
    "CORE": "language.vocabulary.core",
    "BugError": "errors",
    "ColumnFunction": "design.functions",
    "Contrast": "contrasts.custom",
    "ContrastFamily": "contrasts.custom",
    "DataError": "errors",
    "Extension": "language.vocabulary.language",
    "ExtensionError": "errors",
    "Family": "families.custom",
    "Fit": "api.fit",
    "Formula": "language.formula",
    "FormulaError": "errors",
    "FormulaJointError": "errors",
    "FormulaJointWarning": "errors",
    "Fragment": "language.grammar.compose",
    "Groups": "contrasts.schemes",
    "InferenceError": "errors",
    "JointModel": "api.model",
    "Language": "language.vocabulary.language",
    "Moments": "aggregates.moments",
    "Node": "language.grammar.tree",
    "Operator": "design.functions",
    "StoreError": "errors",
    "WeightScheme": "contrasts.schemes",
    "build": "api.verbs",
    "column": "api.decorators",
    "compare": "api.checks",
    "contrast": "api.decorators",
    "contrast_family": "api.decorators",
    "contrast_table": "results.external.contrasts",
    "family": "api.decorators",
    "fit": "api.verbs",
    "grid": "api.predictions",
    "joint": "results.external.contrasts",
    "joint_test": "results.external.tests",
    "list_families": "api.families",
    "load": "api.verbs",
    "model": "api.verbs",
    "moments": "api.verbs",
    "operator": "api.decorators",
    "parse": "spec.read",
    "register": "language.vocabulary.default",
    "table": "api.checks",
    "tutoring": "api.datasets",
    "weights": "api.decorators",
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
    return sorted(__all__)
