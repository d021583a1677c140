"""Which parts of a run take its time."""

import re
import time

import torch
from lightning.pytorch.profilers import Profiler

PARTS = ("data", "forward", "loss", "backward", "optimiser", "measurement", "saving", "other")
"""What the time of a run is told by: each moment is of one part."""

# The innermost action that is named here counts. Lightning names actions by class and hook.
_ACTIONS = (
    (r"\[Callback\].*(History|BestNetwork|Patience)", "measurement"),
    (r".*(validation|val_next|val_dataloader|sanity)", "measurement"),
    (r"measurement", "measurement"),
    (r"\[Callback\].*Saver|saving", "saving"),
    (r".*(train_dataloader|batch_transfer|batch_to_device|transfer_batch)", "data"),
    (r"\[Strategy\].*\.training_step", "forward"),
    (r"loss$", "loss"),
    (r"\[Strategy\].*\.backward", "backward"),
    (r".*(optimizer_step|lr_scheduler_step)", "optimiser"),
)


class PartsProfiler(Profiler):
    """Seconds of a run by part, from when it was made.

    Args:
        wait: Whether to wait at each change for what a CUDA device has left to do.
    """

    def __init__(self, *, wait: bool = False) -> None:
        super().__init__()
        self._wait, self._known = wait, dict[str, str | None]()
        self._spent = dict.fromkeys(PARTS, 0.0)
        self._within = ["other"]
        self._since = time.perf_counter()

    def start(self, action_name: str) -> None:
        """Another part begins, if the action is of one."""
        part = self._part(action_name)
        if part is not None:
            self._lap()
            self._within.append(part)

    def stop(self, action_name: str) -> None:
        """The part around it goes on."""
        if self._part(action_name) is not None:
            self._lap()
            self._within.pop()

    def shares(self) -> dict[str, float]:
        """The share of each part in the time so far; their sum is 1."""
        self._lap()
        total = sum(self._spent.values()) or 1.0
        return {part: spent / total for part, spent in self._spent.items()}

    def _lap(self) -> None:
        if self._wait:
            torch.cuda.synchronize()
        now = time.perf_counter()
        self._spent[self._within[-1]] += now - self._since
        self._since = now

    def _part(self, action: str) -> str | None:
        if action not in self._known:
            found = (part for pattern, part in _ACTIONS if re.match(pattern, action))
            self._known[action] = next(found, None)
        return self._known[action]
