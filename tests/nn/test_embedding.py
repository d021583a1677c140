"""Labels as vectors: each hash its own table; and sines of positions."""

import math
import re

import pytest
import torch

from grapheme_torch import InputError
from grapheme_torch.graph import hash_labels
from grapheme_torch.nn import HashEmbedding, sinusoids

from .inputs import assert_differentiates


def test_a_vector_is_a_row_of_each_table_side_by_side() -> None:
    part = HashEmbedding(12, num_buckets=5, num_hashes=3)
    hashes = torch.tensor([[7, 5, 14, 99], [0, 1, 2, 3]])
    tables = part.weight.view(3, 5, 4)
    wanted = torch.stack(
        [
            torch.cat([tables[0, 2], tables[1, 0], tables[2, 4]]),
            torch.cat([tables[0, 0], tables[1, 1], tables[2, 2]]),
        ]
    )
    assert torch.equal(part(hashes), wanted)


def test_labels_differ_and_repeat() -> None:
    part = HashEmbedding(16, num_buckets=64)
    labels = [chr(k) for k in range(97, 123)] + ["é", "🇩🇪", "", "ab", "ba"]
    vectors = part(hash_labels(labels))
    assert vectors.shape == (len(labels), 16)
    assert torch.equal(vectors, part(hash_labels(labels)))
    assert len(vectors.unique(dim=0)) == len(labels)


def test_every_column_of_the_hashes_counts() -> None:
    part = HashEmbedding(16, num_buckets=64)
    hashes = hash_labels(["a"])
    before = part(hashes)[0].view(8, 2)
    for k in range(8):
        bent = hashes.clone()
        bent[0, k] += 1
        changed = (part(bent)[0].view(8, 2) != before).any(1)
        assert changed.nonzero().flatten().tolist() == [k]


def test_derivative_by_finite_differences() -> None:
    part = HashEmbedding(8, num_buckets=4).double()
    hashes = hash_labels(["a", "b", "a"])
    assert_differentiates(part, lambda: part(hashes))


def test_a_label_gives_its_rows_a_gradient_and_no_others() -> None:
    part = HashEmbedding(8, num_buckets=16)
    part(hash_labels(["a", "a"])).sum().backward()
    assert part.weight.grad is not None
    assert sorted(part.weight.grad.sum(1).tolist()) == [0.0] * 120 + [2.0] * 8


def test_no_labels() -> None:
    assert HashEmbedding(8)(hash_labels([])).shape == (0, 8)


def test_refusals() -> None:
    message = (
        "`dim` must be a multiple of num_hashes (8), got 12. "
        "Each hash looks up an equal share of the vector."
    )
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        HashEmbedding(12)


def test_sinusoids_are_sines_and_cosines_of_geometric_wavelengths() -> None:
    position = torch.tensor([0.0, 1.0, -2.5, 700.0], dtype=torch.float64)
    found = sinusoids(position, 6, torch.float64)
    for k, place in enumerate(position.tolist()):
        angles = [place / 10_000 ** (2 * j / 6) for j in range(3)]
        wanted = [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
        assert found[k].tolist() == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("dim", [1, 5, 8])
def test_sinusoids_have_any_size_and_the_dtype_asked_for(dim: int) -> None:
    found = sinusoids(torch.arange(3), dim, torch.float32)
    assert found.shape == (3, dim)
    assert found.dtype == torch.float32
    assert len(found.unique(dim=0)) == 3
    assert sinusoids(torch.zeros(0), dim, torch.float32).shape == (0, dim)
