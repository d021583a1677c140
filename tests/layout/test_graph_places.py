"""Where nodes stand: rings are rings, trees are trees, texts are lines, and no two nodes touch."""

import itertools
import sys
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from torch_geometric.data import Data

from grapheme_torch.convert import molecule_places, smiles
from grapheme_torch.graphs import graph_from_node_link, make_graph, text_to_graph
from grapheme_torch.layout import Places, graph_places, turned_alike

from ..random_graphs import graphs, undirected_graphs


def of(graph: Any, *, directed: bool = False) -> Data:
    """A networkx graph as one of ours."""
    edges = [(u, v, "e") for u, v in graph.edges]
    return make_graph([str(node) for node in graph], edges, directed=directed)


def closest(places: Places) -> float:
    pairs = itertools.combinations(places.xy, 2)
    return min((float(np.linalg.norm(a - b)) for a, b in pairs), default=1.0)


def crossings(graph: Data, places: Places) -> int:
    """Pairs of straight edges that meet where neither ends."""
    ends = [tuple(pair) for pair in graph.edge_index.T.tolist()]
    found = 0
    for (a, b), (c, d) in itertools.combinations(ends, 2):
        if len({a, b, c, d}) == 4:
            p, q, r, s = (places.xy[k] for k in (a, b, c, d))
            found += _turn(p, q, r) * _turn(p, q, s) < 0 and _turn(r, s, p) * _turn(r, s, q) < 0
    return found


def _turn(a: Any, b: Any, c: Any) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def molecule(text: str) -> Data:
    (record,) = smiles([text])
    target: Any = record["target"]
    return graph_from_node_link(target)


@pytest.mark.parametrize("size", [3, 6, 40])
def test_a_ring_is_a_regular_polygon(size: int) -> None:
    order = np.random.default_rng(0).permutation(size).tolist()
    ring = make_graph(["a"] * size, [(order[k - 1], order[k], "e") for k in range(size)])
    places = graph_places(ring)
    around = places.xy[order] - places.xy.mean(0)
    assert np.linalg.norm(around, axis=1) == pytest.approx(np.linalg.norm(around[0]))
    turns = [_turn(around[k - 2], around[k - 1], around[k]) for k in range(size)]
    assert all(turn > 0 for turn in turns) or all(turn < 0 for turn in turns)
    assert closest(places) >= 1
    assert not places.stretches


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [4, 20, 200])
def test_the_edges_of_a_tree_do_not_cross(size: int, seed: int) -> None:
    tree = of(nx.random_labeled_tree(size, seed=seed))
    places = graph_places(tree)
    assert crossings(tree, places) == 0
    assert closest(places) >= 0.999


@pytest.mark.parametrize(
    "tree", [nx.star_graph(199), nx.balanced_tree(3, 4), nx.balanced_tree(14, 2)], ids=str
)
def test_a_wide_tree_stands_around_its_root(tree: Any) -> None:
    graph = of(tree)
    places = graph_places(graph)
    assert crossings(graph, places) == 0
    assert closest(places) >= 0.999
    assert not places.stretches
    wide, high = np.ptp(places.xy, axis=0)
    assert 0.5 < wide / high < 2


def test_a_tree_hangs_below_the_node_that_all_edges_lead_away_from() -> None:
    tree = make_graph("abcdef", [(3, 0, "e"), (3, 1, "e"), (0, 2, "e"), (0, 4, "e"), (1, 5, "e")])
    xy = graph_places(tree).xy
    assert xy[3, 1] < xy[0, 1] == xy[1, 1] < xy[2, 1] == xy[4, 1] == xy[5, 1]
    assert xy[2, 0] < xy[4, 0] < xy[5, 0]
    assert xy[0, 0] == pytest.approx((xy[2, 0] + xy[4, 0]) / 2)


def test_a_text_is_a_line_in_reading_order() -> None:
    xy = graph_places(text_to_graph("grapheme")).xy
    assert xy.tolist() == [[float(k), 0.0] for k in range(8)]


def test_a_text_from_right_to_left_begins_on_the_right() -> None:
    xy = graph_places(text_to_graph("שלום abc")).xy
    assert xy[:, 0].tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert graph_places(text_to_graph("abcd של")).xy[0, 0] == 0


def test_a_long_text_takes_several_lines() -> None:
    xy = graph_places(text_to_graph("x" * 100)).xy
    assert xy[:, 0].max() == 39
    assert sorted(set(xy[:, 1].tolist())) == [0, 1.6, 3.2]


def test_a_text_with_a_wrong_edge_stays_a_line() -> None:
    wrong = make_graph("abcd", [(0, 1, "next"), (1, 2, "next"), (0, 3, "next")], [0, 1, 2, 3])
    assert graph_places(wrong).xy[:, 1].tolist() == [0, 0, 0, 0]


def test_an_undirected_path_is_a_line() -> None:
    path = make_graph("abc", [(2, 0, "e"), (0, 1, "e")], directed=False)
    assert graph_places(path).xy[:, 0].tolist() == [1, 0, 2]


def test_parts_stand_beside_each_other() -> None:
    both = of(nx.disjoint_union(nx.cycle_graph(5), nx.cycle_graph(4)))
    xy = graph_places(both).xy
    assert xy[:5, 0].max() + 1 <= xy[5:, 0].min()


@settings(max_examples=60, deadline=None)
@given(graphs(8))
def test_no_two_nodes_of_any_graph_touch(graph: Data) -> None:
    places = graph_places(graph)
    assert places.xy.shape == (graph.num_nodes, 2)
    assert closest(places) >= 0.95
    assert (places.xy >= -1e-9).all()


@settings(max_examples=20, deadline=None)
@given(undirected_graphs(7))
def test_the_same_graph_stands_the_same_way(graph: Data) -> None:
    first, second = graph_places(graph), graph_places(graph)
    assert first.xy.tolist() == second.xy.tolist()


def test_a_large_graph_does_not_overlap() -> None:
    graph = of(nx.gnm_random_graph(200, 260, seed=2))
    assert closest(graph_places(graph)) >= 0.95


def test_a_molecule_stands_as_rdkit_draws_it() -> None:
    pytest.importorskip("rdkit")
    places = graph_places(molecule("c1ccccc1CC"))
    assert places.molecule
    ring = places.xy[:6] - places.xy[:6].mean(0)
    assert np.linalg.norm(ring, axis=1) == pytest.approx(np.linalg.norm(ring[0]), rel=0.01)
    assert closest(places) >= 0.99


def test_an_impossible_molecule_is_drawn_as_well() -> None:
    pytest.importorskip("rdkit")
    five = make_graph("CFFFFF", [(0, k, "single") for k in range(1, 6)])
    assert graph_places(five).molecule


def test_other_graphs_are_no_molecules() -> None:
    pytest.importorskip("rdkit")
    assert molecule_places(text_to_graph("CCO")) is None
    assert molecule_places(make_graph(["C", "the"], [(0, 1, "single")])) is None
    assert molecule_places(make_graph("CC", [(0, 0, "single")])) is None


def test_without_rdkit_a_molecule_is_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rdkit")
    ethanol = molecule("CCO")
    monkeypatch.setitem(sys.modules, "rdkit", None)
    assert not graph_places(ethanol).molecule


def test_a_drawing_is_turned_like_another() -> None:
    ring = graph_places(of(nx.cycle_graph(6)))
    turned = ring._replace(xy=ring.xy[[2, 1, 0, 5, 4, 3]])
    same = turned_alike(turned, ring, [(k, k) for k in range(6)])
    assert same.xy == pytest.approx(ring.xy)
    assert turned_alike(turned, ring, [(0, 0)]) is turned
