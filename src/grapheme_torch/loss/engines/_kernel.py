"""The native kernel for graphs: the layout of a batch, and the whole alignment of its pairs.

Every tensor and every setting crosses to C++ by its name, where it is checked: see `cpp/batch.hpp`.
Nothing here is differentiable: `align_adjoint` is the derivative of `align`.
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...ot import AVAILABLE, LEVELS

if AVAILABLE:
    from ...ot import _native


class Inputs(NamedTuple):
    """What is compared: `B` pairs, `n` predicted and `m` target nodes, `e` candidates, `t` edges.

    Args:
        num_predicted, num_target: Nodes of each graph, `[B]`.
        graph, source, sink: Of each candidate, the ends as places in its graph, `[e]`.
        target_graph, target_source, target_sink: The same of the target edges, `[t]`.
        target_relation: From 1 on, `[t]`.
        log_existence, log_absence: `log h` and `log (1 - h)`, `[n]`.
        log_relation: `log q`, `[e, R + 1]`; 0 means absent.
        temperature: `[B]`.
        node_score: Log-probabilities of classes `[n, C]`, vectors `[n, d]`, or, with `node_match`,
            what each pair of nodes costs, padded, `[B, N, M]`.
        node_match: How well each pair matches, in [0, 1], padded.
        target_class: `[m]`, with classes.
        target_vector, vector_scale: `[m, d]`, and half the squared distance at which two vectors
            match 1/e, `[B]`; with vectors.
        weight, target_weight: `[e]` and `[t]`, both or neither.
        edge_gain, round_gain, target_value, edge_constant: What edges cost, if it is not made of
            `log_relation` and weights by the kernel. The first two, `[e, C]`, have for each
            candidate what aligning a target edge of value one in a channel with it adds. That is to
            the loss, and to the cost of the rounds. The third has the values of each target edge,
            `[t, C]`, constant. The last is the edge term of each pair when nothing is aligned,
            `[B]`. Without weights; `round_gain` with rounds.
        deletion_cost, insertion_cost: Prices of single nodes, `[n]` and `[m]`, instead of
            `node_deletion` and `node_insertion` of the settings.
        position, target_position: `[n, D]` and `[m, D]`, both or neither.
        first_cost: Added to the cost of the first plan, padded with the void, `[B, N + 1, M + 1]`.
    """

    num_predicted: Tensor
    num_target: Tensor
    graph: Tensor
    source: Tensor
    sink: Tensor
    target_graph: Tensor
    target_source: Tensor
    target_sink: Tensor
    target_relation: Tensor
    log_existence: Tensor
    log_absence: Tensor
    log_relation: Tensor
    temperature: Tensor
    node_score: Tensor
    node_match: Tensor | None = None
    target_class: Tensor | None = None
    target_vector: Tensor | None = None
    vector_scale: Tensor | None = None
    weight: Tensor | None = None
    target_weight: Tensor | None = None
    edge_gain: Tensor | None = None
    round_gain: Tensor | None = None
    target_value: Tensor | None = None
    edge_constant: Tensor | None = None
    deletion_cost: Tensor | None = None
    insertion_cost: Tensor | None = None
    position: Tensor | None = None
    target_position: Tensor | None = None
    first_cost: Tensor | None = None


LEARNED = (
    "log_existence", "log_absence", "node_score", "node_match", "log_relation", "weight",
    "edge_gain", "round_gain", "edge_constant", "deletion_cost", "insertion_cost",
    "position", "first_cost",
)  # fmt: skip
"""The inputs that a loss is differentiated in."""


def learned_of(inputs: Inputs) -> dict[str, Tensor]:
    """What a loss is differentiated in, by name."""
    given = ((name, getattr(inputs, name)) for name in LEARNED)
    return {name: x for name, x in given if x is not None}


class Settings(NamedTuple):
    """What a loss is made of, as far as the kernel reads it; see `StructuralLoss`."""

    alpha: float
    beta: float
    gamma: float
    position_weight: float
    slack: float
    node_insertion: float
    node_deletion: float
    edge_insertion: float
    edge_deletion: float
    tolerance: float
    rounds: int
    max_iterations: int
    edit: bool
    proximal: bool
    directed: bool
    gradient: str

    @property
    def kept_plans(self) -> int:
        """A plan that is constant has no derivative that the plans before it are needed for."""
        return 1 if self.gradient == "detach" else self.rounds + 1


class Outputs(NamedTuple):
    """What is computed.

    Args:
        terms: Total, node, edge and clique term of each pair, `[4, B]`.
        plans: The padded plan of each round, `[rounds + 1, B, N + 1, M + 1]`, or of the last one
            alone, see `Settings.kept_plans`.
        residual, iterations: Of each round, `[rounds + 1, B]`.
        largest_residual, total_iterations, converged: Of all rounds together, `[B]`.
    """

    terms: Tensor
    plans: Tensor
    residual: Tensor
    iterations: Tensor
    largest_residual: Tensor
    total_iterations: Tensor
    converged: Tensor


class Rounds(NamedTuple):
    """What the derivative needs of what was computed, see `Outputs`."""

    plans: Tensor
    residual: Tensor
    iterations: Tensor


class Cotangents(NamedTuple):
    """The derivative of a loss in the terms of each pair, `[B]`, and in the last plan.

    None is zero.
    """

    grad_total: Tensor | None
    grad_node: Tensor | None
    grad_edge: Tensor | None
    grad_clique: Tensor | None
    grad_plan: Tensor | None


class Laid(NamedTuple):
    """Where the nodes and edges of a batch stand in their graphs; see `lay_out`."""

    nodes: Tensor
    place: Tensor
    graph: Tensor
    source: Tensor
    sink: Tensor
    width: int


def lay_out(batch: Tensor, edge_index: Tensor, num_graphs: int, directed: bool) -> Laid | None:
    """Nodes of each graph, places of the nodes in it, graph and ends of the edges in places.

    None if anything is wrong with the batch or its edges.
    """
    e = edge_index.shape[1]
    found = {
        "count": batch.new_empty(num_graphs),
        "place": batch.new_empty(batch.shape[0]),
        "graph": batch.new_empty(e),
        "source": batch.new_empty(e),
        "sink": batch.new_empty(e),
    }
    width = _native.lay_out(
        batch=batch.contiguous(), edge_index=edge_index.contiguous(), directed=directed, **found
    )
    if width < 0:
        return None
    count, *places = found.values()
    place, graph, source, sink = places
    return Laid(count, place, graph, source, sink, width)


def within(values: Tensor, low: int, end: int) -> bool:
    """Whether all of these whole numbers, int64 on one axis, are in `[low, end)`."""
    return _native.within(values=values.contiguous(), low=low, end=end)


def downward(edge_index: Tensor) -> bool:
    """Whether an edge leads to a node of lower number; int64."""
    return _native.downward(edge_index=edge_index.contiguous())


def record_of(inputs: Inputs) -> Any:
    """The inputs as C++ reads them: of one dtype each, contiguous, see `align`."""
    return _filled(_native.Inputs(), inputs)


def record_with(record: Any, learned: Mapping[str, Tensor | None]) -> Any:
    """A copy with some tensors exchanged: what stays the same crosses to C++ once."""
    other = _native.Inputs(record)
    for name, value in learned.items():
        setattr(other, name, value)
    return other


def align(
    inputs: Inputs,
    settings: Settings,
    rows: int,
    columns: int,
    *,
    record: Any = None,
    level: str | None = None,
) -> Outputs:
    """Terms and plans of each pair, on `torch.get_num_threads()` threads.

    Args:
        inputs: Contiguous; integers are int64, and all other tensors float64, or all float32: then
            everything is computed in single precision.
        settings: See there.
        rows, columns: Of the padded plans, with the void.
        record: `record_of(inputs)`, if it has been made.
        level: One of `LEVELS`; the fastest if not given.

    Raises:
        ValueError: Naming the tensor that is not what it must be.
        OverflowError: If a number is not finite.
    """
    eps, rounds = inputs.temperature, settings.rounds + 1
    found = Outputs(
        terms=eps.new_empty(4, len(eps)),
        plans=eps.new_empty(settings.kept_plans, len(eps), rows, columns),
        residual=eps.new_empty(rounds, len(eps)),
        iterations=eps.new_empty(rounds, len(eps), dtype=torch.int64),
        largest_residual=eps.new_empty(len(eps)),
        total_iterations=eps.new_empty(len(eps), dtype=torch.int64),
        converged=eps.new_empty(len(eps), dtype=torch.bool),
    )
    _native.align(
        inputs=record_of(inputs) if record is None else record,
        settings=_settings(settings),
        outputs=_filled(_native.Outputs(), found),
        num_threads=torch.get_num_threads(),
        level=level or LEVELS[-1],
    )
    return found


def align_adjoint(
    inputs: Inputs,
    settings: Settings,
    rounds: Rounds,
    cotangents: Cotangents,
    *,
    level: str | None = None,
) -> dict[str, Tensor]:
    """The derivative of a loss in those of `LEARNED` that are given, by name.

    Args:
        inputs, settings, level: As given to `align`.
        rounds: Of what it returned.
        cotangents: The derivative in that.
    """
    record, given = record_of(inputs), learned_of(inputs)
    return record_adjoint(record, given, settings, rounds, cotangents, level=level)


def record_adjoint(
    record: Any,
    learned: Mapping[str, Tensor],
    settings: Settings,
    rounds: Rounds,
    cotangents: Cotangents,
    *,
    level: str | None = None,
) -> dict[str, Tensor]:
    """The same of a record, which holds what is learned."""
    found = {name: torch.zeros_like(x) for name, x in learned.items()}
    gradients = _native.Inputs()
    for name, gradient in found.items():
        setattr(gradients, name, gradient)
    _native.align_adjoint(
        inputs=record,
        settings=_settings(settings),
        outputs=_filled(_native.Outputs(), rounds),
        **cotangents._asdict(),
        gradients=gradients,
        num_threads=torch.get_num_threads(),
        level=level or LEVELS[-1],
    )
    return found


@functools.lru_cache
def _settings(settings: Settings) -> Any:
    """The record of C++; those of a loss are the same at every call."""
    return _filled(_native.Settings(), settings)


def _filled(record: Any, fields: Inputs | Settings | Outputs | Rounds) -> Any:
    """A record of C++ with the fields of the same names."""
    for name, value in zip(fields._fields, fields, strict=True):
        if value is not None:
            setattr(record, name, value)
    return record
