"""A recipe from raw data to a result: converts, holds pairs back, trains, evaluates, records.

    python recipes/run.py TASK DATA [--test FILE] [--seeds 0 1 2] [--epochs=1 ...]

TASK is one of recipes/tasks.yaml, DATA the folder (or the file) its raw data lie in. What is not
an option here is one of `grapheme train` and goes before the recipe's own.
"""

import argparse
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "benchmarks"))

from _record import record  # noqa: E402

from grapheme_torch import InputError  # noqa: E402
from grapheme_torch.cli import main as grapheme  # noqa: E402
from grapheme_torch.convert import convert  # noqa: E402
from grapheme_torch.convert._document import num_nodes  # noqa: E402
from grapheme_torch.data import load_pairs  # noqa: E402
from grapheme_torch.train import evaluate  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Task:
    """How the data of a task are prepared, and what it is trained with.

    Args:
        train: File in this folder with options of `grapheme train`.
        format: What `grapheme convert` makes of the raw data.
        files: The raw file to train on, below DATA, and maybe one to test on.
        options: Those of the format.
        held_out: Share of the pairs that is held back to choose the network by.
        side: "input" or "target": pairs that agree in it are held back together.
        group: Regular expression; only its first group counts of that side.
        room: Most target nodes for an input node; larger pairs are left out of training.
        reference: What else is known of the task: a name and a number of results of others.
    """

    train: str
    format: str
    files: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    held_out: float = 0.1
    side: str = "input"
    group: str = "(?s)(.*)"
    room: float = 1.0
    reference: dict[str, float] = field(default_factory=dict)


def main(words: list[str] | None = None) -> int:
    """Runs a recipe; the exit status is that of `grapheme`."""
    chosen, options = _parser().parse_known_args(words)
    try:
        task = read_tasks(HERE / "tasks.yaml")[chosen.task]
        work = Path(chosen.out or f"runs/recipes/{chosen.task}")
        sets, counts = prepare(task, Path(chosen.data), work, chosen.test)
        runs = []
        for seed in chosen.seeds:
            out = work / f"seed-{seed}"
            status = grapheme(_train_words(task, sets, out, seed, options))
            if status:
                return status
            runs.append(_result(out, sets["test"]))
            print(json.dumps(runs[-1]["metrics"], indent=2))
    except InputError as error:
        print(f"recipes/run.py: {error}", file=sys.stderr)
        return 2
    found = {"task": chosen.task, "counts": counts, "reference": task.reference, "runs": runs}
    record(f"tasks/{chosen.task}", {**found, "options": options})
    return 0


def read_tasks(path: Path) -> dict[str, Task]:
    """The tasks of a YAML file by name; a key that no task has is refused."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = {entry.name for entry in fields(Task)}
    for name, keys in document.items():
        if unknown := sorted(keys.keys() - known):
            raise InputError(
                f"{path}: the keys of {name!r} must be among {', '.join(sorted(known))}, "
                f"got {unknown[0]!r}. Options of training go to the file that `train` names."
            )
    return {name: Task(**keys) for name, keys in document.items()}


def prepare(
    task: Task, data: Path, work: Path, test: str | None = None
) -> tuple[dict[str, str], dict[str, int]]:
    """Writes the data sets of a task below `work`.

    Args:
        task: The task.
        data: Folder of the raw files, or the one to train on.
        work: Folder to write to.
        test: Raw file to test on. Default: the task's own, or else what is held back.

    Returns:
        The data sets "train", "dev" and "test", and how many pairs each holds.
    """
    work.mkdir(parents=True, exist_ok=True)
    raw = data if data.is_file() else data / task.files["train"]
    records = _converted(task, raw, work / "all.jsonl")
    fitting = [record for record in records if _fits(record, task.room)]
    sets: dict[str, list[Any]] = {"train": [], "dev": []}
    for document in fitting:
        sets["dev" if _is_held_out(document, task) else "train"].append(document)
    if test is None and data.is_dir() and "test" in task.files:
        test = str(data / task.files["test"])
    sets["test"] = sets["dev"] if test is None else _converted(task, Path(test), work / "t.jsonl")
    for name, documents in sets.items():
        lines = [json.dumps(document, ensure_ascii=False) + "\n" for document in documents]
        (work / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    counts = {name: len(documents) for name, documents in sets.items()}
    counts["too_large"] = len(records) - len(fitting)
    return {name: str(work / f"{name}.jsonl") for name in sets}, counts


def _converted(task: Task, raw: Path, path: Path) -> list[dict[str, Any]]:
    convert(task.format, str(raw), str(path), overwrite=True, skip_bad=True, **task.options)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _fits(document: dict[str, Any], room: float) -> bool:
    return num_nodes(document["target"]) <= room * num_nodes(document["input"])


def _is_held_out(document: dict[str, Any], task: Task) -> bool:
    """By a hash: the same pairs on every machine, whatever else is in the file."""
    side = document[task.side]
    text = side if isinstance(side, str) else json.dumps(side, sort_keys=True)
    found = re.match(task.group, text)
    key = found[1] if found else text
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big") < task.held_out * 2**64


def _train_words(
    task: Task, sets: dict[str, str], out: Path, seed: int, options: list[str]
) -> list[str]:
    own = ["--data", sets["train"], "--val", sets["dev"], "--out", str(out), "--seed", str(seed)]
    return ["train", "--config", str(HERE / task.train), *own, "--overwrite", *options]


def _result(out: Path, test: str) -> dict[str, Any]:
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    kept = ("seed", "epochs", "saved_epoch", "seconds", "pairs", "parameters", "val_exact_match")
    report = evaluate(out, load_pairs(test)).to_dict()
    return {**{name: summary[name] for name in kept}, "metrics": report}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = list(yaml.safe_load((HERE / "tasks.yaml").read_text(encoding="utf-8")))
    parser.add_argument("task", choices=names, metavar="TASK", help=", ".join(names))
    parser.add_argument("data", metavar="DATA", help="folder of the raw files, or the one file")
    parser.add_argument("--test", help="raw file to test on")
    parser.add_argument("--out", help="folder of the runs (default: runs/recipes/TASK)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="a run for each")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
