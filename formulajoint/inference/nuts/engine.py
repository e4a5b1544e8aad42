"""NUTS as an engine: any plan, by any of the samplers that PyMC can call."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from formulajoint.compiler.plan import Plan
from formulajoint.errors import InferenceError
from formulajoint.inference.settings import ALL, Settings

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

SAMPLERS = ("nutpie", "pymc", "numpyro", "blackjax")

log = logging.getLogger("formulajoint")


def check_installed(sampler: str) -> None:
    """Raise an InferenceError if a sampler is not installed."""
    if importlib.util.find_spec(sampler) is None:
        extra = sampler if sampler == "nutpie" else f"'formulajoint[{sampler}]'"
        raise InferenceError(f"`{sampler}` is not installed: pip install {extra}.")


@dataclass(frozen=True, slots=True)
class Nuts:
    """A sampler by NUTS.

    Attributes
    ----------
    name : str
        One of `SAMPLERS`.
    build : callable
        Returns the PyMC model of a plan that is drawn from.
    """

    name: str
    build: Callable[[], pm.Model]

    def why_not(self, plan: Plan) -> None:
        """Return None: the engine covers every plan."""

    def draw(self, plan: Plan, settings: Settings) -> DataTree:
        """Return draws for a plan."""
        log.info("%s: loading PyMC and compiling the model, which takes some seconds", self.name)
        from formulajoint.inference.draws.datatree import with_observed, without_groups  # loads xarray
        from formulajoint.inference.nuts.sampling import sample  # loads PyMC: seconds
        from formulajoint.inference.nuts.starts import check_starts

        check_installed(self.name)
        model = self.build()
        check_starts(model, plan, settings.seed)
        tree = with_observed(sample(model, self.name, settings), plan)
        adapted = {"tune": int(settings.tune), "target_accept": float(settings.target_accept)}
        tree.attrs |= {**adapted, **settings.seeded, **settings.kept}
        return tree if settings.keep == ALL else without_groups(tree, plan)
