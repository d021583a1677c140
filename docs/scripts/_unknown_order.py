"""The sections of docs/results.md on losses where the order of the nodes is unknown."""

from typing import Any

from _markdown import seeded, table

COLUMNS = (
    ("exact_match", "exact", ".1%"), ("edit_cost", "edit distance", ".2f"),
    ("edge_f1", "edge F1", ".3f"), ("seconds", "seconds", ".0f"),
    ("loss_seconds", "of them in the loss", ".0f"),
)  # fmt: skip


def unknown_order(found: dict[str, Any]) -> str:
    """What was compared, the curves, and a row for each loss."""
    settings, runs = found["settings"], found["runs"]
    seeds = len({run["seed"] for run in runs})
    added = ", ".join(f"{name}: {count:,}" for name, count in settings["added"].items() if count)
    head = f"""Inputs are sets and {settings["queries"]} queries the outputs of one
`GraphTransformNet` ({settings["parameters"]:,} weights). {settings["trained"]:,} training pairs in
batches of {settings["batch"]}, at most {settings["steps"]} steps; same weights at the start, same
batches, same optimiser. Scores on {settings["held_out"]} other pairs, mean of the seeds ({seeds})
and each. *Rounds*: `{settings["rounds"]}`, `{settings["hints"]}`, enough of both
for alignments to settle. *Neighbours*, where it is compared: the same with
`terms={{"neighbours": (0.5, NeighbourLabels(...))}}`.
*Learned*: `Learned(GraphMatcher(...), {settings["learned"]})`.
*PMFGW*: the loss of Any2Graph written from its description, an edge by cross-entropy over
relations. *Canonical order*: output `i` is node `i` of the target as the file has it.
Weights that a loss adds: {added}. Seconds are of one core of a busy machine, without evaluations.

![Edit distance and share of exact graphs](images/unknown_order-{found["task"]}.png)

"""
    rows = []
    for loss in dict.fromkeys(run["loss"] for run in runs):
        last = [run["curve"][-1] for run in runs if run["loss"] == loss]
        rows.append([loss, *(seeded([at[key] for at in last], form) for key, _, form in COLUMNS)])
    return head + table(["loss", *(name for _, name, _ in COLUMNS)], rows)
