"""A data set as a network with a fixed alphabet can use it."""

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import get_all_start_methods
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset

from .._check import InputError, Received, refusal, require
from .._signals import ENDING
from ..data import (
    Alphabet,
    Division,
    OutputRoom,
    Pair,
    PairDataset,
    PairFile,
    Part,
    Parts,
    Shared,
    SimilarSizes,
    collate,
)
from ..decoding import Bounds
from ..graphs import Moments
from ._first_pass import LISTED, FirstPass
from ._large_pairs import MOST
from ._measure import PairBatch
from ._order import Order
from ._recombination import Recombination
from .choice import Facts

ONE_EACH = OutputRoom()
"""An output node for each input node."""

_PER_NODE = "--network.slots.per-node"

_GRACE = 5.0
"""Seconds that a worker goes on after SIGTERM."""


@dataclass(frozen=True)
class Split:
    """The pairs of a run; their targets are all directed, or none is.

    Args:
        train: Those to train on.
        val: Those to validate on, maybe none.
        alphabet: Of the targets of `train`.
        uncopied: Labels that many of its inputs have and none of its targets.
        directed: Whether their edges have a direction.
        edges: Number of edges of the targets of `train`.
        left_out: Number of the training pairs that were left out as too large.
        first_left_out: Places of the first of them.
        val_too_large: Number of the validation pairs that are too large.
        facts: What the pairs to train on are like.
        moments: Mean and deviation of the numbers on the nodes of their inputs.
        bounds: What all targets of `train` obey.
    """

    train: PairFile
    val: Sequence[Pair]
    alphabet: Alphabet
    facts: Facts
    bounds: Bounds
    uncopied: tuple[str, ...] = ()
    directed: bool = True
    edges: int = 0
    left_out: int = 0
    first_left_out: list[str] = field(default_factory=list)
    val_too_large: int = 0
    moments: Moments = field(default_factory=Moments)

    def fitting(self, room: OutputRoom) -> "Split":
        """The same for a network with so many output nodes.

        Training pairs that are too large for it are left out.
        """
        too_large = _too_large(self.train, room)
        places = self.train.leave_out(~too_large) if too_large.any() else []
        first = [*self.first_left_out, *places][:LISTED]
        val = int(_too_large(self.val, room).sum()) if isinstance(self.val, PairFile) else 0
        return replace(
            self, left_out=self.left_out + len(places), first_left_out=first, val_too_large=val
        )

    @property
    def digests(self) -> dict[str, str | None]:
        """SHA-256 of the files, "data" and "val": whether two runs have the same pairs."""
        val = self.val.digest if isinstance(self.val, PairFile) else None
        return {"data": self.train.digest, "val": val}


def load_split(
    data: str,
    val: str | None,
    *,
    acyclic: bool,
    directed: bool | None = None,
    room: OutputRoom | None = ONE_EACH,
    skip_larger: bool = False,
    max_nodes: int = MOST,
    alphabet: Alphabet | None = None,
    recombination: Recombination | None = None,
    seed: int = 0,
) -> Split:
    """Reads and checks the data of a run, for a network with so many output nodes.

    A validation pair that is too large for it stays, and counts as wrong. The pairs stay in their
    files: see `PairFile`.

    Args:
        data: The data to train on.
        val: The data to validate on.
        acyclic: Whether directed targets with a cycle are refused.
        directed: Whether edges of the targets have a direction. Default: as the targets say.
        room: Output nodes for an input. None: as many as are chosen later, see `fitting`.
        skip_larger: Whether training pairs that are too large are left out.
        max_nodes: Most nodes of an input or target.
        alphabet: The labels and relations that the network knows. Default: those of the targets.
        recombination: Training pairs made of parts of the given ones. Default: none.
        seed: Of these.

    Raises:
        InputError: "FILE:LINE: ..." at the first pair that cannot be trained on.
    """
    seen = FirstPass(
        room=room, acyclic=acyclic, directed=directed, skip_larger=skip_larger,
        max_nodes=max_nodes, alphabet=alphabet,
    )  # fmt: skip
    train = PairFile(data, seen.train)
    if recombination is not None and recombination.number:
        train.add(recombination.records(train, seed), f"{data}, recombined", seen.train)
    held_out = PairFile(val, seen.val) if val else None
    option = "--network.queries.number" if room is not None and room.queries else _PER_NODE
    got, remedy = Received("none"), f"Give more output nodes with {option}."
    require(bool(train), f"{data}: the targets", "fit at least once", got, remedy)
    seen.tell()
    classes = seen.alphabet
    if not classes.labels:
        remedy = "Add pairs whose target has nodes."
        raise refusal(f"{data}: the targets", "have a node", Received("only empty graphs"), remedy)
    train.read_by(seen.read)
    if held_out is not None:
        held_out.read_by(seen.read)
    facts = seen.facts(train.sizes, 0 if held_out is None else len(held_out))
    return Split(
        train, [] if held_out is None else held_out, classes, facts, seen.bounds, seen.uncopied,
        seen.directed, seen.edges, seen.left_out, seen.first_left_out, seen.val_too_large,
        seen.moments,
    )  # fmt: skip


def _too_large(pairs: PairFile, room: OutputRoom) -> npt.NDArray[np.bool_]:
    given, wanted = pairs.sizes.astype(np.int64).T
    too_large: npt.NDArray[np.bool_] = wanted > room.of(given)
    return too_large


WHOLE = Division()
"""One process takes each batch in one step."""


def batches(
    pairs: Sequence[Pair],
    alphabet: Alphabet,
    batch_size: int,
    *,
    seed: int | None = None,
    bucket: int = 1,
    workers: int = 0,
    division: Division = WHOLE,
) -> Iterable[PairBatch]:
    """Batches of the pairs the alphabet covers, in their order.

    With a seed they are drawn anew in each pass, by `SimilarSizes`, and each is divided. A data
    set of one batch is collated once. Pairs of a `PairFile` are all taken to be covered.
    """
    if not isinstance(pairs, PairFile):
        pairs = [pair for pair in pairs if alphabet.covers(pair.target)]
    dataset = PairDataset(pairs, alphabet)
    shared = Shared(dataset)
    if len(dataset) <= batch_size:
        own = division.of(range(len(dataset))) if len(dataset) else ()
        whole = [shared.__getitems__(part) for part in own]
        return DataLoader(Collated(whole), batch_size=None, collate_fn=as_it_is)
    if seed is None:
        return DataLoader(dataset, batch_size=batch_size, collate_fn=collate)
    generator = torch.Generator().manual_seed(seed)
    drawn = SimilarSizes(dataset.sizes, batch_size, generator=generator, bucket=bucket)
    order = Order(Parts(drawn, division), generator)
    if not workers:
        return DataLoader(shared, batch_sampler=order, collate_fn=as_it_is)
    return _Ahead(
        _Told(shared), batch_sampler=order, collate_fn=as_it_is, num_workers=workers,
        persistent_workers=True, worker_init_fn=_undisturbed,
        multiprocessing_context="fork" if "fork" in get_all_start_methods() else None,
    )  # fmt: skip


class _Ahead(DataLoader[Any]):
    """Batches that processes of their own read ahead; what these refuse is raised here."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        refused, ahead = None, super().__iter__()
        for batch in ahead:
            if isinstance(batch, InputError):
                refused = batch
                break
            yield batch
        if refused is not None:
            # The workers end with the last reference; those of a traceback would keep them.
            self._iterator = None
            del ahead
            raise refused


class _Told(Dataset[Any]):
    """Batches, or why there is none: PyTorch would bury a refusal in the text of its own error."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def __getitems__(self, part: Part) -> Any:
        """The batch of a part, or the first refusal among its items."""
        try:
            return self._shared.__getitems__(part)
        except InputError as error:
            return error


def _undisturbed(worker: int) -> None:
    """A worker leaves signals to the run, which finishes its step with what the worker reads.

    After SIGTERM it ends in the end: it may be the run that sends it.
    """
    del worker
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.signal(signal.SIGTERM, _end_soon)


def _end_soon(*_: Any) -> None:
    signal.setitimer(signal.ITIMER_REAL, _GRACE)


class Collated(Dataset[Any]):
    """Batches that are ready, as a data set of their own."""

    def __init__(self, ready: Sequence[Any]) -> None:
        self._ready = ready

    def __len__(self) -> int:
        return len(self._ready)

    def __getitem__(self, index: int) -> Any:
        return self._ready[index]


def as_it_is(batch: Any) -> Any:
    """In place of PyTorch's own conversion, which makes a list of the pair."""
    return batch
