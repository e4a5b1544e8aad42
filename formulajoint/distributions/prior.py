"""Priors as values: a distribution's name and its numbers, printable, without PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from formulajoint.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Law:
    """A distribution that a prior may have.

    Attributes
    ----------
    args : tuple of str
        Argument names in PyMC's order.
    support : {"real", "positive", "interval", "correlation", "any"}
        Support of the distribution; ``any`` stands for ``constant`` and ``flat``.
    """

    args: tuple[str, ...]
    support: str


def _law(args: str, support: str) -> Law:
    return Law(tuple(args.split()), support)


LAWS: Mapping[str, Law] = MappingProxyType(
    {
        "normal": _law("mu sigma", "real"),
        "student_t": _law("nu mu sigma", "real"),
        "cauchy": _law("alpha beta", "real"),
        "laplace": _law("mu b", "real"),
        "half_normal": _law("sigma", "positive"),
        "half_cauchy": _law("beta", "positive"),
        "half_student_t": _law("nu sigma", "positive"),
        "exponential": _law("lam", "positive"),
        "gamma": _law("alpha beta", "positive"),
        "inverse_gamma": _law("alpha beta", "positive"),
        "log_normal": _law("mu sigma", "positive"),
        "beta": _law("alpha beta", "positive"),
        "uniform": _law("lower upper", "interval"),
        "lkj": _law("eta", "correlation"),
        "flat": _law("", "any"),
        "constant": _law("value", "any"),
        "inverse": _law("", "positive"),  # p(sigma) = 1/sigma, the prior of a scale under priors="flat"
    }
)
"""All distributions of priors, by name. ``inverse`` cannot be written in a formula."""

DEFAULT, WRITTEN, FLAT = "default", "formula", "flat"


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """The prior of one variable.

    Attributes
    ----------
    law : str
        A name in `LAWS`.
    args : mapping of str to float or array
        Arguments by name; an array has one value per column of the term.
    origin : {"default", "formula", "flat"}
        Source: the default rule, the formula, or priors="flat".
    """

    law: str
    args: Mapping[str, float | FloatArray] = field(default_factory=dict)
    origin: str = DEFAULT

    @property
    def proper(self) -> bool:
        """Whether the density integrates to one."""
        return self.law not in ("flat", "inverse")

    def shaped(self, shape: tuple[int, ...]) -> Prior:
        """Return the prior with its array arguments reshaped from (k,) to the term's `shape`."""
        args = {
            name: np.reshape(value, shape) if isinstance(value, np.ndarray) else value
            for name, value in self.args.items()
        }
        return Prior(self.law, args, self.origin)

    def __str__(self) -> str:
        if self.law == "inverse":
            return "1/x"
        return f"{self.law}({', '.join(_number(self.args[name]) for name in LAWS[self.law].args)})"


def prior(law: str, *values: float | FloatArray, origin: str = DEFAULT) -> Prior:
    """Return the prior `law` with `values` as its arguments in order; an array of equal values becomes one number."""
    args = dict(zip(LAWS[law].args, (_simplest(value) for value in values), strict=True))
    return Prior(law, args, origin)


def _simplest(value: float | FloatArray) -> float | FloatArray:
    array = np.asarray(value, dtype=float)
    return float(array.flat[0]) if np.all(array == array.flat[0]) else array


def _number(value: float | FloatArray) -> str:
    if isinstance(value, np.ndarray):
        return f"[{', '.join(_number(float(v)) for v in value.ravel())}]"
    return f"{value:.4g}"
