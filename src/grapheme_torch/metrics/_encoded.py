"""Predictions and encoded targets, as graphs with labels."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from .._check import Received, refusal, require
from .._tensors import described, has_numbers
from ..data import Alphabet
from ..decoding import Bounds, Constraint, decode
from ..graphs import is_directed, make_graph, membership, undirected
from ..prediction import Prediction


def labelled(
    predicted: Prediction,
    target: Data | Sequence[Data],
    alphabet: Alphabet | None,
    constraint: Constraint | Bounds | None,
) -> tuple[list[Data], list[Data]]:
    """The decoded graphs of a prediction, and its targets with the same names.

    Args:
        predicted: What a network says.
        target: As `StructuralLoss` takes it: classes `y`, and `edge_type` where there are several.
        alphabet: Names of the classes. Default: their numbers.
        constraint: What the predicted graphs have to be, see `decode`.

    Raises:
        InputError: If a target has no classes, or one that has no name.
    """
    if alphabet is None:
        labels = [str(c) for c in range(predicted.label.shape[1])]
        relations = [str(r) for r in range(1, max(predicted.relation.shape[1], 2))]
    else:
        labels, relations = list(alphabet.labels), list(alphabet.relations)
    wanted = [target] if isinstance(target, Data) else list(target)
    ends = predicted.edge_index.sort(0).values
    one_way = ends.unique(dim=1).shape[1] == ends.shape[1]
    named = []
    for one in wanted:
        for graph in _graphs(one, labels, relations):
            # As the loss reads it: one that does not say so may store both directions.
            if one.get("directed") is None and one_way:
                del graph.directed
            told = one if one.get("directed") is not None else graph
            named.append(graph if predicted.directed and is_directed(told) else undirected(graph))
    own = _copied(predicted, labels)
    return decode(predicted, labels, relations, constraint, own=own), named


def _copied(predicted: Prediction, labels: Sequence[str]) -> list[str] | None:
    """A name that no target has, for the class of a copied label; None without such a class.

    It is a label outside of `labels`, and an encoded target has only these: it is always wrong.
    """
    if predicted.label.shape[1] != len(labels) + 1:
        return None
    name = "?"
    while name in labels:
        name += "?"
    return [name] * len(predicted.existence)


def _graphs(target: Data | Batch, labels: Sequence[str], relations: Sequence[str]) -> list[Data]:
    """The graphs of an encoded target."""
    kind = _classes("y", target.get("y"), range(len(labels)))
    several = target.get("batch") is not None
    owner, count = membership(target) if several else (torch.zeros(len(kind)).long(), 1)
    ends: Any = target.edge_index
    step = torch.ones(ends.shape[1], dtype=torch.long)
    relation = _classes("edge_type", target.get("edge_type", step), range(1, len(relations) + 1))
    remedy = "Give one class per node, and one relation per edge."
    sizes, found = (len(owner), ends.shape[1]), (len(kind), len(relation))
    require(sizes == found, "`target`", f"have classes for {sizes} nodes and edges", found, remedy)
    names = [labels[c] for c in kind]
    owners, pairs = owner.tolist(), ends.t().tolist()
    graphs = []
    members: list[list[int]] = [[] for _ in range(count)]
    for node, k in enumerate(owners):
        members[k].append(node)
    joined: list[list[tuple[int, int, str]]] = [[] for _ in range(count)]
    place = {node: i for nodes in members for i, node in enumerate(nodes)}
    for (u, v), r in zip(pairs, relation, strict=True):
        joined[owners[u]].append((place[u], place[v], relations[r - 1]))
    for nodes, edges in zip(members, joined, strict=True):
        graphs.append(make_graph([names[node] for node in nodes], edges))
    return graphs


def _classes(name: str, value: Any, known: range) -> list[int]:
    """Classes that all have a name."""
    fits = has_numbers(value) and value.ndim == 1 and not value.is_floating_point()
    if not fits:
        wanted = "hold one class per row, int64, to be compared after decoding"
        raise refusal(f"`target.{name}`", wanted, described(value), _REMEDY)
    assert isinstance(value, Tensor)
    numbers: list[int] = value.tolist()
    strange = [x for x in numbers if x not in known]
    wanted = f"lie in {known.start} to {known.stop - 1}"
    got = Received(str(strange[0])) if strange else ""
    require(not strange, f"`target.{name}`", wanted, got, _REMEDY)
    return numbers


_REMEDY = "Leave ignored nodes out, or give graphs with labels to `update`."
