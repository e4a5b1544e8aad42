"""The functions that links use in NumPy and SciPy, whose loops are compiled: for many rows and draws."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import special


def sigmoid(eta: Any) -> Any:
    """Return the logistic function; NumPy's exponential is several times as fast as SciPy's ``expit``."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-eta))


SPECIAL: Any = SimpleNamespace(
    exp=np.exp,
    log=np.log,
    log1p=np.log1p,
    expm1=np.expm1,
    sqrt=np.sqrt,
    sigmoid=sigmoid,
    erfc=special.erfc,
    erfinv=special.erfinv,
)
"""The functions of ``pytensor.tensor`` that links use; `NUMPY` has them without SciPy, which takes long to load."""
