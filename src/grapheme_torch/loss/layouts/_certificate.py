"""What leaving entries out of the support can change, bounded; (E32)-(E33) of docs/math."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...ot import SparseTransport
from .._program import edge_costs, node_insertion, step_scale
from .._spec import Spec
from ..batch._pairs import Pairs
from ..terms._edge_cost import EdgeCosts, gains
from ..terms._node_cost import Classes
from ._entries import Entries
from ._support import SupportSpace
from ._window import in_order

_ROUNDING = 1e-6
"""Relative margin on a sum of positive terms in float64: a thousand times what it can lose."""


@dataclass(frozen=True)
class Truncation:
    """Upper bounds on what the entries outside the support could change, of each pair.

    They concern the transport problem that was solved last, with the margins of its plan.

    Args:
        mass: Mass `M` that the potentials would put outside the support.
        value: Of the least value of (E3), in edits: `temperature * M`. Leaving entries out never
            lowers it.
        plan: Of the plan: the sum of absolute differences of its entries, in units of mass.
        loss: Of `total`. Infinite where it is not known: after rounds, and for surprises of
            other node costs than "labels".
    """

    mass: Float[Tensor, " B"]
    value: Float[Tensor, " B"]
    plan: Float[Tensor, " B"]
    loss: Float[Tensor, " B"]


@torch.no_grad()
def certificate(
    space: SupportSpace, transport: SparseTransport, temperature: Float[Tensor, " B"]
) -> Truncation:
    """What the support leaves out can change, (E32)."""
    spec, pairs = space.spec, space.pairs
    mass = outside_mass(space, transport, temperature, _floor(spec, pairs))
    if pairs.target.ignored is not None:  # what costs nothing has no bound from below
        some = pairs.target.layout.batch[pairs.target.ignored]
        mass = mass.index_fill(0, some, torch.inf)
    n, m = pairs.layout.count, pairs.target.layout.count
    whole = torch.maximum(n, m) + spec.alignment.slack * torch.minimum(n, m)
    plan = torch.minimum((2 * whole * mass).sqrt(), 2.0 * whole)
    node, edge = loss_range(spec, pairs)
    change = plan / 2 * (spec.alpha * node + spec.beta * edge)
    change = torch.where(mass == 0, 0.0, change)
    unknown = torch.full_like(change, torch.inf)
    known = not spec.rounds and not spec.terms
    return Truncation(mass, temperature * mass, plan, change if known else unknown)


@dataclass(frozen=True)
class Floor:
    """A lower bound on the costs outside the support: `times (1 - h A + weight steps) - drop`.

    Args:
        times: How many matching costs were added up: 1, or more in proximal rounds.
        weight: Cost of a step between positions, in edits.
        drop: What edges can take off the cost of each predicted node, at most.
    """

    times: int
    weight: float
    drop: Float[Tensor, " n"]


def _floor(spec: Spec, pairs: Pairs) -> Floor:
    weight = spec.hints.position if pairs.placed else 0.0
    if not spec.rounds:
        return Floor(1, weight, torch.zeros_like(pairs.exists, dtype=torch.float64))
    slopes = spec.rounds if spec.proximal else 1
    most = slope_range(pairs, edge_costs(spec, pairs, edits=True))[0]
    drop = step_scale(spec) * slopes * most
    return Floor(1 + spec.rounds if spec.proximal else 1, weight, drop)


def outside_mass(
    space: SupportSpace,
    transport: SparseTransport,
    temperature: Float[Tensor, " B"],
    floor: Floor,
) -> Float[Tensor, " B"]:
    """A bound on `sum of exp((f + g - C) / eps)` over all matches outside the support, (E32).

    In `O(s + n + m)` where every row of the support is a run of the positions; otherwise positions
    are not used, and classes of labels are: `O(s + n classes)`.
    """
    pairs, entries = space.pairs, space.entries
    n, m = len(pairs.layout.batch), len(pairs.target.layout.batch)
    eps = temperature.index_select(0, pairs.layout.batch)
    f, g = transport.f[:n], transport.g[:m]
    ends = _runs(pairs, entries) if floor.weight else None
    of_class = _agreement_with_classes(space)
    agreement = torch.ones_like(pairs.exists, dtype=torch.float64)
    if of_class is not None and of_class.shape[1]:
        agreement = of_class.amax(1)
    exists = pairs.exists.detach().double().exp()
    if ends is None:
        log_sum = _by_class(pairs, entries, of_class, g, exists * floor.times / eps)
        high = f - (floor.times - floor.drop) / eps
    else:
        log_sum = _by_position(pairs, *ends, g, floor.times * floor.weight / temperature)
        high = f - (floor.times * (1 - exists * agreement) - floor.drop) / eps
    mass = (high + log_sum).exp()
    total = mass.new_zeros(len(temperature)).index_add(0, pairs.layout.batch, mass)
    return total * (1 + _ROUNDING)


def slope_range(pairs: Pairs, costs: EdgeCosts) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """The most that one linearised edge cost takes off a match of each node, and adds to it.

    Weights of edges only add, and no bound is known on how much; none is known of products.
    """
    gain = gains(pairs, costs).detach().double()
    highest = _sum if pairs.target.several else _most
    most = [highest(-gain), highest(gain)]
    if pairs.weight is not None or costs.products is not None:
        most[1] = torch.full_like(most[1], torch.inf)
    if costs.products is not None:
        most[0] = torch.full_like(most[0], torch.inf)
    sides = torch.stack(most)
    slope = sides.new_zeros(2, len(pairs.layout.batch))
    for end in (pairs.source, pairs.sink):
        slope = slope.index_add(1, pairs.layout.node(pairs.graph, end), sides)
    return slope[0], slope[1]


def loss_range(spec: Spec, pairs: Pairs) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
    """The range of the node costs of each pair, and of the slope of its edge term, (E32)."""
    size, batch = pairs.num_pairs, pairs.layout.batch
    exists, absent = pairs.exists.detach().double(), pairs.absent.detach().double()
    insertion, deletion = node_insertion(spec, pairs), spec.prices.node_deletion
    cost = spec.node_cost
    if spec.edit:
        highest = torch.ones_like(exists).clamp(min=deletion)
    elif isinstance(cost, Classes) and cost.tabled:
        unlikely = cost.table(pairs.outputs.detach().double()).nll.amax(1)
        highest = torch.maximum(unlikely - exists, -deletion * absent)
    else:
        highest = torch.full_like(exists, torch.inf)
    if isinstance(insertion, Tensor):
        node = exists.new_zeros(size).scatter_reduce(
            0, pairs.target.layout.batch, insertion.double(), "amax"
        )
    else:
        node = exists.new_full((size,), insertion)
    node = node.scatter_reduce(0, batch, highest, "amax")
    costs = edge_costs(spec, pairs, edits=spec.edit)
    slope = torch.stack(slope_range(pairs, costs))
    worst = exists.new_zeros(2, size).scatter_reduce(1, batch.expand(2, -1), slope, "amax")
    # Weights of edges have no known range, whether or not a pair has edges.
    unknown = pairs.weight is not None or costs.products is not None
    return node, torch.full_like(node, torch.inf) if unknown else worst.sum(0)


def _most(gain: Float[Tensor, "e relations"]) -> Float[Tensor, " e"]:
    """The largest over relations, at least zero; also if there are none."""
    return torch.cat([gain.new_zeros(len(gain), 1), gain], 1).amax(1)


def _sum(gain: Float[Tensor, "e relations"]) -> Float[Tensor, " e"]:
    """The largest over sets of relations: two nodes may be joined by any of them at once."""
    return gain.clamp(min=0).sum(1)


def _agreement_with_classes(space: SupportSpace) -> Float[Tensor, "n classes"] | None:
    """The agreement of each predicted node with each class, if targets are classes."""
    cost, y = space.spec.node_cost, space.pairs.target.y
    if not (isinstance(cost, Classes) and cost.tabled) or bool((y < 0).any()):
        return None
    return cost.table(space.pairs.outputs.detach().double()).agreement(1.0)


def _runs(pairs: Pairs, entries: Entries) -> tuple[Tensor, Tensor, Tensor] | None:
    """The order of the targets by position, and the run of ranks of each row, if all are runs."""
    t, s = pairs.position, pairs.target.position
    if t is None or s is None or t.shape[1] != 1:
        return None
    n, m, target = len(t), len(s), pairs.target.layout
    order = in_order(target.batch, s)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(m, device=order.device)
    at = rank.index_select(0, entries.target)
    count = torch.bincount(entries.predicted, minlength=n)
    # A row without entries is an empty run, anywhere among its pair.
    first = target.node(pairs.layout.batch, torch.zeros_like(pairs.layout.place))
    low = torch.full_like(first, m).scatter_reduce(0, entries.predicted, at, "amin")
    high = torch.full_like(first, -1).scatter_reduce(0, entries.predicted, at, "amax") + 1
    low, high = torch.where(count > 0, low, first), torch.where(count > 0, high, first)
    return (order, low, high) if bool((high - low == count).all()) else None


def _by_position(
    pairs: Pairs,
    order: Int[Tensor, " m"],
    low: Int[Tensor, " n"],
    high: Int[Tensor, " n"],
    g: Float[Tensor, " m"],
    pull: Float[Tensor, " B"],
) -> Float[Tensor, " n"]:
    """Logarithm of `sum of exp(g_j - pull |t_i - s_j|)` left and right of each run, (E33)."""
    assert pairs.position is not None
    assert pairs.target.position is not None
    t = pairs.position[:, 0].detach().double()
    s, g = pairs.target.position[:, 0].double()[order], g[order]
    out = torch.full_like(t, -torch.inf)
    n, m = pairs.layout.count.tolist(), pairs.target.layout.count.tolist()
    i = j = 0
    for k, (rows, columns) in enumerate(zip(n, m, strict=True)):
        here, there = slice(i, i + rows), slice(j, j + columns)
        if rows and columns:
            shift = s[j]  # keeps the exponents, and thereby their rounding, small
            place, far = pull[k] * (s[there] - shift), pull[k] * (t[here] - shift)
            none = place.new_full((1,), -torch.inf)
            left = torch.cat([none, (g[there] + place).logcumsumexp(0)])
            right = torch.cat([(g[there] - place).flip(0).logcumsumexp(0).flip(0), none])
            out[here] = torch.logaddexp(left[low[here] - j] - far, right[high[here] - j] + far)
        i, j = i + rows, j + columns
    return out


def _by_class(
    pairs: Pairs,
    entries: Entries,
    of_class: Float[Tensor, "n classes"] | None,
    g: Float[Tensor, " m"],
    sharpness: Float[Tensor, " n"],
) -> Float[Tensor, " n"]:
    """Logarithm of `sum of exp(g_j + sharpness_i A_ij)` outside the support, (E33).

    The sum over all targets is one over classes; without labels `A` is bounded by one.
    """
    batch, size = pairs.target.layout.batch, len(pairs.layout.count)
    classes = 1 if of_class is None else of_class.shape[1]
    key = batch * classes + (0 if of_class is None else pairs.target.y)
    top = g.new_full((size,), -torch.inf).scatter_reduce(0, batch, g, "amax")
    top = torch.where(top.isfinite(), top, 0)
    share = g.new_zeros(size * classes).index_add(0, key, (g - top[batch]).exp())
    agreement = torch.ones_like(sharpness)[:, None] if of_class is None else of_class
    mine = pairs.layout.batch
    best = sharpness * agreement.amax(1) if classes else sharpness
    weight = (sharpness[:, None] * agreement - best[:, None]).exp()
    total = (weight * share.view(size, classes)[mine]).sum(1)
    i, j = entries.predicted, entries.target
    there = sharpness.new_ones(len(i)) if of_class is None else agreement[i, pairs.target.y[j]]
    inside = (g - top[batch])[j] + sharpness[i] * there - best[i]
    held = torch.zeros_like(total).index_add(0, i, inside.exp())
    # The difference of two equal sums is rounding, which is not zero and must not be negative.
    terms = pairs.target.layout.count[mine] + classes
    rest = (total - held).clamp(min=0) + terms * 2**-51 * total
    empty = pairs.target.layout.count[mine] == 0
    return torch.where(empty, -torch.inf, rest.log() + best + top[mine])
