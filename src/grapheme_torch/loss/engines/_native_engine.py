"""The structural loss by the native kernel: when it serves, and what it is given.

The numbers are those of `_program`: the kernel is its transcription, pair by pair, with everything
of a pair in cache.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...ot import backend, check_temperature, options, temperatures
from ...ot import serves as kernel_serves
from .._learned_cost import margin_divergence
from .._options import Sinkhorn
from .._program import edge_costs, node_insertion
from .._spec import Spec
from ..batch._pairs import Pairs
from ..layouts._padded import Padded, by_class
from ..terms._clique import clique_cost
from ..terms._edge_cost import edge_channels
from ..terms._node_cost import Classes
from ..terms._nodes import NodeTerms
from . import _kernel
from ._alignment_operator import Terms
from ._kernel import Inputs, learned_of

Compose = Callable[[Padded, Tensor | None], tuple[Mapping[str, Tensor], Tensor]]
"""Terms of each pair and plan by the program in PyTorch, given the first cost's addition."""


class NativeAlignment(NamedTuple):
    """Plans with their evidence, as in `Transport`; the kernel hands out no potentials."""

    plan: Float[Tensor, "B N M"]
    iterations: Int[Tensor, " B"]
    residual: Float[Tensor, " B"]
    converged: Bool[Tensor, " B"]


def serves(pairs: Pairs, spec: Spec, temperature: float | Tensor) -> bool:
    """Whether the kernel supports this call.

    It does for CPU tensors, positive temperature and targets that need no gradient. Edge costs
    that it does not make itself are given to it, and margins added to its total; then there is no
    second derivative. A cost of every round beside its own it does not take.
    """
    target, s = pairs.target, spec.solver
    warm = isinstance(temperature, Tensor) or temperature != 0
    fixed = not any(x is not None and x.requires_grad for x in
                    (target.y, target.weight, target.position, target.attributes))  # fmt: skip
    if s is None or spec.prior or not (warm and fixed and _has_kernel(pairs.exists)):
        return False
    if spec.margins and s.gradient == "implicit":
        return False
    return _plain(pairs, spec) or s.gradient in ("exact", "unrolled")


def _has_kernel(x: Tensor) -> bool:
    """Whether the operator has a kernel where a tensor is: ours, or one registered for a device."""
    if x.is_cpu:
        return kernel_serves(x)
    return not x.is_meta and backend() != "pytorch" and registered(x.device.type)


def registered(device: str) -> bool:
    """Whether somebody has registered a kernel of the operator for a kind of device."""
    key = torch._C._dispatch_key_for_device(device)
    return torch._C._dispatch_has_kernel_for_dispatch_key("grapheme_torch::alignment", key)


def _plain(pairs: Pairs, spec: Spec) -> bool:
    """Whether the kernel makes all costs itself, but for those of matches."""
    weight = spec.node_cost.weight(pairs.target.y)
    return spec.edge_cost.plain and weight is None and pairs.target.whole is None


def read(space: Padded, temperature: float | Tensor) -> Inputs:
    """What the kernel is given, whatever the first cost has besides.

    Args:
        space: What is compared.
        temperature: One number, or one per pair.

    Raises:
        InputError: As `transport_plan`.
    """
    pairs, spec = space.pairs, space.spec
    assert spec.solver is not None
    inputs = _inputs_of(space, _temperatures(pairs, spec.solver, temperature))
    return inputs if _plain(pairs, spec) else _with_costs(inputs, space)


def run(
    space: Padded,
    inputs: Inputs,
    extra: Float[Tensor, "B N1 M1"] | None,
    compose: Compose,
) -> tuple[dict[str, Tensor], NativeAlignment]:
    """Node, edge and clique term of each pair, and the alignment.

    Args:
        space: What is compared.
        inputs: What was read of it.
        extra: What the cost of the first plan has besides the matching cost.
        compose: The same in PyTorch; a second derivative is taken through it.

    Raises:
        InputError: As `transport_plan`.
        OverflowError: If a number is not finite.
    """
    pairs, spec = space.pairs, space.spec
    inputs = inputs._replace(first_cost=extra)
    settings, plain = _settings_of(spec, pairs.directed), _plain(pairs, spec)
    if not plain:
        settings = settings._replace(gamma=0.0)  # the clique term is added below
    learned = learned_of(inputs)
    rows, columns = pairs.layout.width + 1, pairs.target.layout.width + 1

    def again(values: Mapping[str, Tensor]) -> tuple[Sequence[Tensor], Tensor]:
        terms, plan = compose(_with_values(space, values), values.get("first_cost"))
        return [spec.weighted(terms), terms["node"], terms["edge"], terms["clique"]], plan

    *found, plan, residual, iterations, converged = Terms.apply(
        again, inputs, settings, rows, columns, tuple(learned), *learned.values()
    )
    dtype = pairs.exists.dtype
    if plan.dtype != dtype:
        plan, found = plan.to(dtype), [x.to(dtype) for x in found]
    if spec.detached:
        plan = plan.detach()
    terms = dict(zip(("total", "node", "edge", "clique"), found, strict=True))
    if not plain:
        terms["clique"] = clique_cost(pairs, spec.edge_cost.presence(pairs))
        terms["total"] = terms["total"] + spec.gamma * terms["clique"]
    if spec.margins:
        terms["margins"] = margin_divergence(plan, *space.masses)
        terms["total"] = terms["total"] + spec.margins * terms["margins"]
    return terms, NativeAlignment(plan, iterations, residual, converged)


def _with_costs(inputs: Inputs, space: Padded) -> Inputs:
    """The same with what edges cost, and what inserting each target node does."""
    pairs, spec = space.pairs, space.spec
    charged = edge_costs(spec, pairs, edits=spec.edit)
    gain, value = edge_channels(pairs, charged)
    insertion = node_insertion(spec, pairs)
    rounds = None
    if spec.rounds:
        rounds = edge_channels(pairs, edge_costs(spec, pairs, edits=True)).candidate
    graph, source, sink = pairs.target.laid
    return inputs._replace(
        target_graph=graph,
        target_source=source,
        target_sink=sink,
        target_relation=torch.ones_like(graph),
        weight=None,
        target_weight=None,
        edge_gain=gain,
        round_gain=rounds,
        target_value=value.detach(),
        edge_constant=charged.constant(pairs),
        insertion_cost=insertion.to(gain.dtype) if isinstance(insertion, Tensor) else None,
    )


def _temperatures(
    pairs: Pairs, solver: Sinkhorn, temperature: float | Tensor
) -> Float[Tensor, " B"]:
    """One temperature a pair, checked, in float64."""
    size = pairs.num_pairs
    # Of a number it takes no look at tensors.
    if isinstance(temperature, float) and 0 < temperature < inf:
        return pairs.exists.new_full((size,), temperature, dtype=torch.float64)
    eps = temperatures(temperature, pairs.exists, size)
    options(size, eps, solver.tolerance, solver.max_iterations)
    check_temperature(eps)
    return eps.expand(size)


def _settings_of(spec: Spec, directed: bool) -> _kernel.Settings:
    prices, s = spec.prices, spec.solver
    assert s is not None
    return _kernel.Settings(
        alpha=spec.alpha,
        beta=spec.beta,
        gamma=spec.gamma,
        position_weight=spec.hints.position,
        slack=s.slack,
        node_insertion=prices.node_insertion,
        node_deletion=prices.node_deletion,
        edge_insertion=prices.edge_insertion,
        edge_deletion=prices.edge_deletion,
        tolerance=s.tolerance,
        rounds=spec.rounds,
        max_iterations=s.max_iterations,
        edit=spec.edit,
        proximal=spec.proximal,
        directed=directed,
        gradient=s.gradient,
    )


def _inputs_of(space: Padded, eps: Tensor) -> Inputs:
    """The tensors of the kernel, by the names they have there."""
    pairs, kind = space.pairs, _kind(space)
    target = pairs.target
    score, match = _score(space, kind)
    weighted = pairs.weight is not None and target.weight is not None
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
        vector_scale=space.scale if kind == "features" else None,
        weight=pairs.weight if weighted else None,
        target_weight=target.weight if weighted else None,
        position=pairs.position if pairs.placed else None,
        target_position=target.position if pairs.placed else None,
    )


def _kind(space: Padded) -> str | None:
    """How the kernel compares nodes itself; None: it is given the costs of all matches."""
    kind, y = space.spec.node_cost.native, space.pairs.target.y
    if space.pairs.target.ignored is not None:
        return None
    if kind != "labels":
        return kind
    if kernel_serves(y):
        known = _kernel.within(y, 0, max(space.pairs.outputs.shape[1], 1))
    else:
        known = not len(y) or int(y.min()) >= 0
    return kind if known else None


def _score(space: Padded, kind: str | None) -> tuple[Tensor, Tensor | None]:
    """What is said of a node: the log-probability of each class, or its feature vector.

    For any other node cost: what it costs beside every target node, and the agreement, padded.
    """
    if kind == "labels":
        return space.pairs.outputs.log_softmax(1), None
    if kind == "features":
        return space.pairs.outputs, None
    nll, match = space.node_terms()
    if space.ignored is None:
        return nll, match
    # A match that costs nothing, whatever the node: log h - log h nats, and 1 - h / h edits.
    log_h = space.rows(space.nodes(space.pairs.exists))
    return nll.where(~space.ignored, log_h), match.where(~space.ignored, (-log_h).exp())


def _with_values(space: Padded, values: Mapping[str, Tensor]) -> Padded:
    """The same with other learned inputs of the operator."""
    pairs, kind, cost = space.pairs, _kind(space), space.spec.node_cost
    score, known = values["node_score"], None
    if kind == "labels":
        assert isinstance(cost, Classes)
        table = cost.table_of(pairs.layout.pad(score))
        found = by_class(cost, table, pairs.target.layout.pad(pairs.target.y))
        known = NodeTerms(found.nll, found.agreement(1.0))
    elif kind is None:
        known = NodeTerms(score, values["node_match"])
    pairs = replace(
        pairs,
        exists=values["log_existence"],
        absent=values["log_absence"],
        outputs=score if kind == "features" else pairs.outputs,
        relation=values["log_relation"],
        weight=values.get("weight", pairs.weight),
        position=values.get("position", pairs.position),
    )
    return Padded(pairs, space.spec, known)
