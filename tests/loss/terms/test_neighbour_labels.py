"""The labels of neighbours as a second task, (E54)."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

import grapheme_torch as gt
from grapheme_torch import NeighbourLabels, Prediction, StructuralLoss, check_gradients

SIZES, LABELS, DIM = (4, 3, 2), 3, 5


def _targets(directed: bool) -> Batch:
    """A path, a loop with a node beside it, a node without edges."""
    edges = ([[0, 1], [1, 2]], [[0, 1], [0, 0]], [[], []])
    kinds = ([1, 2], [1, 2], [])
    labels = ([0, 1, 2], [2, 0], [1])
    graphs = [
        Data(
            y=torch.tensor(y), edge_index=torch.tensor(e).long(), edge_type=torch.tensor(k).long(),
            num_nodes=len(y),
        )
        for y, e, k in zip(labels, edges, kinds, strict=True)
    ]  # fmt: skip
    batch: Batch = Batch.from_data_list(graphs)
    batch.directed = directed
    return batch


def _prediction(seed: int = 0) -> Prediction:
    torch.manual_seed(seed)
    batch = torch.arange(len(SIZES)).repeat_interleave(torch.tensor(SIZES))
    first = [0, 4, 7]
    pairs = [
        (f + u, f + v)
        for f, n in zip(first, SIZES, strict=True)
        for u in range(n)
        for v in range(u + 1, n)
    ]
    n, e = len(batch), len(pairs)

    def numbers(*size: int) -> Tensor:
        return torch.randn(*size, dtype=torch.float64, requires_grad=True)

    return Prediction(
        numbers(n), numbers(n, LABELS), torch.tensor(pairs).T, numbers(e, 3), batch,
        embedding=numbers(n, DIM),
    )  # fmt: skip


def _loss(directed: bool, **options: Any) -> StructuralLoss:
    torch.manual_seed(1)
    term = NeighbourLabels(DIM, LABELS, directed=directed)
    loss = StructuralLoss(
        gamma=0, directed=directed, terms={"neighbours": (0.5, term)}, reduction="none", **options
    )
    return loss.double()


@pytest.mark.parametrize("directed", [False, True])
def test_it_is_what_the_formula_says(directed: bool) -> None:
    prediction, target, loss = _prediction(), _targets(directed), _loss(directed)
    found = loss(prediction, target)
    term = loss.terms["neighbours"][1]
    said = term.read(term.norm(prediction.embedding)).split(SIZES)
    for k, graph in enumerate(target.to_data_list()):
        wanted = torch.zeros(graph.num_nodes, LABELS * (2 if directed else 1))
        for u, v in graph.edge_index.T.tolist():
            wanted[u, graph.y[v]] += 1
            if directed:
                wanted[v, LABELS + graph.y[u]] += 1
            elif u != v:
                wanted[v, graph.y[u]] += 1
        error = (said[k][:, None] - wanted[None]).square().sum(2)
        by_hand = (found.plan[k][:-1, :-1] * error).sum()
        torch.testing.assert_close(found.terms["neighbours"][k], by_hand)
    plain = loss.replace(terms={})(prediction, target).total
    torch.testing.assert_close(found.total, plain + 0.5 * found.terms["neighbours"])


@pytest.mark.repeats
@pytest.mark.parametrize("gradient", ["exact", "detach"])
@pytest.mark.parametrize("directed", [False, True])
def test_every_derivative_by_finite_differences(directed: bool, gradient: Any) -> None:
    prediction, target = _prediction(), _targets(directed)
    loss = _loss(directed, alignment=gt.Sinkhorn(gradient=gradient, tolerance=1e-12))
    if gradient == "detach":  # constant in the derivative, and so in what is compared with it
        plan = loss(prediction, target).plan.padded.detach()
        loss = loss.replace(alignment=gt.Given(plan))

    class Says(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            names = ("existence", "label", "relation", "embedding")
            for name in names:
                self.register_parameter(
                    name, torch.nn.Parameter(getattr(prediction, name).detach())
                )

        def forward(self, _: Any) -> Prediction:
            return replace(prediction, **dict(self.named_parameters()))

    report = check_gradients(Says(), loss.replace(reduction="mean"), None, target, entries=4)
    assert report.passed, str(report)
    assert {row.status for row in report.rows} == {"ok"}


def test_what_is_ignored_or_unknown_does_not_count() -> None:
    prediction, target, loss = _prediction(), _targets(False), _loss(False)
    plan = loss(prediction, target).plan.padded.detach()
    loss = loss.replace(alignment=gt.Given(plan))
    target.ignore = torch.tensor([True, False, False, False, False, False])
    found = loss(prediction, target).terms["neighbours"]
    kept = plan.clone()
    kept[0, :, 0] = 0
    del target.ignore
    term = loss.terms["neighbours"][1]
    said = term.read(term.norm(prediction.embedding))[:4]
    wanted = torch.tensor([[0.0, 0, 0], [0, 0, 1], [0, 1, 0]])  # it is nobody's neighbour
    error = (said[:, None] - wanted[None]).square().sum(2)
    torch.testing.assert_close(found[0], (kept[0, :4, :3] * error).sum())
    target.y = torch.tensor([0, -100, 2, 2, 0, 1])  # the middle of the path: no label at all
    unknown = torch.tensor([[0.0, 0, 0], [1, 0, 1], [0, 0, 0]])
    error = (said[:, None] - unknown[None]).square().sum(2)
    by_hand = (plan[0, :4, :3] * error).sum()
    torch.testing.assert_close(loss(prediction, target).terms["neighbours"][0], by_hand)


def test_a_network_learns_by_it() -> None:
    torch.manual_seed(0)
    network = gt.GraphTransformNet(
        ["a", "b"], ["r"], dim=16, num_layers=1, directed=False,
        queries=gt.nn.OutputQueries(number=3, num_layers=1),
    )  # fmt: skip
    term = NeighbourLabels(16, 2)
    loss = StructuralLoss(gamma=0, directed=False, terms={"neighbours": (1.0, term)})
    target = gt.make_graph(["a", "b", "a"], [(0, 1, "r"), (1, 2, "r")], directed=False)
    data = gt.data.PairDataset(
        [gt.data.Pair(gt.make_graph(["x"]), target)], gt.Alphabet(("a", "b"), ("r",))
    )
    inputs, wanted = gt.data.collate([data[0]])
    adam = torch.optim.Adam([*network.parameters(), *loss.parameters()], lr=0.01)
    errors = []
    for _ in range(60):
        result = loss(network(inputs), wanted)
        errors.append(float(result.terms["neighbours"].detach()))
        adam.zero_grad()
        result.total.backward()
        adam.step()
    assert errors[-1] < 0.05 * errors[0]


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedding": None}, "`prediction.embedding` must be given, got none. Set"),
        (
            {"embedding": torch.zeros(9, 7, dtype=torch.float64)},
            "`prediction.embedding` must have 5 numbers a node, got 7. Make the term",
        ),
    ],
)
def test_an_embedding_that_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(gt.InputError, match=re.escape(message)):
        _loss(False)(replace(_prediction(), **change), _targets(False))


def test_targets_and_calls_that_do_not_fit_are_refused() -> None:
    loss, target = _loss(False), _targets(False)
    few = loss.replace(terms={"neighbours": (1.0, NeighbourLabels(DIM, 2).double())})
    message = "`target.y` must hold classes below 2, the `num_labels` of the term, got "
    with pytest.raises(gt.InputError, match=message):
        few(_prediction(), target)
    other = loss.replace(
        terms={"neighbours": (1.0, NeighbourLabels(DIM, 3, directed=True).double())}
    )
    with pytest.raises(gt.InputError, match=r"^`directed` must be that of the loss, got True"):
        other(_prediction(), target)
    message = "`return_gradients` must be left out where a matcher or a term reads"
    with pytest.raises(gt.InputError, match=message):
        loss.replace(reduction="mean")(_prediction(), target, return_gradients=True)
    for arguments in ((0, 1), (1, 0)):
        with pytest.raises(gt.InputError, match="must be at least 1, got 0"):
            NeighbourLabels(*arguments)
