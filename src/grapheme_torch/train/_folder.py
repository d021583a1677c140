"""What a training run leaves behind, and what is read from it later."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

import torch
import yaml
from torch import nn

from .._check import InputError, Received, refusal, relocate, require
from .._files import write_text
from .._safe_files import read_regular
from .._versions import check_versions, current, reading
from .._yaml import LARGEST, load_yaml
from ..data import Alphabet
from ..decoding import Bounds, Constraint
from ..loss import StructuralLoss
from ..nn import (
    CARD,
    DECIDED,
    WEIGHTS,
    GraphTransformNet,
    ModelCard,
    read_header,
    read_weights,
    save_model,
    save_tensors,
)
from ._lock import check_unlocked, locked
from ._loss_options import MATCHER, check_bounded, make_loss
from ._matcher_options import saved_sizes

Network = TypeVar("Network", bound=nn.Module)

SUMMARY, METRICS, PICTURE, OPTIONS = "summary.json", "metrics.csv", "loss.png", "train.yaml"
LOSS = "loss.safetensors"
"""Weights of the loss, where it has any."""
LASTING = ("config.json", "model.safetensors", LOSS, SUMMARY, PICTURE, OPTIONS)
"""Files that only a finished run has written; a run refused half-way leaves its metrics.csv."""
ANSWERS = "answers.jsonl"
"""How the answer to one pair changed."""
BOUNDS = "bounds.json"
"""What all training targets obey."""
FILES = (*LASTING, METRICS, ANSWERS, BOUNDS)
"""Files of a run that are found in its folder."""
KINDS = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"}
"""Of numbers in a file, that a module of the user's may have."""


def check_unclaimed(out: Path, *, overwrite: bool) -> None:
    """Refuses, before any work, a folder that `claim` would refuse as it is now.

    Raises:
        InputError: If another training is at work in it, it holds a run that may not be replaced,
            or it cannot be looked into.
    """
    check_unlocked(out)
    _holds_run(out, overwrite=overwrite)


def _holds_run(out: Path, *, overwrite: bool) -> bool:
    """Whether it holds a run; refuses one that may not be replaced."""
    try:
        places = {out, current(out)}
        held = [name for name in LASTING if any((one / name).exists() for one in places)]
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise _unusable(out, error) from None
    if held and not overwrite:
        remedy = "Choose another --out, or train anew with --overwrite."
        state = _state(out)
        got = Received(f"{held[0]} of {state}" if state else held[0])
        remedy += " --resume goes on." if state else ""
        raise refusal(f"--out {out}", "hold no run yet", got, remedy)
    return bool(held)


@contextmanager
def claim(out: Path, *, overwrite: bool) -> Iterator[bool]:
    """Makes the folder of a run and keeps others out of it, within the body.

    Nothing in it is touched: each file is replaced when its successor is complete.

    Yields:
        Whether it holds a run.

    Raises:
        InputError: As `check_unclaimed`, or if another training is at work in it.
    """
    with ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(out))
        except InputError:
            raise
        except (OSError, ValueError) as error:
            raise _unusable(out, error) from None
        check_versions(out)
        yield _holds_run(out, overwrite=overwrite)


def _unusable(out: Path, error: OSError | ValueError) -> InputError:
    cause = Received(getattr(error, "strerror", None) or str(error))
    remedy = "Choose another --out."
    return refusal(f"--out {out}", "be a folder that can be made", cause, remedy)


def _state(out: Path) -> str:
    """What is known of the run in a folder that did not come to its end; "" of one that did."""
    try:
        found = current(out)
        summary = json.loads(text_of(found / SUMMARY))
    except FileNotFoundError:
        return "a run that was killed" if (found / OPTIONS).exists() else ""
    except (OSError, ValueError, RecursionError):
        return ""
    if not isinstance(summary, dict) or not summary.get("interrupted"):
        return ""
    return f"a run that was stopped in epoch {summary.get('epochs')}"


def save_options(out: Path, options: dict[str, Any]) -> None:
    """Writes the options of a run so that `grapheme train --config OUT/train.yaml` repeats it."""
    write_text(out / OPTIONS, yaml.safe_dump(options, sort_keys=False, allow_unicode=True))


def views(out: Path) -> tuple[str, ...]:
    """Files of a run that are to be found in its folder; a README.md of the user's stays."""
    card = out / CARD
    return FILES if card.is_file() and not card.is_symlink() else (*FILES, CARD)


def save_weights(
    out: Path,
    network: nn.Module,
    loss: nn.Module,
    alphabet: Alphabet,
    card: ModelCard | None = None,
) -> None:
    """Writes the network, and the weights of the loss if it has any.

    A network that can save itself does (`save_pretrained`). Of any other its weights are kept,
    and what its classes mean; `load_network(folder, network)` reads them.
    """
    if isinstance(network, GraphTransformNet):
        network.save_pretrained(out, card=card)
    elif hasattr(network, "save_pretrained"):
        network.save_pretrained(out)  # type: ignore[operator]
    else:
        kind = f"{type(network).__module__}.{type(network).__qualname__}"
        names = {"labels": list(alphabet.labels), "relations": list(alphabet.relations)}
        save_model(out, {"class": kind, **names}, network.state_dict())
    weights = loss.state_dict()
    if weights:
        save_tensors(out / LOSS, weights)
    else:
        (out / LOSS).unlink(missing_ok=True)


def network_options(network: nn.Module) -> dict[str, Any]:
    """The options of a run that make this network again, but for what the data tell."""
    if not isinstance(network, GraphTransformNet):
        return {}
    return {name: value for name, value in network.config.items() if name not in DECIDED}


def saved_still_falls(folder: str | Path) -> bool:
    """Whether the loss of a run was still falling at its end; False where nothing tells."""
    try:
        summary = json.loads(text_of(current(Path(folder)) / SUMMARY))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(summary, dict) and summary.get("still_falls") is True


def saved_loss(folder: str | Path, **changes: Any) -> StructuralLoss:
    """The loss a model was trained with, read from its run; the default loss where there is none.

    Args:
        folder: The folder of the run.
        changes: Arguments of `StructuralLoss` to use instead of the saved ones; None keeps them.
            What no option can say has to be given anew, such as a node cost, an aligner or a
            further term. Weights of such modules are read from the run.

    Raises:
        InputError: "FILE: ..." if the options of the run are spoilt, or the weights of the loss
            are not those of the modules given.
    """
    chosen = {name: value for name, value in changes.items() if value is not None}

    def read(found: Path) -> StructuralLoss:
        loss = _saved_loss(found / OPTIONS, chosen)
        load_tensors(found / LOSS, loss)
        return loss

    return reading(folder, read)


def saved_bounds(folder: str | Path) -> Bounds:
    """What all targets obey that a network was trained on, for `predict(..., constraint=...)`.

    Args:
        folder: The folder of the run.

    Raises:
        InputError: If the run has saved none, as older ones have not, or they are spoilt.
    """
    return reading(folder, _saved_bounds)


def saved_shape(folder: str | Path) -> Constraint | None:
    """The shape that all training targets have; None if there may be any, as of older runs.

    Args:
        folder: The folder of the run.

    Raises:
        InputError: If what the run has saved of them is spoilt.
    """

    def read(found: Path) -> Constraint | None:
        return _saved_bounds(found).shape if (found / BOUNDS).exists() else None

    return reading(folder, read)


def _saved_bounds(found: Path) -> Bounds:
    path, remedy = found / BOUNDS, "Train again, or give `Bounds.of` the training targets."
    try:
        return Bounds.from_dict(json.loads(text_of(path)))
    except InputError as error:
        relocate(error, str(path))
    except FileNotFoundError:
        got = Received(f"no {BOUNDS}")
        wanted = "hold the bounds of its training targets"
        raise refusal(str(found), wanted, got, remedy) from None
    except (OSError, ValueError, RecursionError) as error:
        cause = Received(str(getattr(error, "strerror", None) or error))
        raise refusal(str(path), "hold bounds", cause, remedy) from None


def text_of(path: Path) -> str:
    """The content of a small file of a run.

    Raises:
        OSError: If it is no regular file of the folder, or larger than options ever are.
        ValueError: If it is no UTF-8, or the path holds a null character.
    """
    return read_regular(path, at_most=LARGEST, within=path.parent).decode()


def load_tensors(path: Path, module: nn.Module) -> None:
    """Reads the weights of a module in place; a file that is not there has none.

    Raises:
        InputError: "FILE: ..." if they are not those of the module.
    """
    given = module.state_dict()
    header = read_header(path, given) if os.path.lexists(path) else {}
    remedy = "Give the modules that the run was trained with."
    wanted = {name: tuple(tensor.shape) for name, tensor in given.items()}
    if {name: shape for name, (_, shape) in header.items()} != wanted:
        got = Received(f"{', '.join(header) or 'none'}, not {', '.join(wanted) or 'none'}")
        raise refusal(str(path), "hold the weights of the module", got, remedy)
    strange = sorted({kind for kind, _ in header.values()} - KINDS)
    got = Received(", ".join(strange))
    require(not strange, str(path), "hold weights of the usual kinds", got, remedy)
    for part in module.modules():
        if any(p.is_meta for p in part.parameters(recurse=False)):
            part.to_empty(device="cpu", recurse=False)
    module.load_state_dict(read_weights(path) if header else {})


def _saved_loss(path: Path, changes: dict[str, Any]) -> StructuralLoss:
    """The loss that the options of a run say, or the default; weights are not yet read."""
    try:
        saved = load_yaml(text_of(path)) if os.path.lexists(path) else {}
        require(isinstance(saved, dict), "it", "hold options by name", saved, "Train again.")
        asked = MATCHER in saved and "alignment" not in changes
        with torch.device("meta"):  # of a stranger's run: nothing is allocated before it is checked
            sizes = saved_sizes(path.parent) if asked else None
            return check_bounded(make_loss(saved, sizes, **changes))
    except InputError as error:
        relocate(error, str(path))
    except (OSError, ValueError, yaml.YAMLError, TypeError, AttributeError) as error:
        cause = Received(str(getattr(error, "strerror", None) or error).replace("\n", " "))
        raise refusal(
            str(path), "hold the options of a run", cause, "Remove or restore it."
        ) from None


@overload
def load_network(folder: str | Path, network: None = None) -> GraphTransformNet: ...
@overload
def load_network(folder: str | Path, network: Network) -> Network: ...
def load_network(folder: str | Path, network: nn.Module | None = None) -> nn.Module:
    """The network of a run, ready to predict.

    Args:
        folder: The folder of the run.
        network: A module like the one that was trained, to read its weights into. Default: the
            `GraphTransformNet` that the folder describes.

    Raises:
        InputError: If a file is missing, unreadable, or does not fit.
    """
    if network is None:
        return GraphTransformNet.from_pretrained(Path(folder)).eval()  # never from the Hub
    reading(folder, lambda found: load_tensors(found / WEIGHTS, network))
    return network.eval()


def load_members(
    folders: Sequence[str | Path], loss: StructuralLoss | None = None
) -> list[tuple[GraphTransformNet, StructuralLoss]]:
    """The networks of some runs, each with its loss, for `predict_together`.

    Args:
        folders: The folders of the runs.
        loss: The loss of the first. Default: `saved_loss` of its folder.
    """
    networks = [load_network(folder) for folder in folders]
    losses = [saved_loss(folders[0]) if loss is None else loss, *map(saved_loss, folders[1:])]
    each = zip(networks, losses, strict=True)
    return [(network, one.replace(reduction="none")) for network, one in each]
