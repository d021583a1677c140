"""Where the nodes of a graph stand in a picture, and what is written into them."""

import unicodedata
from dataclasses import dataclass

import networkx as nx
from matplotlib.font_manager import findfont, get_font
from torch_geometric.data import Data

from ..graphs import edge_triples, is_directed, node_labels, path_order, sorted_edges
from ._style import FONT


@dataclass(frozen=True)
class Row:
    """A graph on the page as an arc diagram: its nodes in a row, longer edges as arcs.

    Args:
        labels, edges: Of the graph; undirected edges lead from left to right.
        column: Place of each node in the row.
        x, y: Place of each node on the page, and of the row, in widths of a lone column.
        side: Where arcs rise, away from the other graph: 1 up, -1 down.
        directed: Whether an edge has a direction.
    """

    labels: list[str]
    edges: list[tuple[int, int, str]]
    column: list[int]
    x: list[float]
    y: float
    side: int
    directed: bool = True

    def rise(self, u: int, v: int) -> float:
        """The height of the arc of an edge or loop; zero between neighbours from left to right."""
        columns = self.column[v] - self.column[u]
        if columns in (0, 1):
            return 0.85 * (1 - columns)
        return 0.35 + 0.28 * abs(columns) + (0.15 if columns < -1 else 0.0)

    @property
    def height(self) -> float:
        """Of the highest arc."""
        return max((self.rise(u, v) for u, v, _ in self.edges), default=0.0)


def arranged(graph: Data, spacing: float, y: float, side: int) -> Row:
    """`graph` as a row at height `y`, with this space between the centres of nodes."""
    column = _columns(graph)
    x, edges, directed = [spacing * k for k in column], edge_triples(graph), is_directed(graph)
    if not directed:
        edges = [(u, v, r) if column[u] <= column[v] else (v, u, r) for u, v, r in edges]
    return Row(node_labels(graph), edges, column, x, y, side, directed)


def column_width(relations: set[str]) -> float:
    """The width of a column: the names of the edges between neighbours must fit."""
    longest = max((len(clipped(drawable(name))) for name in relations), default=0)
    return 1.1 + 0.13 * longest if len(relations) > 1 else 1.0


def _columns(graph: Data) -> list[int]:
    """The place of each node in a row: along the path, else sources before sinks.

    Without directions: along the edges.
    """
    order = path_order(graph) if is_directed(graph) else _walk(graph)
    if order is None:
        order = _topological(graph)
    column = [0] * len(order)
    for place, node in enumerate(order):
        column[node] = place
    return column


def _topological(graph: Data) -> list[int]:
    """The nodes so that edges go right, else by number; the nodes of a cycle stay together."""
    digraph: nx.DiGraph[int] = nx.DiGraph()
    digraph.add_nodes_from(range(len(node_labels(graph))))
    digraph.add_edges_from((u, v) for u, v, _ in edge_triples(graph))
    knots = nx.condensation(digraph)
    members = {knot: sorted(nodes) for knot, nodes in knots.nodes(data="members")}
    order = nx.lexicographical_topological_sort(knots, key=lambda knot: members[knot][0])
    return [node for knot in order for node in members[knot]]


def _walk(graph: Data) -> list[int]:
    """The nodes of each part along its edges, depth first from an end: a path as it is, a ring."""
    whole: nx.Graph[int] = nx.Graph()
    whole.add_nodes_from(range(len(node_labels(graph))))
    whole.add_edges_from((u, v) for u, v, _ in sorted_edges(graph))
    order: list[int] = []
    for part in nx.connected_components(whole):
        start = min(part, key=lambda node: (len(whole[node]), node))
        order += nx.dfs_preorder_nodes(whole, start)
    return order


def drawable(label: str) -> str:
    """`label` as the font can draw it: a space as its sign, an unknown character as "U+1F642"."""
    known = get_font(findfont(FONT)).get_charmap()
    if label == " ":
        return "\N{OPEN BOX}"
    visible = label.strip() and not any(unicodedata.category(c)[0] == "C" for c in label)
    if visible and all(ord(c) in known for c in label):
        return clipped(label)
    if not label:
        return "\N{EMPTY SET}"
    more = f"\n+{len(label) - 1}" if len(label) > 1 else ""
    return f"U+\n{ord(label[0]):04X}{more}"


def clipped(text: str) -> str:
    """`text`, cut where it would be too long for a node."""
    return text if len(text) <= 9 else text[:8] + "\N{HORIZONTAL ELLIPSIS}"
