"""The data of a run, for those who name no others."""

from pathlib import Path
from typing import Literal

import yaml

from .._check import Received, require
from .._versions import reading
from .._yaml import load_yaml
from ._folder import OPTIONS, text_of

BUILT_IN = "kindergarten"


def saved_data(folder: str | Path, *kinds: Literal["data", "val"]) -> str:
    """The data set that a run was trained on or validated by.

    Args:
        folder: The folder of the run.
        kinds: "data" are its training data, "val" its validation data. The first that it names
            are taken; "kindergarten" if it names none, as a folder that no run wrote.

    Returns:
        Their name, as `load_pairs` takes it.

    Raises:
        InputError: If that file is no longer where it was.
    """
    named = reading(folder, _named)
    found = (named.get(kind) for kind in kinds)
    name = next((one for one in found if isinstance(one, str)), BUILT_IN)
    there = name == BUILT_IN or Path(name).is_file()
    remedy = "Name the data: --data FILE."
    require(there, f"{folder}: the data of the run", "be where they were", Received(name), remedy)
    return name


def _named(found: Path) -> dict[str, object]:
    """The options of a run; none where nothing tells."""
    try:
        saved = load_yaml(text_of(found / OPTIONS))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return saved if isinstance(saved, dict) else {}
