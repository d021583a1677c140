"""How fast are value and gradient beside POT, OTT-JAX and GeomLoss, on the same problems?

Every library solves the problem of `_workload.py`, to the same tolerance or with the same number
of iterations, in float64 and with one thread, in turns; compilation and the layout it likes are
not counted, normalising the features and differentiating are. Tests for stopping differ: a library
whose gradient is off by more than 1e-4 of the largest entry, next to one solved to 1e-12, gets a
tighter tolerance, and is compared with all the same if that does not help (then it ran into the
bound on iterations, or its padding has mass). The peak memory of the one large pair is taken in a
process for each library.

    python benchmarks/peers.py
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from _entrants import ENTRANTS, Answer, Effort, Entrant, Task
from _record import record
from _workload import Workload, ragged, workload

SECONDS, LEAST, AGREED, TIGHTER = 8.0, 3, 1e-4, (1.0, 0.1, 0.01)
CASES: dict[str, tuple[list[tuple[int, int]], Task, Effort]] = {
    "W1 value": (ragged(64, 10, 40), "value", Effort(0.05, 1e-6, 2_000)),
    "W1 edges": (ragged(64, 10, 40), "edges", Effort(0.05, 1e-6, 2_000)),
    "W1 fused": (ragged(64, 10, 40), "fused", Effort(0.1, 1e-6, 2_000)),
    "W2 value": (ragged(8, 100, 200), "value", Effort(0.05, 1e-6, 2_000)),
    "W2 edges": (ragged(8, 100, 200), "edges", Effort(0.05, 1e-6, 2_000)),
    "2,000 x 2,000": ([(2_000, 2_000)], "value", Effort(0.05, 0.0, 20)),
}
OURS = "grapheme-torch"


def main() -> None:
    """Measures every case and records medians, spread and ratios to the fastest peer."""
    torch.set_num_threads(1)
    rows = [row for name in CASES for row in _case(name)]
    record("peers", {"agreed": AGREED, "rows": rows}, packages=_packages())


def _packages() -> tuple[str, ...]:
    from importlib.metadata import packages_distributions

    known = packages_distributions()
    names = {"ot": "POT", "geomloss": "geomloss", "ott": "ott-jax", "jax": "jax"}
    return tuple(names[module] for module in names if module in known)


def _case(name: str) -> list[dict[str, Any]]:
    sizes, task, effort = CASES[name]
    load = workload(sizes)
    entrants = {}
    for entrant, solve in ENTRANTS[task].items():
        try:
            solve(load, effort)  # compiles, and tells whether the library is there
        except ModuleNotFoundError as missing:
            print(f"{name}: no {entrant}, {missing.name} is not installed")
            continue
        entrants[entrant] = solve
    chosen = {entrant: _agreeing(solve, load, task, effort) for entrant, solve in entrants.items()}
    off = {entrant: found for entrant, (_, found) in chosen.items()}
    calls = {
        entrant: partial(solve, load, chosen[entrant][0]) for entrant, solve in entrants.items()
    }
    spent = _interleaved(calls)
    rates = {entrant: [len(sizes) / second for second in found] for entrant, found in spent.items()}
    median = {entrant: statistics.median(found) for entrant, found in rates.items()}
    peers = {entrant: median[entrant] for entrant in entrants if OURS not in entrant}
    agreed = [rate for entrant, rate in peers.items() if off[entrant] <= AGREED]
    fastest = max(agreed or peers.values(), default=None)
    rows = []
    for entrant, found in rates.items():
        row = {
            "case": name, "entrant": entrant, "temperature": effort.eps,
            "tolerance": chosen[entrant][0].tolerance, "iterations": effort.iterations,
            "pairs_per_second": median[entrant], "range": [min(found), max(found)],
            "gradient_off": off[entrant], "ratio": median[entrant] / fastest if fastest else None,
        }  # fmt: skip
        if name == "2,000 x 2,000":
            row["peak_mib"] = _memory(name, entrant)
        rows.append(row)
        ratio = f"{row['ratio']:.2f}" if fastest else "-"
        spread = f"{median[entrant]:10,.1f} ({min(found):,.1f} - {max(found):,.1f}) pairs/s"
        print(f"{name}: {entrant:32} {spread}, x {ratio}, gradient off by {off[entrant]:.0e}")
    return rows


def _agreeing(solve: Entrant, load: Workload, task: Task, effort: Effort) -> tuple[Effort, float]:
    """The loosest tolerance at which the gradient agrees, or the tightest; and its error."""
    for factor in TIGHTER:
        here = replace(effort, tolerance=factor * effort.tolerance)
        off = _off(solve, load, task, here)
        if off <= AGREED or effort.tolerance <= 0:
            break
    return here, off


def _off(solve: Entrant, load: Workload, task: Task, effort: Effort) -> float:
    """How far gradients are from those of a problem solved to the end, by their largest entry."""
    # The number of iterations is part of a problem that is not solved to the end.
    tight = effort
    if effort.tolerance > 0 and task != "fused":
        tight = replace(effort, tolerance=1e-12)
    first = next(iter(ENTRANTS[task].values()))
    wanted, got = first(load, tight), solve(load, effort)
    return max(_far(wanted, got))


def _far(wanted: Answer, got: Answer) -> list[float]:
    return [
        float((x - y).abs().max() / x.abs().max())
        for x, y in zip(wanted[1:], got[1:], strict=True)
        if x is not None and y is not None and x.any()
    ]


def _interleaved(entrants: dict[str, Callable[[], Answer]]) -> dict[str, list[float]]:
    """Seconds of the calls of each, in turns."""
    spent: dict[str, list[float]] = {name: [] for name in entrants}
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS or len(next(iter(spent.values()))) < LEAST:
        for name, solve in entrants.items():
            before = time.perf_counter()
            solve()
            spent[name].append(time.perf_counter() - before)
    return spent


def _memory(name: str, entrant: str) -> float:
    """MiB that a library needs beyond what is there before its first call."""
    command = [sys.executable, __file__, "--memory", name, entrant]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _one(name: str, entrant: str) -> float:
    torch.set_num_threads(1)
    sizes, task, effort = CASES[name]
    small, load = workload([(3, 3)]), workload(sizes)
    ENTRANTS[task][entrant](small, effort)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ENTRANTS[task][entrant](load, effort)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


if __name__ == "__main__":
    if "--memory" in sys.argv:
        print(json.dumps(_one(*sys.argv[sys.argv.index("--memory") + 1 :])))
    else:
        main()
