"""Input nodes that look alike: what is put out at them is alike, and some targets are not."""

from collections import Counter

from torch_geometric.data import Data

from ..data import OutputRoom, Pair
from ..edits import stable_colours
from ..graphs import make_graph, node_labels

MOST_NODES = 128
"""Of a graph that is looked at: to colour a long path takes the square of its nodes."""


def unlike_nodes(pair: Pair, *, by_edges: bool) -> tuple[int, int]:
    """Nodes of an input without places, and of its target, that are unlike all others there.

    A network that does not know the order of the nodes says the same at input nodes of one colour
    (Weisfeiler and Leman). So a target node that is unlike all others can only stand at an input
    node that is.

    Args:
        pair: The pair.
        by_edges: Whether edges of the target are put out without regard to the order of the nodes.
            If not, they tell output nodes apart, and only labels count.
    """
    wanted = pair.target if by_edges else make_graph(node_labels(pair.target))
    return _single(_with_numbers(pair.input)), _single(wanted)


def slots_to_differ(pair: Pair, *, by_edges: bool) -> float:
    """Output nodes that an input node needs so that all target nodes can differ; maybe infinite.

    None, where places tell the nodes of the input apart, or a graph is too large to be looked at.
    """
    nodes = max(pair.input.num_nodes or 0, pair.target.num_nodes or 0)
    if "position" in pair.input or nodes > MOST_NODES:
        return 0
    given, wanted = unlike_nodes(pair, by_edges=by_edges)
    return OutputRoom.slots_for(given, wanted) if wanted else 0


def _with_numbers(graph: Data) -> Data:
    """The same graph with the numbers of a node in its label."""
    numbers = graph.get("features")
    if numbers is None:
        return graph
    told = graph.clone()
    told.label = [f"{name} {row}" for name, row in zip(graph.label, numbers.tolist(), strict=True)]
    return told


def _single(graph: Data) -> int:
    (colours,) = stable_colours([graph])
    return sum(often == 1 for often in Counter(colours).values())
