"""Writes docs/results.md from benchmarks/results/*.json: no number in it is typed by hand."""

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

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
            sections.append(f"## {title}\n\n{body(found)}\n\n{_provenance(name, found)}\n")
    OUT.write_text("\n".join(sections), encoding="utf-8")


def _seeds(found: dict[str, Any]) -> str:
    names = (
        "seed", "initial_loss", "final_loss", "loss_ratio", "monotone",
        "exact_match", "parameter_change_l2", "seconds",
    )  # fmt: skip
    rows = [[_shown(run[name]) for name in names] for run in found["runs"]]
    head = (
        "`grapheme train`, default settings, 100 epochs; *monotone*: lower after every epoch.\n\n"
    )
    return head + _table([name.replace("_", " ") for name in names], rows)


def _time(found: dict[str, Any]) -> str:
    walls, stages = found["command_seconds"], found["stage_seconds"]
    total = sum(stages.values())
    head = (
        f"100 epochs from a cold start of the command: {statistics.median(walls):.1f} s "
        f"(median of {len(walls)}: {', '.join(f'{wall:.1f}' for wall in walls)}). "
        "Taken apart in one process:\n\n"
    )
    rows = [[name, f"{seconds:.2f}", f"{seconds / total:.0%}"] for name, seconds in stages.items()]
    return head + _table(["stage", "seconds", "share"], rows)


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
    return head + _table(names, rows)


def _provenance(name: str, found: dict[str, Any]) -> str:
    machine, versions = found["machine"], found["versions"]
    packages = ", ".join(f"{package} {number}" for package, number in versions.items())
    return (
        f"<sub>`benchmarks/{name}.py` at commit {found['commit']}; {machine['processor']}, "
        f"{machine['cores']} cores, Python {machine['python']}, {packages}.</sub>"
    )


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


SECTIONS: tuple[tuple[str, str, Callable[[dict[str, Any]], str]], ...] = (
    ("kindergarten_seeds", "Kindergarten, ten seeds", _seeds),
    ("kindergarten_gradients", "Gradients against finite differences", _gradients),
    ("kindergarten_time", "Kindergarten, the clock", _time),
)


if __name__ == "__main__":
    main()
