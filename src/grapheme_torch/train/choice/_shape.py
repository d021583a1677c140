"""Whether a target is a path, a tree, or has a cycle."""

import torch
from torch_geometric.data import Data

from ...graphs import is_acyclic
from ._data_facts import Shape


def shape_of(graph: Data) -> Shape:
    """The strictest shape of a directed graph; one without nodes is a path."""
    edge_index, nodes = graph.edge_index, graph.num_nodes or 0
    assert edge_index is not None
    if not is_acyclic(graph):
        return "graph"
    heads = torch.bincount(edge_index[1], minlength=nodes)
    joined = edge_index.shape[1] == max(nodes - 1, 0)
    if not joined or bool((heads > 1).any()):
        return "acyclic"
    branches = torch.bincount(edge_index[0], minlength=nodes)
    return "tree" if bool((branches > 1).any()) else "path"
