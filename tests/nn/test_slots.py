"""Output slots: the wiring by a double loop, and that slots belong to their node."""

import pytest
import torch

from grapheme_torch.graphs import path_order, text_to_graph
from grapheme_torch.nn._slots import Slots, Wired

from ..problems import costs
from .inputs import assert_differentiates, random_graph

DIM, KINDS = 4, 3


def _wired(seed: int, n: int, *, placed: bool = True) -> Wired:
    graph = random_graph(seed, n)
    rng = torch.Generator().manual_seed(seed)
    kind = torch.randint(KINDS, (graph.num_edges,), generator=rng)
    batch = torch.arange(n) // 3
    position = torch.randperm(n, generator=rng) if placed else None
    return Wired(costs(1, n, DIM), graph.edge_index, kind, costs(2, KINDS, DIM), batch, position)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("n", [0, 1, 5])
def test_the_wiring_is_that_of_a_double_loop(n: int, count: int) -> None:
    part, graph = Slots(DIM, count).double(), _wired(3, n)
    found = part(graph)
    wanted = [
        (u * count + count - 1, v * count, kind)
        for (u, v), kind in zip(graph.edge_index.T.tolist(), graph.kind.tolist(), strict=True)
    ]
    for i in range(n):
        for k in range(count - 1):
            wanted.append((i * count + k, i * count + k + 1, KINDS))
    source, target = found.edge_index.tolist()
    edges = list(zip(source, target, found.kind.tolist(), strict=True))
    assert sorted(edges) == sorted(wanted)
    assert torch.equal(found.kinds, torch.cat([graph.kinds, part.chain[None]]))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_slot_k_of_node_i_is_node_i_times_slots_plus_k(count: int) -> None:
    part, graph = Slots(DIM, count).double(), _wired(3, 5)
    assert graph.position is not None
    found = part(graph)
    assert len(found.h) == len(found.batch) == 5 * count
    for i in range(5):
        for k in range(count):
            node = i * count + k
            assert torch.equal(found.h[node], graph.h[i] + part.place[k])
            assert found.batch[node] == graph.batch[i]
            assert found.position[node] == graph.position[i] * count + k


def test_without_an_order_there_are_no_positions() -> None:
    assert Slots(DIM, 2).double()(_wired(3, 5, placed=False)).position is None


@pytest.mark.parametrize("text", ["a", "abcd"])
def test_a_path_stays_a_path(text: str) -> None:
    graph = text_to_graph(text)
    kind = torch.zeros(graph.num_edges, dtype=torch.long)
    batch = torch.zeros(len(text), dtype=torch.long)
    h, kinds = costs(1, len(text), DIM), costs(2, 1, DIM)
    found = Slots(DIM, 3).double()(Wired(h, graph.edge_index, kind, kinds, batch, graph.position))
    path = type(graph)(num_nodes=3 * len(text), edge_index=found.edge_index)
    assert path_order(path) == list(range(3 * len(text)))
    assert found.position.tolist() == list(range(3 * len(text)))


def test_derivative_by_finite_differences() -> None:
    part, graph = Slots(DIM, 2, in_turn=True).double(), _wired(1, 3)

    def outputs(h: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        found = part(graph._replace(h=h, kinds=kinds))
        existence = part.moved(found.h.sum(1))
        return torch.cat([found.h.flatten(), found.kinds.flatten(), existence])

    assert_differentiates(part, outputs, graph.h, graph.kinds)
