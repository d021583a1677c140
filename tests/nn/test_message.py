"""Message passing: the formula, and that graphs, directions and edge labels are told apart."""

import torch
from torch import Tensor
from torch.nn.functional import silu

from grapheme_torch.nn import MessagePassingBlock

from ..problems import costs
from .inputs import assert_differentiates, permuted, random_graph, union

DIM, EDGE = 4, 3


KINDS = 3


def _kinds(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """The kind of each edge, and a vector of each kind."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(KINDS, (count,), generator=rng), costs(seed, KINDS, EDGE)


def _part() -> MessagePassingBlock:
    return MessagePassingBlock(DIM, EDGE).double()


def test_the_formula_node_by_node() -> None:
    part, graph = _part(), random_graph(1, 5)
    h, (kind, kinds) = costs(1, 5, DIM), _kinds(2, graph.num_edges)
    z = part.norm(h)
    ends = graph.edge_index.T.tolist()
    wanted = []
    for v in range(5):
        heard = part.own.weight @ z[v] + part.own.bias
        for way, mine, other in ((part.from_source, 1, 0), (part.from_target, 0, 1)):
            messages = [
                (way.node.weight @ z[end[other]])
                * (way.gate.weight @ kinds[kind[k]] + way.gate.bias)
                for k, end in enumerate(ends)
                if end[mine] == v
            ]
            heard = heard + sum(messages) / max(len(messages), 1)
        out = part.out[1]
        wanted.append(h[v] + out.weight @ silu(heard) + out.bias)
    found = part(h, graph.edge_index, kind, kinds)
    torch.testing.assert_close(found, torch.stack(wanted), rtol=0, atol=1e-12)


def test_derivative_by_finite_differences() -> None:
    part, graph = _part(), random_graph(2, 4)
    kind, kinds = _kinds(2, graph.num_edges)
    assert_differentiates(
        part,
        lambda h, kinds: part(h, graph.edge_index, kind, kinds),
        costs(1, 4, DIM),
        kinds,
    )


def test_direction_matters() -> None:
    part, h, edge = _part(), costs(1, 2, DIM), _kinds(2, 1)
    ahead, back = torch.tensor([[0], [1]]), torch.tensor([[1], [0]])
    assert (part(h, ahead, *edge) - part(h, back, *edge)).abs().min(dim=1).values.max() > 1e-4


def test_graphs_do_not_hear_each_other() -> None:
    part = _part()
    graphs = [random_graph(k, n) for k, n in enumerate([3, 0, 1, 5])]
    hidden = [costs(k, graph.num_nodes, DIM) for k, graph in enumerate(graphs)]
    kinds = costs(9, KINDS, EDGE)
    kind = [_kinds(k, graph.num_edges)[0] for k, graph in enumerate(graphs)]
    whole = part(torch.cat(hidden), union(graphs).edge_index, torch.cat(kind), kinds)
    parts = zip(hidden, graphs, kind, strict=True)
    alone = [part(h, graph.edge_index, own, kinds) for h, graph, own in parts]
    torch.testing.assert_close(whole, torch.cat(alone), rtol=1e-12, atol=1e-12)


def test_the_order_of_nodes_and_edges_does_not_matter() -> None:
    part, graph, order = _part(), random_graph(3, 6), torch.randperm(6)
    h, (kind, kinds) = costs(1, 6, DIM), _kinds(2, graph.num_edges)
    turned = part(h[order], permuted(graph, order).edge_index, kind.flip(0), kinds)
    wanted = part(h, graph.edge_index, kind, kinds)[order]
    torch.testing.assert_close(turned, wanted, rtol=1e-12, atol=1e-12)


def test_a_node_without_edges_hears_nothing_and_no_node_is_no_trouble() -> None:
    part, none = _part(), torch.zeros(2, 0, dtype=torch.long)
    h = costs(1, 1, DIM)
    wanted = h + part.out(part.own(part.norm(h)))
    for kinds in (costs(2, KINDS, EDGE), costs(2, 0, EDGE)):
        torch.testing.assert_close(part(h, none, none[0], kinds), wanted, rtol=0, atol=0)
        assert part(h[:0], none, none[0], kinds).shape == (0, DIM)


def test_the_number_of_a_kind_says_nothing_but_its_vector() -> None:
    part, graph = _part(), random_graph(1, 5)
    h, (kind, kinds) = costs(1, 5, DIM), _kinds(2, graph.num_edges)
    apart = part(h, graph.edge_index, torch.arange(graph.num_edges), kinds[kind])
    wanted = part(h, graph.edge_index, kind, kinds)
    torch.testing.assert_close(apart, wanted, rtol=1e-12, atol=1e-12)
