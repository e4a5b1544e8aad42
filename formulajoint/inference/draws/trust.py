"""What a sampler tells of its draws, whichever sampler it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.inference.importance.sampled import why_not_trusted
from formulajoint.remarks import Missing


@dataclass(frozen=True, slots=True)
class Trust:
    """What a sampler tells of its draws.

    Attributes
    ----------
    k_hat : float
        Pareto shape of the largest importance weights; minus infinity where draws have no weights.
    disagreement : float
        Difference in log evidence between independent searches of the posterior, in standard errors.
    modes : int
        Number of separate modes found.
    divergences : int
        Number of draws that diverged.
    independent : bool
        Whether draws come from the posterior itself or an importance sample of it, and not from a Markov chain.
    """

    k_hat: float = -np.inf
    disagreement: float = 0.0
    modes: int = 1
    divergences: int = 0
    independent: bool = False

    def why_not(self) -> Missing | None:
        """Return the reason not to trust an importance sample; None if it can be trusted."""
        return why_not_trusted(self.k_hat, self.disagreement)
