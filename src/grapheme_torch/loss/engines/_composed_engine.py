"""The structural loss by the program in PyTorch: any device, differentiable to any order."""

from collections.abc import Mapping

from torch import Tensor

from ...ot import Transport
from .._aligner import Aligner, AlignmentProblem
from .._learned_cost import margin_divergence
from .._program import Steering, matching_cost, structural
from ..layouts._padded import Padded


def run(
    space: Padded, temperature: float | Tensor, steering: Steering
) -> tuple[Mapping[str, Tensor], Transport]:
    """Node, edge and clique term of each pair, and the alignment with its evidence."""
    spec = space.spec
    if isinstance(spec.alignment, Aligner) and spec.solver is None:
        cost = matching_cost(space, steering.match_cost)
        plan = spec.alignment(AlignmentProblem(space.pairs, cost, *space.masses))
        steering = Steering(plan=Transport.given(plan, *space.masses))
    terms, found = structural(space, temperature, steering)
    if spec.margins:
        terms = {**terms, "margins": margin_divergence(found.plan, *space.masses)}
    return terms, found
