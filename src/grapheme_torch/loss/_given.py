"""Matrices that a caller gives besides a batch: plans, and what a match costs besides."""

import torch
from jaxtyping import Float
from torch import Tensor

from .._check import Received, refusal, require
from .._tensors import described, is_dense
from ..ot import Transport
from ._options import Given
from ._program import Steering
from .batch._arguments import check_device
from .batch._pairs import Pairs
from .layouts._padded import Padded
from .terms._nodes import impossible


def steering(
    space: Padded,
    start: Tensor | None = None,
    match_cost: Tensor | None = None,
) -> Steering:
    """What was given with a batch, checked; a given plan is measured.

    Raises:
        InputError: If a matrix does not fit, or a plan has mass where a match is impossible.
    """
    pairs, alignment = space.pairs, space.spec.alignment
    plan = None
    if isinstance(alignment, Given):
        remedy = "A given plan is used as it is."
        none, got = match_cost is None, Received("a matrix")
        require(none, "`match_cost`", "be left out with a given plan", got, remedy)
        plan = taken(space, _padded("alignment", alignment.plan, pairs))
    if start is not None:
        remedy = "Use at least one round and an edge weight, or give it as `alignment`."
        rounds = space.spec.rounds
        require(rounds > 0, "`start`", "be left out without rounds", rounds, remedy)
        learned = space.spec.learned is not None and space.spec.learned.use == "start"
        wanted, got = "be left out where a learnt plan is the first", Received("a matrix")
        require(not learned, "`start`", wanted, got, 'Take use="prior".')
    return Steering(
        match_cost=None if match_cost is None else _padded("match_cost", match_cost, pairs),
        start=None if start is None else taken(space, _padded("start", start, pairs)),
        plan=plan,
    )


def taken(space: Padded, plan: Float[Tensor, "B N1 M1"]) -> Transport:
    """A plan that nobody computed, with the residual that it has.

    Raises:
        InputError: If it has mass where a match is impossible.
    """
    nowhere = (plan > 0) & impossible(space, space.node_terms().nll)
    if bool(nowhere.any()):
        k, i, j = nowhere.nonzero()[0].tolist()
        wanted = f"have no mass where a match is impossible (pair {k}, row {i}, column {j})"
        remedy = "A logit of minus infinity makes it impossible."
        raise refusal("a given plan", wanted, float(plan[k, i, j]), remedy)
    return Transport.given(plan, *space.masses)


def _padded(name: str, matrix: Tensor, pairs: Pairs) -> Tensor:
    device = pairs.exists.device
    shape = (pairs.num_pairs, pairs.layout.width + 1, pairs.target.layout.width + 1)
    ok = is_dense(matrix) and matrix.is_floating_point() and matrix.shape == shape
    remedy = "Give it in the form of `result.plan.padded`."
    wanted = f"be floating-point of shape {shape}"
    require(ok, f"`{name}`", wanted, described(matrix), remedy)
    check_device(name, matrix, device)
    if name == "match_cost":
        valid = not bool((matrix.isnan() | matrix.isneginf()).any())
        received = Received("NaN or minus infinity")
        require(valid, "`match_cost`", "hold numbers, or inf to forbid", received, "Use 0 or inf.")
    return matrix.to(torch.promote_types(matrix.dtype, pairs.exists.dtype))
