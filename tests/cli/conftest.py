"""A trained network and a file of pairs, for the commands to work on."""

from pathlib import Path

import pytest

from ..train.runs import PAIRS, quick, write_pairs


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that knows five pairs by heart, "abc" -> "ab" among them."""
    folder = tmp_path_factory.mktemp("cli")
    data = write_pairs(folder / "data.jsonl", PAIRS)
    assert quick(folder / "run", data=data, epochs=60, lr=0.02).exact_match == 1.0
    return folder / "run"


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write_pairs(tmp_path / "data.jsonl", PAIRS)
