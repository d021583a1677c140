"""This library's loss on what the network says."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

import grapheme_torch as gt

from .data import Pictures
from .network import Outputs


def _loss(gradient: Literal["exact", "detach"]) -> gt.StructuralLoss:
    return gt.StructuralLoss(
        beta=0.3,
        gamma=0,
        directed=False,
        reduction="none",
        alignment=gt.Sinkhorn(temperature=0.03, rounds=2, update="proximal", gradient=gradient),
    )


LOSS, EXACT = _loss("detach"), _loss("exact")
"""The gradient through the alignment slows learning here, see docs/log.md; only timed."""


def structural(outputs: Outputs, pictures: Pictures, loss: gt.StructuralLoss = LOSS) -> Tensor:
    """The mean loss of a batch; within a pair, nodes and pairs of nodes count by their means.

    The plan aligns one output that the library has no term for, too: the neighbours' colours.
    """
    result = loss(prediction(outputs), pictures.target())
    plan = result.plan.padded[:, :-1, :-1]
    wanted = pictures.diffused()[:, : plan.shape[2]]
    distance = (outputs.diffused[:, :, None] - wanted[:, None]).square().sum(3)
    node = result.node + (plan * distance).sum((1, 2))
    size = pictures.size
    return (node / size + 2 * result.edge / size**2).mean()


def prediction(outputs: Outputs) -> gt.Prediction:
    """The outputs in the form of the library: each pair of slots is one candidate.

    An edge is there if its logit says so and both its ends exist, so that the edges of slots that
    say "no node" cost nothing, whatever their logits.
    """
    present, absent = _joint(outputs.existence.detach(), outputs.edge)
    return gt.Prediction.from_dense(
        outputs.label, torch.stack([absent, present], dim=3),
        existence=outputs.existence, directed=False,
    )  # fmt: skip


def _joint(
    existence: Float[Tensor, "B K"], edge: Float[Tensor, "B K K"]
) -> tuple[Float[Tensor, "B K K"], Float[Tensor, "B K K"]]:
    """Logarithms of the probabilities that two slots exist and are joined, and that not."""
    u, v = existence[:, :, None], existence[:, None, :]
    no_end = torch.logaddexp(logsigmoid(-u), logsigmoid(u) + logsigmoid(-v))
    present = logsigmoid(edge) + logsigmoid(u) + logsigmoid(v)
    return present, torch.logaddexp(logsigmoid(-edge), logsigmoid(edge) + no_end)


def structural_exact(outputs: Outputs, pictures: Pictures) -> Tensor:
    """The same with the gradient through the alignment."""
    return structural(outputs, pictures, EXACT)
