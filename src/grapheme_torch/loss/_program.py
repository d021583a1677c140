"""The structural loss, once, over any layout: (E13)-(E25) of docs/math."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from ._spec import Spec
from .batch._pairs import Pairs
from .terms._clique import clique_cost
from .terms._edge_cost import EdgeCosts
from .terms._nodes import NodeTerms, Space, expected_edits, impossible, surprise


@runtime_checkable
class EdgeTerm(Protocol):
    """The edge term of a batch as a function of the matches of a plan."""

    def __call__(self, plan: Tensor) -> Tensor:
        """The expected cost of the edges of each pair, (E16)."""

    def gradient(self, plan: Tensor) -> Tensor:
        """Its derivative in the plan, (E19)."""


@runtime_checkable
class Layout(Space, Protocol):
    """Where the matches of a batch stand, see `Padded` and `SupportSpace`."""

    pairs: Pairs
    spec: Spec

    def node_terms(self) -> NodeTerms:
        """How well nodes go together."""

    def steps(self) -> Tensor:
        """Steps between the positions of the nodes of each entry."""

    def inner(self, plan: Tensor) -> Tensor:
        """The part of a plan that matches nodes."""

    def lifted(self, matches: Tensor) -> Tensor:
        """Numbers of matches, with zeros for the void."""

    def total(self, x: Tensor) -> Tensor:
        """The sum over the entries of each pair."""

    def edges(self, costs: EdgeCosts) -> EdgeTerm:
        """The edge term."""

    def transport(self, cost: Tensor, temperature: float | Tensor) -> Any:
        """The plan for a cost, with its evidence."""


@dataclass(frozen=True)
class Steering:
    """What a call gives besides a batch, in the form of the plan.

    Args:
        first_cost: Added to the cost of the first alignment.
        match_cost: Added to the cost of every alignment.
        start: A plan, with its evidence, to linearise the edges at in the first round.
        plan: The plan to use, with its evidence; nothing is aligned.
    """

    first_cost: Tensor | None = None
    match_cost: Tensor | None = None
    start: Any = None
    plan: Any = None

    def beside(self, **further: Tensor | None) -> "Steering":
        """The same with further costs, added to those that there are."""
        sums = {}
        for name, extra in further.items():
            own = getattr(self, name)
            sums[name] = own if extra is None else extra if own is None else own + extra
        return replace(self, **sums)


def structural(
    space: Layout, temperature: float | Tensor, steering: Steering = Steering()
) -> tuple[Mapping[str, Tensor], Any]:
    """Node, edge and clique term of each pair, and the plan with its evidence."""
    spec, pairs, terms = space.spec, space.pairs, space.node_terms()
    insertion = node_insertion(spec, pairs)
    # Before the alignment: what both read of the nodes is computed once, with its record.
    charged = (
        expected_edits(space, terms.match, spec.prices, insertion)
        if spec.edit
        else (surprise(space, terms.nll, spec.prices, insertion))
    )
    transport = steering.plan
    if transport is None:
        # Nothing of a plan that is constant needs to be remembered.
        with torch.set_grad_enabled(torch.is_grad_enabled() and not spec.detached):
            transport = align(space, temperature, steering)
    node = space.total(transport.plan * charged)
    edge = space.edges(edge_costs(spec, pairs, edits=spec.edit))(space.inner(transport.plan))
    clique = clique_cost(pairs, spec.edge_cost.presence(pairs))
    return {"node": node, "edge": edge, "clique": clique}, transport


def align(space: Layout, temperature: float | Tensor, steering: Steering) -> Any:
    """Transport by matching cost, then again with the edges at the last plan, (E19)."""
    spec, pairs, start = space.spec, space.pairs, steering.start
    cost = matching_cost(space, steering.match_cost)
    first = cost if steering.first_cost is None else cost + steering.first_cost
    transport = space.transport(first, temperature) if start is None else start
    if not spec.rounds:
        return transport
    edges = space.edges(edge_costs(spec, pairs, edits=True))
    sum_of_steps = first if start is None else torch.zeros_like(cost)
    for _ in range(spec.rounds):
        step = cost + space.lifted(edges.gradient(space.inner(transport.plan)) * step_scale(spec))
        # A plan is exp(potentials - cost / eps): to stay close to it is to add up the costs.
        sum_of_steps = sum_of_steps + step
        transport = transport.then(
            space.transport(sum_of_steps if spec.proximal else step, temperature)
        )
    return transport


def matching_cost(space: Layout, extra: Tensor | None = None) -> Tensor:
    """Expected edits of each entry, and what their places add, (E1); infinite where impossible.

    Args:
        space: The batch.
        extra: Added to it.
    """
    spec, pairs, terms = space.spec, space.pairs, space.node_terms()
    cost = expected_edits(space, terms.match, spec.prices, node_insertion(spec, pairs))
    cost = cost.masked_fill(impossible(space, terms.nll), inf)
    if spec.hints.position and pairs.placed:
        cost = cost + spec.hints.position * space.steps()
    return cost if extra is None else cost + extra


def step_scale(spec: Spec) -> float:
    """Of the linearised edges in the cost of a round: the alignment minimises node terms."""
    return spec.beta / spec.alpha


def node_insertion(spec: Spec, pairs: Pairs) -> Tensor | float:
    """What inserting each target node costs, or each alike."""
    weight, ignored = spec.node_cost.weight(pairs.target.y), pairs.target.ignored
    price = spec.prices.node_insertion
    if weight is None and ignored is None:
        return price
    if weight is None:
        weight = pairs.exists.new_ones(len(pairs.target.y))
    return price * (weight if ignored is None else weight.masked_fill(ignored, 0))


def edge_costs(spec: Spec, pairs: Pairs, *, edits: bool) -> EdgeCosts:
    """What edges cost: in edits for the alignment, as the criterion says for the loss."""
    cost = spec.edge_cost
    return (cost.edits if edits else cost.surprise)(pairs, spec.prices)
