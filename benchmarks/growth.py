"""How time grows: with the size of a pair, with the batch, with the iterations, with threads.

Seconds of the loss and its gradient (`StructuralLoss`, no rounds, slack 0.1, and the same in
tiles), of noisy readings of paths, beside what the size would explain. A curve ends where a call
takes longer than a bound, or memory does not allow more. Medians of repeats.

    python benchmarks/growth.py
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from _record import record
from torch import Tensor
from torch_geometric.data import Batch, Data

from grapheme_torch import Dense, Prediction, Sinkhorn, StructuralLoss, Tiled

SIZES = tuple(2**k for k in range(3, 13))
BATCHES = tuple(2**k for k in range(13))
ITERATIONS = (1, 2, 5, 10, 20, 50, 100, 200)
THREADS = (1, 2)
CLASSES, NODES, SECONDS, REPEATS, CURVE = 26, 25, 4.0, 5, 20.0


def main() -> None:
    """Draws every curve and records it."""
    torch.set_num_threads(1)
    curves = {
        "nodes": {
            "dense": _curve(SIZES, partial(_of_size, Dense())),
            "tiled": _curve(SIZES, partial(_of_size, Tiled())),
            "tiled, no positions": _curve(SIZES, partial(_of_size, Tiled(), placed=False)),
        },
        "pairs": {"dense": _curve(BATCHES, _of_batch)},
        "iterations": {
            name: _curve(ITERATIONS, partial(_of_iterations, gradient=gradient))
            for name, gradient in (("exact", "exact"), ("unrolled", "unrolled"))
        },
        "threads": {"dense": _curve(THREADS, _of_threads)},
    }
    for over, found in curves.items():
        for name, points in found.items():
            shown = ", ".join(f"{x}: {1e3 * seconds:,.1f}" for x, seconds in points)
            print(f"{over}, {name}: {shown} (ms)")
    record("growth", {"nodes_of_a_pair": NODES, "curves": curves})


def _curve(points: tuple[int, ...], made: Callable[[int], Callable[[], object]]) -> list[Any]:
    """Median seconds at each point, up to the first that takes too long."""
    curve, start = [], time.perf_counter()
    for x in points:
        call = made(x)
        seconds = statistics.median(_timed(call))
        torch.set_num_threads(1)
        curve.append((x, seconds))
        if seconds > SECONDS or time.perf_counter() - start > CURVE:
            break
    return curve


def _timed(call: Callable[[], object]) -> Iterator[float]:
    """Seconds of some calls; the first, which warms up, counts only if it is long."""
    for k in range(1 + REPEATS):
        start = time.perf_counter()
        call()
        seconds = time.perf_counter() - start
        if k or seconds > 1:
            yield seconds
        if seconds > 1:
            return


def _of_size(matches: Dense | Tiled, n: int, placed: bool = True) -> Callable[[], object]:
    loss = StructuralLoss(alignment=Sinkhorn(rounds=0, slack=0.1), matches=matches)
    return partial(_differentiate, loss, *_pairs(1, n, placed))


def _of_batch(size: int) -> Callable[[], object]:
    return partial(
        _differentiate,
        StructuralLoss(alignment=Sinkhorn(rounds=0, slack=0.1)),
        *_pairs(size, NODES),
    )


def _of_iterations(count: int, gradient: Any) -> Callable[[], object]:
    loss = StructuralLoss(
        alignment=Sinkhorn(
            rounds=0, slack=0.1, max_iterations=count, tolerance=-1.0, gradient=gradient
        )
    )
    return partial(_differentiate, loss, *_pairs(32, NODES))


def _of_threads(count: int) -> Callable[[], object]:
    torch.set_num_threads(count)
    return partial(
        _differentiate, StructuralLoss(alignment=Sinkhorn(rounds=0, slack=0.1)), *_pairs(512, NODES)
    )


def _differentiate(loss: Any, prediction: Prediction, target: Data) -> list[Tensor]:
    total = loss(prediction, target).total
    leaves = [prediction.existence, prediction.label, prediction.relation]
    return list(torch.autograd.grad(total, leaves))


def _pairs(count: int, n: int, placed: bool = True) -> tuple[Prediction, Data]:
    """Paths of random letters, each read with noise."""
    rng = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    path = torch.stack([torch.arange(n - 1), torch.arange(1, n)])
    whole = torch.cat([path + k * n for k in range(count)], 1)
    y = torch.randint(CLASSES, (count, n), generator=rng)
    place = torch.arange(n).double()
    label = 4 * torch.nn.functional.one_hot(y.flatten(), CLASSES) + noise(count * n, CLASSES)
    prediction = Prediction(
        existence=(3 + noise(count * n)).requires_grad_(),
        label=label.requires_grad_(),
        edge_index=whole,
        relation=(torch.tensor([-2.0, 2.0]) + noise(whole.shape[1], 2)).requires_grad_(),
        batch=torch.arange(count).repeat_interleave(n),
        num_graphs=count,
        position=place.repeat(count) + 0.5 * noise(count * n),
    )
    graphs = [Data(y=one, edge_index=path, position=place, num_nodes=n) for one in y]
    if not placed:
        prediction = replace(prediction, position=None)
    return prediction, Batch.from_data_list(graphs)


if __name__ == "__main__":
    main()
