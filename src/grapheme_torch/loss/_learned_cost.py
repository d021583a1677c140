"""What learnt scores add to the cost of an alignment, and what its margins cost: (E48), (E50)."""

import torch
from jaxtyping import Float
from torch import Tensor

from ._aligner import AlignmentProblem, Learned
from ._program import Steering, matching_cost
from .layouts._padded import Padded


def with_scores(space: Padded, aligner: Learned, given: Steering) -> Steering:
    """The steering with learnt scores in the cost of the first alignment, or of every one."""
    own = matching_cost(space)
    cost = own if given.match_cost is None else own + given.match_cost
    addition = aligner.addition(AlignmentProblem(space.pairs, cost, *space.masses), own)
    # That of every round takes an engine of its own, see `_native_engine.serves`.
    return given.beside(**{"match_cost" if space.spec.prior else "first_cost": addition})


def margin_divergence(
    plan: Float[Tensor, "B N1 M1"], a: Float[Tensor, "B N1"], b: Float[Tensor, "B M1"]
) -> Float[Tensor, " B"]:
    """How far rows and columns are from their masses: `sum a (x - 1 - log x)`, `x` the share held.

    Of unit masses `KL(1 | x)` of each row and column, generalised to what does not sum to one.
    Differentiable in the plan.
    """
    return _divergence(plan.sum(2), a) + _divergence(plan.sum(1), b)


_NOTHING = 2.0**-52 - 1


def _divergence(held: Float[Tensor, "B k"], mass: Float[Tensor, "B k"]) -> Float[Tensor, " B"]:
    some = mass > 0
    # `log1p` of what is off: the difference of two numbers near 1 would be their rounding.
    off = torch.where(some, (held - mass) / mass.where(some, 1), 0)
    off = off.clamp(min=_NOTHING)  # a share that underflows is charged 35, not infinity
    return (mass * (off - off.log1p())).sum(1)
