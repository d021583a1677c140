"""Parts of batches: together each item once, and the mean of the batch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapheme_torch import InputError
from grapheme_torch.data import Division, Parts


@given(
    count=st.integers(1, 20), processes=st.integers(1, 5), steps=st.integers(1, 4),
)  # fmt: skip
def test_parts_are_a_partition_and_their_means_are_the_mean(
    count: int, processes: int, steps: int
) -> None:
    items = list(range(100, 100 + count))
    divisions = [Division(rank, processes, steps) for rank in range(processes)]
    parts = [part for one in divisions for part in one.of(items)]
    assert len(parts) == processes * steps
    held = sorted(item for part in parts if part.share for item in part)
    assert held == items
    assert all(len(part) >= 1 for part in parts)
    means = [part.share * sum(part) / len(part) for part in parts]
    assert sum(means) / len(parts) == pytest.approx(sum(items) / count)
    sizes = [len(part) if part.share else 0 for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_every_process_has_as_many_parts() -> None:
    batches = [[0, 1, 2], [3, 4, 5], [6]]
    each = [list(Parts(batches, Division(rank, 2, 2))) for rank in range(2)]
    assert [len(parts) for parts in each] == [6, 6] == [len(Parts(batches, Division(0, 2, 2)))] * 2
    assert each[1] == [[1], [0], [4], [3], [6], [6]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 1), "`processes` must be at least 1, got 0"),
        ((0, 1, 0), "`steps` must be at least 1, got 0"),
        ((2, 2, 1), r"`rank` must lie in \[0, 2\), got 2"),
    ],
)
def test_refusals(arguments: tuple[int, int, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Division(*arguments)
