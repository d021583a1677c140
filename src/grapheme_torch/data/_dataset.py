"""Pairs as batches of tensors."""

import os
from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset
from torch_geometric.data import Batch, Data

from .._check import InputError, Received, relocate, require
from ..graphs import is_directed, undirected
from ._alphabet import Alphabet
from ._conditions import unify_positions
from ._kindergarten import kindergarten
from ._packed import PackedGraph, Packer
from ._pair_file import PairFile, Sizes
from ._records import Pair, read_pairs
from ._widths import check_no_numbers, unify_features

INPUT = ("x", "edge_index", "edge_attr", "position", "features")
"""What a network reads of a graph."""

_TARGET = ("y", "edge_index", "edge_type", "position")

KEPT = 2**23
"""Nodes of the pairs that stay in memory, each pair counted as `_OF_A_PAIR` more: some 250 MB."""

_OF_A_PAIR = 32


def load_pairs(
    name_or_path: str | os.PathLike[str], *, need_target: bool = True, unify: bool = True
) -> list[Pair]:
    """The pairs of a built-in data set or of a JSON Lines file, such that their inputs batch.

    Positions are unified, and all inputs have as many numbers a node.

    Args:
        name_or_path: "kindergarten", or the path of a file (write "./kindergarten" for a file
            of that name).
        need_target: Whether a line without "target" is refused.
        unify: Whether `unify_positions` and `unify_features` are called: not where further pairs
            are to join them.

    Raises:
        InputError: As `read_pairs` and `unify_features`.
    """
    if name_or_path == "kindergarten":
        pairs = kindergarten()
    else:
        pairs = read_pairs(name_or_path, need_target=need_target)
    return unify_positions(unify_features(pairs)) if unify else pairs


class PairDataset(Dataset[tuple[Data, Data]]):
    """Input and encoded target of each pair, with only the tensors that training needs.

    An input keeps `x`, `edge_index`, `edge_attr`, `features` if there are any, and the `place` of
    its pair, "FILE:LINE"; a target `y`, `edge_index`, `edge_type`. Both say whether they are
    `directed`; an undirected edge stands once. Either side has `position` if all graphs of that
    side have it (`unify_positions`).
    `sizes` are the numbers of nodes of the input and of the target of each pair, `[n, 2]`.

    Args:
        pairs: Pairs with targets: a list or a `PairFile`. A list is unified and encoded at once.
            Pairs of a checked file are read and encoded when they are asked for. The first
            that are asked for stay in memory, up to `KEPT`.
        alphabet: Numbers the labels and relations of the targets.

    Raises:
        InputError: "FILE:LINE: ..." if a pair has no target, or one outside the alphabet or with
            numbers on its nodes. If some inputs have more numbers a node than others.
    """

    def __init__(self, pairs: Sequence[Pair], alphabet: Alphabet) -> None:
        self.alphabet = alphabet
        self._ready: dict[int, tuple[PackedGraph, PackedGraph]] = {}
        self._packer = Packer()
        self._room = KEPT
        if isinstance(pairs, PairFile):
            self._pairs: Sequence[Pair] = pairs
            self.sizes: Sizes = pairs.sizes
            return
        self._pairs = unify_positions(unify_features(pairs))
        items = [self._packed(k) for k in range(len(pairs))]
        sizes = [(given.num_nodes, wanted.num_nodes) for given, wanted in items]
        self.sizes = np.array(sizes, dtype=np.int64).reshape(-1, 2)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Data, Data]:
        """Input and encoded target of one pair."""
        given, wanted = self._packed(index)
        return self._packer.graph(given), self._packer.graph(wanted)

    def batch(self, indices: Sequence[int]) -> tuple[Batch, Batch]:
        """What `collate` makes of these items, in less time."""
        inputs, targets = zip(*map(self._packed, indices), strict=True)
        return self._packer.batch(inputs), self._packer.batch(targets)

    def _packed(self, index: int) -> tuple[PackedGraph, PackedGraph]:
        if index in self._ready:
            return self._ready[index]
        pair = self._pairs[index]
        given, wanted = _placed(pair), only(_TARGET, _encoded(pair, self.alphabet))
        item = self._packer.pack(given), self._packer.pack(wanted)
        size = _OF_A_PAIR + sum(graph.num_nodes for graph in item)
        if size <= self._room:
            self._ready[index] = item
            self._room -= size
        return item


def collate(items: Sequence[tuple[Data, Data]]) -> tuple[Batch, Batch]:
    """Inputs and targets of some pairs as two disjoint unions; graphs without nodes count."""
    inputs = Batch.from_data_list([given for given, _ in items])
    targets = Batch.from_data_list([wanted for _, wanted in items])
    return inputs, targets


def _placed(pair: Pair) -> Data:
    """What a network reads; of the places of its pairs a batch makes a list."""
    given = only(INPUT, pair.input)
    given.place = pair.place
    return given


def _encoded(pair: Pair, alphabet: Alphabet) -> Data:
    require(
        pair.has_target,
        f"{pair.place}: the pair",
        'have a "target" to train or evaluate on',
        Received("none"),
        "Add it, or leave the pair out.",
    )
    check_no_numbers(pair)
    try:
        return alphabet.encode(pair.target)
    except InputError as error:
        relocate(error, f'{pair.place}: in "target"')


def only(names: Sequence[str], graph: Data) -> Data:
    """These attributes of a graph and its direction, an undirected edge once."""
    directed = is_directed(graph)
    graph = graph if directed else undirected(graph)
    kept = {name: graph[name] for name in names if name in graph}
    return Data(num_nodes=graph.num_nodes, directed=directed, **kept)
