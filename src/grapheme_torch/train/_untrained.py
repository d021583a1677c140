"""The network for the pairs of a run, before it is trained."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..nn import CandidateEdges, GraphTransformNet, OutputSlots, grouped, num_candidates
from ._candidates import choose_candidates
from ._data import Split
from ._datamodule import PairsDataModule


def untrained_network(data: PairsDataModule, **options: Any) -> GraphTransformNet:
    """A network for these pairs that expects as many nodes and edges as their targets have.

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
        slots = slots_asked(options)
        chosen = choose_candidates(split.train, directed=split.directed, slots=slots)
        if candidates.window is not None:
            chosen["window"] = candidates.window
        options["candidates"] = replace(candidates, **chosen)
    options |= {"uncopied": split.uncopied, "directed": split.directed}
    model = GraphTransformNet(split.alphabet.labels, split.alphabet.relations, **options)
    # Of all ordered pairs so few are edges that learning this would take the first epochs; edges
    # that get less likely with their length are few already.
    many = model.candidates == "all" and not model.heads.locality
    edges = share_of_edges(split, model) if many else None
    model.expect(share_of_nodes(split, model.num_slots), edges)
    return model


def check_network(options: Mapping[str, Any]) -> None:
    """Refuses what no data would make right, before they are read: a network without weights."""
    options = grouped(options)
    if pairs_asked(options) == "auto":
        options["candidates"] = replace(options["candidates"], pairs="all")
    # What is too large for PyTorch to describe is told when it is to be made.
    with torch.device("meta"), suppress(RuntimeError):
        GraphTransformNet(["a"], ["b"], **options)


def slots_asked(options: Mapping[str, Any]) -> int:
    """Output nodes per input node, of grouped options of a network."""
    slots = options.get("slots") or OutputSlots()
    return int(slots.per_node)


def pairs_asked(options: Mapping[str, Any]) -> str:
    """Which pairs of output nodes may have an edge, of grouped options of a network."""
    candidates = options.get("candidates") or CandidateEdges()
    return str(candidates.pairs)


def share_of_nodes(split: Split, slots: int) -> float:
    """Nodes of the training targets as a share of the output nodes of a network."""
    given, wanted = split.train.sizes.sum(0).tolist()
    return wanted / (slots * given)


def share_of_edges(split: Split, network: GraphTransformNet) -> float | None:
    """Edges of the training targets as a share of a network's candidates; None without any."""
    kind: dict[str, Any] = {"kind": network.candidates, "window": network.window}
    sizes, often = np.unique(split.train.sizes[:, 0], return_counts=True)
    each = zip(sizes.tolist(), often.tolist(), strict=True)
    offered = sum(many * num_candidates(network.num_slots * size, **kind) for size, many in each)
    return min(split.edges / offered, 1.0) if split.edges and offered else None
