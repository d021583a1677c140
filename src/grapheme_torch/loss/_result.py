"""What a structural loss returns."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .._check import require
from ..ot import Status, is_uniform, status
from ..prediction import Prediction


@dataclass(frozen=True)
class StructuralLossResult:
    """A structural loss with its parts and its evidence.

    Args:
        total: `alpha * node + beta * edge + gamma * clique`; a number, or one per pair.
        node, edge, clique: The three terms, reduced as `total`.
        padded_plan: The alignment; axes: pair, predicted node, target node; the void is last.
        num_predicted, num_target: Number of nodes on each side of each pair.
        iterations: Sweeps and Newton steps each pair took, in all rounds together.
        residual: Largest share of mass in the wrong row or column, over the rounds of each pair.
        converged: Whether every round of each pair met the tolerance.
        node_gradients: Derivative of `total` (of its sum) in the predicted nodes; axes: node;
            existence logit, then the label logits. None unless asked for.
        edge_gradients: The same in the relation logits; axes: candidate edge, relation.
    """

    total: Tensor
    node: Tensor
    edge: Tensor
    clique: Tensor
    padded_plan: Float[Tensor, "B N1 M1"]
    num_predicted: Int[Tensor, " B"]
    num_target: Int[Tensor, " B"]
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]
    node_gradients: Float[Tensor, "n outputs"] | None = None
    edge_gradients: Float[Tensor, "e relations"] | None = None

    @property
    def status(self) -> list[Status]:
        """How the alignment of each pair ended; `status[k].value` says what to do about it."""
        uniform = [is_uniform(plan[:-1, :-1]) for plan in self.plan]
        return status(self.residual, self.converged, uniform)

    @property
    def plan(self) -> list[Tensor]:
        """The alignment of each pair, `[n + 1, m + 1]`: mass from predicted to target node.

        The last column is deletion, the last row insertion.
        """
        sizes = zip(self.num_predicted.tolist(), self.num_target.tolist(), strict=True)
        return [_cropped(plan, n, m) for plan, (n, m) in zip(self.padded_plan, sizes, strict=True)]


def honest_residual(
    total: Float[Tensor, " B"], residual: Float[Tensor, " B"]
) -> Float[Tensor, " B"]:
    """The residual of each pair; NaN where its loss is no number, though there is a plan."""
    return torch.where(total.detach().isfinite(), residual, torch.nan)


def with_gradients(result: StructuralLossResult, prediction: Prediction) -> StructuralLossResult:
    """The result with the derivative of its summed total in the node and edge outputs.

    The graph of the derivative is kept.
    """
    outputs = (prediction.existence, prediction.label, prediction.relation)
    require(
        all(output.requires_grad for output in outputs),
        "`prediction`",
        "require gradients for `return_gradients`",
        [output.requires_grad for output in outputs],
        "Predict outside `torch.no_grad()`, or call `requires_grad_()` on its tensors.",
    )
    existence, label, relation = torch.autograd.grad(
        result.total.sum(), outputs, retain_graph=True, materialize_grads=True
    )
    nodes = torch.cat([existence[:, None], label], dim=1)
    return replace(result, node_gradients=nodes, edge_gradients=relation)


def _cropped(plan: Tensor, n: int, m: int) -> Tensor:
    keep = [*range(n), plan.shape[0] - 1], [*range(m), plan.shape[1] - 1]
    return plan[keep[0]][:, keep[1]]
