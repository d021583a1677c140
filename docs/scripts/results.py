"""Writes docs/results.md from benchmarks/results/*.json: no number in it is typed by hand."""

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import _speed
import yaml
from _ablation import ablation
from _markdown import provenance, seeded, shown, table
from _sequences import sequences
from _unknown_order import unknown_order

ROOT = Path(__file__).parents[2]
RESULTS, OUT = ROOT / "benchmarks" / "results", ROOT / "docs" / "results.md"
HEAD = """# Results

Written by `make docs` from `benchmarks/results/*.json`, which `make bench` makes. Each section
names the commit and the machine it was measured on.
"""


def main() -> None:
    """Writes every section for which there are results."""
    sections = [HEAD]
    for name, title, body in SECTIONS:
        path = RESULTS / f"{name}.json"
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            script = name.partition("-")[0]
            sections.append(f"## {title}\n\n{body(found)}\n\n{provenance(script, found)}\n")
    if options := _all("ablation"):
        sections.append(f"## Which option helps where\n\n{ablation(options)}\n")
    if tasks := _all("tasks"):
        sections.append(f"## Tasks\n\n{_tasks(tasks)}\n")
    OUT.write_text("\n".join(sections), encoding="utf-8")


def _all(folder: str) -> list[dict[str, Any]]:
    """All results of a folder, by name."""
    return [
        json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob(f"{folder}/*.json"))
    ]


def _seeds(found: dict[str, Any]) -> str:
    names = (
        "seed", "initial_loss", "final_loss", "loss_ratio", "monotone",
        "exact_match", "parameter_change_l2", "seconds",
    )  # fmt: skip
    rows = [[shown(run[name]) for name in names] for run in found["runs"]]
    head = "`grapheme train` by default, 100 epochs; *monotone*: lower after every epoch.\n\n"
    return head + table([name.replace("_", " ") for name in names], rows)


def _time(found: dict[str, Any]) -> str:
    walls, stages = found["command_seconds"], found["stage_seconds"]
    total = sum(stages.values())
    head = (
        f"100 epochs from a cold start of the command: {statistics.median(walls):.1f} s "
        f"(median of {len(walls)}: {', '.join(f'{wall:.1f}' for wall in walls)}). "
        "Taken apart in one process:\n\n"
    )
    rows = [[name, f"{seconds:.2f}", f"{seconds / total:.0%}"] for name, seconds in stages.items()]
    return head + table(["stage", "seconds", "share"], rows)


def _gradients(found: dict[str, Any]) -> str:
    head = (
        "Every parameter tensor of the default model against central differences in float64, "
        "on all ten pairs: the largest relative error. Bound: 1e-6.\n\n"
    )
    rows = [
        [
            "after 100 epochs" if row["epochs"] else "untrained",
            row["criterion"], str(row["rounds"]),
            "3 sweeps" if row["max_iterations"] == 3 else "converged", str(row["tensors"]),
            f"{row['max_relative_error']:.0e}", "yes" if row["passed"] else "**no**",
        ]
        for row in found["checks"]
    ]  # fmt: skip
    names = ["model", "criterion", "rounds", "alignment", "tensors", "max relative error", "passed"]
    return head + table(names, rows)


def _peers(found: dict[str, Any]) -> str:
    head = f"""Relative errors of gradients against central differences in float64, the worst of
{found["instances"]} random instances of two pairs each; bold beyond {found["bound"]:.0e}. In each
cell the first error is that of the *value*: what the library reports, or what follows from its plan
where it reports no other. The second is that of a functional of the *plan*, `sum(W * P)` with
random `W`.

{NOTES}
"""
    cases = dict.fromkeys(case for row in found["rows"] for case in row["cells"] or ())
    rows = [
        [row["package"], f"`{row['name']}`", *_errors(row["cells"], list(cases), found["bound"])]
        for row in found["rows"]
    ]
    return head + table(["library", "method", *cases], rows)


NOTES = """\
- *no*: not offered. The library knows no edges, takes one pair a call, takes sizes and not masses,
  or its plan carries no gradient.
- *5 iterations*: every loop of the solver stops there. *unequal sizes*: in one call; by masses of
  zero where a library has no other way. *directed edges*: asymmetric on both sides.
- `cut` is an approximation, by name and on request.
- `ot.batch.solve_gromov_batch` converges to a plan without temperature, in the limit of which its
  `envelope` is right. It has more inner iterations here than by default.
- `ot.gromov.fused_gromov_wasserstein2` stops too early in one of the instances of *zero masses*,
  though not because of them: conditional gradient is slow where it does not end in a vertex.
- `ot.gromov.partial_fused_gromov_wasserstein2` takes the prescribed masses in its gradient where
  those that were moved belong. `ot.solve_batch` of GeomLoss gives twice the gradient.
- `SamplesLoss` has no test of convergence; *converged* means that it cools slowly.
- *unrolled, fixed* is `min_iterations = max_iterations`. The backward scan of OTT then starts at
  the first iteration instead of the last.
- `GromovWasserstein` reports `reg_gw_cost`, the cost of its last linearisation.
"""


def _errors(
    cells: dict[str, dict[str, float | str]] | None, cases: Sequence[str], bound: float
) -> list[str]:
    if cells is None:
        return ["not installed"] * len(cases)
    pairs = [[_error(cell, bound) for cell in cells[case].values()] for case in cases]
    return ["no" if set(pair) == {"no"} else ", ".join(pair) for pair in pairs]


def _error(cell: float | str, bound: float) -> str:
    if isinstance(cell, float):
        return f"{cell:.0e}" if cell <= bound else f"**{cell:.0e}**"
    return cell if cell == "no" else f"**{cell}**"


def _parity(found: dict[str, Any]) -> str:
    head = f"""Largest differences over {found["instances"]} random instances of two pairs each,
of equal and unequal size; bound {found["bound"]:.0e}. The entropic value is
`sum(C * P) + eps KL(P | a b^T)`, `reg_type="KL"` in POT; the masses of the exact one are whole
numbers. The edge term of `criterion="edit"` becomes POT's `gwloss` at the same plan in three steps:
the void counts as a node without edges; the square loss is taken once for each relation and once
for "any edge", and halved; and `Q - sum of q^2 / 2` is added for each candidate edge, since one
that nothing is aligned with costs its probability here and its square there. Surprises, the terms
of `criterion="likelihood"`, have no counterpart.

"""
    rows = [[name, f"{difference:.0e}"] for name, difference in found["rows"].items()]
    return head + table(["compared with POT", "largest difference"], rows)


def _soak(found: dict[str, Any]) -> str:
    worst = ", ".join(
        f"of {name}s {gap:.0e} (bound {found['bounds'][name]:.0e})"
        for name, gap in found["worst"].items()
    )
    pairs = f"{found['pairs']:,} random pairs of 0 to {found['largest']} nodes a side"
    return f"""{pairs}, every option of the loss drawn at random, on one thread and on two: the
native kernel ({found["level"]}) beside the program in PyTorch. Largest difference
{worst}; {found["left_out"]} pairs took another number of iterations and are left out."""


def _spectra(found: dict[str, Any]) -> str:
    head = f"""{found["counts"]["test"]:,} spectra of compounds that are held out, as in the recipe
`spectra`: the scaffold of the most similar of {found["counts"]["train"]:,} training spectra, by
`matchms.similarity.FlashSimilarity` (masses within {found["tolerance"]:g}). Hybrid: peaks match by
what they have lost, too. *Votes* is what `grapheme convert spectra --known` puts first. What a
network has to beat.

"""
    rows = [
        [name.replace("_", " "), f"{one['exact']:.1%}", f"{one['seconds']:.0f}"]
        for name, one in found.items()
        if isinstance(one, dict) and "exact" in one
    ]
    rows.append(["commonest scaffold", f"{found['commonest']:.1%}", "-"])
    return head + table(["nearest by", "right scaffold", "seconds"], rows)


def _coloring(found: dict[str, Any]) -> str:
    settings, timing = found["settings"], found["timing"]
    seeds = len({run["seed"] for run in found["runs"]})
    head = f"""Pictures of {settings["side"]} x {settings["side"]} pixels, {settings["least"]} to
{settings["most"]} coloured regions; the target is which region touches which, after the *Coloring*
task of Any2Graph. One network ({settings["parameters"]:,} weights, {settings["slots"]} queries),
and one run of {settings["steps"]} steps of {settings["batch"]} pictures for each loss and seed:
same weights at the start, same pictures, same optimiser. Scores on {settings["held_out"]} other
pictures, mean of {seeds} seeds (and each seed). *Edit distance*: an upper bound, sizes included.
*Size given*: as if the number of regions were known, which is how Any2Graph evaluates. Ours is
`{settings["structural_loss"]}`,
undirected, its rounds proximal. Nodes and pairs of nodes count by their means, and its plan also
aligns the sum of the neighbours' colours, an output that PMFGW has a term for. PMFGW is written
from its description, a pair at a time; published are its linear problems by network simplex, here
they are solved by SciPy's assignment.

![Edit distance and share of exact graphs](images/coloring.png)

"""
    columns = (
        ("edit_distance", "edit distance", ".2f"), ("exact", "exact graphs", ".1%"),
        ("right_size", "right size", ".1%"),
        ("peeking_edit_distance", "edit distance, size given", ".2f"),
        ("peeking_exact", "exact, size given", ".1%"),
    )  # fmt: skip
    rows = []
    for loss in dict.fromkeys(run["loss"] for run in found["runs"]):
        last = [run["curve"][-1] for run in found["runs"] if run["loss"] == loss]
        scores = [seeded([point[key] for point in last], form) for key, _, form in columns]
        pace = statistics.mean(point["step"] / point["seconds"] for point in last)
        rows.append([loss, *scores, f"{pace:.1f}"])
    names = ["loss", *(name for _, name, _ in columns), "steps a second"]
    return head + table(names, rows) + "\n\n" + _loss_times(timing, found["trained_at"])


def _loss_times(timing: dict[str, Any], trained_at: str) -> str:
    head = f"""Trained at commit {trained_at}, on a machine shared with other work, which is what
the steps a second are of. The loss alone, forward and backward, on the same
outputs of a network on its way (steps {", ".join(map(str, timing["snapshots"]))}), interleaved,
one thread, median; timed again by `benchmarks/coloring.py --time-only`:

"""
    rows = [[name, f"{1000 * seconds:.1f}"] for name, seconds in timing["seconds"].items()]
    return head + table(["loss", f"ms a batch of {timing['batch']}"], rows)


def _tasks(found: list[dict[str, Any]]) -> str:
    head = """By `make recipe TASK=... DATA=...`; test pairs are not trained on. *Exact*: share of
test pairs reproduced exactly, mean of the seeds (and each seed). *Forms*: share whose logical form,
written back, is that of the target to the letter (`grapheme evaluate --form`, a task's `form`).
*Aligned*: share of target nodes that the loss aligns with the place they come from (an atom: with
any of its characters). *UAS*, *LAS*: nodes of trees with the right head, and relation. *CER*: edits
of symbols as a share of those wanted. *Reference*: exact results of others, on other test pairs
where nothing else is said. *Networks* that answer together (`grapheme evaluate --others`).
*Round trip*: the same networks, their answers those that lead back to the input
(`grapheme evaluate --round-trip`). Seconds are of training all of them, one after the other, on a
busy machine of two cores.

"""
    known = yaml.safe_load((ROOT / "recipes" / "tasks.yaml").read_text(encoding="utf-8"))
    rows = []
    for task in found:
        runs, counts = task["runs"], task["counts"]
        aligned = "alignment_accuracy" in runs[0]["metrics"]
        reference = known[task["task"]].get("reference", {})
        rows.append([
            task["task"] if task.get("recipe", True) else f"{task['task']}, no options",
            f"{counts['train']:,}", f"{counts['test']:,}",
            str(runs[0].get("members", 1)), ", ".join(f"{run['seconds']:,.0f}" for run in runs),
            *(_measure(runs, name) for name in ("exact_match", "exact_form", "alignment_accuracy")),
            # A text is a tree as well; that of its nodes' heads says nothing new.
            *(_measure(runs, name) if aligned else "-" for name in ("uas", "las")),
            _measure(runs, "char_error_rate"),
            ", ".join(f"{name}: {value:.1%}" for name, value in reference.items()) or "-",
            f"`{task['commit']}`",
        ])  # fmt: skip
        if "round_trip" in runs[0]:
            again = seeded([run["round_trip"]["exact_match"] for run in runs], ".1%")
            rows.append([f"{rows[-1][0]}, round trip", *rows[-1][1:5], again, *rows[-1][6:]])
    names = ["task", "training pairs", "test pairs", "networks", "seconds", "exact", "forms"]
    return head + table([*names, "aligned", "UAS", "LAS", "CER", "reference", "commit"], rows)


def _measure(runs: list[dict[str, Any]], name: str) -> str:
    if name not in runs[0]["metrics"]:
        return "-"
    return seeded([run["metrics"][name] for run in runs], ".1%")


SECTIONS: tuple[tuple[str, str, Callable[[dict[str, Any]], str]], ...] = (
    ("kindergarten_seeds", "Kindergarten, ten seeds", _seeds),
    ("kindergarten_gradients", "Gradients against finite differences", _gradients),
    ("gradient_table", "Gradients here and elsewhere", _peers),
    ("value_parity", "Values here and in POT", _parity),
    ("coloring", "Coloring with a DETR-like network", _coloring),
    ("unknown_order-coloring", "Unknown order: pictures", unknown_order),
    ("unknown_order-fingerprints", "Unknown order: fingerprints", unknown_order),
    ("unknown_order-spectra", "Unknown order: spectra", unknown_order),
    ("nearest_spectrum", "Scaffolds by the nearest spectrum", _spectra),
    ("sequences", "Words beside yoyodyne", sequences),
    ("kindergarten_time", "Kindergarten, the clock", _time),
    ("step_profile", "A training step, the clock", _speed.steps),
    ("network_step", "The network's own operations", _speed.network),
    ("kernel", "The native kernel", _speed.kernel),
    ("fused", "The whole loss in the kernel", _speed.fused),
    ("soak", "Random pairs", _soak),
    ("peers", "Speed beside other libraries", _speed.contest),
    ("large", "Large texts", _speed.large),
    ("growth", "How time grows", _speed.growth),
)


if __name__ == "__main__":
    main()
