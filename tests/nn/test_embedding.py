"""Labels as vectors: each hash its own table; and sines of positions."""

import math
import re

import pytest
import torch

from grapheme_torch import InputError
from grapheme_torch.graphs import hash_labels
from grapheme_torch.nn import HashEmbedding, sinusoids
from grapheme_torch.nn._embedding import distinct

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


def test_each_code_point_adds_a_row_and_an_absent_one_none() -> None:
    part = HashEmbedding(8, num_buckets=5)
    hashes = torch.tensor([[*range(8), 7, 4, 10, 3], [*range(8), 6, -1, -1, -1], [-1] * 12])
    hashes[2, :8] = hashes[0, :8]
    whole, rows = part(hashes[:, :8]), part.spelling
    wanted = [rows[2] + rows[4] + rows[0] + rows[3], rows[1], torch.zeros(8)]
    torch.testing.assert_close(part(hashes), whole + torch.stack(wanted), rtol=0, atol=1e-6)


def test_hangul_syllables_of_the_same_letters_share_rows() -> None:
    part = HashEmbedding(16, num_buckets=512)
    torch.nn.init.zeros_(part.weight)
    han, hat, gan, gat = part(hash_labels(["한", "핟", "간", "갇"]))
    torch.testing.assert_close(han - hat, gan - gat, rtol=0, atol=1e-5)
    assert (han - hat).abs().min() > 0


def test_graphs_without_code_points_have_vectors() -> None:
    part, hashes = HashEmbedding(16), hash_labels(["a", "b"])[:, :8]
    assert part(hashes).shape == (2, 16)
    part(hashes).sum().backward()
    assert part.spelling.grad is not None
    assert not part.spelling.grad.any()


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
    for k in range(9):  # eight hashes of the label, and its code point, which changes all
        bent = hashes.clone()
        bent[0, k] += 1
        changed = (part(bent)[0].view(8, 2) != before).any(1)
        assert changed.nonzero().flatten().tolist() == ([k] if k < 8 else list(range(8)))


def test_derivative_by_finite_differences() -> None:
    part = HashEmbedding(8, num_buckets=4).double()
    hashes = hash_labels(["a", "b", "a"])
    assert_differentiates(part, lambda: part(hashes))


def test_a_label_gives_its_rows_a_gradient_and_no_others() -> None:
    part = HashEmbedding(8, num_buckets=16)
    part(hash_labels(["a", "a"])).sum().backward()
    assert part.weight.grad is not None
    assert sorted(part.weight.grad.sum(1).tolist()) == [0.0] * 120 + [2.0] * 8
    assert part.spelling.grad is not None
    assert sorted(part.spelling.grad.sum(1).tolist()) == [0.0] * 15 + [16.0]


def test_distinct_labels_and_which_is_which() -> None:
    hashes = hash_labels(["b", "a", "b", "", "a"])
    rows, which = distinct(hashes)
    assert rows.shape == (3, 12)
    assert torch.equal(rows[which], hashes)
    assert distinct(hashes[:0])[0].shape == (0, 12)


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
