"""Large texts: the loss along a sparse support and the loss in tiles beside the dense one.

A text (the kindergarten questions and answers, again and again, or a file given as argument) is
edited: 5 % of its characters are deleted, replaced, or followed by another. The prediction is a
noisy reading of the original, one candidate edge per pair of neighbours; each node stands where
its character went, give or take half a step. The target is the edited text. Each size and method
runs in a process of its own, whose peak memory is taken. "Tiled, no places" is what tiles cost
where positions do not tell which of them are empty: all pairs of nodes, time and again.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from _memory import peak
from _record import record
from torch import Tensor
from torch_geometric.data import Data

from grapheme_torch import Prediction, Sinkhorn, StructuralLoss, Tiled, Window
from grapheme_torch.data import kindergarten
from grapheme_torch.ot.kernels import _native_cpu as _cpu

SIZES, DENSE, EDITED, WINDOW = (2_000, 20_000, 100_000), 2_000, 0.05, 8.0
TILED = ((2_000, 0), (2_000, 1), (20_000, 0))
SLACK = 0.1


def main() -> None:
    """Runs every case in a fresh process, compares at the size that dense matrices allow."""
    source = sys.argv[1] if len(sys.argv) > 1 else ""
    rows = [_apart(method, size, rounds, source) for method, size, rounds in _cases()]
    for row in rows:
        print(row)
    kernel = _cpu.LEVELS[-1] if _cpu.AVAILABLE else "none, PyTorch"
    record("large", {"window": WINDOW, "edited": EDITED, "kernel": kernel, "rows": rows})


def _cases() -> list[tuple[str, int, int]]:
    cases = [("dense", DENSE, 0), ("dense", DENSE, 1)]
    cases += [("sparse", size, rounds) for size in SIZES for rounds in (0, 1)]
    cases += [("tiled", size, rounds) for size, rounds in TILED]
    return [*cases, ("tiled, no places", DENSE, 0)]


def _apart(method: str, size: int, rounds: int, source: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", method, str(size), str(rounds), source]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def _one(method: str, size: int, rounds: int, source: str) -> dict[str, Any]:
    """Seconds and peak memory of one loss and its gradient."""
    torch.set_num_threads(1)
    prediction, target = _pair(_text(source, size))
    if method == "tiled, no places":
        prediction = replace(prediction, position=None)
    idle = peak()
    dense = StructuralLoss(alignment=Sinkhorn(rounds=rounds, slack=SLACK))
    loss: Callable[..., Any] = dense
    if method == "sparse":
        loss = dense.replace(matches=Window(WINDOW))
    elif method.startswith("tiled"):
        loss = dense.replace(matches=Tiled())
    start = time.perf_counter()
    result = loss(prediction, target)
    middle = time.perf_counter()
    slope = torch.autograd.grad(result.total, _leaves(prediction))
    end = time.perf_counter()
    row = {
        "method": method, "rounds": rounds,
        "nodes": [len(prediction.existence), len(target.y)],
        "value": result.total.item(),
        "forward_seconds": middle - start, "backward_seconds": end - middle,
        "peak_mib": peak(), "idle_mib": idle,
        "iterations": result.iterations.tolist(), "residual": float(result.residual.max()),
    }  # fmt: skip
    if method != "dense":
        left = result.adjoint.residual
        row["adjoint_residual"] = None if left is None else float(left.max())
        if size <= DENSE:
            row |= _compared(dense, prediction, target, result.total, slope)
    if method == "sparse":
        bound = result.truncation
        row["entries"] = result.plan.support.shape[1]
        known = {name: float(value[0]) for name, value in vars(bound).items()}
        row["bounds"] = {name: x if math.isfinite(x) else None for name, x in known.items()}
    return row


def _compared(
    dense: StructuralLoss, prediction: Prediction, target: Data, value: Tensor, slope: Any
) -> dict[str, float]:
    total = dense(prediction, target).total
    exact = torch.autograd.grad(total, _leaves(prediction))
    largest = max(float(x.abs().max()) for x in exact)
    gap = max(float((x - y).abs().max()) for x, y in zip(slope, exact, strict=True))
    return {"value_gap": float((value - total).abs().detach()), "gradient_gap": gap / largest}


def _text(source: str, size: int) -> str:
    if source:
        text = Path(source).read_text(encoding="utf-8")
    else:
        text = "".join(
            "".join(pair.input.label) + " " + "".join(pair.target.label) + "\n"
            for pair in kindergarten()
        )
    return (text * (size // len(text) + 1))[:size]


def _pair(text: str) -> tuple[Prediction, Data]:
    """A noisy reading of the text, and the text after its edits."""
    draw = torch.Generator().manual_seed(0)
    alphabet = {letter: k for k, letter in enumerate(sorted(set(text)))}
    y, size = torch.tensor([alphabet[letter] for letter in text]), len(alphabet)
    n = len(y)
    kind = torch.where(
        torch.rand(n, generator=draw) < EDITED, torch.randint(3, (n,), generator=draw), 3
    )
    copies = torch.tensor([0, 2, 1, 1])[kind]  # deleted, followed by another, replaced, kept
    origin = torch.arange(n).repeat_interleave(copies)
    place = copies.cumsum(0) - copies
    fresh = (kind[origin] == 2) | (torch.arange(len(origin)) > place[origin])
    z = torch.where(fresh, torch.randint(size, (len(origin),), generator=draw), y[origin])
    m = len(z)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    prediction = Prediction(
        existence=(3 + noise(n)).requires_grad_(),
        label=(6 * torch.nn.functional.one_hot(y, size) + noise(n, size)).requires_grad_(),
        edge_index=_path(n),
        relation=(torch.tensor([-2.0, 2.0]) + noise(n - 1, 2)).requires_grad_(),
        position=(place + 0.5 * noise(n)).requires_grad_(),
    )
    return prediction, Data(
        y=z, edge_index=_path(m), position=torch.arange(m).double(), num_nodes=m
    )


def _path(size: int) -> Tensor:
    return torch.stack([torch.arange(size - 1), torch.arange(1, size)])


def _leaves(prediction: Prediction) -> list[Tensor]:
    said = [prediction.existence, prediction.label, prediction.relation]
    return said if prediction.position is None else [*said, prediction.position]


if __name__ == "__main__":
    if "--one" in sys.argv:
        words = sys.argv[sys.argv.index("--one") + 1 :]
        print(json.dumps(_one(words[0], int(words[1]), int(words[2]), words[3])))
    else:
        main()
