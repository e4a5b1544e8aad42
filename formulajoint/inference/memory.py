"""Memory of arrays that are freed: kept for the next ones."""

from __future__ import annotations

from functools import cache

import numpy as np

LARGEST = 2**25 - 2**14
"""Bytes of the largest array whose memory glibc keeps, a little less than its limit."""


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed arrays of megabytes for the next ones.

    glibc returns the memory of a large array to the system, which hands it out again page by page: a third of the time
    of draws block by block. It keeps what is no larger than the largest array freed so far, up to 32 MiB (``mallopt``,
    ``M_MMAP_THRESHOLD``). The array is not touched, so that it takes no memory.
    """
    np.empty(LARGEST, dtype=np.uint8)
