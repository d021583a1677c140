"""Scalars as the files that TensorBoard reads, written at once."""

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

_EVERY = 10.0
"""Seconds from one time that the disk is waited for to the next; a killed run loses no more."""


class EventLogger(Logger):
    """Writes scalars for TensorBoard, in the thread of the training.

    Not Lightning's `TensorBoardLogger`: both writers that it may use hand the records to a thread.
    Once that of tensorboardX has met a full disk, the next records wait for it for ever.

    Args:
        folder: Where the file is made, at the first record. Of older files in it TensorBoard shows
            only the steps before that record.

    Raises:
        ModuleNotFoundError: If `tensorboardX` is not installed.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from tensorboardX.proto.event_pb2 import Event, SessionLog
        from tensorboardX.proto.summary_pb2 import Summary

        self._folder, self._file = folder, None
        self._flushed_at = time.monotonic()
        self._event, self._session, self._summary = Event, SessionLog, Summary

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self._folder.name

    @property
    def version(self) -> str:
        """None of its own: a run has one."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Writes nothing: train.yaml holds them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Writes the scalars of a step."""
        try:
            self._record(metrics, step or 0)
        except OSError:
            with suppress(OSError):  # what it could not write it cannot write now either
                self.finalize("failed")
            raise

    def _record(self, metrics: Mapping[str, float], step: int) -> None:
        now = time.time()
        writer = self._writer(now, step)
        value = [self._summary.Value(tag=k, simple_value=v) for k, v in metrics.items()]
        self._write(writer, wall_time=now, step=step, summary=self._summary(value=value))
        if time.monotonic() - self._flushed_at >= _EVERY:
            writer.flush()
            self._flushed_at = time.monotonic()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Closes the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _writer(self, now: float, step: int) -> Any:
        from tensorboardX.record_writer import RecordWriter

        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"events.out.tfevents.{time.time_ns()}"
            self._file = RecordWriter(str(path))
            self._write(self._file, wall_time=now, file_version="brain.Event:2")
            start = self._session(status=self._session.START)
            self._write(self._file, wall_time=now, step=step, session_log=start)
        return self._file

    def _write(self, writer: Any, **event: Any) -> None:
        writer.write(self._event(**event).SerializeToString())
