"""Encoded graphs in little memory, and batches that are cut out of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch_geometric.data import Batch, Data

from ..graphs import NUM_CODE_POINTS, NUM_HASHES

_OF_NODES = ("x", "position", "features", "y")
_OF_EDGES = ("edge_index", "edge_attr", "edge_type")
_NAMES = (*_OF_NODES, *_OF_EDGES)
_HASHED = ("x", "edge_attr")

_LEAST = 64
"""Rows of hashes that there is room for at first."""

MOST_ROWS = 2**18
"""Rows of hashes that are kept at most, some 80 MB; data may have a label of its own a node."""


@dataclass(frozen=True, slots=True)
class PackedGraph:
    """A graph without the weight of a `Data` and its tensors.

    Args:
        num_nodes, directed: As of the graph.
        place: Of its pair, "FILE:LINE"; None of a target.
        parts: Its tensors in the order of `_NAMES`, None where it has none. Of hashed labels
            the numbers of their rows, or the rows themselves where one has no number.
    """

    num_nodes: int
    directed: bool
    place: str | None
    parts: tuple[Any, ...]


class Packer:
    """Packs graphs, and makes graphs and batches of them again.

    Hashes of equal labels are kept once, of the first `MOST_ROWS` labels.
    """

    def __init__(self) -> None:
        self._number: dict[bytes, int] = {}
        self._rows = torch.zeros(_LEAST, NUM_HASHES + NUM_CODE_POINTS, dtype=torch.long)

    def pack(self, graph: Data) -> PackedGraph:
        """A graph with none but the tensors of training."""
        parts = (self._packed(name, graph[name]) if name in graph else None for name in _NAMES)
        return PackedGraph(
            graph.num_nodes or 0, bool(graph.directed), graph.get("place"), tuple(parts)
        )

    def graph(self, packed: PackedGraph) -> Data:
        """The graph that was packed."""
        kept = {
            name: self._unpacked(name, part)
            for name, part in zip(_NAMES, packed.parts, strict=True)
            if part is not None
        }
        if packed.place is not None:
            kept["place"] = packed.place  # type: ignore[assignment]
        return Data(num_nodes=packed.num_nodes, directed=packed.directed, **kept)

    def batch(self, graphs: Sequence[PackedGraph]) -> Batch:
        """What `Batch.from_data_list` makes of the graphs, without making each of them."""
        sizes = [graph.num_nodes for graph in graphs]
        nodes, each = _bounds(sizes), torch.arange(len(graphs) + 1)
        batch = Batch(_base_cls=Data)
        slices: dict[str, Tensor] = {}
        shifts: dict[str, Tensor | None] = {}
        edges = _bounds([graph.parts[_NAMES.index("edge_index")].shape[1] for graph in graphs])
        for k, name in enumerate(_NAMES):
            parts = [graph.parts[k] for graph in graphs]
            if parts[0] is None:
                continue
            value = self._joined(name, parts)
            shifts[name] = torch.zeros(len(graphs), dtype=torch.long)
            if name == "edge_index":
                shifts[name] = nodes[:-1]
                value = value + nodes[:-1].repeat_interleave(edges.diff())
            batch[name] = value
            slices[name] = nodes if name in _OF_NODES else edges
        batch.directed = torch.tensor([graph.directed for graph in graphs])
        shifts["directed"] = torch.zeros(len(graphs), dtype=torch.long)
        slices["directed"] = each
        if graphs[0].place is not None:
            batch.place = [graph.place for graph in graphs]
            slices["place"], shifts["place"] = each, None
        batch.num_nodes = sum(sizes)
        batch._num_nodes = sizes
        batch.batch = torch.arange(len(graphs)).repeat_interleave(nodes.diff())
        batch.ptr = nodes
        batch._num_graphs, batch._slice_dict, batch._inc_dict = len(graphs), slices, shifts
        return batch

    def _packed(self, name: str, value: Tensor) -> Any:
        if name in _HASHED:
            numbers = [self._row(row) for row in value.numpy()]
            if None not in numbers:
                return np.array(numbers, dtype=np.int32)
        array = value.numpy()
        return array.copy() if array.dtype.kind == "f" else array.astype(np.int32)

    def _unpacked(self, name: str, part: Any) -> Tensor:
        if part.dtype.kind == "f":
            return torch.tensor(part)
        value = torch.from_numpy(part.astype(np.int64))
        return self._rows[value] if name in _HASHED and value.ndim == 1 else value

    def _joined(self, name: str, parts: Sequence[Any]) -> Tensor:
        """The tensor of a batch; of hashes it looks each row up once, if all are numbered."""
        if name in _HASHED and any(part.ndim == 2 for part in parts):
            return torch.cat([self._unpacked(name, part) for part in parts])
        return self._unpacked(name, np.concatenate(parts, axis=int(name == "edge_index")))

    def _row(self, row: Int[np.ndarray, " h"]) -> int | None:
        """The number of a row of hashes; None of a new one if there are too many."""
        key = row.tobytes()
        number = self._number.get(key)
        if number is None and len(self._number) < MOST_ROWS:
            number = self._number[key] = len(self._number)
            if number == len(self._rows):
                self._rows = torch.cat([self._rows, torch.empty_like(self._rows)])
            self._rows[number] = torch.from_numpy(row)
        return number


def _bounds(counts: Sequence[int]) -> Tensor:
    """Where each of some runs begins, and where the last one ends."""
    return torch.tensor([0, *counts]).cumsum(0)
