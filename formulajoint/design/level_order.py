"""The natural order of levels, where it differs from the order of their labels.

Text labels are sorted as text, as in R: 1, 10, 11, 2. Coefficients and reference levels keep that order. Contrasts that
depend on order, such as the difference from the level before, take whole numbers by size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

WHOLE = re.compile(r"-?[0-9]{1,18}")


def by_size(labels: Sequence[object]) -> tuple[int, ...]:
    """Return the positions of `labels` by size if all are whole numbers written as text, else in their given order.

    Labels that are not sorted as text were ordered by the user, and keep their order.

    Examples
    --------
    >>> by_size(["1", "10", "2"])
    (0, 2, 1)
    >>> by_size(["high", "low"])
    (0, 1)
    """
    places = range(len(labels))
    texts = [label for label in labels if isinstance(label, str) and WHOLE.fullmatch(label)]
    if len(texts) < len(labels) or texts != sorted(texts):
        return tuple(places)
    return tuple(sorted(places, key=lambda place: int(texts[place])))
