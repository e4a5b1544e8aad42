"""For every engine: validate settings, and silence the samplers' logs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Integral, Real

from formulajoint.errors import InferenceError
from formulajoint.wording import did_you_mean

MOST_DRAWS = 100_000_000
"""At most this many draws of all chains together: those of one parameter then take 0.8 GB."""


ALL, CONTRASTS = KEEP = ("all", "contrasts")
"""What a fit keeps: all draws, or those of shared parameters and contrasts, without the groups' coefficients."""


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
    """Settings of ``fit`` for drawing.

    `tune`, `target_accept` and `sampler`, its further arguments, are for NUTS, and `device` for the exact engine.
    """

    draws: int
    tune: int
    chains: int
    seed: int | None
    target_accept: float
    progress: bool
    device: str | None = None
    sampler: Mapping[str, object] = field(default_factory=dict)
    keep: str = ALL

    def check(self) -> None:
        """Raise an InferenceError if a setting is invalid."""
        check_whole("draws", self.draws, 1)
        check_whole("tune", self.tune, 0)
        check_whole("chains", self.chains, 1)
        check_seed(self.seed)
        if self.draws * self.chains > MOST_DRAWS:
            raise InferenceError(
                f"{self.chains:,} chains of {self.draws:,} draws are more than {MOST_DRAWS:,} draws in all. "
                "Ask for fewer: a few thousand suffice for most questions."
            )
        if not (isinstance(self.target_accept, Real) and 0 < self.target_accept < 1):
            raise InferenceError(f"`target_accept` must lie between 0 and 1, not {self.target_accept!r}.")
        if self.keep not in KEEP:
            hint = did_you_mean(str(self.keep), KEEP) or "'contrasts' leaves out each group's coefficients."
            raise InferenceError(f"`keep` is 'all' or 'contrasts', not {self.keep!r}: {hint}")

    @property
    def kept(self) -> dict[str, str]:
        """What is kept by its name, where it is not all."""
        return {} if self.keep == ALL else {"keep": self.keep}

    @property
    def seeded(self) -> dict[str, int]:
        """The seed by its name; empty if none is given."""
        return {} if self.seed is None else {"seed": int(self.seed)}


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the samplers' log lines and warnings: the package has its own diagnostics."""
    pymc_log = logging.getLogger("pymc")
    level = pymc_log.level
    pymc_log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        pymc_log.setLevel(level)
