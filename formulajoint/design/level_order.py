"""In which order levels are meant, where that is not the order in which they stand.

Labels of text stand in the order of text, as in R: 1, 10, 11, 2. Coefficients and reference levels keep it. What has an
order by its meaning, such as the difference from the level before, takes whole numbers by their size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

WHOLE = re.compile(r"-?[0-9]{1,18}")


def by_size(labels: Sequence[object]) -> tuple[int, ...]:
    """Return the places of `labels` by size where all are whole numbers written as text, else as they stand.

    Labels that do not stand in the order of text were put in their order by somebody, and keep it.

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
