"""The native kernel for graphs: the layout of a batch, and the whole alignment of its pairs.

Nothing here is differentiable: `align_adjoint` is the derivative of `align`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ...ot import AVAILABLE, LEVELS, native

if AVAILABLE:
    from ...ot import _native

Values = Sequence[Tensor]
"""What a loss is differentiated in, empty where there is none: log h, log (1 - h); score and
agreement of nodes (see `_fused`); log q; weights of candidates; positions; what the cost of the
first plan has besides, padded with the void."""

Constants = Sequence[Tensor]
"""The same of the targets: vectors, weights, positions; then, of each pair, the temperature and,
for vectors, the cost at which two of them agree to 1/e."""

Places = Sequence[Tensor]
"""Whole numbers: nodes of each predicted graph, of each target graph; graph, source and sink of
candidates, then of target edges, and the relation of these; classes of the target nodes."""


def serves(*tensors: Tensor) -> bool:
    """Whether the kernel can be given these, in PyTorch's present state.

    Inside a function transform (`torch.func`) tensors are wrapped and have no address, and the
    kernel has no derivative in forward mode.
    """
    plain = not torch._C._are_functorch_transforms_active() and forward_ad._current_level < 0
    return plain and all(native(x) for x in tensors)


def lay_out(
    batch: Tensor, edge_index: Tensor, num_graphs: int, directed: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
    """Nodes of each graph, places of the nodes in it, graph and ends of the edges in places.

    None if anything is wrong with the batch or its edges.
    """
    batch, edge_index = batch.contiguous(), edge_index.contiguous()
    n, e = len(batch), edge_index.shape[1]
    count, place = batch.new_empty(num_graphs), torch.empty_like(batch)
    graph, ends = edge_index.new_empty(e), torch.empty_like(edge_index)
    fault = _native.lay_out(
        _at(batch, torch.int64, n),
        _at(edge_index, torch.int64, 2, e),
        n,
        e,
        num_graphs,
        directed,
        count.data_ptr(),
        place.data_ptr(),
        graph.data_ptr(),
        ends.data_ptr(),
    )
    return None if fault else (count, place, graph, ends)


def align(
    values: Values,
    constants: Constants,
    places: Places,
    numbers: Sequence[float],
    flags: Sequence[int],
    *,
    level: str | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Terms and plans of each pair, on `torch.get_num_threads()` threads.

    Args:
        values, constants, places: See there; contiguous, int64 and all float64, or all float32:
            then everything is computed in single precision.
        numbers, flags: The settings, in the order of `Settings` in `cpp/graphs.hpp`.
        level: One of `LEVELS`; the fastest if not given.

    Returns:
        Total, node, edge and clique term of each pair; and, round by round, the padded plans,
        their residuals and their iterations.
    """
    arrays, sizes = _problem(values, constants, places)
    pairs, rows, columns = sizes[:3]
    rounds, eps = flags[0] + 1, constants[3]
    found = (
        eps.new_empty(4, pairs),
        eps.new_empty(rounds, pairs, rows, columns),
        eps.new_empty(rounds, pairs),
        places[0].new_empty(rounds, pairs),
    )
    to = [x.data_ptr() for x in found]
    threads = torch.get_num_threads()
    solve = _native.align if eps.dtype == torch.float64 else _native.align_single
    solve(arrays, sizes + list(flags), list(numbers), to, threads, level or LEVELS[-1])
    return found


def align_adjoint(
    values: Values,
    constants: Constants,
    places: Places,
    numbers: Sequence[float],
    flags: Sequence[int],
    found: Sequence[Tensor],
    grad_terms: Tensor,
    grad_plan: Tensor | None,
    *,
    level: str | None = None,
) -> list[Tensor]:
    """The derivative of a loss in all `values`, given that in the terms and in the last plan.

    Args:
        values, constants, places, numbers, flags, level: As given to `align`.
        found: As returned by it.
        grad_terms, grad_plan: The derivative; None if it is zero.
    """
    arrays, sizes = _problem(values, constants, places)
    rounds, (pairs, rows, columns) = flags[0] + 1, sizes[:3]
    slopes = [torch.zeros_like(x) for x in values]
    real = constants[3].dtype
    given = [
        _at(grad_terms, real, 4, pairs),
        0 if grad_plan is None else _at(grad_plan, real, pairs, rows, columns),
    ]
    shapes = ((4, pairs), (rounds, pairs, rows, columns), (rounds, pairs))
    results = [_at(x, real, *s) for x, s in zip(found[:3], shapes, strict=True)]
    solve = _native.align_adjoint if real == torch.float64 else _native.align_adjoint_single
    solve(
        arrays,
        sizes + list(flags),
        list(numbers),
        [*results, _at(found[3], torch.int64, rounds, pairs)],
        [*given, *(x.data_ptr() for x in slopes)],
        torch.get_num_threads(),
        level or LEVELS[-1],
    )
    return slopes


def _problem(values: Values, constants: Constants, places: Places) -> tuple[list[int], list[int]]:
    """Addresses and sizes in the order of `read_graphs` in `cpp/batch.cpp`.

    The kernel believes sizes and kinds, so they are compared here.
    """
    exists, absent, score, agreement, relation, weight, position, head = values
    wanted, target_weight, target_position, eps, scale = constants
    count, target_count, graph, source, sink, tgraph, tsource, tsink, kind, label = places
    pairs, n, e, t = len(count), len(exists), len(graph), len(kind)
    m = int(target_count.sum())
    likeness = _likeness(score, wanted)
    rows, columns = _width(count, score, 1), _width(target_count, score, 2)
    real, whole = eps.dtype, torch.int64
    outputs, relations = score.shape[-1], relation.shape[-1]
    classes, features, dense = (likeness == one for one in range(3))
    coordinates = position.shape[1] if position.ndim == 2 else 0
    placed, weighted = coordinates > 0, len(weight) > 0
    # fmt: off
    arrays = [
        _at(count, whole, pairs), _at(target_count, whole, pairs),
        _at(graph, whole, e), _at(source, whole, e), _at(sink, whole, e),
        _at(tgraph, whole, t), _at(tsource, whole, t), _at(tsink, whole, t), _at(kind, whole, t),
        _at(exists, real, n), _at(absent, real, n),
        _at(score, real, pairs, rows, columns) if dense else _at(score, real, n, outputs),
        _if(dense, agreement, real, pairs, rows, columns),
        _if(classes, label, whole, m), _if(features, wanted, real, m, outputs),
        _at(relation, real, e, relations),
        _if(weighted, weight, real, e), _if(weighted, target_weight, real, t),
        _if(placed, position, real, n, coordinates),
        _if(placed, target_position, real, m, coordinates),
        _at(eps, real, pairs), _if(head.ndim == 3, head, real, pairs, rows + 1, columns + 1),
        _if(features, scale, real, pairs),
    ]
    # fmt: on
    sizes = [
        pairs,
        rows + 1,
        columns + 1,
        n,
        m,
        e,
        t,
        outputs,
        relations,
        coordinates,
        likeness,
    ]  # fmt: skip
    return arrays, sizes


def _likeness(score: Tensor, wanted: Tensor) -> int:
    """How nodes are compared, as `Likeness` in `cpp/graphs.hpp` numbers it."""
    if score.ndim == 3:
        return 2
    return 1 if wanted.ndim == 2 else 0


def _width(count: Tensor, score: Tensor, axis: int) -> int:
    if score.ndim == 3:
        return score.shape[axis]
    return int(count.max()) if len(count) else 0


def _if(given: bool, tensor: Tensor, dtype: torch.dtype, *shape: int) -> int:
    """The address of what is given; otherwise none."""
    return _at(tensor, dtype, *shape) if given else 0


def _at(tensor: Tensor, dtype: torch.dtype, *shape: int) -> int:
    """The address of the first number."""
    ok = tensor.shape == shape and tensor.dtype is dtype
    if not (ok and tensor.is_contiguous() and tensor.is_cpu):
        # An error of ours, not of a user: what users give was checked before.
        found = f"{tensor.dtype} {tuple(tensor.shape)} on {tensor.device}"
        raise RuntimeError(f"The kernel wants {dtype} {shape}, contiguous, got {found}.")
    return tensor.data_ptr()
