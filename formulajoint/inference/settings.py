"""What every way of drawing shares: settings that make sense, and silence."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral

from formulajoint.errors import InferenceError


def check_whole(name: str, value: object, least: int) -> None:
    """Raise an InferenceError unless the setting `name` is a whole number of at least `least`."""
    if not (isinstance(value, Integral) and int(value) >= least):
        raise InferenceError(f"`{name}` must be a whole number of {least} or more, not {value!r}.")


def check_seed(seed: object) -> None:
    """Raise an InferenceError unless `seed` is None or a whole number that is not negative."""
    if seed is not None:
        check_whole("seed", seed, 0)


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
