"""The known spectra that are most similar to one, by spectral entropy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Peaks = Sequence[tuple[float, float]]
"""m/z and intensity of each peak; only the shares of the intensities count."""

Array = NDArray[np.float64]

_EVEN = 3.0
"""Entropy, in nats, below which intensities are made more even [li21]."""


class KnownSpectra:
    """Spectra whose targets are known, searched by the similarity of spectral entropy [li21].

    Two peaks match if they are no further apart than the tolerance. Peaks of one spectrum within
    twice the tolerance of a stronger one are added to it, so that a peak matches one at most. One
    sorted list of all peaks finds what matches [li23].

    Args:
        spectra: The peaks of each, one of which at least has an intensity.
        targets: The name of the target of each.
        groups: What those have in common that are left out together; None: nothing.
        tolerance: Of m/z, in dalton.
    """

    def __init__(
        self,
        spectra: Sequence[Peaks],
        targets: Sequence[str],
        groups: Sequence[str | None],
        tolerance: float,
    ) -> None:
        self.tolerance = tolerance
        cleaned = [_cleaned(peaks, tolerance) for peaks in spectra]
        mz = np.concatenate([places for places, _ in cleaned])
        owner = np.repeat(np.arange(len(cleaned)), [len(places) for places, _ in cleaned])
        order = np.argsort(mz, kind="stable")
        self._mz, self._owner = mz[order], owner[order]
        self._half = np.concatenate([halves for _, halves in cleaned])[order]
        self._number_targets(targets)
        members: dict[str, list[int]] = {}
        for k, group in enumerate(groups):
            if group is not None:
                members.setdefault(group, []).append(k)
        self._members = members

    def _number_targets(self, targets: Sequence[str]) -> None:
        """Sorts the spectra by target, these as they first occur: ties go to the first."""
        self.targets = [*dict.fromkeys(targets)]
        number = {target: k for k, target in enumerate(self.targets)}
        numbers = np.array([number[target] for target in targets])
        self._by_target = np.argsort(numbers, kind="stable")
        self._starts = np.searchsorted(numbers[self._by_target], np.arange(len(self.targets)))

    def similarities(self, peaks: Peaks) -> Array:
        """The similarity of a spectrum to each known one, in [0, 1]."""
        mz, half = _cleaned(peaks, self.tolerance)
        first = np.searchsorted(self._mz, mz - self.tolerance, side="left")
        last = np.searchsorted(self._mz, mz + self.tolerance, side="right")
        at = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        mine, theirs = np.repeat(half, last - first), self._half[at]
        gained = _plogp(mine + theirs) - _plogp(mine) - _plogp(theirs)
        found = np.bincount(self._owner[at], gained, minlength=len(self._by_target))
        return np.clip(found, 0.0, 1.0)

    def nearest(
        self, peaks: Peaks, number: int, group: str | None = None
    ) -> list[tuple[str, float]]:
        """The targets of the most similar spectra, each once, and the similarity of each.

        Args:
            peaks: Those of the spectrum that is asked about.
            number: How many targets at most; one without a common peak does not count.
            group: Known spectra of this group are left out.
        """
        found = self.similarities(peaks)
        if group is not None:
            found[self._members.get(group, [])] = 0.0
        best = np.maximum.reduceat(found[self._by_target], self._starts)
        order = np.argsort(-best, kind="stable")[:number]
        return [(self.targets[k], float(best[k])) for k in order if best[k] > 0]


def _cleaned(peaks: Peaks, tolerance: float) -> tuple[Array, Array]:
    """The m/z of the peaks, and half of the weight of each."""
    mz, intensity = np.array(peaks, dtype=float).T
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
