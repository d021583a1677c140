"""A recipe from raw data to a result: converts, holds pairs back, trains, evaluates, records.

    python recipes/run.py TASK DATA [--test FILE] [--seeds 0 1] [--without-options] [--epochs=1 ...]
    python recipes/run.py TASK DATA [--test FILE] --trained

TASK is one of recipes/tasks.yaml, DATA the folder its raw data lie in. What is not
an option here is one of `grapheme train` and goes before the recipe's own. With
--without-options one network is trained by what the data tell alone. With --trained the
networks of an earlier call are evaluated again.
"""

import argparse
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import yaml

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "benchmarks"))

from _record import record  # noqa: E402

from grapheme_torch import InputError  # noqa: E402
from grapheme_torch._files import write_json  # noqa: E402
from grapheme_torch.cli._main import main as grapheme  # noqa: E402
from grapheme_torch.convert import convert  # noqa: E402
from grapheme_torch.convert._document import num_nodes  # noqa: E402
from grapheme_torch.data import load_pairs  # noqa: E402
from grapheme_torch.decoding import Constraint  # noqa: E402
from grapheme_torch.train import evaluate  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Source:
    """A raw file, and what makes pairs of it.

    Args:
        format: What `grapheme convert` makes of it.
        file: The file, below DATA.
        options: Those of the format.
    """

    format: str
    file: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Task:
    """How the data of a task are prepared, and what it is trained with.

    Args:
        train: File in this folder with options of `grapheme train`; None takes those of the data.
        options: Further ones, which go before those of the file.
        sources: The pairs to train on, some of which are held out.
        more: Other forms of the same pairs, to train on where the pair is not held out.
        test: The pairs to test on. Default: those held out.
        held_out: Share of the pairs that is held out to choose the network by.
        split_by: "input", "target" or a further key: pairs that agree in it are held out together.
        group: Regular expression; only its first group counts of a text.
        room: Most target nodes for an input node; larger pairs are left out of training.
        largest: Most input nodes; larger pairs are left out altogether.
        once: Whether an input that comes again is left out.
        members: How many networks answer together, see `predict_together`.
        constraint: What the answers have to be, see `grapheme evaluate --constraint`.
        form: The format whose texts are compared as well, see `grapheme evaluate --form`.
        round_trip: The format whose targets tell their inputs. The networks are then evaluated a
            second time, by answers that lead back: see `grapheme evaluate --round-trip`.
        known: Whether inputs hold what the training pairs know: their file is the option `known`
            of the format.
        reference: Exact results of others, by name, for the table of results.
    """

    train: str | None
    sources: tuple[Source, ...]
    options: dict[str, Any] = field(default_factory=dict)
    more: tuple[Source, ...] = ()
    test: tuple[Source, ...] = ()
    held_out: float = 0.1
    split_by: str = "input"
    group: str = "(?s)(.*)"
    room: float = 1.0
    largest: int | None = None
    once: bool = False
    members: int = 1
    constraint: Constraint | Literal["learned"] | None = None
    form: str | None = None
    round_trip: str | None = None
    known: bool = False
    reference: dict[str, float] = field(default_factory=dict)


def main(words: list[str] | None = None) -> int:
    """Runs a recipe; the exit status is that of `grapheme`."""
    chosen, options = _parser().parse_known_args(words)
    try:
        task = read_tasks(HERE / "tasks.yaml")[chosen.task]
        if chosen.without_options:
            task = replace(task, train=None, options={}, members=1)
        work = Path(chosen.out or f"runs/recipes/{chosen.task}")
        sets, counts = prepare(task, Path(chosen.data), work, chosen.test)
        runs = []
        for seed in chosen.seeds:
            folders = []
            for member in range(seed * task.members, (seed + 1) * task.members):
                folders.append(work / f"seed-{member}")
                if chosen.trained:
                    _check_trained(folders[-1])
                    continue
                status = grapheme(_train_words(task, sets, folders[-1], member, options))
                if status:
                    return status
            runs.append({"seed": seed, **_result(folders, sets["test"], task)})
            print(json.dumps(runs[-1]["metrics"], indent=2))
    except InputError as error:
        print(f"recipes/run.py: {error}", file=sys.stderr)
        return 2
    found = {"task": chosen.task, "counts": counts, "runs": runs}
    name = f"{chosen.task}-without-options" if chosen.without_options else chosen.task
    own = {"options": options, "recipe": not chosen.without_options}
    own["trained_before"] = chosen.trained
    record(f"tasks/{name}", {**found, **own})
    return 0


def _check_trained(folder: Path) -> None:
    """Refuses a folder that no run has ended in."""
    if not (folder / "summary.json").exists():
        raise InputError(
            f"--trained: {folder} must be the folder of a run, got none. "
            "Call the recipe without --trained first, with the same --out and --seeds."
        )


def read_tasks(path: Path) -> dict[str, Task]:
    """The tasks of a YAML file by name; a key that no task has is refused.

    What begins with a dot is there to be referred to.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    tasks = {name: keys for name, keys in document.items() if not name.startswith(".")}
    return {name: _task(path, name, keys) for name, keys in tasks.items()}


def _task(path: Path, name: str, keys: dict[str, Any]) -> Task:
    _check_keys(path, name, keys, Task)
    lists = {}
    for part in ("sources", "more", "test"):
        for source in keys.get(part, []):
            _check_keys(path, f"{name}.{part}", source, Source)
        lists[part] = tuple(Source(**source) for source in keys.get(part, []))
    return Task(**{**keys, **lists})


def _check_keys(path: Path, name: str, keys: dict[str, Any], kind: type) -> None:
    known = {entry.name for entry in fields(kind)}
    if unknown := sorted(keys.keys() - known):
        raise InputError(
            f"{path}: the keys of {name!r} must be among {', '.join(sorted(known))}, "
            f"got {unknown[0]!r}. Options of training go to the file that `train` names."
        )


def prepare(
    task: Task, data: Path, work: Path, test: str | None = None
) -> tuple[dict[str, str], dict[str, int]]:
    """Writes the data sets of a task below `work`.

    Args:
        task: The task.
        data: Folder of the raw files.
        work: Folder to write to.
        test: Raw file to test on, of the form of the first source. Default: the task's own, or
            else what is held out.

    Returns:
        The data sets "train", "dev" and "test", and how many pairs each holds.
    """
    work.mkdir(parents=True, exist_ok=True)
    sets, too_large = _divided(task, data, work)
    if task.known:
        # Of training pairs alone: a held-out pair would be told its own answer.
        task = _knowing(task, _written(work / "known.jsonl", sets["train"]))
        sets, too_large = _divided(task, data, work)
    tested = [(source, data / source.file) for source in task.test]
    if test is not None:
        tested = [(task.sources[0], Path(test))]
    if tested:
        sets["test"] = [d for part in tested for d in _converted(task, *part, work)]
    else:
        sets["test"] = sets["dev"]
    paths = {name: _written(work / f"{name}.jsonl", pairs) for name, pairs in sets.items()}
    return paths, {name: len(pairs) for name, pairs in sets.items()} | {"too_large": too_large}


def _divided(task: Task, data: Path, work: Path) -> tuple[dict[str, list[Any]], int]:
    """The pairs to train on and those held out, and how many are too large."""
    sets: dict[str, list[Any]] = {"train": [], "dev": []}
    too_large = 0
    for k, source in enumerate([*task.sources, *task.more]):
        for document in _converted(task, source, data / source.file, work):
            out = _is_held_out(document, task)
            if not _fits(document, task.room):
                too_large += 1
            elif not out or k < len(task.sources):
                sets["dev" if out else "train"].append(document)
    return sets, too_large


def _knowing(task: Task, known: str) -> Task:
    """The same task, each source of which is told the file of known pairs."""

    def told(sources: tuple[Source, ...]) -> tuple[Source, ...]:
        return tuple(replace(one, options={**one.options, "known": known}) for one in sources)

    more, test = told(task.more), told(task.test)
    return replace(task, sources=told(task.sources), more=more, test=test)


def _written(path: Path, documents: list[Any]) -> str:
    lines = [json.dumps(document, ensure_ascii=False) + "\n" for document in documents]
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def _converted(task: Task, source: Source, raw: Path, work: Path) -> list[dict[str, Any]]:
    """The pairs of a raw file that are not too large, and each of them once if that is asked."""
    path = work / "converted.jsonl"
    convert(source.format, str(raw), str(path), overwrite=True, skip_bad=True, **source.options)
    lines = path.read_text(encoding="utf-8").split("\n")
    documents = [json.loads(line) for line in lines if line]
    if task.largest is not None:
        documents = [d for d in documents if num_nodes(d["input"]) <= task.largest]
    if task.once:
        documents = list({json.dumps(d["input"]): d for d in documents}.values())
    return documents


def _fits(document: dict[str, Any], room: float) -> bool:
    return num_nodes(document["target"]) <= room * num_nodes(document["input"])


def _is_held_out(document: dict[str, Any], task: Task) -> bool:
    """By a hash: the same pairs on every machine, whatever else is in the file."""
    side = document[task.split_by]
    text = side if isinstance(side, str) else "".join(node["label"] for node in side["nodes"])
    found = re.match(task.group, text)
    key = found[1] if found else text
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big") < task.held_out * 2**64


def _train_words(
    task: Task, sets: dict[str, str], out: Path, seed: int, options: list[str]
) -> list[str]:
    own = ["--data", sets["train"], "--val", sets["dev"], "--out", str(out), "--seed", str(seed)]
    of_task = [f"--{name}={value}" for name, value in task.options.items()]
    file = [] if task.train is None else ["--config", str(HERE / task.train)]
    return ["train", *file, *own, *of_task, "--overwrite", *options]


def _result(folders: list[Path], test: str, task: Task) -> dict[str, Any]:
    """What the networks reach together, and what training them took."""
    summaries = [json.loads((out / "summary.json").read_text(encoding="utf-8")) for out in folders]
    out, *others = folders
    kept = ("epochs", "saved_epoch", "pairs", "parameters", "val_exact_match")
    told = {name: summaries[0][name] for name in kept}
    told["members"], told["seconds"] = len(folders), sum(one["seconds"] for one in summaries)
    chosen: dict[str, Any] = {"constraint": task.constraint, "others": others, "form": task.form}
    report = evaluate(out, load_pairs(test), worst=10, **chosen).to_dict()
    write_json(out / "evaluation.json", report)
    # Pairs of the data, and the paths of their files, stay where the data are.
    report.pop("worst")
    report["wrong_answers"].pop("pairs", None)
    if task.round_trip is not None:
        trip: dict[str, Any] = {"constraint": "auto", "round_trip": task.round_trip}
        again = evaluate(out, load_pairs(test), worst=0, **{**chosen, **trip}).to_dict()
        told["round_trip"] = {name: again[name] for name in ("exact_match", "round_trip")}
    return {**told, "metrics": report}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = list(yaml.safe_load((HERE / "tasks.yaml").read_text(encoding="utf-8")))
    parser.add_argument("task", choices=names, metavar="TASK", help=", ".join(names))
    parser.add_argument("data", metavar="DATA", help="folder of the raw files")
    parser.add_argument("--test", help="raw file to test on")
    parser.add_argument("--out", help="folder of the runs (default: runs/recipes/TASK)")
    parser.add_argument("--without-options", action="store_true", help="leave all to the data")
    parser.add_argument("--trained", action="store_true", help="evaluate what was trained before")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="a run for each")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
