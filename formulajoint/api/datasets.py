"""The example data: those of the question that this package began with."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd


def tutoring() -> pd.DataFrame:
    """Return ten test scores from two schools, some pupils tutored: columns test_score, treatment (0/1), school.

    Both schools gain, by very different amounts, and with two schools a hierarchical mean's interval includes zero.

    Examples
    --------
    >>> import formulajoint as fj
    >>> fj.tutoring().groupby("school")["test_score"].count().to_dict()
    {'A': 4, 'B': 6}
    """
    with (files("formulajoint") / "api" / "tutoring.csv").open() as file:
        return pd.read_csv(file)
