"""What a run tells of itself beside metrics.csv, and whom it tells."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger

from .._check import Received, notice, refusal, require
from ._event_logger import EventLogger

_LIGHTNING = "lightning.pytorch.loggers"
_NAMED: dict[str, tuple[str, dict[str, Any]]] = {
    "csv": (f"{_LIGHTNING}.CSVLogger", {"name": "csv", "flush_logs_every_n_steps": 1}),
    "wandb": (f"{_LIGHTNING}.WandbLogger", {}),
    "mlflow": (f"{_LIGHTNING}.MLFlowLogger", {}),
}
_OWN = ("tensorboard", "none")


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What a run tells of itself beside metrics.csv, and whom it tells.

    Args:
        logger: "tensorboard" (files in OUT/tensorboard), "csv" (OUT/csv), "wandb", "mlflow",
            "none", or a logger of Lightning's kind by its class, such as `module.Class`.
        logger_options: Arguments of that logger, such as {"project": "graphs"}.
        log_every: Steps from one record of the logger to the next.
        profile: Whether to measure which parts of a step take the time of the run.

    Raises:
        InputError: If an argument is out of range.
    """

    logger: str = "tensorboard"
    logger_options: dict[str, Any] = field(default_factory=dict)
    log_every: int = 50
    profile: bool = False

    def __post_init__(self) -> None:
        """Refuses what is out of range."""
        known = self.logger in (*_OWN, *_NAMED) or "." in self.logger.strip(".")
        wanted = f"be one of {', '.join((*_OWN, *_NAMED))}, or a class"
        remedy = "Write a class with its module: `module.Class`."
        require(known, "`logger`", wanted, self.logger, remedy)
        fits = self.logger not in _OWN or not self.logger_options
        wanted = f"be left out for {self.logger}"
        require(fits, "`logger_options`", wanted, self.logger_options, "It has none.")
        require(self.log_every >= 1, "`log_every`", "be at least 1", self.log_every, "Try 50.")


def make_loggers(
    monitoring: Monitoring, out: Path, given: Logger | Sequence[Logger] | None = None
) -> list[Logger]:
    """The loggers of a run, which have written nothing yet.

    Args:
        monitoring: Names one.
        out: Folder of the run.
        given: Loggers to take instead.

    Raises:
        InputError: If there is no such class, or it cannot be made.
    """
    if given is not None:
        return [given] if isinstance(given, Logger) else list(given)
    name = monitoring.logger
    if name == "none":
        return []
    if name == "tensorboard":
        return _event_logger(out / "tensorboard")
    path, usual = _NAMED.get(name, (name, {}))
    kind = _class(path)
    options = {**usual, **monitoring.logger_options}
    if "save_dir" in inspect.signature(kind).parameters:
        options.setdefault("save_dir", str(out))
    try:
        made = kind(**options)
    except (ImportError, TypeError, ValueError) as error:
        cause = Received(str(error).split("\n")[0].rstrip(".") or type(error).__name__)
        remedy = "Install what it needs, and give its arguments as --monitoring.logger-options."
        raise refusal(f"the logger `{name}`", "be one that can be made", cause, remedy) from None
    assert isinstance(made, Logger)
    return [made]


def _event_logger(folder: Path) -> list[Logger]:
    require(
        not folder.is_symlink(), str(folder), "be no link", Received("a link"), "Remove the link."
    )
    try:
        return [EventLogger(folder)]
    except ModuleNotFoundError:
        notice(
            "`tensorboardX` is not installed: the run writes no files for TensorBoard, only "
            "metrics.csv. Install it, or say --monitoring.logger none."
        )
        return []


def _class(path: str) -> Any:
    """The class of loggers at a path "module.Class"."""
    module, _, name = path.rpartition(".")
    where = f"the logger `{path}`"
    try:
        kind = getattr(import_module(module), name, None)
    except (ImportError, ValueError) as error:
        remedy = "Install its package, or correct its name."
        raise refusal(where, "be in a module", Received(str(error)), remedy) from None
    fits = isinstance(kind, type) and issubclass(kind, Logger)
    remedy = "Derive it from `lightning.pytorch.loggers.Logger`."
    require(fits, where, "be a class of loggers of Lightning", kind, remedy)
    return kind
