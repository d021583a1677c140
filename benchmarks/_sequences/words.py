"""The words of a task as yoyodyne reads them, and how many answers are right."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from run import Task, _is_held_out


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns of a raw file hold, and what separates symbols, as yoyodyne names them.

    Args:
        source_col, target_col: Columns, from 1.
        features_col: The same; 0 where there are none.
        features_sep: What stands between two features.
        target_sep: What stands between two symbols of a target. Nothing: each letter is one,
            as those of a source are.
    """

    source_col: int = 1
    target_col: int = 2
    features_col: int = 0
    features_sep: str = ";"
    target_sep: str = ""


def split(task: Task, data: Path, columns: Columns, out: Path) -> dict[str, Path]:
    """Writes "train", "val" and "test" below `out`, split as the recipe splits them.

    Lines stay as they are in the raw files. Those of "test" hold no target.
    """
    [source], [tested] = task.sources, task.test
    parts: dict[str, list[str]] = {"train": [], "val": []}
    for line in lines_of(data / source.file):
        given = line.split("\t")[columns.source_col - 1]
        held_out = _is_held_out({"input": given, task.split_by: given}, task)
        parts["val" if held_out else "train"].append(line)
    hidden = columns.target_col - 1
    cells = [line.split("\t") for line in lines_of(data / tested.file)]
    if hidden != len(cells[0]) - 1:
        raise ValueError(f"The target must be the last column, got column {columns.target_col}.")
    parts["test"] = ["\t".join(row[:hidden]) for row in cells]
    out.mkdir(parents=True, exist_ok=True)
    for name, lines in parts.items():
        (out / f"{name}.tsv").write_text("".join(f"{x}\n" for x in lines), encoding="utf-8")
    return {name: out / f"{name}.tsv" for name in parts}


def targets_of(path: Path, columns: Columns) -> list[str]:
    """What a raw file wants."""
    return [line.split("\t")[columns.target_col - 1] for line in lines_of(path)]


def share_exact(answers: Sequence[str], targets: Sequence[str]) -> float:
    """The share of answers that are right to the last symbol."""
    if len(answers) != len(targets):
        raise ValueError(
            f"There must be an answer for each target, got {len(answers)} for {len(targets)}."
        )
    return sum(map(str.__eq__, answers, targets)) / len(targets)


def lines_of(path: Path) -> list[str]:
    """Lines that are not empty; only a line feed ends one."""
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


@dataclass(frozen=True, kw_only=True)
class Language:
    """Where the raw files of a task lie, what they hold, and how fast we learn them.

    Args:
        folder: Of the raw files, below those of all tasks.
        columns: What they hold.
        pace: Our epochs in a minute of the processor, rounded down: a recipe that does not fit is
            trained for those that do, so that its weights settle all the same.
    """

    folder: str
    columns: Columns
    pace: float


LANGUAGES = {
    "inflection-fin": Language(
        folder="inflection", columns=Columns(features_col=2, target_col=3), pace=0.88
    ),
    "g2p-fre": Language(folder="g2p", columns=Columns(target_sep=" "), pace=4),
}
