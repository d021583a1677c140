"""The network for the pairs of a run, before it is trained."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..data import OutputRoom
from ..nn import (
    CandidateEdges,
    GraphTransformNet,
    OutputQueries,
    OutputSlots,
    grouped,
    num_candidates,
)
from ._candidates import choose_candidates
from ._data import Split
from ._datamodule import PairsDataModule
from ._predict import room_of


def untrained_network(data: PairsDataModule, **options: Any) -> GraphTransformNet:
    """A network for these pairs that expects as many nodes and edges as their targets have.

    The numbers on the nodes of their inputs are standardised.

    Args:
        data: The pairs.
        options: Arguments of `GraphTransformNet` besides those that the data decide; groups may
            be mappings, such as `slots={"per_node": 2}`. Candidates whose pairs are "auto" are
            chosen by the data, and their window too if none is given.

    Raises:
        InputError: If an option is refused, or an alignment that the data tell is none.
    """
    split, options = data.split, grouped(options)
    candidates: CandidateEdges | None = options.get("candidates")
    if candidates is not None and candidates.pairs == "auto":
        room = room_asked(options)
        chosen: dict[str, Any] = {"pairs": "all"}
        if not room.queries:
            each = room.per_node
            chosen = choose_candidates(split.train, directed=split.directed, slots=each)
        if candidates.window is not None:
            chosen["window"] = candidates.window
        options["candidates"] = replace(candidates, **chosen)
    options |= {"uncopied": split.uncopied, "directed": split.directed}
    options["features"] = split.facts.features
    model = GraphTransformNet(split.alphabet.labels, split.alphabet.relations, **options)
    # Of all ordered pairs so few are edges that learning this would take the first epochs; edges
    # that get less likely with their length are few already.
    many = model.candidates == "all" or model.num_queries
    edges = share_of_edges(split, model) if many and not model.heads.locality else None
    model.expect(share_of_nodes(split, room_of(model)), edges)
    standardise(model, split)
    return model


def standardise(model: GraphTransformNet, split: Split) -> None:
    """Has a network know mean and deviation of the numbers of the inputs, if it knows none yet."""
    if model.features is not None and not model.features.is_measured:
        model.features.standardise(split.moments)


def check_network(options: Mapping[str, Any]) -> None:
    """Refuses what no data would make right, before they are read: a network without weights."""
    options = grouped(options)
    if pairs_asked(options) == "auto":
        options["candidates"] = replace(options["candidates"], pairs="all")
    # What is too large for PyTorch to describe is told when it is to be made.
    with torch.device("meta"), suppress(RuntimeError):
        GraphTransformNet(["a"], ["b"], **options)


def room_asked(options: Mapping[str, Any]) -> OutputRoom:
    """Output nodes for an input, of grouped options of a network."""
    slots = options.get("slots") or OutputSlots()
    queries = options.get("queries") or OutputQueries()
    return OutputRoom(int(slots.per_node), int(queries.number))


def pairs_asked(options: Mapping[str, Any]) -> str:
    """Which pairs of output nodes may have an edge, of grouped options of a network."""
    candidates = options.get("candidates") or CandidateEdges()
    return str(candidates.pairs)


def share_of_nodes(split: Split, room: OutputRoom) -> float:
    """Nodes of the training targets as a share of the output nodes of a network."""
    given, wanted = split.train.sizes.astype(np.int64).T
    return float(wanted.sum() / room.of(given).sum())


def share_of_edges(split: Split, network: GraphTransformNet) -> float | None:
    """Edges of the training targets as a share of a network's candidates; None without any."""
    kind: dict[str, Any] = {
        "kind": network.candidates, "window": network.window, "loops": network.loops
    }  # fmt: skip
    sizes, often = np.unique(split.train.sizes[:, 0], return_counts=True)
    each = zip(sizes.tolist(), often.tolist(), strict=True)
    room = room_of(network)
    offered = sum(many * num_candidates(room.of(size), **kind) for size, many in each)
    return min(split.edges / offered, 1.0) if split.edges and offered else None
