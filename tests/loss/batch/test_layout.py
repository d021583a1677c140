"""The layout of a batch, made by the kernel or in PyTorch."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch.loss.engines import _kernel as kernel
from grapheme_torch.ot import backend, set_backend
from grapheme_torch.ot.kernels import _native_cpu as _cpu

from ..batches import pair_up, problem
from ..engines.test_native_engine import SIZES

pytestmark = pytest.mark.skipif(not _cpu.AVAILABLE, reason="installed without the native kernel")


@given(st.integers(0, 10**6), SIZES, st.booleans())
def test_it_is_that_of_pytorch(seed: int, sizes: list[tuple[int, int]], directed: bool) -> None:
    prediction, target = problem(seed, sizes, directed=directed)
    before = backend()
    sides: list[Any] = []
    for name in ("native", "pytorch"):
        set_backend(name)
        pairs = pair_up(prediction, target, directed=directed)
        sides += [pairs, pairs.target]
    set_backend(before)
    for mine, other in ((sides[0], sides[2]), (sides[1], sides[3])):
        assert mine.layout.width == other.layout.width
        for name in ("batch", "place", "count"):
            assert torch.equal(getattr(mine.layout, name), getattr(other.layout, name))
        for name in ("graph", "source", "sink"):
            assert torch.equal(getattr(mine, name), getattr(other, name))


FAULTS = {
    "not ascending": ([1, 0, 1], [[0], [1]], True),
    "no such graph": ([0, 0, 2], [[0], [1]], True),
    "no such node": ([0, 0, 1], [[0], [3]], True),
    "two graphs": ([0, 0, 1], [[0], [2]], True),
    "twice": ([0, 0, 1], [[0, 0], [1, 1]], True),
    "both ways": ([0, 0, 1], [[0, 1], [1, 0]], False),
}


def laid_out(batch: list[int], ends: list[list[int]], directed: bool) -> kernel.Laid | None:
    """The layout of two graphs."""
    return kernel.lay_out(torch.tensor(batch), torch.tensor(ends), 2, directed)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_batch_has_none(fault: str) -> None:
    assert laid_out(*FAULTS[fault]) is None


def test_both_ways_are_two_directed_edges() -> None:
    found = laid_out([0, 0, 1], [[0, 1], [1, 0]], True)
    assert found is not None
    assert [x.tolist() for x in found[:-1]] == [[2, 1], [0, 1, 0], [0, 0], [0, 1], [1, 0]]
    assert found.width == 2
