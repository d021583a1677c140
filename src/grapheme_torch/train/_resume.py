"""What a run that goes on is checked against: its options, its data, its state."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from .._check import Received, refusal, require
from .._safe_files import open_regular
from .._versions import current
from .._yaml import load_yaml
from ..loss import StructuralLoss
from ..nn import GROUPS as NETWORK_GROUPS
from ._folder import OPTIONS, SUMMARY, text_of
from ._loss_options import loss_options
from ._optimization import Optimization
from ._run_groups import RUN_GROUPS
from ._summary import Summary

STATE, ORIGIN = "state.ckpt", "state.json"
"""Lightning's checkpoint, and what the run was made from and on."""
FREE = ("out", "data", "val", "workers", "checkpoint", "monitoring")
"""Options that may change: data are compared by content."""


@dataclass(frozen=True)
class Resumed:
    """The run that goes on.

    Args:
        state: Path of Lightning's checkpoint.
        summary: What the run came to if it has ended; else None.
    """

    state: Path
    summary: Summary | None


def resumable(out: Path) -> bool:
    """Whether the folder holds a run: one to go on with, or to refuse."""
    try:
        return (current(out) / OPTIONS).exists()
    except (OSError, ValueError):
        return False


def resumed(out: Path, options: dict[str, Any], digests: dict[str, str | None]) -> Resumed:
    """The run in a folder, if it is the one that these options and data make.

    Args:
        out: The folder.
        options: The options of the run that is to go on, as train.yaml holds them.
        digests: Of its data.

    Raises:
        InputError: If the run has other options or data, or no state to go on from.
    """
    found = current(out)
    saved = _options(found / OPTIONS)
    options = yaml.safe_load(yaml.safe_dump(options))
    summary = _document(found / SUMMARY) if (found / SUMMARY).exists() else None
    ended = summary is not None and not summary.get("interrupted")
    state = found / STATE
    got = Received("none: it is of an older release, or saved without an epoch")
    more = options["epochs"] != saved.get("epochs")
    remedy = "Choose another --out, or train anew with --overwrite."
    if state.is_file():
        _check_data(options, _document(found / ORIGIN).get("digests"), digests)
    _check_options(out, saved, options)
    if not state.is_file():
        require(ended and not more, str(state), "be the state of a run", got, remedy)
        return Resumed(state, _summary(found / SUMMARY, summary))
    if more:
        _check_longer(out, saved, options, summary)
        return Resumed(state, None)
    return Resumed(state, _summary(found / SUMMARY, summary) if ended else None)


def check_state(path: Path) -> None:
    """Refuses a state that is torn, or holds more than tensors and plain values.

    Raises:
        InputError: "FILE: ..." if it cannot be read.
    """
    try:
        with open_regular(path, within=path.parent) as file:
            state = torch.load(file, map_location="cpu", weights_only=True)
        whole = isinstance(state, dict) and {"loops", "optimizer_states"} <= state.keys()
        reason = "something else"
    except Exception as error:  # noqa: BLE001 (of a spoilt file, any)
        whole, reason = False, str(error).split("\n")[0][:200]
    remedy = "Restore the file, or train anew with --overwrite."
    require(whole, str(path), "be the state of a run", Received(reason), remedy)


def _check_options(out: Path, saved: dict[str, Any], asked: dict[str, Any]) -> None:
    """Refuses options other than those of the run, but for more epochs."""
    now = _flat(asked)
    was = {name: value for name, value in _defaults().items() if name in now} | _flat(saved)
    for name in sorted(was.keys() | now.keys()):
        if name.split(".")[0] in FREE or name == "epochs" or was.get(name) == now.get(name):
            continue
        option = name.replace("_", "-")
        remedy = "Leave it out to go on, or choose another --out."
        requirement = f"be {was.get(name)!r} as in the run of {out}"
        raise refusal(f"`--{option}`", requirement, now.get(name), remedy)


def _defaults() -> dict[str, Any]:
    """What options are that the release which began a run did not have: new ones change nothing."""
    groups = {name: asdict(kind()) for name, kind in RUN_GROUPS.items()}
    network = {name: asdict(kind()) for name, kind in NETWORK_GROUPS.items()}
    return _flat({**groups, **loss_options(StructuralLoss()), "network": network})


def _check_longer(
    out: Path, saved: dict[str, Any], asked: dict[str, Any], summary: dict[str, Any] | None
) -> None:
    """Refuses more epochs where the run would not be what it had been with so many at once."""
    was, now = int(saved["epochs"]), int(asked["epochs"])
    chosen = Optimization(**asked["optimization"])
    every = asked["stopping"]["val_every"]
    reasons = {
        "fewer": now < was,
        f"{now}, and its schedule goes by their number": not chosen.is_constant or chosen.anneals,
        f"{now}, after it was validated out of turn": bool(asked["val"]) and was % every != 0,
        f"{now}, after --stopping.patience ended it": bool(summary and summary["stopped_early"]),
        f"{now}, after --stopping.minutes ended it": bool(summary and summary["out_of_time"]),
    }
    remedy = "Leave it out to go on, or start a new run from it with --init."
    for reason in (reason for reason, holds in reasons.items() if holds):
        raise refusal("`--epochs`", f"be {was} as in the run of {out}", Received(reason), remedy)


def _check_data(options: dict[str, Any], was: Any, now: dict[str, str | None]) -> None:
    """Refuses data with another content, by name."""
    was = was if isinstance(was, dict) else {}
    for name, digest in now.items():
        remedy = "Restore the file, or start a new run from this one with --init."
        got = Received(f"other content (SHA-256 {str(digest)[:12]}, not {str(was.get(name))[:12]})")
        where = f"{options[name]}: the data (--{name})"
        require(was.get(name) == digest, where, "be those the run began with", got, remedy)


def _summary(path: Path, document: dict[str, Any] | None) -> Summary:
    """What a run came to, as its file tells it."""
    try:
        return Summary(**(document or {}))
    except TypeError as error:
        remedy = "Restore it, or train anew with --overwrite."
        raise refusal(str(path), "be the summary of a run", Received(str(error)), remedy) from None


def _flat(options: Any, above: str = "") -> dict[str, Any]:
    """Options by their full names."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        full = f"{above}{name}"
        flat |= _flat(value, f"{full}.") if isinstance(value, dict) else {full: value}
    return flat


def _options(path: Path) -> dict[str, Any]:
    try:
        options = load_yaml(text_of(path))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        cause = Received(str(error).replace("\n", " "))
        remedy = "Restore it, or train anew with --overwrite."
        raise refusal(str(path), "hold the options of a run", cause, remedy) from None
    require(isinstance(options, dict), str(path), "hold options by name", options, "Train again.")
    return dict(options)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(text_of(path))
    except (OSError, ValueError, RecursionError) as error:
        remedy = "Restore it, or train anew with --overwrite."
        raise refusal(str(path), "be JSON", Received(str(error)), remedy) from None
    require(isinstance(document, dict), str(path), "be an object", document, "Train again.")
    return dict(document)
