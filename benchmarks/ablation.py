"""Which option of the loss helps where: alignment, clique term and rounds on five tasks.

    python benchmarks/ablation.py DATA [--tasks smiles ud ...] [--seeds 0 1] [--steps 600]

DATA holds a folder for each task, as `FOLDERS` says. Each run trains on at most 4,800 pairs,
everything but the three options chosen by the data, and is evaluated on pairs held out of the
training file. A run takes one to three minutes of one core, and a task has twelve.
"""

import argparse
import sys
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "recipes"))

from _ablation.training import BATCH, HELD_OUT, MOST, prepared, trained
from _ablation.variants import CLIQUE, VARIANTS
from _record import commit, record

FOLDERS = {
    "smiles": "smiles-to-molecule",
    "ud": "ud",
    "inflection-fin": "inflection",
    "g2p-fre": "g2p",
    "cogs": "cogs",
}
"""Of the tasks, below DATA: molecules, parses, inflection, sounds, meanings."""


def main() -> None:
    """Trains every variant on every task, and records each run as soon as it is over."""
    words = _parser().parse_args()
    trained_at, work = commit(), Path(words.work)
    settings = {
        "steps": words.steps, "batch": BATCH, "trained": MOST, "held_out": HELD_OUT,
        "clique": CLIQUE,
    }  # fmt: skip
    for name in words.tasks:
        pairs = prepared(name, Path(words.data) / FOLDERS[name], work / name, words.steps)
        runs: list[dict[str, Any]] = []
        for seed, variant in product(words.seeds, VARIANTS):
            scores = trained(pairs, variant, seed, work / name / "run")
            runs.append({"seed": seed, **asdict(variant), **scores})
            print(_line(name, runs[-1]), flush=True)
            found = {"task": name, "trained_at": trained_at, "settings": settings, "runs": runs}
            record(f"ablation/{name}", found)


def _line(task: str, run: dict[str, Any]) -> str:
    return (
        f"{task:15} seed {run['seed']}  {run['alignment']:8} gamma {run['gamma']:g}  "
        f"rounds {run['rounds']:2}  exact {run['exact_match']:6.1%}  "
        f"edits {run['edit_cost']:5.2f}  {run['seconds']:5.0f} s"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", metavar="DATA", help="folder of the tasks' folders")
    parser.add_argument("--tasks", nargs="+", choices=FOLDERS, default=list(FOLDERS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="a run for each")
    parser.add_argument("--work", default="runs/ablation", help="folder of data and runs")
    parser.add_argument("--steps", type=int, default=600, help="of each run (600)")
    return parser


if __name__ == "__main__":
    main()
