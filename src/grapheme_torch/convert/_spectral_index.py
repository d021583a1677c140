"""Spectra in one sorted list of all peaks, and how similar one is to each of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Peaks = Sequence[tuple[float, float]]
"""Place and intensity of each peak; only the shares of the intensities count."""

Array = NDArray[np.float64]

_EVEN = 3.0
"""Entropy, in nats, below which intensities are made more even [li21]."""


class SpectralIndex:
    """Spectra that are compared by spectral entropy [li21].

    Two peaks match if they are no further apart than the tolerance. Peaks of one spectrum within
    twice the tolerance of a stronger one are added to it, so that a peak matches one at most. One
    sorted list of all peaks finds what matches [li23].

    Args:
        spectra: The peaks of each; one without any is similar to none.
        tolerance: In the unit of the places.
    """

    def __init__(self, spectra: Sequence[Peaks], tolerance: float) -> None:
        self.tolerance = tolerance
        cleaned = [_cleaned(peaks, tolerance) for peaks in spectra]
        mz = np.concatenate([places for places, _ in cleaned])
        owner = np.repeat(np.arange(len(cleaned)), [len(places) for places, _ in cleaned])
        order = np.argsort(mz, kind="stable")
        self._mz, self._owner = mz[order], owner[order]
        self._half = np.concatenate([halves for _, halves in cleaned])[order]
        self._count = len(cleaned)

    def similarities(self, peaks: Peaks) -> Array:
        """The similarity of a spectrum to each, in [0, 1]."""
        mz, half = _cleaned(peaks, self.tolerance)
        if not len(mz):
            return np.zeros(self._count)
        first = np.searchsorted(self._mz, mz - self.tolerance, side="left")
        last = np.searchsorted(self._mz, mz + self.tolerance, side="right")
        at = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        mine, theirs = np.repeat(half, last - first), self._half[at]
        gained = _plogp(mine + theirs) - _plogp(mine) - _plogp(theirs)
        found = np.bincount(self._owner[at], gained, minlength=self._count)
        return np.clip(found, 0.0, 1.0)


def _cleaned(peaks: Peaks, tolerance: float) -> tuple[Array, Array]:
    """The m/z of the peaks, and half of the weight of each."""
    mz, intensity = np.array(peaks, dtype=float).reshape(-1, 2).T
    mz, intensity = _merged(mz[intensity > 0], intensity[intensity > 0], 2 * tolerance)
    share = intensity / intensity.sum()
    entropy = -(share * np.log(share)).sum()
    if entropy < _EVEN:
        share = share ** (0.25 + 0.25 * entropy)
        share /= share.sum()
    return mz, share / 2


def _merged(mz: Array, intensity: Array, apart: float) -> tuple[Array, Array]:
    """Peaks that are further apart: each is added to the nearest stronger one, if one is near."""
    if bool((np.diff(np.sort(mz)) > apart).all()):
        return mz, intensity
    kept: list[float] = []
    total: list[float] = []
    for k in np.argsort(-intensity, kind="stable"):
        gaps = [abs(mz[k] - other) for other in kept]
        if gaps and min(gaps) <= apart:
            total[gaps.index(min(gaps))] += float(intensity[k])
        else:
            kept.append(float(mz[k]))
            total.append(float(intensity[k]))
    return np.array(kept), np.array(total)


def _plogp(share: Array) -> Array:
    return share * np.log2(share)
