"""Several groups of slots, each compared with the same target: one-to-many in one call."""

from dataclasses import replace

import torch
from torch import Tensor

from ..._check import refusal
from ..._union import runs
from ...prediction import Prediction
from .._options import check_count
from ._layout import Layout
from ._pairs import Pairs, Target


def grouped(prediction: Prediction, pairs: Pairs, groups: int) -> tuple[Prediction, Pairs]:
    """The nodes of each graph in groups of equal size, each a pair with the same target.

    Args:
        prediction: The logits that the pairs were made of.
        pairs: Their nodes stand group after group within each graph.
        groups: How many. Candidates between two groups are left out.

    Raises:
        InputError: If a graph cannot be divided.
    """
    check_count("groups", groups, 1, "be at least 1", "1 is the usual loss.")
    whole = pairs.layout
    uneven = (whole.count % groups).nonzero()[:, 0]
    if len(uneven):
        k = int(uneven[0])
        wanted = f"have a multiple of {groups} nodes in each graph, for as many groups (graph {k})"
        remedy = "Give each group the same number of slots."
        raise refusal("`prediction`", wanted, int(whole.count[k]), remedy)
    size = (whole.count // groups).clamp(min=1)
    layout = Layout.of(whole.batch * groups + whole.place // size[whole.batch], len(size) * groups)
    each = size[pairs.graph]
    group = pairs.source // each
    within = (group == pairs.sink // each).nonzero()[:, 0]
    kept = prediction.take(edges=within)
    return kept, replace(
        pairs,
        layout=layout,
        edge_outputs=pairs.edge_outputs[within],
        relation=pairs.relation[within],
        weight=None if pairs.weight is None else pairs.weight[within],
        graph=(pairs.graph * groups + group)[within],
        source=(pairs.source % each)[within],
        sink=(pairs.sink % each)[within],
        target=_repeated(pairs.target, groups),
    )


def _repeated(target: Target, groups: int) -> Target:
    """Each target as often as there are groups, one after the other."""
    count = target.layout.count
    copies = count.repeat_interleave(groups)
    node = runs((count.cumsum(0) - count).repeat_interleave(groups), copies)
    graph = torch.arange(len(copies), device=count.device).repeat_interleave(copies)
    edge = torch.arange(len(target.graph), device=count.device).repeat(groups)
    free = target.ignored_edges
    ends = _copied((target.graph, target.source, target.sink), groups)
    return Target(
        Layout(graph, target.layout.place[node], copies, target.layout.width),
        target.y[node],
        *ends,
        target.relation[edge],
        _rows(target.weight, edge),
        _rows(target.position, node),
        _rows(target.attributes, edge),
        _rows(target.ignored, node),
        None if free is None else _copied(free, groups),
        target.several,
    )


def _copied(edges: tuple[Tensor, Tensor, Tensor], groups: int) -> tuple[Tensor, Tensor, Tensor]:
    """Graph, source and sink of edges, once in each copy of their graph."""
    graph, source, sink = (each.repeat(groups) for each in edges)
    copy = torch.arange(groups, device=graph.device).repeat_interleave(len(edges[0]))
    return graph * groups + copy, source, sink


def _rows(values: Tensor | None, kept: Tensor) -> Tensor | None:
    return None if values is None else values[kept]
