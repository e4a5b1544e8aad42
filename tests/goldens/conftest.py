"""Let the modules of this folder be imported as `goldens`, as the command does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
