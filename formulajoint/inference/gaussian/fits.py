"""Fits of theta at the points of the last sample of phi, kept for the draws of theta at the same points."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.gaussian.gram_schmidt import TakenOut
from formulajoint.inference.gaussian.marginal import Kernel, blocks, likelihood_and_fit
from formulajoint.inference.latent.device import Device


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """Fits of theta, each where the likelihood was computed.

    Attributes
    ----------
    kernel : Kernel
    places : dict
        Place of each point by its bytes.
    each : list of lists of TakenOut
        The elements of theta, block by block of points, in NumPy.
    """

    kernel: Kernel
    places: dict[bytes, int] = field(default_factory=dict)
    each: list[list[TakenOut]] = field(default_factory=list)

    def log_likelihood(self, points: FloatArray) -> FloatArray:
        """Return log p(y | phi) at points (S, d), and keep the fits."""
        kernel, out = self.kernel, np.empty(len(points))
        start = sum(len(fits[0].square) for fits in self.each if fits)
        with np.errstate(all="ignore"):
            values = kernel.structure.scales.values(points)
            for block in blocks(kernel.structure, len(points), kernel.device.pairs, kernel.groups):
                out[block], found = likelihood_and_fit(kernel, values[block])
                every = np.arange(len(values[block]))
                self.each.append([repeated(kernel.device, one, every) for one in found])
        self.places.update((bytes(point), start + at) for at, point in enumerate(points))
        return out

    def at(self, points: FloatArray) -> list[TakenOut] | None:
        """Return the fits at points (S, d); None if they are not known at all of them."""
        found = [self.places.get(bytes(point)) for point in points]
        places = [place for place in found if place is not None]
        if not self.each or len(places) < len(points):
            return None
        which = np.array(places, dtype=np.int64)
        return [_joined([fits[t] for fits in self.each], which) for t in range(len(self.each[0]))]


def repeated(device: Device, found: TakenOut, which: IntArray) -> TakenOut:
    """Return what was found at some points for each of `which` of them, in NumPy."""
    factors = [None if each is None else device.get(each)[..., which] for each in found.factors]
    return TakenOut(device.get(found.square)[which], factors)


def _joined(found: list[TakenOut], which: IntArray) -> TakenOut:
    """Return what was found in blocks of points, for each of `which` of all points."""
    factors = [
        None if parts[0] is None else np.concatenate(parts, axis=-1)[..., which]
        for parts in zip(*(each.factors for each in found), strict=True)
    ]
    return TakenOut(np.concatenate([each.square for each in found])[which], factors)
