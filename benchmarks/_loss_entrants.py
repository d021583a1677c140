"""The structural loss as one would write it with the plans of other libraries, beside ours.

Expected edits make the plan, (E1)-(E2) of docs/math with slack 1; the loss is the node term
(E13) and half the edge term (E17) under it, the sum over pairs, differentiated through the plan in
features and relation logits. Dense matrices of a padded batch are made beforehand for whoever
wants them; ours takes the ragged batch as it is. OTT gets float64 in any case: in float32 its
implicit derivative finds its linear system singular.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import torch
from _entrants import TINY, Answer, Effort, ott_solver, with_least
from _soft_graphs import soft_graphs
from torch import Tensor
from torch.nn.functional import logsigmoid, normalize, pad
from torch_geometric.data import Data
from torch_geometric.utils import to_dense_adj, to_dense_batch

from grapheme_torch import Prediction, Sinkhorn, StructuralLoss, costs

PAIRS, BETA = 64, 0.5
LEAST_MASS = 1e-6  # of padding, where a plan gradient at mass zero is NaN


@dataclass(frozen=True)
class SoftGraphs:
    """A ragged batch of predictions with targets, and the same padded, the void last.

    Args:
        prediction, target: What our loss takes.
        x: Features of the predicted nodes; axes: pair, node, feature.
        y: The same of the target nodes, of unit length.
        relation: Logits of "absent" and "there"; axes: candidate edge, relation.
        place: Graph, source and sink of each candidate edge.
        right: Which target edges there are; axes: pair, node, node.
        rows, columns: Which nodes exist.
        a, b: Masses, each pair's sum to one.
    """

    prediction: Prediction
    target: Data
    x: Tensor
    y: Tensor
    relation: Tensor
    place: tuple[Tensor, Tensor, Tensor]
    right: Tensor
    rows: Tensor
    columns: Tensor
    a: Tensor
    b: Tensor

    @property
    def size(self) -> Tensor:
        """Nodes on both sides of each pair, what a plan of mass one is to be multiplied by."""
        return self.rows.sum(1) + self.columns.sum(1)


def loss_workload(dtype: torch.dtype = torch.float32) -> SoftGraphs:
    """W1 with features: 64 pairs of 10 to 40 nodes."""
    leaves, prediction, target = soft_graphs(PAIRS, dtype, features=True)
    x, rows = to_dense_batch(leaves[0].detach(), prediction.batch)
    y, columns = to_dense_batch(target.y, target.batch)
    source, sink = prediction.edge_index
    first = torch.bincount(prediction.batch).cumsum(0) - rows.sum(1)
    graph = prediction.batch[source]
    n, m = rows.sum(1, keepdim=True), columns.sum(1, keepdim=True)
    a, b = (
        torch.cat([there.to(dtype), other.to(dtype)], 1) / (n + m)
        for there, other in ((rows, m), (columns, n))
    )
    return SoftGraphs(
        prediction, target, x, y, leaves[1].detach(),
        (graph, source - first[graph], sink - first[graph]),
        to_dense_adj(target.edge_index, target.batch).to(dtype), rows, columns, a, b,
    )  # fmt: skip


def ours(load: SoftGraphs, effort: Effort) -> Answer:
    """To less than single precision can do: in double."""
    if effort.tolerance < 1e-6:
        load = _double()
    loss = _loss(effort)
    packed = load.prediction
    x = packed.label.detach().requires_grad_()
    relation = load.relation.detach().requires_grad_()
    prediction = Prediction(
        existence=packed.existence, label=normalize(x), edge_index=packed.edge_index,
        relation=relation, batch=packed.batch, num_graphs=packed.num_graphs,
    )  # fmt: skip
    value = loss(prediction, load.target).total
    return value.detach(), *torch.autograd.grad(value, (x, relation))


@functools.cache
def _double() -> SoftGraphs:
    return loss_workload(torch.float64)


@functools.cache
def _loss(effort: Effort) -> StructuralLoss:
    return StructuralLoss(
        node_cost=costs.Vectors(scale=1.0),
        beta=BETA,
        gamma=0.0,
        reduction="sum",
        alignment=Sinkhorn(
            slack=1.0,
            rounds=0,
            temperature=effort.eps,
            tolerance=effort.tolerance,
            max_iterations=effort.iterations,
        ),
    )


def pot_batch(load: SoftGraphs, effort: Effort, *, method: str) -> Answer:
    import ot.batch

    x, relation = (leaf.clone().requires_grad_() for leaf in (load.x, load.relation))
    match, charge = _costs(load, normalize(x, dim=-1))
    solved = ot.batch.solve_batch(
        match, effort.eps, load.a.clamp(min=TINY), load.b.clamp(min=TINY), tol=effort.tolerance,
        max_iter=effort.iterations, method=method, grad="autodiff",
    )  # fmt: skip
    value = _terms(load, solved.plan, charge, relation)
    by_x, by_relation = torch.autograd.grad(value, (x, relation))
    return value.detach(), by_x[load.rows], by_relation


def _costs(load: SoftGraphs, x: Tensor) -> tuple[Tensor, Tensor]:
    """What aligns, and what a node costs."""
    logit = load.prediction.existence[0]  # the same for all
    exists, absent, h = logsigmoid(logit), logsigmoid(-logit), torch.sigmoid(logit)
    surprise = 1 - x @ load.y.mT  # half the squared distance of unit vectors
    return (
        _bordered(1 - h * torch.exp(-surprise), float(h)),
        _bordered(surprise - exists, -float(absent)),
    )


def _bordered(inner: Tensor, deletion: float) -> Tensor:
    wide = pad(inner, (0, 1), value=deletion)
    row = torch.ones_like(wide[:, :1])
    row[:, :, -1] = 0
    return torch.cat([wide, row], 1)


def _terms(load: SoftGraphs, plan: Tensor, charge: Tensor, relation: Tensor) -> Tensor:
    plan = plan * load.size[:, None, None]
    # An entry of the plan that is padding has next to no mass.
    node = (plan * charge).sum()
    log_q = relation.log_softmax(1)
    gain = load.x.new_zeros(load.rows.shape + load.rows.shape[1:])
    gain = gain.index_put(load.place, log_q[:, 0] - log_q[:, 1] - 1)
    inner = plan[:, :-1, :-1]
    edge = (inner * (gain @ inner @ load.right.mT)).sum() - log_q[:, 0].sum() + load.right.sum()
    return node + BETA * edge


def ott(load: SoftGraphs, effort: Effort, *, scaling: bool) -> Answer:
    """Compiled once; what it needs beside the leaves is prepared before."""
    program, rest = _ott_program(effort, scaling)
    import jax

    value, found = program(load.x.double().numpy(), load.relation.double().numpy(), *rest)
    jax.block_until_ready(found)
    x, relation = (torch.tensor(one.__array__()) for one in found)
    return torch.tensor(float(value)), x[load.rows], relation


@functools.cache
def _ott_program(effort: Effort, scaling: bool) -> Any:
    import jax
    import jax.numpy as jnp
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem

    load, solver = _double(), ott_solver(effort, scaling=scaling)
    a, b = (with_least(mass, LEAST_MASS) for mass in (load.a, load.b))
    logit = float(load.prediction.existence[0])
    h = 1 / (1 + math.exp(-logit))
    place = tuple(jnp.asarray(one.numpy()) for one in load.place)
    held = [jnp.asarray(one.numpy()) for one in (load.y, load.right, a, b, load.size)]

    def bordered(inner: Any, deletion: float) -> Any:
        wide = jnp.pad(inner, ((0, 1), (0, 1)), constant_values=deletion)
        return wide.at[-1, :].set(1.0).at[-1, -1].set(0.0)

    def pair(x: Any, gain: Any, y: Any, right: Any, a: Any, b: Any, size: Any) -> Any:
        square = (x * x).sum(-1, keepdims=True)
        surprise = 1 - x / jnp.sqrt(jnp.where(square > 0, square, 1.0)) @ y.T
        geom = geometry.Geometry(
            cost_matrix=bordered(1 - h * jnp.exp(-surprise), h), epsilon=effort.eps
        )
        plan = solver(linear_problem.LinearProblem(geom, a, b)).matrix * size
        inner, charge = plan[:-1, :-1], bordered(surprise - math.log(h), -math.log(1 - h))
        return (plan * charge).sum() + BETA * (inner * (gain @ inner @ right.T)).sum()

    def whole(x: Any, relation: Any, *held: Any) -> Any:
        log_q = jax.nn.log_softmax(relation, axis=1)
        gain = jnp.zeros((*x.shape[:2], x.shape[1]), x.dtype)
        gain = gain.at[place].set(log_q[:, 0] - log_q[:, 1] - 1)
        rest = held[1].sum() - log_q[:, 0].sum()
        return jax.vmap(pair)(x, gain, *held).sum() + BETA * rest

    return jax.jit(jax.value_and_grad(whole, argnums=(0, 1))), held


ENTRANTS: dict[str, Any] = {
    "grapheme-torch StructuralLoss": ours,
    "POT batch, scaling": functools.partial(pot_batch, method="sinkhorn"),
    "POT batch, log": functools.partial(pot_batch, method="log_sinkhorn"),
    "OTT, scaling": functools.partial(ott, scaling=True),
    "OTT, log": functools.partial(ott, scaling=False),
}
