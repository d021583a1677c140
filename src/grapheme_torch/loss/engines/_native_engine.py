"""The structural loss by the fused operator: when it serves, and what it is given.

The numbers are those of the program in PyTorch that `StructuralLoss` is otherwise: the operator
is its transcription, pair by pair, with everything of a pair in cache.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...ot import GradientMode, check_temperature, options, temperatures
from .._prices import Prices
from ..batch._pairs import Pairs
from ..terms._node_cost import Likeness, by_classes
from . import _kernel
from ._alignment_operator import Compose, Terms
from ._kernel import LEARNED, Inputs


class Settings(NamedTuple):
    """What a `StructuralLoss` is made of, as far as the operator reads it."""

    weights: tuple[float, float, float]
    position_weight: float
    slack: float
    prices: Prices
    tolerance: float
    rounds: int
    max_iterations: int
    edit: bool
    proximal: bool
    gradient: GradientMode


class Alignment(NamedTuple):
    """Plans with their evidence, as in `Transport`; the operator hands out no potentials."""

    plan: Float[Tensor, "B N M"]
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]


def serves(pairs: Pairs, temperature: float | Tensor) -> bool:
    """Whether the operator can do this: on the CPU, not cold, no gradient in the targets."""
    target = pairs.target
    fixed = [target.y, target.weight, target.position]
    cold = not isinstance(temperature, Tensor) and temperature == 0
    return _kernel.serves(pairs.exists) and not cold and not any(_learns(x) for x in fixed)


def _learns(x: Tensor | None) -> bool:
    return x is not None and x.requires_grad


def terms(
    pairs: Pairs,
    settings: Settings,
    temperature: float | Tensor,
    head: Float[Tensor, "B N1 M1"] | None,
    compose: Compose,
) -> tuple[tuple[Tensor, ...], Alignment]:
    """Total, node, edge and clique term of each pair, and the alignment.

    Args:
        pairs: What is compared.
        settings: See there.
        temperature: One number, or one per pair.
        head: What the cost of the first plan has besides the matching cost.
        compose: The same in PyTorch, of the learned inputs by name; see `Terms`.

    Raises:
        InputError: As `transport_plan`.
    """
    inputs = _inputs_of(pairs, _temperatures(pairs, settings, temperature), head)
    learned = [x for name in LEARNED if (x := getattr(inputs, name)) is not None]
    rows, columns = pairs.layout.width + 1, pairs.target.layout.width + 1
    *found, plan, residual, iterations, converged = Terms.apply(
        compose, inputs, _settings_of(settings, pairs.directed), rows, columns, *learned
    )
    dtype = pairs.exists.dtype
    if plan.dtype != dtype:
        plan, found = plan.to(dtype), [x.to(dtype) for x in found]
    if settings.gradient == "cut":
        plan = plan.detach()
    return tuple(found), Alignment(plan, iterations, residual, converged)


def _temperatures(
    pairs: Pairs, settings: Settings, temperature: float | Tensor
) -> Float[Tensor, " B"]:
    """One temperature a pair, checked, in float64."""
    size = len(pairs.layout.count)
    if isinstance(temperature, float) and 0 < temperature < inf:
        return pairs.exists.new_full((size,), temperature, dtype=torch.float64)
    eps = temperatures(temperature, pairs.exists, size)
    options(size, eps, settings.tolerance, settings.max_iterations)
    check_temperature(eps)
    return eps.expand(size)


def _settings_of(settings: Settings, directed: bool) -> _kernel.Settings:
    prices, (alpha, beta, gamma) = settings.prices, settings.weights
    return _kernel.Settings(
        alpha=alpha,
        beta=beta,
        gamma=gamma,
        position_weight=settings.position_weight,
        slack=settings.slack,
        node_insertion=prices.node_insertion,
        node_deletion=prices.node_deletion,
        edge_insertion=prices.edge_insertion,
        edge_deletion=prices.edge_deletion,
        tolerance=settings.tolerance,
        rounds=settings.rounds,
        max_iterations=settings.max_iterations,
        edit=settings.edit,
        proximal=settings.proximal,
        directed=directed,
        gradient="detach" if settings.gradient == "cut" else settings.gradient,
    )


def _inputs_of(pairs: Pairs, eps: Tensor, head: Tensor | None) -> Inputs:
    """The tensors of the operator, by the names they have there."""
    target, kind = pairs.target, pairs.node_cost
    score, match = _score(pairs)
    weighted = pairs.weight is not None and target.weight is not None
    placed = pairs.position is not None and target.position is not None
    return Inputs(
        num_predicted=pairs.layout.count,
        num_target=target.layout.count,
        graph=pairs.graph,
        source=pairs.source,
        sink=pairs.sink,
        target_graph=target.graph,
        target_source=target.source,
        target_sink=target.sink,
        target_relation=target.relation,
        log_existence=pairs.exists,
        log_absence=pairs.absent,
        log_relation=pairs.relation,
        temperature=eps,
        node_score=score,
        node_match=match,
        target_class=target.y if kind == "labels" else None,
        target_vector=target.y if kind == "features" else None,
        vector_scale=pairs.scale if kind == "features" else None,
        weight=pairs.weight if weighted else None,
        target_weight=target.weight if weighted else None,
        position=pairs.position if placed else None,
        target_position=target.position if placed else None,
        first_cost=head,
    )


def _score(pairs: Pairs) -> tuple[Tensor, Tensor | None]:
    """What is said of a node: the log-probability of each class, or its feature vector.

    For any other node cost: its surprise beside every target node, and the agreement, in padded
    form.
    """
    if pairs.node_cost == "labels":
        return pairs.outputs.log_softmax(1), None
    if pairs.node_cost == "features":
        return pairs.outputs, None
    return pairs.likeness


def with_values(pairs: Pairs, values: Mapping[str, Tensor]) -> Pairs:
    """The pairs with other learned inputs of the operator."""
    score, known = values["node_score"], None
    if pairs.node_cost == "labels":
        found = by_classes(pairs.layout.pad(score), pairs.target.layout.pad(pairs.target.y))
        known = found.likeness(1.0)
    elif pairs.node_cost != "features":
        known = Likeness(score, values["node_match"])
    return replace(
        pairs,
        exists=values["log_existence"],
        absent=values["log_absence"],
        outputs=score if pairs.node_cost == "features" else pairs.outputs,
        known=known,
        relation=values["log_relation"],
        weight=values.get("weight", pairs.weight),
        position=values.get("position", pairs.position),
    )
