"""The vector of a node's numbers: standardised, told apart near and far, differentiable."""

import math
import re
from pathlib import Path

import pytest
import torch
from torch_geometric.data import Batch

from grapheme_torch import GraphTransformNet, InputError
from grapheme_torch.graphs import Moments, make_graph
from grapheme_torch.nn import FeatureEmbedding, check_width
from grapheme_torch.nn._features import LONGEST, SHORTEST, WAVES

from .inputs import assert_differentiates


def _part(count: int = 2, dim: int = 8) -> FeatureEmbedding:
    torch.manual_seed(0)
    part = FeatureEmbedding(dim, count).double()
    part.mean.copy_(torch.tensor([300.0, 0.5])[:count])
    part.deviation.copy_(torch.tensor([200.0, 0.25])[:count])
    return part


def test_it_is_its_formula() -> None:
    part = _part()
    rows = torch.tensor([[300.0, 0.75], [55.5, 0.0]]).double()
    waves = [LONGEST * (SHORTEST / LONGEST) ** (k / (WAVES - 1)) for k in range(WAVES)]
    for row, found in zip(rows, part(rows), strict=True):
        z = [(float(row[0]) - 300) / 200, (float(row[1]) - 0.5) / 0.25]
        angles = [2 * math.pi * value / wave for value in z for wave in waves]
        parts = [*z, *map(math.sin, angles), *map(math.cos, angles)]
        wanted = part.read(torch.tensor(parts, dtype=torch.float64))
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


def test_its_derivatives() -> None:
    part = _part(1, 4)
    assert_differentiates(part, part, torch.tensor([[310.0], [100.0], [700.0]]).double())


def test_near_numbers_are_told_apart_and_far_ones_are_unlike() -> None:
    """Masses of one hundredth of a unit apart, of a spread of 200."""
    part = _part(1, 64)
    one, near, far = part(torch.tensor([[150.00], [150.01], [450.0]]).double())
    assert 0.01 < (one - near).norm() < 0.5 * (one - far).norm()


def test_standardising_is_saved_and_measured_on_the_inputs(tmp_path: Path) -> None:
    model = GraphTransformNet(["a"], ["r"], dim=8, num_heads=2, features=2)
    assert model.features is not None
    assert not model.features.is_measured
    graphs = [make_graph(["", ""], features=[[1.0, 5.0], [3.0, 5.0]]), make_graph([])]
    model.standardise(graphs)
    assert model.features.is_measured
    assert model.features.mean.tolist() == [2.0, 5.0]
    assert model.features.deviation.tolist() == [1.0, 1.0]
    model.save_pretrained(tmp_path)
    again = GraphTransformNet.from_pretrained(tmp_path)
    assert (again.num_features, again.config) == (2, model.config)
    assert torch.equal(again(graphs[0]).label, model(graphs[0]).label)


@pytest.mark.parametrize("empty_first", [True, False])
def test_a_graph_without_nodes_has_any_numbers(empty_first: bool) -> None:
    model = GraphTransformNet(["a"], ["r"], dim=8, num_heads=2, features=2)
    graphs = [make_graph(["b"], features=[[1.0, 2.0]]), make_graph([])]
    graphs[1].features = torch.zeros(0, 2)
    found = model(Batch.from_data_list(graphs[::-1] if empty_first else graphs))
    assert len(found.existence) == 1
    assert len(model(make_graph([])).existence) == 0


def test_numbers_are_read() -> None:
    model = GraphTransformNet(["a"], ["r"], dim=8, num_heads=2, features=1)
    low, high = (model(make_graph(["b"], features=[[x]])).label for x in (-1.0, 1.0))
    assert (low - high).abs().max() > 1e-3


def test_another_width_is_refused_by_name() -> None:
    model = GraphTransformNet(["a"], ["r"], dim=8, num_heads=2, features=2)
    for graph in (make_graph(["b"], features=[[1.0]]), make_graph(["b"])):
        with pytest.raises(InputError, match="the graph must have 2 numbers a node, as"):
            model(graph)
    usual = GraphTransformNet(["a"], ["r"], dim=8, num_heads=2)
    with pytest.raises(InputError, match=re.escape("got 1. Make the network for them")):
        usual(make_graph(["b"], features=[[1.0]]))
    check_width(make_graph(["b"], features=[[1.0]]), None)
    with pytest.raises(InputError, match=re.escape("`graphs[1]` must have 2 numbers a node")):
        model.standardise([make_graph(["a"], features=[[1.0, 2.0]]), make_graph(["a"])])
    with pytest.raises(InputError, match="the graphs must have 2 numbers a node, got 0"):
        model.standardise([])
    with pytest.raises(InputError, match="`features` must not be negative"):
        GraphTransformNet(["a"], ["r"], features=-1)
    with pytest.raises(InputError, match="have 2 numbers"):
        model.features.standardise(Moments())
