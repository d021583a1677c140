"""How alike one predicted graph and its target are: trees, texts, neighbourhoods."""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import islice
from math import sqrt
from typing import Literal

import networkx as nx
from torch_geometric.data import Data
from torchmetrics.functional.text import edit_distance

from ..edits import EditReport, refinements
from ..graphs import edge_triples, graph_to_text, is_directed, node_labels, path_order

Matching = Literal["edits", "order"]

ROUNDS = 3
"""Rounds of refinement in the kernel: neighbourhoods of this radius are compared."""

Heads = list[dict[int, str]]
"""The heads of each node, which is where its edges come from, with their relations."""


def attachment(
    predicted: Data, target: Data, report: EditReport, matching: Matching
) -> tuple[int, int, int] | None:
    """How many nodes of a target tree have the right head, and the right relation to it as well.

    Returns:
        Nodes of the target, those of them with the right head, those with the right relation to
        it; None if the target is no directed tree, where one node has no head and every other one.
    """
    if not _is_tree(target):
        return None
    wanted, found = _heads(target), _heads(predicted)
    partner = {edit.predicted: edit.target for edit in report.nodes if edit.predicted is not None}
    if matching == "order" and len(wanted) == len(found):
        partner = {k: k for k in range(len(found))}
    labelled = unlabelled = 0
    for i, j in partner.items():
        if j is None:
            continue
        heads = {partner[head]: relation for head, relation in found[i].items()}
        # A head that is no node of the target makes the node wrong, and so does one too many.
        right = list(heads) == list(wanted[j]) and len(found[i]) == len(heads)
        unlabelled += right
        labelled += right and list(heads.values()) == list(wanted[j].values())
    return len(wanted), unlabelled, labelled


def symbol_errors(predicted: Data, target: Data) -> tuple[int, int]:
    """Edits between the node labels of two paths in reading order, and the number wanted."""
    return _errors(_symbols(predicted), _symbols(target))


def word_errors(predicted: Data, target: Data) -> tuple[int, int]:
    """Edits between the words of the texts of two paths, and the number of words wanted."""
    return _errors(*("".join(_symbols(graph)).split() for graph in (predicted, target)))


def spell_alike(predicted: Data, target: Data) -> bool:
    """Whether both graphs are paths with the same text."""
    return path_order(predicted) is not None and graph_to_text(predicted) == graph_to_text(target)


def subtree_kernel(predicted: Data, target: Data) -> float:
    """The normalised Weisfeiler-Lehman subtree kernel of two graphs, (E37); in [0, 1]."""
    here = there = both = 0
    for first, second in islice(refinements([predicted, target]), ROUNDS + 1):
        left, right = Counter(first), Counter(second)
        here += sum(count**2 for count in left.values())
        there += sum(count**2 for count in right.values())
        both += sum(count * right[colour] for colour, count in left.items())
    if not here or not there:
        return float(here == there)
    return both / sqrt(here * there)


def _heads(graph: Data) -> Heads:
    heads: Heads = [{} for _ in node_labels(graph)]
    for source, sink, name in edge_triples(graph):
        heads[sink][source] = name
    return heads


def _is_tree(graph: Data) -> bool:
    if not is_directed(graph):
        return False
    digraph: nx.DiGraph[int] = nx.DiGraph()
    digraph.add_nodes_from(range(len(node_labels(graph))))
    digraph.add_edges_from((source, sink) for source, sink, _ in edge_triples(graph))
    return len(digraph) > 0 and nx.is_arborescence(digraph)


def _symbols(graph: Data) -> list[str]:
    """The node labels of a path in reading order; a graph that is no path spells nothing."""
    label = node_labels(graph)
    return [label[node] for node in path_order(graph) or []]


def _errors(found: Sequence[Hashable], wanted: Sequence[Hashable]) -> tuple[int, int]:
    if found == wanted:
        return 0, len(wanted)
    letter: dict[Hashable, str] = {}
    # The distance is one of strings: each symbol gets a character of its own.
    first, second = (
        "".join(letter.setdefault(symbol, chr(len(letter))) for symbol in symbols)
        for symbols in (found, wanted)
    )
    return int(edit_distance(first, second, reduction="sum")), len(wanted)
