"""Does the loss drop into a public setting? Coloring with a DETR-like network, against PMFGW.

Trains the same network on the same pictures in the same order with this library's loss and with
the loss of Any2Graph, and times both. At the default settings the result is recorded. This takes
about twenty minutes.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from _coloring import clock, train
from _coloring.data import LEAST, MOST, SIDE, draw
from _coloring.network import SLOTS, Network
from _coloring.ours import LOSS, structural, structural_exact
from _coloring.pmfgw import pmfgw, pmfgw_by_network_simplex
from _record import commit, record, recorded

LOSSES: dict[str, train.Loss] = {"StructuralLoss": structural, "PMFGW": pmfgw}
TIMED = {
    **LOSSES,
    'StructuralLoss, gradient="exact"': structural_exact,
    "PMFGW by network simplex": pmfgw_by_network_simplex,
}
STEPS, SEEDS, EVALUATIONS = 2000, 2, 8
PACKAGES = ("scipy", "POT")


def main() -> None:
    """Trains, times and records; `--time-only` times what an earlier training left behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of each run ({STEPS})")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"runs of each loss ({SEEDS})")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/coloring"), metavar="FOLDER",
        help="where what the network said is kept for --time-only (runs/coloring)",
    )  # fmt: skip
    parser.add_argument(
        "--time-only", action="store_true", help="time the losses again, without training"
    )
    words = parser.parse_args()
    torch.set_num_threads(1)
    path = words.out / "outputs.pt"
    if words.time_only:
        if not path.exists():
            sys.exit(f"{path} does not exist. Train first, or name its folder by --out.")
        findings = recorded("coloring") | {"timing": _timing(clock.load(path))}
        record("coloring", findings, packages=PACKAGES)
        return
    words.out.mkdir(parents=True, exist_ok=True)
    trained_at = commit()
    runs, snapshots = _train(words.steps, words.seeds)
    clock.save(path, snapshots)
    findings = {"trained_at": trained_at, "settings": _settings(words.steps), "runs": runs}
    findings["timing"] = _timing(snapshots)
    if (words.steps, words.seeds) == (STEPS, SEEDS):
        record("coloring", findings, packages=PACKAGES)
    else:
        print("Not recorded: these are not the default settings.")


def _train(steps: int, seeds: int) -> tuple[list[dict[str, Any]], list[clock.Snapshot]]:
    """The curves of all runs, and what the first network said on its way."""
    runs: list[dict[str, Any]] = []
    snapshots: list[clock.Snapshot] = []
    pictures = draw((train.TESTING, 1), train.BATCH)
    for seed in range(seeds):
        for name, loss in LOSSES.items():
            curve = []
            for point, network in train.run(loss, seed, steps, EVALUATIONS):
                curve.append(point)
                print(_line(name, seed, point), flush=True)
                if not runs:
                    with torch.no_grad():
                        snapshots.append((int(point["step"]), network(pictures.image), pictures))
            runs.append({"loss": name, "seed": seed, "curve": curve})
    return runs, snapshots


def _line(name: str, seed: int, point: train.Point) -> str:
    return (
        f"{name:16} seed {seed}  step {point['step']:5}  "
        f"edit distance {point['edit_distance']:5.2f}  exact {point['exact']:6.1%}  "
        f"size {point['right_size']:6.1%}  {point['seconds']:6.1f} s "
        f"({point['loss_seconds']:.1f} s in the loss)"
    )


def _timing(snapshots: list[clock.Snapshot]) -> dict[str, Any]:
    found = clock.seconds(TIMED, snapshots)
    for name, seconds in found.items():
        print(f"{name:34} {1000 * seconds:7.2f} ms a batch of {train.BATCH}")
    steps = [step for step, _, _ in snapshots]
    return {"batch": train.BATCH, "snapshots": steps, "repeats": clock.REPEATS, "seconds": found}


def _settings(steps: int) -> dict[str, Any]:
    return {
        "steps": steps, "batch": train.BATCH, "held_out": train.HELD_OUT, "side": SIDE,
        "least": LEAST, "most": MOST, "slots": SLOTS, "structural_loss": repr(LOSS),
        "parameters": sum(weight.numel() for weight in Network().parameters()),
    }  # fmt: skip


if __name__ == "__main__":
    main()
