"""The network for the pairs of a run, before it is trained."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch

from ..nn import GraphTransformNet, num_candidates
from ._candidates import choose_candidates
from ._data import Split
from ._datamodule import PairsDataModule


def untrained_network(data: PairsDataModule, **options: Any) -> GraphTransformNet:
    """A network for these pairs that expects as many nodes and edges as their targets have.

    Args:
        data: The pairs.
        options: Arguments of `GraphTransformNet` besides labels, relations and directed;
            `candidates` may be "auto", then the data decide, and on the `window` too if none is
            given.

    Raises:
        InputError: If an option is refused, or an alignment that the data tell is none.
    """
    split = data.split
    if options.get("candidates") == "auto":
        slots = options.get("slots", 1)
        chosen = choose_candidates(split.train, directed=split.directed, slots=slots)
        given = {} if options.get("window") is None else {"window": options["window"]}
        options |= chosen | given
    options["directed"] = split.directed
    model = GraphTransformNet(split.alphabet.labels, split.alphabet.relations, **options)
    # Of all ordered pairs so few are edges that learning this would take the first epochs; edges
    # that get less likely with their length are few already.
    many = model.candidates == "all" and not model.heads.locality
    edges = share_of_edges(split, model) if many else None
    model.expect(share_of_nodes(split, model.num_slots), edges)
    return model


def check_network(options: Mapping[str, Any]) -> None:
    """Refuses what no data would make right, before they are read: a network without weights."""
    chosen = {"candidates": "forward"} if options.get("candidates") == "auto" else {}
    # What is too large for PyTorch to describe is told when it is to be made.
    with torch.device("meta"), suppress(RuntimeError):
        GraphTransformNet(["a"], ["b"], **{**options, **chosen})


def share_of_nodes(split: Split, slots: int) -> float:
    """Nodes of the training targets as a share of the output nodes of a network."""
    wanted = sum(pair.target.num_nodes or 0 for pair in split.train)
    return wanted / (slots * sum(pair.input.num_nodes or 0 for pair in split.train))


def share_of_edges(split: Split, network: GraphTransformNet) -> float | None:
    """Edges of the training targets as a share of a network's candidates; None without any."""
    kind: dict[str, Any] = {"kind": network.candidates, "window": network.window}
    sizes = (network.num_slots * (pair.input.num_nodes or 0) for pair in split.train)
    offered = sum(num_candidates(size, **kind) for size in sizes)
    wanted = sum(pair.target.num_edges for pair in split.train)
    return min(wanted / offered, 1.0) if wanted and offered else None
