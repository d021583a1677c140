"""What a trained network answers."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch_geometric.data import Batch, Data

from ..data import INPUT, only
from ..decoding import Constraint, decode
from ..graphs import node_labels
from ..nn import GraphTransformNet


@torch.no_grad()
def predict(
    network: GraphTransformNet,
    graphs: Sequence[Data],
    *,
    constraint: Constraint | None = None,
    directed: bool | None = None,
) -> list[Data]:
    """The most probable output graph for each input graph, computed as one batch.

    Graphs with and without position make a batch each: an answer does not depend on the others.

    Args:
        network: A network, in the mode it is to predict in.
        graphs: What it reads.
        constraint, directed: What the output graphs have to be, see `decode`.

    Raises:
        InputError: If the constraint is unknown.
    """
    if not graphs:
        return []
    if not placed_alike(graphs):
        shape: dict[str, Any] = {"constraint": constraint, "directed": directed}
        return apart(graphs, lambda alike: predict(network, alike, **shape))
    own = None
    if network.own is not None:
        own = [name for g in graphs for name in node_labels(g) for _ in range(network.num_slots)]
    said = network(read(network, graphs))
    names = network.labels, network.relations
    return decode(said, *names, constraint, directed=directed, own=own)


def placed_alike(graphs: Sequence[Data]) -> bool:
    """Whether all graphs have a position, or none has one: only then they are one batch."""
    return len({"position" in graph for graph in graphs}) <= 1


def apart(graphs: Sequence[Data], answer: Callable[[Sequence[Data]], Sequence[Data]]) -> list[Data]:
    """The answers to graphs with a position and to those without, in the order of the graphs."""
    kinds: tuple[list[Data], list[Data]] = ([], [])
    for graph in graphs:
        kinds["position" in graph].append(graph)
    answers = [iter(answer(alike)) for alike in kinds]
    return [next(answers["position" in graph]) for graph in graphs]


def read(network: GraphTransformNet, graphs: Sequence[Data]) -> Batch:
    """Graphs as a network reads them, one batch on its device."""
    each = [only(INPUT, graph) for graph in graphs]
    return Batch.from_data_list(each).to(next(network.parameters()).device)
