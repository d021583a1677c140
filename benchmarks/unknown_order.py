"""Which loss learns best where nobody knows which node is which?

Trains one network (inputs as sets, queries as outputs) with five losses, from the same weights,
on the same pairs in the same order: this library's with rounds, the same with the labels of
neighbours as a second task, this library's with a learned aligner, the loss of Any2Graph, and
cross-entropy in a fixed order of the nodes. Tasks are `coloring`, whose pictures it draws, and
`pairs`, any two files of pairs without direction. At the default settings `coloring` takes about
half an hour.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from _record import commit, record, runs_beside
from _unknown.losses import COMPARED, HINTS, LOSSES, ROUNDS, SCORED
from _unknown.table import summary
from _unknown.tasks import HELD_OUT, TRAINED, Task, coloring, pairs
from _unknown.train import Effort, Point, network_of, run

STEPS, SEEDS = 2400, (0, 1, 2)
POINTS = Effort(STEPS).evaluations


def main() -> None:
    """Trains with each loss and seed, and records what came of it."""
    words = _parser().parse_args()
    words.no_record |= words.losses is not None  # a table of all is not made of some
    torch.set_num_threads(1)
    task, effort = _task(words), _effort(words)
    name, trained_at = words.name or words.task, commit()
    settings = _settings(task, effort)
    record_name = f"unknown_order-{name}"
    runs = [] if words.no_record else kept(record_name, settings, words.seeds)
    for seed in words.seeds:
        for loss in words.losses or COMPARED:
            curve: list[Point] = []
            runs.append({"loss": loss, "seed": seed, "trained_at": trained_at, "curve": curve})
            for point in run(task, loss, seed, effort):
                curve.append(point)
                print(_line(loss, seed, point), flush=True)
        findings = {"task": name, "settings": settings, "runs": runs}
        # After each seed: hours of training must not be lost to what comes later.
        if not words.no_record:
            record(record_name, findings, packages=("scipy",))
    print(summary(runs))


def kept(name: str, settings: dict[str, Any], seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Runs recorded before, of other seeds, if all settings were the same."""
    return runs_beside(name, {"settings": settings}, "seed", seeds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="?", default="coloring", choices=("coloring", "pairs"))
    parser.add_argument("--data", metavar="FILE", help="training pairs of the task `pairs`")
    parser.add_argument("--val", metavar="FILE", help="held-out pairs of the task `pairs`")
    parser.add_argument(
        "--pictures", type=int, default=TRAINED, metavar="N",
        help=f"that `coloring` draws to learn from ({TRAINED})",
    )  # fmt: skip
    parser.add_argument("--name", help="what the task is recorded as (the task)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of each run ({STEPS})")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the runs (0 1 2)")
    parser.add_argument(
        "--minutes-per-run", type=float, metavar="M",
        help="of the processor; ends a run before its steps (no bound)",
    )  # fmt: skip
    parser.add_argument(
        "--evaluations", type=int, metavar="N",
        help=f"evenly spaced in a run; with large graphs as slow as training ({POINTS})",
    )  # fmt: skip
    parser.add_argument(
        "--losses", nargs="+", choices=LOSSES, metavar="LOSS",
        help=f"some of them, and nothing is recorded: {', '.join(LOSSES)}",
    )  # fmt: skip
    parser.add_argument("--no-clip", action="store_true", help="gradients of any norm")
    parser.add_argument("--no-record", action="store_true", help="only print")
    return parser


def _task(words: argparse.Namespace) -> Task:
    if words.task == "coloring":
        return coloring(words.pictures)
    if not (words.data and words.val):
        sys.exit("The task `pairs` needs --data FILE and --val FILE, both of pairs.")
    return pairs(words.data, words.val, HELD_OUT)


def _effort(words: argparse.Namespace) -> Effort:
    effort = Effort(words.steps, words.minutes_per_run, clip=None if words.no_clip else 1.0)
    return effort if words.evaluations is None else replace(effort, evaluations=words.evaluations)


def _line(loss: str, seed: int, point: Point) -> str:
    return (
        f"{loss:24} seed {seed}  step {point['step']:5}  exact {point['exact_match']:6.1%}  "
        f"edits {point['edit_cost']:5.2f}  edge F1 {point['edge_f1']:.3f}  "
        f"{point['seconds']:6.1f} s ({point['loss_seconds']:.1f} s in the loss)"
    )


def _settings(task: Task, effort: Effort) -> dict[str, Any]:
    return asdict(effort) | {
        "trained": len(task.train), "held_out": len(task.held_out), "queries": task.queries,
        "rounds": repr(ROUNDS), "hints": repr(HINTS), "learned": repr(SCORED),
        "labels": len(task.alphabet.labels), "relations": len(task.alphabet.relations),
        "parameters": sum(weight.numel() for weight in network_of(task, effort).parameters()),
        "added": {
            name: sum(x.numel() for x in LOSSES[name](task.alphabet, effort.dim).parameters())
            for name in COMPARED
        },
    }  # fmt: skip


if __name__ == "__main__":
    main()
