"""Where results go, and what is noted beside them so that they can be believed later."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def record(name: str, findings: dict[str, Any], *, packages: tuple[str, ...] = ()) -> None:
    """Writes `results/NAME.json`: the findings, the commit, the versions, the machine."""
    known = ("grapheme-torch", "torch", "torch_geometric", "lightning", *packages)
    document = {
        "commit": commit(),
        "versions": {package: version(package) for package in known},
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        **findings,
    }
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def recorded(name: str) -> dict[str, Any]:
    """The findings in `results/NAME.json`."""
    document = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return {key: document[key] for key in document.keys() - {"commit", "versions", "machine"}}


def runs_beside(name: str, same: dict[str, Any], key: str, again: Iterable[Any]) -> list[Any]:
    """Recorded runs to keep: all else is as in `same`, and `key` is none of those run again."""
    try:
        before = recorded(name)
    except FileNotFoundError:
        return []
    if any(before[one] != value for one, value in same.items()):
        return []
    return [run for run in before["runs"] if run[key] not in again]


def commit() -> str:
    """The commit of this checkout, marked if files differ from it; "unknown" where git knows none.

    It is asked at the end of long runs, whose findings must not be lost for want of it.
    """

    def git(*words: str) -> str:
        words = ("git", "-C", str(RESULTS.parent), *words)
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/src")
        return git("rev-parse", "--short=12", "HEAD").strip() + (" with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
