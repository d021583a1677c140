"""The pairs of a run as Lightning takes them."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader

from ..data import Alphabet, Division, OutputRoom, Pair
from ..decoding import Bounds
from ._data import Collated, Split, as_it_is, batches, load_split
from ._large_pairs import MOST
from ._measure import PairBatch
from ._order import Order
from ._recombination import Recombination

T = TypeVar("T")

MONITORED = 1000
"""Pairs that a measurement takes, at most."""
LEAST_MONITORED = 100
"""Training pairs that are measured after each epoch, if there are as many."""
MONITORED_SHARE = 0.1
"""Of the training pairs, where it is more. A pair measured costs a third of one trained on."""


class HeldOut:
    """A batch of validation pairs; no dataclass, whose fields Lightning would write to.

    Args:
        pairs: Pairs to answer.
        batch: As many pairs, at most, that a loss can be taken of; None if there are none left.
    """

    def __init__(self, pairs: Sequence[Pair], batch: PairBatch | None) -> None:
        self.pairs, self.batch = pairs, batch

    def to(self, device: Any, **options: Any) -> "HeldOut":
        """The same with the encoded pairs on a device."""
        if self.batch is None:
            return self
        inputs, targets = (side.to(device, **options) for side in self.batch)
        return HeldOut(self.pairs, (inputs, targets))


class PairsDataModule(pl.LightningDataModule):
    """Pairs of graphs to train and validate on; read and checked when it is made.

    Args:
        data: "kindergarten", or a JSON Lines file of {"input": ..., "target": ...}.
        val: Pairs to validate on, in the same form.
        batch_size: Pairs in a step.
        bucket: Batches drawn together and then parted by size.
        seed: Of the order of the training pairs.
        slots: Output nodes of the network per input node. None: as many as `settle` says.
        queries: Output nodes of the network for every input, where they stand at no input nodes.
        directed: Whether edges of the targets have a direction. Default: as the targets say.
        acyclic: Whether directed targets with a cycle are refused.
        skip_larger: Whether training pairs that are too large for the network are left out.
        max_nodes: Most nodes of an input or target; a larger one counts as too large.
        alphabet: The labels and relations that the network knows. Default: those of the targets.
        workers: Processes that read pairs ahead. With any number the batches are the same.
        recombination: Training pairs made of parts of the given ones. Default: none.

    Raises:
        InputError: "FILE:LINE: ..." at the first pair that cannot be trained on.
    """

    def __init__(
        self,
        data: str | Path = "kindergarten",
        val: str | Path | None = None,
        *,
        batch_size: int = 32,
        bucket: int = 1,
        seed: int = 0,
        slots: int | None = 1,
        queries: int = 0,
        directed: bool | None = None,
        acyclic: bool = False,
        skip_larger: bool = False,
        max_nodes: int = MOST,
        alphabet: Alphabet | None = None,
        workers: int = 0,
        recombination: Recombination | None = None,
    ) -> None:
        super().__init__()
        room = None if slots is None and not queries else OutputRoom(slots or 1, queries)
        self.split: Split = load_split(
            str(data), None if val is None else str(val), acyclic=acyclic, directed=directed,
            room=room, skip_larger=skip_larger, max_nodes=max_nodes, alphabet=alphabet,
            recombination=recombination, seed=seed,
        )  # fmt: skip
        self._size = batch_size
        self._order = {"seed": seed, "bucket": bucket, "workers": workers}
        self.measured: list[PairBatch] = []
        self._held_out: list[PairBatch] = []
        self._drawn: Order | None = None
        self._resumed: dict[str, Any] | None = None

    def settle(self, room: OutputRoom, batch_size: int, bucket: int) -> None:
        """Takes what was chosen after the pairs were read; too large ones are left out."""
        self.split = self.split.fitting(room)
        self._size = batch_size
        self._order["bucket"] = bucket

    @property
    def alphabet(self) -> Alphabet:
        """Labels and relations of the predicted classes."""
        return self.split.alphabet

    @property
    def bounds(self) -> Bounds:
        """What all targets to train on obey."""
        return self.split.bounds

    @property
    def directed(self) -> bool:
        """Whether the edges of the targets have a direction."""
        return self.split.directed

    @property
    def digests(self) -> dict[str, str | None]:
        """SHA-256 of the files, "data" and "val": whether two runs have the same pairs."""
        return self.split.digests

    @property
    def num_measured(self) -> int:
        """Number of training pairs that the loss is measured on."""
        return _number(len(self.split.train), self._size)

    @property
    def known(self) -> Sequence[Pair]:
        """Training pairs to answer at the end of a run: all, or a sample."""
        return sample(self.split.train, MONITORED)

    def setup(self, stage: str) -> None:
        """Collates once what is measured again and again: `measured` is of training pairs.

        All of them where they make one batch or are few, else a sample, the same in every epoch.
        """
        del stage
        measured = list(sample(self.split.train, self.num_measured))
        self.measured = list(batches(measured, self.alphabet, self._size))
        held_out = list(sample(self.split.val, MONITORED))
        self._held_out = list(batches(held_out, self.alphabet, self._size))

    def train_dataloader(self) -> Any:
        """Batches of `(inputs, targets)`, drawn anew in each epoch.

        Each process of the trainer gets its share of every batch: the trainer itself need not part
        them (`use_distributed_sampler=False`).
        """
        loader = batches(
            self.split.train, self.alphabet, self._size, division=self._division, **self._order
        )
        order = getattr(loader, "batch_sampler", None)
        self._drawn = order if isinstance(order, Order) else None
        if self._drawn is not None and self._resumed is not None:
            self._drawn.load_state_dict(self._resumed)
        return loader

    @property
    def _division(self) -> Division:
        """What this process takes of each batch."""
        t = self.trainer
        if t is None:
            return Division()
        return Division(t.global_rank, t.world_size, t.accumulate_grad_batches)

    def state_dict(self) -> dict[str, Any]:
        """Where the order of the training pairs stands; nothing where they are one batch."""
        if self._drawn is None or self.trainer is None:
            return {}
        taken = self.trainer.fit_loop.epoch_loop.batch_progress.current.ready
        return {"order": self._drawn.state_dict(taken)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the order up where it stood."""
        self._resumed = state_dict.get("order")

    def val_dataloader(self) -> Any:
        """Batches of the validation pairs, or of a sample of them; none without any."""
        pairs = sample(self.split.val, MONITORED)
        if not pairs:
            return []
        chunks = [pairs[k : k + self._size] for k in range(0, len(pairs), self._size)]
        # Whatever is drawn for the loader does not change the random numbers of the training.
        ready = [HeldOut(*each) for each in zip_longest(chunks, self._held_out)]
        return DataLoader(
            Collated(ready), batch_size=None, collate_fn=as_it_is, generator=torch.Generator()
        )


def sample(pairs: Sequence[T], number: int) -> Sequence[T]:
    """At most so many of the pairs, drawn at random but the same each time; in their order."""
    if len(pairs) <= number:
        return pairs
    drawn = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))[:number]
    return [pairs[k] for k in sorted(drawn.tolist())]


def _number(pairs: int, batch_size: int) -> int:
    """How many of the training pairs the loss is measured on."""
    if pairs <= batch_size:
        return min(pairs, MONITORED)
    return min(pairs, MONITORED, max(LEAST_MONITORED, round(MONITORED_SHARE * pairs)))
