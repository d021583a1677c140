"""The most probable valid graph: against every valid graph there is, and what is valid at all."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import InputError
from grapheme_torch.decoding._decode import decode
from grapheme_torch.decoding._subgraphs import Gains, spanning_arborescence
from grapheme_torch.graphs import edge_triples, is_acyclic, path_order
from grapheme_torch.nn import GraphTransformNet
from grapheme_torch.prediction import Prediction

from ..random_graphs import form, untouched_random
from ..unchecked import unchecked

LABELS, RELATIONS = "ab", ["x", "y"]
LOGITS = st.floats(-4, 4, width=32)
Edge = tuple[int, int]


@st.composite
def predictions(draw: st.DrawFn, kind: str = "forward", max_nodes: int = 4) -> Prediction:
    """A graph of a few nodes with any logits; the position of a node is its number."""
    n = draw(st.integers(0, max_nodes))
    pairs = [(u, v) for u in range(n) for v in range(n) if u < v or (kind == "all" and u > v)]
    if draw(st.booleans()) and pairs:
        pairs = draw(st.lists(st.sampled_from(pairs), unique=True))

    def numbers(rows: int, columns: int) -> Tensor:
        return torch.tensor([[draw(LOGITS) for _ in range(columns)] for _ in range(rows)]).reshape(
            rows, columns
        )

    existence, label, relation = numbers(n, 1)[:, 0], numbers(n, 2), numbers(len(pairs), 3)
    ends = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    with untouched_random():
        return Prediction(
            existence, label, ends, relation, position=torch.arange(n, dtype=torch.float)
        )


def log_probability(said: Prediction, nodes: Iterable[int], edges: dict[Edge, int]) -> float:
    """Of the graph with these nodes, their best labels, and edges of these relations."""
    label, relation = said.label.double().log_softmax(1), said.relation.double().log_softmax(1)
    h, kept = said.existence.double(), set(nodes)
    value = 0.0
    for node in range(len(h)):
        sign = 1 if node in kept else -1
        value += float(torch.nn.functional.logsigmoid(sign * h[node]))
        value += float(label[node].max()) if node in kept else 0.0
    for k, (u, v) in enumerate(said.edge_index.T.tolist()):
        value += float(relation[k, edges.get((u, v), 0)])
    return value


def value_of(said: Prediction, graph: Data) -> float:
    where = [int(place) for place in graph.position]
    edges = {(where[u], where[v]): 1 + RELATIONS.index(name) for u, v, name in edge_triples(graph)}
    return log_probability(said, where, edges)


def likely(said: Prediction) -> list[int]:
    return (said.existence > 0).nonzero()[:, 0].tolist()


def subsets(things: list[Any]) -> Iterator[tuple[Any, ...]]:
    return chain.from_iterable(combinations(things, k) for k in range(len(things) + 1))


def best_of_all(
    said: Prediction,
    node_sets: Iterable[Iterable[int]],
    worth: Callable[["nx.DiGraph[int]"], tuple[float, ...] | None],
) -> tuple[float, ...]:
    """The largest worth, then log-probability, of a graph on one of the node sets.

    `worth` says None of a graph that is not valid.
    """
    best = 1 + said.relation[:, 1:].argmax(1) if said.relation.shape[0] else torch.zeros(0)
    found = []
    for nodes in node_sets:
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(nodes)
        pairs = [(k, u, v) for k, (u, v) in enumerate(said.edge_index.T.tolist())]
        for chosen in subsets([(k, u, v) for k, u, v in pairs if u in graph and v in graph]):
            graph.clear_edges()
            graph.add_edges_from((u, v) for _, u, v in chosen)
            value = worth(graph)
            if value is not None:
                relation = {(u, v): int(best[k]) for k, u, v in chosen}
                found.append((*value, log_probability(said, nodes, relation)))
    return max(found)


def decoded(said: Prediction, constraint: Any, **options: Any) -> Data:
    return decode(said, LABELS, RELATIONS, constraint, **options)[0]


def nodes_of(graph: Data) -> list[int]:
    return [int(place) for place in graph.position]


def is_path(graph: "nx.DiGraph[int]") -> tuple[float, ...] | None:
    narrow = all(d <= 1 for _, d in graph.in_degree) and all(d <= 1 for _, d in graph.out_degree)
    whole = not len(graph) or nx.is_weakly_connected(graph)
    return () if narrow and whole and nx.is_directed_acyclic_graph(graph) else None


def is_branching(graph: "nx.DiGraph[int]") -> tuple[float, ...] | None:
    """The fewer roots, the better."""
    roots = sum(d == 0 for _, d in graph.in_degree)
    single = all(d <= 1 for _, d in graph.in_degree)
    return (-roots,) if single and nx.is_directed_acyclic_graph(graph) else None


def is_forest(graph: "nx.DiGraph[int]") -> tuple[float, ...] | None:
    return (graph.number_of_edges(),) if not len(graph) or nx.is_forest(graph) else None


@given(predictions())
def test_a_forward_path_is_the_most_probable_one(said: Prediction):
    graph = decoded(said, "path")
    assert path_order(graph) is not None
    (best,) = best_of_all(said, subsets(list(range(len(said.existence)))), is_path)
    assert value_of(said, graph) == pytest.approx(best)


@given(predictions("all", max_nodes=3) | predictions())
def test_a_tree_is_the_most_probable_one(said: Prediction):
    graph = decoded(said, "tree")
    assert nodes_of(graph) == likely(said)
    entered = [v for _, v, _ in edge_triples(graph)]
    assert len(set(entered)) == len(entered)
    assert is_acyclic(graph)
    roots = len(nodes_of(graph)) - len(entered)
    best = best_of_all(said, [likely(said)], is_branching)
    assert (-roots, value_of(said, graph)) == pytest.approx(best)


@given(predictions())
def test_a_spanning_tree_is_the_most_probable_one(said: Prediction):
    graph = decoded(said, "tree", directed=False)
    assert nodes_of(graph) == likely(said)
    best = best_of_all(said, [likely(said)], is_forest)
    assert (graph.num_edges, value_of(said, graph)) == pytest.approx(best)


@given(predictions())
def test_forward_edges_are_acyclic_already(said: Prediction):
    assert form(decoded(said, "acyclic")) == form(decoded(said, None))


@given(predictions())
def test_an_undirected_forest_is_the_most_probable_one(said: Prediction):
    graph = decoded(said, "acyclic", directed=False)
    best = best_of_all(said, [likely(said)], lambda graph: () if is_forest(graph) else None)
    assert (value_of(said, graph),) == pytest.approx(best)


@given(predictions("all", max_nodes=5))
def test_an_edge_is_left_out_only_if_it_would_close_a_cycle(said: Prediction):
    free, graph = decoded(said, None), decoded(said, "acyclic")
    assert nodes_of(graph) == nodes_of(free)
    assert is_acyclic(graph)
    have = nx.DiGraph([(u, v) for u, v, _ in edge_triples(graph)])
    left_out = set(edge_triples(free)) - set(edge_triples(graph))
    assert set(edge_triples(graph)) <= set(edge_triples(free))
    assert all(nx.has_path(have, v, u) for u, v, _ in left_out)


@given(predictions("all", max_nodes=5), st.booleans())
def test_a_greedy_path_is_a_path(said: Prediction, directed: bool):
    pairs = {tuple(sorted(pair)) for pair in said.edge_index.T.tolist()}
    if not directed and len(pairs) < said.edge_index.shape[1]:
        with pytest.raises(InputError, match="hold each pair of nodes at most once, got the same"):
            decoded(said, "path", directed=directed)
        return
    graph = decoded(said, "path", directed=directed)
    shape: Any = nx.Graph if not directed else nx.DiGraph
    drawn = shape([(u, v) for u, v, _ in edge_triples(graph)])
    drawn.add_nodes_from(range(graph.num_nodes))
    assert graph.num_edges == max(graph.num_nodes - 1, 0)
    assert all(degree <= 2 for _, degree in drawn.degree)
    if directed:
        assert is_path(drawn) is not None
    else:
        assert not len(drawn) or nx.is_connected(drawn)
    n = len(said.existence)
    if n > 1 and said.edge_index.shape[1] == n * (n - 1):
        assert nodes_of(graph) == likely(said)


def chain_of(*gains: tuple[int, int, float], existence: list[float], **other: Any) -> Prediction:
    """A prediction of nodes labelled "a" whose candidate edges have these gains."""
    relation = torch.tensor([[0.0, gain] for _, _, gain in gains]).reshape(-1, 2)
    ends = torch.tensor([pair[:2] for pair in gains], dtype=torch.long).reshape(-1, 2).T
    n = len(existence)
    places = torch.arange(n, dtype=torch.float)
    label = torch.zeros(n, 1)
    return Prediction(torch.tensor(existence), label, ends, relation, position=places, **other)


def test_a_doubtful_node_stays_where_it_holds_the_path_together():
    ends = [(0, 1, 3.0), (1, 2, 3.0)]
    said = chain_of(*ends, existence=[2.0, -1.0, 2.0])
    assert nodes_of(decoded(said, None)) == [0, 2]
    assert nodes_of(decoded(said, "path")) == [0, 1, 2]


def test_a_node_that_no_edge_reaches_is_left_out_of_a_path():
    said = chain_of((0, 2, 1.0), existence=[2.0, 1.0, 2.0])
    assert nodes_of(decoded(said, "path")) == [0, 2]


def test_the_greedy_path_keeps_the_best_of_several():
    said = chain_of((1, 0, -1.0), (3, 2, 2.0), existence=[1.0, 1.0, 1.0, 1.0])
    assert nodes_of(decoded(said, "path")) == [2, 3]


def test_an_edge_no_more_likely_than_not_joins_a_tree():
    said = chain_of((1, 0, -3.0), (0, 1, -2.0), existence=[1.0, 1.0])
    assert edge_triples(decoded(said, "tree")) == [(0, 1, "x")]
    assert edge_triples(decoded(said, "acyclic")) == []


def test_candidates_that_allow_no_tree_give_the_fewest_trees():
    said = chain_of((0, 1, -5.0), (3, 2, 1.0), (2, 3, 2.0), existence=[1.0] * 4)
    assert edge_triples(decoded(said, "tree")) == [(0, 1, "x"), (2, 3, "x")]


def test_the_better_direction_of_a_cycle_stays():
    said = chain_of((0, 1, 1.0), (1, 2, 3.0), (2, 0, 2.0), existence=[1.0] * 3)
    assert edge_triples(decoded(said, "acyclic")) == [(1, 2, "x"), (2, 0, "x")]


@pytest.mark.parametrize("constraint", [None, "path", "tree", "acyclic"])
@pytest.mark.parametrize("directed", [True, False])
def test_loops_are_kept_only_without_a_constraint(constraint: Any, directed: bool):
    said = chain_of((0, 0, 5.0), existence=[1.0])
    graph = decoded(said, constraint, directed=directed)
    assert graph.num_nodes == 1
    assert graph.num_edges == (constraint is None)


@pytest.mark.parametrize("constraint", [None, "path", "tree", "acyclic"])
@pytest.mark.parametrize("directed", [True, False])
def test_no_node_no_relation_and_impossible_edges(constraint: Any, directed: bool):
    nothing = chain_of(existence=[])
    assert decoded(nothing, constraint, directed=directed).num_nodes == 0
    ways = [(0, 1, -torch.inf), (1, 0, -torch.inf)][: 1 + directed]
    impossible = chain_of(*ways, existence=[2.0, 1.0])
    assert decoded(impossible, constraint, directed=directed).num_edges == 0
    ends = torch.tensor([[0], [1]])
    single = Prediction(torch.ones(2), torch.zeros(2, 1), ends, torch.zeros(1, 1))
    (graph,) = decode(single, "a", [], constraint, directed=directed)
    assert graph.num_edges == 0
    assert graph.num_nodes == (1 if constraint == "path" else 2)


@pytest.mark.parametrize("constraint", [None, "path", "tree", "acyclic"])
def test_a_prediction_in_half_precision(constraint: Any):
    said = chain_of((0, 1, 1.0), (1, 2, 2.0), existence=[2.0, 3.0, 4.0])
    parts = {name: getattr(said, name).bfloat16() for name in ("existence", "label", "relation")}
    half = Prediction(edge_index=said.edge_index, **parts)
    assert form(decoded(half, constraint)) == form(decoded(said, constraint))


@given(st.lists(predictions("all"), max_size=3), st.sampled_from([None, "path", "tree", "acyclic"]))
def test_the_graphs_of_a_batch_do_not_touch_each_other(parts: list[Prediction], constraint: Any):
    sizes = [len(part.existence) for part in parts]
    starts = np.cumsum([0, *sizes]).tolist()
    if not parts:
        return
    whole = Prediction(
        torch.cat([part.existence for part in parts]),
        torch.cat([part.label for part in parts]),
        torch.cat([part.edge_index + k for part, k in zip(parts, starts, strict=False)], 1).flip(1),
        torch.cat([part.relation for part in parts]).flip(0),
        batch=torch.arange(len(parts)).repeat_interleave(torch.tensor(sizes)),
        num_graphs=len(parts),
    )
    for part, graph in zip(parts, decode(whole, LABELS, RELATIONS, constraint), strict=True):
        alone = decoded(part, constraint)
        if len(set(_gains(part))) == part.edge_index.shape[1]:  # ties go by order
            assert form(graph) == form(alone)


def _gains(said: Prediction) -> list[float]:
    return (said.relation[:, 1:].amax(1) - said.relation[:, 0]).tolist()


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_the_tree_of_a_larger_graph_is_that_of_networkx(n: int, seed: int):
    rng = np.random.default_rng(seed)
    source, sink = (part.ravel() for part in np.indices((n, n)))
    source, sink = source[source != sink], sink[source != sink]
    gain = rng.integers(-9, 9, len(source)).astype(float)
    chosen = spanning_arborescence(Gains(np.zeros(n), source, sink, gain))
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_weighted_edges_from(zip(source.tolist(), sink.tolist(), gain.tolist(), strict=True))
    tree = nx.maximum_spanning_arborescence(graph)
    assert sum(gain[chosen]) == tree.size(weight="weight")
    assert n == 1 or nx.is_arborescence(graph.edge_subgraph((source[k], sink[k]) for k in chosen))


def test_a_network_obeys():
    torch.manual_seed(0)
    from grapheme_torch import text_to_graph
    from grapheme_torch.train import predict

    network = GraphTransformNet("ab", ["next"], dim=16, num_heads=2, num_buckets=64).eval()
    graphs = [text_to_graph(text) for text in ("abcd", "", "xyz")]
    for answer in predict(network, graphs, constraint="path"):
        assert path_order(answer) is not None


@pytest.mark.untyped
def test_an_unknown_constraint_is_refused():
    message = r"^`constraint` must be one of path, tree, acyclic, got 'ring'\. Leave it out"
    with pytest.raises(InputError, match=message):
        unchecked(decode)(chain_of(existence=[]), "a", [], "ring")


def test_the_last_class_is_the_own_label_of_a_node() -> None:
    certain = Prediction(
        torch.ones(2), torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        torch.zeros(2, 0).long(), torch.zeros(0, 3),
    )  # fmt: skip
    (graph,) = decode(certain, LABELS, RELATIONS, own=["\u00e9", "\u00fc"])
    assert graph.label == ["b", "\u00fc"]


def test_direction_is_that_of_the_prediction():
    said = chain_of((0, 1, 5.0), existence=[1.0, 1.0], directed=False)
    assert decoded(said, None).directed is False
    assert decoded(said, None, directed=True).directed is True


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"prediction": "graph"}, "`prediction` must be a `Prediction`, got 'graph'."),
    ({"labels": []}, "`labels` must hold a string for each of the 2 node classes, got []."),
    ({"labels": [0, 1]}, "`labels` must hold a string for each of the 2 node classes, got [0, 1]."),
    ({"labels": None}, "`labels` must hold a string for each of the 2 node classes, got None."),
    ({"relations": []}, "`relations` must hold a string for each of the 1 relations from 1 on,"),
    ({"relations": 3}, "`relations` must hold a string for each of the 1 relations from 1 on,"),
    ({"own": ["a"]}, "`own` must hold a string for each of the 2 nodes, got ['a']."),
    ({"own": [1, 2]}, "`own` must hold a string for each of the 2 nodes, got [1, 2]."),
    ({"directed": 1}, "`directed` must be True or False, got 1."),
    ({"constraint": ["path"]}, "`constraint` must be one of path, tree, acyclic, got ['path']."),
]


@pytest.mark.untyped
@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_arguments_that_do_not_fit_are_refused(change: dict[str, Any], message: str):
    said = chain_of((0, 1, 5.0), existence=[1.0, 1.0])
    said = Prediction(said.existence, torch.zeros(2, 2), said.edge_index, said.relation)
    given = {"prediction": said, "labels": "ab", "relations": ["x"], **change}
    with pytest.raises(InputError, match="^" + re.escape(message)):
        unchecked(decode)(**given)
