"""The known spectra that are most similar to one, and the targets that they vote for."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from ._spectral_index import Array, Peaks, SpectralIndex

_VOTERS = 20
"""How many voters count, the most similar ones. This and the power are of training spectra."""

_SAME = 0.5
"""Peaks so little above the precursor, in dalton, have lost nothing."""

_POWER = 4
"""A vote counts by this power of its similarity."""


@dataclass(frozen=True)
class Spectrum:
    """A tandem mass spectrum.

    Args:
        peaks: m/z and intensity of each.
        precursor: The m/z of the whole, before it broke.
    """

    peaks: Peaks
    precursor: float

    def losses(self) -> Peaks:
        """What each peak has lost, which parts of one molecule have in common with another's.

        A peak above the precursor, as of an ion of two charges, tells no loss.
        """
        lost = [(self.precursor - mz, intensity) for mz, intensity in self.peaks]
        return [(loss, intensity) for loss, intensity in lost if loss > -_SAME]


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
    """Spectra whose targets are known, and the search for the most similar ones.

    Similarity is the mean of two, by spectral entropy: of the peaks, and of what they have lost.
    Molecules with a part in common have either fragments or losses in common.

    Args:
        spectra: The known ones.
        targets: The name of the target of each.
        groups: What those have in common that are left out together; None: nothing.
        tolerance: How far two peaks that match may be apart, in dalton.
    """

    def __init__(
        self,
        spectra: Sequence[Spectrum],
        targets: Sequence[str],
        groups: Sequence[str | None],
        tolerance: float,
    ) -> None:
        self.targets = [*dict.fromkeys(targets)]
        self._peaks = SpectralIndex([one.peaks for one in spectra], tolerance)
        self._losses = SpectralIndex([one.losses() for one in spectra], tolerance)
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

    def similarities(self, asked: Spectrum) -> Array:
        """The similarity of a spectrum to each known one, in [0, 1]."""
        peaks = self._peaks.similarities(asked.peaks)
        return (peaks + self._losses.similarities(asked.losses())) / 2

    def nearest(self, asked: Spectrum, number: int, group: str | None = None) -> list[Neighbour]:
        """The targets that the most similar spectra vote for, most votes first [dudani76].

        Spectra of one group have one vote for a target, by the most similar one of them.

        Args:
            asked: The spectrum that is asked about.
            number: How many targets at most; one with nothing in common does not count.
            group: Known spectra of this group are left out.
        """
        found = self.similarities(asked)
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
