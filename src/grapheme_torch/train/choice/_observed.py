"""Facts of the pairs of a run, gathered one pair at a time."""

import random
from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch_geometric.data import Data

from ...data import Pair
from ...graphs import edge_triples, is_directed, node_labels
from .._alike_nodes import slots_to_differ
from .._candidates import leads_ahead
from ._copies import copies
from ._data_facts import SHAPES, Facts
from ._few_pairs import FEW
from ._shape import shape_of

SAMPLE = 1000
"""Pairs whose labels are compared, at most: drawn at random, but the same each time."""

_RARE = 0.005
"""Share of the pairs that may be left out for a smaller network."""


class _Labels(NamedTuple):
    """What the labels of a pair tell."""

    targets: int
    repeated: int
    edges: int
    kept: int
    copied: int
    moved: int | None


class Observed:
    """Sees the pairs to train on; what it keeps does not grow with their number."""

    def __init__(self) -> None:
        self._seen = 0
        self._unaligned = self._unplaced = 0
        self._shape = 0
        self._sets = self._tied = self._loops = 0
        self._labels: list[_Labels] = []
        self._to_differ: list[float] = []
        self._draw = random.Random(0)

    def add(self, pair: Pair) -> None:
        """Takes in a pair whose target is as the network is to give it."""
        self._seen += 1
        self._sets += is_set(pair.input) and bool(pair.input.num_nodes)
        self._tied += not is_set(pair.input)
        self._loops += pair.target.has_self_loops()
        if is_directed(pair.target):
            self._shape = max(self._shape, SHAPES.index(shape_of(pair.target)))
        aligned, placed = leads_ahead(pair)
        self._unaligned += not aligned
        self._unplaced += not placed
        if self._seen <= FEW:
            ordered = (aligned or placed) and is_directed(pair.target)
            self._to_differ.append(slots_to_differ(pair, by_edges=not ordered))
        place = len(self._labels) if self._seen <= SAMPLE else self._draw.randrange(self._seen)
        if place < SAMPLE:
            self._labels[place : place + 1] = [_labels(pair)]

    def facts(
        self,
        sizes: npt.NDArray[np.integer],
        *,
        val_pairs: int,
        directed: bool,
        labels: int,
        placed: tuple[bool, bool],
        features: int = 0,
    ) -> Facts:
        """The facts of all pairs.

        Args:
            sizes: Nodes of the input and of the target of each pair, `[n, 2]`.
            val_pairs: Number of pairs to validate on.
            directed: Whether edges have a direction.
            labels: Number of labels of target nodes.
            placed: Whether all inputs, and all targets, have positions.
            features: Numbers of an input node.
        """
        given, wanted = sizes.astype(np.int64).T
        needed = np.maximum(-(-wanted // np.maximum(given, 1)), 1)
        slots, usual = _slots(needed)
        told, nodes = self._labels, max(sum(one.targets for one in self._labels), 1)
        # The places of a text are its own; those of other graphs are taken to be of the input.
        behind = self._unaligned
        if SHAPES[self._shape] != "path":
            behind = min(behind, self._unplaced)
        moved = [one.moved for one in told if one.moved is not None]
        return Facts(
            pairs=len(sizes), val_pairs=val_pairs, inputs=float(given.mean()),
            targets=float(wanted.mean()), slots=slots, usual_slots=usual,
            larger=int((needed > usual).sum()), shorter=bool((wanted < given).all()),
            shape=SHAPES[self._shape] if directed else "graph", directed=directed,
            placed_inputs=placed[0], placed_targets=placed[1], behind=behind,
            repeats=sum(one.repeated for one in told) / nodes,
            copied=sum(one.copied for one in told) / nodes,
            moved=sum(moved) / len(moved) if moved else None, labels=labels, loops=self._loops,
            kept=sum(one.kept for one in told) / max(sum(one.edges for one in told), 1),
            sets=bool(self._sets) and not self._tied, features=features, largest=int(wanted.max()),
            alike=sum(need > slots for need in self._to_differ),
        )  # fmt: skip


def is_set(graph: Data) -> bool:
    """Whether the nodes of a graph are given without any structure: a set, or a list of numbers.

    Nodes with numbers may have places: peaks are listed in some order, which tells no more.
    """
    return not graph.num_edges and not (
        graph.num_nodes and "position" in graph and "features" not in graph
    )


def _slots(needed: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Output nodes per input node for all pairs, and for all but a rare few."""
    most = int(needed.max())
    allowed = int(_RARE * len(needed))
    usual = int(np.sort(needed)[len(needed) - 1 - allowed])
    return most, usual


def _labels(pair: Pair) -> _Labels:
    given, wanted = node_labels(pair.input), node_labels(pair.target)
    repeated = sum(often for often in Counter(wanted).values() if often > 1)
    edges, known = _edges(pair.target, wanted), _edges(pair.input, given)
    kept = (edges & known).total()
    return _Labels(len(wanted), repeated, edges.total(), kept, *copies(given, wanted))


def _edges(graph: Data, labels: list[str]) -> Counter[tuple[str, ...]]:
    """How often an edge of a label joins nodes of two labels; without direction in either order."""
    ends = ((name, (labels[u], labels[v])) for u, v, name in edge_triples(graph))
    if is_directed(graph):
        return Counter((name, *pair) for name, pair in ends)
    return Counter((name, *sorted(pair)) for name, pair in ends)
