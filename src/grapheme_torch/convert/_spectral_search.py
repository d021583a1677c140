"""The known spectra that are most similar to one, by spectral entropy, and what they vote for."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Peaks = Sequence[tuple[float, float]]
"""m/z and intensity of each peak; only the shares of the intensities count."""

Array = NDArray[np.float64]

_EVEN = 3.0
"""Entropy, in nats, below which intensities are made more even [li21]."""

_VOTERS = 20
"""How many voters count, the most similar ones. This and the power are of training spectra."""

_POWER = 4
"""A vote counts by this power of its similarity."""


@dataclass(frozen=True)
class Neighbour:
    """A target that similar spectra have.

    Args:
        target: Its name.
        share: Its share of the votes, in (0, 1].
        similarity: That of its most similar spectrum, in (0, 1].
    """

    target: str
    share: float
    similarity: float


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
        self.targets = [*dict.fromkeys(targets)]
        cleaned = [_cleaned(peaks, tolerance) for peaks in spectra]
        mz = np.concatenate([places for places, _ in cleaned])
        owner = np.repeat(np.arange(len(cleaned)), [len(places) for places, _ in cleaned])
        order = np.argsort(mz, kind="stable")
        self._mz, self._owner = mz[order], owner[order]
        self._half = np.concatenate([halves for _, halves in cleaned])[order]
        self._number_voters(targets, groups)
        members: dict[str, list[int]] = {}
        for k, group in enumerate(groups):
            if group is not None:
                members.setdefault(group, []).append(k)
        self._members = members

    def _number_voters(self, targets: Sequence[str], groups: Sequence[str | None]) -> None:
        """Sorts the spectra by voter, these as they first occur: ties go to the first.

        Spectra of one group and target are one voter: else who is measured often would win.
        """
        keys: list[Hashable] = [
            (target, k if group is None else group)
            for k, (target, group) in enumerate(zip(targets, groups, strict=True))
        ]
        number = {key: k for k, key in enumerate(dict.fromkeys(keys))}
        numbers = np.array([number[key] for key in keys])
        self._by_voter = np.argsort(numbers, kind="stable")
        self._starts = np.searchsorted(numbers[self._by_voter], np.arange(len(number)))
        place = {target: k for k, target in enumerate(self.targets)}
        self._target = np.array([place[targets[k]] for k in self._by_voter[self._starts]])

    def similarities(self, peaks: Peaks) -> Array:
        """The similarity of a spectrum to each known one, in [0, 1]."""
        mz, half = _cleaned(peaks, self.tolerance)
        first = np.searchsorted(self._mz, mz - self.tolerance, side="left")
        last = np.searchsorted(self._mz, mz + self.tolerance, side="right")
        at = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        mine, theirs = np.repeat(half, last - first), self._half[at]
        gained = _plogp(mine + theirs) - _plogp(mine) - _plogp(theirs)
        found = np.bincount(self._owner[at], gained, minlength=len(self._by_voter))
        return np.clip(found, 0.0, 1.0)

    def nearest(self, peaks: Peaks, number: int, group: str | None = None) -> list[Neighbour]:
        """The targets that the most similar spectra vote for, most votes first [dudani76].

        Spectra of one group have one vote for a target, by the most similar one of them.

        Args:
            peaks: Those of the spectrum that is asked about.
            number: How many targets at most; one without a common peak does not count.
            group: Known spectra of this group are left out.
        """
        found = self.similarities(peaks)
        if group is not None:
            found[self._members.get(group, [])] = 0.0
        best = np.maximum.reduceat(found[self._by_voter], self._starts)
        voters = np.argsort(-best, kind="stable")[:_VOTERS]
        voters = voters[best[voters] > 0]
        weights = best[voters] ** _POWER
        votes: dict[int, float] = {}
        similarity: dict[int, float] = {}
        for target, weight, alike in zip(self._target[voters], weights, best[voters], strict=True):
            votes[target] = votes.get(target, 0.0) + float(weight)
            similarity.setdefault(target, float(alike))
        # Sorting keeps the order of what is equal: of two with as many votes the more similar one.
        order = sorted(votes, key=lambda target: -votes[target])[:number]
        total = sum(votes.values())
        return [Neighbour(self.targets[k], votes[k] / total, similarity[k]) for k in order]


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
