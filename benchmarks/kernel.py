"""Pairs per second, plan and its gradient: the native kernel beside the PyTorch path.

Both get padded float64 costs and a fixed cotangent of the plan. *Native* is `ot._cpu.solve` and
`adjoint`; *PyTorch* is `transport_plan` and `torch.autograd.grad`. One thread each, and the kernel
on two as well. Repeats are interleaved.
"""

import statistics
import time
from collections.abc import Callable

import torch
from _record import record
from torch import Tensor
from torch.nn.functional import normalize

from grapheme_torch.ot import _cpu, transport_plan

WORKLOADS = {"W1, 64 of 10 to 40": (64, 10, 40), "W2, 8 of 100 to 200": (8, 100, 200)}
SETTINGS = [(0.1, 1e-6), (0.1, 1e-12), (0.05, 1e-6), (0.05, 1e-12), (0.01, 1e-12)]
SECONDS, FEATURES, MAX_ITERATIONS = 6.0, 32, 200


def main() -> None:
    """Measures every workload and setting and records medians and spread."""
    torch.set_num_threads(1)
    rows = []
    for name, shape in WORKLOADS.items():
        cost, a, b = _pairs(*shape)
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


def _pairs(count: int, least: int, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Noisy, edited copies of strings over 26 letters: unit features, half squared distances.

    The void stands last, at cost 0.5, and holds the mass of all nodes of the other side.
    """
    rng = torch.Generator().manual_seed(0)
    letters = normalize(torch.randn(26, FEATURES, generator=rng, dtype=torch.float64))
    cost = torch.zeros(count, most + 1, most + 1, dtype=torch.float64)
    a, b = torch.zeros_like(cost[:, 0]), torch.zeros_like(cost[:, 0])
    for k in range(count):
        n, m = torch.randint(least, most + 1, (2,), generator=rng).tolist()
        target = torch.randint(26, (m,), generator=rng)
        source = target[torch.arange(n) * m // n]
        edited = torch.rand(n, generator=rng) < 0.1
        source = torch.where(edited, torch.randint(26, (n,), generator=rng), source)
        noise = torch.randn(n, FEATURES, generator=rng, dtype=torch.float64)
        x = normalize(letters[source] + 0.5 * noise / FEATURES**0.5)
        cost[k, :n, :m] = torch.cdist(x, letters[target]).square() / 2
        cost[k, :n, -1] = cost[k, -1, :m] = 0.5
        a[k, :n], a[k, -1] = 1 / (n + m), m / (n + m)
        b[k, :m], b[k, -1] = 1 / (n + m), n / (n + m)
    return cost, a, b


def _compare(
    cost: Tensor, a: Tensor, b: Tensor, temperature: float, tolerance: float
) -> dict[str, object]:
    eps = torch.full((len(cost),), temperature, dtype=torch.float64)
    rng = torch.Generator().manual_seed(1)
    w = torch.randn(cost.shape, generator=rng, dtype=torch.float64)
    leaf = cost.clone().requires_grad_()

    def native() -> tuple[Tensor, Tensor, Tensor]:
        plan, _, _, residual, iterations = _cpu.solve(
            cost, eps, a, b, tolerance, MAX_ITERATIONS, True
        )
        implicit = residual <= tolerance
        slope = _cpu.adjoint(cost, eps, a, b, plan, iterations, implicit, w)[0]
        return plan, slope, iterations

    def two_threads() -> None:
        torch.set_num_threads(2)
        native()
        torch.set_num_threads(1)

    def pytorch() -> tuple[Tensor, Tensor, Tensor]:
        _cpu.AVAILABLE = False
        found = transport_plan(
            leaf, a, b, temperature=temperature, tolerance=tolerance, max_iterations=MAX_ITERATIONS
        )
        slope = torch.autograd.grad((found.plan * w).sum(), leaf)[0]
        _cpu.AVAILABLE = True
        return found.plan.detach(), slope, found.iterations

    mine, other = native(), pytorch()
    plan, slope = (float((mine[k] - other[k]).abs().max() / other[k].abs().max()) for k in (0, 1))
    cases = {"native": native, "two_threads": two_threads, "pytorch": pytorch}
    rates = {
        name: [len(cost) / second for second in seconds]
        for name, seconds in _interleaved(cases).items()
    }
    return {
        **{name: statistics.median(found) for name, found in rates.items()},
        "native_range": [min(rates["native"]), max(rates["native"])],
        "pytorch_range": [min(rates["pytorch"]), max(rates["pytorch"])],
        "plan_difference": plan,
        "gradient_difference": slope,
        "median_iterations": int(mine[2].median()),
        "most_iterations": int(mine[2].max()),
    }


def _interleaved(cases: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of a call of each, in turns, for about `SECONDS` in all."""
    spent: dict[str, list[float]] = {name: [] for name in cases}
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        for name, call in cases.items():
            before = time.perf_counter()
            call()
            spent[name].append(time.perf_counter() - before)
    return spent


if __name__ == "__main__":
    main()
