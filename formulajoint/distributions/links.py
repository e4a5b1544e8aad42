"""Link functions as values: ``link(parameter) = sum of columns times coefficients``, in NumPy and in PyTensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import erfc
from statistics import NormalDist
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

NUMPY: Any = SimpleNamespace(
    exp=np.exp,
    log=np.log,
    log1p=np.log1p,
    expm1=np.expm1,
    sigmoid=lambda x: np.exp(-np.logaddexp(0.0, -x)),
    erfc=np.vectorize(erfc, otypes=[float]),
    erfinv=np.vectorize(lambda x: NormalDist().inv_cdf((1 + x) / 2) / np.sqrt(2), otypes=[float]),
    sqrt=np.sqrt,
)
"""The functions of ``pytensor.tensor`` that links use, in NumPy."""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A link function, for parameters above `low` and below `high`; `xp` is `NUMPY` or ``pytensor.tensor``.

    Attributes
    ----------
    name : str
        As formulas write it.
    forward : callable
        ``(xp, value)``: from the parameter to the linear predictor.
    inverse : callable
        ``(xp, eta)``: back.
    slope : callable
        ``(xp, eta)``: the derivative of the inverse.
    low, high : float
    in_units : bool
        Whether the linear predictor is in units of the response, as logs and odds are not.
    latent : bool
        Whether the linear predictor is the parameter itself, and the distribution of the response has the link.
    words : str
        Unit of the linear predictor; `{mean}` is what the mean is, `{of}` the response: ``log rate of seizures``.
    ratio : str
        The exponential of an effect: ``rate ratio``; empty where it has no name.
    """

    name: str
    forward: Callable[[Any, Any], Any]
    inverse: Callable[[Any, Any], Any]
    slope: Callable[[Any, Any], Any]
    low: float = -np.inf
    high: float = np.inf
    in_units: bool = False
    latent: bool = False
    words: str = ""
    ratio: str = ""

    def at(self, value: float) -> float:
        """Return the link function at `value`."""
        return float(self.forward(NUMPY, value))

    def of(self, name: str) -> str:
        """Return the linear predictor of the parameter `name` as text: ``log(mu)``, or for the identity ``mu``."""
        return name if self is IDENTITY or self.latent else f"{self.name}({name})"


def _logistic_slope(xp: Any, eta: Any) -> Any:
    return xp.sigmoid(eta) * xp.sigmoid(-eta)


IDENTITY = Link(
    "identity",
    lambda xp, m: m,
    lambda xp, eta: eta,
    lambda xp, eta: eta * 0 + 1,
    in_units=True,
    words="points of {of}",
)
LOG = Link(
    "log",
    lambda xp, m: xp.log(m),
    lambda xp, eta: xp.exp(eta),
    lambda xp, eta: xp.exp(eta),
    low=0,
    words="log {mean} of {of}",
    ratio="{mean} ratio",
)
LOGIT = Link(
    "logit",
    lambda xp, m: xp.log(m / (1 - m)),
    lambda xp, eta: xp.sigmoid(eta),
    _logistic_slope,
    low=0,
    high=1,
    words="log odds of {of}",
    ratio="odds ratio",
)
PROBIT = Link(
    "probit",
    lambda xp, m: np.sqrt(2) * xp.erfinv(2 * m - 1),
    lambda xp, eta: 0.5 * xp.erfc(-eta / np.sqrt(2)),
    lambda xp, eta: xp.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi),
    low=0,
    high=1,
    words="probit of {of}",
)
CLOGLOG = Link(
    "cloglog",
    lambda xp, m: xp.log(-xp.log1p(-m)),
    lambda xp, eta: -xp.expm1(-xp.exp(eta)),
    lambda xp, eta: xp.exp(eta - xp.exp(eta)),
    low=0,
    high=1,
    words="log hazard of {of}",
    ratio="hazard ratio",
)
INVERSE = Link(
    "inverse",
    lambda xp, m: 1 / m,
    lambda xp, eta: 1 / eta,
    lambda xp, eta: -1 / eta**2,
    low=0,
    in_units=True,
    words="1 / {mean} of {of}",
)
SQRT = Link(
    "sqrt",
    lambda xp, m: xp.sqrt(m),
    lambda xp, eta: eta * abs(eta),  # below zero no mean, so that the sign of eta is determined
    lambda xp, eta: 2 * abs(eta),
    low=0,
    in_units=True,
    words="square root of the {mean} of {of}",
)

LINKS: Mapping[str, Link] = MappingProxyType(
    {link.name: link for link in (IDENTITY, LOG, LOGIT, PROBIT, CLOGLOG, INVERSE, SQRT)}
)
"""All links, by name."""
