"""`Prediction.from_dense`: what a decoder with slots says, in ragged form."""

import re
from math import inf, nan
from typing import Any

import pytest
import torch
from torch_geometric.data import Batch, Data

from grapheme_torch import InputError, Prediction, Sinkhorn, StructuralLoss
from grapheme_torch.data import Alphabet
from grapheme_torch.graphs import text_to_graph

from ..unchecked import unchecked
from .samples import assert_same


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


def test_what_is_known_of_each_slot_goes_with_it() -> None:
    label, relation = _logits()
    known = torch.arange(2 * 4 * 5).reshape(2, 4, 5).double()
    mask = torch.tensor([[True, False, True, True], [True, True, True, False]])
    soft = Prediction.from_dense(
        label, relation, existence=label[..., 0], mask=mask, embedding=known
    )
    assert soft.embedding is not None
    assert torch.equal(soft.embedding, known[mask])
    assert torch.equal(Prediction.cat([soft, soft])[2].embedding, known[0][mask[0]])
    wrong = "`embedding` must have shape (2, 4, numbers), got (2, 3, 5)"
    with pytest.raises(InputError, match=re.escape(wrong)):
        unchecked(Prediction.from_dense)(
            label, relation, existence=label[..., 0], embedding=known[:, :3]
        )


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
    loss = StructuralLoss(
        gamma=0, directed=False, alignment=Sinkhorn(temperature=0.01, rounds=5, update="proximal")
    )
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


def test_the_last_class_may_be_no_node() -> None:
    """As in DETR; the other classes keep their numbers."""
    label, relation = _logits()
    turned = Prediction.from_dense(label.roll(-1, 2), relation, no_node="last")
    assert_same(turned, Prediction.from_dense(label, relation, no_node="first"))
    assert_same(turned, Prediction.from_dense(label, relation))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.long, torch.float16, torch.float64])
def test_a_mask_may_be_of_numbers(dtype: torch.dtype) -> None:
    label, relation = _logits()
    mask = torch.tensor([[True, False, True, True], [False, True, False, False]])
    found = Prediction.from_dense(label, relation, mask=mask.to(dtype))
    assert_same(found, Prediction.from_dense(label, relation, mask=mask))


@pytest.mark.parametrize("value", [2.0, -1.0, 0.5, -inf, nan])
def test_a_mask_of_other_numbers_is_refused(value: float) -> None:
    label, relation = _logits()
    mask = torch.ones(2, 4)
    mask[1, 2] = value
    with pytest.raises(InputError, match=r"`mask` must be of booleans, or of 0 and 1 .*mask == 0"):
        Prediction.from_dense(label, relation, mask=mask)


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize(("size", "slots"), [(0, 3), (2, 0), (2, 1), (0, 0)])
def test_no_graphs_and_no_slots(size: int, slots: int, directed: bool) -> None:
    soft = Prediction.from_dense(
        torch.zeros(size, slots, 3), torch.zeros(size, slots, slots, 2), directed=directed,
        mask=torch.ones(size, slots), position=torch.zeros(size, slots, 2),
        weight=torch.zeros(size, slots, slots),
    )  # fmt: skip
    assert (len(soft), len(soft.existence)) == (size, size * slots)
    assert soft.directed is directed


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"relation": torch.zeros(2, 3, 4, 2)}, r"`relation` must have shape (2, 4, 4, relations)"),
        ({"relation": torch.zeros(2, 4, 4)}, "`relation` must have shape (2, 4, 4, relations), go"),
        (
            {"label": torch.zeros(4, 3)},
            "`label` must have shape (graphs, slots, classes), got (4, ",
        ),
        (
            {"label": torch.zeros(2, 4, 3).long()},
            "`label` must be a dense floating-point tensor, got",
        ),
        ({"label": torch.zeros(2, 4, 1)}, '`label` must have a class besides "no node", got 1.'),
        ({"existence": torch.zeros(2, 4, 1)}, "`existence` must have shape (2, 4), got (2, 4, 1)"),
        ({"existence": torch.zeros(8)}, "`existence` must have shape (2, 4), got (8,)"),
        ({"mask": torch.ones(2, 3) > 0}, "`mask` must have shape (2, 4), got (2, 3)"),
        ({"mask": [[True] * 4] * 2}, "`mask` must be a tensor of booleans, got [["),
        ({"position": torch.zeros(2, 3)}, "`position` must have shape (2, 4), got (2, 3)"),
        ({"position": torch.zeros(2, 3, 1)}, "`position` must have shape (2, 4, coordinates), got"),
        (
            {"position": torch.zeros(2, 4).long()},
            "`position` must be a dense floating-point",
        ),
        ({"weight": torch.zeros(2, 4)}, "`weight` must have shape (2, 4, 4), got (2, 4)"),
        ({"weight": torch.zeros(2, 4, 4, device="meta")}, "`weight` must be on the device of `lab"),
        ({"no_node": "middle"}, '`no_node` must be "first" or "last", got \'middle\''),
        (
            {"no_node": "last", "existence": torch.zeros(2, 4)},
            "`no_node` must be None if `existence` is given, got 'last'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(other: dict[str, Any], message: str) -> None:
    label, relation = _logits()
    with pytest.raises(InputError, match=re.escape(message)):
        unchecked(Prediction.from_dense)(**{"label": label, "relation": relation, **other})
