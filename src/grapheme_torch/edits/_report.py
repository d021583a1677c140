"""What has to be edited to turn one graph into another, node by node and edge by edge."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import fsum
from typing import Any, Literal

from torch_geometric.data import Data

from .._check import Received, require
from .._displayed import Displayed
from ..graphs import (
    alike,
    check_data,
    edge_triples,
    is_directed,
    node_labels,
    positions_of,
    sorted_edges,
)
from ._assignment import Alignment, align
from ._edit_costs import EditCosts, Substitution
from ._edit_problem import GraphPair
from ._isomorphism import find_isomorphism

EditKind = Literal["kept", "relabelled", "inserted", "deleted"]

KINDS: tuple[EditKind, ...] = ("kept", "relabelled", "inserted", "deleted")

_MARKS: dict[EditKind, str] = {"kept": " ", "relabelled": "~", "inserted": "+", "deleted": "-"}


@dataclass(frozen=True)
class NodeEdit:
    """What became of one node.

    Args:
        kind: "kept", "relabelled", "inserted" (only in the target) or "deleted".
        predicted, target: The node in each graph; None where it has none.
        predicted_label, target_label: Its label in each graph.
        cost: 0 if it was kept.
    """

    kind: EditKind
    predicted: int | None
    target: int | None
    predicted_label: str | None
    target_label: str | None
    cost: float


@dataclass(frozen=True)
class EdgeEdit:
    """What became of one edge.

    Args:
        kind: "kept", "relabelled", "inserted" (only in the target) or "deleted".
        predicted, target: The two nodes it joins in each graph, from and to; None where it is not.
            Without a direction they stand as the graph stores them.
        predicted_label, target_label: Its relation in each graph.
        cost: 0 if it was kept.
    """

    kind: EditKind
    predicted: tuple[int, int] | None
    target: tuple[int, int] | None
    predicted_label: str | None
    target_label: str | None
    cost: float


@dataclass(frozen=True)
class EditReport(Displayed):
    """The edits that turn a predicted graph into a target graph.

    Args:
        cost: Sum of the costs of all edits.
        nodes: Every node of either graph once: those of the predicted graph in their order, then
            the inserted ones.
        edges: Every edge of either graph once, in the same order.
        start: How the alignment was found. "isomorphism", or the initial alignment that led the
            rounds of assignment to the least cost: "labels", "uniform", "order", "strict order".
        directed: Whether the directions of edges were compared. If not, each undirected edge is
            one edge.
    """

    cost: float
    nodes: tuple[NodeEdit, ...]
    edges: tuple[EdgeEdit, ...]
    start: str
    directed: bool = True

    @property
    def is_exact(self) -> bool:
        """Whether nothing has to be edited: the graphs are equal but for the numbering of nodes."""
        edits: list[NodeEdit | EdgeEdit] = [*self.nodes, *self.edges]
        return all(edit.kind == "kept" for edit in edits)

    def count(self, part: Literal["nodes", "edges"]) -> dict[EditKind, int]:
        """How many nodes, or edges, were kept, relabelled, inserted and deleted."""
        edits: tuple[NodeEdit, ...] | tuple[EdgeEdit, ...]
        edits = self.nodes if part == "nodes" else self.edges
        found = Counter(edit.kind for edit in edits)
        return {kind: found[kind] for kind in KINDS}

    def to_dict(self) -> dict[str, Any]:
        """The report as a document that JSON can hold."""
        return {
            "cost": self.cost,
            "start": self.start,
            "directed": self.directed,
            "node_counts": self.count("nodes"),
            "edge_counts": self.count("edges"),
            "nodes": [asdict(edit) for edit in self.nodes],
            "edges": [_edge_document(edit) for edit in self.edges],
        }

    def __str__(self) -> str:
        edges = _tally(self, "edges") + ("" if self.directed else " (undirected)")
        head = [f"edit cost {self.cost:g}", _tally(self, "nodes"), edges]
        rows = [_row("node", edit) for edit in self.nodes]
        rows += [_row("edge", edit) for edit in self.edges if edit.kind != "kept"]
        left = max((len(row[0]) for row in rows), default=0)
        body = [f"{start:<{left}}  {end}".rstrip() for start, end in rows]
        return "\n".join(head + body)


def edit_report(
    predicted: Data,
    target: Data,
    *,
    node_cost: float = 1.0,
    edge_cost: float = 1.0,
    node_substitution: Substitution | None = None,
    edge_substitution: Substitution | None = None,
) -> EditReport:
    """The edits that turn one hard graph into another, as few as a good alignment needs.

    Inserting, deleting or relabelling a node costs `node_cost`, an edge `edge_cost`; changing one
    label into another costs what the substitutions say, where they are given. The alignment is
    chosen for the least total of these costs. That total is an upper bound of the graph edit
    distance, and usually equal to it. It is zero for isomorphic graphs, and only for these if
    every cost is positive. It is the same in both directions if the substitutions are.

    Args:
        predicted, target: Graphs with any labels; at most one edge per ordered pair of nodes.
        node_cost, edge_cost: Prices of an edit; finite and not negative.
        node_substitution, edge_substitution: Costs of changing a label, where they differ from
            these prices: a mapping `{(predicted, target): cost}`, or a function of two labels. A
            pair that a mapping does not name costs what it says of the same pair in the other
            order, or else the price. Equal labels cost nothing, and no function is asked. An
            infinite cost forbids the change. An edge whose change costs more than a deletion
            and an insertion is deleted, and the other inserted.

    Raises:
        InputError: If a graph carries no labels or an edge twice, or a cost is out of range.
    """
    check_data(predicted)
    check_data(target)
    costs = EditCosts(node_cost, edge_cost, node_substitution, edge_substitution)
    return _reports([predicted], [target], costs)[0]


def edit_reports(
    predicted: Sequence[Data],
    target: Sequence[Data],
    *,
    node_cost: float = 1.0,
    edge_cost: float = 1.0,
    node_substitution: Substitution | None = None,
    edge_substitution: Substitution | None = None,
) -> list[EditReport]:
    """`edit_report` of many pairs of graphs, aligned together: much faster than one by one.

    Raises:
        InputError: As `edit_report`, and if there is not one target per predicted graph.
    """
    _check_graphs("`predicted`", predicted)
    _check_graphs("`target`", target)
    require(
        len(predicted) == len(target),
        "`target`",
        f"hold one graph per predicted graph ({len(predicted)})",
        Received(str(len(target))),
        "Give the graphs of both sides in the same order.",
    )
    costs = EditCosts(node_cost, edge_cost, node_substitution, edge_substitution)
    return _reports(predicted, target, costs)


def _reports(
    predicted: Sequence[Data], target: Sequence[Data], costs: EditCosts
) -> list[EditReport]:
    pairs = [alike(*pair) for pair in zip(predicted, target, strict=True)]
    for pair in pairs:
        for graph in pair:
            _check_single(graph)
    return [
        _report(*pair, alignment, costs)
        for pair, alignment in zip(pairs, _aligned(pairs, costs), strict=True)
    ]


def _check_graphs(name: str, graphs: object) -> None:
    remedy = "Give graphs in a list; of a batch they are `batch.to_data_list()`."
    require(isinstance(graphs, list | tuple), name, "be a list of graphs", graphs, remedy)


def _check_single(graph: Data) -> None:
    ends = Counter((source, target) for source, target, _ in sorted_edges(graph))
    twice = [pair for pair, times in ends.items() if times > 1]
    requirement = f"have at most one edge per {'ordered ' * is_directed(graph)}pair of nodes"
    require(not twice, "a graph", requirement, twice[:1], "Merge the edges into one.")


def _aligned(pairs: list[tuple[Data, Data]], costs: EditCosts) -> list[Alignment]:
    """The alignment of each pair: the isomorphism if there is one, else the best one found."""
    found = {
        k: Alignment(list(enumerate(same)), "isomorphism")
        for k, pair in enumerate(pairs)
        if (same := find_isomorphism(*pair)) is not None
    }
    left = [k for k in range(len(pairs)) if k not in found]
    sorted_pairs = [_in_order(*pairs[k]) for k in left]
    for k, pair, alignment in zip(left, sorted_pairs, align(sorted_pairs, costs), strict=True):
        found[k] = _turned(alignment) if pair.turned else alignment
    return [found[k] for k in range(len(pairs))]


def _in_order(predicted: Data, target: Data) -> GraphPair:
    """The pair, aligned the same way round whichever way it comes: ties are broken by order."""
    turned = _key(predicted) > _key(target)
    return GraphPair(target, predicted, True) if turned else GraphPair(predicted, target, False)


def _key(graph: Data) -> tuple[list[str], list[tuple[int, int, str]], list[float]]:
    place = positions_of(graph) or []
    return node_labels(graph), sorted_edges(graph), place


def _turned(alignment: Alignment) -> Alignment:
    return Alignment(sorted((j, i) for i, j in alignment.matched), alignment.start)


def _report(predicted: Data, target: Data, alignment: Alignment, costs: EditCosts) -> EditReport:
    partner = dict(alignment.matched)
    nodes = _node_edits(node_labels(predicted), node_labels(target), partner, costs)
    edges = _edge_edits(predicted, target, partner, costs)
    # Rounded once, so that the order of the edits is no matter.
    cost = fsum([*(edit.cost for edit in nodes), *(edit.cost for edit in edges)])
    return EditReport(cost, nodes, edges, alignment.start, is_directed(predicted))


def _node_edits(
    label: list[str], wanted: list[str], partner: dict[int, int], costs: EditCosts
) -> tuple[NodeEdit, ...]:
    reached = set(partner.values())
    edits = []
    for i, name in enumerate(label):
        j = partner.get(i)
        if j is None:
            edits.append(NodeEdit("deleted", i, None, name, None, costs.node))
        else:
            cost = costs.relabel_node(name, wanted[j])
            edits.append(NodeEdit(_kind(name, wanted[j]), i, j, name, wanted[j], cost))
    for j, name in enumerate(wanted):
        if j not in reached:
            edits.append(NodeEdit("inserted", None, j, None, name, costs.node))
    return tuple(edits)


def _edge_edits(
    predicted: Data, target: Data, partner: dict[int, int], costs: EditCosts
) -> tuple[EdgeEdit, ...]:
    wanted = edge_triples(target)
    relation = {(i, j): name for i, j, name in wanted}
    # Where each edge is found: without a direction, from either end.
    stored: dict[tuple[int | None, int | None], tuple[int, int]] = {ends: ends for ends in relation}
    if not is_directed(target):
        stored |= {(j, i): (i, j) for i, j in relation}
    edits, reached = [], set()
    for u, v, name in edge_triples(predicted):
        there = stored.get((partner.get(u), partner.get(v)))
        cost = None if there is None else costs.relabel_edge(name, relation[there])
        if there is None or cost is None or cost > 2 * costs.edge:
            edits.append(EdgeEdit("deleted", (u, v), None, name, None, costs.edge))
            continue
        reached.add(there)
        other = relation[there]
        edits.append(EdgeEdit(_kind(name, other), (u, v), there, name, other, cost))
    for i, j, name in wanted:
        if (i, j) not in reached:
            edits.append(EdgeEdit("inserted", None, (i, j), None, name, costs.edge))
    return tuple(edits)


def _kind(label: str, other: str) -> EditKind:
    return "kept" if label == other else "relabelled"


def _edge_document(edit: EdgeEdit) -> dict[str, Any]:
    ends = {"predicted": edit.predicted, "target": edit.target}
    return asdict(edit) | {name: pair and list(pair) for name, pair in ends.items()}


def _tally(report: EditReport, part: Literal["nodes", "edges"]) -> str:
    found = [f"{number} {kind}" for kind, number in report.count(part).items() if number]
    return f"{part}: {', '.join(found) or 'none'}"


def _row(word: str, edit: NodeEdit | EdgeEdit) -> tuple[str, str]:
    mark = _MARKS[edit.kind]
    start = f"{mark} {word} {_side(edit.predicted, edit.predicted_label)}"
    end = _side(edit.target, edit.target_label)
    return start.rstrip(), f"-> {end}" if end else ""


def _side(place: int | tuple[int, int] | None, label: str | None) -> str:
    if place is None:
        return ""
    where = str(place) if isinstance(place, int) else f"{place[0]}-{place[1]}"
    return f"{where} {label!r}"
