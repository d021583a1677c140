"""Similarity by spectral entropy: what its definition says, by loops."""

from collections.abc import Sequence

import numpy as np
import pytest

from grapheme_torch.convert._spectral_index import SpectralIndex

from .spectra import TOLERANCE, Peaks, similarity


def index(spectra: Sequence[Peaks]) -> SpectralIndex:
    return SpectralIndex(spectra, TOLERANCE)


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
    found = index(spectra).similarities(asked)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    assert 0 < max(wanted) < 1


def test_the_same_spectrum_has_similarity_1_and_one_without_common_peaks_0() -> None:
    one, other = [(50.0, 0.2), (70.0, 1.0)], [(50.03, 1.0), (69.97, 0.4)]
    found = index([one, other]).similarities(one)
    assert found[0] == pytest.approx(1, abs=1e-12)
    assert found[1] == 0


def test_only_shares_of_the_intensities_count_and_peaks_without_any_do_not() -> None:
    louder = [(50.0, 2.0), (60.0, 0.0), (70.0, 10.0)]
    (found,) = index([louder]).similarities([(50.01, 0.2), (70.0, 1.0), (90.0, 0.0)])
    assert found == pytest.approx(1, abs=1e-12)


def test_a_peak_matches_one_peak_at_most() -> None:
    """Peaks that one peak could match both are one: similarity stays within bounds."""
    single, split = [(70.0, 1.0)], [(69.99, 0.6), (70.01, 0.4)]
    assert index([split]).similarities(single)[0] == pytest.approx(1, abs=1e-12)
    assert index([single]).similarities(split)[0] == pytest.approx(1, abs=1e-12)
    generator = np.random.default_rng(0)
    dense = [
        [(float(mz), float(share)) for mz, share in generator.uniform(0.1, 0.5, (20, 2))]
        for _ in range(20)
    ]
    searched = index(dense)
    for k, spectrum in enumerate(dense):
        found = searched.similarities(spectrum)
        assert found[k] == pytest.approx(1, abs=1e-12)
        assert found.min() >= 0
        assert found.max() <= 1


def test_a_spectrum_without_peaks_is_similar_to_none() -> None:
    some: Peaks = [(50.0, 1.0)]
    found = index([some, [], [(60.0, 0.0)]])
    assert found.similarities(some).tolist() == [1, 0, 0]
    assert found.similarities([]).tolist() == [0, 0, 0]
