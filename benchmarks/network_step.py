"""The network's own operations: by the native kernel, and by the formula in PyTorch.

    python benchmarks/network_step.py MOLECULES.jsonl WORDS.jsonl

Pairs as `grapheme convert smiles --order canonical` and `grapheme convert pairs` make them; the
first 640 count. A step is the network forward and backward in training; the loss is a sum of
squares. Steps of both kinds alternate, on one thread. Seconds are of the processor, so that other
work on the machine counts for little. Medians over batches.
"""

import statistics
import sys
import time
from itertools import pairwise
from typing import Any

import torch
from _record import record

from grapheme_torch import Alphabet, GraphTransformNet
from grapheme_torch.data import PairDataset, collate, load_pairs
from grapheme_torch.nn import CandidateEdges, Dropout, OutputSlots
from grapheme_torch.ot import set_backend

PAIRS, TURNS = 640, 7

TASKS: dict[str, tuple[int, dict[str, Any]]] = {
    "molecules": (
        32, {"num_layers": 4, "directed": False, "candidates": CandidateEdges(locality=2.0)},
    ),
    "words": (
        64,
        {
            "num_layers": 3, "candidates": CandidateEdges(window=15),
            "slots": OutputSlots(per_node=2, num_layers=2), "dropout": Dropout(layers=0.35),
        },
    ),
}  # fmt: skip
"""Pairs of a batch and options of the network, as `grapheme train` chooses them."""


def main() -> None:
    """Measures both ways on both data sets, and records the ratio."""
    if len(sys.argv) != 1 + len(TASKS):
        print(__doc__)
        sys.exit(2)
    torch.set_num_threads(1)
    rows = [_row(name, path) for name, path in zip(TASKS, sys.argv[1:], strict=True)]
    record("network_step", {"pairs": PAIRS, "turns": TURNS, "rows": rows})


def _row(name: str, path: str) -> dict[str, Any]:
    size, options = TASKS[name]
    pairs = load_pairs(path)[:PAIRS]
    alphabet = Alphabet.of(pair.target for pair in pairs)
    data = PairDataset(pairs, alphabet)
    order = sorted(range(len(data)), key=lambda k: data.sizes[k].sum())
    ends = [*range(0, len(order), size), len(order)]
    inputs = [collate([data[k] for k in order[i:j]])[0] for i, j in pairwise(ends)]
    torch.manual_seed(0)
    network = GraphTransformNet(alphabet.labels, alphabet.relations, dim=96, **options)
    spent: dict[str, list[float]] = {"native": [], "pytorch": []}
    for turn in range(TURNS + 1):
        for batch in inputs:
            for way, seconds in spent.items():
                taken = _step(network, batch, way)
                if turn:  # not the first, which warms up
                    seconds.append(taken)
    milliseconds = {way: 1e3 * statistics.median(each) for way, each in spent.items()}
    ratio = milliseconds["pytorch"] / milliseconds["native"]
    print(f"{name:10} {milliseconds}  {ratio:.2f} times")
    return {"name": name, "batch": size, "milliseconds": milliseconds, "ratio": ratio}


def _step(network: GraphTransformNet, batch: Any, way: Any) -> float:
    """Seconds of the processor of one step."""
    set_backend(way)
    start = time.process_time()
    said = network(batch)
    (said.existence.sum() + said.label.square().sum() + said.relation.square().sum()).backward()
    taken = time.process_time() - start
    network.zero_grad()
    set_backend("native")
    return taken


if __name__ == "__main__":
    main()
