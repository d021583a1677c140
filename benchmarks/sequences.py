"""What would users take instead for words? Yoyodyne's models, in the same minutes of one core.

    python benchmarks/sequences.py DATA [--tasks TASK ...] [--yoyodyne COMMAND] [--minutes M]

DATA holds the folders `inflection` and `g2p` of raw files. Each task is trained by this library's
recipe, one network, and by the model of yoyodyne that fitted best on held-back training words. Both
get the same training words, the same words to choose a checkpoint by, the same minutes of the
processor on one thread, and the same test words, which neither has seen. Yoyodyne pins other
versions of packages: install it in an environment of its own.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from _record import commit, record, runs_beside
from _sequences import ours, theirs
from _sequences.bounded import Effort
from _sequences.models import MODELS
from _sequences.words import LANGUAGES, share_exact, split, targets_of
from run import HERE, prepare, read_tasks

# A machine that others use as well gives a program less than a minute a minute.
CLOCK = 4


def main(words: Sequence[str] | None = None) -> int:
    """Trains both on each task, and records after each run."""
    chosen = _parser().parse_args(words)
    command = shutil.which(chosen.yoyodyne)
    if command is None:
        print(MISSING.format(chosen.yoyodyne), file=sys.stderr)
        return 2
    work = Path(chosen.work or tempfile.mkdtemp())
    effort = Effort(minutes=chosen.minutes, clock=CLOCK * chosen.minutes, seed=chosen.seed)
    same = {
        "yoyodyne": theirs.version(command), "minutes": chosen.minutes, "seed": chosen.seed
    }  # fmt: skip
    findings: dict[str, Any] = {**same, "runs": _kept(same, chosen.tasks)}
    for name in chosen.tasks:
        for one in (_ours, _theirs):
            at = commit()
            found = one(name, Path(chosen.data), work / name, effort, command)
            findings["runs"].append({"task": name, **found, "trained_at": at})
            print(_line(findings["runs"][-1]), flush=True)
            # After each run: what was trained must not be lost to what comes later.
            if not chosen.no_record:
                record("sequences", findings)
    return 0


def _kept(same: dict[str, Any], tasks: Sequence[str]) -> list[dict[str, Any]]:
    """Runs recorded before, of other tasks, if all else was the same."""
    return runs_beside("sequences", same, "task", tasks)


def _ours(name: str, data: Path, work: Path, effort: Effort, command: str) -> dict[str, Any]:
    del command
    task = replace(read_tasks(HERE / "tasks.yaml")[name], members=1)
    sets, counts = prepare(task, data / LANGUAGES[name].folder, work)
    found = ours.trained(task, sets, work / "ours", effort, LANGUAGES[name].pace)
    return {"program": "grapheme-torch", "model": f"recipe `{name}`", "counts": counts, **found}


def _theirs(name: str, data: Path, work: Path, effort: Effort, command: str) -> dict[str, Any]:
    task, language = read_tasks(HERE / "tasks.yaml")[name], LANGUAGES[name]
    model, folder = MODELS[name], data / language.folder
    files = split(task, folder, language.columns, work)
    answers, found = theirs.trained(
        command, model, language.columns, files, work / "theirs", effort
    )
    exact = share_exact(answers, targets_of(folder / task.test[0].file, language.columns))
    return {"program": "yoyodyne", "model": model.name, "exact": exact, **found}


def _line(run: dict[str, Any]) -> str:
    return (
        f"{run['task']:16} {run['program']:16} exact {run['exact']:6.1%}  "
        f"held back {run['held_back']:6.1%}  {run['parameters']:10,} weights  "
        f"{run['processor']:5.0f} s of the processor, {run['clock']:5.0f} s of the clock"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = list(LANGUAGES)
    parser.add_argument("data", metavar="DATA", help="folder of the raw files")
    parser.add_argument("--tasks", nargs="+", choices=names, default=names, help="which (all)")
    parser.add_argument("--yoyodyne", default="yoyodyne", metavar="COMMAND", help="its command")
    parser.add_argument(
        "--minutes", type=float, default=8, metavar="M", help="of the processor, for each (8)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all runs (0)")
    parser.add_argument("--work", metavar="FOLDER", help="new folder to work in (a temporary one)")
    parser.add_argument("--no-record", action="store_true", help="only print")
    return parser


MISSING = (
    "benchmarks/sequences.py: --yoyodyne must be a command that exists, got {!r}. Install it in an "
    "environment of its own, as it pins other versions of packages: python -m venv FOLDER, "
    "FOLDER/bin/pip install yoyodyne, and give --yoyodyne FOLDER/bin/yoyodyne."
)

if __name__ == "__main__":
    raise SystemExit(main())
