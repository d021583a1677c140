"""Pieces of Markdown."""

import statistics
from collections.abc import Sequence
from typing import Any


def seeded(values: Sequence[float], form: str) -> str:
    """Mean of the seeds, and each."""
    each = ", ".join(format(value, form) for value in values)
    return f"{statistics.mean(values):{form}} ({each})"


def provenance(name: str, found: dict[str, Any]) -> str:
    """Where and with what a result was measured."""
    machine, versions = found["machine"], found["versions"]
    packages = ", ".join(f"{package} {number}" for package, number in versions.items())
    return (
        f"<sub>`benchmarks/{name}.py` at commit {found['commit']}; {machine['processor']}, "
        f"{machine['cores']} cores, Python {machine['python']}, {packages}.</sub>"
    )


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows below names."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def shown(value: object) -> str:
    """A number, or a judgement."""
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
