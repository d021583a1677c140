"""Pairs per second, plan and its gradient: the native kernel beside the PyTorch path.

Both get padded float64 costs and a fixed cotangent of the plan, through `transport_plan` and
`torch.autograd.grad`. One thread each, and the kernel on two as well.
"""

import statistics
from functools import partial

import torch
from _record import record
from _timing import by_clock, in_turns
from _transport_problems import WORKLOADS, noisy_copies
from torch import Tensor

from grapheme_torch.ot import Backend, set_backend, transport_plan
from grapheme_torch.ot.kernels import _native_cpu as _cpu

SETTINGS = [(0.1, 1e-6), (0.1, 1e-12), (0.05, 1e-6), (0.05, 1e-12), (0.01, 1e-12)]
SECONDS, MAX_ITERATIONS = 2.0, 200


def main() -> None:
    """Measures every workload and setting and records medians and spread."""
    torch.set_num_threads(1)
    rows = []
    for name, shape in WORKLOADS.items():
        cost, a, b = noisy_copies(*shape)
        for temperature, tolerance in SETTINGS:
            row = {"workload": name, "temperature": temperature, "tolerance": tolerance}
            row |= _compare(cost, a, b, temperature, tolerance)
            rows.append(row)
            print(
                f"{name}, {temperature:g}, {tolerance:.0e}: "
                + ", ".join(
                    f"{row[case]:,.0f} {case}" for case in ("native", "two_threads", "pytorch")
                )
            )
    record("kernel", {"level": _cpu.LEVELS[-1], "rows": rows})


def _compare(
    cost: Tensor, a: Tensor, b: Tensor, temperature: float, tolerance: float
) -> dict[str, object]:
    rng = torch.Generator().manual_seed(1)
    w = torch.randn(cost.shape, generator=rng, dtype=torch.float64)
    leaf = cost.clone().requires_grad_()

    def solved(backend: Backend) -> tuple[Tensor, Tensor, Tensor]:
        set_backend(backend)
        found = transport_plan(
            leaf, a, b, temperature=temperature, tolerance=tolerance, max_iterations=MAX_ITERATIONS
        )
        slope = torch.autograd.grad(found.plan, leaf, w)[0]
        return found.plan.detach(), slope, found.iterations

    native, pytorch = partial(solved, "native"), partial(solved, "pytorch")
    mine, other = native(), pytorch()
    plan, slope = (float((mine[k] - other[k]).abs().max() / other[k].abs().max()) for k in (0, 1))
    # One after the other: PyTorch leaves caches cold, and makes threads where their number changes.
    cases = {"native": (native, 1), "two_threads": (native, 2), "pytorch": (pytorch, 1)}
    spent = {}
    for name, (call, threads) in cases.items():
        torch.set_num_threads(threads)
        spent |= in_turns({name: call}, SECONDS, by_clock)
    torch.set_num_threads(1)
    rates = {name: [len(cost) / second for second in seconds] for name, seconds in spent.items()}
    return {
        **{name: statistics.median(found) for name, found in rates.items()},
        "native_range": [min(rates["native"]), max(rates["native"])],
        "pytorch_range": [min(rates["pytorch"]), max(rates["pytorch"])],
        "plan_difference": plan,
        "gradient_difference": slope,
        "median_iterations": int(mine[2].median()),
        "most_iterations": int(mine[2].max()),
    }


if __name__ == "__main__":
    main()
