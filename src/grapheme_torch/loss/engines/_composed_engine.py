"""The structural loss by the program in PyTorch: any device, differentiable to any order."""

from collections.abc import Mapping

from torch import Tensor

from ...ot import Transport
from .._aligner import Aligner, AlignmentProblem
from .._program import Steering, matching_cost, structural
from ..layouts._padded import Padded


def run(
    space: Padded, temperature: float | Tensor, steering: Steering
) -> tuple[Mapping[str, Tensor], Transport]:
    """Node, edge and clique term of each pair, and the alignment with its evidence."""
    aligner = space.spec.alignment
    if isinstance(aligner, Aligner):
        cost = matching_cost(space, steering.match_cost)
        plan = aligner(AlignmentProblem(space.pairs, cost, *space.masses))
        steering = Steering(plan=Transport.given(plan, *space.masses))
    return structural(space, temperature, steering)
