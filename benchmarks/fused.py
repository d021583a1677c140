"""Pairs per second of the whole structural loss, forward and backward, and where the time goes.

`StructuralLoss` from logits or features to gradients, the native kernel beside the program in
PyTorch, on one thread and on two; the kernel's own part of it; and the rate of its sweeps beside
that of matrix-vector products in the first-level cache. Repeats are interleaved. Medians are of
processor time, which other jobs on the machine disturb less, but for two threads, whose gain only
the clock shows; bests are by the clock.
"""

import ctypes
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from _record import record
from _soft_graphs import soft_graphs
from _timing import by_clock, in_turns
from torch import Tensor
from torch.nn.functional import normalize
from torch_geometric.data import Data

from grapheme_torch import Prediction, Sinkhorn, StructuralLoss, costs
from grapheme_torch.loss.engines import _kernel as _cpu
from grapheme_torch.ot import Backend, set_backend

SECONDS = 4.0
REPEATS, FEW, MANY = 200_000, 10, 110
BYTES = {torch.float64: "run_double", torch.float32: "run_single"}


@dataclass(frozen=True)
class Workload:
    """Some pairs of 10 to 40 nodes, paths with a fifth of skip edges, and a loss for them."""

    name: str
    pairs: int
    dtype: torch.dtype
    features: bool
    loss: StructuralLoss


def _features(tolerance: float) -> StructuralLoss:
    return StructuralLoss(
        node_cost=costs.Vectors(scale=1.0),
        gamma=0.0,
        alignment=Sinkhorn(slack=1.0, rounds=0, tolerance=tolerance),
    )


WORKLOADS = [
    Workload("W1 (b): features, no rounds, to 1e-06", 64, torch.float64, True, _features(1e-6)),
    Workload("the same in float32, to 1e-05", 64, torch.float32, True, _features(1e-5)),
    Workload("the same, 1,024 pairs", 1024, torch.float32, True, _features(1e-5)),
    Workload("labels and positions, the default loss", 64, torch.float64, False, StructuralLoss()),
    Workload("the same, 32 pairs", 32, torch.float64, False, StructuralLoss()),
    Workload("the same, float32", 64, torch.float32, False, StructuralLoss()),
    Workload("the same, 1 pair", 1, torch.float64, False, StructuralLoss()),
]


def main() -> None:
    """Measures every workload and records medians and bests."""
    torch.set_num_threads(1)
    rows = [_measure(work) for work in WORKLOADS]
    record("fused", {"level": _cpu.LEVELS[-1], "rows": rows, "limit": _limits()})


def _measure(work: Workload) -> dict[str, Any]:
    problem = soft_graphs(work.pairs, work.dtype, features=work.features)
    call = partial(_call, work, problem)
    kernel = _kernel_alone(partial(call, "native"))
    seconds = in_turns(
        {
            "native": partial(call, "native"),
            "pytorch": partial(call, "pytorch"),
            "kernel": kernel,
        },
        SECONDS,
        _clock_and_processor,
    )
    # By themselves: PyTorch makes and ends threads where their number changes.
    torch.set_num_threads(2)
    seconds |= in_turns(
        {"two_threads": partial(call, "native"), "kernel_two_threads": kernel},
        SECONDS,
        _clock_and_processor,
    )
    torch.set_num_threads(1)
    row: dict[str, Any] = {"workload": work.name, "pairs": work.pairs}
    for name, found in seconds.items():
        clock, processor = zip(*found, strict=True)
        usual = statistics.median(clock if "two_threads" in name else processor)
        row |= {name: work.pairs / usual, f"{name}_best": work.pairs / min(clock)}
    print(work.name, {key: round(value) for key, value in row.items() if key != "workload"})
    return row


def _call(
    work: Workload,
    problem: tuple[list[Tensor], Prediction, Data],
    backend: Backend,
) -> Tensor:
    """A step from leaves to their gradients, a `Prediction` made anew."""
    leaves, old, target = problem
    set_backend(backend)
    prediction = Prediction(
        existence=old.existence,
        label=normalize(leaves[0]) if work.features else leaves[0],
        edge_index=old.edge_index,
        relation=leaves[1],
        batch=old.batch,
        num_graphs=old.num_graphs,
        position=old.position,
    )
    total = work.loss(prediction, target).total
    torch.autograd.grad(total, leaves)
    return total.detach()


def _kernel_alone(call: Callable[[], object]) -> Callable[[], object]:
    """The two calls into the kernel that a step makes, with nothing around them."""
    held = _calls(call)
    return lambda: [function() for function in held]


def _calls(call: Callable[[], object]) -> list[Callable[[], Any]]:
    """The calls into the kernel that a step makes: forward, then backward."""
    held: list[Callable[[], Any]] = []
    plain = _cpu.align, _cpu.record_adjoint

    def watch(function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            held.append(partial(function, *arguments, **named))
            return function(*arguments, **named)

        return watched

    _cpu.align, _cpu.record_adjoint = (watch(function) for function in plain)
    call()
    _cpu.align, _cpu.record_adjoint = plain
    return held


def _clock_and_processor(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of a call, by the clock and of the processor."""
    before = time.process_time()
    return by_clock(call), time.process_time() - before


def _limits() -> list[dict[str, Any]]:
    """Multiply-adds a second of sweeps, and of products in cache, in turns."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        library = str(Path(folder) / "rate.so")
        source = str(Path(__file__).with_name("_rate.cpp"))
        flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math"]
        subprocess.run([compiler, *flags, "-shared", "-fPIC", "-o", library, source], check=True)
        loaded = ctypes.CDLL(library)
        return [_limit(work, loaded) for work in WORKLOADS[:2]]


def _limit(work: Workload, loaded: ctypes.CDLL) -> dict[str, Any]:
    """Sweeps are timed as the difference of many and few of them on the same pairs."""
    problem = soft_graphs(work.pairs, work.dtype, features=work.features)
    count = [torch.bincount(problem[1].batch), torch.bincount(problem[2].batch)]
    cells = float(((count[0] + 1) * (count[1] + 1)).sum())
    align, (inputs, settings, *sizes) = _calls(partial(_call, work, problem, "native"))[0]

    def sweeps(most: int) -> Callable[[], object]:
        plain = settings._replace(tolerance=-1.0, max_iterations=most, gradient="unrolled")
        return partial(align, inputs, plain, *sizes)

    rate = getattr(loaded, BYTES[work.dtype])
    rate.restype = ctypes.c_double
    seconds = in_turns(
        {"few": sweeps(FEW), "many": sweeps(MANY), "peak": partial(rate, ctypes.c_long(REPEATS))},
        SECONDS,
        _clock_and_processor,
    )
    best = {name: min(time for _, time in found) for name, found in seconds.items()}
    swept = 2 * cells * (MANY - FEW) / (best["many"] - best["few"])
    peak = 2 * 32 * 32 * REPEATS / best["peak"]
    row = {"dtype": str(work.dtype), "sweeps": swept, "peak": peak, "share": swept / peak}
    print({key: value if isinstance(value, str) else f"{value:.3g}" for key, value in row.items()})
    return row


if __name__ == "__main__":
    main()
