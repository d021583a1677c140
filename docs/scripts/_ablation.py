"""The section of docs/results.md on which option of the loss helps where."""

from typing import Any

from _markdown import table

Run = dict[str, Any]


def ablation(found: dict[str, Any]) -> str:
    """A row for each task and alignment, a column for each number of rounds and weight."""
    settings, runs = found["settings"], found["runs"]
    head = f"""{settings["steps"]} steps of {settings["batch"]} pairs for each cell, on at most
{settings["trained"]:,} pairs; all but the three options is chosen by the data. In each cell: the
share of {settings["held_out"]} pairs held out of the training file that are exact, the mean edit
cost, and seconds of the processor, training and the check of its answers. *Detach*, *exact*: the
gradient around and through the plan. *Learned*: scores of a `GraphMatcher`; with rounds, these
start from its plan. Rounds are proximal; *clique* weighs {settings["clique"]:g}. Mean of the seeds
({len({run["seed"] for run in runs})}). The machine was shared: compare seconds with one another.

"""
    columns = list(dict.fromkeys((run["rounds"], run["gamma"]) for run in runs))
    columns.sort()
    rows = [
        [task, alignment, *(_cell(_of(runs, task, alignment, *column)) for column in columns)]
        for task in dict.fromkeys(run["task"] for run in runs)
        for alignment in dict.fromkeys(run["alignment"] for run in runs)
    ]
    names = [f"{rounds} rounds{', clique' if gamma else ''}" for rounds, gamma in columns]
    return head + table(["task", "alignment", *names], rows)


def _of(runs: list[Run], task: str, alignment: str, rounds: int, gamma: float) -> list[Run]:
    wanted = {"task": task, "alignment": alignment, "rounds": rounds, "gamma": gamma}
    return [run for run in runs if wanted.items() <= run.items()]


def _cell(runs: list[Run]) -> str:
    if not runs:
        return "-"

    def mean(name: str) -> float:
        total: float = sum(run[name] for run in runs)
        return total / len(runs)

    return f"{mean('exact_match'):.1%}, {mean('edit_cost'):.2f}, {mean('seconds'):.0f} s"
