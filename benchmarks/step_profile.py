"""Where the time of a training step goes, on kindergarten and on molecules.

    python benchmarks/step_profile.py [PAIRS.jsonl]

The second data set is given: pairs of a SMILES and its molecule, as `grapheme convert smiles` makes
them, of which the first 1,000 count; without it nothing is recorded. Default network and loss,
batches of 32, one thread. A step is taken apart where the network hands its prediction to the
loss: the loss is differentiated in the prediction, then the network in its weights. Medians over
steps; a data set of one batch is read and collated once, before the first step.
"""

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from _record import record

BATCH, PAIRS, STEPS, WARM_UP, LIMIT = 32, 1_000, 60, 5, 0.25
STAGES = (
    "data", "collation", "network, forward", "loss, forward", "loss, backward",
    "network, backward", "optimiser",
)  # fmt: skip


def main() -> None:
    """Profiles what is there, and records it beside the share that the loss may have."""
    start = time.perf_counter()
    import torch

    import grapheme_torch.train  # noqa: F401

    imported = time.perf_counter() - start
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = [_profiled("kindergarten", "kindergarten")]
    print(f"import {imported:.2f} s")
    if len(sys.argv) < 2:
        print("Not recorded, for want of molecules: give pairs made by `grapheme convert smiles`.")
        return
    rows.append(_profiled(f"{PAIRS:,} SMILES", sys.argv[1]))
    record(
        "step_profile",
        {"import_seconds": imported, "batch": BATCH, "limit": LIMIT, "rows": rows},
    )


def _profiled(name: str, path: str) -> dict[str, Any]:
    """Milliseconds of each stage of a step, and the share of the loss."""
    import torch

    from grapheme_torch import Alphabet, GraphTransformNet, StructuralLoss
    from grapheme_torch.data import PairDataset, load_pairs, unify_positions

    pairs = unify_positions(load_pairs(path)[:PAIRS])
    alphabet = Alphabet.of(pair.target for pair in pairs)
    dataset = PairDataset(pairs, alphabet)
    network = GraphTransformNet(alphabet.labels, alphabet.relations)
    adam = torch.optim.Adam(network.parameters(), lr=3e-3, fused=True)
    loss, clock = StructuralLoss(), Clock()
    for step, batch in enumerate(islice(_batches(dataset, clock), STEPS + WARM_UP)):
        if step == WARM_UP and len(dataset) > BATCH:
            clock.spent.clear()  # with what it took to warm up
        elif step == WARM_UP:
            clock.forget(STAGES[2:])
        _step(network, loss, adam, batch, clock)
    milliseconds = {stage: 1e3 * statistics.median(clock.spent[stage] or [0.0]) for stage in STAGES}
    once = {}
    if len(dataset) <= BATCH:
        once = {stage: milliseconds.pop(stage) for stage in STAGES[:2]}
    step_time = sum(milliseconds.values())
    share = sum(milliseconds[stage] for stage in STAGES[3:5]) / step_time
    verdict = "within" if share < LIMIT else "BEYOND"
    print(f"{name}: {step_time:.1f} ms a step, loss {share:.1%} ({verdict} {LIMIT:.0%})")
    for stage, spent in milliseconds.items():
        print(f"  {stage:20} {spent:7.2f} ms {spent / step_time:6.1%}")
    return {
        "name": name, "pairs": len(dataset), "milliseconds": milliseconds, "once": once,
        "loss_share": share, "steps": STEPS,
    }  # fmt: skip


class Clock:
    """Seconds of every run of each stage."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Adds the seconds of what stands within."""
        start = time.perf_counter()
        yield
        self.spent[stage].append(time.perf_counter() - start)

    def forget(self, stages: tuple[str, ...]) -> None:
        """Drops what was measured of some stages."""
        for stage in stages:
            self.spent.pop(stage, None)


def _batches(dataset: Any, clock: Clock) -> Iterator[Any]:
    """Batches in random order, for ever; a data set of one batch is collated once."""
    import torch

    from grapheme_torch.data import collate

    ready = None
    while True:
        for chosen in torch.randperm(len(dataset)).split(BATCH):
            if ready is None:
                with clock.time("data"):
                    items = [dataset[i] for i in chosen.tolist()]
                with clock.time("collation"):
                    batch = collate(items)
            if len(dataset) <= BATCH:
                ready = batch
            if len(chosen) == min(BATCH, len(dataset)):
                yield batch


def _step(network: Any, loss: Any, adam: Any, batch: Any, clock: Clock) -> None:
    """One training step, taken apart."""
    import torch

    inputs, targets = batch
    adam.zero_grad()
    with clock.time("network, forward"):
        prediction = network(inputs)
    outputs = [prediction.existence, prediction.label, prediction.relation]
    cut = [x.detach().requires_grad_() for x in outputs]
    apart = replace(prediction, existence=cut[0], label=cut[1], relation=cut[2])
    with clock.time("loss, forward"):
        total = loss(apart, targets).total
    with clock.time("loss, backward"):
        total.backward()
    with clock.time("network, backward"):
        torch.autograd.backward(outputs, [x.grad for x in cut])
    with clock.time("optimiser"):
        adam.step()


if __name__ == "__main__":
    main()
