"""Learnt output nodes: as many for every graph, of the whole of it, and of it alone."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch

from grapheme_torch import GraphTransformNet, InputError, StructuralLoss, check_gradients
from grapheme_torch.data import Alphabet
from grapheme_torch.graphs import make_graph, text_to_graph
from grapheme_torch.nn import OutputQueries, QueryDecoder, candidate_edges, grouped
from grapheme_torch.nn._edge_messages import expected_edges
from grapheme_torch.nn._slots import Wired
from grapheme_torch.prediction import Prediction

from ..problems import join
from ..unchecked import unchecked
from .inputs import assert_differentiates, permuted, random_graph, union

LABELS, RELATIONS = ["a", "b"], ["r", "s"]


def _model(**options: Any) -> GraphTransformNet:
    torch.manual_seed(0)
    options = {"dim": 8, "num_heads": 2, "num_buckets": 16, "queries": {"number": 5}, **options}
    return GraphTransformNet(LABELS, RELATIONS, **grouped(options)).double()


def _outputs(prediction: Prediction) -> list[Tensor]:
    return [prediction.existence, prediction.label, prediction.relation]


def _wired(h: Tensor, batch: Tensor) -> Wired:
    return Wired(h, torch.zeros(2, 0).long(), torch.zeros(0).long(), h[:0], batch, None)


def _attended(part: Any, z: Tensor, memory: Tensor) -> Tensor:
    """Attention head by head and node by node."""
    dim = z.shape[1]
    size = dim // part.num_heads
    key, value = part.key_value(memory).split(dim, 1)
    rows = []
    for query in part.query(z):
        heads = []
        for k in range(part.num_heads):
            own = slice(k * size, (k + 1) * size)
            weight = (key[:, own] @ query[own] / math.sqrt(size)).softmax(0)
            heads.append(weight @ value[:, own])
        rows.append(torch.cat(heads))
    return part.merge(torch.stack(rows))


def test_each_layer_is_its_formula() -> None:
    torch.manual_seed(0)
    part = QueryDecoder(8, 3, num_layers=2, num_heads=2, dropout=0.0).double()
    h, batch = torch.randn(6, 8).double(), torch.tensor([0, 0, 0, 0, 2, 2])
    found = part(_wired(h, batch), 3)
    assert found.batch.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for k in range(3):
        memory = part.norm(torch.cat([part.nothing, h[batch == k]]))
        wanted: Tensor = part.query
        for layer in part.layers:
            z = layer.norms[0](wanted)
            wanted = wanted + _attended(layer.among, z, z)
            wanted = wanted + _attended(layer.across, layer.norms[1](wanted), memory)
            wanted = wanted + layer.feed_forward(wanted)
        torch.testing.assert_close(found.h[found.batch == k], wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("directed", [True, False])
def test_later_layers_hear_along_expected_edges(directed: bool) -> None:
    torch.manual_seed(0)
    model = _model(directed=directed, queries={"number": 3, "num_layers": 2})
    assert model.queries is not None
    first, second = (layer.messages for layer in model.queries.layers)
    assert first is None
    h, batch = torch.randn(6, 8).double(), torch.tensor([0, 0, 0, 1, 1, 1])
    candidates = candidate_edges(batch, kind=model.candidates)
    found = second(h.view(2, 3, 8), expected_edges(model.heads, candidates, batch, 3, directed)(h))
    existence, _, relation = model.heads(h, candidates, None, None, batch)
    exists, chance = existence.sigmoid(), relation.softmax(1)
    heard, z = torch.zeros(6, 8).double(), second.value(second.norm(h))
    for (u, v), row in zip(candidates.T.tolist(), chance, strict=True):
        for kind, share in enumerate(row[1:] * exists[u] * exists[v]):
            heard[u] += share * second.kind[kind] * z[v]
            heard[v] += share * second.kind[kind + (2 if directed else 0)] * z[u]
    wanted = second.merge(torch.nn.functional.silu(heard))
    torch.testing.assert_close(found.flatten(0, 1), wanted, rtol=1e-12, atol=1e-12)


def test_nothing_is_heard_without_relations() -> None:
    model = GraphTransformNet(["a"], [], dim=8, num_heads=2, queries=OutputQueries(number=2))
    assert model.queries is not None
    assert all(layer.messages is None for layer in model.queries.layers)
    assert model(make_graph(["a"])).relation.shape == (2, 1)


def test_its_derivatives() -> None:
    torch.manual_seed(0)
    part = QueryDecoder(4, 3, num_layers=1, num_heads=2, dropout=0.0).double()
    batch = torch.tensor([0, 0, 2])
    inputs = torch.randn(3, 4).double()
    assert_differentiates(part, lambda h: part(_wired(h, batch), 3).h, inputs)


def test_as_many_output_nodes_for_every_graph() -> None:
    model = _model()
    found = model(union([random_graph(k, n) for k, n in enumerate([4, 0, 1])]))
    assert (model.num_queries, model.num_slots, model.own) == (5, 1, None)
    assert found.batch.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert found.label.shape == (15, 2)
    assert found.position is None
    assert len(found.relation) == 3 * 5 * 4  # both ways, whatever `candidates` says
    undirected = _model(directed=False)
    assert (model.candidates, undirected.candidates) == ("all", "forward")
    assert len(undirected(random_graph(0, 4)).relation) == 5 * 4 // 2


@pytest.mark.parametrize("placed", [True, False])
def test_a_graph_is_the_same_alone_and_in_a_batch(placed: bool) -> None:
    model = _model()
    graphs = [random_graph(k, n) for k, n in enumerate([4, 0, 1, 7, 0])]
    if placed:
        graphs = [text_to_graph(text) for text in ["blue", "", "a"]]
    whole, wanted = model(union(graphs)), join([model(graph) for graph in graphs])
    assert torch.equal(whole.edge_index, wanted.edge_index)
    for value, other in zip(_outputs(whole), _outputs(wanted), strict=True):
        torch.testing.assert_close(value, other, rtol=1e-12, atol=1e-12)


def test_the_order_of_a_set_says_nothing() -> None:
    model, graph = _model(features=1), make_graph(list("abcde"))
    graph.features = torch.arange(5.0)[:, None]
    order = torch.tensor([3, 0, 4, 1, 2])
    turned = permuted(graph, order)
    turned.features = graph.features[order]
    for value, other in zip(_outputs(model(turned)), _outputs(model(graph)), strict=True):
        torch.testing.assert_close(value, other, rtol=1e-12, atol=1e-12)


def test_output_nodes_differ_before_training() -> None:
    """Else every one would learn the same; and what they say depends on the input."""
    model = _model(dim=64, num_heads=4, queries={"number": 20})
    first, second = (model(make_graph(list(text))) for text in ("abc", "xyz"))
    assert first.label.std(0).min() > 0.2
    assert (first.label - second.label).abs().max() > 0.05


def test_no_logit_is_left_out_of_the_share_that_exists() -> None:
    model = _model()
    model.expect(0.25, 0.1)
    torch.nn.init.zeros_(model.heads.existence.weight)
    found = model(make_graph(["a"])).existence.sigmoid()
    torch.testing.assert_close(found, torch.full((5,), 0.25).double())


@pytest.mark.repeats
@pytest.mark.parametrize(("directed", "features"), [(True, 2), (False, 0)])
def test_the_gradient_of_every_parameter(directed: bool, features: int) -> None:
    queries = {"number": 4, "num_layers": 2}
    model = _model(directed=directed, features=features, num_layers=1, queries=queries)
    sizes = [3, 1, 2]
    rng = torch.Generator().manual_seed(1)
    rows = [torch.rand(n, 2, generator=rng) * torch.tensor([500.0, 1.0]) for n in sizes]
    graphs = [
        make_graph(["a", "c", "d"][:n], features=x.tolist() if features else None)
        for n, x in zip(sizes, rows, strict=True)
    ]
    model.standardise(graphs)
    wanted = [
        make_graph(["a", "b", "a"], [(0, 1, "r"), (2, 1, "s")], directed=directed),
        make_graph([], directed=directed),
        make_graph(["b"], directed=directed),
    ]
    alphabet = Alphabet(tuple(LABELS), tuple(RELATIONS))
    targets = Batch.from_data_list([alphabet.encode(graph) for graph in wanted])
    inputs = Batch.from_data_list(graphs)
    report = check_gradients(model, StructuralLoss(directed=directed), inputs, targets, entries=1)
    assert report.passed
    still = [row.name for row in report.rows if row.status == "untouched"]
    # Sets have no edges: what would pass messages along them is not asked.
    assert all("edge_embedding" in name or "from_" in name for name in still)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slots": {"per_node": 2}}, "`slots.per_node` must be 1 with `queries`, got 2. Leave it"),
        ({"candidates": {"window": 3}}, "`candidates.window` must be None with `queries`, got 3"),
        ({"candidates": {"locality": 2.0}}, "`candidates.locality` must be 0.0 with `queries`"),
        ({"candidates": {"copy": True}}, "`candidates.copy` must be False with `queries`"),
        ({"places": "count"}, "`places` must be 'input' with `queries`, got 'count'"),
        ({"queries": {"number": -1}}, "`number` must be a whole number from 0, below 2^31, got -1"),
        (
            {"queries": {"number": 3, "num_layers": 0}},
            "`num_layers` must be at least 1 where there are q",
        ),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        _model(**options)


def test_a_number_of_queries_is_whole() -> None:
    with pytest.raises(InputError, match="`number` must be a whole number"):
        unchecked(OutputQueries)(number=1.5)


def test_without_queries_outputs_stand_at_inputs() -> None:
    torch.manual_seed(0)
    usual = GraphTransformNet(LABELS, RELATIONS, dim=8, num_heads=2)
    torch.manual_seed(0)
    same = GraphTransformNet(LABELS, RELATIONS, dim=8, num_heads=2, queries=OutputQueries())
    assert (same.num_queries, same.queries, same.config["copy"]) == (0, None, True)
    for value, other in zip(usual.parameters(), same.parameters(), strict=True):
        assert torch.equal(value, other)


def test_it_comes_back_from_its_folder(tmp_path: Path) -> None:
    model = _model(queries={"number": 3, "num_layers": 2}, features=1)
    model.save_pretrained(tmp_path)
    again = GraphTransformNet.from_pretrained(tmp_path)
    assert (again.config, again.num_queries) == (model.config, 3)
    graph = make_graph(["a", ""], features=[[1.0], [5.0]])
    for value, other in zip(_outputs(again(graph)), _outputs(model(graph)), strict=True):
        assert torch.equal(value, other)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"number": 3', '"number": "3"'))
    with pytest.raises(InputError, match=re.escape("`queries.number` must be a whole number")):
        GraphTransformNet.from_pretrained(tmp_path)
