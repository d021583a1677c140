"""One training run, the same for every loss but for the loss."""

import math
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from .data import Pictures, draw
from .evaluate import evaluate
from .network import Network, Outputs

BATCH, RATE, WARM_UP = 32, 1e-3, 200
HELD_OUT = 512
"""Pictures to evaluate on; no seed of a run begins with the same number."""

TRAINING, TESTING = 1, 2
"""First numbers of the seeds of pictures."""

Loss = Callable[[Outputs, Pictures], Tensor]
Point = dict[str, float]


def run(loss: Loss, seed: int, steps: int, evaluations: int) -> Iterator[tuple[Point, Network]]:
    """Trains, and gives now and then how far it is, with the network as it is then.

    Weights, pictures and their order follow from the seed; the clock stands still while it is
    evaluated.
    """
    held_out = draw((TESTING,), HELD_OUT)
    torch.manual_seed(seed)
    network = Network()
    adam = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: _rate(step, steps))
    spent = in_loss = 0.0
    for step in range(1, steps + 1):
        pictures = draw((TRAINING, seed, step), BATCH)
        start = time.perf_counter()
        outputs = network(pictures.image)
        # Cut in two, so that the clock tells the loss from the network.
        leaves = Outputs(*(x.detach().requires_grad_() for x in outputs))
        here = time.perf_counter()
        value = loss(leaves, pictures)
        value.backward()
        in_loss += time.perf_counter() - here
        slopes = [(x, leaf.grad) for x, leaf in zip(outputs, leaves, strict=True)]
        used, slopes_of_used = zip(*(pair for pair in slopes if pair[1] is not None), strict=True)
        adam.zero_grad()
        torch.autograd.backward(used, slopes_of_used)
        adam.step()
        schedule.step()
        spent += time.perf_counter() - start
        if step % max(1, steps // evaluations) == 0 or step == steps:
            point = {"step": step, "seconds": spent, "loss_seconds": in_loss, "loss": value.item()}
            yield point | evaluate(network, held_out), network


def _rate(step: int, steps: int) -> float:
    """Share of the rate: up, then down along a cosine."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / max(1, steps - WARM_UP)))
