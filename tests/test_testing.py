"""The public assertions hold where a law holds, and fail where one is broken."""

from dataclasses import replace

import pytest
from torch import nn
from torch_geometric.data import Batch, Data

from grapheme_torch import GraphTransformNet, Prediction, StructuralLoss, StructuralLossResult
from grapheme_torch.data import Alphabet, PairDataset, collate, kindergarten
from grapheme_torch.testing import (
    assert_batch_invariant,
    assert_gradients_exact,
    assert_model_batch_invariant,
    assert_permutation_invariant,
)

from .problems import batch_of_pairs

PAIRS = kindergarten()[:3]
ALPHABET = Alphabet.of([pair.target for pair in PAIRS])
DATASET = PairDataset(PAIRS, ALPHABET)
ITEMS = [DATASET[k] for k in range(len(PAIRS))]
LOSS = StructuralLoss(reduction="none")


@pytest.fixture
def model() -> GraphTransformNet:
    return GraphTransformNet(
        ALPHABET.labels, ALPHABET.relations, dim=16, num_layers=1, num_buckets=32
    ).double()


@pytest.mark.repeats
def test_the_laws_hold_here(model: GraphTransformNet) -> None:
    inputs, targets = collate(ITEMS)
    prediction = model(inputs)
    assert_permutation_invariant(LOSS, prediction, targets)
    assert_batch_invariant(LOSS, prediction, [target for _, target in ITEMS])
    assert_model_batch_invariant(model, [given for given, _ in ITEMS])
    assert_gradients_exact(model, StructuralLoss(), *collate(ITEMS[:1]))


def test_a_loss_that_counts_nodes_is_caught(model: GraphTransformNet) -> None:
    def by_number(prediction: Prediction, target: Data) -> StructuralLossResult:
        result = LOSS(prediction, target)
        return replace(result, total=result.total + prediction.existence[0])

    inputs, targets = collate(ITEMS)
    with pytest.raises(AssertionError, match="permuting the predicted nodes changes the result by"):
        assert_permutation_invariant(by_number, model(inputs), targets)


def test_a_loss_that_looks_at_batch_mates_is_caught(model: GraphTransformNet) -> None:
    def centred(prediction: Prediction, target: Data) -> StructuralLossResult:
        result = LOSS(prediction, target)
        return replace(result, total=result.total - result.total.mean())

    inputs, _ = collate(ITEMS)
    with pytest.raises(AssertionError, match="taking pair 0 out of its batch changes"):
        assert_batch_invariant(centred, model(inputs), [target for _, target in ITEMS])


def test_a_model_with_batch_statistics_is_caught(model: GraphTransformNet) -> None:
    def normalised(batch: Batch) -> Prediction:
        soft = model(batch)
        return replace(soft, existence=soft.existence - soft.existence.mean())

    with pytest.raises(AssertionError, match=r"graph 0 out of its batch \(`existence`\)"):
        assert_model_batch_invariant(normalised, [given for given, _ in ITEMS])


@pytest.mark.repeats
def test_a_wrong_gradient_is_caught() -> None:
    soft, target = batch_of_pairs(0, [(3, 3)])

    class Labels(nn.Module):
        def __init__(self, kept: float) -> None:
            super().__init__()
            self.label, self.kept = nn.Parameter(soft.label.detach()), kept

        def forward(self, _: Data) -> Prediction:
            half = self.kept * self.label + (1 - self.kept) * self.label.detach()
            return replace(soft, label=half)

    assert_gradients_exact(Labels(1.0), StructuralLoss(), target, target)
    with pytest.raises(AssertionError, match="a gradient is not the derivative of the loss"):
        assert_gradients_exact(Labels(0.5), StructuralLoss(), target, target)
