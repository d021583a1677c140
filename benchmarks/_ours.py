"""This library in the form of the gradient table: an instance and a point in, two numbers out."""

from typing import Any

import torch
from _instances import (
    CLASSES,
    MANY,
    PAIRS,
    RELATIONS,
    ROWS,
    TEMPERATURE,
    TIGHT,
    Instance,
    NotOffered,
    Outputs,
    entropic,
)
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import Prediction, Sinkhorn, StructuralLoss
from grapheme_torch.ot import transport_cost, transport_plan


def transport(instance: Instance, x: Tensor, mode: str) -> Outputs:
    gradient: Any = mode.partition(" ")[0]
    _check_offered(instance, gradient)
    cap = instance.case.iterations or MANY
    cost, a, b = instance.cost_alone(x), instance.a, instance.b
    plan = transport_plan(
        cost, a, b,
        temperature=TEMPERATURE, tolerance=TIGHT, max_iterations=cap, gradient=gradient,
    ).plan  # fmt: skip
    return entropic(cost, plan, a, b), instance.functional(plan)


def cost(instance: Instance, x: Tensor, mode: str) -> Outputs:
    _check_offered(instance, "envelope")
    matrix, a, b = instance.cost_alone(x), instance.a, instance.b
    options: Any = {"temperature": TEMPERATURE, "tolerance": TIGHT, "max_iterations": MANY}
    return transport_cost(matrix, a, b, **options).sum(), None


def _check_offered(instance: Instance, gradient: str) -> None:
    if gradient in ("implicit", "envelope") and instance.case.iterations:
        raise NotOffered  # documented as right at convergence only


def structural(
    instance: Instance, x: Tensor, gradient: Any, *, criterion: Any, rounds: int, update: Any
) -> Outputs:
    _check_offered(instance, gradient)
    cap = instance.case.iterations or (MANY if gradient == "unrolled" else 100)
    loss = StructuralLoss(
        criterion=criterion,
        reduction="sum",
        alignment=Sinkhorn(
            rounds=rounds, update=update, gradient=gradient, tolerance=TIGHT, max_iterations=cap
        ),
    )
    result = loss(prediction_of(instance, x), target_of(instance))
    return result.total, instance.functional(result.plan.padded)


def prediction_of(instance: Instance, x: Tensor) -> Prediction:
    """The soft graphs whose logits are in a point."""
    sizes = [n for n, _ in instance.case.sizes]
    widths = [1, CLASSES, ROWS * (1 + RELATIONS)]
    existence, label, relation = x.view(PAIRS, ROWS, -1).split(widths, 2)
    relation = relation.view(PAIRS, ROWS, ROWS, -1)
    if not instance.case.directed:
        relation = (relation + relation.transpose(1, 2)) / 2
    edges = [(~torch.eye(n, dtype=torch.bool)).nonzero().T for n in sizes]
    first = [sum(sizes[:k]) for k in range(PAIRS)]
    return Prediction(
        existence=torch.cat([existence[k, :n, 0] for k, n in enumerate(sizes)]),
        label=torch.cat([label[k, :n] for k, n in enumerate(sizes)]),
        edge_index=torch.cat([edge + start for edge, start in zip(edges, first, strict=True)], 1),
        relation=torch.cat([relation[k][tuple(edge)] for k, edge in enumerate(edges)]),
        batch=torch.arange(PAIRS).repeat_interleave(torch.tensor(sizes)),
        num_graphs=PAIRS,
    )


def target_of(instance: Instance) -> Data:
    """The graph whose edges are the heavier ones between columns."""
    graphs = []
    for right, (_, m) in zip(instance.right, instance.case.sizes, strict=True):
        inner = right[:m, :m]
        edge_index = ((inner > 0.5) & ~torch.eye(m, dtype=torch.bool)).nonzero().T
        edge_type = 1 + (inner[tuple(edge_index)] > 0.75).long()
        y = (inner.diagonal() * CLASSES).long()
        graphs.append(Data(num_nodes=m, y=y, edge_index=edge_index, edge_type=edge_type))
    return Batch.from_data_list(graphs)
