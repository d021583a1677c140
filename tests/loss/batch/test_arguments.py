"""What is no prediction, or no target, is told what to do."""

from typing import Any

import networkx as nx
import pytest
import torch
from torch_geometric.data import Batch, Data, HeteroData

from grapheme_torch import InputError, StructuralLoss
from grapheme_torch.loss.batch._arguments import check_kinds, joined

from ...problems import join, random_dag, random_prediction

SOFT, TARGET = random_prediction(0, 2), random_dag(0, 2)


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (TARGET, SOFT, "`prediction` must be a `Prediction`, got a Data. The prediction comes fir"),
        (torch.zeros(2), SOFT, "got a Tensor. The prediction comes first"),
        (nx.Graph(), TARGET, "got a Graph. The prediction comes first"),
        (torch.zeros(2), TARGET, "got a Tensor. Build one, or use `Prediction.from_dense`."),
        ((torch.zeros(2), torch.zeros(2)), TARGET, "got a tuple of Tensor. Build one"),
        (None, TARGET, "got nothing. Build one"),
        ([SOFT, SOFT], TARGET, "got a list of Prediction. Join them: `Prediction.cat("),
        (SOFT, [TARGET, SOFT], "got a list of Data and Prediction. Give node classes"),
        (SOFT, [], "`target` must be a `Data` or `Batch`, got a list of nothing. Give node cl"),
        (SOFT, HeteroData(), "got a HeteroData. Convert it: `target.to_homogeneous()`"),
        (SOFT, nx.DiGraph(), "got a DiGraph. Convert it: `target_from_networkx(graph)`"),
        (SOFT, [nx.Graph()], "got a list of Graph. Convert it"),
        (SOFT, SOFT, "got a Prediction. A target has classes, not logits"),
        (SOFT, {"y": 0}, "got a dict. Give node classes"),
        (SOFT, None, "got nothing. Give node classes"),
    ],
)
def test_what_it_is_not(prediction: Any, target: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        check_kinds(prediction, target)
    assert message in str(caught.value)


def test_what_it_is() -> None:
    check_kinds(SOFT, TARGET)
    check_kinds(SOFT, Batch.from_data_list([TARGET, TARGET]))
    check_kinds(SOFT, Data())


def test_a_list_of_targets_is_their_batch() -> None:
    targets = [random_dag(k, 2 + k) for k in range(3)]
    prediction = join([random_prediction(k, 3) for k in range(3)])
    batch, loss = Batch.from_data_list(targets), StructuralLoss()
    wanted = loss(prediction, batch)
    pair = [Batch.from_data_list(targets[:2]), targets[2]]
    for several in (targets, tuple(targets), pair):
        assert torch.equal(loss(prediction, several).total, wanted.total)
    assert joined(batch) is batch
