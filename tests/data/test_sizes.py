"""Batches of similar size: each item once a pass, in an order of the seed's."""

import itertools
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch import InputError
from grapheme_torch.data import Alphabet, PairDataset, SimilarSizes, kindergarten
from grapheme_torch.data import _sizes as sizes_module


def _drawn(
    sizes: list[int], batch_size: int, *, bucket: int = 20, seed: int = 0
) -> tuple[SimilarSizes, list[list[int]]]:
    generator = torch.Generator().manual_seed(seed)
    sampler = SimilarSizes(sizes, batch_size, generator=generator, bucket=bucket)
    return sampler, list(sampler)


@given(
    st.lists(st.integers(0, 9), max_size=40), st.integers(1, 7), st.integers(1, 3), st.integers(0)
)
def test_every_item_comes_once_a_pass(
    sizes: list[int], batch_size: int, bucket: int, seed: int
) -> None:
    sampler, batches = _drawn(sizes, batch_size, bucket=bucket, seed=seed % 2**63)
    assert sorted(itertools.chain(*batches)) == list(range(len(sizes)))
    assert len(batches) == len(sampler)
    assert sorted(map(len, batches), reverse=True)[:-1] == [batch_size] * max(len(batches) - 1, 0)
    assert all(0 < len(batch) <= batch_size for batch in batches)


def _padding(sizes: list[int], batches: list[list[int]]) -> int:
    return sum(max(sizes[k] for k in b) * len(b) - sum(sizes[k] for k in b) for b in batches)


def test_items_of_similar_size_come_together_but_not_in_order_of_size() -> None:
    sizes = [(37 * k) % 101 for k in range(400)]
    apart, together = (_drawn(sizes, 8, bucket=bucket)[1] for bucket in (1, 20))
    assert _padding(sizes, together) < 0.2 * _padding(sizes, apart)
    first = [sizes[batch[0]] for batch in together]
    assert first != sorted(first)


def test_passes_differ_and_a_seed_repeats_them() -> None:
    sizes = [k % 5 for k in range(60)]
    sampler, first = _drawn(sizes, 7)
    second = list(sampler)
    assert {frozenset(batch) for batch in first} != {frozenset(batch) for batch in second}
    again, repeated = _drawn(sizes, 7)
    assert (repeated, list(again)) == (first, second)
    assert _drawn(sizes, 7, seed=1)[1] != first


def test_the_sizes_of_pairs() -> None:
    pairs = kindergarten()
    dataset = PairDataset(pairs, Alphabet.of(pair.target for pair in pairs))
    wanted = [[pair.input.num_nodes, pair.target.num_nodes] for pair in pairs]
    assert dataset.sizes.tolist() == wanted
    assert [sum(len(b) for b in SimilarSizes(dataset.sizes, 3))] == [10]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be at least 1, got 0. Try 32."),
        ({"batch_size": 3, "bucket": 0}, "`bucket` must be at least 1, got 0. Try 20."),
    ],
)
def test_refused_options(options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message)):
        SimilarSizes([1, 2], **options)


def _as_before(sizes: list[int], batch_size: int, bucket: int, seed: int) -> list[list[int]]:
    """The order of version 0.2.0, which seeds promise: all of a pass as lists."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(sizes), generator=generator).tolist()
    step = batch_size * bucket
    buckets = [order[k : k + step] for k in range(0, len(order), step)]
    order = [k for bucket in buckets for k in sorted(bucket, key=sizes.__getitem__)]
    batches = [order[k : k + batch_size] for k in range(0, len(order), batch_size)]
    drawn = torch.randperm(len(batches), generator=generator).tolist()
    return [batches[k] for k in drawn]


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(1, 7), st.integers(1, 4))
def test_a_seed_gives_the_order_it_gave(sizes: list[int], batch_size: int, bucket: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sizes_module, "_AT_ONCE", 10)
        drawn = _drawn(sizes, batch_size, bucket=bucket, seed=3)[1]
    assert drawn == _as_before(sizes, batch_size, bucket, 3)
