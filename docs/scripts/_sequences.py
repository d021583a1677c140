"""The section of docs/results.md on what users would take instead for words."""

from typing import Any

from _markdown import table


def sequences(found: dict[str, Any]) -> str:
    """Both programs on each task."""
    head = f"""Yoyodyne {found["yoyodyne"]}, by its own command, beside `grapheme train`, one
network each, with at most {found["minutes"]:g} minutes of the processor on one thread (start and
validation included). Same training words, and the same held-back words, by which yoyodyne keeps its
best checkpoint; ours keeps its last. *Exact*: share of the test words (the dev file) that are right
to the last symbol, looked at once. Both are trained for as many epochs as fit, over which the
learning rate falls: ours is the recipe with one network, which has fewer epochs here than in
[tasks](#tasks) where they do not fit. Which model of yoyodyne, and with what settings, short runs
on held-back training words told ([log](log.md)). Seconds of the clock are of a busy machine.

"""
    rows = [
        [
            run["task"], run["program"], run["model"], f"{run['parameters']:,}",
            str(run["epochs"]),
            f"{run['exact']:.1%}", f"{run['held_back']:.1%}", f"{run['processor']:.0f}",
            f"{run['clock']:.0f}",
        ]
        for run in found["runs"]
    ]  # fmt: skip
    names = [
        "task", "program", "model", "weights", "epochs", "exact", "held back, exact",
        "seconds of the processor", "of the clock",
    ]  # fmt: skip
    return head + table(names, rows)
