"""The search among known spectra: which are similar, what they vote for, what is left out."""

from collections.abc import Sequence

import pytest

from grapheme_torch.convert._spectral_search import KnownSpectra, Neighbour, Spectrum

from .spectra import TOLERANCE, Peaks, similarity

WHOLE = 200.0


def spectrum(peaks: Peaks, whole: float = WHOLE) -> Spectrum:
    return Spectrum(peaks, whole)


def known(
    spectra: Sequence[Peaks],
    targets: Sequence[str] | None = None,
    groups: Sequence[str | None] | None = None,
) -> KnownSpectra:
    """Each of a target and a molecule of its own, unless these are given."""
    names = [str(k) for k in range(len(spectra))]
    made = [spectrum(peaks) for peaks in spectra]
    return KnownSpectra(made, targets or names, groups or names, TOLERANCE)


def test_similarity_is_the_mean_of_that_of_peaks_and_of_losses() -> None:
    """Of two molecules that differ by 14: the same fragments, and the same losses."""
    peaks: Peaks = [(50.0, 1.0), (70.0, 0.5)]
    moved: Peaks = [(64.0, 1.0), (84.0, 0.5)]
    searched = KnownSpectra(
        [spectrum(peaks, WHOLE + 14), spectrum(moved, WHOLE + 14), spectrum(peaks)],
        ["a", "b", "c"], [None] * 3, TOLERANCE,
    )  # fmt: skip
    assert searched.similarities(spectrum(peaks)).tolist() == pytest.approx([0.5, 0.5, 1])
    part = similarity(peaks, peaks[:1])
    assert searched.similarities(spectrum(peaks[:1])).tolist() == pytest.approx(
        [part / 2, part / 2, part]
    )


def test_a_peak_above_the_precursor_has_lost_nothing() -> None:
    asked = spectrum([(50.0, 1.0), (100.2, 0.5), (150.0, 0.5)], 100.0)
    assert [loss for loss, _ in asked.losses()] == pytest.approx([50, -0.2])
    above = spectrum([(150.0, 1.0)], 100.0)
    searched = KnownSpectra([above, asked], ["a", "b"], [None] * 2, TOLERANCE)
    assert searched.similarities(above)[0] == pytest.approx(0.5)


ASKED: Peaks = [(50.0, 1.0), (60.0, 1.0), (70.0, 1.0)]


def named(found: Sequence[Neighbour]) -> list[str]:
    return [one.target for one in found]


def test_targets_have_a_vote_by_each_molecule_the_most_votes_first() -> None:
    spectra = [ASKED[:1], ASKED[:2], ASKED, ASKED[1:], [(99.0, 1.0)]]
    searched = known(spectra, targets=["a", "b", "c", "b", "d"])
    one, two = (similarity(ASKED, ASKED[:k]) for k in (1, 2))
    votes = {"b": 2 * two**4, "c": 1.0, "a": one**4}
    found = searched.nearest(spectrum(ASKED), 9)
    assert named(found) == sorted(votes, key=lambda name: -votes[name])  # "d" has no common peak
    wanted = {"a": one, "b": two, "c": 1.0}
    for near in found:
        assert near.share == pytest.approx(votes[near.target] / sum(votes.values()))
        assert near.similarity == pytest.approx(wanted[near.target])
    assert searched.nearest(spectrum(ASKED), 2) == found[:2]


def test_a_molecule_votes_once_for_a_target_however_often_it_was_measured() -> None:
    spectra = [ASKED[:2], ASKED[1:], ASKED, ASKED[:2]]
    targets, groups = ["a", "a", "b", "a"], ["x", "x", "y", "x"]
    first, second = known(spectra, targets, groups).nearest(spectrum(ASKED), 2)
    assert (first.target, second.target) == ("b", "a")
    assert second.share == pytest.approx(1 - 1 / (1 + similarity(ASKED, ASKED[:2]) ** 4))
    # Of molecules that are not told each spectrum is one.
    assert named(known(spectra, targets, [None] * 4).nearest(spectrum(ASKED), 2)) == ["a", "b"]


def test_twenty_votes_count() -> None:
    spectra = [[*ASKED[:2], (80.0 + k, 1.0)] for k in range(30)] + [ASKED[:1]] * 9
    found = known(spectra, ["a"] * 30 + ["b"] * 9).nearest(spectrum(ASKED), 9)
    assert named(found) == ["a"]
    found = known(spectra[11:], ["a"] * 19 + ["b"] * 9).nearest(spectrum(ASKED), 9)
    assert named(found) == ["a", "b"]
    weight = similarity(ASKED, spectra[0]) ** 4, similarity(ASKED, ASKED[:1]) ** 4
    assert found[0].share == pytest.approx(19 * weight[0] / (19 * weight[0] + weight[1]))


def test_what_is_of_the_same_molecule_is_left_out() -> None:
    asked = [(50.0, 1.0), (60.0, 1.0)]
    spectra = [asked, asked[:1], asked[1:]]
    searched = known(spectra, targets=["a", "a", "b"], groups=["x", "y", None])
    (near,) = searched.nearest(spectrum(asked), 1)
    assert near.target == "a"
    assert near.similarity == pytest.approx(1)
    first, second = searched.nearest(
        spectrum(asked), 5, "x"
    )  # as similar: the first known comes first
    assert (first.target, second.target) == ("a", "b")
    assert first.similarity == second.similarity
    assert first.share == 0.5
    assert named(searched.nearest(spectrum(asked), 5, "y")) == ["a", "b"]
    assert searched.nearest(spectrum(asked), 5, "unknown") == searched.nearest(spectrum(asked), 5)
