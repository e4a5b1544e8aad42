"""Contrasts that average a term's coefficients over the groups.

Each is plain arithmetic on the first axis, so one definition works for NumPy arrays and PyTensor graphs.
They obey ``rms**2 == joint**2 + spread**2``.
"""

from __future__ import annotations

from typing import Any


def joint(effects: Any, weights: Any) -> Any:
    """Return the weighted mean over groups, ``sum_g w_g b_g``.

    Parameters
    ----------
    effects : array (G, ...)
        One coefficient per group, in units of the response per unit of the predictor.
    weights : array (G, ...)
        Non-negative, summing to one over the first axis.

    Examples
    --------
    >>> import numpy as np
    >>> float(joint(np.array([20.0, 10.0]), np.array([0.4, 0.6])))
    14.0
    """
    return (weights * effects).sum(axis=0)


def rms(effects: Any, weights: Any) -> Any:
    """Return the weighted root mean square, ``sqrt(sum_g w_g b_g^2)``: the distance from zero, whatever the signs.

    Examples
    --------
    >>> import numpy as np
    >>> float(rms(np.array([3.0, -3.0]), np.array([0.5, 0.5])))
    3.0
    """
    return (weights * effects**2).sum(axis=0) ** 0.5


def spread(effects: Any, weights: Any) -> Any:
    """Return the weighted standard deviation over groups, ``sqrt(sum_g w_g (b_g - joint)^2)``.

    There is no small-sample correction: it describes these groups, not a population of groups.

    Examples
    --------
    >>> import numpy as np
    >>> float(spread(np.array([3.0, -3.0]), np.array([0.5, 0.5])))
    3.0
    """
    return (weights * (effects - joint(effects, weights)) ** 2).sum(axis=0) ** 0.5
