"""The tasks: pairs of an input and a graph of which no output node knows its target."""

import random
from dataclasses import dataclass

import torch
from _coloring.data import NAMES, Kind, Pictures, draw
from torch import Tensor
from torch_geometric.data import Data

import grapheme_torch as gt
from grapheme_torch.data import Pair, PairDataset, load_pairs
from grapheme_torch.graphs import feature_width, make_graph

KIND = Kind(side=8, least=3, most=6, noise=0.0)
"""Pictures that a small network learns in minutes; without noise, as in later sets."""

PATCH = 2
"""Pixels along a side of what is one node of the input."""

TRAINED, HELD_OUT = 10_000, 400
"""Pictures to learn from and to evaluate on, from seeds of their own."""

TRAINING, TESTING = 1, 2


@dataclass(frozen=True)
class Task:
    """What is learned.

    Args:
        train, held_out: Pairs; the nodes of a target stand in the order that "canonical" learns.
        alphabet: Classes of the training targets.
        data: Input and encoded target of each training pair.
    """

    train: list[Pair]
    held_out: list[Pair]
    alphabet: gt.Alphabet
    data: PairDataset

    @property
    def queries(self) -> int:
        """Nodes of the largest training target."""
        return int(self.data.sizes[:, 1].max())

    @property
    def features(self) -> int:
        """Numbers of a node of an input."""
        return feature_width(self.train[0].input)

    def shares(self) -> tuple[float, float]:
        """Of the output nodes, and of the pairs of them: how many exist on average."""
        edges = sum(wanted.edge_index.shape[1] for _, wanted in self._items())
        nodes, most = int(self.data.sizes[:, 1].sum()), self.queries
        return (
            nodes / (len(self.data) * most),
            edges / (len(self.data) * max(1, most * (most - 1) // 2)),
        )

    def _items(self) -> list[tuple[Data, Data]]:
        return [self.data[k] for k in range(len(self.data))]


def task_of(train: list[Pair], held_out: list[Pair]) -> Task:
    """Of pairs whose targets have no direction.

    Raises:
        ValueError: If an edge has one: the compared losses are of graphs without.
    """
    for pair in train:
        if gt.graphs.is_directed(pair.target):
            raise ValueError(
                f"{pair.place}: the target must have no direction, and it has one. "
                'Write "directed": false.'
            )
    alphabet = gt.Alphabet.of(pair.target for pair in train)
    return Task(train, held_out, alphabet, PairDataset(train, alphabet))


def pairs(train: str, held_out: str, most: int | None = None) -> Task:
    """Pairs of two files; of those to evaluate on at most so many, drawn always the same.

    The first ones may all be of one molecule or of one laboratory.
    """
    known = load_pairs(held_out)
    if most is not None and most < len(known):
        known = random.Random(TESTING).sample(known, most)
    return task_of(load_pairs(train), known)


def coloring(trained: int = TRAINED, held_out: int = HELD_OUT) -> Task:
    """Pictures as sets of patches, and which of their regions touch."""
    train, test = draw((TRAINING,), trained, KIND), draw((TESTING,), held_out, KIND)
    return task_of(as_pairs(train), as_pairs(test))


def as_pairs(pictures: Pictures) -> list[Pair]:
    """A node for each patch: colours of its pixels, row and column. Regions in reading order."""
    patches = _patches(pictures.image)
    order = _reading_order(pictures.region, pictures.colour.shape[1])
    found = []
    for k, size in enumerate(pictures.size.tolist()):
        region = order[k, :size]
        touches = pictures.adjacency[k][region][:, region].triu().nonzero().tolist()
        target = make_graph(
            [NAMES[c] for c in pictures.colour[k, region].tolist()],
            [(u, v, "touches") for u, v in touches],
            directed=False,
        )
        given = make_graph([""] * len(patches[k]), features=patches[k])
        found.append(Pair(given, target))
    return found


def _patches(image: Tensor) -> Tensor:
    """Numbers of each patch of each picture: colours, row and column."""
    size, _, side, _ = image.shape
    count = side // PATCH
    cut = image.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)
    colours = cut.permute(0, 2, 3, 1, 4, 5).reshape(size, count * count, -1)
    place = torch.cartesian_prod(torch.arange(count), torch.arange(count)).float()
    return torch.cat([colours, place.expand(size, -1, -1)], 2)


def _reading_order(region: Tensor, most: int) -> Tensor:
    """The regions of each picture by their first pixel, row after row; what is not there last."""
    flat = region.flatten(1)
    there = flat[:, None] == torch.arange(most)[None, :, None]
    place = torch.arange(flat.shape[1])
    return torch.where(there, place, flat.shape[1]).amin(2).argsort(dim=1, stable=True)
