"""Silence, and its end."""

from __future__ import annotations

import logging
import warnings

import pytest

from formulajoint.inference.settings import quiet


def test_warnings_and_log_lines_of_samplers_are_kept_from_users(caplog: pytest.LogCaptureFixture) -> None:
    with quiet():
        warnings.warn("the sampler says so", UserWarning, stacklevel=1)
        logging.getLogger("pymc").warning("the sampler says so")
    assert not caplog.records


def test_afterwards_all_is_as_before(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ZeroDivisionError), quiet():
        raise ZeroDivisionError
    with pytest.warns(UserWarning, match="ours"):
        warnings.warn("ours", UserWarning, stacklevel=1)
    logging.getLogger("pymc").warning("ours")
    assert [record.getMessage() for record in caplog.records] == ["ours"]
