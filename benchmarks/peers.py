"""How fast are value and gradient beside POT, OTT-JAX and GeomLoss, on the same problems?

Every library solves the problem of `_ragged_graphs.py` in float64, and the structural loss of
`_loss_entrants.py` in float32 (where it is to converge: in float64), to the same tolerance or with
the same number of iterations, with one thread, in turns; compilation and the layout it likes are
not counted, normalising the features and differentiating are. Tests for stopping differ: a library
whose gradient is off by more than 1e-4 of the largest entry, next to one solved to 1e-12, gets a
tighter tolerance, and is compared with all the same if that does not help (then it ran into the
bound on iterations, or its padding has mass). The peak memory of larger pairs is taken in a process
for each library.

    python benchmarks/peers.py [part of a case's name]
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import _loss_entrants
import torch
from _entrants import ENTRANTS, Answer, Effort
from _memory import peak
from _ragged_graphs import ragged, workload
from _record import record
from _timing import by_clock, in_turns

SECONDS, LEAST, AGREED, TIGHTER = 8.0, 3, 1e-4, (1.0, 0.1, 0.01)
Solve = Callable[[Any, Effort], Answer]


@dataclass(frozen=True)
class Case:
    """A problem, and who solves it.

    Args:
        pairs: How many there are in it.
        make: Makes the problem.
        entrants: Who solves it, ours first.
        effort: How long they go on.
        solved: Whether there is an answer that all come to if they go on.
    """

    pairs: int
    make: Callable[[], Any]
    entrants: dict[str, Solve]
    effort: Effort
    solved: bool = True


def _transport(sizes: list[tuple[int, int]], task: str, effort: Effort) -> Case:
    solved = effort.tolerance > 0 and task != "fused"
    return Case(len(sizes), partial(workload, sizes), ENTRANTS[task], effort, solved)


SMALL, LARGE, WARM = ragged(64, 10, 40), ragged(8, 100, 200), Effort(0.05, 1e-6, 2_000)
CASES = {
    "W1 loss": Case(
        _loss_entrants.PAIRS,
        _loss_entrants.loss_workload,
        _loss_entrants.ENTRANTS,
        Effort(0.1, 1e-5, 500),
    ),
    "W1 loss, converged": Case(
        _loss_entrants.PAIRS,
        partial(_loss_entrants.loss_workload, torch.float64),
        {name: one for name, one in _loss_entrants.ENTRANTS.items() if "log" not in name},
        Effort(0.05, 1e-6, 20_000),
    ),
    "W1 value": _transport(SMALL, "value", WARM),
    "W1 edges": _transport(SMALL, "edges", WARM),
    "W1 fused": _transport(SMALL, "fused", Effort(0.1, 1e-6, 2_000)),
    "W2 value": _transport(LARGE, "value", WARM),
    "W2 edges": _transport(LARGE, "edges", WARM),
    "2,000 x 2,000": _transport([(2_000, 2_000)], "value", Effort(0.05, 0.0, 20)),
}
OURS = "grapheme-torch"
MEMORY = ("W2 value", "W2 edges", "2,000 x 2,000")


def main() -> None:
    """Measures every case and records medians, spread and ratios to the fastest peer."""
    torch.set_num_threads(1)
    chosen = [name for name in CASES if " ".join(sys.argv[1:]) in name]
    rows = [row for name in chosen for row in _case(name)]
    if len(chosen) == len(CASES):
        record("peers", {"agreed": AGREED, "rows": rows}, packages=_packages())


def _packages() -> tuple[str, ...]:
    from importlib.metadata import packages_distributions

    known = packages_distributions()
    names = {"ot": "POT", "geomloss": "geomloss", "ott": "ott-jax", "jax": "jax"}
    return tuple(names[module] for module in names if module in known)


def _case(name: str) -> list[dict[str, Any]]:
    case = CASES[name]
    load, effort, entrants = case.make(), case.effort, {}
    for entrant, solve in case.entrants.items():
        try:
            solve(load, effort)  # compiles, and tells whether the library is there
        except ModuleNotFoundError as missing:
            print(f"{name}: no {entrant}, {missing.name} is not installed")
            continue
        entrants[entrant] = solve
    chosen = {entrant: _agreeing(solve, load, case) for entrant, solve in entrants.items()}
    off = {entrant: found for entrant, (_, found) in chosen.items()}
    calls = {
        entrant: partial(solve, load, chosen[entrant][0]) for entrant, solve in entrants.items()
    }
    spent = in_turns(calls, SECONDS, by_clock, least=LEAST)
    rates = {entrant: [case.pairs / second for second in found] for entrant, found in spent.items()}
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
        if name in MEMORY:
            row["peak_mib"] = _memory(name, entrant)
        rows.append(row)
        ratio = f"{row['ratio']:.2f}" if fastest else "-"
        spread = f"{median[entrant]:10,.1f} ({min(found):,.1f} - {max(found):,.1f}) pairs/s"
        print(f"{name}: {entrant:32} {spread}, x {ratio}, gradient off by {off[entrant]:.0e}")
    return rows


def _agreeing(solve: Solve, load: Any, case: Case) -> tuple[Effort, float]:
    """The loosest tolerance at which the gradient agrees, or the tightest; and its error."""
    effort = case.effort
    for factor in TIGHTER:
        here = replace(effort, tolerance=factor * effort.tolerance)
        off = _off(solve, load, case, here)
        if off <= AGREED or effort.tolerance <= 0:
            break
    return here, off


def _off(solve: Solve, load: Any, case: Case, effort: Effort) -> float:
    """How far gradients are from those of a problem solved to the end, by their largest entry."""
    # The number of iterations is part of a problem that is not solved to the end.
    tight = replace(effort, tolerance=1e-12) if case.solved else effort
    first = next(iter(case.entrants.values()))
    wanted, got = first(load, tight), solve(load, effort)
    return max(_far(wanted, got))


def _far(wanted: Answer, got: Answer) -> list[float]:
    return [
        float((x - y).abs().max() / x.abs().max())
        for x, y in zip(wanted[1:], got[1:], strict=True)
        if x is not None and y is not None and x.any()
    ]


def _memory(name: str, entrant: str) -> float:
    """MiB that a library needs beyond what is there before its first call."""
    command = [sys.executable, __file__, "--memory", name, entrant]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _one(name: str, entrant: str) -> float:
    torch.set_num_threads(1)
    case, small = CASES[name], workload([(3, 3)])
    load, solve = case.make(), case.entrants[entrant]
    solve(small, case.effort)
    before = peak()
    solve(load, case.effort)
    return peak() - before


if __name__ == "__main__":
    if "--memory" in sys.argv:
        print(json.dumps(_one(*sys.argv[sys.argv.index("--memory") + 1 :])))
    else:
        main()
