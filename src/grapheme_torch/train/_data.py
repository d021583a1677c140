"""A data set as a network with a fixed alphabet can use it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from .._check import Received, refusal, require
from ..data import (
    Alphabet,
    Pair,
    PairDataset,
    SimilarSizes,
    check_acyclic,
    check_sizes,
    collate,
    load_pairs,
    unify_positions,
)
from ._edge_direction import read_direction, with_direction
from ._large_pairs import tell_large
from ._measure import PairBatch


@dataclass(frozen=True)
class Split:
    """The pairs of a run; their targets are all directed, or none is.

    Args:
        train: Those to train on.
        val: Those to validate on, maybe none.
        alphabet: Of the targets of `train`.
        directed: Whether their edges have a direction.
        left_out: Training pairs that were left out as too large.
        val_too_large: Number of the validation pairs that are too large.
    """

    train: list[Pair]
    val: list[Pair]
    alphabet: Alphabet
    directed: bool = True
    left_out: list[Pair] = field(default_factory=list)
    val_too_large: int = 0


def load_split(
    data: str,
    val: str | None,
    *,
    acyclic: bool,
    directed: bool | None = None,
    slots: int = 1,
    skip_larger: bool = False,
    alphabet: Alphabet | None = None,
) -> Split:
    """Reads and checks the data of a run, for a network with so many output nodes per input node.

    A validation pair that is too large for it stays, and counts as wrong.

    Args:
        data: The data to train on.
        val: The data to validate on.
        acyclic: Whether directed targets with a cycle are refused.
        directed: Whether edges of the targets have a direction. Default: as the targets say.
        slots: Output nodes per input node.
        skip_larger: Whether training pairs that are too large are left out.
        alphabet: The labels and relations that the network knows. Default: those of the targets.

    Raises:
        InputError: "FILE:LINE: ..." at the first pair that cannot be trained on.
    """
    train = load_pairs(data, unify=False)
    held_out = load_pairs(val, unify=False) if val else []
    left_out = [pair for pair in train if not fits(pair, slots)] if skip_larger else []
    if left_out:
        train = [pair for pair in train if fits(pair, slots)]
    got, remedy = (
        Received("none"),
        "Give more output nodes per input node with --network.slots.per-node.",
    )
    require(bool(train), f"{data}: the targets", "fit at least once", got, remedy)
    check_sizes(train, slots)
    tell_large([*train, *held_out], slots)
    directed = read_direction([*train, *held_out], directed)
    together = with_direction([*train, *held_out], directed)
    # An edge without a direction points anywhere: written once, they may seem to form a cycle.
    if acyclic and directed:
        check_acyclic(together)
    together = unify_positions(together)
    if alphabet is not None:
        _check_known(together[: len(train)], alphabet)
    alphabet = alphabet or Alphabet.of(pair.target for pair in together[: len(train)])
    if not alphabet.labels:
        remedy = "Add pairs whose target has nodes."
        raise refusal(f"{data}: the targets", "have a node", Received("only empty graphs"), remedy)
    too_large = sum(not fits(pair, slots) for pair in held_out)
    split = together[: len(train)], together[len(train) :], alphabet
    return Split(*split, directed, left_out, too_large)


def _check_known(pairs: Sequence[Pair], alphabet: Alphabet) -> None:
    """Refuses the first pair whose target a network with this alphabet cannot give."""
    for pair in pairs:
        name = f'{pair.place}: the "target"'
        remedy = "Make the network for the labels and relations of all training targets."
        got = Received("a label or relation that it has no class for")
        known = alphabet.covers(pair.target)
        require(known, name, "be one that the network can give", got, remedy)


def fits(pair: Pair, slots: int) -> bool:
    """Whether the target has at most as many nodes as a network has output nodes."""
    return (pair.target.num_nodes or 0) <= slots * (pair.input.num_nodes or 0)


def batches(
    pairs: Sequence[Pair],
    alphabet: Alphabet,
    batch_size: int,
    *,
    seed: int | None = None,
    bucket: int = 1,
) -> Iterable[PairBatch]:
    """Batches of the pairs the alphabet covers, in their order.

    With a seed they are drawn anew in each pass, by `SimilarSizes`. A data set of one batch is
    collated once.
    """
    dataset = PairDataset([pair for pair in pairs if alphabet.covers(pair.target)], alphabet)
    if len(dataset) <= batch_size:
        whole = [collate([dataset[i] for i in range(len(dataset))])] if len(dataset) else []
        return DataLoader(Collated(whole), batch_size=None, collate_fn=as_it_is)
    if seed is None:
        return DataLoader(dataset, batch_size=batch_size, collate_fn=collate)
    generator = torch.Generator().manual_seed(seed)
    drawn = SimilarSizes(dataset.sizes, batch_size, generator=generator, bucket=bucket)
    return DataLoader(dataset, batch_sampler=drawn, collate_fn=collate)


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
