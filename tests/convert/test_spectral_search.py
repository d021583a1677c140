"""The search among known spectra: what spectral entropy says, by loops, and what is left out."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from grapheme_torch.convert._spectral_search import KnownSpectra, Neighbour

Peaks = Sequence[tuple[float, float]]
TOLERANCE = 0.02


def known(
    spectra: Sequence[Peaks],
    targets: Sequence[str] | None = None,
    groups: Sequence[str | None] | None = None,
) -> KnownSpectra:
    """Each of a target and a molecule of its own, unless these are given."""
    names = [str(k) for k in range(len(spectra))]
    return KnownSpectra(spectra, targets or names, groups or names, TOLERANCE)


def entropy(shares: Sequence[float]) -> float:
    return -sum(share * math.log(share) for share in shares if share > 0)


def weighted(peaks: Peaks) -> dict[float, float]:
    """Shares of the intensities; those of a spectrum of low entropy are made more even."""
    total = sum(intensity for _, intensity in peaks)
    shares = {mz: intensity / total for mz, intensity in peaks}
    bits = entropy([*shares.values()])
    if bits < 3:
        raised = {mz: share ** (0.25 + 0.25 * bits) for mz, share in shares.items()}
        shares = {mz: share / sum(raised.values()) for mz, share in raised.items()}
    return shares


def similarity(one: Peaks, other: Peaks) -> float:
    """By the definition: the entropy of the mixture against those of its halves."""
    left, right = weighted(one), weighted(other)
    mixture, unmatched = [], dict(right)
    for mz, share in left.items():
        match = next((key for key in unmatched if abs(key - mz) <= TOLERANCE), None)
        mixture.append((share + (0.0 if match is None else unmatched.pop(match))) / 2)
    mixture += [share / 2 for share in unmatched.values()]
    halves = entropy([*left.values()]) + entropy([*right.values()])
    return 1 - (2 * entropy(mixture) - halves) / math.log(4)


def drawn(generator: np.random.Generator, low: float = 0.001) -> Peaks:
    """Peaks near whole numbers, some of which are within the tolerance of those of others."""
    places = generator.choice(np.arange(50, 80), generator.integers(1, 25), replace=False)
    return [
        (float(mz + generator.uniform(-0.015, 0.015)), float(generator.uniform(low, 1)))
        for mz in sorted(places)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_similarity_is_that_of_the_definition(seed: int) -> None:
    generator = np.random.default_rng(seed)
    spectra = [drawn(generator) for _ in range(30)]
    asked = drawn(generator)
    wanted = [similarity(asked, spectrum) for spectrum in spectra]
    found = known(spectra).similarities(asked)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    assert 0 < max(wanted) < 1


def test_the_same_spectrum_has_similarity_1_and_one_without_common_peaks_0() -> None:
    one, other = [(50.0, 0.2), (70.0, 1.0)], [(50.03, 1.0), (69.97, 0.4)]
    found = known([one, other]).similarities(one)
    assert found[0] == pytest.approx(1, abs=1e-12)
    assert found[1] == 0


def test_only_shares_of_the_intensities_count_and_peaks_without_any_do_not() -> None:
    louder = [(50.0, 2.0), (60.0, 0.0), (70.0, 10.0)]
    (found,) = known([louder]).similarities([(50.01, 0.2), (70.0, 1.0), (90.0, 0.0)])
    assert found == pytest.approx(1, abs=1e-12)


def test_a_peak_matches_one_peak_at_most() -> None:
    """Peaks that one peak could match both are one: similarity stays within bounds."""
    single, split = [(70.0, 1.0)], [(69.99, 0.6), (70.01, 0.4)]
    assert known([split]).similarities(single)[0] == pytest.approx(1, abs=1e-12)
    assert known([single]).similarities(split)[0] == pytest.approx(1, abs=1e-12)
    generator = np.random.default_rng(0)
    dense = [
        [(float(mz), float(share)) for mz, share in generator.uniform(0.1, 0.5, (20, 2))]
        for _ in range(20)
    ]
    searched = known(dense)
    for k, spectrum in enumerate(dense):
        found = searched.similarities(spectrum)
        assert found[k] == pytest.approx(1, abs=1e-12)
        assert found.min() >= 0
        assert found.max() <= 1


ASKED: Peaks = [(50.0, 1.0), (60.0, 1.0), (70.0, 1.0)]


def named(found: Sequence[Neighbour]) -> list[str]:
    return [one.target for one in found]


def test_targets_have_a_vote_by_each_molecule_the_most_votes_first() -> None:
    spectra = [ASKED[:1], ASKED[:2], ASKED, ASKED[1:], [(99.0, 1.0)]]
    searched = known(spectra, targets=["a", "b", "c", "b", "d"])
    one, two = (similarity(ASKED, ASKED[:k]) for k in (1, 2))
    votes = {"b": 2 * two**4, "c": 1.0, "a": one**4}
    found = searched.nearest(ASKED, 9)
    assert named(found) == sorted(votes, key=lambda name: -votes[name])  # "d" has no common peak
    wanted = {"a": one, "b": two, "c": 1.0}
    for near in found:
        assert near.share == pytest.approx(votes[near.target] / sum(votes.values()))
        assert near.similarity == pytest.approx(wanted[near.target])
    assert searched.nearest(ASKED, 2) == found[:2]


def test_a_molecule_votes_once_for_a_target_however_often_it_was_measured() -> None:
    spectra = [ASKED[:2], ASKED[1:], ASKED, ASKED[:2]]
    targets, groups = ["a", "a", "b", "a"], ["x", "x", "y", "x"]
    first, second = known(spectra, targets, groups).nearest(ASKED, 2)
    assert (first.target, second.target) == ("b", "a")
    assert second.share == pytest.approx(1 - 1 / (1 + similarity(ASKED, ASKED[:2]) ** 4))
    # Of molecules that are not told each spectrum is one.
    assert named(known(spectra, targets, [None] * 4).nearest(ASKED, 2)) == ["a", "b"]


def test_twenty_votes_count() -> None:
    spectra = [[*ASKED[:2], (80.0 + k, 1.0)] for k in range(30)] + [ASKED[:1]] * 9
    found = known(spectra, ["a"] * 30 + ["b"] * 9).nearest(ASKED, 9)
    assert named(found) == ["a"]
    found = known(spectra[11:], ["a"] * 19 + ["b"] * 9).nearest(ASKED, 9)
    assert named(found) == ["a", "b"]
    weight = similarity(ASKED, spectra[0]) ** 4, similarity(ASKED, ASKED[:1]) ** 4
    assert found[0].share == pytest.approx(19 * weight[0] / (19 * weight[0] + weight[1]))


def test_what_is_of_the_same_molecule_is_left_out() -> None:
    asked = [(50.0, 1.0), (60.0, 1.0)]
    spectra = [asked, asked[:1], asked[1:]]
    searched = known(spectra, targets=["a", "a", "b"], groups=["x", "y", None])
    (near,) = searched.nearest(asked, 1)
    assert near.target == "a"
    assert near.similarity == pytest.approx(1)
    first, second = searched.nearest(asked, 5, "x")  # as similar: the first known comes first
    assert (first.target, second.target) == ("a", "b")
    assert first.similarity == second.similarity
    assert first.share == 0.5
    assert named(searched.nearest(asked, 5, "y")) == ["a", "b"]
    assert searched.nearest(asked, 5, "unknown") == searched.nearest(asked, 5)
