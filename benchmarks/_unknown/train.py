"""One training run, the same for every loss but for the loss."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

import grapheme_torch as gt
from grapheme_torch.data import Pair, collate
from grapheme_torch.metrics import GraphMetrics
from grapheme_torch.nn import OutputQueries
from grapheme_torch.train import predict

from .losses import LOSSES
from .tasks import Task

LEAVES = ("existence", "label", "relation", "embedding")
"""What a loss reads of a prediction of queries."""

SHOWN = ("exact_match", "edit_cost", "edge_f1", "size_accuracy")

Point = dict[str, float]


@dataclass(frozen=True)
class Effort:
    """How long and how each loss is trained; the rest follows from the seed.

    Args:
        steps: Steps of the optimiser.
        minutes: Minutes of the processor that end a run early, its rate at zero. None: no bound.
        dim, layers: Size of a node's vector; layers of the encoder, and of the queries.
        batch, rate, warm_up: Pairs a step, largest rate, share of steps.
        clip: Largest norm of gradients; None: any. At 1 nearly every step is clipped: on pictures
            the median norm is 5.6 with rounds, and 1.7 with PMFGW.
        evaluations: How often the held-out pairs are predicted.
    """

    steps: int
    minutes: float | None = None
    dim: int = 64
    layers: int = 2
    batch: int = 32
    rate: float = 1e-3
    warm_up: float = 0.05
    clip: float | None = 1.0
    evaluations: int = 8


def network_of(task: Task, effort: Effort) -> gt.GraphTransformNet:
    """The untrained network of a task."""
    network = gt.GraphTransformNet(
        task.alphabet.labels, task.alphabet.relations, dim=effort.dim, num_layers=effort.layers,
        queries=OutputQueries(number=task.queries, num_layers=effort.layers),
        features=task.features, directed=False,
    )  # fmt: skip
    if task.features:
        network.standardise(pair.input for pair in task.train)
    nodes, edges = task.shares()
    network.expect(nodes=nodes, edges=edges)
    return network


def run(task: Task, name: str, seed: int, effort: Effort) -> Iterator[Point]:
    """Trains, and tells now and then how far it is.

    Weights, pairs and their order follow from the seed alone. Seconds are of the processor, one
    thread; the clock stands still in evaluations. Gradients of network and loss are clipped apart.
    """
    torch.manual_seed(seed)
    network = network_of(task, effort)
    loss = LOSSES[name](task.alphabet, effort.dim)
    parts = [list(part.parameters()) for part in (network, loss)]
    adam = torch.optim.AdamW([x for part in parts for x in part], lr=effort.rate, weight_decay=0.01)
    order = torch.Generator().manual_seed(seed)
    spent, done, points = _Clock(), 0.0, 0
    for step, (given, wanted) in enumerate(_batches(task, effort, order), start=1):
        adam.param_groups[0]["lr"] = effort.rate * rate(done, effort.warm_up)
        with spent:
            value = _step(network, loss, given, wanted, spent)
            if effort.clip is not None:
                for part in parts:
                    nn.utils.clip_grad_norm_(part, effort.clip)
            adam.step()
            adam.zero_grad()
        done = progress(step, spent.whole, effort)
        if done * effort.evaluations >= points + 1 or done >= 1:
            points += 1
            point = {"step": step, "seconds": spent.whole, "loss_seconds": spent.loss}
            yield point | {"loss": value} | scores(network, task.held_out)
        if done >= 1:
            return


def _step(
    network: nn.Module, loss: nn.Module, given: Batch, wanted: Batch, spent: "_Clock"
) -> float:
    """Gradients of one batch, cut in two so that the clock tells the loss from the network."""
    said = network(given)
    found = {name: getattr(said, name) for name in LEAVES}
    leaves = {name: x.detach().requires_grad_() for name, x in found.items()}
    before = time.process_time()
    value: Tensor = loss(replace(said, **leaves), wanted)
    value.backward()
    spent.loss += time.process_time() - before
    used = [name for name in LEAVES if leaves[name].grad is not None]
    torch.autograd.backward([found[name] for name in used], [leaves[name].grad for name in used])
    return value.item()


def rate(done: float, warm_up: float) -> float:
    """Share of the rate after a share of the run: up along a line, down along a cosine."""
    if done < warm_up:
        return (done + 0.001) / (warm_up + 0.001)
    return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


def progress(step: int, seconds: float, effort: Effort) -> float:
    """Share of the run that is over, by steps or by minutes, whichever ends first."""
    by_clock = 0.0 if effort.minutes is None else seconds / (60 * effort.minutes)
    return min(1.0, max(step / effort.steps, by_clock))


def scores(network: nn.Module, pairs: list[Pair], batch: int = 100) -> Point:
    """How good the decoded graphs are."""
    network.eval()
    metrics = GraphMetrics()
    for k in range(0, len(pairs), batch):
        some = pairs[k : k + batch]
        found = predict(network, [pair.input for pair in some])
        metrics.update(found, [pair.target for pair in some])
    network.train()
    value = metrics.compute()
    return {name: float(value[name]) for name in SHOWN}


def _batches(task: Task, effort: Effort, order: torch.Generator) -> Iterator[tuple[Batch, Batch]]:
    """Without end: all pairs, in an order of chance, again and again."""
    while True:
        shuffled = torch.randperm(len(task.data), generator=order).tolist()
        for k in range(0, len(shuffled) - effort.batch + 1, effort.batch):
            yield collate([task.data[i] for i in shuffled[k : k + effort.batch]])


class _Clock:
    """Seconds of the processor within `with`, and those of the loss in them."""

    def __init__(self) -> None:
        self.whole = self.loss = 0.0

    def __enter__(self) -> None:
        self._start = time.process_time()

    def __exit__(self, *_: object) -> None:
        self.whole += time.process_time() - self._start
