"""A few hundred damaged inputs of every reader; many: `benchmarks/fuzz.py`."""

import pytest

from .fuzz import READERS, SEEDS, fuzz


@pytest.mark.parametrize("kind", READERS)
def test_damaged_inputs_are_read_or_refused(kind: str) -> None:
    for seed in SEEDS[kind]:
        READERS[kind](seed)
    found = fuzz(kind, 300)
    assert found["faults"] == {}
    assert found["results"] > 0
    assert found["longest_seconds"] < 5
