"""`Prediction.from_dense`: what a decoder with slots says, in ragged form."""

import pytest
import torch
from torch_geometric.data import Batch, Data

from grapheme_torch import InputError, Prediction, StructuralLoss
from grapheme_torch.data import Alphabet
from grapheme_torch.graph import text_to_graph

from ..unchecked import unchecked


def _logits(size: int = 2, slots: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    label = torch.randn(size, slots, 3, generator=draw, dtype=torch.float64)
    return label, torch.randn(size, slots, slots, 2, generator=draw, dtype=torch.float64)


def test_every_slot_and_pair_of_slots_is_where_it_was() -> None:
    label, relation = _logits()
    soft = Prediction.from_dense(label, relation, existence=label[..., 0])
    assert soft.num_graphs == 2
    assert torch.equal(soft.label, label.flatten(0, 1))
    for k, (u, v) in enumerate(soft.edge_index.T.tolist()):
        assert u // 4 == v // 4
        assert torch.equal(soft.relation[k], relation[u // 4, u % 4, v % 4])
    assert soft.edge_index.shape[1] == 2 * 4 * 3


def test_undirected_pairs_of_slots_stand_once() -> None:
    label, relation = _logits()
    mask = torch.tensor([[True, False, True, True], [True, True, True, True]])
    soft = Prediction.from_dense(
        label, relation, existence=label[..., 0], mask=mask, directed=False
    )
    assert not soft.directed
    slot = mask.flatten().nonzero()[:, 0]
    joined = [(slot[u].item(), slot[v].item()) for u, v in soft.edge_index.T.tolist()]
    pairs = [(0, 2), (0, 3), (2, 3), *((u, v) for u in range(4, 8) for v in range(u + 1, 8))]
    assert joined == pairs
    for k, (u, v) in enumerate(joined):
        assert torch.equal(soft.relation[k], relation[u // 4, u % 4, v % 4])


def test_undirected_slots_and_targets_are_compared() -> None:
    """A path of three equal nodes: right whichever end of an edge is named first."""
    target = Data(y=torch.zeros(3).long(), edge_index=torch.tensor([[1, 1], [0, 2]]), num_nodes=3)
    edge = torch.full((1, 3, 3), -40.0)
    edge[0, [0, 1, 1, 2], [1, 0, 2, 1]] = 40
    soft = Prediction.from_dense(
        torch.zeros(1, 3, 1),
        torch.stack([torch.zeros_like(edge), edge], dim=3),
        existence=torch.full((1, 3), 40.0),
        directed=False,
    )
    loss = StructuralLoss(gamma=0, directed=False, temperature=0.01, rounds=5, update="proximal")
    assert loss(soft, target).total.item() < 1e-6


def test_a_masked_slot_is_not_there() -> None:
    label, relation = _logits()
    mask = torch.tensor([[True, False, True, True], [False, False, False, False]])
    soft = Prediction.from_dense(label, relation, existence=label[..., 0], mask=mask)
    alone = Prediction.from_dense(
        label[:1, [0, 2, 3]], relation[:1, [0, 2, 3]][:, :, [0, 2, 3]],
        existence=label[:1, [0, 2, 3], 0],
    )  # fmt: skip
    assert soft.num_graphs == 2
    assert torch.equal(soft.batch, torch.zeros(3).long())
    for name in ("existence", "label", "edge_index", "relation"):
        assert torch.equal(getattr(soft, name), getattr(alone, name))


def test_without_existence_class_zero_is_no_node() -> None:
    label, relation = _logits()
    soft = Prediction.from_dense(label, relation)
    p = label.softmax(2).flatten(0, 1)
    torch.testing.assert_close(soft.existence.sigmoid(), 1 - p[:, 0])
    wanted = p[:, 1:] / p[:, 1:].sum(1, keepdim=True)
    torch.testing.assert_close(soft.label.softmax(1), wanted)


def test_a_decoder_learns_from_it() -> None:
    """Free logits for two texts: the loss falls to nothing, whatever slot becomes what."""
    graphs = [text_to_graph(text) for text in ("abba", "cab")]
    alphabet = Alphabet.of(graphs)
    targets = Batch.from_data_list([alphabet.encode(graph) for graph in graphs])
    draw = torch.Generator().manual_seed(0)
    label = torch.randn(2, 5, 4, generator=draw).requires_grad_()
    relation = torch.randn(2, 5, 5, 2, generator=draw).requires_grad_()
    adam = torch.optim.Adam([label, relation], lr=0.2)
    loss = StructuralLoss()
    for _ in range(150):
        total = loss(Prediction.from_dense(label, relation), targets).total
        adam.zero_grad()
        total.backward()
        adam.step()
    assert total.item() < 0.2


def test_refused_shapes() -> None:
    label, relation = _logits()
    with pytest.raises(InputError, match=r"`relation` must have shape \(2, 4, 4, relations\)"):
        unchecked(Prediction.from_dense)(label, relation[:, :3])
