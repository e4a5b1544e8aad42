"""Evaluate a PyTensor graph on draws, without compiling it to machine code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile import maker
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph

from formulajoint.arrays import FloatArray


def on_each_draw(function: Callable[..., Any], *arguments: FloatArray) -> FloatArray:
    """Return the values of `function`, of PyTensor variables, at each draw of its arguments.

    Parameters
    ----------
    function : callable
        From variables (...) to an expression (...).
    *arguments : (..., S) arrays
        One per variable, with S draws in the last axis; S may be 1 if all draws are the same.

    Returns
    -------
    (..., S) array
    """
    draws = max(argument.shape[-1] for argument in arguments)
    inputs = [pt.tensor(shape=argument.shape[:-1], dtype="float64") for argument in arguments]
    batches = [pt.tensor(shape=(None, *argument.shape[:-1]), dtype="float64") for argument in arguments]
    output = vectorize_graph(
        pt.as_tensor_variable(function(*inputs)), dict(zip(inputs, batches, strict=True))
    )
    mode = Mode(linker="py", optimizer="None")
    compute = maker.function(batches, output, mode=mode, on_unused_input="ignore")
    rows = [np.broadcast_to(np.moveaxis(a, -1, 0), (draws, *a.shape[:-1])) for a in arguments]
    return np.asarray(np.moveaxis(compute(*rows), 0, -1))
