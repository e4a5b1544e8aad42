"""What every way of drawing shares: settings that make sense, and silence."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real

from formulajoint.errors import InferenceError


def check_whole(name: str, value: object, least: int) -> None:
    """Raise an InferenceError unless the setting `name` is a whole number of at least `least`."""
    if not (isinstance(value, Integral) and int(value) >= least):
        raise InferenceError(f"`{name}` must be a whole number of {least} or more, not {value!r}.")


def check_seed(seed: object) -> None:
    """Raise an InferenceError unless `seed` is None or a whole number that is not negative."""
    if seed is not None:
        check_whole("seed", seed, 0)


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``fit`` is told about drawing.

    `tune`, `target_accept` and `progress` are for NUTS, and `device` for the exact engine.
    """

    draws: int
    tune: int
    chains: int
    seed: int | None
    target_accept: float
    progress: bool
    device: str | None = None

    def check(self) -> None:
        """Raise an InferenceError where a setting makes no sense."""
        check_whole("draws", self.draws, 1)
        check_whole("tune", self.tune, 0)
        check_whole("chains", self.chains, 1)
        check_seed(self.seed)
        if not (isinstance(self.target_accept, Real) and 0 < self.target_accept < 1):
            raise InferenceError(f"`target_accept` must lie between 0 and 1, not {self.target_accept!r}.")

    def to_say_again(self, engine: str) -> dict[str, int | float]:
        """Return what has to be said for `engine` to draw the same again, besides draws and chains.

        A device need not be: on each the draws are the same to rounding.
        """
        seed: dict[str, int | float] = {} if self.seed is None else {"seed": int(self.seed)}
        by_nuts = {"tune": int(self.tune), "target_accept": float(self.target_accept)}
        return seed if engine == "exact" else by_nuts | seed


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the samplers' own log lines and warnings from users: diagnostics come from us, in words."""
    pymc_log = logging.getLogger("pymc")
    level = pymc_log.level
    pymc_log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        pymc_log.setLevel(level)
