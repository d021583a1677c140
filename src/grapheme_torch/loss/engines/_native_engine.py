"""The structural loss by the fused operator: when it serves, and what it is given.

The numbers are those of the program in PyTorch that `StructuralLoss` is otherwise: the operator
is its transcription, pair by pair, with everything of a pair in cache.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...ot import GradientMode, options, temperatures
from .._prices import Prices
from ..batch._pairs import Pairs
from ..terms._node_cost import Likeness, by_classes
from . import _kernel as _cpu
from ._alignment_operator import MODES, Compose, Terms


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
    return _cpu.serves(pairs.exists) and not cold and not any(_learns(x) for x in fixed)


def _learns(x: Tensor | None) -> bool:
    return x is not None and x.requires_grad


def terms(
    pairs: Pairs,
    settings: Settings,
    temperature: float | Tensor,
    head: Float[Tensor, "B N1 M1"] | None,
    compose: Compose,
) -> tuple[Float[Tensor, "4 B"], Alignment]:
    """Total, node, edge and clique term of each pair, and the alignment.

    Args:
        pairs: What is compared.
        settings: See there.
        temperature: One number, or one per pair.
        head: What the cost of the first plan has besides the matching cost.
        compose: The same in PyTorch, from `values` to terms and plan; see `Terms`.

    Raises:
        InputError: As `transport_plan`.
    """
    values = [*values_of(pairs), pairs.exists.new_empty(0) if head is None else head]
    prices, size = settings.prices, len(pairs.layout.count)
    eps = temperatures(temperature, pairs.exists, size)
    options(size, eps, settings.tolerance, settings.max_iterations)
    numbers = [
        *settings.weights, settings.position_weight, settings.slack, prices.node_insertion,
        prices.node_deletion, prices.edge_insertion, prices.edge_deletion, settings.tolerance,
    ]  # fmt: skip
    flags = [
        settings.rounds, settings.max_iterations, settings.edit, settings.proximal,
        pairs.directed, MODES.index(settings.gradient),
    ]  # fmt: skip
    widths = [pairs.layout.width + 1, pairs.target.layout.width + 1]
    constants, places = _constants(pairs, eps.expand(size)), _places(pairs)
    found, plans, residual, iterations = Terms.apply(
        compose, constants, places, numbers, [int(x) for x in flags], widths, *values
    )
    dtype = pairs.exists.dtype
    plan, worst = plans[-1].to(dtype), residual.amax(0)
    if settings.gradient == "cut":
        plan = plan.detach()
    converged = worst <= settings.tolerance
    return found.to(dtype), Alignment(plan, iterations.sum(0), worst, converged)


def values_of(pairs: Pairs) -> list[Tensor]:
    """What the operator is differentiated in, see `_cpu.Values`; but for what it begins with.

    The score of a node is the log-probability of each class, its feature vector, or, for any
    other node cost, its surprise beside every target node in padded form; only the latter comes
    with an agreement.
    """
    none = pairs.exists.new_empty(0)
    score, agreement = pairs.outputs, none
    if pairs.node_cost == "labels":
        score = pairs.outputs.log_softmax(1)
    elif pairs.node_cost != "features":
        score, agreement = pairs.likeness
    weighted = pairs.weight is not None and pairs.target.weight is not None
    placed = pairs.position is not None and pairs.target.position is not None
    weight = pairs.weight if weighted and pairs.weight is not None else none
    position = pairs.position if placed and pairs.position is not None else none
    return [pairs.exists, pairs.absent, score, agreement, pairs.relation, weight, position]


def with_values(pairs: Pairs, values: Sequence[Tensor]) -> Pairs:
    """The pairs with other `values_of` them."""
    exists, absent, score, agreement, relation, weight, position = values
    known = None
    if pairs.node_cost == "labels":
        found = by_classes(pairs.layout.pad(score), pairs.target.layout.pad(pairs.target.y))
        known = found.likeness(1.0)
    elif pairs.node_cost != "features":
        known = Likeness(score, agreement)
    return replace(
        pairs,
        exists=exists,
        absent=absent,
        outputs=score if pairs.node_cost == "features" else pairs.outputs,
        known=known,
        relation=relation,
        weight=weight if weight.numel() else pairs.weight,
        position=position if position.numel() else pairs.position,
    )


def _constants(pairs: Pairs, eps: Tensor) -> list[Tensor]:
    target, none = pairs.target, eps.new_empty(0)
    wanted = target.y if pairs.node_cost == "features" else none
    weight = none if pairs.weight is None or target.weight is None else target.weight
    place = none if pairs.position is None or target.position is None else target.position
    scale = pairs.scale if pairs.node_cost == "features" else none
    return [wanted, weight, place, eps, scale]


def _places(pairs: Pairs) -> list[Tensor]:
    target = pairs.target
    label = target.y if pairs.node_cost == "labels" else pairs.layout.count.new_empty(0)
    places = [
        pairs.layout.count, target.layout.count, pairs.graph, pairs.source, pairs.sink,
        target.graph, target.source, target.sink, target.relation, label,
    ]  # fmt: skip
    return [x.long().contiguous() for x in places]
