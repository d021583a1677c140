"""Trains and asks yoyodyne, by its own command and YAML files written here."""

import re
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from .bounded import Effort, bounded
from .models import Model
from .words import Columns

CHECKPOINT = "{epoch}-{val_accuracy:.4f}"


def trained(
    command: str, model: Model, columns: Columns, files: dict[str, Path], folder: Path,
    effort: Effort,
) -> tuple[list[str], dict[str, Any]]:  # fmt: skip
    """Trains by "train" and "val", and answers "test".

    Returns:
        Its answers, in the order of the file, and what training took.
    """
    # An older checkpoint would be taken for one of this run.
    folder.mkdir(parents=True)
    fit, predict = folder / "fit.yaml", folder / "predict.yaml"
    fit.write_text(yaml.safe_dump(fit_settings(model, columns, files, folder, effort)), "utf-8")
    spent = bounded([command, "fit", "--config", str(fit)], folder / "fit.log", 60 * effort.minutes)
    best = checkpoint(folder)
    asked = predict_settings(model, columns, files, folder, effort)
    predict.write_text(yaml.safe_dump(asked), "utf-8")
    words = ["--config", str(predict), "--ckpt_path", str(best)]
    bounded([command, "predict", *words], folder / "predict.log")
    found = re.fullmatch(r"epoch=(\d+)-val_accuracy=([\d.]+)(-v\d+)?", best.stem)
    assert found is not None, best
    answers = (folder / "answers.txt").read_text("utf-8").removesuffix("\n").split("\n")
    return answers, {
        "held_back": float(found[2]), "parameters": parameters(folder / "fit.log"),
        "epochs": model.epochs(effort.minutes), "kept_epoch": int(found[1]) + 1,
        "processor": spent.processor, "clock": spent.clock,
        "ended": spent.ended,
    }  # fmt: skip


def fit_settings(
    model: Model, columns: Columns, files: dict[str, Path], folder: Path, effort: Effort
) -> dict[str, Any]:
    """Those of `yoyodyne fit`. The checkpoint with the most words right in "val" is kept."""
    return {
        "seed_everything": effort.seed,
        "trainer": {
            "accelerator": "cpu", "gradient_clip_val": 3.0, "enable_progress_bar": False,
            "num_sanity_val_steps": 0, "max_epochs": model.epochs(effort.minutes),
            "max_time": _time(effort.clock),
        },
        "model": model.settings(effort.minutes),
        "data": _data(model, columns, folder)
        | {"train": str(files["train"]), "val": str(files["val"])},
        "checkpoint": {
            "dirpath": str(folder / "checkpoints"), "filename": CHECKPOINT,
            "monitor": "val_accuracy", "mode": "max",
        },
    }  # fmt: skip


def predict_settings(
    model: Model, columns: Columns, files: dict[str, Path], folder: Path, effort: Effort
) -> dict[str, Any]:
    """Those of `yoyodyne predict`, which sees no target."""
    trainer = {"accelerator": "cpu", "enable_progress_bar": False, "logger": False}
    data = _data(model, columns, folder) | {"predict": str(files["test"]), "target_col": 0}
    return {
        "trainer": trainer, "model": model.settings(effort.minutes), "data": data,
        "prediction": {"path": str(folder / "answers.txt")},
    }  # fmt: skip


def _data(model: Model, columns: Columns, folder: Path) -> dict[str, Any]:
    return {"model_dir": str(folder), "batch_size": model.batch_size, **asdict(columns)}


def _time(minutes: float) -> str:
    """Days, hours, minutes and seconds, as Lightning writes them."""
    seconds = max(1, round(60 * minutes))
    return f"00:{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def checkpoint(folder: Path) -> Path:
    """The one checkpoint of a run."""
    found = sorted((folder / "checkpoints").glob("*.ckpt"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise SystemExit(
            f"yoyodyne must validate at least once, but left no checkpoint below {folder}. "
            "Give it more --minutes."
        )
    return found[-1]


def parameters(log: Path) -> int:
    """How many weights a model has, as yoyodyne says before it trains."""
    found = re.search(r"Trainable parameters: ([\d,]+)", log.read_text("utf-8"))
    if found is None:
        raise SystemExit(f"yoyodyne must tell the number of its weights, but did not in {log}.")
    return int(found[1].replace(",", ""))


def version(command: str) -> str:
    """That of the package, asked of the interpreter beside the command."""
    asked = "import importlib.metadata as m; print(m.version('yoyodyne'))"
    try:
        words = [str(Path(command).parent / "python"), "-c", asked]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
