"""Edges of the input that are likely in the output: by a double loop, by differences, in use."""

from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from grapheme_torch import GraphTransformNet, text_to_graph
from grapheme_torch.graphs import edge_triples, hash_labels, make_graph
from grapheme_torch.nn import CandidateEdges, OutputSlots, candidate_edges
from grapheme_torch.nn._copied_edges import CopiedEdges

from ..random_graphs import graphs
from .inputs import assert_differentiates

RELATIONS = ["x", "z"]


@given(graphs(), st.sampled_from(["forward", "all"]), st.booleans())
def test_the_formula_by_a_double_loop(
    graph: Data, kind: Literal["forward", "all"], directed: bool
) -> None:
    part = CopiedEdges(RELATIONS).double()
    torch.nn.init.normal_(part.weight)
    nodes = graph.num_nodes or 0
    candidates = candidate_edges(torch.zeros(nodes, dtype=torch.long), kind=kind)
    found = part(graph.edge_index, graph.edge_attr, candidates, directed=directed)
    stored = set(edge_triples(graph))
    wanted = torch.zeros(candidates.shape[1], 1 + len(RELATIONS), dtype=torch.float64)
    for k, (u, v) in enumerate(candidates.T.tolist()):
        for r, name in enumerate(RELATIONS):
            # Of an undirected network a candidate is from the first node to the later one.
            back = not directed and u < v and (v, u, name) in stored
            if ((u, v, name) in stored and (directed or u < v)) or back:
                wanted[k, r + 1] = part.weight[r]
    assert torch.equal(found, wanted.detach())


def test_an_edge_that_is_stored_twice_counts_once() -> None:
    part = CopiedEdges(["x"])
    twice = torch.tensor([[0, 1, 0], [1, 0, 1]])
    candidates = torch.tensor([[0], [1]])
    found = part(twice, hash_labels(["x"] * 3), candidates, directed=False)
    assert found.tolist() == [[0.0, part.weight.item()]]
    found[0, 1].backward()
    assert part.weight.grad is not None
    assert part.weight.grad.tolist() == [1.0]


def _ring(directed: bool, slots: int = 1) -> tuple[GraphTransformNet, Data]:
    """Six nodes that only their neighbours tell apart, and an untrained network."""
    edges = [(k, (k + 1) % 6, "single") for k in range(6)]
    network = GraphTransformNet(
        ["c"], ["double", "single"], dim=8, num_heads=2, num_buckets=2, directed=directed,
        candidates=CandidateEdges(pairs="all" if directed else "forward", copy=True),
        slots=OutputSlots(per_node=slots),
    )  # fmt: skip
    return network.double(), make_graph(["c"] * 6, edges, directed=directed)


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("slots", [1, 2])
def test_an_untrained_network_expects_the_edges_of_its_input(directed: bool, slots: int) -> None:
    network, graph = _ring(directed, slots)
    expected = network(graph)
    likely = expected.relation[:, 2] - expected.relation[:, :2].amax(1) > 2
    ends = [(slots * u, slots * v) for u, v, _ in edge_triples(graph)]
    if not directed:
        ends = [(min(end), max(end)) for end in ends]
    assert {tuple(end) for end in expected.edge_index[:, likely].T.tolist()} == set(ends)


@pytest.mark.parametrize("directed", [True, False])
def test_graphs_of_a_batch_do_not_touch(directed: bool) -> None:
    network, graph = _ring(directed)
    bare = [Data(x=g.x, edge_index=g.edge_index, edge_attr=g.edge_attr, directed=directed)
            for g in (graph, text_to_graph("ab"), graph)]  # fmt: skip
    whole = network(Batch.from_data_list(bare))
    alone = network(graph)
    count = alone.relation.shape[0]
    torch.testing.assert_close(whole.relation[:count], alone.relation, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(whole.relation[-count:], alone.relation, rtol=1e-12, atol=1e-12)


@pytest.mark.repeats
@pytest.mark.parametrize("directed", [True, False])
def test_derivative_by_finite_differences(directed: bool) -> None:
    network, graph = _ring(directed)
    assert network.copied is not None
    network.edge_embedding = type(network.edge_embedding)(8, num_buckets=1).double()
    assert_differentiates(network.copied, lambda: network(graph).relation.flatten())
