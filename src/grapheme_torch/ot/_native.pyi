"""The compiled kernel, see `cpp/module.cpp`: tensors and settings by name, checked in C++.

Raises:
    ValueError: Naming a tensor that has not the dtype or shape it must have, that is not contiguous
        or not on the CPU; or what points outside its graph.
    OverflowError: If a number is not finite, of `align`.
"""

from torch import Tensor

class Inputs:
    def __init__(self, record: Inputs = ...) -> None: ...
    num_predicted: Tensor | None
    num_target: Tensor | None
    graph: Tensor | None
    source: Tensor | None
    sink: Tensor | None
    target_graph: Tensor | None
    target_source: Tensor | None
    target_sink: Tensor | None
    target_relation: Tensor | None
    log_existence: Tensor | None
    log_absence: Tensor | None
    log_relation: Tensor | None
    temperature: Tensor | None
    node_score: Tensor | None
    node_match: Tensor | None
    target_class: Tensor | None
    target_vector: Tensor | None
    vector_scale: Tensor | None
    weight: Tensor | None
    target_weight: Tensor | None
    edge_gain: Tensor | None
    round_gain: Tensor | None
    target_value: Tensor | None
    edge_constant: Tensor | None
    deletion_cost: Tensor | None
    insertion_cost: Tensor | None
    position: Tensor | None
    target_position: Tensor | None
    first_cost: Tensor | None

class Outputs:
    terms: Tensor | None
    plans: Tensor | None
    residual: Tensor | None
    iterations: Tensor | None
    largest_residual: Tensor | None
    total_iterations: Tensor | None
    converged: Tensor | None

class Settings:
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

def levels() -> list[str]: ...
def solve(
    *,
    cost: Tensor,
    temperature: Tensor,
    row_mass: Tensor,
    column_mass: Tensor,
    tolerance: float,
    max_iterations: int,
    newton: bool,
    plan: Tensor,
    row_potential: Tensor,
    column_potential: Tensor,
    residual: Tensor,
    iterations: Tensor,
    num_threads: int,
    level: str,
) -> None: ...
def adjoint(
    *,
    cost: Tensor,
    temperature: Tensor,
    row_mass: Tensor,
    column_mass: Tensor,
    plan: Tensor,
    iterations: Tensor,
    implicit: Tensor,
    grad_plan: Tensor,
    grad_cost: Tensor,
    grad_row_mass: Tensor,
    grad_column_mass: Tensor,
    num_threads: int,
    level: str,
) -> None: ...
def align(
    *, inputs: Inputs, settings: Settings, outputs: Outputs, num_threads: int, level: str
) -> None: ...
def align_adjoint(
    *,
    inputs: Inputs,
    settings: Settings,
    outputs: Outputs,
    grad_total: Tensor | None,
    grad_node: Tensor | None,
    grad_edge: Tensor | None,
    grad_clique: Tensor | None,
    grad_plan: Tensor | None,
    gradients: Inputs,
    num_threads: int,
    level: str,
) -> None: ...
def lay_out(
    *,
    batch: Tensor,
    edge_index: Tensor,
    directed: bool,
    count: Tensor,
    place: Tensor,
    graph: Tensor,
    source: Tensor,
    sink: Tensor,
) -> int: ...
def within(*, values: Tensor, low: int, end: int) -> bool: ...
def downward(*, edge_index: Tensor) -> bool: ...

GROUPS: int

class Attend:
    query_key_value: Tensor | None
    cosine: Tensor | None
    sine: Tensor | None
    batch: Tensor | None
    mixed: Tensor | None
    grad_mixed: Tensor | None
    grad_query_key_value: Tensor | None

class Hear:
    said: Tensor | None
    gate: Tensor | None
    edge_index: Tensor | None
    kind: Tensor | None
    heard: Tensor | None
    grad_heard: Tensor | None
    grad_said: Tensor | None
    grad_gate: Tensor | None

class ScorePairs:
    node_vectors: Tensor | None
    offset: Tensor | None
    mix: Tensor | None
    read: Tensor | None
    edge_index: Tensor | None
    step: Tensor | None
    batch: Tensor | None
    logits: Tensor | None
    grad_logits: Tensor | None
    grad_node_vectors: Tensor | None
    grad_offset: Tensor | None
    grad_mix: Tensor | None
    grad_read: Tensor | None

class Drop:
    before: Tensor | None
    after: Tensor | None
    seed: int
    threshold: int
    result: Tensor | None
    grad_result: Tensor | None
    grad_before: Tensor | None
    grad_after: Tensor | None

def attend(*, call: Attend, num_threads: int, level: str) -> None: ...
def attend_adjoint(*, call: Attend, num_threads: int, level: str) -> None: ...
def hear(*, call: Hear, num_threads: int, level: str) -> None: ...
def hear_adjoint(*, call: Hear, num_threads: int, level: str) -> None: ...
def score_pairs(*, call: ScorePairs, num_threads: int, level: str) -> None: ...
def score_pairs_adjoint(*, call: ScorePairs, num_threads: int, level: str) -> None: ...
def drop(*, call: Drop, num_threads: int, level: str) -> None: ...
def drop_adjoint(*, call: Drop, num_threads: int, level: str) -> None: ...
