"""The section of docs/results.md on which option of the loss helps where."""

from typing import Any

from _markdown import table

Run = dict[str, Any]


def ablation(tasks: list[dict[str, Any]]) -> str:
    """A row for each task and alignment, a column for each number of rounds and weight."""
    settings = tasks[0]["settings"]
    steps = ", ".join(f"{task['settings']['steps']} ({task['task']})" for task in tasks)
    seeds = len({run["seed"] for run in tasks[0]["runs"]})
    commits = ", ".join(sorted({task["commit"] for task in tasks}))
    head = f"""Steps of {settings["batch"]} pairs of each run: {steps}; on at most
{settings["trained"]:,} pairs. All but the three options is chosen by the data. In each cell: the
share of at most {settings["held_out"]} pairs held out of the training file that are exact, the
mean edit cost, and seconds of the processor, training and the check of its answers. *Detach*,
*exact*: the gradient around and through the plan. *Learned*: scores of a `GraphMatcher`; with
rounds, these start from its plan. Rounds are proximal; *clique* weighs {settings["clique"]:g}.
Seeds: {seeds}. The machine was shared: compare seconds with one another.
`benchmarks/ablation.py` at commits {commits}.

"""
    columns = sorted({(run["rounds"], run["gamma"]) for run in tasks[0]["runs"]})
    rows = [
        [task["task"], kind, *(_cell(_of(task["runs"], kind, *column)) for column in columns)]
        for task in tasks
        for kind in dict.fromkeys(run["alignment"] for run in task["runs"])
    ]
    names = [f"{rounds} rounds{', clique' if gamma else ''}" for rounds, gamma in columns]
    return head + table(["task", "alignment", *names], rows)


def _of(runs: list[Run], alignment: str, rounds: int, gamma: float) -> list[Run]:
    wanted = {"alignment": alignment, "rounds": rounds, "gamma": gamma}
    return [run for run in runs if wanted.items() <= run.items()]


def _cell(runs: list[Run]) -> str:
    if not runs:
        return "-"

    def mean(name: str) -> float:
        total: float = sum(run[name] for run in runs)
        return total / len(runs)

    return f"{mean('exact_match'):.1%}, {mean('edit_cost'):.2f}, {mean('seconds'):.0f} s"
