"""What a run came to, as `summary.json` tells it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Summary:
    """What a run came to; `OUT/summary.json` holds the same.

    Args:
        initial_loss, final_loss: Loss before the first step and after the last.
        loss_ratio: The latter over the former.
        monotone: Whether the loss fell in every epoch.
        parameter_change_l2: L2 distance of all weights from where they started.
        epochs: Epochs begun; the last one may have been cut short by a signal or `minutes`.
        steps: Steps done.
        seconds: Of training, start-up and reading data left out.
        exact_match: Share of the training pairs reproduced exactly.
        val_exact_match: The same of the validation pairs; None if there are none.
        best_epoch: The epoch with the best validation; None if there are no validation pairs.
        saved_epoch: Epoch of the saved weights; exact matches refer to them, losses to the
            whole run.
        stopped_early: Whether `patience` ended the run.
        out_of_time: Whether `minutes` ended it.
        interrupted: Whether a signal ended it.
        signal: Its name: "SIGINT" (Ctrl-C), "SIGTERM" or "SIGHUP"; None if none did.
        pairs: Number of training pairs.
        left_out: Number of those that were left out as too large, on request.
        left_out_first: The first of them, "FILE:LINE".
        val_too_large: Number of validation pairs that are too large, which count as wrong.
        measured: Number of those that the loss was measured on, drawn at random.
        parameters: Number of weights.
        seed: Of the run.
        still_falls: Whether the loss fell by more than a tenth in the last tenth of the epochs.
        wrong_answers: Why training pairs are not reproduced: "counts" of each kind of cause, and
            "pairs", the first hundred with "place", "kind", "found" and "remedy".
        chosen: Options that nobody set, by full name: the "value" that the data chose, and the
            "reason".
        profile: Share of each part in the time of the run, if that was asked for.
    """

    initial_loss: float
    final_loss: float
    loss_ratio: float
    monotone: bool
    parameter_change_l2: float
    epochs: int
    steps: int
    seconds: float
    exact_match: float
    val_exact_match: float | None
    best_epoch: int | None
    saved_epoch: int
    stopped_early: bool
    out_of_time: bool
    interrupted: bool
    signal: str | None
    pairs: int
    left_out: int
    left_out_first: list[str]
    val_too_large: int
    measured: int
    parameters: int
    seed: int
    still_falls: bool = False
    wrong_answers: dict[str, Any] = field(default_factory=dict)
    chosen: dict[str, dict[str, Any]] = field(default_factory=dict)
    profile: dict[str, float] | None = None
