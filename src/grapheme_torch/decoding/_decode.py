"""From a prediction to graphs: the most probable ones, or the most probable valid ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch_geometric.data import Data

from .._check import Received, notice, require
from .._union import check_batch, check_edges
from ..graphs import check_flag, make_graph
from ..prediction import Prediction
from ._bounded import LIMIT, least_change
from ._bounds import Bounds, Constraint
from ._decisions import Decisions, Edge
from ._subgraphs import (
    Gains,
    best_path,
    greedy_acyclic,
    greedy_path,
    spanning_arborescence,
    spanning_forest,
)


def decode(
    prediction: Prediction,
    labels: Sequence[str],
    relations: Sequence[str],
    constraint: Constraint | Bounds | None = None,
    *,
    directed: bool | None = None,
    own: Sequence[str] | None = None,
) -> list[Data]:
    """The most probable graphs of a prediction, or the most probable ones of a shape.

    Without a constraint each node and each edge is decided for itself. A node is kept if it
    exists with probability over one half. An edge between kept nodes is kept if its most probable
    relation is not *absent*. A kept node carries its most probable label. With a constraint the
    graph is chosen as a whole, by the gains (E34) in log-probability; no edge is a loop.

    - "path": one directed path through all nodes. If every candidate leads to a later node,
      nodes and edges are chosen together and exactly (E35). A doubtful node may then stay to hold
      the path together, or go. Otherwise nodes are kept as without a constraint and joined
      greedily, best edge first; where the candidates leave several paths, only the best stays.
    - "tree": nodes as without a constraint; one of them has no parent, every other exactly one;
      exact (E36). Where the candidates allow no such tree: as few trees as possible. Not directed:
      the spanning tree of largest gain, or forest.
    - "acyclic": nodes as without a constraint, and edges that make no cycle: the best first, each
      unless it closes one. Exact if every candidate leads to a later node, or if not directed;
      greedy otherwise.
    - `Bounds`: what all training targets obey. Of all graphs that obey, the one that contradicts
      the decisions without a constraint least, in log-odds (E51); exact. It is that of no
      constraint where that one obeys. Nodes may go or come as well. A search that takes too long
      is given up, with a `Notice`, and the best graph found that obeys is the answer.

    Args:
        prediction: Soft graphs, in logits.
        labels: Name of each node class.
        relations: Name of each relation from 1 on.
        constraint: What the graphs have to be. Default: anything.
        directed: Whether an edge has a direction. If not, candidates are given in one direction
            each, a path may pass them either way, and a cycle is one of any directions. Default:
            `prediction.directed`.
        own: For each predicted node the label that class `len(labels)` stands for, that of the
            input node it stands at. Needed where the prediction has this class.

    Returns:
        One graph per predicted graph, directed or not as the prediction is. Nodes keep their order,
        and their place where they have one number for it.

    Raises:
        InputError: If the constraint is none of these, a class or relation has no name, or a pair
            of nodes is a candidate twice. If bounds are for edges of another kind, or a logit is
            no number where there are bounds.
    """
    parts = decode_parts(prediction, labels, relations, constraint, directed=directed, own=own)
    return [part.graph for part in parts]


@dataclass(frozen=True)
class Decoded:
    """A graph that was decoded, and what it was made of.

    Args:
        graph: As `decode` gives it.
        nodes: The predicted node, in the numbering of the batch, that each of its nodes is.
        edges: The candidate edge that each of its edges is.
    """

    graph: Data
    nodes: list[int]
    edges: list[int]


def decode_parts(
    prediction: Prediction,
    labels: Sequence[str],
    relations: Sequence[str],
    constraint: Constraint | Bounds | None = None,
    *,
    directed: bool | None = None,
    own: Sequence[str] | None = None,
) -> list[Decoded]:
    """As `decode`, and which predicted nodes and candidate edges each graph is made of."""
    shape = None if isinstance(constraint, Bounds) else constraint
    directed = checked_direction(prediction, labels, relations, shape, directed, own)
    classes = prediction.label[:, : len(labels) + (own is not None)]
    label = classes.argmax(1).tolist() if classes.shape[1] else []
    place_of = prediction.position
    where = None if place_of is None or place_of.ndim > 1 else place_of.tolist()
    found = []
    for soft, nodes, edges in _choices(prediction, constraint, relations, directed=directed):
        place = {node: k for k, node in enumerate(nodes)}
        ends = zip(soft.edges([e for e, _ in edges]), edges, strict=True)
        joined = [(place[u], place[v], relations[kind]) for (_, u, v), (_, kind) in ends]
        named = [_name(label[soft.first + node], soft.first + node, labels, own) for node in nodes]
        position = None if where is None else [where[soft.first + node] for node in nodes]
        graph = make_graph(named, joined, position, directed=directed)
        numbers = [soft.first + node for node in nodes]
        found.append(Decoded(graph, numbers, soft.candidate[[e for e, _ in edges]].tolist()))
    return found


def _choices(
    prediction: Prediction,
    constraint: Constraint | Bounds | None,
    relations: Sequence[str],
    *,
    directed: bool,
) -> Iterator[tuple["_SoftGraph", list[int], list[Edge]]]:
    """Each soft graph with its nodes, and its edges as (candidate, relation), both ascending."""
    if isinstance(constraint, Bounds):
        yield from _bounded(prediction, constraint, relations, directed=directed)
        return
    present = prediction.relation[:, 1:]
    relation = present.argmax(1).tolist() if present.shape[1] else []
    for soft in _soft_graphs(prediction):
        nodes, edges = _chosen(soft, constraint, directed=directed)
        yield soft, nodes, [(e, relation[soft.candidate[e]]) for e in edges]


def _bounded(
    prediction: Prediction, bounds: Bounds, relations: Sequence[str], *, directed: bool
) -> Iterator[tuple["_SoftGraph", list[int], list[Edge]]]:
    """As `_choices`; tells once how often the search was given up."""
    fits = bounds.directed == directed
    remedy = "Take the bounds of graphs whose edges are as those of the answers."
    got = Received(
        "bounds of directed graphs" if bounds.directed else "bounds of undirected graphs"
    )
    require(fits, "`constraint`", f"be for directed={directed}", got, remedy)
    node, relation = prediction.existence.double(), prediction.relation.double()
    for name, part in (("existence", node), ("relation", relation)):
        bad, remedy = int(part.isnan().sum()), "Look for where the network first gives NaN."
        require(not bad, f"`prediction.{name}`", "hold numbers", Received(f"{bad} NaN"), remedy)
    odds, given_up, count = _array(node), list[int](), 0
    against = _array(relation[:, 1:] - relation[:, :1])
    for count, soft in enumerate(_soft_graphs(prediction), 1):
        ends = np.stack([soft.gains.source, soft.gains.sink])
        own = odds[soft.first : soft.first + len(soft.exists)]
        said = Decisions.of(own, ends, against[soft.candidate], relations)
        choice, certain = least_change(said, bounds)
        if not certain:
            given_up.append(count - 1)
        yield soft, choice.nodes, choice.edges
    if given_up:
        notice(
            f"{len(given_up)} of {count} graphs, first number {given_up[0]}: the search within the "
            f"bounds was given up after {LIMIT:g} s each. The answers obey the bounds, but others "
            "may contradict the network less. Train it for longer, or leave the constraint out."
        )


def checked_direction(
    prediction: Any, labels: Any, relations: Any, constraint: Any, directed: Any, own: Any
) -> bool:
    """Refuses arguments of `decode` that do not fit; whether edges have a direction."""
    _check_names(prediction, labels, relations, constraint, own)
    directed = prediction.directed if directed is None else directed
    check_flag("`directed`", directed)
    check_batch("prediction", prediction.batch, prediction.num_graphs)
    check_edges("prediction", prediction.edge_index, prediction.batch, directed)
    return bool(directed)


def _check_names(prediction: Any, labels: Any, relations: Any, constraint: Any, own: Any) -> None:
    """Refuses arguments of `decode` that do not fit the prediction."""
    remedy = "Call a network, or build one with `Prediction(...)`."
    fits = isinstance(prediction, Prediction)
    require(fits, "`prediction`", "be a `Prediction`", prediction, remedy)
    known = get_args(Constraint)
    asked = constraint is None or (isinstance(constraint, str) and constraint in known)
    remedy = "Leave it out to allow any graph."
    require(asked, "`constraint`", f"be one of {', '.join(known)}", constraint, remedy)
    # One class more than labels may stand for the label of the input node.
    classes, columns = prediction.label.shape[1], prediction.relation.shape[1]
    some = classes > 0 or not len(prediction.existence)
    remedy = "Give each node a logit for every class."
    require(some, "`prediction.label`", "have a class", classes, remedy)
    for name, value, least, what in (
        ("labels", labels, classes - 1, f"each of the {classes} node classes"),
        ("relations", relations, columns - 1, f"each of the {columns - 1} relations from 1 on"),
        ("own", own, len(prediction.existence), f"each of the {len(prediction.existence)} nodes"),
    ):
        if value is None and name == "own":
            continue
        listed = isinstance(value, Sequence) and all(isinstance(one, str) for one in value)
        enough = listed and len(value) >= least
        remedy = "Give the names in the order of their numbers."
        require(enough, f"`{name}`", f"hold a string for {what}", value, remedy)


def _name(kind: int, node: int, labels: Sequence[str], own: Sequence[str] | None) -> str:
    return labels[kind] if own is None or kind < len(labels) else own[node]


@dataclass(frozen=True)
class _SoftGraph:
    """One graph of a prediction.

    Args:
        first: The number of its first node in the batch.
        exists: Which nodes exist with probability over one half.
        candidate: The number in the batch of each candidate edge.
        gains: What each node and each candidate edge adds to the log-probability, (E34).
    """

    first: int
    exists: Bool[np.ndarray, " n"]
    candidate: Int[np.ndarray, " e"]
    gains: Gains

    def edges(self, chosen: list[int]) -> Iterator[tuple[int, int, int]]:
        """The number in the batch, source and sink of some candidate edges."""
        ends = self.gains.source[chosen], self.gains.sink[chosen]
        numbers = (part.tolist() for part in (self.candidate[chosen], *ends))
        return zip(*numbers, strict=True)


def _soft_graphs(prediction: Prediction) -> Iterator[_SoftGraph]:
    """The graphs of a batch one by one, in double precision on the CPU."""
    node, edge = _gains(prediction)
    exists = _array(prediction.existence > 0)
    batch, ends = _array(prediction.batch), _array(prediction.edge_index)
    possible = np.flatnonzero(edge > -np.inf)
    of_edge = batch[ends[0, possible]]
    candidates = possible[np.argsort(of_edge, kind="stable")]  # graphs may lie mixed
    each = np.arange(prediction.num_graphs + 1)
    nodes = np.searchsorted(batch, each).tolist()
    edges = np.searchsorted(np.sort(of_edge), each).tolist()
    for k in range(prediction.num_graphs):
        own, candidate = slice(nodes[k], nodes[k + 1]), candidates[edges[k] : edges[k + 1]]
        source, sink = ends[:, candidate] - nodes[k]
        gains = Gains(node[own], source, sink, edge[candidate])
        yield _SoftGraph(nodes[k], exists[own], candidate, gains)


def _gains(prediction: Prediction) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " e"]]:
    """What each node and each candidate edge adds to the log-probability of a graph, (E34)."""
    label, relation = prediction.label.double(), prediction.relation.double()
    node = prediction.existence.double()
    if label.shape[1]:
        node = node + label.log_softmax(1).amax(1)
    if relation.shape[1] < 2:  # no relation, no edge
        return _array(node), np.full(len(relation), -np.inf)
    return _array(node), _array(relation[:, 1:].amax(1) - relation[:, 0])


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _chosen(
    soft: _SoftGraph, constraint: Constraint | None, *, directed: bool
) -> tuple[list[int], list[int]]:
    """The nodes to keep and the candidates to make edges of, ascending, as in the graph."""
    gains = soft.gains
    # A path that can only lead forward decides about its nodes itself.
    whole = constraint == "path" and directed and gains.is_forward
    kept = np.ones_like(soft.exists) if whole else soft.exists
    allowed = kept[gains.source] & kept[gains.sink]
    if constraint is None:
        return np.flatnonzero(kept).tolist(), np.flatnonzero(allowed & (gains.edge > 0)).tolist()
    inner = np.flatnonzero(allowed & (gains.source != gains.sink))
    number = kept.cumsum() - 1
    ends = number[gains.source[inner]], number[gains.sink[inner]]
    part = Gains(gains.node[kept], *ends, gains.edge[inner])
    if whole:
        nodes, edges = best_path(part)
    elif constraint == "path":
        nodes, edges = greedy_path(part, directed=directed)
    else:
        nodes, edges = list(range(len(part.node))), _joined(part, constraint, directed=directed)
    return np.flatnonzero(kept)[nodes].tolist(), sorted(inner[edges].tolist())


def _joined(gains: Gains, constraint: Constraint, *, directed: bool) -> list[int]:
    """The edges of the best tree, or of the best acyclic graph, over all nodes."""
    if constraint == "tree":
        every = np.arange(len(gains.edge))
        return spanning_arborescence(gains) if directed else spanning_forest(gains, every)
    if directed:
        return greedy_acyclic(gains)
    return spanning_forest(gains, np.flatnonzero(gains.edge > 0))
