"""A batch in parts of nearly equal size: one for each process, and each of some short steps."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset, Sampler
from torch_geometric.data import Batch

from .._check import require
from ._dataset import PairDataset


@dataclass(frozen=True)
class Division:
    """Into how many parts a batch is divided, and which of them are taken here.

    Args:
        rank: Number of this process.
        processes: How many processes there are.
        steps: Parts that each process takes one after the other before the weights move.

    Raises:
        InputError: If a number is out of range.
    """

    rank: int = 0
    processes: int = 1
    steps: int = 1

    def __post_init__(self) -> None:
        """Refuses a process there is not."""
        for name in ("processes", "steps"):
            count = getattr(self, name)
            require(count >= 1, f"`{name}`", "be at least 1", count, "1 divides nothing.")
        inside = 0 <= self.rank < self.processes
        remedy = "Processes are numbered from 0."
        require(inside, "`rank`", f"lie in [0, {self.processes})", self.rank, remedy)

    @property
    def parts(self) -> int:
        """Parts of a batch."""
        return self.processes * self.steps

    def of(self, items: Sequence[int]) -> Iterator["Part"]:
        """The parts of a batch that are taken here, one for each step.

        Together the parts hold each item once. Where there are fewer items than parts, a part
        repeats the first item and weighs nothing: all processes do the same number of steps.
        """
        for step in range(self.steps):
            mine = items[step * self.processes + self.rank :: self.parts]
            share = len(mine) * self.parts / len(items)
            yield Part(mine or items[:1], share)


class Part(list[int]):
    """The numbers of some items of a batch.

    Args:
        items: Their numbers.
        share: What the mean over them counts in the mean over all parts: 1 if all parts are of the
            same size. With it the mean over parts is the mean over the items of the batch.
    """

    def __init__(self, items: Iterable[int], share: float) -> None:
        super().__init__(items)
        self.share = share


class Parts(Sampler[list[int]]):
    """The parts of batches that are taken here.

    Args:
        batches: Draws the batches, the same ones in every process.
        division: What is taken of each.
    """

    def __init__(self, batches: Iterable[Sequence[int]], division: Division) -> None:
        self._batches, self._division = batches, division

    def __len__(self) -> int:
        """Number of parts in a pass."""
        batches: Any = self._batches
        return len(batches) * self._division.steps

    def __iter__(self) -> Iterator[Part]:
        """The parts of each batch."""
        for batch in self._batches:
            yield from self._division.of(batch)


class Shared(Dataset[Any]):
    """A data set that is read as batches, a `Part` at a time.

    Args:
        dataset: Gives the batches.
    """

    def __init__(self, dataset: PairDataset) -> None:
        self._dataset = dataset

    def __getitems__(self, part: Part) -> tuple[Batch, Batch]:
        """The batch of a part, which PyTorch's loader asks for like this.

        `share` of the targets says what their mean counts.
        """
        inputs, targets = self._dataset.batch(part)
        targets.share = part.share
        return inputs, targets
