"""Which data a run names."""

import re
from pathlib import Path

import pytest
import yaml

from grapheme_torch import InputError
from grapheme_torch.train import saved_data


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder whose options name training and validation data, both there."""
    named = {"data": str(tmp_path / "data.jsonl"), "val": str(tmp_path / "val.jsonl")}
    for path in named.values():
        Path(path).touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "train.yaml").write_text(yaml.safe_dump(named))
    return tmp_path / "run"


def test_the_first_that_a_run_names(run: Path) -> None:
    data, val = (str(run.parent / name) for name in ("data.jsonl", "val.jsonl"))
    assert saved_data(run, "data") == data
    assert saved_data(run, "val", "data") == val
    (run / "train.yaml").write_text(yaml.safe_dump({"data": data, "val": None}))
    assert saved_data(run, "val", "data") == data


@pytest.mark.parametrize("options", [None, "[1", "just a text", "data: 3", "val: kindergarten"])
def test_a_folder_that_names_none_has_the_built_in_data(run: Path, options: str | None) -> None:
    (run / "train.yaml").unlink()
    if options is not None:
        (run / "train.yaml").write_text(options)
    assert saved_data(run, "val", "data") == "kindergarten"


def test_data_that_are_gone_are_named(run: Path) -> None:
    (run.parent / "val.jsonl").unlink()
    message = (
        f"{run}: the data of the run must be where they were, got {run.parent / 'val.jsonl'}. "
        "Name the data: --data FILE."
    )
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        saved_data(run, "val", "data")
