"""Names of contrast nodes, and of the variables of weights that differ from draw to draw."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import SharesPlan
from formulajoint.compiler.names import Names
from formulajoint.contrasts.weights import Weights
from formulajoint.errors import FormulaError
from formulajoint.spec.spec import Contrast


class Shares:
    """The uncertain shares of a model's groups; contrasts with the same counts use the same variable."""

    def __init__(self, known: Iterable[SharesPlan], names: Names) -> None:
        self.found = list(known)
        self.names = names

    def of(self, weights: Weights, dim: str) -> str:
        """Return the variable of the shares for `weights`, over the groups' dim; add it if there is none yet."""
        assert weights.counts is not None
        for shares in self.found:
            if shares.dims == (dim,) and np.array_equal(shares.counts, weights.counts):
                return shares.name
        name = self.names.variable(f"{dim.removeprefix(self.names.prefix)}_shares")
        self.found.append(SharesPlan(name, (dim,), weights.counts, weights.scheme))
        return name


def weights_variable(
    weights: Weights, node: str, coefficient: Coefficient, names: Names, shares: Shares
) -> str | None:
    """Return the variable of weights that differ from draw to draw, or None if they are fixed numbers."""
    if weights.counts is not None:
        return shares.of(weights, coefficient.dims[0])
    return names.variable(f"{node.removeprefix(names.prefix)}_weights") if weights.over_sigma else None


def node_name(asked: Contrast, stem: str, names: Names) -> str:
    """Return the variable of a contrast: the clause's ``name=``, or else for example ``joint_treatment``."""
    given = asked.name
    if given is None:
        return names.variable(f"{asked.clause}_{stem.removeprefix(names.prefix)}")
    if not given.value or not names.is_free(given.value):
        raise FormulaError(
            f"the name `{given.value}` is in use already, or reserved",
            given.span,
            "choose another",
        )
    return names.variable(given.value)
