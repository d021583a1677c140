"""Batches of pairs of similar size: less padding, so less work for the same pairs."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

from .._check import require


class SimilarSizes(Sampler[list[int]]):
    """Draws batches of items of similar size, in random order; each item once a pass.

    A pass shuffles all items, sorts them by size within buckets of so many batches, cuts the result
    into batches and shuffles these. So the batches differ from pass to pass, and a pass does not
    go from small to large [morishita17].

    Args:
        sizes: The size of each item: numbers, or tuples of them, which compare in order.
        batch_size: Items in a batch; the last one of a pass may be smaller.
        generator: Of the order.
        bucket: Batches whose items are sorted together; with 1 the batches are random.

    Raises:
        InputError: If `batch_size` or `bucket` is below 1.
    """

    def __init__(
        self,
        sizes: Sequence[Any],
        batch_size: int,
        *,
        generator: torch.Generator | None = None,
        bucket: int = 1,
    ) -> None:
        require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
        require(bucket >= 1, "`bucket`", "be at least 1", bucket, "Try 20.")
        self._sizes, self._batch_size, self._bucket = sizes, batch_size, bucket
        self._generator = generator

    def __len__(self) -> int:
        """Number of batches in a pass."""
        return -(-len(self._sizes) // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        """The items of each batch of a pass."""
        order = torch.randperm(len(self._sizes), generator=self._generator).tolist()
        buckets = _cut(order, self._batch_size * self._bucket)
        order = [k for bucket in buckets for k in sorted(bucket, key=self._sizes.__getitem__)]
        batches = _cut(order, self._batch_size)
        for k in torch.randperm(len(batches), generator=self._generator).tolist():
            yield batches[k]


def _cut(items: list[int], size: int) -> list[list[int]]:
    return [items[k : k + size] for k in range(0, len(items), size)]
