"""Type aliases for arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

type FloatArray = NDArray[np.float64]
type IntArray = NDArray[np.int64]
type BoolArray = NDArray[np.bool_]

type Array = Any
"""An array of any library that implements the array API standard."""
