"""Trimmed means, weights by a power of the rows, and comparisons written ``A vs B``, for formulajoint."""

from importlib.resources import files

import formulajoint as fj


def trimmed(effects, weights, *, cut=0.1):
    """Weighted mean of the effects between the weighted quantiles `cut` and 1 - `cut`."""
    import pytensor.tensor as pt  # takes a second to load, and parsing does not need it

    order = pt.argsort(effects, axis=0)
    effects = pt.take_along_axis(effects, order, axis=0)
    weights = pt.take_along_axis(pt.broadcast_to(weights, effects.shape), order, axis=0)
    above = pt.cumsum(weights, axis=0)
    kept = pt.clip(pt.minimum(above, 1 - cut) - pt.maximum(above - weights, cut), 0, 1)
    return (kept * effects).sum(axis=0) / kept.sum(axis=0)


def root(groups, *, power=0.5):
    """Weight of a group: its number of rows to a power."""
    return groups.rows**power


def versus(node):
    """Return the clause that `A vs B` is short for."""
    left, right = node.written
    return node.clause(f"contrast(.[{left}] - .[{right}])")


extension = fj.Extension(
    "formulajoint-robust",
    [fj.Contrast(trimmed, meaning="trimmed mean"), fj.WeightScheme(root)],
    fragments=[fj.Fragment.read(files(__name__) / "vs.lark")],
    rules={"versus": versus},
)
