"""What holds for every test: the same examples in every run, one thread a worker, no window."""

from __future__ import annotations

import os

from hypothesis import settings

# Before the first import of NumPy: the workers of a run share the cores, and small matrices gain nothing from threads.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.pop("COLUMNS", None)  # texts are as wide as outside a terminal

# A run that passes, passes again; `--hypothesis-profile=search` looks for new examples. A busy machine is not a failure.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile("steady")
