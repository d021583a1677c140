"""What `grapheme train` asks: its options, those that were given, and those chosen by the data."""

import inspect
import json
from collections.abc import Sequence
from typing import Any

from jsonargparse import ArgumentParser

from ._option_groups import Groups
from ._predict_command import json_option
from ._resume_words import with_own_options
from ._usage import OptionsFile

_PRINT = "--print_config"


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the options; the defaults of those that the data choose are not told."""
    from ..nn import DECIDED, GROUPS, GraphTransformNet
    from ..train import CHOSEN, LEARNT_GROUPS, LOSS_GROUPS, LOSS_OPTIONS, RUN_GROUPS, train

    parser.usage = "grapheme train --out OUT [options] | --resume OUT [options]"
    parser._print_config = None  # ours knows the data
    parser.add_argument("--config", action=OptionsFile, help="options from a YAML file")
    ours = "print all options and why those not given are what they are; do not train"
    parser.add_argument(_PRINT, action="store_true", help=ours)
    skip: set[str | int] = {"loss", "network", "logger", "overwrite", "resume", *RUN_GROUPS}
    parser.add_function_arguments(train, as_positional=False, skip=skip)
    overwrite = "whether a model already in --out may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    resume = "folder of a run that goes on by its own options; without one a run begins"
    parser.add_argument("--resume", type=str, metavar="OUT", help=resume)
    profile = "whether to tell which parts of a step take the time"
    parser.add_argument("--profile", action="store_true", help=profile)
    add_loss(parser, LOSS_OPTIONS)
    json_option(parser)
    groups = Groups(parser)
    for name, kind in (LOSS_GROUPS | LEARNT_GROUPS | RUN_GROUPS).items():
        groups.add(name, kind)
    groups.add("network", GraphTransformNet, skip={*DECIDED, *GROUPS}, parts=GROUPS)
    for action in parser._actions:
        action.is_chosen = action.dest in CHOSEN  # type: ignore[attr-defined]


def add_loss(parser: ArgumentParser, names: Sequence[str]) -> None:
    """Adds these settings of the loss, one option each."""
    from ..loss import StructuralLoss

    known = inspect.signature(StructuralLoss).parameters
    parser.add_class_arguments(
        StructuralLoss, as_positional=False, skip={name for name in known if name not in names}
    )


def words(given: Sequence[str]) -> list[str]:
    """The words of a call: those of the run that goes on, or with a folder that is not needed."""
    every = with_own_options(given)
    if _PRINT in every and not any(word.split("=")[0] == "--out" for word in every):
        every.append("--out=OUT")
    return every


def train_arguments(given: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `train` from the options that were given, and only these."""
    from ..train import LEARNT_GROUPS, LOSS_GROUPS, LOSS_OPTIONS, train

    known = inspect.signature(train).parameters
    own = {name: given[name] for name in known if name in given}
    if given.get("profile"):
        own["monitoring"] = {**own.get("monitoring", {}), "profile": True}
    names = (*LOSS_OPTIONS, *LOSS_GROUPS, *LEARNT_GROUPS)
    loss = {name: given[name] for name in names if name in given}
    return own | {"loss": loss, "resume": given.get("resume") is not None}


def print_config(arguments: dict[str, Any], *, as_json: bool) -> None:
    """Prints the options of a run, and what was chosen by the data, and why."""
    from ..train import chosen_options

    told = chosen_options(**arguments)
    if as_json:
        print(json.dumps(told.to_dict(), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print(told, end="")
