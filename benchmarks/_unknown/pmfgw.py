"""The loss of Any2Graph on predictions of this library, with any number of relations."""

import math
from typing import NamedTuple

import torch
from _coloring.gromov import Problem, charge, solve
from _coloring.pmfgw import DIAGONAL
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import log_softmax, logsigmoid, one_hot, softplus
from torch_geometric.data import Batch
from torch_geometric.utils import to_dense_batch

import grapheme_torch as gt


class PMFGW(nn.Module):
    """Partially masked fused Gromov-Wasserstein, see `_coloring/pmfgw.py`.

    The network has no output for the labels of a node's neighbours. It is read off
    `Prediction.embedding`, by weights that are the loss's.

    Args:
        num_labels: Node classes.
        dim: Numbers of the embedding of a node.
    """

    def __init__(self, num_labels: int, dim: int) -> None:
        super().__init__()
        self.diffused = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, num_labels))

    def forward(
        self, prediction: gt.Prediction, target: Batch, plan: Tensor | None = None
    ) -> Tensor:
        """The mean loss of a batch; under a given plan `[B, K, K]`, or the best that is found."""
        problem = self.problem(prediction, target)
        return charge(problem, solve(problem) if plan is None else plan)

    def problem(self, prediction: gt.Prediction, target: Batch) -> Problem:
        """What a plan is charged; slots of a graph are in order, and so are nodes of a target."""
        size = prediction.num_graphs
        label = prediction.label.unflatten(0, (size, -1))
        slots, classes = label.shape[1:]
        wanted = padded(target, slots, classes, prediction.relation.shape[1] - 1)
        weight = slots * wanted.exists / wanted.exists.sum(1, keepdim=True).clamp(min=1)
        logit = prediction.existence.view(size, slots, 1)
        existence = softplus(logit) - logit * wanted.exists[:, None, :]
        surprise = -log_softmax(label, 2) @ wanted.label.mT
        linear = existence + (surprise + self._distance(prediction, wanted)) * weight[:, None, :]
        log = _dense_log_probabilities(prediction, slots)
        both = (weight[:, :, None] * weight[:, None, :])[:, None]
        return Problem(linear, -log[:, 0], log[:, 1:] - log[:, :1], wanted.edge * both, weight)

    def _distance(self, prediction: gt.Prediction, wanted: "Wanted") -> Float[Tensor, "B K K"]:
        assert prediction.embedding is not None
        said = self.diffused(prediction.embedding).unflatten(0, (prediction.num_graphs, -1))
        neighbours = wanted.edge.sum(1) @ wanted.label
        found: Tensor = (said[:, :, None] - neighbours[:, None]).square().sum(3)
        return found


class Wanted(NamedTuple):
    """Targets padded to the slots, zero in the padding; edges by relation, both ways."""

    exists: Float[Tensor, "B K"]
    label: Float[Tensor, "B K classes"]
    edge: Float[Tensor, "B R K K"]


def padded(target: Batch, slots: int, classes: int, relations: int) -> Wanted:
    """The targets of a batch, whose edges have no direction."""
    graphs = target.num_graphs
    label, mask = _dense_classes(target, slots, graphs)
    edge = torch.zeros(graphs, relations, slots, slots)
    graph = target.batch[target.edge_index[0]]
    u, v = target.edge_index - target.ptr[graph]
    edge[graph, target.edge_type - 1, u, v] = 1
    known = one_hot(label, classes).float() * mask[:, :, None]
    return Wanted(mask.float(), known, edge.maximum(edge.mT))


def _dense_classes(
    target: Batch, slots: int, graphs: int
) -> tuple[Int[Tensor, "B K"], Bool[Tensor, "B K"]]:
    label, mask = to_dense_batch(target.y, target.batch, batch_size=graphs, max_num_nodes=slots)
    return label, mask


def _dense_log_probabilities(prediction: gt.Prediction, slots: int) -> Float[Tensor, "B R K K"]:
    """Of each relation, *absent* first, for each pair of slots, both ways."""
    log = log_softmax(prediction.relation, 1)
    relations = log.shape[1]
    alike = torch.full((relations,), DIAGONAL, dtype=log.dtype)
    loop = logsigmoid(alike) - math.log(max(1, relations - 1))
    loop[0] = logsigmoid(-alike[0])
    graph = prediction.batch[prediction.edge_index[0]]
    u, v = prediction.edge_index - graph * slots
    dense = loop.expand(prediction.num_graphs, slots, slots, -1).clone()
    dense = dense.index_put((graph, u, v), log).index_put((graph, v, u), log)
    return dense.permute(0, 3, 1, 2)
