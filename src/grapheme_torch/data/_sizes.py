"""Batches of pairs of similar size: less padding, so less work for the same pairs."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Sampler

from .._check import require

Order = npt.NDArray[np.int64]
"""Numbers of items."""

_AT_ONCE = 2**16
"""Items sorted at once, about: sorting them all would take several times the memory."""


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
        sizes: Sequence[Any] | npt.NDArray[Any],
        batch_size: int,
        *,
        generator: torch.Generator | None = None,
        bucket: int = 1,
    ) -> None:
        require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
        require(bucket >= 1, "`bucket`", "be at least 1", bucket, "Try 20.")
        self._sizes, self._batch_size, self._bucket = np.asarray(sizes), batch_size, bucket
        self._generator = generator

    def __len__(self) -> int:
        """Number of batches in a pass."""
        return -(-len(self._sizes) // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        """The items of each batch of a pass."""
        order = torch.randperm(len(self._sizes), generator=self._generator).numpy()
        self._sort(order)
        size = self._batch_size
        for k in torch.randperm(len(self), generator=self._generator).tolist():
            yield order[k * size : (k + 1) * size].tolist()

    def _sort(self, order: Order) -> None:
        """Sorts each bucket by size, items of one size as they come; many buckets at a time."""
        bucket = self._batch_size * self._bucket
        step = bucket * max(_AT_ONCE // bucket, 1)
        for start in range(0, len(order), step):
            part = order[start : start + step]
            sizes = self._sizes[part].reshape(len(part), -1)
            keys = [*sizes.T[::-1], np.arange(len(part)) // bucket]
            order[start : start + step] = part[np.lexsort(keys)]
