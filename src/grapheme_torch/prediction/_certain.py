"""The prediction that is sure of a graph."""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, refusal, require
from .._tensors import described, is_dense
from .._union import check_batch, check_edges, runs
from ..graphs import check_data, edge_tensor, is_directed, membership
from ._kinds import check_count, check_device, indices

SURE = 40.0
"""The logit of a certain prediction: one minus its probability is the last bit of float64."""


def certain(graph: Data, num_labels: int, num_relations: int) -> dict[str, Any]:
    """The fields of `Prediction.certain`."""
    check_data(graph)
    check_count("`num_labels`", num_labels)
    check_count("`num_relations`", num_relations)
    edge_index, directed = edge_tensor(graph).long(), _directed(graph)
    batch, num_graphs = membership(graph)
    check_batch("graph", batch, num_graphs)
    check_edges("graph", edge_index, batch, directed)
    y = _numbers(graph, "y", batch, 0, num_labels - 1)
    kinds = torch.ones_like(edge_index[0])
    if graph.get("edge_type") is not None:
        kinds = _numbers(graph, "edge_type", edge_index[0], 1, num_relations)
    source, sink = _pairs(batch, num_graphs, directed)
    low, high = edge_index if directed else edge_index.sort(0).values
    # Candidates are in lexicographic order.
    place = torch.searchsorted(source * len(batch) + sink, low * len(batch) + high)
    relation = torch.zeros_like(source).index_put((place,), kinds)
    return {
        "existence": torch.full_like(batch, SURE, dtype=torch.float64),
        "label": _sure(y, num_labels),
        "edge_index": torch.stack([source, sink]),
        "relation": _sure(relation, num_relations + 1),
        "batch": batch,
        "num_graphs": num_graphs,
        "position": graph.get("position"),
        "weight": _weight(graph, source, place),
        "directed": directed,
    }


def _directed(graph: Data) -> bool:
    """Whether edges have a direction, as the graph says; they do if it is silent, as in losses."""
    return graph.get("directed") is None or is_directed(graph)


def _pairs(
    batch: Int[Tensor, " n"], num_graphs: int, directed: bool
) -> tuple[Int[Tensor, " e"], Int[Tensor, " e"]]:
    """Every node beside every node of its graph, or beside every node from itself on."""
    number = torch.arange(len(batch), device=batch.device)
    count = torch.bincount(batch, minlength=num_graphs)
    end = count.cumsum(0)[batch]
    first = end - count[batch] if directed else number
    return number.repeat_interleave(end - first), runs(first, end - first)


def _numbers(
    graph: Data, name: str, like: Int[Tensor, " k"], low: int, high: int
) -> Int[Tensor, " k"]:
    """A field of integers of a graph, one for each entry of another, checked."""
    value, name = graph.get(name), f"`graph.{name}`"
    if not isinstance(value, Tensor) or value.shape != like.shape:
        wanted, remedy = f"be a tensor of {len(like)} integers", "Give one per node or edge."
        raise refusal(name, wanted, described(value), remedy)
    value = indices(name, value)
    check_device(name, value, "`graph.edge_index`", like.device)
    if len(value):
        least, most = int(value.min()), int(value.max())
        got = Received(f"values from {least} to {most}")
        remedy = "Raise `num_labels` or `num_relations`; relation 0 means absent."
        require(low <= least and most <= high, name, f"lie in [{low}, {high}]", got, remedy)
    return value


def _weight(graph: Data, source: Tensor, place: Int[Tensor, " t"]) -> Float[Tensor, " e"] | None:
    """The weight of each candidate: zero where there is no edge."""
    given = graph.get("edge_weight")
    if given is None:
        return None
    fits = is_dense(given) and given.shape == place.shape
    wanted, remedy = f"have shape ({len(place)},)", "Give one weight per edge."
    require(fits, "`graph.edge_weight`", wanted, described(given), remedy)
    check_device("`graph.edge_weight`", given, "`graph.edge_index`", place.device)
    return given.new_zeros(len(source), dtype=torch.float64).index_put((place,), given.double())


def _sure(choice: Int[Tensor, " k"], num_classes: int) -> Float[Tensor, "k classes"]:
    classes = torch.arange(num_classes, device=choice.device)
    chosen: Bool[Tensor, "k classes"] = choice[:, None] == classes
    return (2 * chosen - 1).double() * (SURE / 2)
