"""What a network asks of the pairs it is trained on."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NoReturn

import networkx as nx
import torch
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, notice, refusal
from ..graphs import is_acyclic, node_labels
from ._records import Pair
from ._room import OutputRoom

_LONGEST_CYCLE_SHOWN = 8


def check_acyclic(pairs: Iterable[Pair]) -> None:
    """Refuses the first pair whose target has a directed cycle, for networks that predict DAGs.

    Raises:
        InputError: "FILE:LINE: ..." with one cycle, nodes counted from 0 in the order of the file.
    """
    for pair in pairs:
        if not is_acyclic(pair.target):
            _refuse_cycle(pair)


def check_sizes(pairs: Iterable[Pair], room: OutputRoom | None = None) -> None:
    """Refuses the first pair whose target has more nodes than a network has output nodes for it.

    Any of these may be absent. Default of `room`: an output node per input node.

    Raises:
        InputError: "FILE:LINE: ..." with both counts.
    """
    for pair in pairs:
        (room or OutputRoom()).check(pair)


class Positions:
    """Which sides of a data set have a position on all graphs, so that these batch.

    Pairs are seen one at a time, by `add`; then `unified` gives each as it batches with the others.
    """

    def __init__(self) -> None:
        self._sides = {side: _Side() for side in ("input", "target")}

    def add(self, pair: Pair) -> None:
        """Takes a pair in."""
        for side, seen in self._sides.items():
            seen.add(getattr(pair, side), pair)

    @property
    def placed(self) -> tuple[bool, bool]:
        """Whether all inputs, and all targets, have a position."""
        given, wanted = self._sides.values()
        return given.all_placed, wanted.all_placed

    def tell(self) -> None:
        """Gives a `Notice` of each side where some graphs have a position and some have none."""
        for side, seen in self._sides.items():
            if seen.bare and seen.placed:
                notice(
                    f'{seen.first}: no position in the "{side}" ({seen.bare} of {seen.count} lack '
                    f"it), so all {side}s lose theirs. Give one to every node, or to none in all "
                    "the data."
                )

    def unified(self, pair: Pair) -> Pair:
        """A pair that was added, each side with a position if all graphs of that side have one."""
        given, wanted = (seen.alike(getattr(pair, side)) for side, seen in self._sides.items())
        return replace(pair, input=given, target=wanted)


def unify_positions(pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs, each side with `position` on all graphs or on none, so that they batch.

    PyTorch Geometric cannot join graphs that differ in their attributes. Where one input has no
    position, all inputs lose theirs, and a `Notice` says so; targets likewise, on their own. A
    graph without nodes, or a target that is not there, hinders nobody. The pairs given stay as
    they are. Unify the parts of a data set (training, validation) together if one network sees
    both.
    """
    positions = Positions()
    for pair in pairs:
        positions.add(pair)
    positions.tell()
    return [positions.unified(pair) for pair in pairs]


def _refuse_cycle(pair: Pair) -> NoReturn:
    label = node_labels(pair.target)
    digraph: nx.DiGraph[int] = nx.DiGraph(pair.target.edge_index.t().tolist())
    cycle = [source for source, _ in nx.find_cycle(digraph)]
    shown = [f"{node} {label[node]!r}" for node in [*cycle, cycle[0]]]
    if len(shown) > _LONGEST_CYCLE_SHOWN:
        shown[_LONGEST_CYCLE_SHOWN - 1 : -1] = ["..."]
    raise refusal(
        f'{pair.place}: the "target"',
        "have no directed cycle",
        Received("the cycle " + " -> ".join(shown)),
        'Drop or turn one of these edges; if edges have no direction, write "directed": false.',
    )


class _Side:
    """What was seen of the inputs of a data set, or of its targets."""

    def __init__(self) -> None:
        self.count = self.bare = self.placed = 0
        self.first = ""
        self._like: Tensor | None = None

    def add(self, graph: Data, pair: Pair) -> None:
        self.count += 1
        if not graph.num_nodes:
            return
        if "position" in graph:
            self.placed += 1
            if self._like is None:
                self._like = graph.position[:0].clone()
            return
        self.bare += 1
        self.first = self.first or pair.place

    @property
    def all_placed(self) -> bool:
        return bool(self.placed) and not self.bare

    def alike(self, graph: Data) -> Data:
        """The graph without position if one lacks it; else one without nodes has that of all."""
        if self.bare:
            return _without_position(graph)
        return _with_no_places(graph, torch.zeros(0) if self._like is None else self._like)


def _with_no_places(graph: Data, like: Tensor) -> Data:
    """The graph; one without nodes has the positions of all its nodes."""
    if "position" in graph:
        return graph
    empty = copy.copy(graph)
    empty.position = like[:0]
    return empty


def _without_position(graph: Data) -> Data:
    if "position" not in graph:
        return graph
    bare = copy.copy(graph)
    del bare.position
    return bare
