"""The whole network: graphs apart, order aside, and every parameter reached by the loss."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import GraphTransformNet, InputError, Prediction, StructuralLoss, text_to_graph
from grapheme_torch.data import Alphabet, PairDataset, collate, load_pairs
from grapheme_torch.graphs import both_ways, make_graph
from grapheme_torch.nn import CandidateEdges, grouped

from ..problems import join, loss_of
from ..unchecked import unchecked
from .inputs import TEXTS, assert_differentiates, permuted, random_graph, union

LABELS, RELATIONS = ["a", "b", "c"], ["next", "last"]


def _model(**options: Any) -> GraphTransformNet:
    options = {"dim": 8, "num_heads": 2, "num_buckets": 16, **options}
    return GraphTransformNet(LABELS, RELATIONS, **grouped(options)).double()


def _outputs(prediction: Prediction) -> list[Tensor]:
    return [prediction.existence, prediction.label, prediction.relation]


def _kindergarten(**options: Any) -> tuple[GraphTransformNet, Batch, Batch]:
    pairs = load_pairs("kindergarten")
    alphabet = Alphabet.of(pair.target for pair in pairs)
    data = PairDataset(pairs, alphabet)
    inputs, targets = collate([data[k] for k in range(len(data))])
    options = {"dim": 16, "num_buckets": 128, **options}
    model = GraphTransformNet(alphabet.labels, alphabet.relations, **grouped(options))
    return model.double(), inputs, targets


def test_one_output_node_per_input_node() -> None:
    found = _model()(union([text_to_graph(text) for text in TEXTS]))
    counts = [len(text_to_graph(text).label) for text in TEXTS]
    n = sum(counts)
    assert found.existence.shape == (n,)
    assert found.label.shape == (n, len(LABELS) + 1)
    assert found.relation.shape == (sum(k * (k - 1) // 2 for k in counts), len(RELATIONS) + 1)
    assert torch.bincount(found.batch, minlength=len(TEXTS)).tolist() == counts
    assert found.num_graphs == len(TEXTS)
    assert found.position is not None
    assert found.position.dtype == torch.float64


def test_several_output_nodes_per_input_node() -> None:
    model = _model(slots={"per_node": 3}, copy=False)
    found = model(union([text_to_graph(text) for text in TEXTS]))
    counts = [3 * len(text_to_graph(text).label) for text in TEXTS]
    n = sum(counts)
    assert model.num_slots == 3
    assert found.existence.shape == (n,)
    assert found.label.shape == (n, len(LABELS))
    assert found.relation.shape == (sum(k * (k - 1) // 2 for k in counts), len(RELATIONS) + 1)
    assert torch.bincount(found.batch, minlength=len(TEXTS)).tolist() == counts


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"candidates": {"pairs": "all", "window": 2}},
        {"num_layers": 0},
        {"slots": {"per_node": 3}, "places": "count"},
        {"slots": {"per_node": 2, "num_layers": 0}, "copy": False},
        {"candidates": {"locality": 2.0}},
        {"candidates": {"copy": True}, "slots": {"per_node": 2}},
        {"candidates": {"copy": True, "loops": True}},
    ],
)
@pytest.mark.parametrize("placed", [True, False])
def test_a_graph_is_the_same_alone_and_in_a_batch(options: dict[str, Any], placed: bool) -> None:
    model = _model(**options)
    graphs = [random_graph(k, n) for k, n in enumerate([4, 0, 1, 7, 0])]
    if placed:
        graphs = [text_to_graph(text) for text in [*TEXTS, ""]]
    whole = model(union(graphs))
    wanted = join([model(graph) for graph in graphs])
    assert torch.equal(whole.edge_index, wanted.edge_index)
    for value, other in zip(_outputs(whole), _outputs(wanted), strict=True):
        torch.testing.assert_close(value, other, rtol=1e-12, atol=1e-12)
    if placed:
        torch.testing.assert_close(whole.position, wanted.position, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("placed", [True, False])
@pytest.mark.parametrize("slots", [1, 3])
def test_the_order_of_nodes_does_not_matter(slots: int, placed: bool, directed: bool) -> None:
    """Positions belong to the nodes and go along; the number of a node says nothing."""
    pairs: dict[str, Any] = {"candidates": {"pairs": "all"}, "directed": directed}
    model = _model(**pairs, slots={"per_node": slots}, places="count")
    graph, order = random_graph(3, 6), torch.randperm(6)
    if placed:
        graph.position = torch.randperm(6).float()
    first, turned = model(graph), model(permuted(graph, order))
    order = (order[:, None] * slots + torch.arange(slots)).flatten()
    for value, other in zip(_outputs(turned)[:2], _outputs(first)[:2], strict=True):
        torch.testing.assert_close(value, other[order], rtol=1e-12, atol=1e-12)
    if placed:
        torch.testing.assert_close(turned.position, first.position[order], rtol=1e-12, atol=1e-12)
    grid = torch.zeros(2, 6 * slots, 6 * slots, 3).double()
    for k, found in enumerate((first, turned)):
        grid[k, found.edge_index[0], found.edge_index[1]] = found.relation
        if not directed:
            grid[k, found.edge_index[1], found.edge_index[0]] = found.relation
    torch.testing.assert_close(grid[1], grid[0][order][:, order], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("slots", [1, 2])
def test_a_label_that_is_not_in_the_alphabet_can_be_copied(slots: int) -> None:
    model = _model(slots={"per_node": slots})
    assert model.heads.copy is not None
    torch.nn.init.constant_(model.heads.copy.bias, 30.0)
    found = model(text_to_graph("bé🇩🇪a")).label.argmax(1)
    assert found.tolist() == [k for k in (1, 3, 3, 0) for _ in range(slots)]


def test_a_label_that_is_never_copied_is_not_copied() -> None:
    model = _model(uncopied=["z", "é"])
    assert model.heads.copy is not None
    torch.nn.init.constant_(model.heads.copy.bias, 30.0)
    found = model(text_to_graph("béya")).label.argmax(1)
    assert found[[0, 2, 3]].tolist() == [1, 3, 0]
    assert found[1] < 3
    message = "`uncopied` must be none of `labels`, got ['b']. Leave them out."
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        _model(uncopied=["z", "b"])


@pytest.mark.parametrize("slots", [1, 2])
def test_a_graph_without_edges_has_no_kinds_of_them(slots: int) -> None:
    model = _model(slots={"per_node": slots})
    found = model(make_graph(["a", "b"], position=[0, 1]))
    assert all(value.isfinite().all() for value in _outputs(found))
    assert found.relation.shape == (2 * slots * (2 * slots - 1) // 2, 3)


def test_a_graph_without_code_points_is_read() -> None:
    graph = text_to_graph("abc")
    graph.x, graph.edge_attr = graph.x[:, :8], graph.edge_attr[:, :8]
    model = _model()
    found = model(graph)
    assert all(value.isfinite().all() for value in _outputs(found))
    for embedding in (model.embedding, model.edge_embedding):
        torch.nn.init.zeros_(embedding.spelling)
    for value, other in zip(_outputs(model(text_to_graph("abc"))), _outputs(found), strict=True):
        torch.testing.assert_close(value, other, rtol=1e-12, atol=1e-12)


def test_position_counts() -> None:
    model, graph = _model(), text_to_graph("aaaa")
    placed = model(graph).label
    assert (placed[1] - placed[2]).abs().max() > 1e-4
    del graph.position
    assert model(graph).position is None


def test_edges_and_their_labels_count() -> None:
    model, graph = _model(), random_graph(3, 6)
    first = model(graph).label
    bent = graph.clone()
    bent.edge_attr = bent.edge_attr + 1
    assert (model(bent).label - first).abs().max() > 1e-4
    bent.edge_index, bent.edge_attr = graph.edge_index[:, :0], graph.edge_attr[:0]
    assert (model(bent).label - first).abs().max() > 1e-4


@pytest.mark.repeats
def test_derivative_by_finite_differences() -> None:
    model = _model(num_layers=1, num_buckets=2, dim=8)
    graph = union([text_to_graph("ab"), text_to_graph(""), text_to_graph("c")])

    def outputs() -> Tensor:
        return torch.cat([value.flatten() for value in _outputs(model(graph))])

    # The tables of edge labels are large; one of their hashes is enough here.
    model.edge_embedding = type(model.edge_embedding)(8, num_buckets=1).double()
    assert_differentiates(model, outputs)


def _gradients(model: GraphTransformNet) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        yield name, parameter.grad.clone()


NETWORKS = [{}, {"copy": False}, {"uncopied": ["☃"]}, {"slots": {"per_node": 3}, "places": "count"}]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "options", [{}, {"criterion": "edit", "rounds": 2}, {"gradient": "detach"}]
)
def test_every_parameter_is_reached_on_kindergarten(
    options: dict[str, Any], network: dict[str, Any]
) -> None:
    model, inputs, targets = _kindergarten(**network)
    loss_of(**options)(model(inputs), targets).total.backward()
    for name, slope in _gradients(model):
        assert slope.isfinite().all(), name
        assert slope.abs().max() > 1e-9, name
        if name.endswith(("embedding.weight", "embedding.spelling")):
            continue  # only the rows of labels that occur
        rows = slope.flatten(1) if slope.ndim > 1 else slope[:, None]
        assert (rows.abs().amax(1) > 0).float().mean() > 0.9, name


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_backward_is_that_of_the_loss(reduction: Any, network: dict[str, Any]) -> None:
    model, inputs, targets = _kindergarten(**network)
    loss = StructuralLoss(reduction=reduction)
    loss(model(inputs), targets).total.backward()
    wanted = dict(_gradients(model))
    model.zero_grad()
    prediction = model(inputs)
    result = loss(prediction, targets, return_gradients=True)
    model.backward(prediction, result.node_gradients, result.edge_gradients)
    for name, slope in _gradients(model):
        torch.testing.assert_close(slope, wanted[name], rtol=1e-12, atol=1e-12, msg=name)


def test_backward_accumulates_until_zeroed() -> None:
    model, inputs, targets = _kindergarten()
    given, wanted = inputs.to_data_list(), targets.to_data_list()
    loss = StructuralLoss(reduction="sum")
    loss(model(inputs), targets).total.backward()
    whole = dict(_gradients(model))
    model.zero_grad()
    for part in (slice(0, 3), slice(3, 4), slice(4, None)):
        prediction = model(Batch.from_data_list(given[part]))
        result = loss(prediction, Batch.from_data_list(wanted[part]), return_gradients=True)
        model.backward(prediction, result.node_gradients, result.edge_gradients)
    for name, slope in _gradients(model):
        torch.testing.assert_close(slope, whole[name], rtol=1e-10, atol=1e-10, msg=name)
    model.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_step_down_the_gradient_lowers_the_loss() -> None:
    model, inputs, targets = _kindergarten()
    loss = StructuralLoss()
    before = loss(model(inputs), targets).total
    before.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            assert parameter.grad is not None
            parameter.sub_(1e-4 * parameter.grad)
    assert float(loss(model(inputs), targets).total.detach()) < float(before.detach())


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_layers": -1}, "`num_layers` must not be negative, got -1. Try 1."),
        ({"slots": {"num_layers": -1}}, "`num_layers` must not be negative, got -1. Try 1."),
        ({"slots": {"per_node": 0}}, "`per_node` must be at least 1, got 0. Try 2."),
        (
            {"places": "output"},
            '`places` must be "input" or "count", got \'output\'. '
            'Use "count" where targets are texts.',
        ),
        (
            {"candidates": {"pairs": "both"}},
            "`pairs` must be forward, all or auto, got 'both'. "
            'Use "forward" for acyclic targets.',
        ),
        (
            {"candidates": {"pairs": "auto"}},
            "`pairs` must be forward or all, got 'auto'. `train` decides by the data; say all.",
        ),
        (
            {"candidates": {"direction": "all"}},
            "`candidates` must have known options only, got direction. "
            "It has pairs, window, locality, copy, loops.",
        ),
        ({"dropout": {"labels": 1.0}}, "`labels` must lie in [0, 1), got 1.0. Try 0.1."),
        (
            {"candidates": "all"},
            "`candidates` must be `CandidateEdges`, got str. It is in grapheme_torch.nn.",
        ),
        (
            {"candidates": {"window": 0}},
            "`window` must be at least 1, got 0. Leave it out to allow any distance.",
        ),
        (
            {"candidates": {"copy": 1}},
            "`copy` must be True or False, got 1. True where targets change their inputs.",
        ),
        (
            {"candidates": {"locality": -1.0}},
            "`locality` must be at least 0, got -1.0. "
            "2 makes an edge over two steps four times less likely.",
        ),
        (
            {"dim": 12},
            "`dim` must be a multiple of num_hashes (8), got 12. "
            "Each hash looks up an equal share of the vector.",
        ),
        (
            {"dim": 16, "num_heads": 3},
            "`dim` must be a multiple of num_heads (3), got 16. "
            "Each head gets an equal share of the vector.",
        ),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        unchecked(GraphTransformNet)(LABELS, RELATIONS, **grouped(options))


def test_a_batch_of_empty_graphs() -> None:
    found = _model()(union([text_to_graph(""), text_to_graph("")]))
    assert found.num_graphs == 2
    assert found.existence.shape == (0,)
    (result,) = [
        StructuralLoss(reduction="none")(
            found, Batch.from_data_list([_target(["a"]), _target([])]), return_gradients=True
        )
    ]
    assert result.total.tolist() == pytest.approx([1.0, 0.0])


def _target(labels: list[str]) -> Data:
    return Data(
        num_nodes=len(labels),
        y=torch.tensor([LABELS.index(name) for name in labels], dtype=torch.long),
        edge_index=torch.zeros(2, 0, dtype=torch.long),
    )


def test_messages_pass_both_ways_along_undirected_edges() -> None:
    """However its edges are stored, alone or beside a directed graph."""
    model = GraphTransformNet("ab", ["x"], dim=16, num_heads=2, num_buckets=64).double().eval()
    edges = [(1, 0, "x"), (1, 2, "y"), (2, 2, "x")]
    once = make_graph("abc", edges, directed=False)
    turned = make_graph("abc", [(v, u, name) for u, v, name in edges], directed=False)
    directed, both = make_graph("abc", edges), both_ways(once)
    doubled = both_ways(once)
    doubled.directed = False
    wanted, alone = model(both), model(directed)
    for graph in (once, turned, doubled):
        torch.testing.assert_close(model(graph).label, wanted.label, rtol=0, atol=1e-12)
    assert not torch.allclose(alone.label, wanted.label)
    mixed = model(Batch.from_data_list([directed, once, both])).label
    expected = torch.cat([alone.label, wanted.label, wanted.label])
    torch.testing.assert_close(mixed, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("candidates", ["forward", "all"])
def test_an_undirected_network_offers_each_pair_once(tmp_path: Path, candidates: Any) -> None:
    options: dict[str, Any] = {"dim": 16, "num_heads": 2, "num_buckets": 64}
    model = GraphTransformNet(
        "ab", ["x"], candidates=CandidateEdges(pairs=candidates), directed=False, **options
    )
    said = model(text_to_graph("abc"))
    assert not said.directed
    assert said.edge_index.tolist() == [[0, 0, 1], [1, 2, 2]]
    model.save_pretrained(tmp_path)
    back = GraphTransformNet.from_pretrained(tmp_path)
    assert back.directed is False
    assert back.config == model.config


def test_a_network_saved_before_directions_were_told_gives_directed_edges(tmp_path: Path) -> None:
    model = GraphTransformNet("ab", ["x"], dim=16, num_heads=2, num_buckets=64)
    del model.config["directed"]
    model.save_pretrained(tmp_path)
    assert GraphTransformNet.from_pretrained(tmp_path).directed is True
