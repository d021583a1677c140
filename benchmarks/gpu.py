"""Pairs per second on a GPU, plan and its gradient: Triton's kernels beside PyTorch and POT.

All get padded float64 costs and a fixed cotangent of the plan. "triton" and "pytorch" are the back
ends of `transport_plan`, to the tolerance. "plain" and "compiled" are a log-domain Sinkhorn of
`SWEEPS` sweeps in PyTorch, as one would write it, under autograd, and the same through
`torch.compile`; "pot" is `ot.batch.solve_batch`, if POT is installed. How far the margins of each
are off stands beside its speed. Times are of CUDA events; repeats are interleaved; medians.

Needs a CUDA device and Triton. Without, it refuses with status 2 and leaves the results alone.
"""

import importlib.util
import statistics
import sys
from collections.abc import Callable
from functools import partial

import torch
from _record import record
from _timing import in_turns
from _transport_problems import WORKLOADS, noisy_copies
from torch import Tensor

from grapheme_torch.ot import Backend, set_backend, transport_plan

BATCHES = WORKLOADS | {"4096 of 10 to 40": (4096, 10, 40), "one of 2000": (1, 2000, 2000)}
SETTINGS = [(0.1, 1e-6), (0.1, 1e-12), (0.05, 1e-6), (0.05, 1e-12)]
SECONDS, WARM_UP, SWEEPS, MAX_ITERATIONS = 10.0, 3, 50, 200

Plan = Callable[[Tensor, Tensor, Tensor], Tensor]


def main() -> None:
    """Measures every batch and setting and records medians and spread."""
    missing = _missing()
    if missing:
        print(f"benchmarks/gpu.py needs {missing}; nothing was measured.", file=sys.stderr)
        raise SystemExit(2)
    rows = []
    for name, shape in BATCHES.items():
        problem = tuple(x.cuda() for x in noisy_copies(*shape))
        for temperature, tolerance in SETTINGS:
            row = {"batch": name, "temperature": temperature, "tolerance": tolerance}
            row |= _compare(*problem, _methods(temperature, tolerance))
            rows.append(row)
            print(row)
    packages = ("triton", "POT") if _installed("ot") else ("triton",)
    findings = {"device": torch.cuda.get_device_name(), "sweeps": SWEEPS, "rows": rows}
    record("gpu", findings, packages=packages)


def _missing() -> str:
    wanted = {"a CUDA device": torch.cuda.is_available(), "Triton": _installed("triton")}
    return " and ".join(name for name, there in wanted.items() if not there)


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _methods(temperature: float, tolerance: float) -> dict[str, Plan]:
    # As a tensor, lest every temperature be compiled anew.
    eps = torch.tensor(temperature, dtype=torch.float64, device="cuda")
    methods: dict[str, Plan] = {
        "triton": partial(_ours, "triton", temperature, tolerance),
        "pytorch": partial(_ours, "pytorch", temperature, tolerance),
        "plain": partial(_sinkhorn, eps),
        "compiled": partial(_COMPILED, eps),
    }
    if _installed("ot"):
        methods["pot"] = partial(_pot, temperature, tolerance)
    return methods


def _ours(
    backend: Backend, temperature: float, tolerance: float, cost: Tensor, a: Tensor, b: Tensor
) -> Tensor:
    set_backend(backend)
    return transport_plan(
        cost, a, b, temperature=temperature, tolerance=tolerance, max_iterations=MAX_ITERATIONS
    ).plan


def _sinkhorn(eps: Tensor, cost: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Masses of zero, the padding, are very small ones: no infinity meets another."""
    log_a, log_b = a.clamp(min=1e-30).log(), b.clamp(min=1e-30).log()
    g = torch.zeros_like(b)
    for _ in range(SWEEPS):
        f = -torch.logsumexp((log_b + g)[:, None, :] - cost / eps, 2)
        g = -torch.logsumexp((log_a + f)[:, :, None] - cost / eps, 1)
    return torch.exp((log_a + f)[:, :, None] + (log_b + g)[:, None, :] - cost / eps)


_COMPILED = torch.compile(_sinkhorn, dynamic=False)


def _pot(temperature: float, tolerance: float, cost: Tensor, a: Tensor, b: Tensor) -> Tensor:
    import ot.batch

    plan: Tensor = ot.batch.solve_batch(
        cost, temperature, a, b, tol=tolerance, max_iter=MAX_ITERATIONS, grad="autodiff"
    ).plan
    return plan


def _compare(
    cost: Tensor, a: Tensor, b: Tensor, methods: dict[str, Plan]
) -> dict[str, dict[str, object] | None]:
    rng = torch.Generator().manual_seed(1)
    w = torch.randn(cost.shape, generator=rng, dtype=torch.float64).cuda()
    leaf = cost.clone().requires_grad_()

    def call(plan_of: Plan) -> Tensor:
        plan = plan_of(leaf, a, b)
        torch.autograd.grad(plan, leaf, w)
        return plan.detach()

    able = {name: partial(call, method) for name, method in methods.items()}
    left = {name: _left(one, a, b) for name, one in able.items()}
    able = {name: one for name, one in able.items() if left[name] is not None}
    found: dict[str, dict[str, object] | None] = dict.fromkeys(methods)  # none: out of memory
    for name, times in in_turns(able, SECONDS, _by_events).items():
        rates = [len(cost) / second for second in times]
        found[name] = {
            "pairs_per_second": statistics.median(rates),
            "range": [min(rates), max(rates)],
            "residual": left[name],
        }
    return found


def _left(call: Callable[[], Tensor], a: Tensor, b: Tensor) -> float | None:
    """The largest misfit of a pair as a share of its mass, after warming up; None: no memory."""
    try:
        for _ in range(WARM_UP):
            plan = call()
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return None
    wrong = torch.maximum((plan.sum(2) - a).abs().sum(1), (plan.sum(1) - b).abs().sum(1))
    return float((wrong / b.sum(1)).max())


def _by_events(call: Callable[[], Tensor]) -> float:
    """Seconds of a call on the device."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000


if __name__ == "__main__":
    main()
