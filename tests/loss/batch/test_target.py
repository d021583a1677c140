"""How the tensors of a target are read: every dtype that says the same gives the same loss."""

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import InputError, Prediction, StructuralLoss, StructuralLossResult
from grapheme_torch.loss.batch._target import is_directed

from ...problems import loss_of, random_prediction
from ...unchecked import unchecked

WHOLE = [torch.int8, torch.int16, torch.int32, torch.uint8]


def _target(**fields: object) -> Data:
    ends = torch.tensor([[0, 1], [1, 2]])
    given = {"y": torch.tensor([0, 1, 1]), "edge_index": ends, "num_nodes": 3}
    return Data(**{**given, "edge_type": torch.tensor([1, 2]), **fields})


def _loss(target: Data, **options: object) -> StructuralLossResult:
    loss = loss_of(**options)
    return unchecked(loss.forward)(random_prediction(0, 4), target)


@pytest.mark.parametrize("dtype", WHOLE)
@pytest.mark.parametrize("name", ["y", "edge_type", "edge_index"])
def test_whole_numbers_of_any_width_are_the_same(name: str, dtype: torch.dtype) -> None:
    wanted = _loss(_target()).total
    changed = _target(**{name: _target()[name].to(dtype)})
    assert torch.equal(_loss(changed).total, wanted)


@pytest.mark.parametrize(
    "empty", [torch.tensor([]), torch.empty(2, 0), torch.tensor([], dtype=torch.long)]
)
def test_no_edges_may_be_an_empty_list(empty: Tensor) -> None:
    bare = {"y": torch.tensor([0, 1]), "num_nodes": 2}
    wanted = _loss(Data(edge_index=torch.empty(2, 0, dtype=torch.long), **bare)).total
    assert torch.equal(_loss(Data(edge_index=empty, **bare)).total, wanted)


def test_a_batch_with_an_empty_list_of_edges_is_read() -> None:
    """PyTorch Geometric makes a floating-point `edge_index` of such a batch."""
    bare = {"y": torch.tensor([0, 1]), "num_nodes": 2}
    edge = Data(edge_index=torch.tensor([[0], [1]]), **bare)
    whole = torch.empty(2, 0, dtype=torch.long)
    soft = Prediction.cat([random_prediction(0, 3), random_prediction(1, 3)])
    loss = StructuralLoss()
    wanted = loss(soft, Batch.from_data_list([edge, Data(edge_index=whole, **bare)])).total
    spoilt = Batch.from_data_list([edge, Data(edge_index=torch.tensor([]), **bare)])
    assert spoilt.edge_index.is_floating_point()
    assert torch.equal(loss(soft, spoilt).total, wanted)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"edge_index": torch.tensor([[0.5], [1.0]])}, r"`target\.edge_index` must be integers"),
        ({"edge_index": torch.tensor([[0, 1]])}, r"`target\.edge_index` must be integers of shape"),
        ({"edge_index": torch.tensor([[True], [True]])}, r"got torch\.bool of shape \(2, 1\)"),
        ({"edge_index": [[0], [1]]}, r"`target\.edge_index` must be integers"),
        ({"y": torch.tensor([0.0, 1.0, 1.0])}, r"`target\.y` must be an integer tensor"),
        ({"y": torch.tensor([[0], [1], [1]])}, r"one class per node \(3\)"),
        ({"y": torch.tensor([0, 1, 1]).to_sparse()}, r"torch\.sparse_coo"),
        ({"y": torch.tensor([0, 1, 1], device="meta")}, r"`target\.y` must be on cpu"),
        ({"position": torch.zeros(1)}, r"`target\.position` must be a tensor with one place"),
        ({"position": torch.zeros(3, 2)}, r"`target\.position` must have 1 coordinates"),
        ({"num_nodes": -1}, r"`target\.num_nodes` must be a whole number"),
        ({"batch": torch.zeros(3)}, r"`target\.batch` must be int64"),
    ],
)
def test_what_cannot_be_read_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _loss(_target(**fields))


def test_places_that_do_not_count_are_not_read() -> None:
    odd = _target(position=torch.full((7,), torch.nan))
    wanted = _loss(_target(), position=0.0).total
    assert torch.equal(_loss(odd, position=0.0).total, wanted)


def test_an_undirected_target_may_store_both_directions() -> None:
    ends = torch.tensor([[0, 1, 2, 1, 2], [1, 2, 2, 0, 1]])
    kinds = torch.tensor([1, 2, 1, 1, 2])
    once = _target(edge_index=ends[:, :3], edge_type=kinds[:3])
    both = _target(edge_index=ends, edge_type=kinds)
    soft = random_prediction(0, 4)
    up = soft.edge_index[0] < soft.edge_index[1]
    soft = Prediction(
        soft.existence, soft.label, soft.edge_index[:, up], soft.relation[up], directed=False
    )
    loss = StructuralLoss()
    assert torch.equal(loss(soft, both).total, loss(soft, once).total)
    both.edge_type = torch.tensor([1, 2, 1, 2, 2])
    with pytest.raises(InputError, match=r"`target\.edge_type` must be equal in both directions"):
        loss(soft, both)


def test_a_target_says_itself_that_it_is_undirected() -> None:
    soft = random_prediction(0, 4)
    up = soft.edge_index[0] < soft.edge_index[1]
    soft = Prediction(soft.existence, soft.label, soft.edge_index[:, up], soft.relation[up])
    named = StructuralLoss(directed=False)(soft, _target()).total
    assert torch.equal(StructuralLoss()(soft, _target(directed=False)).total, named)
    assert not is_directed(soft, Batch.from_data_list([_target(directed=False)] * 2))
    with pytest.raises(InputError, match=r"`target\.directed` must be the same for all graphs"):
        is_directed(soft, Batch.from_data_list([_target(directed=False), _target(directed=True)]))


def test_what_pytorch_geometric_stores_both_ways_is_undirected() -> None:
    soft = random_prediction(0, 4)
    up = soft.edge_index[0] < soft.edge_index[1]
    once = Prediction(soft.existence, soft.label, soft.edge_index[:, up], soft.relation[up])
    ends, kinds = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), torch.tensor([1, 1, 2, 2])
    both = _target(edge_index=ends, edge_type=kinds)
    named = StructuralLoss(directed=False)(once, both).total
    assert torch.equal(StructuralLoss()(once, both).total, named)
    # Candidates in both directions are compared with edges in both directions.
    assert is_directed(soft, both)
    assert is_directed(once, _target(edge_index=ends, edge_type=torch.tensor([1, 2, 2, 2])))
    assert is_directed(once, _target())
    assert StructuralLoss(directed=True)(once, both).total != named


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_mean_of_no_pairs_is_refused(reduction: str) -> None:
    nothing = torch.empty(0, dtype=torch.long)
    target = Data(y=nothing, edge_index=nothing.reshape(2, 0), num_nodes=0, batch=nothing)
    soft = Prediction(
        torch.empty(0), torch.empty(0, 2), nothing.reshape(2, 0), torch.empty(0, 2), num_graphs=0
    )
    loss = StructuralLoss(reduction=reduction)
    if reduction == "sum":
        assert loss(soft, target).total == 0
        return
    with pytest.raises(InputError, match="a batch must hold a pair, to take the mean of"):
        loss(soft, target)
