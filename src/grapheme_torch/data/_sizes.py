"""Batches of pairs of similar size: less padding, so less work for the same pairs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
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
        rank, ranks: Which of so many processes draws, each by an equal generator. It gets every
            so many-th item of every batch: all take as many steps, and together each item once. A
            last batch with fewer items than processes joins the one before.

    Raises:
        InputError: If `batch_size`, `bucket` or `ranks` is below 1, `rank` is not one of them, or a
            process would get no item of a batch.
    """

    def __init__(
        self,
        sizes: Sequence[Any] | npt.NDArray[Any],
        batch_size: int,
        *,
        generator: torch.Generator | None = None,
        bucket: int = 1,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        require(batch_size >= 1, "`batch_size`", "be at least 1", batch_size, "Try 32.")
        require(bucket >= 1, "`bucket`", "be at least 1", bucket, "Try 20.")
        require(ranks >= 1, "`ranks`", "be at least 1", ranks, "One process is 1.")
        remedy = "Processes are counted from 0."
        require(0 <= rank < ranks, "`rank`", f"be from 0 to {ranks - 1}", rank, remedy)
        remedy = "Take fewer processes, or larger batches."
        require(ranks <= batch_size, "`batch_size`", f"be at least {ranks}", batch_size, remedy)
        require(rank < max(len(sizes), 1), "`ranks`", "be at most the items", ranks, remedy)
        self._sizes, self._batch_size, self._bucket = np.asarray(sizes), batch_size, bucket
        self._rank, self._ranks = rank, ranks
        self._generator = generator
        self._began: Tensor | None = None
        self._done = 0

    def __len__(self) -> int:
        """Number of batches in a pass."""
        whole, rest = divmod(len(self._sizes), self._batch_size)
        return whole + (rest >= self._ranks or (rest > 0 and not whole))

    def __iter__(self) -> Iterator[list[int]]:
        """The items of each batch of a pass."""
        done, self._done = self._done, 0
        if self._generator is not None:
            self._began = self._generator.get_state()
        order = torch.randperm(len(self._sizes), generator=self._generator).numpy()
        self._sort(order)
        size, last = self._batch_size, len(self) - 1
        for k in torch.randperm(len(self), generator=self._generator).tolist()[done:]:
            batch = order[k * size : (k + 1) * size if k < last else None]
            yield batch[self._rank :: self._ranks].tolist()

    def state_dict(self) -> dict[str, Tensor]:
        """The state of the generator before the present pass; empty before the first."""
        return {} if self._began is None else {"generator": self._began}

    def load_state_dict(self, state: Mapping[str, Tensor], done: int = 0) -> None:
        """Makes the next pass the one that was present then, without its first `done` batches."""
        if self._generator is not None and state:
            self._generator.set_state(state["generator"])
        self._done = done

    def _sort(self, order: Order) -> None:
        """Sorts each bucket by size, items of one size as they come; many buckets at a time."""
        bucket = self._batch_size * self._bucket
        step = bucket * max(_AT_ONCE // bucket, 1)
        for start in range(0, len(order), step):
            part = order[start : start + step]
            sizes = self._sizes[part].reshape(len(part), -1)
            keys = [*sizes.T[::-1], np.arange(len(part)) // bucket]
            order[start : start + step] = part[np.lexsort(keys)]
